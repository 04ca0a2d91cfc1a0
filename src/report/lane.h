/*
 * A lane: one destination with a thread and a connection of its own, so that a dead destination holds up nothing else.
 * What kinds of lanes have in common: life, sleep, the figures, and saying once when a destination is lost and once
 * when it is back. The kinds embed struct lane as their first member.
 *
 * A lane is made and stopped by report.c. Its own thread alone sends; what others see is guarded by `mu`.
 */
#ifndef AIBOX_REPORT_LANE_H
#define AIBOX_REPORT_LANE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json_out.h"
#include "core/status.h"
#include "core/url.h"
#include "report/allow.h"
#include "report/post.h"

struct lane;
struct report;

/* What waits to be delivered. */
struct lane_backlog {
    int64_t count;
    int64_t oldest_ms; /* for how long the oldest has been waiting; 0 without */
};

/* What a kind of lane does. */
struct lane_kind {
    const char *name;                                       /* in figures and log: history, realtime, monitor, outbox */
    bool hears_events;                                      /* is woken by new events */
    void (*run)(struct lane *lane);                         /* on the lane's thread, until lane_stopping() */
    struct lane_backlog (*backlog)(struct lane *lane);      /* NULL: it keeps none */
    void (*print)(struct lane *lane, struct json_out *out); /* further members for GET /api/reports; may be NULL */
    void (*free)(struct lane *lane);                        /* the lane itself and what its kind added */
};

struct lane_figures {
    uint64_t sent;                            /* requests that were answered as they should be */
    uint64_t failed;                          /* those that were not */
    uint64_t dropped;                         /* messages that will never be sent */
    int64_t last_success_ms, last_failure_ms; /* Unix ms; 0: never since the start */
    int64_t next_try_ms;                      /* Unix ms while waiting after a failure, else 0 */
    char last_error[POST_REASON];             /* of the last failure */
    bool down;                                /* the last try failed */
};

struct lane {
    const struct lane_kind *kind;
    struct report *report;
    char url[URL_MAX + 1]; /* what the lane is known by: the address, without the token of a login */
    struct post *post;     /* lane's thread, but for post_cancel() */
    pthread_t thread;
    pthread_mutex_t mu; /* guards what follows; leaf */
    pthread_cond_t wake;
    bool stopping;
    unsigned long wakes; /* how often it was woken */
    bool hurried;        /* what it waits for between tries may be over */
    struct lane_figures figures;
};

/* Fills `lane` and starts its thread. After a failure nothing is left but what the kind added. */
enum aibox_status lane_start(struct lane *lane, const struct lane_kind *kind, struct report *report, const char *url,
                             struct aibox_error *err);
/* Something has come that may be to be done. Any thread. */
void lane_wake(struct lane *lane);
/* Wakes it, also from a wait between two tries: the next one may well succeed. Any thread. */
void lane_hurry(struct lane *lane);
/* Tells the lane to end. `break_off`: also the request that is under way. Any thread. */
void lane_ask_to_stop(struct lane *lane, bool break_off);
/* Waits for its end and frees it. */
void lane_join(struct lane *lane);

/* ---- for the lane's own thread ------------------------------------------------------------------------------- */

bool lane_stopping(struct lane *lane);
/* Wakes so far: taken before looking for work, handed to lane_sleep() when there was none, so that none is missed. */
unsigned long lane_wakes(struct lane *lane);
/* Sleeps until woken again, told to stop, or for `wait_ms` (< 0: no limit). False: told to stop. */
bool lane_sleep(struct lane *lane, unsigned long wakes, int64_t wait_ms);
/* Sleeps for `wait_ms` whatever comes, except the stop. False: told to stop. */
bool lane_pause(struct lane *lane, int64_t wait_ms);

/* Sends, and keeps the figures. `request.url` and `allow` may be NULL: the lane's URL, the setting. */
bool lane_send(struct lane *lane, struct post_request *request, struct post_answer *answer);
/* A failure that is none of the connection's: the answer can't be used, or nothing could be made to be sent. */
void lane_fail(struct lane *lane, const char *reason);
void lane_count_dropped(struct lane *lane, uint64_t n);

/* Time between tries: 100 ms, doubling to 60 s. */
struct backoff {
    int64_t wait_ms; /* 0 at first, and after a success */
};
int64_t backoff_next(struct backoff *backoff);
/* Pauses for the next wait, which lane_hurry() cuts short. False: told to stop. */
bool lane_back_off(struct lane *lane, struct backoff *backoff);

/* ---- for everybody ------------------------------------------------------------------------------------------- */

void lane_figures_get(struct lane *lane, struct lane_figures *out);
/* The lane as an object of GET /api/reports. */
void lane_print(struct lane *lane, struct json_out *out);

#endif
