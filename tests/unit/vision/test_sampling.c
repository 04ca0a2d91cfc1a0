/* Crops in box coordinates, and reduction that skips no pixel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "vision/sampling.h"

static struct image make(int width, int height)
{
    struct image image = {0};
    assert_int_equal(image_new(width, height, &image, NULL), AIBOX_OK);
    return image;
}

static void test_identity(void **state)
{
    (void)state;
    float m[6];
    sampling_of_rectangle(5, 7, 40, 30, 40, 30, m);
    assert_float_equal(m[0], 1, 1e-6f);
    assert_float_equal(m[2], 5, 1e-6f);
    assert_float_equal(m[4], 1, 1e-6f);
    assert_float_equal(m[5], 7, 1e-6f);
    /* Twice as small: the first output pixel's centre lies between the first two source pixels. */
    sampling_of_rectangle(0, 0, 40, 30, 20, 15, m);
    assert_float_equal(m[2], 0.5f, 1e-6f);
    assert_float_equal(m[0] * 19 + m[2], 38.5f, 1e-5f);
}

/* One-pixel stripes, 16 times as large as the output: every sample must be near the mean, whatever its phase. */
static void test_no_aliasing(void **state)
{
    (void)state;
    struct image image = make(1600, 1600);
    for (int y = 0; y < 1600; y++) {
        for (int x = 0; x < 1600; x++) {
            memset(image.pixels + ((size_t)y * 1600 + (size_t)x) * 3, x % 2 ? 200 : 0, 3);
        }
    }
    struct image_sampling how = {.scale = {1, 1, 1}};
    float *out = calloc(100 * 100 * 3, sizeof *out);
    assert_non_null(out);
    sampling_of_rectangle(0, 0, 1600, 1600, 100, 100, how.matrix);
    how.replicate = true;
    assert_int_equal(sample_smoothly(&image, &how, SAMPLE_COLOUR, 100, 100, out, NULL), AIBOX_OK);
    for (size_t i = 0; i < 100 * 100 * 3; i++) {
        assert_float_equal(out[i], 100.0f, 8.0f);
    }
    free(out);
    image_free(&image);
}

/* A gradient keeps its values where it is sampled, reduced or not, whole or in part. */
static void test_positions(void **state)
{
    (void)state;
    struct image image = make(1024, 600);
    for (int y = 0; y < 600; y++) {
        for (int x = 0; x < 1024; x++) {
            memset(image.pixels + ((size_t)y * 1024 + (size_t)x) * 3, x / 4, 3);
        }
    }
    const float rectangles[3][4] = {{0, 0, 1024, 600}, {300, 100, 448, 448}, {500, 20, 60, 60}};
    float out[56 * 56];
    for (size_t r = 0; r < 3; r++) {
        const float *rect = rectangles[r];
        struct image_sampling how = {.replicate = true};
        sampling_of_rectangle(rect[0], rect[1], rect[2], rect[3], 56, 56, how.matrix);
        assert_int_equal(sample_smoothly(&image, &how, SAMPLE_GREY, 56, 56, out, NULL), AIBOX_OK);
        for (size_t x = 1; x < 55; x++) {
            float at = rect[0] + ((float)x + 0.5f) * rect[2] / 56;
            assert_float_equal(out[28 * 56 + x], at / 4 - 0.5f, 1.0f);
        }
    }
    image_free(&image);
}

static void test_outside_is_black(void **state)
{
    (void)state;
    struct image image = make(400, 400);
    memset(image.pixels, 255, (size_t)400 * 400 * 3);
    float out[20 * 20];
    struct image_sampling how = {.replicate = false};
    sampling_of_rectangle(-400, 0, 800, 400, 20, 20, how.matrix); /* left half beyond the edge */
    assert_int_equal(sample_smoothly(&image, &how, SAMPLE_GREY, 20, 20, out, NULL), AIBOX_OK);
    assert_float_equal(out[10 * 20 + 2], 0.0f, 1e-3f);
    assert_float_equal(out[10 * 20 + 15], 255.0f, 1e-1f);
    sampling_of_rectangle(-4000, -4000, 800, 800, 20, 20, how.matrix); /* nothing of the picture at all */
    assert_int_equal(sample_smoothly(&image, &how, SAMPLE_GREY, 20, 20, out, NULL), AIBOX_OK);
    assert_float_equal(out[0], 0.0f, 1e-3f);
    image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_no_aliasing),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_outside_is_black),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
