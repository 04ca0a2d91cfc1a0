/* Boxes, suppression and plane transforms against closed forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "vision/geometry.h"

#define NEAR 1e-4f

static void test_iou(void **state)
{
    (void)state;
    const float a[4] = {0, 0, 10, 10};
    const float half[4] = {5, 0, 15, 10};
    const float inside[4] = {2, 2, 7, 7};
    const float apart[4] = {20, 20, 30, 30};
    const float empty[4] = {5, 5, 5, 9};
    assert_float_equal(box_iou(a, a), 1.0f, NEAR);
    assert_float_equal(box_iou(a, half), 50.0f / 150.0f, NEAR);
    assert_float_equal(box_iou(a, inside), 0.25f, NEAR);
    assert_float_equal(box_iou(a, apart), 0.0f, NEAR);
    assert_float_equal(box_iou(a, empty), 0.0f, NEAR);
    assert_float_equal(box_overlap(a, inside), 1.0f, NEAR);
    assert_float_equal(box_overlap(a, half), 0.5f, NEAR);
    assert_float_equal(box_overlap(a, empty), 0.0f, NEAR);
}

static void test_clip(void **state)
{
    (void)state;
    const float over[4] = {-5, 3, 120, 90};
    const float beyond[4] = {101, 0, 140, 10};
    float out[4];
    assert_true(box_clip(over, 100, 80, out));
    assert_float_equal(out[0], 0, NEAR);
    assert_float_equal(out[1], 3, NEAR);
    assert_float_equal(out[2], 100, NEAR);
    assert_float_equal(out[3], 80, NEAR);
    assert_false(box_clip(beyond, 100, 80, out));
}

static void test_suppress_keeps_best(void **state)
{
    (void)state;
    struct candidate list[] = {
        {.box = {0, 0, 10, 10}, .score = 0.7f},
        {.box = {1, 0, 11, 10}, .score = 0.9f}, /* overlaps the first by 9/11 */
        {.box = {50, 50, 60, 60}, .score = 0.8f},
        {.box = {6, 0, 16, 10}, .score = 0.66f}, /* IoU 1/3 with the kept one: stays */
    };
    size_t left = candidates_suppress(list, 4, 0.4f);
    assert_int_equal(left, 3);
    assert_float_equal(list[0].score, 0.9f, NEAR);
    assert_float_equal(list[1].score, 0.8f, NEAR);
    assert_float_equal(list[2].score, 0.66f, NEAR);
    assert_int_equal(candidates_suppress(list, 0, 0.4f), 0);
}

static void test_suppress_parts_of_other_passes(void **state)
{
    (void)state;
    /* A part of a face, seen from nearer with a higher score: the whole face stays. */
    struct candidate list[] = {
        {.box = {0, 0, 100, 100}, .score = 0.8f, .pass = 0},
        {.box = {20, 20, 60, 60}, .score = 0.9f, .pass = 3},
    };
    assert_int_equal(candidates_suppress(list, 2, 0.4f), 1);
    assert_float_equal(list[0].box[2], 100, NEAR);
    /* The same two from one pass are two faces, one before the other. */
    struct candidate same[] = {
        {.box = {0, 0, 100, 100}, .score = 0.8f, .pass = 3},
        {.box = {20, 20, 60, 60}, .score = 0.9f, .pass = 3},
    };
    assert_int_equal(candidates_suppress(same, 2, 0.4f), 2);
}

static void test_similarity_exact(void **state)
{
    (void)state;
    const float from[5][2] = {{38, 51}, {73, 51}, {56, 71}, {41, 92}, {70, 92}};
    const float angles[] = {0.0f, 0.3f, -1.2f, 3.0f};
    for (size_t k = 0; k < 4; k++) {
        float scale = 0.4f + (float)k;
        float a = scale * cosf(angles[k]);
        float b = scale * sinf(angles[k]);
        float to[5][2];
        for (size_t i = 0; i < 5; i++) {
            to[i][0] = a * from[i][0] - b * from[i][1] + 17.0f;
            to[i][1] = b * from[i][0] + a * from[i][1] - 4.0f;
        }
        float m[6];
        assert_true(similarity_fit(from, (const float(*)[2])to, 5, m));
        assert_float_equal(m[0], a, NEAR);
        assert_float_equal(m[1], -b, NEAR);
        assert_float_equal(m[2], 17.0f, 1e-2f);
        assert_float_equal(m[3], b, NEAR);
        assert_float_equal(m[4], a, NEAR);
        assert_float_equal(m[5], -4.0f, 1e-2f);
    }
}

