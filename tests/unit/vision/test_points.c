/* Squares of a picture: where their pixels and shares lie. (What the network finds: test_faces.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "vision/points.h"

static void expect_pixel(const float m[6], float column, float row, float x, float y)
{
    assert_float_equal(m[0] * column + m[1] * row + m[2], x, 1e-3f);
    assert_float_equal(m[3] * column + m[4] * row + m[5], y, 1e-3f);
}

/* A square of 48 px in 48 pixels: pixel for pixel, but rows are columns. */
static void test_upright(void **state)
{
    (void)state;
    const struct points_square square = {100, 80, 48, 0};
    float m[6];
    points_matrix(&square, 48, m);
    expect_pixel(m, 0, 0, 76, 56);
    expect_pixel(m, 0, 47, 123, 56);
    expect_pixel(m, 47, 0, 76, 103);
    float at[2];
    points_place(&square, 0.25f, 0.75f, at);
    assert_float_equal(at[0], 88, 1e-4f);
    assert_float_equal(at[1], 92, 1e-4f);
}

/* A quarter turn clockwise: the square's upper edge is at the right. */
static void test_turned(void **state)
{
    (void)state;
    const struct points_square square = {100, 80, 48, (float)M_PI / 2};
    float m[6];
    points_matrix(&square, 24, m);
    expect_pixel(m, 0, 0, 122.5f, 56.5f);
    expect_pixel(m, 0, 23, 122.5f, 102.5f);
    expect_pixel(m, 23, 0, 76.5f, 56.5f);
    float at[2];
    points_place(&square, 0.5f, 0, at);
    assert_float_equal(at[0], 124, 1e-3f);
    assert_float_equal(at[1], 80, 1e-3f);
}

/* Shares and pixels agree for any angle. */
static void test_agreement(void **state)
{
    (void)state;
    for (int degrees = -180; degrees < 180; degrees += 17) {
        const struct points_square square = {31.5f, -7.25f, 90, (float)degrees * (float)M_PI / 180};
        float m[6];
        float at[2];
        points_matrix(&square, 48, m);
        points_place(&square, 10.5f / 48, 33.5f / 48, at);
        expect_pixel(m, 33, 10, at[0] - 0.5f, at[1] - 0.5f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upright),
        cmocka_unit_test(test_turned),
        cmocka_unit_test(test_agreement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
