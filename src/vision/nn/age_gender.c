#include "vision/nn/age_gender.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vision/nn/builder.h"

#define MAX_MANIFEST ((size_t)1024 * 1024)
#define MAX_WEIGHTS  ((size_t)64 * 1024 * 1024)
#define MAX_TENSORS  256
#define MAX_SIDE     4096
#define MAX_NAME     128

/* A tensor as the manifest describes it. */
struct tensor {
    const char *name; /* the manifest's */
    size_t rank;
    size_t dim[4];
    size_t count;
    size_t offset; /* in the file */
    size_t width;  /* bytes per number: 4: a float, 1 and 2: an integer q that means q · scale + minimum */
    double scale, minimum;
};

struct reader {
    const unsigned char *weights;
    size_t size;
    struct tensor tensor[MAX_TENSORS];
    size_t n_tensors;
    struct nn_builder *builder;
    struct aibox_error *err;
    bool failed; /* `err` is filled in; sticky */
};

static bool fail(struct reader *r, const char *what, const char *name)
{
    if (!r->failed)
        error_set(r->err, AIBOX_PROCESS_FAILED, "%s: %.80s", what, name);
    r->failed = true;
    return false;
}

static bool read_shape(struct tensor *tensor, const json_t *shape)
{
    tensor->rank = json_array_size(shape);
    tensor->count = 1;
    if (tensor->rank < 1 || tensor->rank > 4)
        return false;
    for (size_t i = 0; i < tensor->rank; i++) {
        const json_t *side = json_array_get(shape, i);
        json_int_t value = json_integer_value(side);
        if (value < 1 || value > MAX_SIDE)
            return false;
        tensor->dim[i] = (size_t)value;
        tensor->count *= (size_t)value; /* at most 2^48 */
    }
    return true;
}

static bool read_quantization(struct tensor *tensor, const json_t *quantization)
{
    const char *type = json_string_value(json_object_get(quantization, "dtype"));

    tensor->width = sizeof(float);
    if (!quantization)
        return true;
    if (!type || (strcmp(type, "uint8") != 0 && strcmp(type, "uint16") != 0))
        return false;
    tensor->width = strcmp(type, "uint8") == 0 ? 1 : 2;
    tensor->scale = json_number_value(json_object_get(quantization, "scale"));
    tensor->minimum = json_number_value(json_object_get(quantization, "min"));
    return isfinite(tensor->scale) && isfinite(tensor->minimum);
}

/* Adds the tensor that begins at *offset of the file, and moves on. */
static bool read_entry(struct reader *r, const json_t *entry, size_t *offset)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    struct tensor tensor = {.name = name, .offset = *offset};

    if (!name || !type)
        return fail(r, "the manifest has a tensor without", name ? "dtype" : "name");
    if (r->n_tensors == MAX_TENSORS)
        return fail(r, "the manifest has too many tensors", name);
    if (strcmp(type, "float32") != 0 || !read_shape(&tensor, json_object_get(entry, "shape")) ||
        !read_quantization(&tensor, json_object_get(entry, "quantization")))
        return fail(r, "a tensor of a kind that can't be read", name);
    if (tensor.count > (r->size - *offset) / tensor.width)
        return fail(r, "the file of weights is too short for", name);
    *offset += tensor.count * tensor.width;
    r->tensor[r->n_tensors++] = tensor;
    return true;
}

static bool read_manifest(struct reader *r, const json_t *root)
{
    size_t offset = 0;

    for (size_t i = 0; i < json_array_size(root); i++) {
        const json_t *group = json_array_get(root, i);
        const json_t *list = json_object_get(group, "weights");
        if (!json_is_array(list) || json_array_size(json_object_get(group, "paths")) > 1)
            return fail(r, "the manifest is not of one file", "weights");
        for (size_t j = 0; j < json_array_size(list); j++) {
            if (!read_entry(r, json_array_get(list, j), &offset))
                return false;
        }
    }
    return offset == r->size || fail(r, "the file of weights is longer than", "the manifest says");
}

