/*
 * A network written in code: values are made one from another, and nn_builder_finish() turns them
 * into a model. The ONNX reader is a user of this interface, too.
 *
 * Every value is a float tensor of h rows × w columns × c channels, batch 1, channels innermost.
 * Where only the number of rows × columns matters, it is called "places".
 *
 * Errors are sticky: after the first one every call returns NN_NO_VALUE (which every call accepts and
 * passes on), and nn_builder_finish() reports it. So a network reads as straight code, checked once.
 * A builder belongs to one thread. All arrays given are copied.
 */
#ifndef AIBOX_VISION_NN_BUILDER_H
#define AIBOX_VISION_NN_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "vision/nn/nn.h"

struct nn_builder;

typedef uint32_t nn_value;
#define NN_NO_VALUE UINT32_MAX

/* A sliding window. Convolutions pad with zeros; pools take no account of padding. */
struct nn_window {
    size_t kernel_h, kernel_w; /* 1..256, and so the next four */
    size_t stride_h, stride_w;
    size_t dilation_h, dilation_w;   /* must be 1 for average pools */
    size_t top, right, bottom, left; /* padding, 0..255 */
};

enum nn_binary { NN_BINARY_ADD, NN_BINARY_SUBTRACT, NN_BINARY_MULTIPLY, NN_BINARY_DIVIDE };
enum nn_axis { NN_AXIS_PLACES, NN_AXIS_CHANNELS };

enum aibox_status nn_builder_open(struct nn_builder **out, struct aibox_error *err);
void nn_builder_free(struct nn_builder *builder);

/* True once something failed; `err` (may be NULL) gets what. */
bool nn_builder_failed(const struct nn_builder *builder, struct aibox_error *err);

/* A value's sizes; all 0 for NN_NO_VALUE. */
void nn_builder_sizes(const struct nn_builder *builder, nn_value x, size_t *h, size_t *w, size_t *c);

/* The network's one input; once. */
nn_value nn_build_input(struct nn_builder *builder, size_t h, size_t w, size_t c);
/* data: [h][w][c] */
nn_value nn_build_constant(struct nn_builder *builder, size_t h, size_t w, size_t c, const float *data);

/* A square window with the padding that makes the output ceil(input / stride) ("SAME" of TensorFlow:
 * the odd row and column of padding go to the bottom and to the right). */
struct nn_window nn_window_same(size_t kernel, size_t stride, size_t input_h, size_t input_w);

/* weights: [out_c][kernel_h][kernel_w][c / groups], bias: [out_c] or NULL. */
nn_value nn_build_convolution(struct nn_builder *builder, nn_value x, const struct nn_window *window, size_t groups,
                              size_t out_c, const float *weights, const float *bias);
/* The same matrix for every place. weights: [out_c][c], bias: [out_c] or NULL. */
nn_value nn_build_linear(struct nn_builder *builder, nn_value x, size_t out_c, const float *weights, const float *bias);
/* x · scale + shift, per channel; folded into the convolution before it where there is one. */
nn_value nn_build_affine(struct nn_builder *builder, nn_value x, const float *scale, const float *shift);
/* x >= 0 ? x : slope · x; slope: [c] */
nn_value nn_build_prelu(struct nn_builder *builder, nn_value x, const float *slope);
/* Either bound may be infinite, minimum < maximum. Fused into the operator before it where possible. */
nn_value nn_build_clamp(struct nn_builder *builder, nn_value x, float minimum, float maximum);
nn_value nn_build_sigmoid(struct nn_builder *builder, nn_value x);
nn_value nn_build_tanh(struct nn_builder *builder, nn_value x);
nn_value nn_build_exp(struct nn_builder *builder, nn_value x);
/* Over the channels of each place. */
nn_value nn_build_softmax(struct nn_builder *builder, nn_value x);
/* Places and channels must each be equal or 1 on either side. */
nn_value nn_build_binary(struct nn_builder *builder, enum nn_binary kind, nn_value x, nn_value y);
nn_value nn_build_max_pool(struct nn_builder *builder, nn_value x, const struct nn_window *window);
nn_value nn_build_average_pool(struct nn_builder *builder, nn_value x, const struct nn_window *window);
nn_value nn_build_global_average(struct nn_builder *builder, nn_value x);
/* By channels: equal h and w. By places: equal c; the result has w 1 unless all have the same w. */
nn_value nn_build_concat(struct nn_builder *builder, const nn_value *x, size_t count, enum nn_axis axis);
nn_value nn_build_slice(struct nn_builder *builder, nn_value x, enum nn_axis axis, size_t first, size_t count);
/* Channel g · (c / groups) + i becomes channel i · groups + g. */
nn_value nn_build_shuffle(struct nn_builder *builder, nn_value x, size_t groups);
/* The same numbers in the same order. */
nn_value nn_build_reshape(struct nn_builder *builder, nn_value x, size_t h, size_t w, size_t c);
/* The matrix of places × channels, transposed: h = channels, w = 1, c = places. */
nn_value nn_build_transpose(struct nn_builder *builder, nn_value x);
nn_value nn_build_pad(struct nn_builder *builder, nn_value x, size_t top, size_t right, size_t bottom, size_t left,
                      float value);

/*
 * Makes the model of everything that `outputs` (1..NN_MAX_PORTS) need. shapes: what the model calls
 * their shapes, or NULL for {1, h, w, c}. The builder is used up: only free it afterwards.
 */
enum aibox_status nn_builder_finish(struct nn_builder *builder, const nn_value *outputs, const struct nn_shape *shapes,
                                    size_t n_outputs, struct nn_model **out, struct aibox_error *err);

#endif
