/*
 * A lane's thread, in this order whenever it is free:
 *
 *   waiting commands    run_job()      one after the other; those whose time has passed are not carried out any more
 *   coils due           switch_off()   after the commands: one of them may have made the opening longer
 *   nothing for idle_ms                the lane takes itself off the list and ends
 *
 * Until the door closes (whatever waits is refused, what is open for a time switched off), or lane_make_room() has
 * taken the lane off the list. Invariants, whenever the mutex is free:
 *
 *   1. A lane on the list `lanes` has a thread that will look at its ring again.
 *   2. A lane is `busy` or `pinned`, or has commands waiting, or can be ended without anything being lost.
 *   3. A lane on the list `ended` does no more I/O; its thread ends without waiting.
 */
#include "door/lane.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/utf8.h"
#include "door/link.h"
#include "door/pulses.h"
#include "door/relay.h"

struct lane {
    /* Never change. */
    struct door *door;
    char host[sizeof((struct door_command *)0)->host];
    int port;
    pthread_t thread;

    pthread_cond_t work; /* a command was queued, `leaving`, or the door is closing */
    /* Guarded by the door's mu. */
    struct lane *next;
    struct job jobs[LANE_WAITING_MAX]; /* ring */
    size_t first;
    size_t waiting;
    bool busy;             /* talking to the relay */
    bool pinned;           /* coils to switch off, or channels held */
    bool leaving;          /* off the list: the thread has to end */
    bool down;             /* the relay didn't carry out the last command */
    int64_t idle_since_ms; /* when not busy */

    /* The lane's thread only. */
    struct resolver resolver;
    struct pulses pulses;
};

void door_result_fail(struct door_result *result, const char *message)
{
    size_t size = utf8_prefix(message, strlen(message), sizeof result->reason - 1);

    result->done = false;
    memcpy(result->reason, message, size);
    result->reason[size] = '\0';
}

/* Hands on what became of the job. With the mutex held. */
static void end_job(struct door *door, const struct job *job, enum aibox_status status, const struct aibox_error *err)
{
    struct batch *batch = job->batch;

    if (status == AIBOX_OK)
        door->done++;
    else
        door->failed++;
    if (!batch)
        return;
    batch->pending--;
    if (!batch->left) {
        batch->results[job->index] = (struct door_result){.done = true};
        if (status != AIBOX_OK)
            door_result_fail(&batch->results[job->index], err->message);
        if (batch->pending == 0)
            pthread_cond_signal(&batch->ended);
    } else if (batch->pending == 0) {
        pthread_cond_destroy(&batch->ended);
        free(batch);
    }
}

/* Lane's thread, with the mutex held: tells the others whether it could be ended. */
static void lane_settle(struct lane *lane, bool busy)
{
    lane->busy = busy;
    lane->pinned = lane->pulses.held != 0 || pulses_next(&lane->pulses) != 0;
    lane->idle_since_ms = clock_monotonic_ms();
}

static enum aibox_status drive(struct lane *lane, const struct door_command *command, struct relay_call *call,
                               struct aibox_error *err)
{
    struct relay_coils coils;
    enum aibox_status status = AIBOX_OK;
    bool modbus = command->driver == DOOR_MODBUS;

    switch (command->driver) {
    case DOOR_MODBUS:
        coils = relay_modbus_coils(call->settings, command);
        status = relay_modbus(call, command->host, command->port, &coils, command->mode != DOOR_CLOSE, err);
        break;
    case DOOR_HTTP:
        status = relay_http(call, command, err);
        break;
    case DOOR_TCP:
        status = relay_tcp(call, command, err);
        break;
    }
    pulses_note(&lane->pulses, command, modbus ? &coils : NULL, status == AIBOX_OK, call->sent, clock_monotonic_ms());
    return status;
}

/* Without the mutex, the lane being busy. */
static void run_job(struct lane *lane, const struct job *job)
{
    struct door *door = lane->door;
    struct aibox_error err = {0};
    struct relay_call call = {
        .settings = door->settings,
        .resolver = &lane->resolver,
        .deadline_ms = job->deadline_ms - LANE_MARGIN_MS,
        .held = lane->pulses.held,
        .parting = -1,
    };
    bool tried = link_left_ms(call.deadline_ms) > 0;
    bool was_down;
    enum aibox_status status;

    /* Whoever stood before the door has been told that it stays shut. */
    if (tried)
        status = drive(lane, &job->command, &call, &err);
    else
        status = error_set(&err, AIBOX_REMOTE_FAILED, LINK_NO_ANSWER);

    pthread_mutex_lock(&door->mu);
    was_down = lane->down;
    if (tried)
        lane->down = status != AIBOX_OK;
    /* Before the caller hears of it, who may want the place for another relay. */
    lane_settle(lane, call.parting >= 0);
    end_job(door, job, status, &err);
    pthread_mutex_unlock(&door->mu);

    if (tried && status != AIBOX_OK && !was_down)
        log_warn("door", "relay unavailable host=%s port=%d driver=%s reason=\"%s\"", lane->host, lane->port,
                 door_driver_names[job->command.driver], err.message);
    else if (tried && status == AIBOX_OK && was_down)
        log_info("door", "relay available again host=%s port=%d", lane->host, lane->port);
    link_close_gently(call.parting);
}

