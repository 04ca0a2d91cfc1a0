/* Pictures: decoding hostile bytes within limits, scaling, warping, encoding. */
#ifndef AIBOX_VISION_IMAGE_H
#define AIBOX_VISION_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define IMAGE_MAX_BYTES (5u * 1024 * 1024)   /* of a picture file */
#ifndef IMAGE_MAX_PIXELS                     /* the fuzz target lowers it */
#define IMAGE_MAX_PIXELS (50u * 1000 * 1000) /* of a decoded picture */
#endif
#define IMAGE_MAX_SIDE 16384

/* 8-bit interleaved RGB, top row first, rows `3 * width` bytes apart. */
struct image {
    int width;
    int height;
    uint8_t *pixels; /* owned; image_free() */
};

enum image_kind {
    IMAGE_UNKNOWN,
    IMAGE_JPEG,
    IMAGE_PNG,
    IMAGE_WEBP,
    IMAGE_UNSUPPORTED /* GIF, TIFF, BMP, ICO, HEIC, AVIF, JPEG 2000, JPEG XL, PSD, PDF */
};

/* From the first bytes alone; an animation has the kind of its container (image_decode() refuses it). */
enum image_kind image_sniff(const uint8_t *bytes, size_t size);

/*
 * Decodes JPEG (8 bits, Huffman-coded; any colour space, also CMYK/YCCK and grey), PNG (any depth; alpha over white) or
 * WebP (alpha over white) to RGB and applies the EXIF orientation (JPEG APP1, PNG eXIf, WebP EXIF). Colour profiles and
 * gamma are ignored. Limits are checked before any pixel is decoded, also that on the number of a JPEG's scans.
 * `min_side` > 0 allows a JPEG to be decoded at 1/2, 1/4 or 1/8 as long as its smaller side stays >= min_side
 * (*scale tells by what the result is smaller: 1, 2, 4, 8; may be NULL); 0: full size.
 * Errors: IMAGE_TOO_LARGE (bytes, pixels, a side, or the memory that decoding would take), UNSUPPORTED_IMAGE (known
 * kind that is not taken, animation, lossless, arithmetic-coded or 12-bit JPEG), IMAGE (unknown kind, truncated, 0×0,
 * broken), PROCESS_FAILED (no memory). A truncated picture is refused, not half grey; bytes after its end and what
 * cameras get wrong without harm to the pixels are not held against it. *out is empty after an error. Any thread.
 */
enum aibox_status image_decode(const uint8_t *bytes, size_t size, int min_side, struct image *out, int *scale,
                               struct aibox_error *err);

/* Black picture. Errors: IMAGE (a side < 1), IMAGE_TOO_LARGE, PROCESS_FAILED (no memory): also of all that follow. */
enum aibox_status image_new(int width, int height, struct image *out, struct aibox_error *err);
void image_free(struct image *image); /* NULL and empty allowed; the struct is empty afterwards */

/* Copy of a rectangle, which is clipped to the picture first (empty after clipping: IMAGE). */
enum aibox_status image_crop(const struct image *image, int x, int y, int width, int height, struct image *out,
                             struct aibox_error *err);

/*
 * To exactly width × height: along each axis the exact average over the area that an output pixel covers when it
 * shrinks, linear interpolation with half-pixel centres when it grows. One picture in, another out: not in place.
 */
enum aibox_status image_resize(const struct image *image, int width, int height, struct image *out,
                               struct aibox_error *err);

/*
 * Samples of the picture as network input, bilinear, straight to floats: for each of out_h × out_w output pixels (x, y)
 * the source position is m[0]*x + m[1]*y + m[2], m[3]*x + m[4]*y + m[5] (pixel centres at integers). Outside the
 * picture: zero border (a position less than a pixel outside blends with it), or the nearest pixel with `replicate`; a
 * position that is no finite number is outside, and black. Each value becomes (v - mean[c]) * scale[c]; channel order
 * RGB, or BGR with `bgr` (mean and scale are in output order). NHWC, out_h × out_w × 3 floats, owned by the caller.
 * There is no smoothing: a matrix that shrinks by much more than 2 aliases. Any thread; allocates nothing.
 */
struct image_sampling {
    float matrix[6];
    bool replicate;
    bool bgr;
    float mean[3];
    float scale[3];
};
void image_sample(const struct image *image, const struct image_sampling *how, int out_w, int out_h, float *out);

/*
 * The same positions, borders and values by a longer kernel, cut to 0-255: sharper where the picture is enlarged, and
 * as slow as it sounds. IMAGE_CUBIC: 16 pixels (Keys, "Cubic convolution interpolation for digital image processing",
 * IEEE TASSP 29, 1981; a = -0.5). IMAGE_LANCZOS: 36 pixels, sinc(x) sinc(x / 3) for |x| < 3 on each axis, the weights
 * divided by their sum (Duchon, "Lanczos filtering in one and two dimensions", J. Applied Meteorology 18, 1979).
 */
enum image_kernel { IMAGE_CUBIC, IMAGE_LANCZOS };
void image_sample_kernel(const struct image *image, const struct image_sampling *how, enum image_kernel kernel,
                         int out_w, int out_h, float *out);

/* The same positions, luma (0.299 R + 0.587 G + 0.114 B) in 0–255, one channel, not shifted or scaled. */
void image_sample_grey(const struct image *image, const struct image_sampling *how, int out_w, int out_h, float *out);

/* The same positions as 8-bit RGB picture, rounded; bgr, mean and scale are not used. */
enum aibox_status image_warp(const struct image *image, const struct image_sampling *how, int out_w, int out_h,
                             struct image *out, struct aibox_error *err);

/* JPEG bytes, 4:2:0, `quality` 1–100 (clamped); the caller frees with free(). */
enum aibox_status image_encode_jpeg(const struct image *image, int quality, uint8_t **bytes, size_t *size,
                                    struct aibox_error *err);

#endif