/* "prefix/name"; nothing, which is no tensor's name, when it is too long. */
static void join(char out[MAX_NAME], const char *prefix, const char *name)
{
    int length = snprintf(out, MAX_NAME, "%s/%s", prefix, name);

    if (length < 0 || length >= MAX_NAME)
        out[0] = '\0';
}

static float number(const struct reader *r, const struct tensor *tensor, size_t index)
{
    const unsigned char *at = r->weights + tensor->offset + index * tensor->width;
    unsigned int low = at[0];
    float value;

    if (tensor->width == 1)
        return (float)(low * tensor->scale + tensor->minimum);
    low |= (unsigned int)at[1] << 8;
    if (tensor->width == 2)
        return (float)(low * tensor->scale + tensor->minimum);
    low |= (unsigned int)at[2] << 16 | (unsigned int)at[3] << 24;
    memcpy(&value, &low, sizeof value);
    return value;
}

/*
 * The tensor "prefix/name" of the shape rows × columns (all dimensions but the last, the last), transposed to columns ×
 * rows: from TensorFlow's [window][in][out] to [out][window][in]. To be freed; NULL: failed.
 */
static float *load(struct reader *r, const char *prefix, const char *name, size_t rows, size_t columns)
{
    char full[MAX_NAME];
    const struct tensor *tensor = NULL;
    float *data;

    if (r->failed)
        return NULL;
    join(full, prefix, name);
    for (size_t i = 0; i < r->n_tensors && !tensor; i++) {
        if (strcmp(r->tensor[i].name, full) == 0)
            tensor = &r->tensor[i];
    }
    if (!tensor || tensor->dim[tensor->rank - 1] != columns || tensor->count != rows * columns) {
        fail(r, tensor ? "a tensor of another shape" : "a tensor is missing", full);
        return NULL;
    }
    data = calloc(tensor->count, sizeof *data);
    if (!data) {
        fail(r, "out of memory", full);
        return NULL;
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++)
            data[j * rows + i] = number(r, tensor, i * columns + j);
    }
    return data;
}

static nn_value convolve(struct reader *r, nn_value x, const char *prefix, const char *name, size_t kernel,
                         size_t stride, size_t out)
{
    size_t h, w, in;
    struct nn_window window;
    float *weights, *bias;
    nn_value y = NN_NO_VALUE;

    nn_builder_sizes(r->builder, x, &h, &w, &in);
    window = nn_window_same(kernel, stride, h, w);
    weights = load(r, prefix, name, kernel * kernel * in, out);
    bias = load(r, prefix, "bias", 1, out);
    if (weights && bias)
        y = nn_build_convolution(r->builder, x, &window, 1, out, weights, bias);
    free(weights);
    free(bias);
    return y;
}

/* A 3 × 3 filter for each channel, then all channels of a place together. */
static nn_value separable(struct reader *r, nn_value x, const char *block, const char *name, size_t out)
{
    size_t h, w, in;
    struct nn_window window;
    char prefix[MAX_NAME];
    float *weights, *turned;
    nn_value y = NN_NO_VALUE;

    nn_builder_sizes(r->builder, x, &h, &w, &in);
    window = nn_window_same(3, 1, h, w);
    join(prefix, block, name);
    weights = load(r, prefix, "depthwise_filter", 9 * in, 1);
    turned = malloc(9 * in * sizeof *turned);
    if (weights && turned) {
        for (size_t i = 0; i < 9; i++) {
            for (size_t j = 0; j < in; j++)
                turned[j * 9 + i] = weights[i * in + j];
        }
        y = nn_build_convolution(r->builder, x, &window, in, in, turned, NULL);
    } else if (!turned) {
        fail(r, "out of memory", prefix);
    }
    free(weights);
    free(turned);
    return convolve(r, y, prefix, "pointwise_filter", 1, 1, out);
}

static nn_value relu(struct reader *r, nn_value x)
{
    return nn_build_clamp(r->builder, x, 0, INFINITY);
}

