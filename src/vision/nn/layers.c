/* ONNX operators that compute (https://github.com/onnx/onnx/blob/main/docs/Operators.md), opsets 7 to 21. */
#include <math.h>
#include <string.h>

#include "vision/nn/compiler.h"

static float *scratch(struct compiler *k, size_t count)
{
    float *memory = onnx_alloc(&k->heap, count, sizeof *memory);

    if (!memory)
        refuse(k, "too much memory needed");
    return memory;
}

/* A small list of sizes: what the attribute says, or `otherwise` for each. */
static bool sizes_of(struct compiler *k, const struct onnx_node *node, const char *name, size_t count, size_t otherwise,
                     size_t *out)
{
    int64_t value[4];
    bool present;
    size_t n;

    if (!integers_of(k, node, name, SIZE_MAX, value, 4, &n, &present))
        return false;
    if (present && n != count)
        return refuse(k, "%s has %zu numbers", name, n);
    for (size_t i = 0; i < count; i++) {
        if (present && (value[i] < 0 || value[i] > 65535))
            return refuse(k, "%s is out of range", name);
        out[i] = present ? (size_t)value[i] : otherwise;
    }
    return true;
}

/* auto_pad SAME_UPPER and SAME_LOWER along one side. */
static bool same_padding(size_t input, size_t kernel, size_t stride, size_t dilation, bool upper, size_t *before,
                         size_t *after)
{
    size_t reach = (kernel - 1) * dilation + 1;
    size_t covered;
    size_t padding;

    if (stride == 0)
        return false;
    covered = ((input + stride - 1) / stride - 1) * stride + reach;
    padding = covered > input ? covered - input : 0;
    *before = upper ? padding / 2 : padding - padding / 2;
    *after = padding - *before;
    return true;
}

static bool window_of(struct compiler *k, const struct onnx_node *node, const struct operand *x,
                      const size_t *weight_window, struct nn_window *win)
{
    struct pb_span mode = attribute_text(node, "auto_pad");
    size_t kernel[2] = {0}, stride[2] = {0}, dilation[2] = {0}, pad[4] = {0};

    if (!sizes_of(k, node, "kernel_shape", 2, 0, kernel) || !sizes_of(k, node, "strides", 2, 1, stride) ||
        !sizes_of(k, node, "dilations", 2, 1, dilation) || !sizes_of(k, node, "pads", 4, 0, pad))
        return false;
    for (size_t i = 0; weight_window && i < 2; i++) {
        if (kernel[i] != 0 && kernel[i] != weight_window[i])
            return refuse(k, "kernel_shape is not that of the weights");
        kernel[i] = weight_window[i];
    }
    if (kernel[0] == 0 || kernel[1] == 0)
        return refuse(k, "an empty window");
    if (onnx_is(mode, "SAME_UPPER") || onnx_is(mode, "SAME_LOWER")) {
        for (size_t i = 0; i < 2; i++) {
            if (!same_padding(x->dim[2 + i], kernel[i], stride[i], dilation[i], onnx_is(mode, "SAME_UPPER"), &pad[i],
                              &pad[2 + i]))
                return refuse(k, "an empty stride");
        }
    } else if (onnx_is(mode, "VALID")) {
        memset(pad, 0, sizeof pad);
    } else if (mode.size > 0 && !onnx_is(mode, "NOTSET")) {
        return refuse(k, "an unknown auto_pad");
    }
    *win = (struct nn_window){.kernel_h = kernel[0],
                              .kernel_w = kernel[1],
                              .stride_h = stride[0],
                              .stride_w = stride[1],
                              .dilation_h = dilation[0],
                              .dilation_w = dilation[1],
                              .top = pad[0],
                              .left = pad[1],
                              .bottom = pad[2],
                              .right = pad[3]};
    return true;
}

