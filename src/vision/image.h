/* Pictures: decoding hostile bytes within limits, scaling, warping, encoding. */
#ifndef AIBOX_VISION_IMAGE_H
#define AIBOX_VISION_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define IMAGE_MAX_BYTES (5u * 1024 * 1024)    /* of a picture file */
#define IMAGE_MAX_PIXELS (50u * 1000 * 1000)  /* of a decoded picture */
#define IMAGE_MAX_SIDE 16384

/* 8-bit interleaved RGB, top row first, rows `3 * width` bytes apart. */
struct image {
    int width;
    int height;
    uint8_t *pixels; /* owned; image_free() */
};

enum image_kind { IMAGE_UNKNOWN, IMAGE_JPEG, IMAGE_PNG, IMAGE_WEBP, IMAGE_UNSUPPORTED /* GIF, TIFF, HEIC, AVIF, BMP, PDF, animation … */ };

/* From the first bytes alone. */
enum image_kind image_sniff(const uint8_t *bytes, size_t size);

/*
 * Decodes JPEG (any colour space, also CMYK/YCCK and grey), PNG (any depth; alpha over white) or WebP to RGB and applies
 * the EXIF orientation (JPEG APP1, PNG eXIf, WebP EXIF). Limits are checked before any pixel is decoded.
 * `min_side` > 0 allows a JPEG to be decoded at 1/2, 1/4 or 1/8 as long as its smaller side stays >= min_side
 * (*scale tells by what the result is smaller: 1, 2, 4, 8; may be NULL); 0: full size.
 * Errors: IMAGE_TOO_LARGE (bytes, pixels or a side), UNSUPPORTED_IMAGE (known kind that is not taken, animation), IMAGE
 * (unknown kind, truncated, 0×0, broken). A truncated JPEG is refused, not half grey. Any thread.
 */
enum aibox_status image_decode(const uint8_t *bytes, size_t size, int min_side, struct image *out, int *scale,
                               struct aibox_error *err);

/* Zeroed picture. */
enum aibox_status image_new(int width, int height, struct image *out, struct aibox_error *err);
void image_free(struct image *image); /* NULL and empty allowed; the struct is empty afterwards */

/* Copy of a rectangle, which is clipped to the picture first (empty after clipping: IMAGE). */
enum aibox_status image_crop(const struct image *image, int x, int y, int width, int height, struct image *out,
                             struct aibox_error *err);

/* Area-averaging reduction or bilinear enlargement to exactly width × height. */
enum aibox_status image_resize(const struct image *image, int width, int height, struct image *out,
                               struct aibox_error *err);

/*
 * Samples of the picture as network input, bilinear, straight to floats: for each of out_h × out_w output pixels (x, y)
 * the source position is m[0]*x + m[1]*y + m[2], m[3]*x + m[4]*y + m[5] (pixel centres at integers). Outside the picture:
 * zero border, or the nearest pixel with `replicate`. Each value becomes (v - mean[c]) * scale[c]; channel order RGB, or
 * BGR with `bgr` (mean and scale are in output order). NHWC, out_h × out_w × 3 floats.
 */
struct image_sampling {
    float matrix[6];
    bool replicate;
    bool bgr;
    float mean[3];
    float scale[3];
};
void image_sample(const struct image *image, const struct image_sampling *how, int out_w, int out_h, float *out);

/* The same positions, luma (0.299 R + 0.587 G + 0.114 B) in 0–255, one channel, not shifted or scaled. */
void image_sample_grey(const struct image *image, const struct image_sampling *how, int out_w, int out_h, float *out);

/* The same positions as 8-bit RGB picture. */
enum aibox_status image_warp(const struct image *image, const struct image_sampling *how, int out_w, int out_h,
                             struct image *out, struct aibox_error *err);

/*
 * Bicubic (Keys, a = -0.5) resampling of a rectangle enlarged by `factor` (> 1) for small faces; edges replicated.
 */
enum aibox_status image_enlarge(const struct image *image, int x, int y, int width, int height, double factor,
                                struct image *out, struct aibox_error *err);

/* JPEG bytes, 4:2:0, `quality` 1–100; the caller frees with free(). */
enum aibox_status image_encode_jpeg(const struct image *image, int quality, uint8_t **bytes, size_t *size,
                                    struct aibox_error *err);

#endif
