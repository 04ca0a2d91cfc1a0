#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "accuracy.h"

float dot(const float *a, const float *b)
{
    /* Sixteen sums side by side, so that the compiler may use its widest registers without reordering a single sum. */
    float sums[16] = {0};
    for (size_t i = 0; i < VISION_DIMENSION; i += 16) {
        for (size_t k = 0; k < 16; k++) {
            sums[k] += a[i + k] * b[i + k];
        }
    }
    float total = 0.0f;
    for (size_t k = 0; k < 16; k++) {
        total += sums[k];
    }
    return total;
}

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left;
    float b = *(const float *)right;
    return a < b ? -1 : a > b ? 1 : 0;
}

void sort_floats(float *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_floats);
}

double quantile(const float *sorted, size_t count, double share)
{
    if (count == 0) {
        return NAN;
    }
    double at = share * (double)(count - 1);
    size_t low = (size_t)at;
    size_t high = low + 1 < count ? low + 1 : low;
    return (double)sorted[low] + (at - (double)low) * (double)(sorted[high] - sorted[low]);
}

uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}
