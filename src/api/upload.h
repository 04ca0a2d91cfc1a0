/*
 * A body that goes to disk instead of memory: what an endpoint with API_BODY_UPLOAD takes. Bytes are gathered on the
 * HTTP thread and written, a mebibyte at a time, on a handler thread while the connection rests: a slow disk delays
 * nobody else.
 */
#ifndef AIBOX_API_UPLOAD_H
#define AIBOX_API_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/endpoint.h"
#include "core/status.h"

struct upload;

/* Makes a file of its own in `folder`. `announced`: bytes that are to come, 0 when nobody knows. PROCESS_FAILED when
 * there is not that much room on the disk beside the reserve that the box needs for itself, with figures. */
enum aibox_status upload_open(const char *folder, uint64_t announced, struct upload **out, struct aibox_error *err);
/* Deletes the file, unless the handler has moved it. NULL is allowed. No write may be under way. */
void upload_close(struct upload *upload);

enum upload_step {
    UPLOAD_TAKEN,  /* go on */
    UPLOAD_FULL,   /* taken; upload_write must follow, and has begun as far as upload_is_busy is concerned */
    UPLOAD_FAILED, /* not taken: memory ran out, or the last write failed */
};
/* Both: HTTP thread. Nothing can be taken while it is busy. */
bool upload_is_busy(struct upload *upload);
enum upload_step upload_take(struct upload *upload, const char *bytes, size_t size);
/* Any thread, after FULL. A failure is remembered. */
void upload_write(struct upload *upload);
/* Why it failed. */
enum aibox_status upload_failure(struct upload *upload, struct aibox_error *err);

/* The body is complete: writes the rest. `boundary` not NULL: it is multipart/form-data, and the part `name` is what
 * was uploaded. PARAM when there is no such part, BAD_REQUEST for a broken body, EMPTY_BODY without a byte. `out` is
 * valid until upload_close. */
enum aibox_status upload_finish(struct upload *upload, const char *boundary, const char *name, struct api_upload *out,
                                struct aibox_error *err);

#endif
