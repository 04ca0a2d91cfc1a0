#include "vision/nn/builder.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vision/nn/ir.h"

struct nn_builder {
    struct nn_network net;
    size_t elements; /* of all weights so far */
    bool failed;
    struct aibox_error error;
};

/* Keeps the first failure and returns NN_NO_VALUE. */
__attribute__((format(printf, 2, 3))) static nn_value fail(struct nn_builder *b, const char *format, ...)
{
    char text[256];
    va_list args;

    if (b->failed)
        return NN_NO_VALUE;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    b->failed = true;
    error_set(&b->error, AIBOX_PROCESS_FAILED, "%s", text);
    return NN_NO_VALUE;
}

enum aibox_status nn_builder_open(struct nn_builder **out, struct aibox_error *err)
{
    struct nn_builder *b = calloc(1, sizeof *b);

    if (!b)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    b->net.input = NN_NO_VALUE;
    *out = b;
    return AIBOX_OK;
}

void nn_builder_free(struct nn_builder *builder)
{
    if (!builder)
        return;
    nn_network_free(&builder->net);
    free(builder);
}

bool nn_builder_failed(const struct nn_builder *builder, struct aibox_error *err)
{
    if (builder->failed && err)
        *err = builder->error;
    return builder->failed;
}

static const struct nn_op *get(struct nn_builder *b, nn_value x)
{
    if (b->failed)
        return NULL;
    if (x >= b->net.n_ops) {
        fail(b, "an operator's input does not exist");
        return NULL;
    }
    return &b->net.op[x];
}

void nn_builder_sizes(const struct nn_builder *builder, nn_value x, size_t *h, size_t *w, size_t *c)
{
    bool known = x < builder->net.n_ops;

    *h = known ? builder->net.op[x].h : 0;
    *w = known ? builder->net.op[x].w : 0;
    *c = known ? builder->net.op[x].c : 0;
}

/* False when the product of up to five sizes is 0 or above the bound of one tensor. */
static bool within(size_t a, size_t b, size_t c, size_t d, size_t e)
{
    const size_t factor[] = {a, b, c, d, e};
    size_t product = 1;

    for (size_t i = 0; i < 5; i++) {
        if (factor[i] == 0 || factor[i] > NN_MAX_ELEMENTS / product)
            return false;
        product *= factor[i];
    }
    return true;
}

/* Room for one more operator with n_in inputs. */
static bool reserve(struct nn_builder *b, size_t n_in)
{
    struct nn_network *net = &b->net;

    if (net->n_ops == NN_MAX_OPS || n_in > NN_MAX_INPUTS - net->n_in) {
        fail(b, "too many operators");
        return false;
    }
    if (net->n_ops == net->capacity) {
        size_t capacity = net->capacity ? net->capacity * 2 : 64;
        struct nn_op *grown = realloc(net->op, capacity * sizeof *grown);
        if (!grown)
            goto out_of_memory;
        net->op = grown;
        net->capacity = capacity;
    }
    if (n_in > net->in_capacity - net->n_in) {
        size_t capacity = net->in_capacity * 2 + n_in + 64;
        nn_value *grown = realloc(net->in, capacity * sizeof *grown);
        if (!grown)
            goto out_of_memory;
        net->in = grown;
        net->in_capacity = capacity;
    }
    return true;
out_of_memory:
    fail(b, "out of memory");
    return false;
}

/* Appends an operator; further fields are filled in by the caller through b->net.op[value]. */
static nn_value push(struct nn_builder *b, enum nn_kind kind, const nn_value *in, size_t n_in, size_t h, size_t w,
                     size_t c)
{
    struct nn_network *net = &b->net;

    if (b->failed)
        return NN_NO_VALUE;
    if (!within(h, w, c, 1, 1))
        return fail(b, "a tensor of %zu x %zu x %zu is not possible", h, w, c);
    if (!reserve(b, n_in))
        return NN_NO_VALUE;
    net->op[net->n_ops] = (struct nn_op){
        .kind = kind,
        .h = h,
        .w = w,
        .c = c,
        .first_in = net->n_in,
        .n_in = n_in,
        .minimum = -INFINITY,
        .maximum = INFINITY,
    };
    for (size_t i = 0; i < n_in; i++)
        net->in[net->n_in++] = in[i];
    return (nn_value)net->n_ops++;
}

/* A copy of `count` floats, counted against the bound of all weights. XNNPACK reads some bytes past a tensor's end,
 * and constants are tensors: hence the slack. */
