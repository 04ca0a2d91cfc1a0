/* Quality items on drawn pictures, levels, judgement and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "vision/quality.h"

#define SIDE 112

static float grey[SIDE * SIDE];

static void fill(float value)
{
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        grey[i] = value;
    }
}

static void test_clarity(void **state)
{
    (void)state;
    fill(127);
    assert_float_equal(quality_clarity(grey, SIDE), 0.0f, 1e-6f);
    /* A ramp has no second derivative. */
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        grey[i] = (float)(i % SIDE);
    }
    assert_float_equal(quality_clarity(grey, SIDE), 0.0f, 1e-4f);
    /* A chessboard of ±10: the Laplacian is ∓80, its mean 0 (SIDE - 2 is even), its variance 6400. */
    for (size_t y = 0; y < SIDE; y++) {
        for (size_t x = 0; x < SIDE; x++) {
            grey[y * SIDE + x] = 100.0f + ((x + y) % 2 ? 10.0f : -10.0f);
        }
    }
    assert_float_equal(quality_clarity(grey, SIDE), log10(6401.0), 1e-3f);
}

static void test_brightness(void **state)
{
    (void)state;
    fill(127);
    assert_float_equal(quality_brightness(grey, SIDE), 1.0f, 1e-6f);
    fill(39.9f);
    assert_float_equal(quality_brightness(grey, SIDE), 0.0f, 1e-6f);
    fill(235.1f);
    assert_float_equal(quality_brightness(grey, SIDE), 0.0f, 1e-6f);
    /* Light from one side. */
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        grey[i] = i % SIDE < SIDE / 2 ? 10.0f : 200.0f;
    }
    assert_float_equal(quality_brightness(grey, SIDE), 0.5f, 0.01f);
    /* A white background in the corners changes nothing. */
    fill(127);
    for (size_t i = 0; i < 20; i++) {
        grey[i * SIDE + i] = 255.0f;
    }
    assert_float_equal(quality_brightness(grey, SIDE), 1.0f, 1e-6f);
}

static void test_outside(void **state)
{
    (void)state;
    const float raw[4] = {-25, 0, 75, 100};
    const float clipped[4] = {0, 0, 75, 100};
    assert_float_equal(quality_outside(raw, clipped), 0.25f, 1e-6f);
    assert_float_equal(quality_outside(raw, raw), 0.0f, 1e-6f);
}

static struct vision_quality good(void)
{
    return (struct vision_quality){.face_size = 200,
                                   .pose = {5, -5, 2},
                                   .clarity = 3.5f,
                                   .brightness = 0.95f,
                                   .mask = -1,
                                   .occlusion = {true, true, true}};
}

static void test_levels(void **state)
{
    (void)state;
    struct vision_quality_limits high = vision_quality_limits_of(QUALITY_HIGH);
    assert_int_equal(high.judged, 0xff);
    assert_float_equal(high.face_size, 112, 1e-6f);
    assert_float_equal(high.pose_sum, 60, 1e-6f);
    struct vision_quality_limits middle = vision_quality_limits_of(QUALITY_MIDDLE);
    assert_int_equal(middle.judged, QUALITY_FACE_SIZE | QUALITY_HEADPOSE | QUALITY_CLARITY | QUALITY_PARTIAL |
                                        QUALITY_BRIGHTNESS | QUALITY_FEATURE);
    struct vision_quality_limits low = vision_quality_limits_of(QUALITY_LOW);
    assert_int_equal(low.judged, QUALITY_FACE_SIZE | QUALITY_HEADPOSE);
    assert_float_equal(low.pose_sum, 120, 1e-6f);
    assert_int_equal(vision_quality_limits_of(QUALITY_NO).judged, 0);
    enum vision_quality_level level = QUALITY_NO;
    assert_true(vision_quality_level_parse("middle", &level));
    assert_int_equal(level, QUALITY_MIDDLE);
    assert_false(vision_quality_level_parse("best", &level));
    assert_false(vision_quality_level_parse("", &level));
}

static void test_judge(void **state)
{
    (void)state;
    struct vision_quality_limits high = vision_quality_limits_of(QUALITY_HIGH);
    struct vision_quality_limits custom = vision_quality_limits_of(QUALITY_CUSTOM);
    struct vision_quality_limits no = vision_quality_limits_of(QUALITY_NO);
    struct vision_quality q = good();
    quality_judge(&q, &high);
    assert_true(q.pass);
    q.face_size = 112; /* more than 112 is asked for */
    q.pose = (struct vision_pose){-40, 15, 6};
    q.mask = 0.9f;
    q.partial = true;
    quality_judge(&q, &high);
    assert_int_equal(q.failed, QUALITY_FACE_SIZE | QUALITY_HEADPOSE | QUALITY_MASK | QUALITY_PARTIAL);
    assert_false(q.pass);
    quality_judge(&q, &custom);
    assert_true(q.pass); /* 112 px, pitch 15, yaw 40 */
    q.pose.pitch = -31;
    quality_judge(&q, &custom);
    assert_int_equal(q.failed, QUALITY_HEADPOSE);
    quality_judge(&q, &no);
    assert_true(q.pass);
    assert_int_equal(q.judged, 0);
    q = good();
    q.clarity = 0;
    q.brightness = 0;
    q.occlusion[2] = false;
    quality_judge(&q, &high);
    assert_int_equal(q.failed, QUALITY_CLARITY | QUALITY_BRIGHTNESS | QUALITY_OCCLUSION);
}