/* [out][in][places] becomes [out][places][in] */
static float *channels_last(struct compiler *k, const struct onnx_tensor *weights)
{
    const size_t in = weights->dim[1];
    const size_t places = weights->dim[2] * weights->dim[3];
    float *arranged = scratch(k, weights->count);

    for (size_t o = 0; arranged && o < weights->dim[0]; o++) {
        for (size_t i = 0; i < in; i++) {
            for (size_t p = 0; p < places; p++)
                arranged[(o * places + p) * in + i] = weights->f[(o * in + i) * places + p];
        }
    }
    return arranged;
}

static bool handle_conv(struct compiler *k, const struct onnx_node *node)
{
    const struct onnx_tensor *weights = need_constant(k, node, 1, ONNX_FLOAT);
    const struct onnx_tensor *bias = NULL;
    int64_t groups = attribute_int(node, "group", 1);
    struct nn_window win = {0};
    struct operand x;
    float *arranged;

    if (!weights || !take_input(k, node, 0, &x) || !as_nchw(k, &x))
        return false;
    if (weights->rank != 4 || weights->count == 0 || groups < 1 || (uint64_t)groups > x.dim[1] ||
        weights->dim[1] * (size_t)groups != x.dim[1])
        return refuse(k, "weights that do not go with %zu channels in %lld groups", x.dim[1], (long long)groups);
    if (input_of(k, node, 2)) {
        bias = need_constant(k, node, 2, ONNX_FLOAT);
        if (!bias)
            return false;
        if (bias->count != weights->dim[0])
            return refuse(k, "a bias of another size");
    }
    if (!window_of(k, node, &x, &weights->dim[2], &win))
        return false;
    arranged = channels_last(k, weights);
    if (!arranged)
        return false;
    x = nchw_operand(k, nn_build_convolution(k->builder, x.value, &win, (size_t)groups, weights->dim[0], arranged,
                                             bias ? bias->f : NULL));
    return set_output(k, node, 0, &x);
}

/* Brings x to where its ONNX channels (dimension 1) are the value's channels; says how many. */
static bool with_channels(struct compiler *k, struct operand *x, size_t *channels)
{
    if (x->rank != 4 && x->rank != 2)
        return refuse(k, "a tensor of %zu dimensions", x->rank);
    *channels = x->dim[1];
    return x->rank == 4 ? as_nchw(k, x) : as_rows(k, x);
}

static bool handle_batch_normalization(struct compiler *k, const struct onnx_node *node)
{
    const float epsilon = attribute_float(node, "epsilon", 1e-5F);
    const struct onnx_tensor *part[4]; /* scale, shift, mean, variance */
    struct operand x;
    size_t channels = 0;
    float *affine;

    if (!take_input(k, node, 0, &x) || !with_channels(k, &x, &channels))
        return false;
    for (size_t i = 0; i < 4; i++) {
        part[i] = need_constant(k, node, i + 1, ONNX_FLOAT);
        if (!part[i])
            return false;
        if (part[i]->count != channels)
            return refuse(k, "parameters for %zu instead of %zu channels", part[i]->count, channels);
    }
    affine = scratch(k, 2 * channels);
    if (!affine)
        return false;
    for (size_t i = 0; i < channels; i++) {
        affine[i] = part[0]->f[i] / sqrtf(part[3]->f[i] + epsilon);
        affine[channels + i] = part[1]->f[i] - part[2]->f[i] * affine[i];
    }
    x.value = nn_build_affine(k->builder, x.value, affine, affine + channels);
    return set_output(k, node, 0, &x);
}

/* PRelu's slope: one number, or one per channel. */
static bool handle_prelu(struct compiler *k, const struct onnx_node *node)
{
    const struct onnx_tensor *slope = need_constant(k, node, 1, ONNX_FLOAT);
    struct operand x;
    size_t channels = 0;
    float *each;

    if (!slope || !take_input(k, node, 0, &x) || !with_channels(k, &x, &channels))
        return false;
    if (slope->count != 1 && (slope->count != channels || slope->rank > x.rank ||
                              (x.rank == 4 && (slope->rank < 3 || slope->dim[slope->rank - 3] != channels))))
        return refuse(k, "slopes that are not one per channel");
    each = scratch(k, channels);
    if (!each)
        return false;
    for (size_t i = 0; i < channels; i++)
        each[i] = slope->f[slope->count == 1 ? 0 : i];
    x.value = nn_build_prelu(k->builder, x.value, each);
    return set_output(k, node, 0, &x);
}

