/* What the files of the picture code share; image.h is the door. */
#ifndef AIBOX_VISION_IMAGE_INTERNAL_H
#define AIBOX_VISION_IMAGE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "vision/image.h"

/* Is a picture of that size allowed? IMAGE: a side is 0; IMAGE_TOO_LARGE: a side or the number of pixels. */
enum aibox_status image_check_size(uint64_t width, uint64_t height, struct aibox_error *err);

/* image_new() without zeroing: every pixel must be written. */
enum aibox_status image_allocate(int width, int height, struct image *out, struct aibox_error *err);

/* Bytes of a row, and the address of a pixel (which must be inside). */
static inline size_t image_stride(const struct image *image)
{
    return (size_t)image->width * 3;
}

static inline uint8_t *image_at(const struct image *image, int x, int y)
{
    return image->pixels + (size_t)y * image_stride(image) + (size_t)x * 3;
}

/* Clips a rectangle to the picture; IMAGE when nothing is left. */
enum aibox_status image_clip(const struct image *image, int *x, int *y, int *width, int *height,
                             struct aibox_error *err);

/*
 * The decoders of each kind. `bytes` start with the kind's magic and are within IMAGE_MAX_BYTES. *orientation is the
 * EXIF orientation (1–8, 1 when absent), not yet applied. After an error *out is empty.
 */
enum aibox_status image_decode_jpeg(const uint8_t *bytes, size_t size, int min_side, struct image *out, int *scale,
                                    int *orientation, struct aibox_error *err);
enum aibox_status image_decode_png(const uint8_t *bytes, size_t size, struct image *out, int *orientation,
                                   struct aibox_error *err);
enum aibox_status image_decode_webp(const uint8_t *bytes, size_t size, struct image *out, int *orientation,
                                    struct aibox_error *err);

/* Structure of a JPEG file as far as it must be known before libjpeg sees it. */
struct image_jpeg_layout {
    int scans;       /* SOS markers before the end */
    bool complete;   /* an EOI marker was reached */
    int orientation; /* of the first EXIF segment */
};
void image_jpeg_walk(const uint8_t *bytes, size_t size, struct image_jpeg_layout *out);

/*
 * The orientation tag of an EXIF block: a TIFF header with its first directory, with or without "Exif\0\0" before it.
 * 1–8; 1 when there is none or the block is broken. Source: CIPA DC-008 (EXIF 2.32), TIFF 6.0.
 */
int image_exif_orientation(const uint8_t *bytes, size_t size);

/* Turns and mirrors the picture so that orientation 1 would be right; other values than 2–8 leave it alone. */
enum aibox_status image_orient(struct image *image, int orientation, struct aibox_error *err);

/* RGBA pixels, `count` of them, over white to RGB; `rgb` may be the same address as `rgba`. */
void image_flatten(const uint8_t *rgba, uint8_t *rgb, size_t count);

#endif
