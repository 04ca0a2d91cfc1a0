/* Private to vision/nn: what a builder collects and a model consists of. */
#ifndef AIBOX_VISION_NN_IR_H
#define AIBOX_VISION_NN_IR_H

#include "vision/nn/builder.h"

#define NN_MAX_OPS      16384
#define NN_MAX_INPUTS   65536                       /* of all operators together */
#define NN_MAX_ELEMENTS ((size_t)64 * 1024 * 1024)  /* floats of one tensor, of all weights, of the arena */
#define NN_MAX_MACS     (UINT64_C(64) * 1000000000) /* a model's multiplications: seconds, not hours, per run */
#define NN_MAX_SIDE     65535                       /* rows or columns of a picture-like tensor */
#define NN_MAX_STACK_C  16384                       /* channels where XNNPACK keeps a row of sums on the stack */

enum nn_kind {
    NN_INPUT,
    NN_CONSTANT,
    NN_CONVOLUTION,
    NN_AFFINE,
    NN_PRELU,
    NN_CLAMP,
    NN_SIGMOID,
    NN_EXP,
    NN_SOFTMAX,
    NN_ADD,
    NN_SUBTRACT,
    NN_MULTIPLY,
    NN_DIVIDE,
    NN_MAX_POOL,
    NN_AVERAGE_POOL,
    NN_GLOBAL_AVERAGE,
    NN_CONCAT,
    NN_SLICE,
    NN_SHUFFLE,
    NN_RESHAPE,
    NN_TRANSPOSE,
    NN_PAD,
};

/* One operator and the value that it makes. Operators stand in an order in which they can run. */
struct nn_op {
    enum nn_kind kind;
    size_t h, w, c;        /* of the result */
    size_t first_in, n_in; /* where its inputs stand in nn_network.in */
    struct nn_window window;
    size_t groups;
    /* Owned. CONVOLUTION: [c][kernel_h][kernel_w][c_in / groups], once finished [kernel_h][kernel_w][c] if
     * depthwise. AFFINE: scale. PRELU: slope. CONSTANT: the data. */
    float *weights;
    float *bias;            /* owned, [c] or NULL; AFFINE: shift */
    float minimum, maximum; /* of the result; infinite: no bound */
    enum nn_axis axis;      /* CONCAT, SLICE */
    size_t first;           /* SLICE */
    float pad_value;
};

/* Operators and who feeds whom. */
struct nn_network {
    struct nn_op *op;
    size_t n_ops, capacity;
    nn_value *in;
    size_t n_in, in_capacity;
    nn_value input; /* NN_NO_VALUE: none */
    nn_value output[NN_MAX_PORTS];
    struct nn_shape output_shape[NN_MAX_PORTS];
    size_t n_outputs;
};

/* Where a value lies. Place p's channel k is at offset + p · stride + k, in floats. */
struct nn_place {
    size_t offset; /* in the arena; 0 and unused for constants */
    size_t stride;
    nn_value constant; /* the NN_CONSTANT operator whose weights it lies in, or NN_NO_VALUE: in the arena */
};

/* Does this operator compute something, or is its value a view of memory that others write? */
struct nn_plan {
    struct nn_place *place; /* [n_ops] */
    bool *computes;         /* [n_ops]; a CONCAT that computes copies those inputs that are not in place */
    size_t arena;           /* floats */
};

struct nn_model {
    struct nn_network net;
    struct nn_plan plan;
};

static inline size_t nn_places(const struct nn_op *op)
{
    return op->h * op->w;
}

static inline const struct nn_op *nn_in(const struct nn_network *net, const struct nn_op *op, size_t index)
{
    return &net->op[net->in[op->first_in + index]];
}

void nn_network_free(struct nn_network *net);
void nn_plan_free(struct nn_plan *plan);

/* Each channel has its own filter. */
bool nn_is_depthwise(const struct nn_network *net, const struct nn_op *op);
/* Depthwise, and the window is the whole input: one output place. */
bool nn_is_global_depthwise(const struct nn_network *net, const struct nn_op *op);

/* Multiplications of one run. */
uint64_t nn_count_macs(const struct nn_network *net);

/* Drops what no output needs, folds affines and clamps into what precedes them, brings depthwise weights into their
 * final layout. PROCESS_FAILED: out of memory. */
enum aibox_status nn_optimise(struct nn_network *net, struct aibox_error *err);

/* Lays all values into one arena. PROCESS_FAILED: too large or out of memory. */
enum aibox_status nn_plan_make(const struct nn_network *net, struct nn_plan *plan, struct aibox_error *err);

#endif
