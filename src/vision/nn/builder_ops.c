/* The operators of a builder: each checks what it is given and says how large its result is. */
#include <math.h>
#include <stdlib.h>

#include "vision/nn/builder_private.h"

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
    if (*h == 0 || *w == 0 || !nn_within(*h, *w, win->kernel_h, win->kernel_w, 2)) {
        nn_builder_fail(b, "a window of %zu x %zu does not fit on %zu x %zu", win->kernel_h, win->kernel_w, in->h,
                        in->w);
        return false;
    }
    return true;
}

nn_value nn_build_convolution(struct nn_builder *b, nn_value x, const struct nn_window *window, size_t groups,
                              size_t out_c, const float *weights, const float *bias)
{
    const struct nn_op *in = nn_builder_get(b, x);
    size_t h, w, group_c;
    nn_value y;

    if (!in || !slide(b, in, window, &h, &w))
        return NN_NO_VALUE;
    if (groups == 0 || out_c == 0 || in->c % groups != 0 || out_c % groups != 0)
        return nn_builder_fail(b, "%zu to %zu channels in %zu groups", in->c, out_c, groups);
    group_c = in->c / groups;
    /* XNNPACK pads each group's weights up to its tile: bounded like the weights themselves. */
    if (!nn_within(out_c / groups + 31, groups, window->kernel_h, window->kernel_w, group_c + 3))
        return nn_builder_fail(b, "too many weights");
    y = nn_builder_push(b, NN_CONVOLUTION, &x, 1, h, w, out_c);
    y = nn_builder_equip(b, y, weights, out_c * window->kernel_h * window->kernel_w * group_c, bias, out_c);
    if (y != NN_NO_VALUE) {
        b->net.op[y].window = *window;
        b->net.op[y].groups = groups;
    }
    return y;
}

nn_value nn_build_linear(struct nn_builder *b, nn_value x, size_t out_c, const float *weights, const float *bias)
{
    const struct nn_window point = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    const struct nn_op *in = nn_builder_get(b, x);
    size_t h, w;
    nn_value y;

    if (!in)
        return NN_NO_VALUE;
    h = in->h;
    w = in->w;
    if (!nn_within(out_c, in->c, 1, 1, 1))
        return nn_builder_fail(b, "too many weights");
    y = nn_builder_push(b, NN_CONVOLUTION, &x, 1, h, w, out_c);
    y = nn_builder_equip(b, y, weights, out_c * b->net.op[x].c, bias, out_c);
    if (y != NN_NO_VALUE) {
        b->net.op[y].window = point;
        b->net.op[y].groups = 1;
    }
    return y;
}

/* An operator whose result has its input's sizes. */
static nn_value push_like(struct nn_builder *b, enum nn_kind kind, nn_value x)
{
    const struct nn_op *in = nn_builder_get(b, x);

    return in ? nn_builder_push(b, kind, &x, 1, in->h, in->w, in->c) : NN_NO_VALUE;
}

nn_value nn_build_affine(struct nn_builder *b, nn_value x, const float *scale, const float *shift)
{
    nn_value y = push_like(b, NN_AFFINE, x);
    size_t c = y == NN_NO_VALUE ? 0 : b->net.op[y].c;

    return nn_builder_equip(b, y, scale, c, shift, c);
}

nn_value nn_build_prelu(struct nn_builder *b, nn_value x, const float *slope)
{
    nn_value y = push_like(b, NN_PRELU, x);

    return nn_builder_equip(b, y, slope, y == NN_NO_VALUE ? 0 : b->net.op[y].c, NULL, 0);
}

nn_value nn_build_clamp(struct nn_builder *b, nn_value x, float minimum, float maximum)
{
    nn_value y;

    if (!(minimum < maximum)) /* so that NaN is caught, too */
        return nn_builder_fail(b, "a clamp to nothing");
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
    const struct nn_op *in = nn_builder_get(b, x);
    float *both;
    size_t c;
    nn_value y;

    if (!in)
        return NN_NO_VALUE;
    c = in->c;
    both = malloc(2 * c * sizeof *both);
    if (!both)
        return nn_builder_fail(b, "out of memory");
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
    const struct nn_op *left = nn_builder_get(b, x);
    const struct nn_op *right = nn_builder_get(b, y);
    const struct nn_op *wide;
    const nn_value in[2] = {x, y};

    if (!left || !right)
        return NN_NO_VALUE;
    if ((nn_places(left) != nn_places(right) && nn_places(left) != 1 && nn_places(right) != 1) ||
        (left->c != right->c && left->c != 1 && right->c != 1))
        return nn_builder_fail(b, "%zu x %zu x %zu and %zu x %zu x %zu do not go together", left->h, left->w, left->c,
                               right->h, right->w, right->c);
    wide = nn_places(left) >= nn_places(right) ? left : right;
    return nn_builder_push(b, kinds[kind], in, 2, wide->h, wide->w, left->c > right->c ? left->c : right->c);
}

static nn_value build_pool(struct nn_builder *b, enum nn_kind kind, nn_value x, const struct nn_window *win)
{
    const struct nn_op *in = nn_builder_get(b, x);
    size_t h, w;
    nn_value y;

    if (!in || !slide(b, in, win, &h, &w))
        return NN_NO_VALUE;
    if (in->c > NN_MAX_STACK_C)
        return nn_builder_fail(b, "a pool of %zu channels", in->c);
    if (win->top >= win->kernel_h || win->bottom >= win->kernel_h || win->left >= win->kernel_w ||
        win->right >= win->kernel_w)
        return nn_builder_fail(b, "a pool's padding is as large as its window");
    if (kind == NN_AVERAGE_POOL && (win->dilation_h != 1 || win->dilation_w != 1))
        return nn_builder_fail(b, "an average pool with dilation");
    if (win->kernel_h == 1 && win->kernel_w == 1) {
        if (win->stride_h == 1 && win->stride_w == 1)
            return x;
        return nn_builder_fail(b, "a pool of one place");
    }
    y = nn_builder_push(b, kind, &x, 1, h, w, in->c);
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
    const struct nn_op *in = nn_builder_get(b, x);

    if (!in)
        return NN_NO_VALUE;
    if (in->c > NN_MAX_STACK_C)
        return nn_builder_fail(b, "a pool of %zu channels", in->c);
    return nn_builder_push(b, NN_GLOBAL_AVERAGE, &x, 1, 1, 1, in->c);
}