/* The closed form is a minimum: no small change of its four parameters makes the error less. */
static double error_of(const float (*from)[2], const float (*to)[2], const double p[4])
{
    double sum = 0;
    for (size_t i = 0; i < 5; i++) {
        double x = p[0] * from[i][0] - p[1] * from[i][1] + p[2] - to[i][0];
        double y = p[1] * from[i][0] + p[0] * from[i][1] + p[3] - to[i][1];
        sum += x * x + y * y;
    }
    return sum;
}

static void test_similarity_least_squares(void **state)
{
    (void)state;
    const float from[5][2] = {{38, 51}, {73, 51}, {56, 71}, {41, 92}, {70, 92}};
    const float to[5][2] = {{31, 40}, {80, 44}, {50, 77}, {38, 99}, {77, 90}};
    float m[6];
    assert_true(similarity_fit(from, to, 5, m));
    const double best[4] = {m[0], m[3], m[2], m[5]};
    double least = error_of(from, to, best);
    for (size_t i = 0; i < 4; i++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            double p[4] = {best[0], best[1], best[2], best[3]};
            p[i] += sign * (i < 2 ? 1e-2 : 0.5);
            assert_true(error_of(from, to, p) > least);
        }
    }
}

static void test_similarity_never_mirrors(void **state)
{
    (void)state;
    const float from[5][2] = {{38, 51}, {73, 51}, {56, 71}, {41, 92}, {70, 92}};
    float to[5][2];
    for (size_t i = 0; i < 5; i++) {
        to[i][0] = 112.0f - from[i][0];
        to[i][1] = from[i][1];
    }
    float m[6];
    assert_true(similarity_fit(from, (const float(*)[2])to, 5, m));
    assert_true(m[0] * m[4] - m[1] * m[3] > 0);
}

static void test_similarity_refuses_collapse(void **state)
{
    (void)state;
    const float from[5][2] = {{4, 4}, {4, 4}, {4, 4}, {4, 4}, {4, 4}};
    const float to[5][2] = {{38, 51}, {73, 51}, {56, 71}, {41, 92}, {70, 92}};
    const float infinite[5][2] = {{4, 4}, {INFINITY, 4}, {4, 5}, {4, 4}, {4, 4}};
    const float unknown[5][2] = {{4, 4}, {NAN, 4}, {4, 5}, {4, 4}, {4, 4}};
    float m[6];
    assert_false(similarity_fit(from, to, 5, m));
    assert_false(similarity_fit(to, from, 5, m));
    assert_false(similarity_fit(infinite, to, 5, m));
    assert_false(similarity_fit(unknown, to, 5, m));
    assert_false(similarity_fit(to, to, 1, m));
}

static void test_invert(void **state)
{
    (void)state;
    const float m[6] = {0.8f, -0.3f, 12.0f, 0.3f, 0.8f, -7.0f};
    const float flat[6] = {1, 2, 0, 2, 4, 0};
    float inverse[6];
    assert_true(affine_invert(m, inverse));
    const float points[3][2] = {{0, 0}, {50, 3}, {-9, 88}};
    for (size_t i = 0; i < 3; i++) {
        float x = m[0] * points[i][0] + m[1] * points[i][1] + m[2];
        float y = m[3] * points[i][0] + m[4] * points[i][1] + m[5];
        assert_float_equal(inverse[0] * x + inverse[1] * y + inverse[2], points[i][0], 1e-3f);
        assert_float_equal(inverse[3] * x + inverse[4] * y + inverse[5], points[i][1], 1e-3f);
    }
    assert_false(affine_invert(flat, inverse));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_iou),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_suppress_keeps_best),
        cmocka_unit_test(test_suppress_parts_of_other_passes),
        cmocka_unit_test(test_similarity_exact),
        cmocka_unit_test(test_similarity_least_squares),
        cmocka_unit_test(test_similarity_never_mirrors),
        cmocka_unit_test(test_similarity_refuses_collapse),
        cmocka_unit_test(test_invert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
