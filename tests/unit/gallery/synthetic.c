#include "synthetic.h"

#include <math.h>

#define SPECTRUM_POWER -0.24F /* spread along the r-th direction is r to this power */
#define MEAN_PART      0.09F  /* its square is the mean impostor score */
#define QUALITY_MEAN   0.840F /* the person's part of a picture's embedding */
#define QUALITY_SPREAD 0.110F
#define QUALITY_MIN    0.25F
#define QUALITY_MAX    0.97F

uint64_t synthetic_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Nearly normal: the sum of four uniform numbers, scaled to variance 1. */
static float random_normal(uint64_t *state)
{
    uint64_t bits = synthetic_random(state);
    float sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (float)(bits >> (16 * i) & 0xffff) / 65535.0F;
    return (sum - 2.0F) * 1.7320508F;
}

static void normalise(float *v)
{
    double sum = 0;
    for (int i = 0; i < SYNTHETIC_DIMENSION; i++)
        sum += (double)v[i] * v[i];
    float scale = (float)(1 / sqrt(sum));
    for (int i = 0; i < SYNTHETIC_DIMENSION; i++)
        v[i] *= scale;
}

void synthetic_init(struct synthetic *model, uint64_t seed)
{
    uint64_t state = seed;
    float total = 0;
    model->seed = seed;
    for (int r = 0; r < SYNTHETIC_RANK; r++) {
        float spread = powf((float)(r + 1), SPECTRUM_POWER);
        for (int i = 0; i < SYNTHETIC_DIMENSION; i++)
            model->basis[r][i] = random_normal(&state);
        normalise(model->basis[r]);
        for (int i = 0; i < SYNTHETIC_DIMENSION; i++)
            model->basis[r][i] *= spread;
        total += spread * spread;
    }
    for (int i = 0; i < SYNTHETIC_DIMENSION; i++)
        model->mean[i] = random_normal(&state);
    normalise(model->mean);
    for (int i = 0; i < SYNTHETIC_DIMENSION; i++)
        model->mean[i] *= MEAN_PART * sqrtf(total);
}

void synthetic_face(const struct synthetic *model, uint64_t person, uint64_t picture, float *out)
{
    uint64_t who = model->seed ^ (person + 1) * UINT64_C(0xd1342543de82ef95);
    uint64_t shot = who ^ (picture + 1) * UINT64_C(0xaf251af3b0f025b5);
    float quality = QUALITY_MEAN + QUALITY_SPREAD * random_normal(&shot);
    quality = fmaxf(QUALITY_MIN, fminf(QUALITY_MAX, quality));
    float rest = sqrtf(1 - quality * quality);
    for (int i = 0; i < SYNTHETIC_DIMENSION; i++)
        out[i] = model->mean[i];
    for (int r = 0; r < SYNTHETIC_RANK; r++) {
        float along = quality * random_normal(&who) + rest * random_normal(&shot);
        for (int i = 0; i < SYNTHETIC_DIMENSION; i++)
            out[i] += along * model->basis[r][i];
    }
    normalise(out);
}
