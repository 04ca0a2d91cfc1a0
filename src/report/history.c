/*
 * The history: every event, to every address, at least once and in order.
 *
 * States of a lane
 *   waiting    nothing behind the position, or the period is not over        wait_for_round()
 *   sending    events behind the position go out one after the other         send_round()
 *   refused    the first event behind it was answered 400, 413 or 422:       refuse()
 *              tried again with backoff; after an hour set aside
 *   failing    no 2xx for another reason: tried again with backoff, for ever
 *
 * Invariants
 *   1. Everything up to `position` was answered with 2xx or set aside; nothing behind it was skipped. The cursor in the
 *      store is never ahead of it: after a crash what lies between is sent once more, with the same ids.
 *   2. Events are read from the store just before they are sent, so that a deleted one doesn't leave the box.
 *   3. One request is under way at a time: the order of commit is the order of arrival.
 *   4. The cursor is confirmed when the lane has caught up, stumbles or stops, and once a second: what would be sent
 *      again is bounded.
 */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/id.h"
#include "report/body.h"
#include "report/report_internal.h"

#define TIMEOUT_MS   30000
#define MOST_AT_ONCE 100 /* events of a batch */
#define MOST_SINGLE  20  /* events read at a time when each goes alone */
#define CONFIRM_MS   1000
#define NO_CURSOR_MS 1000

struct history_lane {
    struct lane lane;
    _Atomic int64_t position;
    atomic_bool resend;
    /* The lane's thread only. */
    int64_t confirmed;       /* as the store has it */
    int64_t confirmed_at_ms; /* monotonic */
    int64_t refused_seq;     /* 0: none */
    int64_t refused_ms;      /* since when, Unix time */
    size_t most;             /* events in a batch; fewer while looking for the one that is refused */
    struct backoff backoff;
};

enum outcome { SENT, CAUGHT_UP, TRY_AGAIN };

static struct history_lane *of(struct lane *lane)
{
    return (struct history_lane *)lane;
}

/* ---- the cursor ---------------------------------------------------------------------------------------------- */

/* False: told to stop. */
static bool load_cursor(struct history_lane *history)
{
    struct lane *lane = &history->lane;
    struct store_cursor cursor;
    struct aibox_error err;

    while (store_cursor_get(lane->report->store, lane->url, &cursor, &err) != AIBOX_OK) {
        lane_fail(lane, err.message);
        if (!lane_pause(lane, NO_CURSOR_MS))
            return false;
    }
    atomic_store(&history->position, cursor.seq);
    history->confirmed = cursor.seq;
    history->refused_seq = cursor.refused_seq;
    history->refused_ms = cursor.refused_ms;
    return true;
}

/* A failure is no harm but what invariant 4 says. */
static void confirm(struct history_lane *history)
{
    int64_t position = atomic_load(&history->position);

    if (position == history->confirmed)
        return;
    history->confirmed_at_ms = clock_monotonic_ms();
    if (store_cursor_confirm(history->lane.report->store, history->lane.url, position, NULL) == AIBOX_OK)
        history->confirmed = position;
}

static void move_on(struct history_lane *history, int64_t seq)
{
    atomic_store(&history->position, seq);
    history->backoff.wait_ms = 0;
    if (history->refused_seq <= seq)
        history->refused_seq = 0;
    if (clock_monotonic_ms() - history->confirmed_at_ms >= CONFIRM_MS)
        confirm(history);
}

/* ---- sending ------------------------------------------------------------------------------------------------- */

static struct body_options options_of(const struct report_target *target)
{
    return (struct body_options){.encoding = target->encoding,
                                 .history = true,
                                 .reg_pic = target->reg_pic,
                                 .spot_pic = target->spot_pic,
                                 .face_pic = target->face_pic,
                                 .info = target->info};
}

/* How it is to be sent, at this moment: with every login comes another URL. False: not any more, the lane is about to
 * be stopped. */
static bool find_target(struct lane *lane, struct report_target *target)
{
    return report_config_find_history(lane->report->config, lane->url, target) && target->address.url[0];
}

