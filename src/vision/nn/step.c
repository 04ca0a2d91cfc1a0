/* From an operator of the network to XNNPACK's. All addresses are final here: the arena does not move. */
#include <string.h>

#include "vision/nn/session.h"

struct context {
    const struct nn_op *op;
    const struct nn_op *in;
    const float *x;
    float *y;
    size_t x_stride, y_stride;
    xnn_operator_t *out;
};

float *nn_address(const struct nn_memory *memory, nn_value x)
{
    const struct nn_place *place = &memory->model->plan.place[x];

    if (place->constant != NN_NO_VALUE)
        return memory->model->net.op[place->constant].weights + place->offset;
    return memory->arena + place->offset;
}

static bool make_linear(const struct context *k)
{
    const struct nn_op *op = k->op;

    return xnn_create_fully_connected_nc_f32(k->in->c, op->c, k->x_stride, k->y_stride, op->weights, op->bias,
                                             op->minimum, op->maximum, 0, k->out) == xnn_status_success &&
           xnn_setup_fully_connected_nc_f32(*k->out, nn_places(op), k->x, k->y, NULL) == xnn_status_success;
}

static bool is_point(const struct nn_window *win)
{
    return win->kernel_h == 1 && win->kernel_w == 1 && win->stride_h == 1 && win->stride_w == 1 &&
           win->top + win->right + win->bottom + win->left == 0;
}

static bool make_convolution(const struct context *k, bool depthwise)
{
    const struct nn_op *op = k->op;
    const struct nn_window *win = &op->window;
    const uint32_t flags = depthwise ? XNN_FLAG_DEPTHWISE_CONVOLUTION : 0;

    if (is_point(win) && op->groups == 1)
        return make_linear(k);
    return xnn_create_convolution2d_nhwc_f32(
               (uint32_t)win->top, (uint32_t)win->right, (uint32_t)win->bottom, (uint32_t)win->left,
               (uint32_t)win->kernel_h, (uint32_t)win->kernel_w, (uint32_t)win->stride_h, (uint32_t)win->stride_w,
               (uint32_t)win->dilation_h, (uint32_t)win->dilation_w, (uint32_t)op->groups, k->in->c / op->groups,
               op->c / op->groups, k->x_stride, k->y_stride, op->weights, op->bias, op->minimum, op->maximum, flags,
               k->out) == xnn_status_success &&
           xnn_setup_convolution2d_nhwc_f32(*k->out, 1, k->in->h, k->in->w, k->x, k->y, NULL) == xnn_status_success;
}

/* A depthwise convolution of one place, for which XNNPACK has a kernel of its own. */
static bool make_affine(const struct context *k)
{
    const struct nn_op *op = k->op;

    return xnn_create_convolution2d_nhwc_f32(0, 0, 0, 0, 1, 1, 1, 1, 1, 1, (uint32_t)op->c, 1, 1, k->x_stride,
                                             k->y_stride, op->weights, op->bias, op->minimum, op->maximum,
                                             XNN_FLAG_DEPTHWISE_CONVOLUTION, k->out) == xnn_status_success &&
           xnn_setup_convolution2d_nhwc_f32(*k->out, 1, nn_places(op), 1, k->x, k->y, NULL) == xnn_status_success;
}

static bool make_binary(const struct context *k, const struct nn_op *right, const float *y)
{
    const struct nn_op *op = k->op;
    const size_t a[2] = {nn_places(k->in), k->in->c};
    const size_t b[2] = {nn_places(right), right->c};

    switch (op->kind) {
    case NN_ADD:
        return xnn_create_add_nd_f32(op->minimum, op->maximum, 0, k->out) == xnn_status_success &&
               xnn_setup_add_nd_f32(*k->out, 2, a, 2, b, k->x, y, k->y, NULL) == xnn_status_success;
    case NN_SUBTRACT:
        return xnn_create_subtract_nd_f32(op->minimum, op->maximum, 0, k->out) == xnn_status_success &&
               xnn_setup_subtract_nd_f32(*k->out, 2, a, 2, b, k->x, y, k->y, NULL) == xnn_status_success;
    case NN_MULTIPLY:
        return xnn_create_multiply_nd_f32(op->minimum, op->maximum, 0, k->out) == xnn_status_success &&
               xnn_setup_multiply_nd_f32(*k->out, 2, a, 2, b, k->x, y, k->y, NULL) == xnn_status_success;
    default:
        return xnn_create_divide_nd_f32(op->minimum, op->maximum, 0, k->out) == xnn_status_success &&
               xnn_setup_divide_nd_f32(*k->out, 2, a, 2, b, k->x, y, k->y, NULL) == xnn_status_success;
    }
}

