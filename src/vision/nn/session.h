/* Private to vision/nn: what a session runs. */
#ifndef AIBOX_VISION_NN_SESSION_H
#define AIBOX_VISION_NN_SESSION_H

#include <xnnpack.h>

#include "vision/nn/ir.h"

/* One piece of work: an operator of XNNPACK, or one of our kernels. */
struct nn_step {
    xnn_operator_t xnn; /* owned; NULL: a kernel */
    enum nn_kind kind;  /* NN_CONCAT, NN_TRANSPOSE, NN_EXP, NN_CONVOLUTION (the global depthwise one) */
    const float *x;
    float *y;
    size_t x_stride, y_stride;
    size_t places, c; /* of x */
    const float *weights, *bias;
    float minimum, maximum;
};

/* Where a model's values are in one session's memory. */
struct nn_memory {
    const struct nn_model *model;
    float *arena;
};

float *nn_address(const struct nn_memory *memory, nn_value x);

/* Makes the step for an operator that computes, other than NN_CONCAT. False: XNNPACK refused. */
bool nn_step_make(const struct nn_memory *memory, nn_value x, struct nn_step *step);

/* The copy that brings part x to its place in a concatenation, y floats into the arena. */
struct nn_step nn_step_copy(const struct nn_memory *memory, nn_value x, float *y, size_t y_stride);

#endif
