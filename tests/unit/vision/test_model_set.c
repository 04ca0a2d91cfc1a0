/* The manifest: what is taken, and what each mistake in it is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vision/model_set.h"
#include "vision/vision.h"

static json_t *shipped(void)
{
    json_t *manifest = json_load_file(AIBOX_SOURCE_DIR "/models/manifest.json", JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(manifest);
    return manifest;
}

/* Parses a document (its reference is taken) and gives the message. */
static enum aibox_status parse(json_t *document, struct model_set *set, struct aibox_error *err)
{
    char *text = json_dumps(document, 0);
    json_decref(document);
    assert_non_null(text);
    *err = (struct aibox_error){0};
    enum aibox_status status = model_set_parse(text, strlen(text), set, err);
    free(text);
    return status;
}

static void test_shipped(void **state)
{
    (void)state;
    struct model_set set;
    struct aibox_error err;
    assert_int_equal(parse(shipped(), &set, &err), AIBOX_OK);
    assert_int_equal(strncmp(set.id, "fr-1/", 5), 0);
    assert_int_equal(strlen(set.id), 5 + 12);
    assert_string_equal(set.files[MODEL_FEATURE].name, "fr_feature.onnx");
    assert_true(set.feature.channels.bgr);
    assert_false(set.detect.channels.bgr);
    assert_float_equal(set.detect.score, 0.65f, 1e-6f);
    assert_float_equal(set.feature.points[2][1], 71.7366f, 1e-4f);
    /* A stricter rate asks for a higher threshold. */
    assert_true(calibration_threshold(&set.calibration, 1e-6) > calibration_threshold(&set.calibration, 1e-3));
    assert_true(calibration_genuine_score(&set.calibration, 0.5) > calibration_genuine_score(&set.calibration, 0.99));
}

static json_t *at(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    assert_non_null(value);
    return value;
}

/* The id changes with what shapes an embedding, and with nothing else. */
static void test_id(void **state)
{
    (void)state;
    struct model_set first;
    struct model_set second;
    struct aibox_error err;
    assert_int_equal(parse(shipped(), &first, &err), AIBOX_OK);

    json_t *changed = shipped();
    (void)json_object_set_new(at(at(changed, "preprocessing"), "liveness"), "box", json_real(2.0));
    (void)json_object_set_new(changed, "name", json_string("another name"));
    assert_int_equal(parse(changed, &second, &err), AIBOX_OK);
    assert_string_equal(first.id, second.id);

    changed = shipped();
    (void)json_object_set_new(at(at(changed, "preprocessing"), "landmark"), "box", json_real(1.1));
    assert_int_equal(parse(changed, &second, &err), AIBOX_OK);
    assert_string_not_equal(first.id, second.id);

    changed = shipped();
    (void)json_array_set_new(json_array_get(at(changed, "template"), 0), 0, json_real(38.0));
    assert_int_equal(parse(changed, &second, &err), AIBOX_OK);
    assert_string_not_equal(first.id, second.id);

    changed = shipped();
    char hash[65];
    memset(hash, 'a', 64);
    hash[64] = '\0';
    (void)json_object_set_new(at(at(changed, "files"), "feature"), "sha256", json_string(hash));
    assert_int_equal(parse(changed, &second, &err), AIBOX_OK);
    assert_string_not_equal(first.id, second.id);

    changed = shipped();
    (void)json_array_set_new(json_array_get(at(at(at(changed, "preprocessing"), "points"), "template"), 0), 0,
                             json_real(38.0));
    assert_int_equal(parse(changed, &second, &err), AIBOX_OK);
    assert_string_not_equal(first.id, second.id);
}

/* A set may come without a network for the five points: then it says nothing about one. */
static void test_without_points(void **state)
{
    (void)state;
    struct model_set with;
    struct model_set without;
    struct aibox_error err;
    assert_int_equal(parse(shipped(), &with, &err), AIBOX_OK);
    assert_true(model_set_has(&with, MODEL_POINTS));
    json_t *m = shipped();
    (void)json_object_del(at(m, "files"), "points");
    (void)json_object_del(at(m, "preprocessing"), "points");
    assert_int_equal(parse(m, &without, &err), AIBOX_OK);
    assert_false(model_set_has(&without, MODEL_POINTS));
    assert_string_not_equal(with.id, without.id);
}

static void expect(json_t *document, const char *message)
{
    struct model_set set;
    struct aibox_error err;
    assert_int_equal(parse(document, &set, &err), AIBOX_PROCESS_FAILED);
    if (!strstr(err.message, message)) {
        print_error("got: %s\nwant: %s\n", err.message, message);
    }
    assert_non_null(strstr(err.message, message));
}

