/*
 * The lanes that send what lies in the outbox, and what tells of devices: the messages that come into it with a change,
 * or the whole list.
 */
#ifndef AIBOX_REPORT_OUTBOX_H
#define AIBOX_REPORT_OUTBOX_H

#include <stdbool.h>

#include "core/buffer.h"
#include "flow/devices.h"
#include "flow/report_config.h"
#include "report/lane.h"

#define OUTBOX_DEVICES "device" /* lane of the device operation reports */
#define OUTBOX_RESULTS                                                                                                 \
    "post " /* before scheme, host and port: a lane of messages that say themselves where they go                      \
             */

extern const struct lane_kind outbox_lane_kind;
/* Sends the messages of OUTBOX_DEVICES to the address of the moment; `url` is its identity. */
struct lane *outbox_lane_new(struct report *report, const char *url, struct aibox_error *err);

extern const struct lane_kind result_lane_kind;
/* Sends the messages of the lane OUTBOX_RESULTS `url`: a URL, a newline, JSON. */
struct lane *result_lane_new(struct report *report, const char *url, struct aibox_error *err);

extern const struct lane_kind devices_lane_kind;
/* Sends the whole list of devices at its start, and when it is woken, until it is taken. */
struct lane *devices_lane_new(struct report *report, const char *url, struct aibox_error *err);

/* The device operation report (reports.md § 4). */
void operation_write(struct report *report, enum device_operation operation, const struct device *device,
                     struct buffer *out);
/* One that changes nothing anywhere: a device that never was, called `name`, is gone. */
void operation_write_test(struct report *report, const char *name, struct buffer *out);
/* The whole list of devices. */
void operation_write_list(struct report *report, struct buffer *out);
/* Whether a receiver's answer says that it took one: {"status": 0, …}. */
bool operation_accepted(const char *body, size_t size);

/* A message of OUTBOX_RESULTS, taken apart: `url` gets the text before the newline. NULL: it isn't one; else the JSON,
 * *size bytes. */
const char *result_split(const void *payload, size_t *size, char url[REPORT_MAX_COMPOSED + 1]);

#endif
