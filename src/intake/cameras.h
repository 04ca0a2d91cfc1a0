/*
 * The video cameras among the devices, following the device list.
 *
 * All functions: any thread. Private to the room.
 */
#ifndef AIBOX_INTAKE_CAMERAS_H
#define AIBOX_INTAKE_CAMERAS_H

#include "core/buffer.h"
#include "core/json_out.h"
#include "core/status.h"
#include "flow/devices.h"
#include "intake/intake.h"

#define CAMERAS_MAX 64 /* video cameras watched at a time; those beyond are told so */

struct cameras;

/* `context` must outlive it. */
enum aibox_status cameras_open(const struct intake_context *context, struct cameras **out, struct aibox_error *err);
/* Ends what callers wait for: connection tests and live views. */
void cameras_end(struct cameras *cameras);
void cameras_close(struct cameras *cameras); /* NULL is allowed */

/* The device list has changed. Returns at once. */
void cameras_wake(struct cameras *cameras);

void cameras_print(struct cameras *cameras, const struct device *device, struct json_out *out);
void cameras_metrics(struct cameras *cameras, struct buffer *out);

/* As intake_try(), intake_frame() and intake_tracks(). */
enum aibox_status cameras_try(struct cameras *cameras, const char *device_key, uint8_t **jpeg, size_t *size,
                              struct aibox_error *err);
enum aibox_status cameras_frame(struct cameras *cameras, const char *device_id, int max_width, int64_t wait_ms,
                                uint64_t *number, uint8_t **jpeg, size_t *size, struct aibox_error *err);
enum aibox_status cameras_tracks(struct cameras *cameras, const char *device_id, struct intake_tracks *out,
                                 struct aibox_error *err);

#endif