static float *keep(struct nn_builder *b, const float *data, size_t count)
{
    const size_t slack = 16;
    float *copy;

    if (count > NN_MAX_ELEMENTS - b->elements) {
        fail(b, "too many weights");
        return NULL;
    }
    copy = malloc((count + slack) * sizeof *copy);
    if (!copy) {
        fail(b, "out of memory");
        return NULL;
    }
    memcpy(copy, data, count * sizeof *copy);
    memset(copy + count, 0, slack * sizeof *copy);
    b->elements += count;
    return copy;
}

/* Gives the operator its weights and bias (either may be NULL). */
static nn_value equip(struct nn_builder *b, nn_value x, const float *weights, size_t n_weights, const float *bias,
                      size_t n_bias)
{
    if (x == NN_NO_VALUE)
        return x;
    if (weights) {
        b->net.op[x].weights = keep(b, weights, n_weights);
        if (!b->net.op[x].weights)
            return NN_NO_VALUE;
    }
    if (bias) {
        b->net.op[x].bias = keep(b, bias, n_bias);
        if (!b->net.op[x].bias)
            return NN_NO_VALUE;
    }
    return x;
}

nn_value nn_build_input(struct nn_builder *b, size_t h, size_t w, size_t c)
{
    if (!b->failed && b->net.input != NN_NO_VALUE)
        return fail(b, "a second input");
    return b->net.input = push(b, NN_INPUT, NULL, 0, h, w, c);
}

nn_value nn_build_constant(struct nn_builder *b, size_t h, size_t w, size_t c, const float *data)
{
    nn_value x = push(b, NN_CONSTANT, NULL, 0, h, w, c);

    return equip(b, x, data, h * w * c, NULL, 0);
}

static size_t same_padding(size_t kernel, size_t stride, size_t input)
{
    size_t covered = ((input + stride - 1) / stride - 1) * stride + kernel;

    return covered > input ? covered - input : 0;
}

struct nn_window nn_window_same(size_t kernel, size_t stride, size_t input_h, size_t input_w)
{
    size_t vertical = same_padding(kernel, stride, input_h);
    size_t horizontal = same_padding(kernel, stride, input_w);

    return (struct nn_window){
        .kernel_h = kernel,
        .kernel_w = kernel,
        .stride_h = stride,
        .stride_w = stride,
        .dilation_h = 1,
        .dilation_w = 1,
        .top = vertical / 2,
        .bottom = vertical - vertical / 2,
        .left = horizontal / 2,
        .right = horizontal - horizontal / 2,
    };
}

/* How many positions a window has along one side; 0 when it is not possible. */
static size_t positions(size_t input, size_t before, size_t after, size_t kernel, size_t stride, size_t dilation)
{
    size_t reach;

    if (input > NN_MAX_SIDE || before > 255 || after > 255 || kernel < 1 || kernel > 256 || stride < 1 ||
        stride > 256 || dilation < 1 || dilation > 256)
        return 0;
    reach = (kernel - 1) * dilation + 1;
    if (reach > input + before + after)
        return 0;
    return (input + before + after - reach) / stride + 1;
}

static bool slide(struct nn_builder *b, const struct nn_op *in, const struct nn_window *win, size_t *h, size_t *w)
{
    *h = positions(in->h, win->top, win->bottom, win->kernel_h, win->stride_h, win->dilation_h);
    *w = positions(in->w, win->left, win->right, win->kernel_w, win->stride_w, win->dilation_w);
    /* XNNPACK keeps one pointer per output place and window position */
    if (*h == 0 || *w == 0 || !within(*h, *w, win->kernel_h, win->kernel_w, 2)) {
        fail(b, "a window of %zu x %zu does not fit on %zu x %zu", win->kernel_h, win->kernel_w, in->h, in->w);
        return false;
    }
    return true;
}

nn_value nn_build_convolution(struct nn_builder *b, nn_value x, const struct nn_window *window, size_t groups,
                              size_t out_c, const float *weights, const float *bias)
{
    const struct nn_op *in = get(b, x);
    size_t h, w, group_c;
    nn_value y;

    if (!in || !slide(b, in, window, &h, &w))
        return NN_NO_VALUE;
    if (groups == 0 || out_c == 0 || in->c % groups != 0 || out_c % groups != 0)
        return fail(b, "%zu to %zu channels in %zu groups", in->c, out_c, groups);
    group_c = in->c / groups;
    /* XNNPACK pads each group's weights up to its tile: bounded like the weights themselves. */
    if (!within(out_c / groups + 31, groups, window->kernel_h, window->kernel_w, group_c + 3))
        return fail(b, "too many weights");
    y = push(b, NN_CONVOLUTION, &x, 1, h, w, out_c);
    y = equip(b, y, weights, out_c * window->kernel_h * window->kernel_w * group_c, bias, out_c);
    if (y != NN_NO_VALUE) {
        b->net.op[y].window = *window;
        b->net.op[y].groups = groups;
    }
    return y;
}

