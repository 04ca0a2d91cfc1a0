/*
 * Cubic sampling (Keys 1981, a = -0.5; the formula in image.h) at the positions of an affine matrix. Bilinear samples
 * of a picture that is enlarged are blurred; these are sharper, at sixteen neighbours instead of four. As in
 * image_sample.c, the output pixels of a row that have all neighbours inside the picture are one run, without checks.
 */
#include <math.h>
#include <string.h>

#include "vision/image_internal.h"

#define TAPS 4 /* neighbours along an axis */

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint16_t shorts8 __attribute__((vector_size(16)));
typedef int32_t ints4 __attribute__((vector_size(16)));
typedef float floats4 __attribute__((vector_size(16)));

/* Where an output pixel lies: the second neighbour of each axis, and the shares of all four. */
struct place {
    int x, y;
    float across[TAPS], down[TAPS];
};

/* The kernel at distances 1 + t, t, 1 - t, 2 - t, for t in 0..1. */
static inline void weigh(float t, float out[TAPS])
{
    float square = t * t;
    float cube = square * t;
    out[0] = -0.5f * cube + square - 0.5f * t;
    out[1] = 1.5f * cube - 2.5f * square + 1.0f;
    out[2] = -1.5f * cube + 2.0f * square + 0.5f * t;
    out[3] = 0.5f * cube - 0.5f * square;
}

/* False: no finite position, or so far outside that nothing of the picture is near. */
static inline bool find_place(const struct image *image, double x, double y, struct place *out)
{
    if (!(x > -3 && x < image->width + 2 && y > -3 && y < image->height + 2))
        return false;
    double left = floor(x);
    double top = floor(y);
    out->x = (int)left;
    out->y = (int)top;
    weigh((float)(x - left), out->across);
    weigh((float)(y - top), out->down);
    return true;
}

static inline bool is_inside(const struct image *image, const struct place *place)
{
    return place->x >= 1 && place->x + 2 < image->width && place->y >= 1 && place->y + 2 < image->height;
}

/* Four neighbouring pixels are twelve bytes. */
static inline floats4 blend_row(const uint8_t *at, const float weights[TAPS])
{
    const bytes16 no_bytes = {0};
    const shorts8 no_shorts = {0};
    bytes16 bytes = {0};
    memcpy(&bytes, at, 3 * TAPS);
    shorts8 first =
        (shorts8)__builtin_shufflevector(bytes, no_bytes, 0, 16, 1, 17, 2, 18, 3, 19, 3, 19, 4, 20, 5, 21, 6, 22);
    shorts8 second =
        (shorts8)__builtin_shufflevector(bytes, no_bytes, 6, 22, 7, 23, 8, 24, 9, 25, 9, 25, 10, 26, 11, 27, 12, 28);
    floats4 pixels[TAPS] = {
        __builtin_convertvector((ints4)__builtin_shufflevector(first, no_shorts, 0, 8, 1, 9, 2, 10, 3, 11), floats4),
        __builtin_convertvector((ints4)__builtin_shufflevector(first, no_shorts, 4, 12, 5, 13, 6, 14, 7, 15), floats4),
        __builtin_convertvector((ints4)__builtin_shufflevector(second, no_shorts, 0, 8, 1, 9, 2, 10, 3, 11), floats4),
        __builtin_convertvector((ints4)__builtin_shufflevector(second, no_shorts, 4, 12, 5, 13, 6, 14, 7, 15), floats4),
    };
    return weights[0] * pixels[0] + weights[1] * pixels[1] + weights[2] * pixels[2] + weights[3] * pixels[3];
}

static inline floats4 blend_inside(const struct image *image, const struct place *place)
{
    const uint8_t *at = image_at(image, place->x - 1, place->y - 1);
    size_t stride = image_stride(image);
    floats4 sum = {0};
    for (size_t row = 0; row < TAPS; row++)
        sum += place->down[row] * blend_row(at + row * stride, place->across);
    return sum;
}

static int nearest(int position, int side)
{
    return position < 0 ? 0 : position > side - 1 ? side - 1 : position;
}

static floats4 blend_border(const struct image *image, bool replicate, const struct place *place)
{
    floats4 sum = {0};
    for (int row = 0; row < TAPS; row++) {
        for (int column = 0; column < TAPS; column++) {
            int x = nearest(place->x - 1 + column, image->width);
            int y = nearest(place->y - 1 + row, image->height);
            if (!replicate && (x != place->x - 1 + column || y != place->y - 1 + row))
                continue;
            const uint8_t *at = image_at(image, x, y);
            sum += place->across[column] * place->down[row] * (floats4){at[0], at[1], at[2], 0};
        }
    }
    return sum;
}

/* With a replicated border, a position far outside has the value of the nearest pixel. */
static double draw_near(double position, int side)
{
    return position < -1 ? -1 : position > side ? side : position;
}

void image_sample_cubic(const struct image *image, const struct image_sampling *how, int out_w, int out_h, float *out)
{
    const float *m = how->matrix;
    for (int y = 0; y < out_h; y++) {
        for (int x = 0; x < out_w; x++, out += 3) {
            double sx = (double)m[0] * x + (double)m[1] * y + m[2];
            double sy = (double)m[3] * x + (double)m[4] * y + m[5];
            struct place place;
            floats4 rgb = {0};
            if (how->replicate && isfinite(sx) && isfinite(sy)) {
                sx = draw_near(sx, image->width);
                sy = draw_near(sy, image->height);
            }
            if (image->width > 0 && image->height > 0 && find_place(image, sx, sy, &place))
                rgb = is_inside(image, &place) ? blend_inside(image, &place)
                                               : blend_border(image, how->replicate, &place);
            for (int c = 0; c < 3; c++) {
                float value = fminf(fmaxf(rgb[how->bgr ? 2 - c : c], 0), 255); /* the curve overshoots at edges */
                out[c] = (value - how->mean[c]) * how->scale[c];
            }
        }
    }
}
