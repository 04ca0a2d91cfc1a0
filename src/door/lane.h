/*
 * Lanes: a thread for each relay address in use, which carries out one command after the other. Private to the room.
 *
 * A lane is made by the first command for its address and ends a minute after the last, unless it has coils to switch
 * off or channels held open. At most LANES_MAX; then the lane that has been idle longest makes room. All functions: any
 * thread.
 */
#ifndef AIBOX_DOOR_LANE_H
#define AIBOX_DOOR_LANE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/settings.h"
#include "core/status.h"
#include "door/door.h"

#define LANES_MAX        256
#define LANE_WAITING_MAX 16
#define LANE_IDLE_MS     60000
/* A lane is done with a command so much earlier than its caller's patience ends that the caller hears why it failed. */
#define LANE_MARGIN_MS 50

struct lane;

/* Several commands whose caller waits for them; lane.c and door_drive alone look into it. All guarded by the door's mu.
 */
struct batch {
    pthread_cond_t ended; /* nothing is pending */
    size_t pending;
    bool left; /* the caller has gone: who ends the last command frees the batch */
    struct door_result results[DOOR_MAX_BATCH];
};

struct job {
    struct door_command command;
    int64_t deadline_ms; /* monotonic */
    struct batch *batch; /* NULL: nobody waits */
    size_t index;        /* of the result in the batch */
};

struct door {
    const struct settings *settings;
    int64_t idle_ms; /* after which a lane ends; never changes once there are lanes */
    pthread_mutex_t mu;
    /* Guarded by mu. */
    struct lane *lanes; /* in no order */
    size_t lane_count;
    struct lane *ended; /* no longer found, to be joined and freed */
    bool closing;
    int64_t close_deadline_ms; /* when closing */
    uint64_t done;
    uint64_t failed;
    uint64_t refused; /* never reached a lane: full, or a wrong command */
    uint64_t switch_off_failures;
};

/*
 * Queues the job in the lane of its address. With the mutex held. TOO_MANY_REQUESTS: the lane is full, or there are too
 * many; PROCESS_FAILED: closing, or no thread to be had. `batch` is told later if and only if this returns OK.
 */
enum aibox_status lane_enqueue(struct door *door, const struct job *job, struct aibox_error *err);

/* Joins and frees lanes that have ended. Without the mutex; doesn't wait for relays. */
void lanes_reap(struct door *door);

/* Ends all, each switching off what it has to before; they are told by `closing`. Without the mutex; until
 * close_deadline_ms or a little longer. */
void lanes_close(struct door *door);

/* How many lanes there are whose relay didn't carry out the last command. With the mutex held. */
size_t lanes_unavailable(const struct door *door);

/* Copies the message to the reason, cut at a whole character. */
void door_result_fail(struct door_result *result, const char *message);

#endif
