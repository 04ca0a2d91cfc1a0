/*
 * Tells by an embedding whether its face wears a mask: a logistic regression, made by aibox-mask (tools/aibox-mask) for
 * one model set and read from a file of that set (docs/models.md). Inside of the vision room.
 */
#ifndef AIBOX_VISION_MASK_H
#define AIBOX_VISION_MASK_H

#include "core/status.h"
#include "vision/calibration.h"
#include "vision/model_set.h"
#include "vision/vision.h"

struct mask_model {
    char model_set[MODEL_SET_ID_SIZE]; /* whose embeddings it judges */
    float weights[VISION_DIMENSION];   /* of an embedding of length 1 */
    float bias;
    struct calibration calibration; /* of scores between masked probes and bare faces */
};

/* PROCESS_FAILED names the key that is wrong. */
enum aibox_status mask_model_parse(const char *json, size_t size, struct mask_model *out, struct aibox_error *err);

/* Probability 0..1; -1 for a vector without length or with values that aren't finite. */
float mask_probability(const struct mask_model *model, const float embedding[VISION_DIMENSION]);

/* Threshold at which `masked` promises the rate that `bare` promises at `threshold`. */
double mask_threshold(const struct calibration *masked, const struct calibration *bare, double threshold);

#endif
