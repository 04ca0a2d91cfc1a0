#include "samples.h"

#include <math.h>
#include <stdlib.h>

void samples_add(struct samples *samples, double value)
{
    if (samples->count < SAMPLES_MAX)
        samples->values[samples->count++] = value;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double samples_percentile(struct samples *samples, double p)
{
    if (samples->count == 0)
        return NAN;
    qsort(samples->values, samples->count, sizeof samples->values[0], by_value);
    double rank = ceil(p * (double)samples->count);
    return samples->values[rank < 1 ? 0 : (size_t)rank - 1];
}
