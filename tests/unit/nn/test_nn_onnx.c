/* Reading ONNX: what small models compute, and that no file, however broken, does harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_writer.h"
#include "vision/nn/nn.h"

#define INTS(...)                                                                                                      \
    (sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])                                      \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static struct buffer graph, attr, file;

static int set_up(void **state)
{
    (void)state;
    buffer_init(&graph, 1 << 22);
    buffer_init(&attr, 1 << 16);
    buffer_init(&file, 1 << 22);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_free(&graph);
    buffer_free(&attr);
    buffer_free(&file);
    return 0;
}

static size_t elements(struct nn_shape shape)
{
    size_t count = 1;

    for (size_t i = 0; i < shape.rank; i++)
        count *= shape.dim[i];
    return count;
}

/* Reads what was put into `graph`, runs it on `input`, and gives the first output, to be freed. */
static float *run(const float *input, struct nn_shape *shape)
{
    struct aibox_error err = {0};
    struct nn_session *session;
    struct nn_model *model;
    float *result;

    onnx_put_model(&file, &graph, 11);
    assert_false(file.failed || graph.failed);
    if (nn_model_read(file.data, file.size, NULL, 0, NULL, &model, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    assert_int_equal(nn_session_open(model, &session, NULL), AIBOX_OK);
    memcpy(nn_session_input(session), input, elements(nn_model_input_shape(model)) * sizeof *input);
    assert_int_equal(nn_run(session, NULL), AIBOX_OK);
    *shape = nn_model_output_shape(model, 0);
    result = malloc(elements(*shape) * sizeof *result);
    assert_non_null(result);
    memcpy(result, nn_session_output(session, 0), elements(*shape) * sizeof *result);
    nn_session_close(session);
    nn_model_free(model);
    buffer_clear(&file);
    return result;
}

static void expect(const float *result, struct nn_shape shape, size_t count, const float *wanted)
{
    assert_int_equal(elements(shape), count);
    for (size_t i = 0; i < count; i++) {
        if (!(fabsf(result[i] - wanted[i]) < 1e-5F))
            fail_msg("number %zu is %g instead of %g", i, (double)result[i], (double)wanted[i]);
    }
}

/* A picture of 2 channels, 2 rows, 3 columns, as ONNX orders it: 1 2 3 4 5 6, 10 20 30 40 50 60. */
static const float picture[12] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60};

static void test_flatten_keeps_onnx_order(void **state)
{
    const float wanted[] = {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60};
    struct nn_shape shape;
    float *result;

    (void)state;
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_node(&graph, "Flatten", "x", "y", NULL);
    onnx_put_output(&graph, "y");
    result = run(picture, &shape);
    assert_int_equal(shape.rank, 2);
    expect(result, shape, 12, wanted);
    free(result);
}

static void test_gemm_after_flatten(void **state)
{
    /* picks elements 1 and 7 of the flattened picture: 2 and 20 */
    float weights[2 * 12] = {0};
    const float bias[2] = {0.5F, -1};
    const float wanted[2] = {2 * 2 + 3 * 0.5F, 2 * 20 - 3};
    struct nn_shape shape;
    float *result;

    (void)state;
    weights[1] = 1;
    weights[12 + 7] = 1;
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_floats(&graph, "w", INTS(2, 12), weights);
    onnx_put_floats(&graph, "b", INTS(2), bias);
    onnx_put_node(&graph, "Flatten", "x", "f", NULL);
    onnx_put_int(&attr, "transB", 1);
    onnx_put_float(&attr, "alpha", 2);
    onnx_put_float(&attr, "beta", 3);
    onnx_put_node(&graph, "Gemm", "f w b", "y", &attr);
    onnx_put_output(&graph, "y");
    result = run(picture, &shape);
    expect(result, shape, 2, wanted);
    free(result);
}

static void test_reshape_mixes_channels_and_places(void **state)
{
    /* {1, 2, 2, 3} as {1, 3, 2, 2}, then NHWC at the door */
    const float wanted[] = {1, 5, 30, 2, 6, 40, 3, 10, 50, 4, 20, 60};
    struct nn_shape shape;
    float *result;

    (void)state;
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_integers(&graph, "s", INTS(0, 3, -1, 2));
    onnx_put_floats(&graph, "one", INTS(3, 1, 1, 1), (const float[]){1, 1, 1});
    onnx_put_node(&graph, "Reshape", "x s", "r", NULL);
    onnx_put_int(&attr, "group", 3);
    onnx_put_node(&graph, "Conv", "r one", "y", &attr);
    onnx_put_output(&graph, "y");
    result = run(picture, &shape);
    assert_int_equal(shape.rank, 4);
    assert_int_equal(shape.dim[3], 3);
    expect(result, shape, 12, wanted);
    free(result);
}

static void test_broadcasting(void **state)
{
    /* (c − x) · rows, rows = 1, 2 down the picture; c per channel */
    const float wanted[] = {-1, -9, -2, -19, -3, -29, -8, -78, -10, -98, -12, -118};
    struct nn_shape shape;
    float *result;

    (void)state;
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_floats(&graph, "c", INTS(2, 1, 1), (const float[]){0, 1});
    onnx_put_floats(&graph, "rows", INTS(2, 1), (const float[]){1, 2});
    onnx_put_node(&graph, "Sub", "c x", "d", NULL);
    onnx_put_node(&graph, "Mul", "d rows", "y", NULL);
    onnx_put_output(&graph, "y");
    result = run(picture, &shape);
    expect(result, shape, 12, wanted);
    free(result);
}

static void test_constant_divided(void **state)
{
    const float wanted[] = {2, 0.6F, 1, 0.3F, 2.0F / 3, 0.2F, 0.5F, 0.15F, 0.4F, 0.12F, 1.0F / 3, 0.1F};
    struct nn_shape shape;
    float *result;

    (void)state;
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_floats(&graph, "c", INTS(1, 2, 1, 1), (const float[]){2, 6});
    onnx_put_node(&graph, "Div", "c x", "y", NULL);
    onnx_put_output(&graph, "y");
    result = run(picture, &shape);
    expect(result, shape, 12, wanted);
    free(result);
}

static void test_transpositions(void **state)
{
    /* channels last, rows of it cut, back to channels first, then flat: {2, 3, 2} -> row 1 -> {2, 1, 3} */
    const float wanted[] = {4, 5, 6, 40, 50, 60};
    struct nn_shape shape;
    float *result;

    (void)state;
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_ints(&attr, "perm", INTS(0, 2, 3, 1));
    onnx_put_node(&graph, "Transpose", "x", "t", &attr);
    onnx_put_integers(&graph, "from", INTS(1));
    onnx_put_integers(&graph, "to", INTS(2));
    onnx_put_integers(&graph, "axis", INTS(1));
    onnx_put_node(&graph, "Slice", "t from to axis", "s", NULL);
    onnx_put_ints(&attr, "perm", INTS(0, 3, 1, 2));
    onnx_put_node(&graph, "Transpose", "s", "u", &attr);
    onnx_put_node(&graph, "Flatten", "u", "y", NULL);
    onnx_put_output(&graph, "y");
    result = run(picture, &shape);
    expect(result, shape, 6, wanted);
    free(result);
}

static void test_joining_rows_of_pictures(void **state)
{
    const float wanted[] = {4, 40, 5, 50, 6, 60, 1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60};
    struct nn_shape shape;
    float *result;

    (void)state;
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_ints(&attr, "axes", INTS(2));
    onnx_put_ints(&attr, "starts", INTS(-1));
    onnx_put_ints(&attr, "ends", INTS(9));
    onnx_put_node(&graph, "Slice", "x", "s", &attr);
    onnx_put_int(&attr, "axis", 2);
    onnx_put_node(&graph, "Concat", "s x", "y", &attr);
    onnx_put_output(&graph, "y");
    result = run(picture, &shape);
    assert_int_equal(shape.dim[1], 3);
    expect(result, shape, 18, wanted);
    free(result);
}

/* Message of the failure to read what is in `graph`. */
static struct aibox_error refusal(void)
{
    struct aibox_error err = {0};
    struct nn_model *model;

    onnx_put_model(&file, &graph, 11);
    assert_int_equal(nn_model_read(file.data, file.size, NULL, 0, NULL, &model, &err), AIBOX_PROCESS_FAILED);
    assert_int_equal(err.status, AIBOX_PROCESS_FAILED);
    buffer_clear(&file);
    return err;
}

static void test_refusals_name_node_and_operator(void **state)
{
    struct aibox_error err;

    (void)state;
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_node(&graph, "Einsum", "x", "strange", NULL);
    onnx_put_output(&graph, "strange");
    err = refusal();
    assert_non_null(strstr(err.message, "Einsum"));
    assert_non_null(strstr(err.message, "strange"));

    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_floats(&graph, "w", INTS(1, 3, 1, 1), (const float[]){1, 1, 1});
    onnx_put_node(&graph, "Conv", "x w", "c", NULL);
    onnx_put_output(&graph, "c");
    err = refusal();
    assert_non_null(strstr(err.message, "node c (Conv)"));
}

static void test_refused_graphs(void **state)
{
    (void)state;
    /* a circle: in no order does each node come after what it reads */
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_node(&graph, "Add", "x b", "a", NULL);
    onnx_put_node(&graph, "Relu", "a", "b", NULL);
    onnx_put_output(&graph, "b");
    refusal();
    /* two makers of one tensor */
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_node(&graph, "Relu", "x", "a", NULL);
    onnx_put_node(&graph, "Sigmoid", "x", "a", NULL);
    onnx_put_output(&graph, "a");
    refusal();
    /* an output that nobody makes */
    onnx_put_input(&graph, "x", INTS(1, 2, 2, 3));
    onnx_put_output(&graph, "a");
    refusal();
    /* sizes that are not given, or too large */
    onnx_put_input(&graph, "x", INTS(1, 2, -1, 3));
    onnx_put_node(&graph, "Relu", "x", "a", NULL);
    onnx_put_output(&graph, "a");
    refusal();
    onnx_put_input(&graph, "x", INTS(1, 65535, 65535, 65535));
    onnx_put_node(&graph, "Relu", "x", "a", NULL);
    onnx_put_output(&graph, "a");
    refusal();
    /* more pictures than one */
    onnx_put_input(&graph, "x", INTS(2, 2, 2, 3));
    onnx_put_node(&graph, "Relu", "x", "a", NULL);
    onnx_put_output(&graph, "a");
    refusal();
    /* a constant of gigabytes out of a few bytes */
    onnx_put_input(&graph, "x", INTS(1, 1, 1, 1));
    onnx_put_integers(&graph, "s", INTS(1, 1, 65536, 65536));
    onnx_put_node(&graph, "ConstantOfShape", "s", "c", NULL);
    onnx_put_node(&graph, "Add", "x c", "a", NULL);
    onnx_put_output(&graph, "a");
    refusal();
    /* a window with a billion positions */
    onnx_put_input(&graph, "x", INTS(1, 1, 4000, 4000));
    onnx_put_ints(&attr, "kernel_shape", INTS(8, 8));
    onnx_put_node(&graph, "MaxPool", "x", "a", &attr);
    onnx_put_output(&graph, "a");
    refusal();
}

static void test_dynamic_sizes_are_given(void **state)
{
    const struct nn_shape given = {.rank = 4, .dim = {1, 5, 7, 2}};
    const struct nn_shape other = {.rank = 4, .dim = {1, 5, 7, 3}};
    struct nn_model *model;

    (void)state;
    onnx_put_input(&graph, "x", INTS(-1, 2, -1, -1));
    onnx_put_node(&graph, "Relu", "x", "y", NULL);
    onnx_put_output(&graph, "y");
    onnx_put_model(&file, &graph, 13);
    assert_int_equal(nn_model_read(file.data, file.size, NULL, 0, &other, &model, NULL), AIBOX_PROCESS_FAILED);
    assert_int_equal(nn_model_read(file.data, file.size, NULL, 0, &given, &model, NULL), AIBOX_OK);
    assert_int_equal(nn_model_output_shape(model, 0).dim[1], 5);
    assert_int_equal(nn_model_output_shape(model, 0).dim[2], 7);
    assert_int_equal(nn_model_output_shape(model, 1).rank, 0);
    nn_model_free(model);
}

static void try(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1); /* so that a sanitizer sees a byte too far */
    struct nn_session *session;
    struct nn_model *model;

    assert_non_null(exact);
    if (size)
        memcpy(exact, bytes, size);
    if (nn_model_read(exact, size, NULL, 0, NULL, &model, NULL) == AIBOX_OK) {
        if (nn_session_open(model, &session, NULL) == AIBOX_OK)
            nn_session_close(session);
        nn_model_free(model);
    }
    free(exact);
}

