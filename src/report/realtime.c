/*
 * Real-time events: fire and forget. Each event is tried once at each address, in the order of commit, as soon as it is
 * durable. A lane that can't keep up skips what has become old: who stands at a door wants the present.
 *
 * Invariants
 *   1. `position` is in memory only: what happened while the box was off is the history's business.
 *   2. At most one request per lane is under way, for at most TIMEOUT_MS; events wait in the store, not in memory.
 *   3. A body is made once and shared by the lanes that send it at about the same time; the last MOST_BODIES are kept.
 */
#include "report/realtime.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/id.h"
#include "report/body.h"
#include "report/report_internal.h"

#define TIMEOUT_MS  500
#define MOST_AGE_MS 5000 /* older events are not sent any more */
#define MOST_READ   16   /* events read at a time */
#define MOST_BEHIND 1000 /* a lane that is further behind doesn't even look at what it skips */
#define MOST_BODIES 3
#define IDLE_MS     2000 /* then the bodies are forgotten */

/* ---- bodies ---------------------------------------------------------------------------------------------------- */

struct shared_body {
    int64_t seq;
    struct body_options options;
    struct body body;
    unsigned users;
};

struct realtime_bodies {
    pthread_mutex_t mu;                    /* held while a body is made, so that nobody makes it a second time */
    struct shared_body *kept[MOST_BODIES]; /* newest first; each counts as a user */
};

enum aibox_status realtime_bodies_open(struct realtime_bodies **out, struct aibox_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    pthread_mutex_init(&(*out)->mu, NULL);
    return AIBOX_OK;
}

/* With the lock held. */
static void let_go(struct shared_body *shared)
{
    if (!shared || --shared->users > 0)
        return;
    body_free(&shared->body);
    free(shared);
}

static void forget_bodies(struct realtime_bodies *bodies)
{
    pthread_mutex_lock(&bodies->mu);
    for (size_t i = 0; i < MOST_BODIES; i++) {
        let_go(bodies->kept[i]);
        bodies->kept[i] = NULL;
    }
    pthread_mutex_unlock(&bodies->mu);
}

void realtime_bodies_close(struct realtime_bodies *bodies)
{
    if (!bodies)
        return;
    forget_bodies(bodies);
    pthread_mutex_destroy(&bodies->mu);
    free(bodies);
}

static bool same_options(const struct body_options *a, const struct body_options *b)
{
    return a->encoding == b->encoding && a->reg_pic == b->reg_pic && a->spot_pic == b->spot_pic &&
           a->face_pic == b->face_pic;
}

static struct shared_body *find_body(const struct realtime_bodies *bodies, int64_t seq,
                                     const struct body_options *options)
{
    for (size_t i = 0; i < MOST_BODIES; i++)
        if (bodies->kept[i] && bodies->kept[i]->seq == seq && same_options(&bodies->kept[i]->options, options))
            return bodies->kept[i];
    return NULL;
}

static void keep_body(struct realtime_bodies *bodies, struct shared_body *shared)
{
    let_go(bodies->kept[MOST_BODIES - 1]);
    memmove(bodies->kept + 1, bodies->kept, (MOST_BODIES - 1) * sizeof(*bodies->kept));
    bodies->kept[0] = shared;
    shared->users++;
}

