/* The room's life, and what wakes its lanes. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "flow/feed.h"
#include "flow/flow.h"
#include "report/outbox.h"
#include "report/realtime.h"
#include "report/report_internal.h"

/* ---- what wakes the lanes ---------------------------------------------------------------------------------------- */

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

static void on_events(void *ctx)
{
    (void)wake_lanes(ctx, hears_events);
}

void report_apply(struct report *report)
{
    struct aibox_error err;

    if (lanes_apply(report, &err) == AIBOX_OK) {
        (void)wake_lanes(report, any_lane); /* those that stay may have another period */
        atomic_store(&report->unapplied, false);
    } else if (!atomic_exchange(&report->unapplied, true)) {
        log_error("report", "the cursors of history receivers could not be set reason=\"%s\"", err.message);
    }
    watch_wake(report->watch);
}

static void on_config(void *ctx)
{
    struct report *report = ctx;

    report_apply(report);
    pthread_mutex_lock(&report->mu);
    for (size_t i = 0; i < report->n; i++)
        lane_hurry(report->lanes[i]); /* perhaps the next try has another token */
    pthread_mutex_unlock(&report->mu);
}

static void on_watched(void *ctx)
{
    watch_wake(((struct report *)ctx)->watch);
}

static bool tells_of_devices(const struct lane *lane)
{
    return lane->kind == &outbox_lane_kind || lane->kind == &devices_lane_kind;
}

static bool is_result(const struct lane *lane)
{
    return lane->kind == &result_lane_kind;
}

static bool describe_device(void *ctx, enum device_operation operation, const struct device *device, struct buffer *out)
{
    struct report *report = ctx;
    struct report_address address;
    bool list;

    if (!report_device_address(report, &address, &list) || list)
        return false;
    operation_write(report, operation, device, out);
    return true;
}

static void on_device_change(void *ctx)
{
    struct report *report = ctx;

    (void)wake_lanes(report, tells_of_devices);
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

/* Messages have come into the outbox: perhaps results, perhaps for somebody new. */
static void on_outbox(void *ctx)
{
    struct report *report = ctx;

    atomic_store(&report->results_came, true);
    watch_wake(report->watch);
}

void report_find_results(struct report *report)
{
    atomic_store(&report->results_came, false);
    lanes_find_results(report);
    (void)wake_lanes(report, is_result);
}

void report_setting_changed(struct report *report, const char *key)
{
    if (report && (strcmp(key, "reports.device_info_url") == 0 || strcmp(key, "cloud.login_url") == 0 ||
                   strcmp(key, "cloud.dev_sno") == 0))
        report_apply(report);
    else if (report && (strncmp(key, "reports.", strlen("reports.")) == 0 || strcmp(key, "box.name") == 0))
        (void)wake_lanes(report, any_lane);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

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
    pthread_mutex_init(&report->trial_mu, NULL);
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
    store_outbox_listen(report->store, on_outbox, report);
    report_config_listen(report->config, on_config, report);
    feed_on_watched(report->feed, on_watched, report);
    devices_set_reporter(flow_devices(report->flow), &(struct devices_reporter){.ctx = report,
                                                                                .lane = OUTBOX_DEVICES,
                                                                                .describe = describe_device,
                                                                                .stored = on_device_change});
    report->listening = true;
    (void)wake_lanes(report, hears_events); /* for what came before the listening */
    on_outbox(report);
    *out = report;
    return AIBOX_OK;
}

void report_close(struct report *report)
{
    if (!report)
        return;
    if (report->listening) {
        devices_set_reporter(flow_devices(report->flow), NULL);
        report_config_listen(report->config, NULL, NULL);
        store_outbox_unlisten(report->store, on_outbox, report);
        store_events_unlisten(report->store, on_events, report);
    }
    watch_close(report->watch);
    atomic_store(&report->closing, true);
    lanes_stop(report);
    realtime_bodies_close(report->bodies);
    pthread_mutex_destroy(&report->trial_mu);
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
