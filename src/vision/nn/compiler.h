/*
 * Private to vision/nn: from an ONNX graph to a network.
 *
 * ONNX tensors are NCHW, ours have their channels innermost. So an operand knows its ONNX shape and
 * in which of two orders its value holds the numbers:
 *  - row-major: as ONNX has them; the value's channels are the last dimension, its places all others;
 *  - places first ("hwc"): the value is h × w × c while the ONNX order of the same numbers is c, h, w. The
 *    ONNX shape may be any factorisation of it: {1, c, h, w} (nchw), but also {1, c·h·w} after a Flatten,
 *    or {1, groups, c / groups, h, w}. So reshaping costs nothing, and who consumes the operand decides
 *    whether it can take it as it is (a Gemm permutes its weights) or needs it transposed.
 */
#ifndef AIBOX_VISION_NN_COMPILER_H
#define AIBOX_VISION_NN_COMPILER_H

#include "vision/nn/builder.h"
#include "vision/nn/onnx.h"

struct operand {
    const struct onnx_tensor *constant; /* known now; NULL: `value`, computed when the network runs */
    nn_value value;
    bool hwc;
    size_t rank;
    size_t dim[ONNX_MAX_RANK];
};

struct compiler {
    struct onnx_heap heap;
    struct onnx_graph graph;
    struct nn_builder *builder;
    struct symbols *symbols;
    struct aibox_error *err;
};

/* Handles one node. False: refused, and `err` says why (without naming the node). */
typedef bool (*node_handler)(struct compiler *k, const struct onnx_node *node);

/* compiler.c: refusal, operands by name. */
bool refuse(struct compiler *k, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Node's input `index`; NULL: it has none there. */
const struct operand *input_of(const struct compiler *k, const struct onnx_node *node, size_t index);
/* The same, but its absence is an error. */
const struct operand *need_input(struct compiler *k, const struct onnx_node *node, size_t index);
/* A copy of input `index`, absence is an error. */
bool take_input(struct compiler *k, const struct onnx_node *node, size_t index, struct operand *out);
/* The same, and it must be a constant of that type. */
const struct onnx_tensor *need_constant(struct compiler *k, const struct onnx_node *node, size_t index,
                                        enum onnx_type type);
bool set_output(struct compiler *k, const struct onnx_node *node, size_t index, const struct operand *operand);

/* attributes.c */
int64_t attribute_int(const struct onnx_node *node, const char *name, int64_t otherwise);
float attribute_float(const struct onnx_node *node, const char *name, float otherwise);
struct pb_span attribute_text(const struct onnx_node *node, const char *name);
const struct onnx_attribute *attribute_of(const struct onnx_node *node, const char *name);
/* Integers that older opsets have as an attribute and newer ones as input `index` (SIZE_MAX: none). *n is `capacity`
 * at most (more is refused), *present says whether there were any. */
bool integers_of(struct compiler *k, const struct onnx_node *node, const char *name, size_t index, int64_t *out,
                 size_t capacity, size_t *n, bool *present);
/* An axis -rank..rank-1 as 0..rank-1. */
bool axis_of(struct compiler *k, int64_t axis, size_t rank, size_t *out);

/* operand.c */
size_t count_of(size_t rank, const size_t *dim);
/* The value's places-first sizes are the ONNX shape. */
bool is_nchw(const struct compiler *k, const struct operand *operand);
/* Each changes the operand's value (and makes a constant one a value), if need be by transposing when the network
 * runs. as_nchw() wants a shape {1, c, h, w}. */
bool as_value(struct compiler *k, struct operand *operand);
bool as_rows(struct compiler *k, struct operand *operand);
bool as_nchw(struct compiler *k, struct operand *operand);
struct operand rows_operand(nn_value value, size_t rank, const size_t *dim);
struct operand nchw_operand(const struct compiler *k, nn_value value);
struct operand constant_operand(const struct onnx_tensor *tensor);
/* The element of a tensor of shape `dim` that broadcasts to element `at` of the shape `wide` (ranks may differ). */
size_t broadcast_index(size_t rank, const size_t *dim, size_t wide_rank, const size_t *wide, size_t at);
/* ONNX' multidirectional broadcasting; false when the shapes do not go together. */
bool broadcast_shape(const struct operand *a, const struct operand *b, size_t *rank, size_t *dim);
struct onnx_tensor *new_tensor(struct compiler *k, enum onnx_type type, size_t rank, const size_t *dim);

/* constant.c: computes the node now if its inputs are known. *done false: they are not. */
bool fold_node(struct compiler *k, const struct onnx_node *node, bool *done);

/* The handlers, found by operator name; NULL: unknown. */
node_handler layer_handler(struct pb_span op);  /* layers.c */
node_handler shape_handler(struct pb_span op);  /* shapes.c */
node_handler binary_handler(struct pb_span op); /* binary.c */

#endif