static bool make_max_pool(const struct context *k)
{
    const struct nn_op *op = k->op;
    const struct nn_window *win = &op->window;

    return xnn_create_max_pooling2d_nhwc_f32((uint32_t)win->top, (uint32_t)win->right, (uint32_t)win->bottom,
                                             (uint32_t)win->left, (uint32_t)win->kernel_h, (uint32_t)win->kernel_w,
                                             (uint32_t)win->stride_h, (uint32_t)win->stride_w,
                                             (uint32_t)win->dilation_h, (uint32_t)win->dilation_w, op->c, k->x_stride,
                                             k->y_stride, op->minimum, op->maximum, 0, k->out) == xnn_status_success &&
           xnn_setup_max_pooling2d_nhwc_f32(*k->out, 1, k->in->h, k->in->w, k->x, k->y, NULL) == xnn_status_success;
}

static bool make_average_pool(const struct context *k)
{
    const struct nn_op *op = k->op;
    const struct nn_window *win = &op->window;

    return xnn_create_average_pooling2d_nhwc_f32(
               (uint32_t)win->top, (uint32_t)win->right, (uint32_t)win->bottom, (uint32_t)win->left,
               (uint32_t)win->kernel_h, (uint32_t)win->kernel_w, (uint32_t)win->stride_h, (uint32_t)win->stride_w,
               op->c, k->x_stride, k->y_stride, op->minimum, op->maximum, 0, k->out) == xnn_status_success &&
           xnn_setup_average_pooling2d_nhwc_f32(*k->out, 1, k->in->h, k->in->w, k->x, k->y, NULL) == xnn_status_success;
}

static bool make_global_average(const struct context *k)
{
    const struct nn_op *op = k->op;

    return xnn_create_global_average_pooling_nwc_f32(op->c, k->x_stride, k->y_stride, op->minimum, op->maximum, 0,
                                                     k->out) == xnn_status_success &&
           xnn_setup_global_average_pooling_nwc_f32(*k->out, 1, nn_places(k->in), k->x, k->y, NULL) ==
               xnn_status_success;
}

static bool make_per_place(const struct context *k)
{
    const struct nn_op *op = k->op;
    const size_t n = nn_places(op);

    switch (op->kind) {
    case NN_PRELU:
        return xnn_create_prelu_nc_f32(op->c, k->x_stride, k->y_stride, op->weights, 0, k->out) == xnn_status_success &&
               xnn_setup_prelu_nc_f32(*k->out, n, k->x, k->y, NULL) == xnn_status_success;
    case NN_CLAMP:
        return xnn_create_clamp_nc_f32(op->c, k->x_stride, k->y_stride, op->minimum, op->maximum, 0, k->out) ==
                   xnn_status_success &&
               xnn_setup_clamp_nc_f32(*k->out, n, k->x, k->y, NULL) == xnn_status_success;
    case NN_SIGMOID:
        return xnn_create_sigmoid_nc_f32(op->c, k->x_stride, k->y_stride, 0, k->out) == xnn_status_success &&
               xnn_setup_sigmoid_nc_f32(*k->out, n, k->x, k->y, NULL) == xnn_status_success;
    case NN_SOFTMAX:
        return xnn_create_softmax_nc_f32(op->c, k->x_stride, k->y_stride, 0, k->out) == xnn_status_success &&
               xnn_setup_softmax_nc_f32(*k->out, n, k->x, k->y, NULL) == xnn_status_success;
    default:
        return xnn_create_channel_shuffle_nc_x32(op->groups, op->c / op->groups, k->x_stride, k->y_stride, 0, k->out) ==
                   xnn_status_success &&
               xnn_setup_channel_shuffle_nc_x32(*k->out, n, k->x, k->y, NULL) == xnn_status_success;
    }
}

