/*
 * Networks made at random by the bytes: first with every value an output, which rules out all folding, sharing of
 * memory and views, then with the last value alone, which allows them all. Both must give the same numbers.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vision/nn/builder.h"

#define MAX_VALUES  NN_MAX_PORTS
#define MAX_COUNT   2000   /* numbers of a value */
#define MAX_WEIGHTS 500000 /* 24 filters of 9 places of all channels that may be, and some to begin at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *data;
    size_t size;
};

static uint8_t next(struct bytes *bytes)
{
    if (bytes->size == 0)
        return 0;
    bytes->size--;
    return *bytes->data++;
}

static float weights[MAX_WEIGHTS];

static size_t count_of(const struct nn_builder *b, nn_value x)
{
    size_t h, w, c;

    nn_builder_sizes(b, x, &h, &w, &c);
    return h * w * c;
}

static nn_value convolution(struct nn_builder *b, struct bytes *bytes, nn_value x, size_t c)
{
    const uint8_t shape = next(bytes), more = next(bytes);
    const size_t kernel = shape % 3 + 1, stride = shape / 3 % 2 + 1, dilation = shape / 6 % 2 + 1;
    const struct nn_window win = {kernel,   kernel,         stride,         stride,         dilation,
                                  dilation, shape / 12 % 3, shape / 36 % 3, shape / 12 % 3, shape / 36 % 3};
    const size_t groups = more % 3 == 0 ? c : 1;
    const size_t out = groups > 1 ? c * (more / 3 % 2 + 1) : more / 3 % 24 + 1;

    return nn_build_convolution(b, x, &win, groups, out, weights + shape, more & 128 ? weights + more : NULL);
}

static nn_value pool(struct nn_builder *b, struct bytes *bytes, nn_value x)
{
    const uint8_t shape = next(bytes);
    const struct nn_window win = {2 + shape % 2, 2, shape / 2 % 2 + 1, shape / 4 % 2 + 1, 1, 1, shape / 8 % 2, 0, 0, 1};

    return shape & 128 ? nn_build_max_pool(b, x, &win) : nn_build_average_pool(b, x, &win);
}

/* One more operator on the values so far. */
static nn_value grow(struct nn_builder *b, struct bytes *bytes, const nn_value *value, size_t n)
{
    const uint8_t kind = next(bytes), argument = next(bytes);
    /* mostly the latest, as in real networks */
    const nn_value x = value[argument & 64 ? n - 1 : argument % n];
    const nn_value y = value[next(bytes) % n];
    const nn_value three[3] = {x, y, x};
    size_t h, w, c;

    nn_builder_sizes(b, x, &h, &w, &c);
    switch (kind % 18) {
    case 0:
    case 1:
        return convolution(b, bytes, x, c);
    case 2:
        return nn_build_affine(b, x, weights + argument, weights + 7);
    case 3:
        return nn_build_clamp(b, x, weights[argument] - 0.5F, weights[argument] + 0.5F);
    case 4:
        return nn_build_prelu(b, x, weights + argument);
    case 5:
        return nn_build_tanh(b, x);
    case 6:
        return nn_build_softmax(b, x);
    case 7:
    case 8:
        return nn_build_binary(b, (enum nn_binary)(argument % 3), x, y);
    case 9:
        return pool(b, bytes, x);
    case 10:
        return nn_build_global_average(b, x);
    case 11:
    case 12:
        return nn_build_concat(b, three, argument % 3 + 1, argument & 32 ? NN_AXIS_PLACES : NN_AXIS_CHANNELS);
    case 13:
        return nn_build_slice(b, x, NN_AXIS_CHANNELS, argument % c, (argument / 3 % (c - argument % c)) + 1);
    case 14:
        return nn_build_slice(b, x, NN_AXIS_PLACES, argument % (h * w), 1);
    case 15:
        return nn_build_shuffle(b, x, c % 2 == 0 ? 2 : 1);
    case 16:
        return argument & 32 ? nn_build_transpose(b, x) : nn_build_reshape(b, x, 1, h, w * c);
    default:
        return nn_build_pad(b, x, argument % 2, 1, argument / 2 % 2, 0, weights[argument]);
    }
}

/* The network of these bytes, with all values as outputs or the last one. NULL: it is not possible. */
static struct nn_model *build(struct bytes bytes, bool all)
{
    nn_value value[MAX_VALUES];
    struct nn_builder *b;
    struct nn_model *model = NULL;
    size_t n = 1;

    if (nn_builder_open(&b, NULL) != AIBOX_OK)
        return NULL;
    value[0] = nn_build_input(b, next(&bytes) % 6 + 1, next(&bytes) % 6 + 1, next(&bytes) % 20 + 1);
    while (n < MAX_VALUES && bytes.size > 0 && !nn_builder_failed(b, NULL)) {
        value[n] = grow(b, &bytes, value, n);
        if (count_of(b, value[n]) > MAX_COUNT)
            break;
        n++;
    }
    if (!nn_builder_failed(b, NULL))
        nn_builder_finish(b, all ? value : &value[n - 1], NULL, all ? n : 1, &model, NULL);
    nn_builder_free(b);
    return model;
}

static size_t elements(struct nn_shape shape)
{
    return shape.dim[0] * shape.dim[1] * shape.dim[2] * shape.dim[3];
}

/* The last output, to be freed. */
static float *run(const struct nn_model *model)
{
    const size_t last = nn_model_outputs(model) - 1;
    const size_t size = elements(nn_model_output_shape(model, last)) * sizeof(float);
    struct nn_session *session;
    float *result = malloc(size);

    if (!result || nn_session_open(model, &session, NULL) != AIBOX_OK)
        abort();
    memcpy(nn_session_input(session), weights + 100, elements(nn_model_input_shape(model)) * sizeof(float));
    for (size_t i = 0; i < 2; i++) {
        if (nn_run(session, NULL) != AIBOX_OK)
            abort();
    }
    memcpy(result, nn_session_output(session, last), size);
    nn_session_close(session);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nn_model *plain, *clever;
    float *wanted = NULL, *got = NULL;

    for (size_t i = 0; weights[0] == 0 && i < MAX_WEIGHTS; i++)
        weights[i] = (float)((i * 7919 + 13) % 97) / 97 - 0.4F;
    plain = build((struct bytes){data, size}, true);
    clever = plain ? build((struct bytes){data, size}, false) : NULL;
    if (plain && clever) {
        wanted = run(plain);
        got = run(clever);
        for (size_t i = 0; i < elements(nn_model_output_shape(clever, 0)); i++) {
            if (!(fabsf(got[i] - wanted[i]) <= 1e-3F * (1 + fabsf(wanted[i]))) && fabsf(wanted[i]) < 1e6F) {
                fprintf(stderr, "number %zu is %g instead of %g\n", i, (double)got[i], (double)wanted[i]);
                abort();
            }
        }
    }
    free(wanted);
    free(got);
    nn_model_free(plain);
    nn_model_free(clever);
    return 0;
}
