#include "vision/nn/onet.h"

#include <stdlib.h>

#include "vision/nn/builder.h"
#include "vision/nn/tflite.h"

#define POINTS 10 /* numbers */
#define BOX    4

/* A layer's tensors; `slope` NULL: no activation. */
struct layer {
    const char *weights, *bias, *slope;
    size_t out;
};

static const struct layer conv1 = {"onet/conv1/weights/read", "onet/conv1/Conv2D_bias", "onet/prelu1/alpha/read", 32};
static const struct layer conv2 = {"onet/conv2/weights/read", "onet/conv2/Conv2D_bias", "onet/prelu2/alpha/read", 64};
static const struct layer conv3 = {"onet/conv3/weights/read", "onet/conv3/Conv2D_bias", "onet/prelu3/alpha/read", 64};
static const struct layer conv4 = {"onet/conv4/weights/read", "onet/conv4/Conv2D_bias", "onet/prelu4/alpha/read", 128};
static const struct layer full5 = {"onet/conv5/weights/read/transpose", "onet/conv5/conv5/MatMul_bias",
                                   "onet/prelu5/alpha/read", 256};
static const struct layer box6 = {"onet/conv6-2/weights/read/transpose", "onet/conv6-2/conv6-2/MatMul_bias", NULL, BOX};
static const struct layer points6 = {"onet/conv6-3/weights/read/transpose", "onet/conv6-3/conv6-3/MatMul_bias", NULL,
                                     POINTS};

struct reader {
    struct tflite file;
    struct nn_builder *builder;
    struct aibox_error *err;
    enum aibox_status status; /* sticky */
};

/* The numbers of a tensor, to be freed; NULL: failed. */
static float *load(struct reader *r, const char *name, const size_t *shape, size_t rank)
{
    float *data = NULL;

    if (r->status == AIBOX_OK)
        r->status = tflite_floats(&r->file, name, shape, rank, &data, r->err);
    return data;
}

/* TensorFlow Lite keeps filters as [out][rows][columns][in], which is the builder's order, too. */
static nn_value apply(struct reader *r, const struct layer *layer, nn_value x, const size_t *shape, size_t rank)
{
    float *weights = load(r, layer->weights, shape, rank);
    float *bias = load(r, layer->bias, &layer->out, 1);
    float *slope = layer->slope ? load(r, layer->slope, &layer->out, 1) : NULL;
    nn_value y = NN_NO_VALUE;

    if (r->status == AIBOX_OK && rank == 4) {
        const struct nn_window window = {shape[1], shape[2], 1, 1, 1, 1, 0, 0, 0, 0};
        y = nn_build_convolution(r->builder, x, &window, 1, layer->out, weights, bias);
    } else if (r->status == AIBOX_OK) {
        y = nn_build_linear(r->builder, x, layer->out, weights, bias);
    }
    if (r->status == AIBOX_OK && slope)
        y = nn_build_prelu(r->builder, y, slope);
    free(weights);
    free(bias);
    free(slope);
    return y;
}

static nn_value convolve(struct reader *r, const struct layer *layer, nn_value x, size_t kernel)
{
    size_t h, w, in;

    nn_builder_sizes(r->builder, x, &h, &w, &in);
    return apply(r, layer, x, (const size_t[]){layer->out, kernel, kernel, in}, 4);
}

static nn_value connect(struct reader *r, const struct layer *layer, nn_value x)
{
    size_t h, w, in;

    nn_builder_sizes(r->builder, x, &h, &w, &in);
    return apply(r, layer, x, (const size_t[]){layer->out, in}, 2);
}

static enum aibox_status build(struct reader *r, struct nn_model **out)
{
    static const struct nn_shape shapes[ONET_OUTPUTS] = {{.rank = 2, .dim = {1, BOX}}, {.rank = 2, .dim = {1, POINTS}}};
    static const struct nn_window three = {3, 3, 2, 2, 1, 1, 0, 0, 0, 0};
    static const struct nn_window two = {2, 2, 2, 2, 1, 1, 0, 0, 0, 0};
    nn_value outputs[ONET_OUTPUTS];
    nn_value x = nn_build_input(r->builder, ONET_SIDE, ONET_SIDE, 3);
    struct nn_window same;

    x = convolve(r, &conv1, x, 3);
    same = nn_window_same(3, 2, 46, 46);
    x = convolve(r, &conv2, nn_build_max_pool(r->builder, x, &same), 3);
    x = convolve(r, &conv3, nn_build_max_pool(r->builder, x, &three), 3);
    x = convolve(r, &conv4, nn_build_max_pool(r->builder, x, &two), 2);
    x = connect(r, &full5, nn_build_reshape(r->builder, x, 1, 1, 1152)); /* 3 × 3 places of 128 channels */
    outputs[ONET_BOX] = connect(r, &box6, x);
    outputs[ONET_POINTS] = connect(r, &points6, x);
    if (r->status != AIBOX_OK)
        return r->status;
    return nn_builder_finish(r->builder, outputs, shapes, ONET_OUTPUTS, out, r->err);
}

enum aibox_status onet_read(const void *bytes, size_t size, struct nn_model **out, struct aibox_error *err)
{
    struct reader r = {.err = err, .status = AIBOX_OK};

    r.status = tflite_open(bytes, size, &r.file, err);
    if (r.status == AIBOX_OK)
        r.status = nn_builder_open(&r.builder, err);
    if (r.status == AIBOX_OK)
        r.status = build(&r, out);
    nn_builder_free(r.builder);
    return r.status;
}
