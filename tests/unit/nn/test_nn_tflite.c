/* TensorFlow Lite files: a small one written here byte by byte, each of its bytes damaged, and the real one if there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vision/nn/nn.h"
#include "vision/nn/onet.h"
#include "vision/nn/tflite.h"

#define TYPE_AT  138
#define NAME_AT  160
#define FLOAT_AT 196
#define SIZE     204

static unsigned char file[SIZE];

static void put(size_t at, size_t width, uint32_t value)
{
    for (size_t i = 0; i < width; i++)
        file[at + i] = (unsigned char)(value >> (8 * i));
}

/* At `at` the distance to `target`. */
static void point(size_t at, size_t target)
{
    put(at, 4, (uint32_t)(target - at));
}

/* One subgraph with one tensor "w" of 2 × 1 floats: 1.5 and -2. Every table's vtable lies before it. */
static void write_file(void)
{
    memset(file, 0, sizeof file);
    point(0, 24);
    memcpy(file + 4, "TFL3", 4);
    put(8, 2, 14); /* vtable of the model: five fields, of which two are there */
    put(10, 2, 12);
    put(16, 2, 4);
    put(20, 2, 8);
    put(24, 4, 24 - 8);
    point(28, 36); /* subgraphs */
    point(32, 44); /* buffers */
    put(36, 4, 1);
    point(40, 68);
    put(44, 4, 2);
    point(48, 92);
    point(52, 176);
    put(60, 2, 6); /* vtable of the subgraph: tensors */
    put(62, 2, 8);
    put(64, 2, 4);
    put(68, 4, 68 - 60);
    point(72, 76);
    put(76, 4, 1);
    point(80, 124);
    put(84, 2, 4); /* vtable of the empty buffer */
    put(86, 2, 4);
    put(92, 4, 92 - 84);
    put(100, 2, 12); /* vtable of the tensor: shape, type, buffer, name */
    put(102, 2, 20);
    put(104, 2, 4);
    put(106, 2, TYPE_AT - 124);
    put(108, 2, 8);
    put(110, 2, 16);
    put(124, 4, 124 - 100);
    point(128, 144);
    put(132, 4, 1);
    point(140, 156);
    put(144, 4, 2);
    put(148, 4, 2);
    put(152, 4, 1);
    put(156, 4, 1);
    file[NAME_AT] = 'w';
    put(164, 2, 6); /* vtable of the buffer: data */
    put(166, 2, 8);
    put(168, 2, 4);
    put(176, 4, 176 - 164);
    point(180, 192);
    put(192, 4, 8);
    put(FLOAT_AT, 4, 0x3fc00000);
    put(FLOAT_AT + 4, 4, 0xc0000000);
}

static const size_t shape[] = {2, 1};

/* Reads the tensor from a copy of exactly that size, so that a sanitizer sees what is beyond it. */
static enum aibox_status read_tensor(size_t size, const char *name, const size_t *sides, size_t rank, float numbers[2],
                                     struct aibox_error *err)
{
    unsigned char *copy = malloc(size + !size);
    struct tflite reader;
    float *data = NULL;
    enum aibox_status status;

    assert_non_null(copy);
    memcpy(copy, file, size);
    status = tflite_open(copy, size, &reader, err);
    if (status == AIBOX_OK)
        status = tflite_floats(&reader, name, sides, rank, &data, err);
    if (status == AIBOX_OK)
        memcpy(numbers, data, 2 * sizeof *numbers);
    free(data);
    free(copy);
    return status;
}

static void test_a_tensor(void **state)
{
    struct aibox_error err = {0};
    float numbers[2] = {0};

    (void)state;
    write_file();
    assert_int_equal(read_tensor(SIZE, "w", shape, 2, numbers, &err), AIBOX_OK);
    assert_true(numbers[0] == 1.5F && numbers[1] == -2);
}

