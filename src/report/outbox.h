/* The lane that sends what lies in the outbox, and the messages about devices that come into it. */
#ifndef AIBOX_REPORT_OUTBOX_H
#define AIBOX_REPORT_OUTBOX_H

#include <stdbool.h>

#include "core/buffer.h"
#include "flow/devices.h"
#include "report/lane.h"

#define OUTBOX_DEVICES "device" /* lane of the device operation reports */

extern const struct lane_kind outbox_lane_kind;
/* Sends the messages of OUTBOX_DEVICES to `url`. */
struct lane *outbox_lane_new(struct report *report, const char *url, struct aibox_error *err);

/* The device operation report (reports.md § 4). */
void operation_write(struct report *report, enum device_operation operation, const struct device *device,
                     struct buffer *out);
/* Whether a receiver's answer says that it took one: {"status": 0, …}. */
bool operation_accepted(const char *body, size_t size);

#endif
