/* Decoded frames to pictures. Private to the room. */
#ifndef AIBOX_INTAKE_FRAME_H
#define AIBOX_INTAKE_FRAME_H

#include "core/status.h"
#include "vision/image.h"

struct AVFrame;
struct SwsContext;

/* Largest picture that is analysed; larger frames are scaled down to fit. */
#define FRAME_MAX_WIDTH  1920
#define FRAME_MAX_HEIGHT 1080

/* At most so wide is a frame that is shown whole: regions are drawn on it, which count in its pixels. */
#define FRAME_WHOLE_WIDTH 16384

/* Keeps what the conversion needs between frames. Zero-initialise; one thread at a time. */
struct frame_scaler {
    struct SwsContext *sws;
};
void frame_scaler_free(struct frame_scaler *scaler);

/*
 * `frame` as RGB, at most max_width × max_height (never larger than it is, the aspect kept). Memory of `out` is used
 * again when its size fits, so zero-initialise it and call image_free() at the end. IMAGE: a pixel format that can't
 * be converted.
 */
enum aibox_status frame_to_image(struct frame_scaler *scaler, const struct AVFrame *frame, int max_width,
                                 int max_height, struct image *out, struct aibox_error *err);

/* `frame` as JPEG (malloc, the caller frees), at most max_width wide. Errors likewise. */
enum aibox_status frame_to_jpeg(const struct AVFrame *frame, int max_width, int quality, uint8_t **jpeg, size_t *size,
                                struct aibox_error *err);

#endif