static bool handle_leaky_relu(struct compiler *k, const struct onnx_node *node)
{
    const float alpha = attribute_float(node, "alpha", 0.01F);
    struct operand x;
    size_t h, w, channels;
    float *each;

    if (!take_input(k, node, 0, &x) || !as_value(k, &x))
        return false;
    nn_builder_sizes(k->builder, x.value, &h, &w, &channels);
    each = scratch(k, channels);
    if (!each)
        return false;
    for (size_t i = 0; i < channels; i++)
        each[i] = alpha;
    x.value = nn_build_prelu(k->builder, x.value, each);
    return set_output(k, node, 0, &x);
}

/* Clip's bound: an attribute or an input. */
static bool bound_of(struct compiler *k, const struct onnx_node *node, const char *name, size_t index, float *bound)
{
    const struct onnx_tensor *tensor;

    *bound = attribute_float(node, name, *bound);
    if (!input_of(k, node, index))
        return true;
    tensor = need_constant(k, node, index, ONNX_FLOAT);
    if (!tensor)
        return false;
    if (tensor->count != 1)
        return refuse(k, "a bound that is not one number");
    *bound = tensor->f[0];
    return true;
}

static bool handle_clip(struct compiler *k, const struct onnx_node *node)
{
    float minimum = -INFINITY;
    float maximum = INFINITY;
    struct operand x;

    if (!take_input(k, node, 0, &x) || !as_value(k, &x) || !bound_of(k, node, "min", 1, &minimum) ||
        !bound_of(k, node, "max", 2, &maximum))
        return false;
    x.value = nn_build_clamp(k->builder, x.value, minimum, maximum);
    return set_output(k, node, 0, &x);
}

/* Operators of one input that work number by number. */
static bool handle_unary(struct compiler *k, const struct onnx_node *node)
{
    struct operand x;

    if (!take_input(k, node, 0, &x) || !as_value(k, &x))
        return false;
    if (onnx_is(node->op, "Relu"))
        x.value = nn_build_clamp(k->builder, x.value, 0, INFINITY);
    else if (onnx_is(node->op, "Sigmoid"))
        x.value = nn_build_sigmoid(k->builder, x.value);
    else if (onnx_is(node->op, "Tanh"))
        x.value = nn_build_tanh(k->builder, x.value);
    else
        x.value = nn_build_exp(k->builder, x.value);
    return set_output(k, node, 0, &x);
}

static bool handle_softmax(struct compiler *k, const struct onnx_node *node)
{
    const bool flattens = k->graph.opset < 13; /* it then took all dimensions from the axis on as one */
    struct operand x;
    size_t axis;

    if (!take_input(k, node, 0, &x) || !as_value(k, &x) ||
        !axis_of(k, attribute_int(node, "axis", flattens ? 1 : -1), x.rank, &axis))
        return false;
    if (axis == 1 && is_nchw(k, &x) && (!flattens || x.dim[2] * x.dim[3] == 1)) {
        x.value = nn_build_softmax(k->builder, x.value);
        return set_output(k, node, 0, &x);
    }
    if (axis != x.rank - 1)
        return refuse(k, "axis %zu of %zu", axis, x.rank);
    if (!as_rows(k, &x))
        return false;
    x.value = nn_build_softmax(k->builder, x.value);
    return set_output(k, node, 0, &x);
}

/* With ceil_mode, is there a last window that would hang over the padding? */
static bool hangs_over(size_t input, size_t before, size_t after, size_t kernel, size_t dilation, size_t stride)
{
    size_t reach = (kernel - 1) * dilation + 1;

    return stride > 0 && input + before + after >= reach && (input + before + after - reach) % stride != 0;
}