static void count_switch_off_failure(struct door *door)
{
    pthread_mutex_lock(&door->mu);
    door->switch_off_failures++;
    pthread_mutex_unlock(&door->mu);
}

static enum aibox_status write_off(struct lane *lane, const struct pulse_run *run, int64_t deadline_ms,
                                   struct aibox_error *err)
{
    struct relay_call call = {
        .settings = lane->door->settings, .resolver = &lane->resolver, .deadline_ms = deadline_ms, .parting = -1};

    return relay_modbus(&call, lane->host, lane->port, &run->coils, false, err);
}

/* Without the mutex, the lane being busy. */
static void switch_off(struct lane *lane, const struct pulse_run *run)
{
    struct aibox_error err = {0};
    bool again = lane->pulses.backoff_ms > 0;
    int given_up;

    if (write_off(lane, run, clock_monotonic_ms() + DOOR_TIMEOUT_MS, &err) == AIBOX_OK) {
        pulses_off(&lane->pulses, run);
        if (again)
            log_info("door", "switched off late host=%s port=%d coil=%d", lane->host, lane->port, run->coils.first);
        return;
    }
    count_switch_off_failure(lane->door);
    given_up = pulses_failed(&lane->pulses, clock_monotonic_ms());
    if (!again)
        log_error("door", "a door can't be closed, trying again host=%s port=%d coil=%d reason=\"%s\"", lane->host,
                  lane->port, run->coils.first, err.message);
    if (given_up > 0)
        log_error("door", "closing given up after an hour host=%s port=%d coils=%d", lane->host, lane->port, given_up);
}

/* The door is closing: whatever is open for a time, now. Without the mutex. */
static void switch_off_all(struct lane *lane, int64_t deadline_ms)
{
    struct pulse_run run;

    while (pulses_due(&lane->pulses, INT64_MAX, &run)) {
        struct aibox_error err = {0};

        if (write_off(lane, &run, deadline_ms, &err) != AIBOX_OK) {
            count_switch_off_failure(lane->door);
            log_error("door", "a door may be left open host=%s port=%d coil=%d reason=\"%s\"", lane->host, lane->port,
                      run.coils.first, err.message);
        }
        pulses_off(&lane->pulses, &run);
    }
}

/* Takes the lane off the list. With the mutex held. */
static void lane_unlist(struct lane *lane)
{
    struct door *door = lane->door;
    struct lane **link = &door->lanes;

    while (*link != lane)
        link = &(*link)->next;
    *link = lane->next;
    door->lane_count--;
    lane->next = door->ended;
    door->ended = lane;
}

/* Does what there is to do, `busy` and without the mutex. False: nothing. Called and returns with the mutex held. */
static bool lane_act(struct lane *lane)
{
    struct door *door = lane->door;
    struct pulse_run run;
    struct job job;
    bool has_job = lane->waiting > 0;

    if (has_job) {
        job = lane->jobs[lane->first];
        lane->first = (lane->first + 1) % LANE_WAITING_MAX;
        lane->waiting--;
    } else if (!pulses_due(&lane->pulses, clock_monotonic_ms(), &run)) {
        return false;
    }
    lane->busy = true;
    pthread_mutex_unlock(&door->mu);
    if (has_job)
        run_job(lane, &job);
    else
        switch_off(lane, &run);
    pthread_mutex_lock(&door->mu);
    lane_settle(lane, false);
    return true;
}

/* Waits for something to do. False: the lane has been idle long enough. With the mutex held. */
static bool lane_wait(struct lane *lane)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t wake_ms = pulses_next(&lane->pulses);
    struct timespec wake;

    if (wake_ms == 0) {
        wake_ms = lane->idle_since_ms + lane->door->idle_ms;
        if (lane->pinned)
            wake_ms = INT64_MAX;
        else if (wake_ms <= now_ms)
            return false;
    }
    wake = clock_deadline(wake_ms - now_ms);
    (void)pthread_cond_timedwait(&lane->work, &lane->door->mu, &wake);
    return true;
}

