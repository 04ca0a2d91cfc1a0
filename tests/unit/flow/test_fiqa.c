/* Quality on the wire: every key of the specification, as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "flow/fiqa.h"

static struct flow_face example(void)
{
    return (struct flow_face){.face = {.box = {102.6f, 78.2f, 514.0f, 608.7f}, .score = 0.99f},
                              .age = 31.4f,
                              .male = 0.8f,
                              .quality = {.face_size = 411.4f,
                                          .pose = {.yaw = -1.62f, .pitch = 9.41f, .roll = -0.1f},
                                          .clarity = 1.47f,
                                          .brightness = 0.95f,
                                          .mask = -1,
                                          .occlusion = {true, true, true},
                                          .judged = QUALITY_FACE_SIZE | QUALITY_CLARITY,
                                          .failed = QUALITY_CLARITY,
                                          .score = 0.4f}};
}

static json_t *parse(const struct buffer *text)
{
    json_t *json = json_loads((const char *)text->data, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

static void test_face(void **state)
{
    (void)state;
    struct flow_face face = example();
    struct buffer text;
    buffer_init(&text, 4096);
    fiqa_face_json(&text, &face);
    json_t *json = parse(&text);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(json, "bbox"), 0)), 103);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(json, "bbox"), 3)), 609);
    assert_true(json_is_false(json_object_get(json, "fiqa_result")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "fails"), 0)), "clarity");
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "success"), 0)), "face_size");
    assert_int_equal(json_array_size(json_object_get(json, "success")), 1);
    json_t *info = json_object_get(json, "info");
    assert_int_equal(json_integer_value(json_object_get(info, "face_size")), 411);
    assert_int_equal(json_array_size(json_object_get(info, "occlusion")), 3);
    assert_true(json_is_boolean(json_object_get(info, "partial")));
    assert_float_equal(json_number_value(json_object_get(info, "mask")), -1, 0);
    assert_float_equal(json_number_value(json_object_get(json_object_get(info, "headpose"), "pitch_angle")), 9.4, 1e-6);
    json_decref(json);
    buffer_free(&text);
}

static void test_event(void **state)
{
    (void)state;
    struct flow_face face = example();
    struct buffer text;
    buffer_init(&text, 4096);
    fiqa_event_json(&text, &face, true);
    json_t *json = parse(&text);
    assert_int_equal(json_integer_value(json_object_get(json, "age")), 31);
    assert_int_equal(json_integer_value(json_object_get(json, "sex")), 0);
    assert_null(json_object_get(json, "bbox"));
    json_decref(json);
    buffer_clear(&text);
    fiqa_event_json(&text, &face, false);
    json = parse(&text);
    assert_null(json_object_get(json, "age"));
    json_decref(json);
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_face),
        cmocka_unit_test(test_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