static bool handle_pool(struct compiler *k, const struct onnx_node *node)
{
    const bool average = onnx_is(node->op, "AveragePool");
    struct nn_window win = {0};
    struct operand x;

    if (!take_input(k, node, 0, &x) || !as_nchw(k, &x) || !window_of(k, node, &x, NULL, &win))
        return false;
    if (attribute_int(node, "ceil_mode", 0) != 0 &&
        (hangs_over(x.dim[2], win.top, win.bottom, win.kernel_h, win.dilation_h, win.stride_h) ||
         hangs_over(x.dim[3], win.left, win.right, win.kernel_w, win.dilation_w, win.stride_w)))
        return refuse(k, "ceil_mode");
    if (average && attribute_int(node, "count_include_pad", 0) != 0) {
        x.value = nn_build_pad(k->builder, x.value, win.top, win.right, win.bottom, win.left, 0);
        win.top = win.right = win.bottom = win.left = 0;
    }
    x = nchw_operand(k, average ? nn_build_average_pool(k->builder, x.value, &win)
                                : nn_build_max_pool(k->builder, x.value, &win));
    return set_output(k, node, 0, &x);
}

static bool handle_global_average(struct compiler *k, const struct onnx_node *node)
{
    struct operand x;

    if (!take_input(k, node, 0, &x) || !as_nchw(k, &x))
        return false;
    x = nchw_operand(k, nn_build_global_average(k->builder, x.value));
    return set_output(k, node, 0, &x);
}

/* The mean over rows and columns; no other. */
static bool handle_reduce_mean(struct compiler *k, const struct onnx_node *node)
{
    int64_t axes[2];
    bool present;
    size_t n, first, second;
    struct operand x;

    if (!take_input(k, node, 0, &x) || !as_nchw(k, &x) || !integers_of(k, node, "axes", 1, axes, 2, &n, &present))
        return false;
    if (n != 2)
        return refuse(k, "a mean not over rows and columns");
    if (!axis_of(k, axes[0], 4, &first) || !axis_of(k, axes[1], 4, &second))
        return false;
    if (first + second != 5 || (first != 2 && first != 3))
        return refuse(k, "a mean not over rows and columns");
    x = nchw_operand(k, nn_build_global_average(k->builder, x.value));
    if (attribute_int(node, "keepdims", 1) == 0)
        x.rank = 2;
    return set_output(k, node, 0, &x);
}

/* Weights [out][in] from B, whose strides are given. If x is a picture that was flattened, ONNX' order of the inputs
 * is channel by channel, ours place by place. */
static float *matrix(struct compiler *k, const struct onnx_tensor *b, size_t in_step, size_t out_step, size_t in,
                     size_t out, float alpha, size_t channels)
{
    const size_t places = in / channels;
    float *arranged = scratch(k, b->count);

    for (size_t o = 0; arranged && o < out; o++) {
        for (size_t i = 0; i < in; i++) {
            size_t ours = i % places * channels + i / places;
            arranged[o * in + ours] = alpha * b->f[i * in_step + o * out_step];
        }
    }
    return arranged;
}

static bool multiply(struct compiler *k, const struct onnx_node *node, bool transposed, float alpha, const float *bias)
{
    const struct onnx_tensor *b = need_constant(k, node, 1, ONNX_FLOAT);
    size_t h, w, c, in, out;
    struct operand x;
    float *weights;

    if (!b || !take_input(k, node, 0, &x) || !as_value(k, &x))
        return false;
    if (b->rank != 2 || b->count == 0 || x.rank < 2)
        return refuse(k, "not a multiplication with a matrix");
    in = b->dim[transposed ? 1 : 0];
    out = b->dim[transposed ? 0 : 1];
    if (x.dim[x.rank - 1] != in)
        return refuse(k, "%zu numbers multiplied with a matrix for %zu", x.dim[x.rank - 1], in);
    nn_builder_sizes(k->builder, x.value, &h, &w, &c);
    if (x.hwc && h * w * c == in) {
        weights = matrix(k, b, transposed ? 1 : out, transposed ? in : 1, in, out, alpha, c);
        x.value = nn_build_reshape(k->builder, x.value, 1, 1, in);
        x.hwc = false;
    } else {
        weights = as_rows(k, &x) ? matrix(k, b, transposed ? 1 : out, transposed ? in : 1, in, out, alpha, in) : NULL;
    }
    if (!weights)
        return false;
    x.value = nn_build_linear(k->builder, x.value, out, weights, bias);
    x.dim[x.rank - 1] = out;
    return set_output(k, node, 0, &x);
}

