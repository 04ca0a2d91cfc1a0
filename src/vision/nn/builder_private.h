/* Private to vision/nn: what a builder is, for the files that add operators to it. */
#ifndef AIBOX_VISION_NN_BUILDER_PRIVATE_H
#define AIBOX_VISION_NN_BUILDER_PRIVATE_H

#include "vision/nn/ir.h"

struct nn_builder {
    struct nn_network net;
    size_t elements; /* of all weights so far */
    bool failed;
    struct aibox_error error;
};

/* Keeps the first failure and returns NN_NO_VALUE. */
nn_value nn_builder_fail(struct nn_builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The operator that makes x; NULL: something failed. Valid until the next one is pushed. */
const struct nn_op *nn_builder_get(struct nn_builder *b, nn_value x);

/* False when the product of up to five sizes is 0 or above the bound of one tensor. */
bool nn_within(size_t a, size_t b, size_t c, size_t d, size_t e);

/* Appends an operator; further fields are filled in by the caller through b->net.op[value]. */
nn_value nn_builder_push(struct nn_builder *b, enum nn_kind kind, const nn_value *in, size_t n_in, size_t h, size_t w,
                         size_t c);

/* Gives the operator copies of its weights and bias (either may be NULL). */
nn_value nn_builder_equip(struct nn_builder *b, nn_value x, const float *weights, size_t n_weights, const float *bias,
                          size_t n_bias);

#endif
