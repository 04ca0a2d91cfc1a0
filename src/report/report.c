/* The room's life, and which lanes there are. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "flow/feed.h"
#include "flow/flow.h"
#include "report/outbox.h"
#include "report/realtime.h"
#include "report/report_internal.h"

const struct lane_kind *const lane_kinds[] = {&realtime_lane_kind, &history_lane_kind, &monitor_lane_kind,
                                              &outbox_lane_kind, NULL};

/* ---- which lanes there are ------------------------------------------------------------------------------------- */

struct wish {
    const struct lane_kind *kind;
    struct lane *(*make)(struct report *report, const char *url, struct aibox_error *err);
    const char *url;
};

/* What the settings ask for. */
struct plan {
    struct report_realtime realtime;
    struct report_history history;
    struct report_monitor monitor;
    char device_url[URL_MAX + 1];
    struct wish wishes[REPORT_MAX_LANES];
    size_t n;
};

static void wish_for(struct plan *plan, const struct lane_kind *kind,
                     struct lane *(*make)(struct report *, const char *, struct aibox_error *), const char *url)
{
    if (plan->n < REPORT_MAX_LANES)
        plan->wishes[plan->n++] = (struct wish){kind, make, url};
}

static void make_plan(struct report *report, struct plan *plan)
{
    plan->n = 0;
    report_config_realtime(report->config, &plan->realtime);
    report_config_history(report->config, &plan->history);
    report_config_monitor(report->config, &plan->monitor);
    for (size_t i = 0; i < plan->realtime.urls.count; i++)
        wish_for(plan, &realtime_lane_kind, realtime_lane_new, plan->realtime.urls.items[i]);
    for (size_t i = 0; i < plan->history.urls.count; i++)
        wish_for(plan, &history_lane_kind, history_lane_new, plan->history.urls.items[i]);
    settings_text(report->settings, "reports.device_info_url", plan->device_url, sizeof plan->device_url);
    if (plan->device_url[0])
        wish_for(plan, &outbox_lane_kind, outbox_lane_new, plan->device_url);
    if (plan->monitor.url[0])
        wish_for(plan, &monitor_lane_kind, monitor_lane_new, plan->monitor.url);
}

static bool is_wish(const struct lane *lane, const struct wish *wish)
{
    return lane->kind == wish->kind && strcmp(lane->url, wish->url) == 0;
}

static bool is_wanted(const struct lane *lane, const struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        if (is_wish(lane, &plan->wishes[i]))
            return true;
    return false;
}

/* With `changing` held. */
static void stop_unwanted(struct report *report, const struct plan *plan)
{
    struct lane *leaving[REPORT_MAX_LANES];
    size_t n = 0, kept = 0;

    pthread_mutex_lock(&report->mu);
    for (size_t i = 0; i < report->n; i++) {
        if (is_wanted(report->lanes[i], plan))
            report->lanes[kept++] = report->lanes[i];
        else
            leaving[n++] = report->lanes[i];
    }
    report->n = kept;
    pthread_mutex_unlock(&report->mu);
    for (size_t i = 0; i < n; i++)
        lane_ask_to_stop(leaving[i], true);
    for (size_t i = 0; i < n; i++)
        lane_join(leaving[i]);
}

/* With `changing` held. */
static void start_missing(struct report *report, const struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct wish *wish = &plan->wishes[i];
        struct aibox_error err;
        bool there = false;
        for (size_t j = 0; j < report->n && !there; j++)
            there = is_wish(report->lanes[j], wish);
        if (there)
            continue;
        struct lane *lane = wish->make(report, wish->url, &err);
        if (!lane) {
            log_error("report", "a receiver gets no reports kind=%s reason=\"%s\"", wish->kind->name, err.message);
            continue;
        }
        pthread_mutex_lock(&report->mu);
        report->lanes[report->n++] = lane;
        pthread_mutex_unlock(&report->mu);
    }
}

static bool any_lane(const struct lane *lane)
{
    (void)lane;
    return true;
}

static bool hears_events(const struct lane *lane)
{
    return lane->kind->hears_events;
}

static bool is_monitor(const struct lane *lane)
{
    return lane->kind == &monitor_lane_kind;
}

/* Wakes those lanes that `which` names; how many there are. */
static size_t wake_lanes(struct report *report, bool (*which)(const struct lane *lane))
{
    size_t n = 0;

    pthread_mutex_lock(&report->mu);
    for (size_t i = 0; i < report->n; i++) {
        if (!which(report->lanes[i]))
            continue;
        lane_wake(report->lanes[i]);
        n++;
    }
    pthread_mutex_unlock(&report->mu);
    return n;
}

static enum aibox_status activate_cursors(struct report *report, const struct plan *plan, struct aibox_error *err)
{
    struct store_cursor_wish wishes[REPORT_MAX_URLS];

    for (size_t i = 0; i < plan->history.urls.count; i++)
        wishes[i] = (struct store_cursor_wish){.url = plan->history.urls.items[i],
                                               .from_oldest = plan->history.from == REPORT_FROM_OLDEST};
    return store_cursors_activate(report->store, wishes, plan->history.urls.count, err);
}

/* Messages that nobody is to get any more. */
static void clear_outbox(struct report *report)
{
    size_t count;
    int64_t oldest_ms;

    if (store_outbox_count(report->store, OUTBOX_DEVICES, &count, &oldest_ms, NULL) != AIBOX_OK || count == 0)
        return;
    if (store_outbox_clear(report->store, OUTBOX_DEVICES, NULL) == AIBOX_OK)
        log_warn("report", "messages are dropped that nobody is to get any more lane=%s count=%zu", OUTBOX_DEVICES,
                 count);
}

