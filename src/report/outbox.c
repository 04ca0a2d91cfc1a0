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
 *   1. A message leaves the store only when its receiver has taken it, when it is too old (trait.most_age_ms), or when
 *      there is no receiver any more; the latter two are counted and said.
 *   2. A message goes out after all older ones of its lane, and one at a time.
 *   3. A message that was taken is sent once more only if the box dies before the store has forgotten it.
 */
#include "report/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "report/report_internal.h"

#define TIMEOUT_MS 10000
#define DAY_MS     INT64_C(86400000)

/* Where a message goes, and what of it. */
struct errand {
    char url[REPORT_MAX_COMPOSED + 1];
    const char *body;
    size_t size;
};

/* In what the messages of devices and the results of commands differ. */
struct trait {
    int64_t most_age_ms;
    /* False: it goes nowhere, and never will. */
    bool (*address)(struct lane *lane, const struct store_outbox_message *message, struct errand *out);
    bool (*accepted)(const char *body, size_t size); /* NULL: a status of 2xx will do */
};

struct outbox_lane {
    struct lane lane;
    const struct trait *trait;
    char name[STORE_MAX_LANE + 1]; /* in the store */
    /* The lane's thread only. */
    struct backoff backoff;
    bool giving_up; /* messages are too old, and that was said */
};

static struct outbox_lane *of(struct lane *lane)
{
    return (struct outbox_lane *)lane;
}

/* ---- the two kinds -------------------------------------------------------------------------------------------- */

static bool address_operation(struct lane *lane, const struct store_outbox_message *message, struct errand *out)
{
    struct report_address address;
    bool list;

    out->body = (const char *)message->payload;
    out->size = message->size;
    out->url[0] = '\0';
    if (report_device_address(lane->report, &address, &list)) /* else the lane is about to be stopped */
        memcpy(out->url, address.url, sizeof out->url);
    return true;
}

const char *result_split(const void *payload, size_t *size, char url[REPORT_MAX_COMPOSED + 1])
{
    const char *text = payload;
    const char *newline = memchr(text, '\n', *size);
    size_t length = newline ? (size_t)(newline - text) : 0;

    if (length == 0 || length > REPORT_MAX_COMPOSED || memchr(text, '\0', length))
        return NULL;
    memcpy(url, text, length);
    url[length] = '\0';
    *size -= length + 1;
    return newline + 1;
}

static bool address_result(struct lane *lane, const struct store_outbox_message *message, struct errand *out)
{
    (void)lane;
    out->size = message->size;
    out->body = result_split(message->payload, &out->size, out->url);
    return out->body != NULL;
}

static const struct trait operations = {
    .most_age_ms = 30 * DAY_MS, .address = address_operation, .accepted = operation_accepted};
static const struct trait results = {.most_age_ms = 7 * DAY_MS, .address = address_result};

/* ---- sending ------------------------------------------------------------------------------------------------- */

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

static bool send_message(struct outbox_lane *outbox, const struct errand *errand)
{
    struct lane *lane = &outbox->lane;
    struct post_answer answer;
    struct post_request request = {.url = errand->url,
                                   .content_type = "application/json",
                                   .body = errand->body,
                                   .size = errand->size,
                                   .timeout_ms = TIMEOUT_MS};

    if (errand->url[0] == '\0' || !lane_send(lane, &request, &answer))
        return false;
    if (!outbox->trait->accepted || outbox->trait->accepted(answer.body, answer.size))
        return true;
    lane_fail(lane, "the answer does not say status 0");
    return false;
}

/* Counted always, said when it begins: what a receiver misses in a week would fill the log. */
static bool give_up(struct outbox_lane *outbox, const struct store_outbox_message *message, const char *why)
{
    lane_count_dropped(&outbox->lane, 1);
    if (!outbox->giving_up)
        log_warn("report", "messages are given up kind=%s first_id=%" PRId64 " age_days=%" PRId64 " reason=\"%s\"",
                 outbox->lane.kind->name, message->outbox_id, (clock_realtime_ms() - message->created_ms) / DAY_MS,
                 why);
    outbox->giving_up = true;
    return forget(outbox, message->outbox_id);
}

/* Works on the oldest message. False: told to stop. */
static bool work_off(struct outbox_lane *outbox, const struct store_outbox_message *message)
{
    struct errand errand;

    if (clock_realtime_ms() - message->created_ms > outbox->trait->most_age_ms)
        return give_up(outbox, message, "it was not taken for too long");
    if (!outbox->trait->address(&outbox->lane, message, &errand))
        return give_up(outbox, message, "it can't be read");
    if (!send_message(outbox, &errand))
        return lane_back_off(&outbox->lane, &outbox->backoff);
    outbox->giving_up = false;
    return forget(outbox, message->outbox_id);
}

static void run_outbox(struct lane *lane)
{
    struct outbox_lane *outbox = of(lane);
    bool going_on = true;

    while (going_on && !lane_stopping(lane)) {
        unsigned long wakes = lane_wakes(lane);
        struct store_outbox_message message;
        struct aibox_error err;
        if (store_outbox_next(lane->report->store, outbox->name, &message, &err) != AIBOX_OK) {
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

/* ---- for others ---------------------------------------------------------------------------------------------- */

static struct lane_backlog backlog_of(struct lane *lane)
{
    size_t count;
    int64_t oldest_ms;

    if (store_outbox_count(lane->report->store, of(lane)->name, &count, &oldest_ms, NULL) != AIBOX_OK || count == 0)
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
const struct lane_kind result_lane_kind = {
    .name = "result", .run = run_outbox, .backlog = backlog_of, .free = free_outbox};

static struct lane *make(struct report *report, const struct lane_kind *kind, const struct trait *trait,
                         const char *name, const char *url, struct aibox_error *err)
{
    struct outbox_lane *outbox = calloc(1, sizeof *outbox);

    if (!outbox) {
        (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        return NULL;
    }
    outbox->trait = trait;
    (void)snprintf(outbox->name, sizeof outbox->name, "%s", name);
    if (lane_start(&outbox->lane, kind, report, url, err) != AIBOX_OK) {
        free(outbox);
        return NULL;
    }
    return &outbox->lane;
}

struct lane *outbox_lane_new(struct report *report, const char *url, struct aibox_error *err)
{
    return make(report, &outbox_lane_kind, &operations, OUTBOX_DEVICES, url, err);
}

struct lane *result_lane_new(struct report *report, const char *url, struct aibox_error *err)
{
    char name[sizeof OUTBOX_RESULTS + URL_MAX];

    (void)snprintf(name, sizeof name, "%s%s", OUTBOX_RESULTS, url);
    return make(report, &result_lane_kind, &results, name, url, err);
}
