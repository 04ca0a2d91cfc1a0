/*
 * Reading the age and gender network of face-api (npm @vladmandic/face-api, MIT): weights as TensorFlow.js
 * keeps them, a JSON manifest and one file of (partly 8-bit quantised) numbers. The manifest has no topology;
 * it is built here: an Xception of small size (F. Chollet, "Xception", 2017) with two fully connected heads.
 *
 * Input: 1 × 112 × 112 × 3, R, G, B of 0..255, each as (value − mean) / 255 with the means below. The face's box is
 * scaled to fit with its aspect kept, centred, and the rest is black (0, before the mean is subtracted).
 */
#ifndef AIBOX_VISION_NN_AGE_GENDER_H
#define AIBOX_VISION_NN_AGE_GENDER_H

#include <stddef.h>

#include "core/status.h"
#include "vision/nn/nn.h"

#define AGE_GENDER_SIDE   112
#define AGE_GENDER_MEAN_R 122.782F
#define AGE_GENDER_MEAN_G 117.001F
#define AGE_GENDER_MEAN_B 104.298F

/* The model's outputs. */
enum age_gender_output {
    AGE_GENDER_AGE,         /* {1, 1}: years */
    AGE_GENDER_SEX,         /* {1, 2}: logits, male and female */
    AGE_GENDER_PROBABILITY, /* {1, 2}: their softmax, male and female */
    AGE_GENDER_OUTPUTS
};

/*
 * manifest: JSON text; weights: the one file it describes. Both may go afterwards. PROCESS_FAILED with a message that
 * names the tensor when one is missing, has another shape, or lies outside the file.
 */
enum aibox_status age_gender_read(const char *manifest, size_t manifest_size, const void *weights, size_t weights_size,
                                  struct nn_model **out, struct aibox_error *err);

#endif