/* One request with the first *n events, of which *n went. *refused: the receiver doesn't like what they are. */
static bool post_events(struct lane *lane, const struct store_event *events, size_t *n, bool batch, int *refused)
{
    struct report *report = lane->report;
    struct report_target target;
    struct post_answer answer = {0};
    struct aibox_error err;
    struct body body;

    *refused = 0;
    if (!find_target(lane, &target))
        return false;
    struct body_options options = options_of(&target);
    enum aibox_status status = batch ? body_of_events(report->store, report->settings, events, n, &options, &body, &err)
                                     : body_of_event(report->store, report->settings, events, &options, &body, &err);
    if (status != AIBOX_OK) {
        lane_fail(lane, err.message);
        return false;
    }
    struct post_request request = {.url = target.address.url,
                                   .content_type = body.type,
                                   .body = body.bytes,
                                   .size = body.size,
                                   .event_id = batch ? NULL : events[0].event_id,
                                   .timeout_ms = TIMEOUT_MS};
    bool sent = lane_send(lane, &request, &answer);
    if (answer.http_status == 400 || answer.http_status == 413 || answer.http_status == 422)
        *refused = answer.http_status;
    body_free(&body);
    return sent;
}

/* The event is refused as it is: for how long already? */
static void refuse(struct history_lane *history, const struct store_event *event, int answered)
{
    struct lane *lane = &history->lane;
    struct report *report = lane->report;
    int64_t now_ms = clock_realtime_ms();
    int64_t patience_ms = settings_int(report->settings, "reports.set_aside_seconds") * 1000;

    if (history->refused_seq != event->seq) {
        history->refused_seq = event->seq;
        history->refused_ms = now_ms;
        (void)store_cursor_refuse(report->store, lane->url, event->seq, now_ms, NULL);
    }
    if (now_ms - history->refused_ms < patience_ms)
        return;
    if (store_event_set_aside(report->store, lane->url, event->seq, answered, NULL) != AIBOX_OK)
        return;
    log_warn("report", "an event is set aside, its receiver refuses it event_id=%s answered=%d", event->event_id,
             answered);
    history->confirmed = event->seq;
    move_on(history, event->seq);
}

/* Sends the list; stops at the first that doesn't arrive. */
static enum outcome send_list(struct history_lane *history, const struct store_event_list *list, bool batch)
{
    size_t at = 0;

    while (at < list->count && !lane_stopping(&history->lane)) {
        size_t n = list->count - at;
        int refused;
        if (!batch)
            n = 1;
        else if (n > history->most)
            n = history->most;
        if (post_events(&history->lane, &list->items[at], &n, batch, &refused)) {
            at += n;
            move_on(history, list->items[at - 1].seq);
            history->most = history->most * 2 < MOST_AT_ONCE ? history->most * 2 : MOST_AT_ONCE;
        } else if (refused && n > 1) { /* one of them: by halves */
            history->most = n / 2;
        } else {
            if (refused)
                refuse(history, &list->items[at], refused);
            return TRY_AGAIN;
        }
    }
    return SENT;
}

static enum outcome send_next(struct history_lane *history)
{
    struct report *report = history->lane.report;
    bool batch = settings_bool(report->settings, "reports.history_batch");
    struct report_target target;
    struct store_event_list list;
    struct aibox_error err;

    if (!find_target(&history->lane, &target))
        return TRY_AGAIN;
    if (target.encoding == REPORT_FORM_DATA) /* has no word for several */
        batch = false;
    size_t limit = batch ? MOST_AT_ONCE : MOST_SINGLE;
    int64_t newest = store_event_newest(report->store); /* before reading: what is not found up to here is gone */
    if (store_events_after(report->store, atomic_load(&history->position), limit, &list, &err) != AIBOX_OK) {
        lane_fail(&history->lane, err.message);
        return TRY_AGAIN;
    }
    enum outcome outcome = CAUGHT_UP;
    if (list.count > 0)
        outcome = send_list(history, &list, batch);
    else if (newest > atomic_load(&history->position))
        move_on(history, newest);
    if (outcome == SENT && list.count < limit)
        outcome = CAUGHT_UP;
    store_event_list_free(&list);
    return outcome;
}

/* Those that somebody wants to be tried again. */
static enum outcome send_set_aside(struct history_lane *history)
{
    struct report *report = history->lane.report;
    struct store_event event;
    struct aibox_error err;
    int64_t set_aside_id;
    size_t n = 1;
    int refused;

    if (store_set_aside_next(report->store, history->lane.url, &set_aside_id, &event, &err) != AIBOX_OK) {
        lane_fail(&history->lane, err.message);
        return TRY_AGAIN;
    }
    if (set_aside_id == 0)
        return CAUGHT_UP;
    bool sent = post_events(&history->lane, &event, &n, false, &refused);
    store_event_free(&event);
    if (!sent && !refused)
        return TRY_AGAIN;
    history->backoff.wait_ms = 0;
    return store_set_aside_done(report->store, set_aside_id, refused, NULL) == AIBOX_OK ? SENT : TRY_AGAIN;
}