/* The embedding's length is an item like the others, once it is known. */
static void test_feature(void **state)
{
    (void)state;
    struct vision_quality_limits high = vision_quality_limits_of(QUALITY_HIGH);
    struct vision_quality_limits low = vision_quality_limits_of(QUALITY_LOW);
    struct vision_quality q = good();
    q.score = 0.9f;
    quality_judge(&q, &high);
    assert_int_equal(q.judged & QUALITY_FEATURE, 0);
    vision_judge_feature(&q, &high, 3.7f, 3.0f);
    assert_true(q.pass);
    assert_true(q.judged & QUALITY_FEATURE);
    assert_float_equal(q.feature, 3.7f, 1e-6f);
    vision_judge_feature(&q, &high, 3.0f, 3.0f);
    assert_true(q.pass);
    assert_float_equal(q.score, 0.5f, 1e-5f);
    vision_judge_feature(&q, &high, 2.9f, 3.0f);
    assert_false(q.pass);
    assert_int_equal(q.failed, QUALITY_FEATURE);
    char text[256];
    vision_quality_explain(&q, &high, text, sizeof text);
    assert_string_equal(text, "feature 2.90: turned away, covered or blurred");
    q = good();
    quality_judge(&q, &low);
    vision_judge_feature(&q, &low, 1.0f, 3.0f);
    assert_true(q.pass);
    assert_int_equal(q.judged, low.judged);
    /* A set without a limit judges nobody. */
    q = good();
    quality_judge(&q, &high);
    vision_judge_feature(&q, &high, 1.0f, 0.0f);
    assert_true(q.pass);
    assert_int_equal(q.judged & QUALITY_FEATURE, 0);
}

static void test_score(void **state)
{
    (void)state;
    struct vision_quality_limits high = vision_quality_limits_of(QUALITY_HIGH);
    struct vision_quality q = good();
    assert_true(quality_score(&q, 0) > 0.5f);
    /* At each limit: one half. */
    q.face_size = high.face_size;
    assert_float_equal(quality_score(&q, 0), 0.5f, 1e-5f);
    q = good();
    q.pose = (struct vision_pose){30, -20, 10};
    assert_float_equal(quality_score(&q, 0), 0.5f, 1e-5f);
    q = good();
    q.clarity = high.clarity;
    assert_float_equal(quality_score(&q, 0), 0.5f, 1e-5f);
    q = good();
    q.brightness = high.brightness;
    assert_float_equal(quality_score(&q, 0), 0.5f, 1e-5f);
    q = good();
    q.mask = high.mask;
    assert_float_equal(quality_score(&q, 0), 0.5f, 1e-5f);
    /* Monotone, within 0..1. */
    float last = -1;
    for (int size = 0; size < 400; size += 7) {
        q = good();
        q.face_size = (float)size;
        float score = quality_score(&q, 0);
        assert_true(score >= last && score >= 0 && score <= 1);
        last = score;
    }
    q = good();
    assert_float_equal(quality_score(&q, 1.0f), 0.0f, 1e-6f);
}

static void test_explain(void **state)
{
    (void)state;
    struct vision_quality_limits high = vision_quality_limits_of(QUALITY_HIGH);
    struct vision_quality q = good();
    char text[256];
    quality_judge(&q, &high);
    vision_quality_explain(&q, &high, text, sizeof text);
    assert_string_equal(text, "");
    q.face_size = 96;
    q.pose = (struct vision_pose){50, 15, -6};
    quality_judge(&q, &high);
    vision_quality_explain(&q, &high, text, sizeof text);
    assert_string_equal(text, "face_size 96 px, more than 112 needed; headpose 71\xc2\xb0, at most 60");
    /* What does not fit is left out whole. */
    char small[45];
    vision_quality_explain(&q, &high, small, sizeof small);
    assert_string_equal(small, "face_size 96 px, more than 112 needed");
    vision_quality_explain(&q, &high, small, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clarity), cmocka_unit_test(test_brightness), cmocka_unit_test(test_outside),
        cmocka_unit_test(test_levels),  cmocka_unit_test(test_judge),      cmocka_unit_test(test_score),
        cmocka_unit_test(test_explain), cmocka_unit_test(test_feature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
