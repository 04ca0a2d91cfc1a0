/*
 * The whole list of devices, to a platform that wants that instead of single operations: after each login and each
 * change, tried until it is taken. Only the newest list matters: nothing is kept, and after a restart the login brings
 * another one.
 */
#include <stdlib.h>

#include "report/outbox.h"
#include "report/report_internal.h"

#define TIMEOUT_MS 10000
#define MAX_BODY   ((size_t)64 << 20)

static bool send_list(struct lane *lane)
{
    struct report_address address;
    struct post_answer answer;
    struct buffer body;
    bool list, sent = false;

    if (!report_device_address(lane->report, &address, &list) || !list) /* the lane is about to be stopped */
        return false;
    buffer_init(&body, MAX_BODY);
    operation_write_list(lane->report, &body);
    if (body.failed) {
        lane_fail(lane, "out of memory");
    } else {
        struct post_request request = {.url = address.url,
                                       .content_type = "application/json",
                                       .body = body.data,
                                       .size = body.size,
                                       .timeout_ms = TIMEOUT_MS};
        sent = lane_send(lane, &request, &answer);
        if (sent && !operation_accepted(answer.body, answer.size)) {
            lane_fail(lane, "the answer does not say status 0");
            sent = false;
        }
    }
    buffer_free(&body);
    return sent;
}

static void run_devices(struct lane *lane)
{
    struct backoff backoff = {0};
    bool going_on = true;

    while (going_on && !lane_stopping(lane)) {
        unsigned long wakes = lane_wakes(lane);
        if (send_list(lane)) {
            backoff.wait_ms = 0;
            going_on = lane_sleep(lane, wakes, -1);
        } else {
            going_on = lane_back_off(lane, &backoff);
        }
    }
}

static void free_devices(struct lane *lane)
{
    free(lane);
}

const struct lane_kind devices_lane_kind = {.name = "devices", .run = run_devices, .free = free_devices};

struct lane *devices_lane_new(struct report *report, const char *url, struct aibox_error *err)
{
    struct lane *lane = calloc(1, sizeof *lane);

    if (!lane) {
        (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        return NULL;
    }
    if (lane_start(lane, &devices_lane_kind, report, url, err) != AIBOX_OK) {
        free(lane);
        return NULL;
    }
    return lane;
}