nn_value nn_build_linear(struct nn_builder *b, nn_value x, size_t out_c, const float *weights, const float *bias)
{
    const struct nn_window point = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    const struct nn_op *in = get(b, x);
    size_t h, w;
    nn_value y;

    if (!in)
        return NN_NO_VALUE;
    h = in->h;
    w = in->w;
    if (!within(out_c, in->c, 1, 1, 1))
        return fail(b, "too many weights");
    y = push(b, NN_CONVOLUTION, &x, 1, h, w, out_c);
    y = equip(b, y, weights, out_c * b->net.op[x].c, bias, out_c);
    if (y != NN_NO_VALUE) {
        b->net.op[y].window = point;
        b->net.op[y].groups = 1;
    }
    return y;
}

/* An operator whose result has its input's sizes. */
static nn_value push_like(struct nn_builder *b, enum nn_kind kind, nn_value x)
{
    const struct nn_op *in = get(b, x);

    return in ? push(b, kind, &x, 1, in->h, in->w, in->c) : NN_NO_VALUE;
}

nn_value nn_build_affine(struct nn_builder *b, nn_value x, const float *scale, const float *shift)
{
    nn_value y = push_like(b, NN_AFFINE, x);
    size_t c = y == NN_NO_VALUE ? 0 : b->net.op[y].c;

    return equip(b, y, scale, c, shift, c);
}

nn_value nn_build_prelu(struct nn_builder *b, nn_value x, const float *slope)
{
    nn_value y = push_like(b, NN_PRELU, x);

    return equip(b, y, slope, y == NN_NO_VALUE ? 0 : b->net.op[y].c, NULL, 0);
}

nn_value nn_build_clamp(struct nn_builder *b, nn_value x, float minimum, float maximum)
{
    nn_value y;

    if (!(minimum < maximum)) /* so that NaN is caught, too */
        return fail(b, "a clamp to nothing");
    y = push_like(b, NN_CLAMP, x);
    if (y != NN_NO_VALUE) {
        b->net.op[y].minimum = minimum;
        b->net.op[y].maximum = maximum;
    }
    return y;
}

nn_value nn_build_sigmoid(struct nn_builder *b, nn_value x)
{
    return push_like(b, NN_SIGMOID, x);
}

/* x · scale + shift, the same for all channels. */
static nn_value uniform_affine(struct nn_builder *b, nn_value x, float scale, float shift)
{
    const struct nn_op *in = get(b, x);
    float *both;
    size_t c;
    nn_value y;

    if (!in)
        return NN_NO_VALUE;
    c = in->c;
    both = malloc(2 * c * sizeof *both);
    if (!both)
        return fail(b, "out of memory");
    for (size_t i = 0; i < c; i++) {
        both[i] = scale;
        both[c + i] = shift;
    }
    y = nn_build_affine(b, x, both, both + c);
    free(both);
    return y;
}

nn_value nn_build_tanh(struct nn_builder *b, nn_value x)
{
    /* XNNPACK has no tanh: tanh(x) = 2 σ(2x) − 1 */
    return uniform_affine(b, nn_build_sigmoid(b, uniform_affine(b, x, 2, 0)), 2, -1);
}

nn_value nn_build_exp(struct nn_builder *b, nn_value x)
{
    return push_like(b, NN_EXP, x);
}

nn_value nn_build_softmax(struct nn_builder *b, nn_value x)
{
    return push_like(b, NN_SOFTMAX, x);
}

nn_value nn_build_binary(struct nn_builder *b, enum nn_binary kind, nn_value x, nn_value y)
{
    static const enum nn_kind kinds[] = {NN_ADD, NN_SUBTRACT, NN_MULTIPLY, NN_DIVIDE};
    const struct nn_op *left = get(b, x);
    const struct nn_op *right = get(b, y);
    const struct nn_op *wide;
    const nn_value in[2] = {x, y};

    if (!left || !right)
        return NN_NO_VALUE;
    if ((nn_places(left) != nn_places(right) && nn_places(left) != 1 && nn_places(right) != 1) ||
        (left->c != right->c && left->c != 1 && right->c != 1))
        return fail(b, "%zu x %zu x %zu and %zu x %zu x %zu do not go together", left->h, left->w, left->c, right->h,
                    right->w, right->c);
    wide = nn_places(left) >= nn_places(right) ? left : right;
    return push(b, kinds[kind], in, 2, wide->h, wide->w, left->c > right->c ? left->c : right->c);
}