/* ---- the round ------------------------------------------------------------------------------------------------- */

/* Until the lane has caught up. False: told to stop. */
static bool send_round(struct history_lane *history)
{
    struct lane *lane = &history->lane;
    enum outcome outcome = SENT;

    while (outcome != CAUGHT_UP) {
        if (lane_stopping(lane))
            return false;
        bool resend = atomic_load(&history->resend);
        outcome = resend ? send_set_aside(history) : send_next(history);
        if (resend && outcome == CAUGHT_UP) {
            atomic_store(&history->resend, false);
            outcome = SENT;
        }
        if (outcome == TRY_AGAIN) {
            confirm(history);
            if (!lane_back_off(lane, &history->backoff))
                return false;
        }
    }
    confirm(history);
    return true;
}

/* Until there is something to send and the period is over. False: told to stop. */
static bool wait_for_round(struct history_lane *history, int64_t last_round_ms)
{
    struct lane *lane = &history->lane;
    struct report *report = lane->report;

    for (;;) {
        struct report_target target;
        unsigned long wakes = lane_wakes(lane);
        if (atomic_load(&history->resend))
            return true;
        int64_t wait_ms = -1;
        if (store_event_newest(report->store) > atomic_load(&history->position)) {
            int period_s = report_config_find_history(report->config, lane->url, &target) ? target.period_s : 1;
            wait_ms = last_round_ms + (int64_t)period_s * 1000 - clock_monotonic_ms();
            if (wait_ms <= 0)
                return true;
        }
        /* Further events don't matter before the period is over, but another period does. */
        if (!lane_sleep(lane, wakes, wait_ms))
            return false;
    }
}

static void run_history(struct lane *lane)
{
    struct history_lane *history = of(lane);
    int64_t last_round_ms = clock_monotonic_ms() - (int64_t)REPORT_MAX_PERIOD_S * 1000;

    if (!load_cursor(history))
        return;
    while (wait_for_round(history, last_round_ms)) {
        last_round_ms = clock_monotonic_ms();
        if (!send_round(history))
            break;
    }
    confirm(history);
}

/* ---- for others -------------------------------------------------------------------------------------------------- */

/* Counted by the numbers of the events, so that deleted ones count too, but no more than there are. */
static struct lane_backlog backlog_of(struct lane *lane)
{
    struct store *store = lane->report->store;
    int64_t position = atomic_load(&of(lane)->position);
    struct lane_backlog backlog = {.count = store_event_newest(store) - position};
    struct store_counters counters;
    struct store_event_list list;

    if (backlog.count == 0 || store_events_after(store, position, 1, &list, NULL) != AIBOX_OK)
        return backlog;
    store_count(store, &counters);
    if (backlog.count > (int64_t)counters.events)
        backlog.count = (int64_t)counters.events;
    if (list.count > 0) {
        int64_t age_ms = clock_realtime_ms() - id_ulid_ms(list.items[0].event_id);
        backlog.oldest_ms = age_ms > 0 ? age_ms : 0;
    }
    store_event_list_free(&list);
    return backlog;
}

static void print_history(struct lane *lane, struct json_out *out)
{
    size_t set_aside = 0;

    (void)store_set_aside_count(lane->report->store, lane->url, &set_aside, NULL);
    json_out_key_int(out, "set_aside", (int64_t)set_aside);
}

void history_lane_resend(struct lane *lane)
{
    atomic_store(&of(lane)->resend, true);
    lane_wake(lane);
}

static void free_history(struct lane *lane)
{
    free(lane);
}

const struct lane_kind history_lane_kind = {.name = "history",
                                            .hears_events = true,
                                            .run = run_history,
                                            .backlog = backlog_of,
                                            .print = print_history,
                                            .free = free_history};

struct lane *history_lane_new(struct report *report, const char *url, struct aibox_error *err)
{
    struct history_lane *history = calloc(1, sizeof *history);

    if (!history) {
        (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        return NULL;
    }
    history->most = MOST_AT_ONCE;
    atomic_init(&history->position, store_event_newest(report->store)); /* until the cursor is read */
    atomic_init(&history->resend, true); /* somebody may have asked before the box was restarted */
    if (lane_start(&history->lane, &history_lane_kind, report, url, err) != AIBOX_OK) {
        free(history);
        return NULL;
    }
    return &history->lane;
}
