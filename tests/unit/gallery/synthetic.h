/*
 * Embeddings that score as real ones do, for tests and benchmarks: correlated (most of the variance in
 * few directions), with a common mean, and of varying quality. Between different people cosines have
 * mean 0.01, p99.9 0.35; between two pictures of one person mean 0.70, p1 0.37: within 0.01 of what was measured
 * with the face model on LFW. (Random unit vectors would have impostor scores three times closer to 0.)
 *
 * Every vector is a function of the model's seed, the person and the picture's number.
 */
#ifndef AIBOX_TESTS_GALLERY_SYNTHETIC_H
#define AIBOX_TESTS_GALLERY_SYNTHETIC_H

#include <stdint.h>

#define SYNTHETIC_DIMENSION 512
#define SYNTHETIC_RANK      128

struct synthetic {
    uint64_t seed;
    float basis[SYNTHETIC_RANK][SYNTHETIC_DIMENSION]; /* directions, scaled by the spread along them */
    float mean[SYNTHETIC_DIMENSION];
};

void synthetic_init(struct synthetic *model, uint64_t seed);

/* One picture's embedding, of length 1. */
void synthetic_face(const struct synthetic *model, uint64_t person, uint64_t picture, float *out);

/* The next of a sequence of pseudo-random numbers (Steele, Lea, Flood: splitmix64, 2014). */
uint64_t synthetic_random(uint64_t *state);

#endif