static nn_value build_pool(struct nn_builder *b, enum nn_kind kind, nn_value x, const struct nn_window *win)
{
    const struct nn_op *in = get(b, x);
    size_t h, w;
    nn_value y;

    if (!in || !slide(b, in, win, &h, &w))
        return NN_NO_VALUE;
    if (in->c > NN_MAX_STACK_C)
        return fail(b, "a pool of %zu channels", in->c);
    if (win->top >= win->kernel_h || win->bottom >= win->kernel_h || win->left >= win->kernel_w ||
        win->right >= win->kernel_w)
        return fail(b, "a pool's padding is as large as its window");
    if (kind == NN_AVERAGE_POOL && (win->dilation_h != 1 || win->dilation_w != 1))
        return fail(b, "an average pool with dilation");
    if (win->kernel_h == 1 && win->kernel_w == 1) {
        if (win->stride_h == 1 && win->stride_w == 1)
            return x;
        return fail(b, "a pool of one place");
    }
    y = push(b, kind, &x, 1, h, w, in->c);
    if (y != NN_NO_VALUE)
        b->net.op[y].window = *win;
    return y;
}

nn_value nn_build_max_pool(struct nn_builder *b, nn_value x, const struct nn_window *window)
{
    return build_pool(b, NN_MAX_POOL, x, window);
}

nn_value nn_build_average_pool(struct nn_builder *b, nn_value x, const struct nn_window *window)
{
    return build_pool(b, NN_AVERAGE_POOL, x, window);
}

nn_value nn_build_global_average(struct nn_builder *b, nn_value x)
{
    const struct nn_op *in = get(b, x);

    if (!in)
        return NN_NO_VALUE;
    if (in->c > NN_MAX_STACK_C)
        return fail(b, "a pool of %zu channels", in->c);
    return push(b, NN_GLOBAL_AVERAGE, &x, 1, 1, 1, in->c);
}

nn_value nn_build_concat(struct nn_builder *b, const nn_value *x, size_t count, enum nn_axis axis)
{
    const struct nn_op *first = count > 0 ? get(b, x[0]) : NULL;
    size_t h, w, c;
    nn_value y;

    if (!first)
        return b->failed ? NN_NO_VALUE : fail(b, "a concatenation of nothing");
    if (count == 1)
        return x[0];
    h = first->h;
    w = first->w;
    c = first->c;
    for (size_t i = 1; i < count; i++) {
        const struct nn_op *next = get(b, x[i]);
        if (!next)
            return NN_NO_VALUE;
        if (axis == NN_AXIS_CHANNELS) {
            if (next->h != h || next->w != w)
                return fail(b, "a concatenation of %zu x %zu and %zu x %zu places", h, w, next->h, next->w);
            c += next->c;
        } else {
            if (next->c != c)
                return fail(b, "a concatenation of places of %zu and %zu channels", c, next->c);
            h = next->w == w ? h + next->h : h * w + nn_places(next);
            w = next->w == w ? w : 1;
        }
        if (!within(h, w, c, 1, 1))
            return fail(b, "a concatenation is too large");
    }
    y = push(b, NN_CONCAT, x, count, h, w, c);
    if (y != NN_NO_VALUE)
        b->net.op[y].axis = axis;
    return y;
}

nn_value nn_build_slice(struct nn_builder *b, nn_value x, enum nn_axis axis, size_t first, size_t count)
{
    const struct nn_op *in = get(b, x);
    size_t all;
    nn_value y;

    if (!in)
        return NN_NO_VALUE;
    all = axis == NN_AXIS_CHANNELS ? in->c : nn_places(in);
    if (count == 0 || first > all || count > all - first)
        return fail(b, "a slice of %zu from %zu out of %zu", count, first, all);
    if (count == all)
        return x;
    if (axis == NN_AXIS_CHANNELS)
        y = push(b, NN_SLICE, &x, 1, in->h, in->w, count);
    else
        y = push(b, NN_SLICE, &x, 1, count, 1, in->c);
    if (y != NN_NO_VALUE) {
        b->net.op[y].axis = axis;
        b->net.op[y].first = first;
    }
    return y;
}

nn_value nn_build_shuffle(struct nn_builder *b, nn_value x, size_t groups)
{
    const struct nn_op *in = get(b, x);
    nn_value y;

    if (!in)
        return NN_NO_VALUE;
    if (groups == 0 || in->c % groups != 0)
        return fail(b, "a shuffle of %zu channels in %zu groups", in->c, groups);
    if (groups == 1 || groups == in->c)
        return x;
    y = push_like(b, NN_SHUFFLE, x);
    if (y != NN_NO_VALUE)
        b->net.op[y].groups = groups;
    return y;
}

