/*
 * The status, to each of its addresses: every period, at once when something has changed (the lane is woken), and a
 * last one when the box is stopped in an orderly way. One that doesn't arrive is dropped: the next one is current.
 */
#include <stdlib.h>

#include "core/clock.h"
#include "report/report_internal.h"
#include "report/status.h"

#define TIMEOUT_MS      5000
#define LAST_TIMEOUT_MS 1000 /* an orderly stop has three seconds */
#define MAX_BODY        ((size_t)8 << 20)

struct monitor_lane {
    struct lane lane;
    struct gauges_cpu cpu; /* lane's thread only */
};

static void send_status(struct monitor_lane *monitor, const char *url, bool online, int64_t timeout_ms)
{
    struct lane *lane = &monitor->lane;
    struct post_answer answer;
    struct json_out body;

    json_out_init(&body, MAX_BODY);
    status_write(lane->report, &monitor->cpu, lane->url, online, &body);
    if (json_out_complete(&body)) {
        struct post_request request = {.url = url,
                                       .content_type = "application/json",
                                       .body = body.buffer.data,
                                       .size = body.buffer.size,
                                       .timeout_ms = timeout_ms};
        (void)lane_send(lane, &request, &answer);
    } else {
        lane_fail(lane, "out of memory");
    }
    json_out_free(&body);
}

static void run_monitor(struct lane *lane)
{
    struct monitor_lane *monitor = (struct monitor_lane *)lane;
    struct report_target target;
    unsigned long wakes;

    do {
        wakes = lane_wakes(lane);
        int64_t start_ms = clock_monotonic_ms();
        if (!report_config_find_monitor(lane->report->config, lane->url, &target)) /* the lane is about to be stopped */
            break;
        int64_t period_ms = (int64_t)target.period_s * 1000;
        send_status(monitor, target.address.url, true, period_ms < TIMEOUT_MS ? period_ms : TIMEOUT_MS);
        period_ms -= clock_monotonic_ms() - start_ms;
        if (!lane_sleep(lane, wakes, period_ms > 0 ? period_ms : 0))
            break;
    } while (!lane_stopping(lane));
    if (!atomic_load(&lane->report->closing) || /* the address is no longer wanted */
        !report_config_find_monitor(lane->report->config, lane->url, &target))
        return;
    post_allow_again(lane->post);
    send_status(monitor, target.address.url, false, LAST_TIMEOUT_MS);
}

static void free_monitor(struct lane *lane)
{
    free(lane);
}

const struct lane_kind monitor_lane_kind = {.name = "monitor", .run = run_monitor, .free = free_monitor};

struct lane *monitor_lane_new(struct report *report, const char *url, struct aibox_error *err)
{
    struct monitor_lane *monitor = calloc(1, sizeof *monitor);

    if (!monitor) {
        (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        return NULL;
    }
    if (lane_start(&monitor->lane, &monitor_lane_kind, report, url, err) != AIBOX_OK) {
        free(monitor);
        return NULL;
    }
    return &monitor->lane;
}
