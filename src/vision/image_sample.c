/*
 * Sampling a picture at the positions of an affine matrix: what turns pictures into network input.
 *
 * Along a row of output both source coordinates are monotonic in x, also in floating point (rounding is monotonic). So
 * the output pixels whose four neighbours are all inside the picture are one run: its two ends are looked for pixel by
 * pixel, by the slow path that knows the borders, and the run between them needs no checks at all. There, a pixel's
 * three channels are computed as one vector of four floats (GCC vector extensions: SSE or NEON).
 */
#include <math.h>
#include <string.h>

#include "vision/image_internal.h"

typedef uint64_t words2 __attribute__((vector_size(16)));
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint16_t shorts8 __attribute__((vector_size(16)));
typedef int32_t ints4 __attribute__((vector_size(16)));
typedef float floats4 __attribute__((vector_size(16)));

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "load_pair() puts bytes into lanes by shifting words");

/* What becomes of a sampled pixel. Known at compile time to each of the three public functions. */
enum output { OUTPUT_NETWORK, OUTPUT_GREY, OUTPUT_BYTES };

/* Source position of output pixel i of a row: x + i * dx, y + i * dy. */
struct row {
    double x, y;
    double dx, dy;
};

static inline double row_x(const struct row *row, int x)
{
    return row->x + x * row->dx;
}

static inline double row_y(const struct row *row, int x)
{
    return row->y + x * row->dy;
}

/* All four neighbours exist. False for NaN. */
static inline bool is_inside(const struct image *image, const struct row *row, int x)
{
    double sx = row_x(row, x);
    double sy = row_y(row, x);
    return sx >= 0 && sx < image->width - 1 && sy >= 0 && sy < image->height - 1;
}

/*
 * Two neighbouring pixels are six bytes, read as two overlapping words, so that nothing outside is touched. The fourth
 * lane is without meaning.
 */
