/* Networks written in code: what each operator computes, folding and placing included, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vision/nn/builder.h"

#define MAX 20000

static struct nn_builder *builder;
static float input[MAX], weights[MAX], bias[MAX], wanted[MAX];

/* −1..1, always the same. */
static void numbers(float *out, size_t count, uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        out[i] = (float)(seed >> 8) / 8388608 - 1;
    }
}

static int set_up(void **state)
{
    (void)state;
    numbers(input, MAX, 1);
    numbers(weights, MAX, 2);
    numbers(bias, MAX, 3);
    return nn_builder_open(&builder, NULL) == AIBOX_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    nn_builder_free(builder);
    builder = NULL;
    return 0;
}

static size_t elements(struct nn_shape shape)
{
    return shape.dim[0] * shape.dim[1] * shape.dim[2] * shape.dim[3];
}

/* Runs the network twice on input[]; all `count` numbers of output `index` must be those of wanted[]. */
static void expect(const nn_value *outputs, size_t n, size_t index, size_t count)
{
    struct aibox_error err = {0};
    struct nn_session *session;
    struct nn_model *model;

    if (nn_builder_finish(builder, outputs, NULL, n, &model, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    assert_int_equal(elements(nn_model_output_shape(model, index)), count);
    assert_int_equal(nn_session_open(model, &session, NULL), AIBOX_OK);
    memcpy(nn_session_input(session), input, elements(nn_model_input_shape(model)) * sizeof *input);
    for (size_t run = 0; run < 2; run++) {
        const float *result = nn_session_output(session, index);
        assert_int_equal(nn_run(session, NULL), AIBOX_OK);
        for (size_t i = 0; i < count; i++) {
            if (!(fabsf(result[i] - wanted[i]) < 1e-4F))
                fail_msg("run %zu, number %zu is %g instead of %g", run, i, (double)result[i], (double)wanted[i]);
        }
    }
    nn_session_close(session);
    nn_model_free(model);
}

/* The definition of a convolution, number by number, from x[h][w][c] into wanted[]. Returns how many numbers. */
static size_t convolve(const float *x, size_t h, size_t w, size_t c, const struct nn_window *win, size_t groups,
                       size_t out_c)
{
    size_t oh = (h + win->top + win->bottom - (win->kernel_h - 1) * win->dilation_h - 1) / win->stride_h + 1;
    size_t ow = (w + win->left + win->right - (win->kernel_w - 1) * win->dilation_w - 1) / win->stride_w + 1;
    size_t group_in = c / groups, group_out = out_c / groups;

    for (size_t at = 0; at < oh * ow * out_c; at++) {
        size_t o = at % out_c;
        double sum = (double)bias[o];
        for (size_t k = 0; k < win->kernel_h * win->kernel_w; k++) {
            size_t y = at / out_c / ow * win->stride_h + k / win->kernel_w * win->dilation_h;
            size_t z = at / out_c % ow * win->stride_w + k % win->kernel_w * win->dilation_w;
            if (y < win->top || y - win->top >= h || z < win->left || z - win->left >= w)
                continue;
            for (size_t i = 0; i < group_in; i++)
                sum += (double)x[((y - win->top) * w + z - win->left) * c + o / group_out * group_in + i] *
                       (double)weights[(o * win->kernel_h * win->kernel_w + k) * group_in + i];
        }
        wanted[at] = (float)sum;
    }
    return oh * ow * out_c;
}

static void check_convolution(size_t h, size_t w, size_t c, struct nn_window win, size_t groups, size_t out_c)
{
    nn_value x, y;

    set_up(NULL);
    x = nn_build_input(builder, h, w, c);
    y = nn_build_convolution(builder, x, &win, groups, out_c, weights, bias);
    expect(&y, 1, 0, convolve(input, h, w, c, &win, groups, out_c));
    tear_down(NULL);
}

static void test_convolutions(void **state)
{
    (void)state;
    tear_down(NULL);
    check_convolution(9, 7, 3, (struct nn_window){3, 3, 2, 2, 1, 1, 1, 0, 0, 1}, 1, 8);    /* first layers */
    check_convolution(6, 5, 19, (struct nn_window){3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, 19, 19); /* depthwise */
    check_convolution(6, 5, 7, (struct nn_window){5, 5, 2, 1, 1, 1, 2, 2, 2, 2}, 7, 7);
    check_convolution(7, 7, 33, (struct nn_window){7, 7, 1, 1, 1, 1, 0, 0, 0, 0}, 33, 33); /* one place is left */
    check_convolution(8, 8, 5, (struct nn_window){7, 7, 1, 1, 1, 1, 0, 0, 0, 0}, 5, 5);
    check_convolution(9, 9, 6, (struct nn_window){3, 3, 1, 1, 2, 3, 2, 3, 2, 3}, 2, 4); /* dilated, in groups */
    check_convolution(5, 5, 4, (struct nn_window){3, 2, 1, 1, 1, 1, 0, 1, 2, 0}, 4, 8); /* two filters per channel */
    check_convolution(4, 4, 17, (struct nn_window){1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1, 21);
    check_convolution(4, 4, 17, (struct nn_window){1, 1, 2, 2, 1, 1, 0, 0, 0, 0}, 1, 21);
    check_convolution(1, 1, 40, (struct nn_window){1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1, 10);
    set_up(NULL);
}

static void test_affine_and_clamp_fold(void **state)
{
    const struct nn_window win = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1};
    const size_t c = 12, count = convolve(input, 6, 6, c, &win, c, c);
    nn_value x = nn_build_input(builder, 6, 6, c);
    nn_value y = nn_build_convolution(builder, x, &win, c, c, weights, bias);

    (void)state;
    y = nn_build_affine(builder, y, bias + 50, bias + 80);
    y = nn_build_affine(builder, y, bias + 20, bias + 30);
    y = nn_build_clamp(builder, y, -0.25F, INFINITY);
    y = nn_build_clamp(builder, y, -INFINITY, 0.5F);
    for (size_t i = 0; i < count; i++) {
        float value = wanted[i] * bias[50 + i % c] + bias[80 + i % c];
        value = value * bias[20 + i % c] + bias[30 + i % c];
        wanted[i] = fminf(fmaxf(value, -0.25F), 0.5F);
    }
    expect(&y, 1, 0, count);
}

/* What is used before and after may not change what is folded into it. */
static void test_no_folding_into_what_others_read(void **state)
{
    const struct nn_window point = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    const size_t count = convolve(input, 4, 4, 5, &point, 1, 6);
    nn_value x = nn_build_input(builder, 4, 4, 5);
    nn_value y = nn_build_linear(builder, x, 6, weights, bias);
    nn_value relu = nn_build_clamp(builder, y, 0, INFINITY);
    nn_value scaled = nn_build_affine(builder, y, bias, bias);
    nn_value sum = nn_build_binary(builder, NN_BINARY_ADD, relu, scaled);

    (void)state;
    sum = nn_build_binary(builder, NN_BINARY_ADD, sum, y);
    for (size_t i = 0; i < count; i++)
        wanted[i] = fmaxf(wanted[i], 0) + wanted[i] * bias[i % 6] + bias[i % 6] + wanted[i];
    expect(&sum, 1, 0, count);
}

static void test_disjoint_clamps(void **state)
{
    nn_value x = nn_build_input(builder, 1, 1, 40);
    nn_value y = nn_build_clamp(builder, nn_build_clamp(builder, x, -1, 0), 0.5F, 2);

    (void)state;
    for (size_t i = 0; i < 40; i++)
        wanted[i] = 0.5F;
    expect(&y, 1, 0, 40);
}

static void test_functions(void **state)
{
    nn_value x = nn_build_input(builder, 3, 3, 7);
    nn_value y[5];

    (void)state;
    y[0] = nn_build_tanh(builder, x);
    y[1] = nn_build_exp(builder, nn_build_sigmoid(builder, x));
    y[2] = nn_build_prelu(builder, x, bias);
    y[3] = nn_build_softmax(builder, x);
    y[4] = nn_build_binary(builder, NN_BINARY_MULTIPLY, y[0], y[1]);
    y[4] = nn_build_binary(builder, NN_BINARY_DIVIDE, nn_build_binary(builder, NN_BINARY_SUBTRACT, y[4], y[2]), y[3]);
    for (size_t i = 0; i < 63; i++) {
        float all = 0;
        for (size_t j = 0; j < 7; j++)
            all += expf(input[i / 7 * 7 + j]);
        wanted[i] = tanhf(input[i]) * expf(1 / (1 + expf(-input[i])));
        wanted[i] -= input[i] > 0 ? input[i] : input[i] * bias[i % 7];
        wanted[i] /= expf(input[i]) / all;
    }
    expect(y, 5, 4, 63);
}

static void test_pools_and_padding(void **state)
{
    const struct nn_window win = {2, 3, 1, 2, 1, 1, 1, 1, 0, 1};
    nn_value x = nn_build_input(builder, 4, 5, 3);
    nn_value most = nn_build_max_pool(builder, x, &win);
    nn_value mean = nn_build_average_pool(builder, x, &win);
    nn_value all = nn_build_global_average(builder, x);
    nn_value y = nn_build_binary(builder, NN_BINARY_ADD, nn_build_binary(builder, NN_BINARY_ADD, most, mean), all);

    (void)state;
    y = nn_build_pad(builder, y, 1, 0, 2, 3, 9);
    for (size_t at = 0; at < 7 * 6 * 3; at++) {
        size_t row = at / 18, column = at / 3 % 6, k = at % 3, n = 0;
        float highest = -INFINITY, sum = 0, total = 0;
        for (size_t p = 0; p < 20; p++) {
            size_t py = p / 5 + 1, px = p % 5 + 1; /* padded */
            float value = input[p * 3 + k];
            total += value;
            if (row < 1 || column < 3 || py < row - 1 || py > row || px < (column - 3) * 2 || px > (column - 3) * 2 + 2)
                continue;
            highest = fmaxf(highest, value);
            sum += value;
            n++;
        }
        wanted[at] = row < 1 || row > 4 || column < 3 ? 9 : highest + sum / (float)n + total / 20;
    }
    expect(&y, 1, 0, 7 * 6 * 3);
}

/* DenseNet's way: every layer's result is joined to all before it, and all of them are read again. */
static void test_growing_concatenations(void **state)
{
    nn_value x = nn_build_input(builder, 2, 3, 4), all = nn_build_clamp(builder, x, -0.5F, 0.5F);
    float value[6][16], sum;

    (void)state;
    for (size_t p = 0; p < 6; p++) {
        for (size_t k = 0; k < 4; k++)
            value[p][k] = fminf(fmaxf(input[p * 4 + k], -0.5F), 0.5F);
    }
    for (size_t width = 4; width < 16; width += 4) {
        nn_value parts[2] = {all, nn_build_linear(builder, all, 4, weights, bias)};
        all = nn_build_concat(builder, parts, 2, NN_AXIS_CHANNELS);
        for (size_t p = 0; p < 6; p++) {
            for (size_t k = 0; k < 4; k++) {
                sum = bias[k];
                for (size_t i = 0; i < width; i++)
                    sum += value[p][i] * weights[k * width + i];
                value[p][width + k] = sum;
            }
        }
    }
    all = nn_build_affine(builder, all, bias, bias);
    for (size_t i = 0; i < 96; i++)
        wanted[i] = value[i / 16][i % 16] * bias[i % 16] + bias[i % 16];
    expect(&all, 1, 0, 96);
}

static void test_slices_shuffles_and_joins(void **state)
{
    nn_value x = nn_build_input(builder, 2, 2, 6), parts[4], y[2];

    (void)state;
    y[1] = nn_build_sigmoid(builder, x);
    x = nn_build_shuffle(builder, x, 2); /* 0 3 1 4 2 5 */
    parts[0] = nn_build_slice(builder, x, NN_AXIS_CHANNELS, 3, 3);
    parts[1] = nn_build_clamp(builder, nn_build_slice(builder, x, NN_AXIS_CHANNELS, 0, 3), -9, 9);
    parts[2] = parts[0]; /* the same twice, and once as an operand without gaps */
    parts[3] = nn_build_binary(builder, NN_BINARY_ADD, parts[0], parts[0]);
    y[0] = nn_build_concat(builder, parts, 4, NN_AXIS_CHANNELS);
    parts[0] = nn_build_slice(builder, y[0], NN_AXIS_PLACES, 3, 1);
    parts[1] = y[0];
    y[0] = nn_build_concat(builder, parts, 2, NN_AXIS_PLACES);
    for (size_t p = 0; p < 5; p++) {
        static const size_t from[12] = {4, 2, 5, 0, 3, 1, 4, 2, 5, 4, 2, 5};
        for (size_t k = 0; k < 12; k++)
            wanted[p * 12 + k] = input[(p == 0 ? 3 : p - 1) * 6 + from[k]] * (k < 9 ? 1 : 2);
    }
    expect(y, 2, 0, 60);
}

/* A result may only take its operand's memory when no other operand lies there. */
static void test_operands_that_overlap(void **state)
{
    nn_value x = nn_build_input(builder, 3, 1, 20), y;

    (void)state;
    x = nn_build_sigmoid(builder, x);
    y = nn_build_slice(builder, x, NN_AXIS_PLACES, 2, 1);
    y = nn_build_binary(builder, NN_BINARY_SUBTRACT, x, y);
    y = nn_build_binary(builder, NN_BINARY_SUBTRACT, y, nn_build_slice(builder, y, NN_AXIS_PLACES, 0, 1));
    for (size_t i = 0; i < 60; i++)
        wanted[i] = 1 / (1 + expf(-input[i])) - 1 / (1 + expf(-input[i % 20]));
    expect(&y, 1, 0, 60);
}

static void test_transposing(void **state)
{
    nn_value x = nn_build_input(builder, 3, 4, 5);
    nn_value y = nn_build_transpose(builder, nn_build_slice(builder, x, NN_AXIS_CHANNELS, 1, 3));

    (void)state;
    y = nn_build_reshape(builder, y, 2, 9, 2);
    for (size_t i = 0; i < 36; i++)
        wanted[i] = input[i % 12 * 5 + 1 + i / 12];
    expect(&y, 1, 0, 36);
}

static void test_constants_and_outputs_that_are_inputs(void **state)
{
    nn_value x = nn_build_input(builder, 2, 2, 3), y[3];

    (void)state;
    y[0] = nn_build_reshape(builder, x, 1, 1, 12);
    y[1] = nn_build_constant(builder, 1, 1, 4, weights);
    y[2] = nn_build_binary(builder, NN_BINARY_MULTIPLY, x, nn_build_constant(builder, 2, 2, 1, weights));
    for (size_t i = 0; i < 12; i++)
        wanted[i] = input[i] * weights[i / 3];
    expect(y, 3, 2, 12);
}

static void test_first_error_is_kept(void **state)
{
    const struct nn_window win = {5, 5, 1, 1, 1, 1, 0, 0, 0, 0};
    struct aibox_error err = {0};
    struct nn_model *model;
    nn_value x = nn_build_input(builder, 4, 4, 3), y;

    (void)state;
    assert_false(nn_builder_failed(builder, NULL));
    y = nn_build_convolution(builder, x, &win, 1, 2, weights, NULL);
    assert_int_equal(y, NN_NO_VALUE);
    y = nn_build_binary(builder, NN_BINARY_ADD, nn_build_sigmoid(builder, y), x);
    assert_int_equal(y, NN_NO_VALUE);
    assert_true(nn_builder_failed(builder, &err));
    assert_non_null(strstr(err.message, "window of 5 x 5"));
    assert_int_equal(nn_builder_finish(builder, &y, NULL, 1, &model, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "window of 5 x 5"));
}

static void test_refusals(void **state)
{
    const struct nn_window padded = {2, 2, 1, 1, 1, 1, 2, 0, 0, 0}, none = {0};
    const struct nn_window huge = {256, 256, 1, 1, 1, 1, 255, 255, 255, 255};

    (void)state;
#define REFUSED(sides, made)                                                                                           \
    do {                                                                                                               \
        nn_value x;                                                                                                    \
        tear_down(NULL);                                                                                               \
        set_up(NULL);                                                                                                  \
        x = nn_build_input(builder, (sides), (sides), 6);                                                              \
        assert_int_equal((made), NN_NO_VALUE);                                                                         \
        (void)x;                                                                                                       \
    } while (0)
    REFUSED(70000, nn_build_sigmoid(builder, x));
    REFUSED(4, nn_build_input(builder, 1, 1, 1));
    REFUSED(4, nn_build_sigmoid(builder, 17));
    REFUSED(4, nn_build_max_pool(builder, x, &padded));
    REFUSED(4, nn_build_max_pool(builder, x, &none));
    REFUSED(2000, nn_build_max_pool(builder, x, &huge));
    REFUSED(4, nn_build_convolution(builder, x, &padded, 4, 4, weights, NULL));
    REFUSED(4, nn_build_linear(builder, x, SIZE_MAX / 2, weights, NULL));
    REFUSED(4, nn_build_clamp(builder, x, 1, 1));
    REFUSED(4, nn_build_clamp(builder, x, NAN, 1));
    REFUSED(4, nn_build_slice(builder, x, NN_AXIS_CHANNELS, 5, 2));
    REFUSED(4, nn_build_slice(builder, x, NN_AXIS_CHANNELS, SIZE_MAX, 2));
    REFUSED(4, nn_build_slice(builder, x, NN_AXIS_PLACES, 1, 0));
    REFUSED(4, nn_build_shuffle(builder, x, 4));
    REFUSED(4, nn_build_reshape(builder, x, 4, 4, 7));
    REFUSED(4, nn_build_reshape(builder, x, SIZE_MAX, SIZE_MAX, 2));
    REFUSED(4, nn_build_concat(builder, &x, 0, NN_AXIS_CHANNELS));
    REFUSED(4, nn_build_binary(builder, NN_BINARY_ADD, x, nn_build_slice(builder, x, NN_AXIS_CHANNELS, 0, 2)));
    REFUSED(4, nn_build_pad(builder, x, SIZE_MAX, 0, 0, 0, 0));
#undef REFUSED
}

static void test_model_without_input(void **state)
{
    nn_value y = nn_build_constant(builder, 1, 1, 4, weights);
    struct nn_model *model;

    (void)state;
    assert_int_equal(nn_builder_finish(builder, &y, NULL, 1, &model, NULL), AIBOX_PROCESS_FAILED);
}

static void test_too_many_multiplications(void **state)
{
    nn_value x = nn_build_input(builder, 8000, 8000, 1), y;
    struct aibox_error err = {0};
    struct nn_model *model;

    (void)state;
    y = nn_build_linear(builder, x, 1, weights, NULL);
    for (size_t i = 0; i < 2000; i++)
        y = nn_build_sigmoid(builder, y);
    assert_int_equal(nn_builder_finish(builder, &y, NULL, 1, &model, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "multiplications"));
}

/* A run switches denormal numbers off for its own time only. */
static void test_denormals_come_back(void **state)
{
    volatile float small = FLT_MIN;
    nn_value y = nn_build_sigmoid(builder, nn_build_input(builder, 1, 1, 4));

    (void)state;
    for (size_t i = 0; i < 4; i++)
        wanted[i] = 1 / (1 + expf(-input[i]));
    expect(&y, 1, 0, 4);
    assert_true(small / 2 > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_convolutions),
        TEST(test_affine_and_clamp_fold),
        TEST(test_no_folding_into_what_others_read),
        TEST(test_disjoint_clamps),
        TEST(test_functions),
        TEST(test_pools_and_padding),
        TEST(test_growing_concatenations),
        TEST(test_slices_shuffles_and_joins),
        TEST(test_operands_that_overlap),
        TEST(test_transposing),
        TEST(test_constants_and_outputs_that_are_inputs),
        TEST(test_first_error_is_kept),
        TEST(test_refusals),
        TEST(test_model_without_input),
        TEST(test_too_many_multiplications),
        TEST(test_denormals_come_back),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
