/*
 * Where pictures come from that nobody hands over in a call: the cameras among the devices. Follows the device list: a
 * camera that is added, changed or deleted is taken into account at once.
 *
 * All functions: any thread.
 */
#ifndef AIBOX_INTAKE_INTAKE_H
#define AIBOX_INTAKE_INTAKE_H

#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/json_out.h"
#include "core/settings.h"
#include "core/status.h"
#include "flow/devices.h"
#include "flow/flow.h"
#include "flow/scene.h"

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
/* Ends what callers wait for (intake_try, intake_frame), so that they don't hold up the end. NULL is allowed. */
void intake_end(struct intake *intake);
/* Ends it, within about a second. NULL is allowed. */
void intake_close(struct intake *intake);

/* What the room knows of a device beyond the device's own state: members of the open object. No credentials. Nothing
 * for devices that it has nothing to do with. */
void intake_print(struct intake *intake, const struct device *device, struct json_out *out);
void intake_metrics(struct intake *intake, struct buffer *out); /* Prometheus text */

/* ---- video cameras ------------------------------------------------------------------------------------ */

/*
 * Connects to a video camera that need not be a device (a URL as in device_key, or as a device's is shown) and returns
 * one frame as JPEG (malloc), after 8 s at most. PARAM tells what failed, without credentials; TOO_MANY_REQUESTS while
 * several are tried.
 */
enum aibox_status intake_try(struct intake *intake, const char *device_key, uint8_t **jpeg, size_t *size,
                             struct aibox_error *err);

/*
 * The newest frame of a device as JPEG (malloc), at most max_width wide. *number tells frames apart: one other than
 * *number (0: any) is waited for, up to `wait_ms`. NOT_FOUND: no such device, no video camera, or no video comes.
 */
enum aibox_status intake_frame(struct intake *intake, const char *device_id, int max_width, int64_t wait_ms,
                               uint64_t *number, uint8_t **jpeg, size_t *size, struct aibox_error *err);

/* Who is seen by a device now, in pixels of its full frame. NOT_FOUND as above. */
struct intake_tracks {
    bool connected;    /* frames come */
    int width, height; /* of the full frame; 0: there was none yet */
    size_t count;
    struct scene_track items[SCENE_MAX_TRACKS];
};
enum aibox_status intake_tracks(struct intake *intake, const char *device_id, struct intake_tracks *out,
                                struct aibox_error *err);

#endif
