/*
 * The outbox: what must arrive. Messages lie in the store, by lane, from the transaction that made them until their
 * receiver has taken them; here they are sent, the oldest first.
 *
 * States of a lane
 *   empty     sleeps until a message comes                    run_outbox()
 *   sending   the oldest message is on its way                send_message()
 *   failing   it was not taken: tried again with backoff      lane_back_off()
 *   taken     it was, but the store can't forget it (disk     forget()
 *             full): nothing else is sent until it can
 *
 * Invariants
 *   1. A message leaves the store only when its receiver has taken it, when it is MOST_AGE_MS old, or when there is no
 *      receiver any more; the latter two are counted and said.
 *   2. A message goes out after all older ones of its lane, and one at a time.
 *   3. A message that was taken is sent once more only if the box dies before the store has forgotten it.
 */
#include "report/outbox.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/clock.h"
#include "report/report_internal.h"

#define TIMEOUT_MS  10000
#define MOST_AGE_MS (INT64_C(30) * 86400000)

struct outbox_lane {
    struct lane lane;
    struct backoff backoff; /* lane's thread only */
};

/* False: the store can't; told to stop, if nothing else. */
static bool forget(struct outbox_lane *outbox, int64_t outbox_id)
{
    struct lane *lane = &outbox->lane;
    struct aibox_error err;

    while (store_outbox_done(lane->report->store, outbox_id, &err) != AIBOX_OK) {
        lane_fail(lane, err.message);
        if (!lane_back_off(lane, &outbox->backoff))
            return false;
    }
    outbox->backoff.wait_ms = 0;
    return true;
}

static bool send_message(struct outbox_lane *outbox, const struct store_outbox_message *message)
{
    struct lane *lane = &outbox->lane;
    struct post_answer answer;
    struct post_request request = {
        .content_type = "application/json", .body = message->payload, .size = message->size, .timeout_ms = TIMEOUT_MS};

    if (!lane_send(lane, &request, &answer))
        return false;
    if (operation_accepted(answer.body, answer.size))
        return true;
    lane_fail(lane, "the answer does not say status 0");
    return false;
}

/* Works on the oldest message. False: told to stop. */
static bool work_off(struct outbox_lane *outbox, const struct store_outbox_message *message)
{
    struct lane *lane = &outbox->lane;
    int64_t age_ms = clock_realtime_ms() - message->created_ms;

    if (age_ms > MOST_AGE_MS) {
        lane_count_dropped(lane, 1);
        log_warn("report", "a message is given up after %" PRId64 " days id=%" PRId64, age_ms / 86400000,
                 message->outbox_id);
        return forget(outbox, message->outbox_id);
    }
    if (send_message(outbox, message))
        return forget(outbox, message->outbox_id);
    return lane_back_off(lane, &outbox->backoff);
}

static void run_outbox(struct lane *lane)
{
    struct outbox_lane *outbox = (struct outbox_lane *)lane;
    bool going_on = true;

    while (going_on && !lane_stopping(lane)) {
        unsigned long wakes = lane_wakes(lane);
        struct store_outbox_message message;
        struct aibox_error err;
        if (store_outbox_next(lane->report->store, OUTBOX_DEVICES, &message, &err) != AIBOX_OK) {
            lane_fail(lane, err.message);
            going_on = lane_back_off(lane, &outbox->backoff);
        } else if (message.outbox_id == 0) {
            going_on = lane_sleep(lane, wakes, -1);
        } else {
            going_on = work_off(outbox, &message);
        }
        store_outbox_message_free(&message);
    }
}

static struct lane_backlog backlog_of(struct lane *lane)
{
    size_t count;
    int64_t oldest_ms;

    if (store_outbox_count(lane->report->store, OUTBOX_DEVICES, &count, &oldest_ms, NULL) != AIBOX_OK || count == 0)
        return (struct lane_backlog){0};
    int64_t age_ms = clock_realtime_ms() - oldest_ms;
    return (struct lane_backlog){.count = (int64_t)count, .oldest_ms = age_ms > 0 ? age_ms : 0};
}

static void free_outbox(struct lane *lane)
{
    free(lane);
}

const struct lane_kind outbox_lane_kind = {
    .name = "outbox", .run = run_outbox, .backlog = backlog_of, .free = free_outbox};

struct lane *outbox_lane_new(struct report *report, const char *url, struct aibox_error *err)
{
    struct outbox_lane *outbox = calloc(1, sizeof *outbox);

    if (!outbox) {
        (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        return NULL;
    }
    if (lane_start(&outbox->lane, &outbox_lane_kind, report, url, err) != AIBOX_OK) {
        free(outbox);
        return NULL;
    }
    return &outbox->lane;
}
