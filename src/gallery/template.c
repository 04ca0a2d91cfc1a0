#include "gallery/template.h"

#include <math.h>
#include <string.h>

#define MIN_NORM 1e-6

/* Double precision: squares of floats neither overflow nor vanish, so the sum tells whether all values are finite. */
static double norm_of(const float *values)
{
    double sum[4] = {0};
    for (size_t i = 0; i < GALLERY_DIMENSION; i += 4) {
        for (size_t lane = 0; lane < 4; lane++)
            sum[lane] += (double)values[i + lane] * (double)values[i + lane];
    }
    return sqrt((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

bool template_normalise(const float *in, float *out)
{
    double norm = norm_of(in);
    if (!isfinite(norm) || norm <= MIN_NORM)
        return false;
    double scale = 1.0 / norm;
    for (size_t i = 0; i < GALLERY_DIMENSION; i++)
        out[i] = (float)(in[i] * scale);
    return true;
}

bool template_mean(const float *faces, size_t n, float *out)
{
    float sum[GALLERY_DIMENSION] = {0};
    float face[GALLERY_DIMENSION];
    for (size_t f = 0; f < n; f++) {
        if (!template_normalise(faces + f * GALLERY_DIMENSION, face))
            return false;
        for (size_t i = 0; i < GALLERY_DIMENSION; i++)
            sum[i] += face[i];
    }
    for (size_t i = 0; i < GALLERY_DIMENSION; i++)
        sum[i] /= (float)n;
    return template_normalise(sum, out);
}

void template_sign_bits(const float *values, uint64_t bits[KERNEL_WORDS])
{
    for (size_t w = 0; w < KERNEL_WORDS; w++) {
        uint64_t word = 0;
        for (size_t i = 0; i < 64; i++)
            word |= (uint64_t)(values[w * 64 + i] < 0) << i;
        bits[w] = word;
    }
}

float gallery_cosine(const float *a, const float *b)
{
    double norm_a = norm_of(a);
    double norm_b = norm_of(b);
    if (!(norm_a > MIN_NORM) || !(norm_b > MIN_NORM))
        return 0;
    double sum = 0;
    for (size_t i = 0; i < GALLERY_DIMENSION; i++)
        sum += (double)a[i] * (double)b[i];
    return (float)fmax(-1.0, fmin(1.0, sum / (norm_a * norm_b)));
}