/* The body of an event, given back by return_body(). NULL: it can't be made. */
static struct shared_body *take_body(struct report *report, const struct store_event *event,
                                     const struct body_options *options, struct aibox_error *err)
{
    struct realtime_bodies *bodies = report->bodies;

    pthread_mutex_lock(&bodies->mu);
    struct shared_body *shared = find_body(bodies, event->seq, options);
    if (!shared) {
        shared = calloc(1, sizeof *shared);
        if (!shared) {
            (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        } else if (body_of_event(report->store, report->settings, event, options, &shared->body, err) != AIBOX_OK) {
            free(shared);
            shared = NULL;
        } else {
            shared->seq = event->seq;
            shared->options = *options;
            keep_body(bodies, shared);
        }
    }
    if (shared)
        shared->users++;
    pthread_mutex_unlock(&bodies->mu);
    return shared;
}

static void return_body(struct report *report, struct shared_body *shared)
{
    pthread_mutex_lock(&report->bodies->mu);
    let_go(shared);
    pthread_mutex_unlock(&report->bodies->mu);
}

/* ---- lanes ----------------------------------------------------------------------------------------------------- */

struct realtime_lane {
    struct lane lane;
    int64_t position; /* lane's thread only */
};

/* Whose score reached the threshold; strangers only if they are wanted. */
static bool is_wanted(const struct store_event *event, const struct report_realtime *block)
{
    return block->everybody || event->verdict == STORE_KNOWN;
}

static void send_event(struct realtime_lane *realtime, const struct store_event *event,
                       const struct report_realtime *block)
{
    struct lane *lane = &realtime->lane;
    struct body_options options = {.encoding = block->encoding,
                                   .reg_pic = block->reg_pic,
                                   .spot_pic = block->spot_pic,
                                   .face_pic = block->face_pic};
    struct post_answer answer;
    struct aibox_error err;
    struct shared_body *shared = take_body(lane->report, event, &options, &err);

    if (!shared) {
        lane_fail(lane, err.message);
        return;
    }
    struct post_request request = {.content_type = shared->body.type,
                                   .body = shared->body.bytes,
                                   .size = shared->body.size,
                                   .event_id = event->event_id,
                                   .timeout_ms = TIMEOUT_MS};
    (void)lane_send(lane, &request, &answer);
    return_body(lane->report, shared);
}

/* What is behind the position, as far as it is not too old. */
static void send_news(struct realtime_lane *realtime)
{
    struct lane *lane = &realtime->lane;
    struct report *report = lane->report;
    struct report_realtime block;
    struct store_event_list list;
    struct aibox_error err;
    int64_t newest = store_event_newest(report->store);

    if (newest - realtime->position > MOST_BEHIND) {
        lane_count_dropped(lane, (uint64_t)(newest - realtime->position - MOST_BEHIND));
        realtime->position = newest - MOST_BEHIND;
    }
    if (store_events_after(report->store, realtime->position, MOST_READ, &list, &err) != AIBOX_OK) {
        lane_fail(lane, err.message);
        realtime->position = newest;
        return;
    }
    if (list.count == 0)
        realtime->position = newest;
    report_config_realtime(report->config, &block);
    for (size_t i = 0; i < list.count && !lane_stopping(lane); i++) {
        const struct store_event *event = &list.items[i];
        realtime->position = event->seq;
        if (!is_wanted(event, &block))
            continue;
        if (clock_realtime_ms() - id_ulid_ms(event->event_id) > MOST_AGE_MS)
            lane_count_dropped(lane, 1);
        else
            send_event(realtime, event, &block);
    }
    store_event_list_free(&list);
}

static void run_realtime(struct lane *lane)
{
    struct realtime_lane *realtime = (struct realtime_lane *)lane;
    struct report *report = lane->report;
    bool idle = true;

    for (;;) {
        unsigned long wakes = lane_wakes(lane);
        if (lane_stopping(lane))
            return;
        if (store_event_newest(report->store) > realtime->position) {
            send_news(realtime);
            idle = false;
        } else if (!lane_sleep(lane, wakes, idle ? -1 : IDLE_MS)) {
            return;
        } else if (!idle && lane_wakes(lane) == wakes) {
            forget_bodies(report->bodies);
            idle = true;
        }
    }
}

static void free_realtime(struct lane *lane)
{
    free(lane);
}

const struct lane_kind realtime_lane_kind = {
    .name = "realtime", .hears_events = true, .run = run_realtime, .free = free_realtime};

struct lane *realtime_lane_new(struct report *report, const char *url, struct aibox_error *err)
{
    struct realtime_lane *realtime = calloc(1, sizeof *realtime);

    if (!realtime) {
        (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        return NULL;
    }
    realtime->position = store_event_newest(report->store);
    if (lane_start(&realtime->lane, &realtime_lane_kind, report, url, err) != AIBOX_OK) {
        free(realtime);
        return NULL;
    }
    return &realtime->lane;
}