static nn_value reduction_block(struct reader *r, nn_value x, const char *prefix, size_t out, bool activate)
{
    nn_value y = activate ? relu(r, x) : x;
    struct nn_window window;
    char expansion[MAX_NAME];
    size_t h, w, c;

    y = separable(r, y, prefix, "separable_conv0", out);
    y = separable(r, relu(r, y), prefix, "separable_conv1", out);
    nn_builder_sizes(r->builder, y, &h, &w, &c);
    window = nn_window_same(3, 2, h, w);
    y = nn_build_max_pool(r->builder, y, &window);
    join(expansion, prefix, "expansion_conv");
    return nn_build_binary(r->builder, NN_BINARY_ADD, y, convolve(r, x, expansion, "filters", 1, 2, out));
}

static nn_value main_block(struct reader *r, nn_value x, const char *prefix)
{
    nn_value y = separable(r, relu(r, x), prefix, "separable_conv0", 128);

    y = separable(r, relu(r, y), prefix, "separable_conv1", 128);
    y = separable(r, relu(r, y), prefix, "separable_conv2", 128);
    return nn_build_binary(r->builder, NN_BINARY_ADD, y, x);
}

static nn_value head(struct reader *r, nn_value x, const char *prefix, size_t out)
{
    float *weights = load(r, prefix, "weights", 512, out);
    float *bias = load(r, prefix, "bias", 1, out);
    nn_value y = NN_NO_VALUE;

    if (weights && bias)
        y = nn_build_linear(r->builder, x, out, weights, bias);
    free(weights);
    free(bias);
    return y;
}

static enum aibox_status build(struct reader *r, struct nn_model **out)
{
    static const struct nn_shape shapes[AGE_GENDER_OUTPUTS] = {
        {.rank = 2, .dim = {1, 1}}, {.rank = 2, .dim = {1, 2}}, {.rank = 2, .dim = {1, 2}}};
    nn_value outputs[AGE_GENDER_OUTPUTS];
    nn_value x = nn_build_input(r->builder, AGE_GENDER_SIDE, AGE_GENDER_SIDE, 3);

    x = relu(r, convolve(r, x, "entry_flow/conv_in", "filters", 3, 2, 32));
    x = reduction_block(r, x, "entry_flow/reduction_block_0", 64, false);
    x = reduction_block(r, x, "entry_flow/reduction_block_1", 128, true);
    x = main_block(r, x, "middle_flow/main_block_0");
    x = main_block(r, x, "middle_flow/main_block_1");
    x = reduction_block(r, x, "exit_flow/reduction_block", 256, true);
    x = relu(r, separable(r, x, "exit_flow", "separable_conv", 512));
    x = nn_build_global_average(r->builder, x); /* of 7 × 7 places */
    outputs[AGE_GENDER_AGE] = head(r, x, "fc/age", 1);
    outputs[AGE_GENDER_SEX] = head(r, x, "fc/gender", 2);
    outputs[AGE_GENDER_PROBABILITY] = nn_build_softmax(r->builder, outputs[AGE_GENDER_SEX]);
    if (r->failed)
        return AIBOX_PROCESS_FAILED;
    return nn_builder_finish(r->builder, outputs, shapes, AGE_GENDER_OUTPUTS, out, r->err);
}

enum aibox_status age_gender_read(const char *manifest, size_t manifest_size, const void *weights, size_t weights_size,
                                  struct nn_model **out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    struct reader *r = NULL;
    json_t *root = NULL;
    json_error_t json_error;

    if (manifest_size > MAX_MANIFEST || weights_size > MAX_WEIGHTS)
        return error_set(err, AIBOX_PROCESS_FAILED, "the manifest or the file of weights is too large");
    root = json_loadb(manifest, manifest_size, JSON_REJECT_DUPLICATES, &json_error);
    if (!json_is_array(root)) {
        error_set(err, AIBOX_PROCESS_FAILED, "the manifest is not a JSON list");
        goto out;
    }
    r = calloc(1, sizeof *r);
    if (!r) {
        error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        goto out;
    }
    r->weights = weights;
    r->size = weights_size;
    r->err = err;
    if (!read_manifest(r, root))
        goto out;
    status = nn_builder_open(&r->builder, err);
    if (status == AIBOX_OK)
        status = build(r, out);
out:
    if (r)
        nn_builder_free(r->builder);
    free(r);
    json_decref(root);
    return status;
}