nn_value nn_build_reshape(struct nn_builder *b, nn_value x, size_t h, size_t w, size_t c)
{
    const struct nn_op *in = get(b, x);

    if (!in)
        return NN_NO_VALUE;
    if (!within(h, w, c, 1, 1) || h * w * c != nn_places(in) * in->c)
        return fail(b, "%zu x %zu x %zu reshaped to %zu x %zu x %zu", in->h, in->w, in->c, h, w, c);
    if (h == in->h && w == in->w && c == in->c)
        return x;
    return push(b, NN_RESHAPE, &x, 1, h, w, c);
}

nn_value nn_build_transpose(struct nn_builder *b, nn_value x)
{
    const struct nn_op *in = get(b, x);

    if (!in)
        return NN_NO_VALUE;
    if (nn_places(in) == 1 || in->c == 1)
        return nn_build_reshape(b, x, in->c, 1, nn_places(in));
    return push(b, NN_TRANSPOSE, &x, 1, in->c, 1, nn_places(in));
}

nn_value nn_build_pad(struct nn_builder *b, nn_value x, size_t top, size_t right, size_t bottom, size_t left,
                      float value)
{
    const struct nn_op *in = get(b, x);
    nn_value y;

    if (!in)
        return NN_NO_VALUE;
    if (top + right + bottom + left == 0)
        return x;
    if (top > NN_MAX_SIDE || right > NN_MAX_SIDE || bottom > NN_MAX_SIDE || left > NN_MAX_SIDE)
        return fail(b, "too much padding");
    y = push(b, NN_PAD, &x, 1, in->h + top + bottom, in->w + left + right, in->c);
    if (y != NN_NO_VALUE) {
        b->net.op[y].window.top = top;
        b->net.op[y].window.right = right;
        b->net.op[y].window.bottom = bottom;
        b->net.op[y].window.left = left;
        b->net.op[y].pad_value = value;
    }
    return y;
}

/* Does the shape that a caller gives an output hold as many floats as the output has? */
static bool fits(const struct nn_shape *shape, const struct nn_op *op)
{
    size_t count = 1;

    if (shape->rank < 1 || shape->rank > 4)
        return false;
    for (size_t i = 0; i < shape->rank; i++) {
        if (!within(count, shape->dim[i], 1, 1, 1))
            return false;
        count *= shape->dim[i];
    }
    return count == nn_places(op) * op->c;
}

static enum aibox_status set_outputs(struct nn_builder *b, const nn_value *outputs, const struct nn_shape *shapes,
                                     size_t n_outputs, struct aibox_error *err)
{
    if (n_outputs == 0 || n_outputs > NN_MAX_PORTS)
        return error_set(err, AIBOX_PROCESS_FAILED, "a model with %zu outputs", n_outputs);
    for (size_t i = 0; i < n_outputs; i++) {
        const struct nn_op *op = get(b, outputs[i]);
        if (!op)
            break;
        b->net.output[i] = outputs[i];
        b->net.output_shape[i] = shapes ? shapes[i] : (struct nn_shape){.rank = 4, .dim = {1, op->h, op->w, op->c}};
        if (!fits(&b->net.output_shape[i], op))
            return error_set(err, AIBOX_PROCESS_FAILED, "output %zu has another shape", i);
    }
    b->net.n_outputs = n_outputs;
    if (nn_builder_failed(b, err))
        return AIBOX_PROCESS_FAILED;
    if (b->net.input == NN_NO_VALUE)
        return error_set(err, AIBOX_PROCESS_FAILED, "a model without input");
    return AIBOX_OK;
}

enum aibox_status nn_builder_finish(struct nn_builder *b, const nn_value *outputs, const struct nn_shape *shapes,
                                    size_t n_outputs, struct nn_model **out, struct aibox_error *err)
{
    struct nn_model *model = NULL;
    enum aibox_status status = set_outputs(b, outputs, shapes, n_outputs, err);

    if (status != AIBOX_OK)
        return status;
    if (nn_count_macs(&b->net) > NN_MAX_MACS)
        return error_set(err, AIBOX_PROCESS_FAILED, "the model needs too many multiplications");
    status = nn_optimise(&b->net, err);
    if (status != AIBOX_OK)
        return status;
    model = calloc(1, sizeof *model);
    if (!model)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    status = nn_plan_make(&b->net, &model->plan, err);
    if (status != AIBOX_OK) {
        free(model);
        return status;
    }
    model->net = b->net;
    b->net = (struct nn_network){.input = NN_NO_VALUE};
    *out = model;
    return AIBOX_OK;
}