static void *lane_main(void *arg)
{
    struct lane *lane = arg;
    struct door *door = lane->door;
    const struct aibox_error stopping = {.status = AIBOX_PROCESS_FAILED, .message = "the box is stopping"};
    int64_t close_deadline_ms;

    (void)pthread_setname_np(pthread_self(), "door-relay");
    pthread_mutex_lock(&door->mu);
    while (!lane->leaving && !door->closing) {
        if (!lane_act(lane) && !lane_wait(lane)) {
            lane->leaving = true;
            lane_unlist(lane);
        }
    }
    for (; lane->waiting > 0; lane->waiting--) {
        end_job(door, &lane->jobs[lane->first], stopping.status, &stopping);
        lane->first = (lane->first + 1) % LANE_WAITING_MAX;
    }
    close_deadline_ms = door->close_deadline_ms;
    pthread_mutex_unlock(&door->mu);
    /* Who ends for another reason than the door's closing has nothing to switch off. */
    switch_off_all(lane, close_deadline_ms);
    resolver_leave(&lane->resolver);
    return NULL;
}

static bool start_thread(struct lane *lane)
{
    sigset_t all;
    sigset_t before;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&lane->thread, NULL, lane_main, lane) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* With the mutex held; NULL: out of memory or threads. */
static struct lane *lane_new(struct door *door, const struct door_command *command)
{
    struct lane *lane = calloc(1, sizeof *lane);

    if (!lane)
        return NULL;
    lane->door = door;
    (void)snprintf(lane->host, sizeof lane->host, "%s", command->host);
    lane->port = command->port;
    lane->idle_since_ms = clock_monotonic_ms();
    if (!clock_cond_init(&lane->work))
        goto fail;
    if (!start_thread(lane))
        goto fail_work;
    lane->next = door->lanes;
    door->lanes = lane;
    door->lane_count++;
    return lane;

fail_work:
    pthread_cond_destroy(&lane->work);
fail:
    free(lane);
    return NULL;
}

/* Ends the lane that has been idle longest. False: all have something to do. With the mutex held. */
static bool lane_make_room(struct door *door)
{
    struct lane *idlest = NULL;

    for (struct lane *lane = door->lanes; lane; lane = lane->next) {
        bool idle = !lane->busy && !lane->pinned && lane->waiting == 0;

        if (idle && (!idlest || lane->idle_since_ms < idlest->idle_since_ms))
            idlest = lane;
    }
    if (!idlest)
        return false;
    idlest->leaving = true;
    lane_unlist(idlest);
    pthread_cond_signal(&idlest->work);
    return true;
}

static struct lane *lane_find(const struct door *door, const struct door_command *command)
{
    struct lane *lane = door->lanes;

    while (lane && (lane->port != command->port || strcasecmp(lane->host, command->host) != 0))
        lane = lane->next;
    return lane;
}

enum aibox_status lane_enqueue(struct door *door, const struct job *job, struct aibox_error *err)
{
    struct lane *lane;

    if (door->closing)
        return error_set(err, AIBOX_PROCESS_FAILED, "the box is stopping");
    lane = lane_find(door, &job->command);
    if (!lane) {
        if (door->lane_count >= LANES_MAX && !lane_make_room(door))
            return error_set(err, AIBOX_TOO_MANY_REQUESTS, "%d other relays are being driven", LANES_MAX);
        lane = lane_new(door, &job->command);
    }
    if (!lane)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory or threads");
    if (lane->waiting == LANE_WAITING_MAX)
        return error_set(err, AIBOX_TOO_MANY_REQUESTS, "%d commands are waiting for this relay already",
                         LANE_WAITING_MAX);
    lane->jobs[(lane->first + lane->waiting) % LANE_WAITING_MAX] = *job;
    lane->waiting++;
    pthread_cond_signal(&lane->work);
    return AIBOX_OK;
}

static void lanes_join(struct lane *lanes)
{
    while (lanes) {
        struct lane *lane = lanes;

        lanes = lane->next;
        pthread_join(lane->thread, NULL);
        pthread_cond_destroy(&lane->work);
        free(lane);
    }
}

void lanes_reap(struct door *door)
{
    struct lane *ended;

    pthread_mutex_lock(&door->mu);
    ended = door->ended;
    door->ended = NULL;
    pthread_mutex_unlock(&door->mu);
    lanes_join(ended);
}

void lanes_close(struct door *door)
{
    struct lane *lanes;

    pthread_mutex_lock(&door->mu);
    door->close_deadline_ms = clock_monotonic_ms() + DOOR_TIMEOUT_MS;
    door->closing = true;
    for (struct lane *lane = door->lanes; lane; lane = lane->next)
        pthread_cond_signal(&lane->work);
    lanes = door->lanes;
    door->lanes = NULL;
    door->lane_count = 0;
    pthread_mutex_unlock(&door->mu);
    lanes_join(lanes);
    lanes_reap(door);
}

size_t lanes_unavailable(const struct door *door)
{
    size_t count = 0;

    for (const struct lane *lane = door->lanes; lane; lane = lane->next)
        count += lane->down;
    return count;
}