static void test_what_is_not_there(void **state)
{
    static const size_t turned[] = {1, 2};
    struct aibox_error err = {0};
    float numbers[2];

    (void)state;
    write_file();
    assert_int_equal(read_tensor(SIZE, "v", shape, 2, numbers, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "a tensor is missing: v"));
    assert_int_equal(read_tensor(SIZE, "ww", shape, 2, numbers, &err), AIBOX_PROCESS_FAILED);
    assert_int_equal(read_tensor(SIZE, "w", turned, 2, numbers, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "of another shape or type: w"));
    assert_int_equal(read_tensor(SIZE, "w", shape, 1, numbers, &err), AIBOX_PROCESS_FAILED);
    file[TYPE_AT] = 2;
    assert_int_equal(read_tensor(SIZE, "w", shape, 2, numbers, &err), AIBOX_PROCESS_FAILED);
    write_file();
    put(FLOAT_AT, 4, 0x7fc00000);
    assert_int_equal(read_tensor(SIZE, "w", shape, 2, numbers, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "a number that is none: w"));
    write_file();
    put(192, 4, 4); /* half of the numbers */
    assert_int_equal(read_tensor(SIZE, "w", shape, 2, numbers, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "without its numbers: w"));
}

/* Nothing outside the file is touched, whatever a length or an offset says. */
static void test_damage(void **state)
{
    struct aibox_error err = {0};
    float numbers[2];

    (void)state;
    write_file();
    for (size_t size = 0; size < SIZE; size++)
        assert_int_equal(read_tensor(size, "w", shape, 2, numbers, &err), AIBOX_PROCESS_FAILED);
    for (size_t at = 0; at < SIZE; at++) {
        static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
        for (size_t i = 0; i < sizeof values; i++) {
            write_file();
            file[at] = values[i];
            (void)read_tensor(SIZE, "w", shape, 2, numbers, &err);
            write_file();
            put(at + 4 <= SIZE ? at : SIZE - 4, 4, 0x01010101U * values[i]);
            (void)read_tensor(SIZE, "w", shape, 2, numbers, &err);
        }
    }
}

static void test_not_onet(void **state)
{
    struct nn_model *model = NULL;
    struct aibox_error err = {0};

    (void)state;
    write_file();
    assert_int_equal(onet_read(file, SIZE, &model, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "a tensor is missing: onet/conv1/weights/read"));
    assert_int_equal(onet_read("not a model", 11, &model, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "not a TensorFlow Lite file"));
    assert_null(model);
}

static void test_onet(void **state)
{
    const char *folder = getenv("AIBOX_MODELS");
    struct nn_model *model = NULL;
    struct nn_session *session = NULL;
    struct aibox_error err = {0};
    unsigned char *bytes = malloc(TFLITE_MAX_BYTES);
    char path[1024];
    size_t size;
    FILE *f;

    (void)state;
    assert_non_null(bytes);
    snprintf(path, sizeof path, "%s/onet.tflite", folder && *folder ? folder : AIBOX_SOURCE_DIR "/build/models");
    f = fopen(path, "rb");
    if (!f) {
        free(bytes);
        print_message("no onet.tflite in AIBOX_MODELS or build/models\n");
        skip();
    }
    size = fread(bytes, 1, TFLITE_MAX_BYTES, f);
    fclose(f);
    assert_int_equal(onet_read(bytes, size, &model, &err), AIBOX_OK);
    free(bytes);
    assert_int_equal(nn_model_input_shape(model).dim[1], ONET_SIDE);
    assert_int_equal(nn_session_open(model, &session, &err), AIBOX_OK);
    memset(nn_session_input(session), 0, sizeof(float) * ONET_SIDE * ONET_SIDE * 3);
    assert_int_equal(nn_run(session, &err), AIBOX_OK);
    for (size_t i = 0; i < 10; i++) { /* a face that is not there is guessed to be in the middle */
        const float share = nn_session_output(session, ONET_POINTS)[i];
        assert_true(share > 0 && share < 1);
    }
    nn_session_close(session);
    nn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tensor), cmocka_unit_test(test_what_is_not_there),
        cmocka_unit_test(test_damage),   cmocka_unit_test(test_not_onet),
        cmocka_unit_test(test_onet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
