/* Telling masks by the embedding: the file, the probability, the threshold for masked faces, what quality makes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vision/mask.h"
#include "vision/model_set.h"

static struct mask_model model;

/* Weighs the first value alone: its sign decides. */
static json_t *simple(void)
{
    json_t *weights = json_array();
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        (void)json_array_append_new(weights, json_real(i == 0 ? 4.0 : 0.0));
    }
    json_t *document =
        json_pack("{s:s, s:f, s:o, s:[[f,f],[f,f],[f,f]], s:[[f,f],[f,f]]}", "model_set", "some/abc", "bias", -1.0,
                  "weights", weights, "fmr", 1e-2, 0.3, 1e-3, 0.4, 1e-4, 0.5, "genuine", 0.5, 0.6, 0.95, 0.4);
    assert_non_null(document);
    return document;
}

static enum aibox_status parse(json_t *document, struct aibox_error *err)
{
    char *text = json_dumps(document, 0);
    json_decref(document);
    *err = (struct aibox_error){0};
    enum aibox_status status = mask_model_parse(text, strlen(text), &model, err);
    free(text);
    return status;
}

static float logistic(double margin)
{
    return (float)(1.0 / (1.0 + exp(-margin)));
}

static void test_probability(void **state)
{
    (void)state;
    struct aibox_error err;
    float embedding[VISION_DIMENSION] = {0};
    assert_int_equal(parse(simple(), &err), AIBOX_OK);
    assert_string_equal(model.model_set, "some/abc");
    assert_float_equal(mask_probability(&model, embedding), -1.0f, 0.0f); /* no direction */
    embedding[0] = 5.0f; /* 4 · 1 - 1: the length counts for nothing */
    assert_float_equal(mask_probability(&model, embedding), logistic(3.0), 1e-6);
    embedding[0] = -0.5f;
    assert_float_equal(mask_probability(&model, embedding), logistic(-5.0), 1e-6);
    embedding[1] = 0.5f; /* 45° off */
    assert_float_equal(mask_probability(&model, embedding), logistic(-4.0 * sqrt(0.5) - 1.0), 1e-6);
    embedding[2] = NAN;
    assert_float_equal(mask_probability(&model, embedding), -1.0f, 0.0f);
    embedding[2] = INFINITY;
    assert_float_equal(mask_probability(&model, embedding), -1.0f, 0.0f);
}

static void expect(json_t *document, const char *message)
{
    struct aibox_error err;
    assert_int_equal(parse(document, &err), AIBOX_PROCESS_FAILED);
    if (!strstr(err.message, message)) {
        print_error("got: %s\nwant: %s\n", err.message, message);
    }
    assert_non_null(strstr(err.message, message));
}

static void test_mistakes(void **state)
{
    (void)state;
    json_t *m = simple();
    (void)json_object_del(m, "model_set");
    expect(m, "model_set must be a model set's id");

    m = simple();
    char longest[MODEL_SET_ID_SIZE + 1];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    (void)json_object_set_new(m, "model_set", json_string(longest));
    expect(m, "model_set must be a model set's id");

    m = simple();
    (void)json_object_set_new(m, "bias", json_string("1"));
    expect(m, "bias must be a number");

    m = simple();
    (void)json_array_remove(json_object_get(m, "weights"), 3);
    expect(m, "weights must be a list of 512 numbers");

    m = simple();
    (void)json_array_set_new(json_object_get(m, "weights"), 511, json_real(2e4));
    expect(m, "weights must be numbers from -1e4 to 1e4");

    m = simple();
    (void)json_array_set_new(json_object_get(m, "weights"), 0, json_null());
    expect(m, "weights must be numbers");

    m = simple();
    (void)json_object_del(m, "fmr");
    expect(m, "fmr must be a list");

    m = simple();
    (void)json_array_set_new(json_object_get(m, "genuine"), 1, json_pack("[f,f]", 0.4, 0.4));
    expect(m, "genuine must rise in rate and fall in score");

    expect(json_array(), "not a JSON object");
}

static void test_too_large(void **state)
{
    (void)state;
    struct aibox_error err = {0};
    const size_t size = 300000;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, ' ', size);
    assert_int_equal(mask_model_parse(text, size, &model, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "bytes"));
    free(text);
}

/* As rare among masked as among bare faces. */
static void test_threshold(void **state)
{
    (void)state;
    struct aibox_error err;
    struct calibration bare;
    assert_int_equal(parse(simple(), &err), AIBOX_OK);
    bare = model.calibration;
    for (size_t i = 0; i < bare.impostor_points; i++) {
        bare.threshold[i] -= 0.1;
    }
    assert_float_equal(mask_threshold(&model.calibration, &bare, 0.3), 0.4, 1e-6);
    assert_float_equal(mask_threshold(&model.calibration, &bare, 0.35), 0.45, 1e-6);
    assert_float_equal(mask_threshold(&bare, &model.calibration, 0.4), 0.3, 1e-6);
    assert_true(mask_threshold(&model.calibration, &bare, 1.0) <= 1.0);
}

static void test_judgement(void **state)
{
    (void)state;
    const struct vision_quality_limits high = vision_quality_limits_of(QUALITY_HIGH);
    const struct vision_quality_limits middle = vision_quality_limits_of(QUALITY_MIDDLE);
    struct vision_quality quality = {.score = 0.9f, .pass = true, .judged = high.judged, .mask = -1.0f};
    char text[256];

    struct vision_quality q = quality;
    vision_judge_mask(&q, &high, -1.0f);
    assert_true(q.pass && q.failed == 0);
    assert_float_equal(q.score, 0.9f, 1e-6f);

    q = quality;
    vision_judge_mask(&q, &high, 0.3f);
    assert_true(q.pass);
    assert_float_equal(q.mask, 0.3f, 1e-6f);
    assert_float_equal(q.score, 0.7f, 1e-6f);

    q = quality;
    vision_judge_mask(&q, &high, 0.97f);
    assert_false(q.pass);
    assert_int_equal(q.failed, QUALITY_MASK);
    vision_quality_explain(&q, &high, text, sizeof text);
    assert_non_null(strstr(text, "the face wears a mask"));

    /* Other levels tell it and take it. */
    q = quality;
    q.judged = middle.judged;
    vision_judge_mask(&q, &middle, 0.97f);
    assert_true(q.pass && q.failed == 0);
    assert_float_equal(q.mask, 0.97f, 1e-6f);
}

/* The file that ships is made for the set that ships. */
static void test_shipped(void **state)
{
    (void)state;
    struct aibox_error err = {0};
    struct model_set *set = malloc(sizeof *set);
    json_t *manifest = json_load_file(AIBOX_SOURCE_DIR "/models/manifest.json", 0, NULL);
    json_t *file = json_load_file(AIBOX_SOURCE_DIR "/models/mask.json", 0, NULL);
    assert_non_null(set);
    assert_non_null(file);
    char *text = json_dumps(manifest, 0);
    assert_non_null(text);
    assert_int_equal(model_set_parse(text, strlen(text), set, &err), AIBOX_OK);
    assert_int_equal(parse(file, &err), AIBOX_OK);
    assert_string_equal(model.model_set, set->id); /* else: aibox-mask train, docs/models.md */
    /* A mask makes different people no less alike and the same person no more. */
    assert_true(calibration_genuine_score(&model.calibration, 0.95) <
                calibration_genuine_score(&set->calibration, 0.95));
    json_decref(manifest);
    free(text);
    free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probability), cmocka_unit_test(test_mistakes),  cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_threshold),   cmocka_unit_test(test_judgement), cmocka_unit_test(test_shipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