static void test_samples_are_readable(void **state)
{
    struct aibox_error err;
    struct nn_model *model;

    (void)state;
    for (size_t i = 0; onnx_sample(i, &file); i++) {
        if (nn_model_read(file.data, file.size, NULL, 0, NULL, &model, &err) != AIBOX_OK)
            fail_msg("sample %zu: %s", i, err.message);
        nn_model_free(model);
        buffer_clear(&file);
    }
}

static void test_cut_short_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; onnx_sample(i, &file); i++) {
        for (size_t size = 0; size < file.size; size++)
            try(file.data, size);
        buffer_clear(&file);
    }
}

static void test_any_byte_changed(void **state)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x10};

    (void)state;
    for (size_t i = 0; onnx_sample(i, &file); i++) {
        for (size_t at = 0; at < file.size; at++) {
            file.data[at] ^= changes[at % sizeof changes];
            try(file.data, file.size);
            file.data[at] ^= changes[at % sizeof changes];
        }
        buffer_clear(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flatten_keeps_onnx_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gemm_after_flatten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reshape_mixes_channels_and_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broadcasting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_constant_divided, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_transpositions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_joining_rows_of_pictures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals_name_node_and_operator, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_graphs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dynamic_sizes_are_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_samples_are_readable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cut_short_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_any_byte_changed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
