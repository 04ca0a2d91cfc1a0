/*
 * Sampling by longer kernels than the bilinear one (image.h has their formulas) at the positions of an affine matrix.
 * Bilinear samples of a picture that is enlarged are blurred; these are sharper, at 36 neighbours instead of four. As
 * in image_sample.c, output pixels that have all neighbours inside the picture are computed without checks.
 *
 * A kernel's weights depend on where between two pixels a position lies. They are tabulated at PHASES places, and
 * interpolated between them: what that loses is less than a hundredth of a grey level.
 */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "vision/image_internal.h"

#define TAPS    6 /* neighbours along an axis; the cubic kernel's first and last count for nothing */
#define BEFORE  2 /* of them before the pixel at or left of the position */
#define PHASES  512
#define KERNELS 2

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint16_t shorts8 __attribute__((vector_size(16)));
typedef int32_t ints4 __attribute__((vector_size(16)));
typedef float floats4 __attribute__((vector_size(16)));

/* Where an output pixel lies: the neighbour at or before it on each axis, and the shares of all. */
struct place {
    int x, y;
    float across[TAPS], down[TAPS];
};

static float tables[KERNELS][PHASES + 1][TAPS];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static double cubic(double x)
{
    if (x < 1)
        return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

static double lanczos(double x)
{
    double turn = M_PI * x;
    if (x < 1e-9)
        return 1;
    return x < 3 ? 3 * sin(turn) * sin(turn / 3) / (turn * turn) : 0;
}

static void fill_tables(void)
{
    for (int kernel = 0; kernel < KERNELS; kernel++) {
        for (int phase = 0; phase <= PHASES; phase++) {
            double weights[TAPS];
            double sum = 0;
            for (int i = 0; i < TAPS; i++) {
                double distance = fabs((double)phase / PHASES + BEFORE - i);
                weights[i] = kernel == IMAGE_LANCZOS ? lanczos(distance) : cubic(distance);
                sum += weights[i];
            }
            for (int i = 0; i < TAPS; i++)
                tables[kernel][phase][i] = (float)(weights[i] / sum);
        }
    }
}

/* The weights at `t` (0..1) behind the pixel before. */
static inline void weigh(const float (*table)[TAPS], float t, float out[TAPS])
{
    float at = t * PHASES;
    int phase = at < PHASES - 1 ? (int)at : PHASES - 1;
    float share = at - (float)phase;
    for (int i = 0; i < TAPS; i++)
        out[i] = table[phase][i] + share * (table[phase + 1][i] - table[phase][i]);
}

/* False: no finite position, or so far outside that nothing of the picture is near. */
static inline bool find_place(const struct image *image, const float (*table)[TAPS], double x, double y,
                              struct place *out)
{
    if (!(x > -TAPS && x < image->width + TAPS && y > -TAPS && y < image->height + TAPS))
        return false;
    double left = floor(x);
    double top = floor(y);
    out->x = (int)left;
    out->y = (int)top;
    weigh(table, (float)(x - left), out->across);
    weigh(table, (float)(y - top), out->down);
    return true;
}

static inline bool is_inside(const struct image *image, const struct place *place)
{
    return place->x >= BEFORE && place->x + TAPS - BEFORE <= image->width && place->y >= BEFORE &&
           place->y + TAPS - BEFORE <= image->height;
}

/* Six neighbouring pixels are eighteen bytes: four pixels, and two. */
static inline floats4 blend_row(const uint8_t *at, const float weights[TAPS])
{
    const bytes16 no_bytes = {0};
    const shorts8 no_shorts = {0};
    bytes16 bytes = {0};
    bytes16 rest = {0};
    memcpy(&bytes, at, 12);
    memcpy(&rest, at + 12, 6);
    shorts8 first =
        (shorts8)__builtin_shufflevector(bytes, no_bytes, 0, 16, 1, 17, 2, 18, 3, 19, 3, 19, 4, 20, 5, 21, 6, 22);
    shorts8 second =
        (shorts8)__builtin_shufflevector(bytes, no_bytes, 6, 22, 7, 23, 8, 24, 9, 25, 9, 25, 10, 26, 11, 27, 12, 28);
    shorts8 third =
        (shorts8)__builtin_shufflevector(rest, no_bytes, 0, 16, 1, 17, 2, 18, 3, 19, 3, 19, 4, 20, 5, 21, 6, 22);
    floats4 pixels[TAPS] = {
        __builtin_convertvector((ints4)__builtin_shufflevector(first, no_shorts, 0, 8, 1, 9, 2, 10, 3, 11), floats4),
        __builtin_convertvector((ints4)__builtin_shufflevector(first, no_shorts, 4, 12, 5, 13, 6, 14, 7, 15), floats4),
        __builtin_convertvector((ints4)__builtin_shufflevector(second, no_shorts, 0, 8, 1, 9, 2, 10, 3, 11), floats4),
        __builtin_convertvector((ints4)__builtin_shufflevector(second, no_shorts, 4, 12, 5, 13, 6, 14, 7, 15), floats4),
        __builtin_convertvector((ints4)__builtin_shufflevector(third, no_shorts, 0, 8, 1, 9, 2, 10, 3, 11), floats4),
        __builtin_convertvector((ints4)__builtin_shufflevector(third, no_shorts, 4, 12, 5, 13, 6, 14, 7, 15), floats4),
    };
    floats4 sum = weights[0] * pixels[0];
    for (size_t i = 1; i < TAPS; i++)
        sum += weights[i] * pixels[i];
    return sum;
}

static inline floats4 blend_inside(const struct image *image, const struct place *place)
{
    const uint8_t *at = image_at(image, place->x - BEFORE, place->y - BEFORE);
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
            int x = nearest(place->x - BEFORE + column, image->width);
            int y = nearest(place->y - BEFORE + row, image->height);
            if (!replicate && (x != place->x - BEFORE + column || y != place->y - BEFORE + row))
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
    return position < -TAPS + 1 ? -TAPS + 1 : position > side + TAPS - 1 ? side + TAPS - 1 : position;
}

void image_sample_kernel(const struct image *image, const struct image_sampling *how, enum image_kernel kernel,
                         int out_w, int out_h, float *out)
{
    const float *m = how->matrix;
    const float(*table)[TAPS] = (const float(*)[TAPS])tables[kernel];
    (void)pthread_once(&tables_once, fill_tables);
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
            if (image->width > 0 && image->height > 0 && find_place(image, table, sx, sy, &place))
                rgb = is_inside(image, &place) ? blend_inside(image, &place)
                                               : blend_border(image, how->replicate, &place);
            for (int c = 0; c < 3; c++) {
                float value = fminf(fmaxf(rgb[how->bgr ? 2 - c : c], 0), 255); /* the curves overshoot at edges */
                out[c] = (value - how->mean[c]) * how->scale[c];
            }
        }
    }
}