static void test_mistakes(void **state)
{
    (void)state;
    json_t *m = shipped();
    (void)json_object_set_new(m, "dimension", json_integer(128));
    expect(m, "dimension is 128, but this program works with 512");

    m = shipped();
    (void)json_object_del(m, "id");
    expect(m, "id must be a text");

    m = shipped();
    (void)json_object_del(at(m, "files"), "landmark");
    expect(m, "files.landmark must be an object");

    m = shipped();
    (void)json_object_set_new(at(at(m, "files"), "detect"), "file", json_string("../secret"));
    expect(m, "detect.file must be a plain file name");

    m = shipped();
    (void)json_object_set_new(at(at(m, "files"), "detect"), "sha256", json_string("12"));
    expect(m, "detect.sha256 must be 64 small hexadecimal digits");

    m = shipped();
    (void)json_object_set_new(at(at(m, "preprocessing"), "feature"), "views", json_integer(3));
    expect(m, "preprocessing.feature.views must be a number from 1 to 2");

    m = shipped();
    (void)json_object_set_new(at(m, "calibration"), "least_norm", json_real(2.97));
    expect(m, "calibration.least_norm must be two lengths");

    m = shipped();
    (void)json_object_set_new(at(m, "calibration"), "doubt", json_real(-0.1));
    expect(m, "calibration.doubt must be a number from 0 to 1000");

    m = shipped();
    (void)json_object_del(at(m, "preprocessing"), "points");
    expect(m, "preprocessing.points must be an object");

    m = shipped();
    (void)json_object_del(at(at(m, "preprocessing"), "points"), "template");
    expect(m, "preprocessing.points.template must be five points");

    m = shipped();
    (void)json_object_set_new(at(at(m, "preprocessing"), "feature"), "colour", json_string("cmyk"));
    expect(m, "preprocessing.feature.colour must be");

    m = shipped();
    (void)json_object_set_new(at(at(m, "preprocessing"), "feature"), "divisor", json_pack("[i, i, i]", 1, 0, 1));
    expect(m, "preprocessing.feature.divisor must be three numbers");

    m = shipped();
    (void)json_array_clear(at(at(at(m, "preprocessing"), "detect"), "heads"));
    expect(m, "preprocessing.detect.heads must be 8 tensor names");

    m = shipped();
    (void)json_array_set_new(at(m, "template"), 1, json_pack("[i, i]", 10, 113));
    expect(m, "template must be five points");

    m = shipped();
    (void)json_object_set_new(at(m, "calibration"), "fmr", json_pack("[[f, f], [f, f]]", 1e-3, 0.4, 1e-4, 0.3));
    expect(m, "calibration.fmr must fall in rate and rise in score");

    m = shipped();
    (void)json_object_set_new(at(m, "calibration"), "genuine", json_pack("[[f, f]]", 0.5, 0.4));
    expect(m, "calibration.genuine must be a list of 2 to 64 pairs");
}

static void test_not_json(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "[]", "null", "{\"id\":\"a\",\"id\":\"b\"}", "\xff\xfe"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct model_set set;
        struct aibox_error err = {0};
        assert_int_equal(model_set_parse(texts[i], strlen(texts[i]), &set, &err), AIBOX_PROCESS_FAILED);
        assert_non_null(strstr(err.message, "manifest.json: not a JSON object"));
    }
}

/* --- folders --- */

static char folder[64];

static void write_file(const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/aibox-models-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    remove_file("manifest.json");
    remove_file("fr_detect.onnx");
    return rmdir(folder);
}

static void test_folder(void **state)
{
    (void)state;
    struct vision *vision = NULL;
    struct aibox_error err = {0};
    assert_int_equal(vision_open("/nonexistent/folder", &vision, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "models folder: "));
    assert_null(strstr(err.message, "nonexistent")); /* no paths of the box in messages */

    assert_int_equal(vision_open(folder, &vision, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "model file manifest.json: No such file"));

    json_t *manifest = shipped();
    char *text = json_dumps(manifest, 0);
    json_decref(manifest);
    assert_non_null(text);
    write_file("manifest.json", text);
    free(text);
    assert_int_equal(vision_open(folder, &vision, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "model file fr_detect.onnx: No such file"));

    write_file("fr_detect.onnx", "not the file of the manifest");
    assert_int_equal(vision_open(folder, &vision, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "model file fr_detect.onnx: its SHA-256"));
    assert_null(vision);
}

/* The hash is right, the content is no network. */
static void test_not_a_network(void **state)
{
    (void)state;
    /* SHA-256 of "abc", FIPS 180-4's example. */
    static const char hash[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    json_t *manifest = shipped();
    (void)json_object_set_new(at(at(manifest, "files"), "detect"), "sha256", json_string(hash));
    char *text = json_dumps(manifest, 0);
    json_decref(manifest);
    assert_non_null(text);
    write_file("manifest.json", text);
    free(text);
    write_file("fr_detect.onnx", "abc");
    struct vision *vision = NULL;
    struct aibox_error err = {0};
    assert_int_equal(vision_open(folder, &vision, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "model file fr_detect.onnx: "));
    assert_null(strstr(err.message, "SHA-256"));
    assert_null(vision);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_id),
        cmocka_unit_test(test_without_points),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_not_json),
        cmocka_unit_test_setup_teardown(test_folder, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_not_a_network, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