/* Brings the lanes into line with the settings. */
static enum aibox_status apply(struct report *report, struct aibox_error *err)
{
    struct plan *plan = malloc(sizeof *plan); /* large for a stack */

    if (!plan)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    pthread_mutex_lock(&report->changing);
    make_plan(report, plan);
    stop_unwanted(report, plan);
    enum aibox_status status = activate_cursors(report, plan, err);
    start_missing(report, plan);
    if (!plan->device_url[0])
        clear_outbox(report);
    (void)wake_lanes(report, any_lane); /* those that stay may have another period */
    pthread_mutex_unlock(&report->changing);
    free(plan);
    return status;
}

/* ---- what wakes them --------------------------------------------------------------------------------------------- */

static void on_events(void *ctx)
{
    (void)wake_lanes(ctx, hears_events);
}

void report_apply(struct report *report)
{
    struct aibox_error err;

    if (apply(report, &err) == AIBOX_OK) {
        atomic_store(&report->unapplied, false);
    } else if (!atomic_exchange(&report->unapplied, true)) {
        log_error("report", "the cursors of history receivers could not be set reason=\"%s\"", err.message);
    }
    watch_wake(report->watch);
}

static void on_config(void *ctx)
{
    report_apply(ctx);
}

static void on_watched(void *ctx)
{
    watch_wake(((struct report *)ctx)->watch);
}

static bool is_outbox(const struct lane *lane)
{
    return lane->kind == &outbox_lane_kind;
}

static bool describe_device(void *ctx, enum device_operation operation, const struct device *device, struct buffer *out)
{
    struct report *report = ctx;
    char url[2];

    if (settings_text(report->settings, "reports.device_info_url", url, sizeof url) == 0)
        return false;
    operation_write(report, operation, device, out);
    return true;
}

static void on_device_change(void *ctx)
{
    struct report *report = ctx;

    (void)wake_lanes(report, is_outbox);
    watch_wake(report->watch);
}

bool report_is_monitored(struct report *report)
{
    bool watched = false;

    pthread_mutex_lock(&report->mu);
    for (size_t i = 0; i < report->n && !watched; i++)
        watched = is_monitor(report->lanes[i]);
    pthread_mutex_unlock(&report->mu);
    return watched;
}

void report_devices_changed(struct report *report)
{
    (void)wake_lanes(report, is_monitor);
}

void report_setting_changed(struct report *report, const char *key)
{
    if (report && strcmp(key, "reports.device_info_url") == 0)
        report_apply(report);
    else if (report && (strncmp(key, "reports.", strlen("reports.")) == 0 || strcmp(key, "box.name") == 0))
        (void)wake_lanes(report, any_lane);
}

/* ---- life ---------------------------------------------------------------------------------------------------------
 */

enum aibox_status report_open(const struct report_context *context, struct report **out, struct aibox_error *err)
{
    struct report *report = calloc(1, sizeof *report);

    *out = NULL;
    if (!report)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    report->settings = context->settings;
    report->store = context->store;
    report->flow = context->flow;
    report->config = context->config;
    report->feed = context->feed;
    pthread_mutex_init(&report->changing, NULL);
    pthread_mutex_init(&report->mu, NULL);
    enum aibox_status status = realtime_bodies_open(&report->bodies, err);
    report->data_dir = strdup(context->data_dir);
    if (status == AIBOX_OK && !report->data_dir)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (status == AIBOX_OK)
        status = box_identity_load(report, &report->identity, err);
    if (status == AIBOX_OK)
        status = watch_open(report, &report->watch, err);
    if (status != AIBOX_OK) {
        report_close(report);
        return status;
    }
    report_apply(report);
    store_events_listen(report->store, on_events, report);
    report_config_listen(report->config, on_config, report);
    feed_on_watched(report->feed, on_watched, report);
    devices_set_reporter(flow_devices(report->flow), &(struct devices_reporter){.ctx = report,
                                                                                .lane = OUTBOX_DEVICES,
                                                                                .describe = describe_device,
                                                                                .stored = on_device_change});
    report->listening = true;
    (void)wake_lanes(report, hears_events); /* for what came before the listening */
    *out = report;
    return AIBOX_OK;
}

void report_close(struct report *report)
{
    static const struct plan nothing = {.n = 0};

    if (!report)
        return;
    if (report->listening) {
        devices_set_reporter(flow_devices(report->flow), NULL);
        report_config_listen(report->config, NULL, NULL);
        store_events_unlisten(report->store, on_events, report);
    }
    watch_close(report->watch);
    atomic_store(&report->closing, true);
    pthread_mutex_lock(&report->changing);
    stop_unwanted(report, &nothing);
    pthread_mutex_unlock(&report->changing);
    realtime_bodies_close(report->bodies);
    pthread_mutex_destroy(&report->mu);
    pthread_mutex_destroy(&report->changing);
    free(report->data_dir);
    free(report);
}

/* ---- set aside ------------------------------------------------------------------------------------------------- */

enum aibox_status report_resend(struct report *report, const char *url, const char *event_id, size_t *count,
                                struct aibox_error *err)
{
    enum aibox_status status = store_set_aside_resend(report->store, url, event_id, count, err);

    if (status == AIBOX_OK && *count == 0)
        return error_set(err, AIBOX_NOT_FOUND, "no such event is set aside");
    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&report->mu);
    for (size_t i = 0; i < report->n; i++)
        if (report->lanes[i]->kind == &history_lane_kind)
            history_lane_resend(report->lanes[i]);
    pthread_mutex_unlock(&report->mu);
    return AIBOX_OK;
}
