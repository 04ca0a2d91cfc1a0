/*
 * One video camera: keeps connected to it, has its newest frames looked at, and hands out the newest for live views.
 *
 * Two threads for each camera. The reader connects, reads and decodes, and never waits for anything but the camera. The
 * looker takes the newest frame there is, turns it into a picture and has the scene looked at. Between them is room for
 * one frame: a newer one takes the place of one that nobody has come for. So nothing queues up, and a camera that
 * hangs, floods or sends nonsense harms nobody else.
 *
 * All functions: any thread, but for open and close. Private to the room.
 */
#ifndef AIBOX_INTAKE_CAMERA_H
#define AIBOX_INTAKE_CAMERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json_out.h"
#include "core/status.h"
#include "flow/devices.h"
#include "flow/scene.h"
#include "intake/intake.h"

struct AVFrame;
struct camera;

/* Begins at once. `context` outlives the camera; the device is held until another takes its place. */
enum aibox_status camera_open(const struct intake_context *context, const struct device *device, struct camera **out,
                              struct aibox_error *err);
/* Begins the end; camera_close() completes it, within a second. */
void camera_stop(struct camera *camera);
void camera_close(struct camera *camera);

/* The device this is: for comparing only. */
const struct device *camera_device(const struct camera *camera);
/* Whether what the device has become needs another connection or another kind of looking. */
bool camera_must_begin_anew(const struct camera *camera, const struct device *device);
/* The device has changed otherwise. */
void camera_take_device(struct camera *camera, const struct device *device);

/* Members of the open object: connected, video, analysed_fps, last_error. */
void camera_print(struct camera *camera, struct json_out *out);

struct camera_figures {
    bool connected;
    double analysed_fps; /* of the last seconds */
    int64_t lag_ms;
};
void camera_figures_get(struct camera *camera, struct camera_figures *out);

/* The newest frame, waited for until `deadline_ms` (monotonic): a new reference, to be freed with av_frame_free().
 * *number tells frames apart: a frame other than *number is waited for. False: none came. */
bool camera_newest(struct camera *camera, int64_t deadline_ms, uint64_t *number, struct AVFrame **out);
/* Who is seen, at most `max`; *width and *height: of the full frame, 0 before there was one. *connected: frames come.
 */
size_t camera_tracks(struct camera *camera, struct scene_track *out, size_t max, int *width, int *height,
                     bool *connected);

#endif
