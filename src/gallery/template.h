/* From embeddings to what a row holds. Private to the room. */
#ifndef AIBOX_GALLERY_TEMPLATE_H
#define AIBOX_GALLERY_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gallery/gallery.h"
#include "gallery/kernel.h"

/* 512 floats to length 1. False when one is not finite or the norm is <= 1e-6; `out` is then untouched. */
bool template_normalise(const float *in, float *out);

/* Mean of the `n` normalised faces, normalised. False when a face, or the mean, can't be normalised. */
bool template_mean(const float *faces, size_t n, float *out);

/* Bit i of the 512 is set when value i is negative. */
void template_sign_bits(const float *values, uint64_t bits[KERNEL_WORDS]);

#endif
