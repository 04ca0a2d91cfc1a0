/* Durations measured one by one, and what to say of them. */
#ifndef AIBOX_BENCH_SAMPLES_H
#define AIBOX_BENCH_SAMPLES_H

#include <stddef.h>

#define SAMPLES_MAX 4096

struct samples {
    double values[SAMPLES_MAX];
    size_t count;
};

/* Beyond SAMPLES_MAX values are dropped. */
void samples_add(struct samples *samples, double value);
/* The smallest value that the share `p` (0..1) does not exceed (nearest rank); sorts. NAN without values. */
double samples_percentile(struct samples *samples, double p);

#endif
