/*
 * Where pictures come from that nobody hands over in a call: the cameras among the devices. Follows the device list: a
 * camera that is added, changed or deleted is taken into account at once.
 *
 * All functions: any thread.
 */
#ifndef AIBOX_INTAKE_INTAKE_H
#define AIBOX_INTAKE_INTAKE_H

#include "core/buffer.h"
#include "core/json_out.h"
#include "core/settings.h"
#include "core/status.h"
#include "flow/devices.h"
#include "flow/flow.h"

struct intake;
struct store;

/* What the room works with. All must outlive it. */
struct intake_context {
    struct settings *settings;
    struct store *store;
    struct flow *flow;
    const char *data_dir; /* the room keeps what cameras send in folders of its own below it; copied */
    /* Called with a decision as soon as it is made, before its event is stored; see flow_decided. Any thread. NULL:
     * nothing follows from a decision. */
    const char *(*react)(void *ctx, const struct device *device, const struct flow_decision *decision);
    void *react_ctx;
};

/* Begins to take pictures; none is looked at before the flow is ready. */
enum aibox_status intake_open(const struct intake_context *context, struct intake **out, struct aibox_error *err);
/* Ends it, within about a second. NULL is allowed. */
void intake_close(struct intake *intake);

/* What the room knows of a device beyond the device's own state: members of the open object. No credentials. Nothing
 * for devices that it has nothing to do with. */
void intake_print(struct intake *intake, const struct device *device, struct json_out *out);
void intake_metrics(struct intake *intake, struct buffer *out); /* Prometheus text */

#endif
