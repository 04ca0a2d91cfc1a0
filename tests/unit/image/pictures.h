/*
 * Makes pictures and picture files for tests. Nothing here copes with failure: a test program that can't make its input
 * ends at once.
 */
#ifndef AIBOX_TESTS_PICTURES_H
#define AIBOX_TESTS_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vision/image.h"

/* A file's bytes; grows by bytes_add(). Freed by bytes_free(). */
struct bytes {
    uint8_t *data;
    size_t size;
};
void bytes_add(struct bytes *bytes, const void *data, size_t size);
void bytes_insert(struct bytes *bytes, size_t at, const void *data, size_t size);
void bytes_free(struct bytes *bytes);

/* Deterministic noise, 0–255. */
uint8_t noise(uint32_t *state);

/* Smooth colours (for lossy codecs), and noise (for lossless ones). */
struct image picture_smooth(int width, int height);
struct image picture_noise(int width, int height, uint32_t seed);

/* Largest and mean absolute difference of two pictures; sizes must be equal. */
double picture_mean_difference(const struct image *a, const struct image *b);

/*
 * The picture as a camera with that EXIF orientation stores it: row 0 and column 0 of what is stored are the sides of
 * `upright` that the EXIF standard names for it.
 */
struct image picture_stored(const struct image *upright, int orientation);

/* A TIFF block whose first directory holds three entries, the orientation in the middle. */
struct bytes exif_block(int orientation, bool big_endian);

enum jpeg_space { JPEG_YCBCR, JPEG_RGB, JPEG_GREY, JPEG_CMYK, JPEG_YCCK };

struct jpeg_options {
    enum jpeg_space space;
    bool without_adobe; /* CMYK as it is, no Adobe marker; else inverted, as Adobe's programs write it */
    bool progressive;
    bool full_chroma; /* 4:4:4 instead of 4:2:0 */
    unsigned restart_interval;
    const struct bytes *exif;
};
struct bytes jpeg_file(const struct image *image, const struct jpeg_options *options);

/* Ink of a colour by the plain conversion (K = 1 - max), 0 = none. */
void ink_of(const uint8_t rgb[3], uint8_t cmyk[4]);

/* `rows`: as PNG stores them, `bit_depth` and `color_type` as in IHDR; 16-bit samples big-endian. */
struct png_options {
    int color_type;
    int bit_depth;
    bool interlaced;
    const uint8_t *palette; /* RGB */
    int palette_size;
    const uint8_t *palette_alpha;
    int palette_alpha_size;
    int transparent_grey; /* tRNS of a grey picture + 1; 0: none */
    const struct bytes *exif;
    bool animated; /* an acTL chunk */
    bool text;     /* a zTXt chunk that is large when inflated */
};
struct bytes png_file(int width, int height, const uint8_t *rows, size_t row_bytes, const struct png_options *options);

/* One chunk with its CRC. */
void png_add_chunk(struct bytes *file, const char type[4], const void *data, size_t size);

/* A plain file from RGBA; then in an extended container with EXIF, or as one frame of an animation. */
struct bytes webp_file(int width, int height, const uint8_t *rgba, bool lossless);
struct bytes webp_extended(int width, int height, const struct bytes *plain, const struct bytes *exif, bool alpha);
struct bytes webp_animation(int width, int height, const struct bytes *plain);

#endif