static bool make_pad(const struct context *k)
{
    const struct nn_op *op = k->op;
    const size_t shape[3] = {k->in->h, k->in->w, k->in->c};
    const size_t before[3] = {op->window.top, op->window.left, 0};
    const size_t after[3] = {op->window.bottom, op->window.right, 0};

    return xnn_create_constant_pad_nd_x32(&op->pad_value, 0, k->out) == xnn_status_success &&
           xnn_setup_constant_pad_nd_x32(*k->out, 3, shape, before, after, k->x, k->y, NULL) == xnn_status_success;
}

struct nn_step nn_step_copy(const struct nn_memory *memory, nn_value x, float *y, size_t y_stride)
{
    const struct nn_op *in = &memory->model->net.op[x];

    return (struct nn_step){
        .kind = NN_CONCAT,
        .x = nn_address(memory, x),
        .x_stride = memory->model->plan.place[x].stride,
        .y = y,
        .y_stride = y_stride,
        .places = nn_places(in),
        .c = in->c,
    };
}

/* A step that is one of our kernels. */
static bool make_kernel(const struct context *k, struct nn_step *step)
{
    step->kind = k->op->kind;
    step->x = k->x;
    step->y = k->y;
    step->x_stride = k->x_stride;
    step->y_stride = k->y_stride;
    step->places = nn_places(k->in);
    step->c = k->in->c;
    step->weights = k->op->weights;
    step->bias = k->op->bias;
    step->minimum = k->op->minimum;
    step->maximum = k->op->maximum;
    return true;
}

bool nn_step_make(const struct nn_memory *memory, nn_value x, struct nn_step *step)
{
    const struct nn_network *net = &memory->model->net;
    const struct nn_place *place = memory->model->plan.place;
    const struct nn_op *op = &net->op[x];
    const nn_value first = net->in[op->first_in];
    const struct context k = {
        .op = op,
        .in = &net->op[first],
        .x = nn_address(memory, first),
        .y = nn_address(memory, x),
        .x_stride = place[first].stride,
        .y_stride = place[x].stride,
        .out = &step->xnn,
    };

    *step = (struct nn_step){0};
    switch (op->kind) {
    case NN_CONVOLUTION:
        return nn_is_global_depthwise(net, op) ? make_kernel(&k, step) : make_convolution(&k, nn_is_depthwise(net, op));
    case NN_AFFINE:
        return make_affine(&k);
    case NN_PRELU:
    case NN_CLAMP:
    case NN_SIGMOID:
    case NN_SOFTMAX:
    case NN_SHUFFLE:
        return make_per_place(&k);
    case NN_ADD:
    case NN_SUBTRACT:
    case NN_MULTIPLY:
    case NN_DIVIDE:
        return make_binary(&k, nn_in(net, op, 1), nn_address(memory, net->in[op->first_in + 1]));
    case NN_MAX_POOL:
        return make_max_pool(&k);
    case NN_AVERAGE_POOL:
        return make_average_pool(&k);
    case NN_GLOBAL_AVERAGE:
        return make_global_average(&k);
    case NN_PAD:
        return make_pad(&k);
    case NN_SLICE: /* one that must not have gaps */
        *step = nn_step_copy(memory, first, k.y, k.y_stride);
        step->x += op->first;
        step->c = op->c;
        return true;
    case NN_EXP:
    case NN_TRANSPOSE:
        return make_kernel(&k, step);
    case NN_CONCAT:
    case NN_RESHAPE:
    case NN_INPUT:
    case NN_CONSTANT:
        break;
    }
    return false;
}