static inline void load_pair(const uint8_t *at, floats4 *left, floats4 *right)
{
    uint32_t low;
    uint32_t high;
    memcpy(&low, at, sizeof(low));
    memcpy(&high, at + 2, sizeof(high));
    words2 words = {(uint64_t)(high >> 8) << 32 | low, 0};
    /* Widened step by step, which is one instruction each on SSE2 and NEON; __builtin_convertvector() is many. */
    const bytes16 no_bytes = {0};
    const shorts8 no_shorts = {0};
    bytes16 wide =
        __builtin_shufflevector((bytes16)words, no_bytes, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    shorts8 l = __builtin_shufflevector((shorts8)wide, no_shorts, 0, 8, 1, 9, 2, 10, 3, 11);
    shorts8 r = __builtin_shufflevector((shorts8)wide, no_shorts, 4, 12, 5, 13, 6, 14, 7, 15);
    *left = __builtin_convertvector((ints4)l, floats4);
    *right = __builtin_convertvector((ints4)r, floats4);
}

/* Where a run's pixels lie: the byte of the upper left neighbour, and the way from it to the next ones. */
#define BLOCK 64
struct places {
    uint32_t offset[BLOCK];
    float fx[BLOCK];
    float fy[BLOCK];
};

/*
 * A loop of its own, which compilers vectorise. The clamps never act as long as is_inside() and this loop round alike;
 * they are there because a compiler may fuse a multiplication and an addition in one of the two places alone.
 */
static inline void find_places(const struct image *image, const struct row *row, int from, int count,
                               struct places *out)
{
    const double end_x = nextafter(image->width - 1, 0);
    const double end_y = nextafter(image->height - 1, 0);
    const uint32_t stride = (uint32_t)image_stride(image);
    for (int i = 0; i < count; i++) {
        double sx = row_x(row, from + i);
        double sy = row_y(row, from + i);
        sx = sx > 0 ? sx : 0;
        sy = sy > 0 ? sy : 0;
        sx = sx < end_x ? sx : end_x;
        sy = sy < end_y ? sy : end_y;
        int32_t ix = (int32_t)sx;
        int32_t iy = (int32_t)sy;
        out->offset[i] = (uint32_t)iy * stride + (uint32_t)ix * 3;
        out->fx[i] = (float)(sx - ix);
        out->fy[i] = (float)(sy - iy);
    }
}

static inline floats4 blend(const uint8_t *at, size_t stride, float fx, float fy)
{
    floats4 upper_left, upper_right, lower_left, lower_right;
    load_pair(at, &upper_left, &upper_right);
    load_pair(at + stride, &lower_left, &lower_right);
    floats4 upper = upper_left + fx * (upper_right - upper_left);
    floats4 lower = lower_left + fx * (lower_right - lower_left);
    return upper + fy * (lower - upper);
}

static floats4 border_pixel(const struct image *image, bool replicate, int x, int y)
{
    bool inside = x >= 0 && x < image->width && y >= 0 && y < image->height;
    if (!inside && !replicate)
        return (floats4){0};
    x = x < 0 ? 0 : x > image->width - 1 ? image->width - 1 : x;
    y = y < 0 ? 0 : y > image->height - 1 ? image->height - 1 : y;
    const uint8_t *at = image_at(image, x, y);
    return (floats4){at[0], at[1], at[2], 0};
}

/* Far positions are drawn nearer, which changes nothing: from one pixel outside on, all is border. */
static double limit(double position, int side)
{
    return position < -2 ? -2 : position > side + 1 ? side + 1 : position;
}

static floats4 sample_border(const struct image *image, bool replicate, const struct row *row, int x)
{
    double sx = row_x(row, x);
    double sy = row_y(row, x);
    if (!isfinite(sx) || !isfinite(sy) || image->width < 1 || image->height < 1)
        return (floats4){0};
    sx = limit(sx, image->width);
    sy = limit(sy, image->height);
    int ix = (int)floor(sx);
    int iy = (int)floor(sy);
    float fx = (float)(sx - ix);
    float fy = (float)(sy - iy);
    floats4 upper_left = border_pixel(image, replicate, ix, iy);
    floats4 upper_right = border_pixel(image, replicate, ix + 1, iy);
    floats4 lower_left = border_pixel(image, replicate, ix, iy + 1);
    floats4 lower_right = border_pixel(image, replicate, ix + 1, iy + 1);
    floats4 upper = upper_left + fx * (upper_right - upper_left);
    floats4 lower = lower_left + fx * (lower_right - lower_left);
    return upper + fy * (lower - upper);
}

/* (v - mean) * scale as v * gain + offset, in source channel order. */
struct tone {
    floats4 gain, offset;
    bool swapped;
};

static inline __attribute__((always_inline)) void emit(floats4 rgb, enum output output, const struct tone *tone,
                                                       void *row, int x)
{
    if (output == OUTPUT_NETWORK) {
        float *to = (float *)row + (size_t)x * 3;
        floats4 v = rgb * tone->gain + tone->offset;
        to[0] = tone->swapped ? v[2] : v[0];
        to[1] = v[1];
        to[2] = tone->swapped ? v[0] : v[2];
    } else if (output == OUTPUT_GREY) {
        ((float *)row)[x] = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
    } else {
        uint8_t *to = (uint8_t *)row + (size_t)x * 3;
        for (int c = 0; c < 3; c++)
            to[c] = (uint8_t)(rgb[c] + 0.5f); /* between the four neighbours, so within 0–255 */
    }
}

static inline __attribute__((always_inline)) void sample(const struct image *image, const struct image_sampling *how,
                                                         int out_w, int out_h, enum output output, void *out)
{
    const float *m = how->matrix;
    size_t pixel_size = output == OUTPUT_NETWORK ? 3 * sizeof(float) : output == OUTPUT_GREY ? sizeof(float) : 3;
    size_t stride = image_stride(image);
    struct tone tone = {.swapped = how->bgr};
    for (int c = 0; c < 3; c++) {
        int place = how->bgr ? 2 - c : c;
        tone.gain[c] = how->scale[place];
        tone.offset[c] = -how->mean[place] * how->scale[place];
    }
    for (int y = 0; y < out_h; y++) {
        struct row row = {.dx = m[0], .x = (double)m[1] * y + m[2], .dy = m[3], .y = (double)m[4] * y + m[5]};
        uint8_t *to = (uint8_t *)out + (size_t)y * (size_t)out_w * pixel_size;
        int first = 0;
        int end = out_w;
        for (; first < end && !is_inside(image, &row, first); first++)
            emit(sample_border(image, how->replicate, &row, first), output, &tone, to, first);
        for (; end > first && !is_inside(image, &row, end - 1); end--)
            emit(sample_border(image, how->replicate, &row, end - 1), output, &tone, to, end - 1);
        while (first < end) {
            struct places places;
            int count = end - first < BLOCK ? end - first : BLOCK;
            find_places(image, &row, first, count, &places);
            for (int i = 0; i < count; i++)
                emit(blend(image->pixels + places.offset[i], stride, places.fx[i], places.fy[i]), output, &tone, to,
                     first + i);
            first += count;
        }
    }
}

void image_sample(const struct image *image, const struct image_sampling *how, int out_w, int out_h, float *out)
{
    sample(image, how, out_w, out_h, OUTPUT_NETWORK, out);
}

void image_sample_grey(const struct image *image, const struct image_sampling *how, int out_w, int out_h, float *out)
{
    sample(image, how, out_w, out_h, OUTPUT_GREY, out);
}

enum aibox_status image_warp(const struct image *image, const struct image_sampling *how, int out_w, int out_h,
                             struct image *out, struct aibox_error *err)
{
    enum aibox_status status = image_allocate(out_w, out_h, out, err);
    if (status != AIBOX_OK)
        return status;
    sample(image, how, out_w, out_h, OUTPUT_BYTES, out->pixels);
    return AIBOX_OK;
}