static bool handle_gemm(struct compiler *k, const struct onnx_node *node)
{
    const bool transposed = attribute_int(node, "transB", 0) != 0;
    const float beta = attribute_float(node, "beta", 1);
    const struct onnx_tensor *b = need_constant(k, node, 1, ONNX_FLOAT);
    const struct onnx_tensor *addend = NULL;
    float *bias = NULL;

    if (!b)
        return false;
    if (attribute_int(node, "transA", 0) != 0)
        return refuse(k, "transA");
    if (b->rank == 2 && input_of(k, node, 2)) {
        size_t out = b->dim[transposed ? 0 : 1];
        addend = need_constant(k, node, 2, ONNX_FLOAT);
        if (!addend)
            return false;
        if (addend->count != 1 && (addend->count != out || addend->rank == 0 || addend->dim[addend->rank - 1] != out))
            return refuse(k, "an addend that is not one number per column");
        bias = scratch(k, out);
        for (size_t i = 0; bias && i < out; i++)
            bias[i] = beta * addend->f[addend->count == 1 ? 0 : i];
        if (!bias)
            return false;
    }
    return multiply(k, node, transposed, attribute_float(node, "alpha", 1), bias);
}

static bool handle_matmul(struct compiler *k, const struct onnx_node *node)
{
    return multiply(k, node, false, 1, NULL);
}

static bool handle_pad(struct compiler *k, const struct onnx_node *node)
{
    struct pb_span mode = attribute_text(node, "mode");
    int64_t pad[2 * ONNX_MAX_RANK];
    float value = attribute_float(node, "value", 0);
    bool present, any = false;
    struct operand x;
    size_t n;

    if (!take_input(k, node, 0, &x) || !integers_of(k, node, "pads", 1, pad, 2 * ONNX_MAX_RANK, &n, &present) ||
        !bound_of(k, node, "value", 2, &value))
        return false;
    if (n != 2 * x.rank || input_of(k, node, 3))
        return refuse(k, "padding for other dimensions");
    for (size_t i = 0; i < n; i++)
        any = any || pad[i] != 0;
    if (!any)
        return set_output(k, node, 0, &x);
    if (mode.size > 0 && !onnx_is(mode, "constant"))
        return refuse(k, "padding that is not constant");
    if (!as_nchw(k, &x))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (pad[i] < 0 || pad[i] > 65535 || (i % 4 < 2 && pad[i] != 0))
            return refuse(k, "padding that is not around the picture");
    }
    x = nchw_operand(
        k, nn_build_pad(k->builder, x.value, (size_t)pad[2], (size_t)pad[7], (size_t)pad[6], (size_t)pad[3], value));
    return set_output(k, node, 0, &x);
}

node_handler layer_handler(struct pb_span op)
{
    static const struct {
        const char *op;
        node_handler handler;
    } handlers[] = {
        {"Conv", handle_conv},
        {"BatchNormalization", handle_batch_normalization},
        {"PRelu", handle_prelu},
        {"LeakyRelu", handle_leaky_relu},
        {"Clip", handle_clip},
        {"Relu", handle_unary},
        {"Sigmoid", handle_unary},
        {"Tanh", handle_unary},
        {"Exp", handle_unary},
        {"Softmax", handle_softmax},
        {"MaxPool", handle_pool},
        {"AveragePool", handle_pool},
        {"GlobalAveragePool", handle_global_average},
        {"ReduceMean", handle_reduce_mean},
        {"Gemm", handle_gemm},
        {"MatMul", handle_matmul},
        {"Pad", handle_pad},
    };

    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (onnx_is(op, handlers[i].op))
            return handlers[i].handler;
    }
    return NULL;
}
