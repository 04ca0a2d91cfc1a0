/* The detector's anchors and their decoding against the formula written out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "vision/detect.h"

static const size_t rows[4] = {30, 15, 8, 4};
static const size_t cols[4] = {40, 20, 10, 5};

static void test_anchor_count(void **state)
{
    (void)state;
    size_t total = 0;
    for (size_t i = 0; i < 4; i++) {
        struct detect_map map;
        detect_map_init(i, rows[i], cols[i], 320, 240, &map);
        total += map.rows * map.cols * map.anchors;
    }
    assert_int_equal(total, 4420);
}

static void test_anchor_sides(void **state)
{
    (void)state;
    struct detect_map map;
    detect_map_init(0, 30, 40, 320, 240, &map);
    assert_int_equal(map.anchors, 3);
    assert_float_equal(map.width[0], 10.0f / 320, 1e-6f);
    assert_float_equal(map.height[2], 24.0f / 240, 1e-6f);
    detect_map_init(3, 4, 5, 320, 240, &map);
    assert_float_equal(map.width[2], 256.0f / 320, 1e-6f);
    assert_float_equal(map.height[2], 1.0f, 1e-6f); /* 256 of 240 rows: no more than the picture */
}

static void test_decode(void **state)
{
    (void)state;
    struct detect_map map;
    detect_map_init(1, 2, 3, 320, 240, &map); /* sides 32, 48 */
    float scores[2 * 3 * 2 * 2];
    float boxes[2 * 3 * 2 * 4];
    memset(scores, 0, sizeof scores); /* probability 0.5 everywhere */
    memset(boxes, 0, sizeof boxes);
    /* Row 1, column 2, second anchor. */
    size_t anchor = (1 * 3 + 2) * 2 + 1;
    scores[2 * anchor] = -1.0f;
    scores[2 * anchor + 1] = 1.5f;
    const float offset[4] = {0.5f, -1.0f, 0.7f, -0.4f};
    memcpy(boxes + 4 * anchor, offset, sizeof offset);
    struct candidate list[8];
    size_t count = 0;
    detect_decode(&map, scores, boxes, 0.65f, list, 8, &count);
    assert_int_equal(count, 1);
    float x = 2.5f / 3 + 0.5f * 0.1f * 48 / 320;
    float y = 1.5f / 2 - 1.0f * 0.1f * 48 / 240;
    float w = 48.0f / 320 * expf(0.14f);
    float h = 48.0f / 240 * expf(-0.08f);
    assert_float_equal(list[0].score, 1 / (1 + expf(-2.5f)), 1e-5f);
    assert_float_equal(list[0].box[0], x - w / 2, 1e-5f);
    assert_float_equal(list[0].box[1], y - h / 2, 1e-5f);
    assert_float_equal(list[0].box[2], x + w / 2, 1e-5f);
    assert_float_equal(list[0].box[3], y + h / 2, 1e-5f);
}

static void test_decode_limits(void **state)
{
    (void)state;
    struct detect_map map;
    detect_map_init(1, 2, 3, 320, 240, &map);
    float scores[2 * 3 * 2 * 2];
    float boxes[2 * 3 * 2 * 4];
    memset(boxes, 0, sizeof boxes);
    for (size_t i = 0; i < 12; i++) {
        scores[2 * i] = 0.0f;
        scores[2 * i + 1] = 5.0f;
    }
    struct candidate list[5];
    size_t count = 0;
    detect_decode(&map, scores, boxes, 0.65f, list, 5, &count);
    assert_int_equal(count, 5); /* stops when full */
    /* Numbers that are none don't become faces. */
    for (size_t i = 0; i < 12; i++) {
        scores[2 * i + 1] = i < 6 ? NAN : 5.0f;
        boxes[4 * i + 2] = INFINITY;
    }
    count = 0;
    detect_decode(&map, scores, boxes, 0.65f, list, 5, &count);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anchor_count),
        cmocka_unit_test(test_anchor_sides),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