nn_value nn_build_concat(struct nn_builder *b, const nn_value *x, size_t count, enum nn_axis axis)
{
    const struct nn_op *first = count > 0 ? nn_builder_get(b, x[0]) : NULL;
    size_t h, w, c;
    nn_value y;

    if (!first)
        return b->failed ? NN_NO_VALUE : nn_builder_fail(b, "a concatenation of nothing");
    if (count == 1)
        return x[0];
    h = first->h;
    w = first->w;
    c = first->c;
    for (size_t i = 1; i < count; i++) {
        const struct nn_op *next = nn_builder_get(b, x[i]);
        if (!next)
            return NN_NO_VALUE;
        if (axis == NN_AXIS_CHANNELS) {
            if (next->h != h || next->w != w)
                return nn_builder_fail(b, "a concatenation of %zu x %zu and %zu x %zu places", h, w, next->h, next->w);
            c += next->c;
        } else {
            if (next->c != c)
                return nn_builder_fail(b, "a concatenation of places of %zu and %zu channels", c, next->c);
            h = next->w == w ? h + next->h : h * w + nn_places(next);
            w = next->w == w ? w : 1;
        }
        if (!nn_within(h, w, c, 1, 1))
            return nn_builder_fail(b, "a concatenation is too large");
    }
    y = nn_builder_push(b, NN_CONCAT, x, count, h, w, c);
    if (y != NN_NO_VALUE)
        b->net.op[y].axis = axis;
    return y;
}

nn_value nn_build_slice(struct nn_builder *b, nn_value x, enum nn_axis axis, size_t first, size_t count)
{
    const struct nn_op *in = nn_builder_get(b, x);
    size_t all;
    nn_value y;

    if (!in)
        return NN_NO_VALUE;
    all = axis == NN_AXIS_CHANNELS ? in->c : nn_places(in);
    if (count == 0 || first > all || count > all - first)
        return nn_builder_fail(b, "a slice of %zu from %zu out of %zu", count, first, all);
    if (count == all)
        return x;
    if (axis == NN_AXIS_CHANNELS)
        y = nn_builder_push(b, NN_SLICE, &x, 1, in->h, in->w, count);
    else
        y = nn_builder_push(b, NN_SLICE, &x, 1, count, 1, in->c);
    if (y != NN_NO_VALUE) {
        b->net.op[y].axis = axis;
        b->net.op[y].first = first;
    }
    return y;
}

nn_value nn_build_shuffle(struct nn_builder *b, nn_value x, size_t groups)
{
    const struct nn_op *in = nn_builder_get(b, x);
    nn_value y;

    if (!in)
        return NN_NO_VALUE;
    if (groups == 0 || in->c % groups != 0)
        return nn_builder_fail(b, "a shuffle of %zu channels in %zu groups", in->c, groups);
    if (groups == 1 || groups == in->c)
        return x;
    y = push_like(b, NN_SHUFFLE, x);
    if (y != NN_NO_VALUE)
        b->net.op[y].groups = groups;
    return y;
}

nn_value nn_build_reshape(struct nn_builder *b, nn_value x, size_t h, size_t w, size_t c)
{
    const struct nn_op *in = nn_builder_get(b, x);

    if (!in)
        return NN_NO_VALUE;
    if (!nn_within(h, w, c, 1, 1) || h * w * c != nn_places(in) * in->c)
        return nn_builder_fail(b, "%zu x %zu x %zu reshaped to %zu x %zu x %zu", in->h, in->w, in->c, h, w, c);
    if (h == in->h && w == in->w && c == in->c)
        return x;
    return nn_builder_push(b, NN_RESHAPE, &x, 1, h, w, c);
}

nn_value nn_build_transpose(struct nn_builder *b, nn_value x)
{
    const struct nn_op *in = nn_builder_get(b, x);

    if (!in)
        return NN_NO_VALUE;
    if (nn_places(in) == 1 || in->c == 1)
        return nn_build_reshape(b, x, in->c, 1, nn_places(in));
    return nn_builder_push(b, NN_TRANSPOSE, &x, 1, in->c, 1, nn_places(in));
}

nn_value nn_build_pad(struct nn_builder *b, nn_value x, size_t top, size_t right, size_t bottom, size_t left,
                      float value)
{
    const struct nn_op *in = nn_builder_get(b, x);
    nn_value y;

    if (!in)
        return NN_NO_VALUE;
    if (top + right + bottom + left == 0)
        return x;
    if (top > NN_MAX_SIDE || right > NN_MAX_SIDE || bottom > NN_MAX_SIDE || left > NN_MAX_SIDE)
        return nn_builder_fail(b, "too much padding");
    y = nn_builder_push(b, NN_PAD, &x, 1, in->h + top + bottom, in->w + left + right, in->c);
    if (y != NN_NO_VALUE) {
        b->net.op[y].window.top = top;
        b->net.op[y].window.right = right;
        b->net.op[y].window.bottom = bottom;
        b->net.op[y].window.left = left;
        b->net.op[y].pad_value = value;
    }
    return y;
}
