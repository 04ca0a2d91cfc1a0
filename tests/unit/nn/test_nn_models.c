/*
 * Every model against another implementation: what reference.mjs wrote to AIBOX_NN_REFERENCE (onnxruntime-node's
 * results; for the age and gender network a plain computation) for the models in AIBOX_MODELS or build/models. Skipped
 * where either is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vision/nn/age_gender.h"
#include "vision/nn/nn.h"

#define MAX_FILE  ((size_t)64 * 1024 * 1024)
#define TOLERANCE 1e-3F
#define SKIPPED   77 /* to CTest */

static size_t compared;

struct file {
    uint8_t *bytes;
    size_t size;
    size_t at; /* reading position */
};

static const char *models_folder(void)
{
    const char *folder = getenv("AIBOX_MODELS");

    return folder && *folder ? folder : AIBOX_SOURCE_DIR "/build/models";
}

/* False: there is no such file. */
static bool read_file(const char *folder, const char *name, const char *suffix, struct file *out)
{
    char path[1024];
    FILE *file;
    long size;

    *out = (struct file){0};
    snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
    file = fopen(path, "rb");
    if (!file)
        return false;
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    assert_in_range(size, 1, MAX_FILE);
    rewind(file);
    out->size = (size_t)size;
    out->bytes = malloc(out->size);
    assert_non_null(out->bytes);
    assert_int_equal(fread(out->bytes, 1, out->size, file), out->size);
    fclose(file);
    return true;
}

static uint32_t take_u32(struct file *file)
{
    uint32_t value;

    assert_true(file->size - file->at >= sizeof value);
    memcpy(&value, file->bytes + file->at, sizeof value);
    file->at += sizeof value;
    return value;
}

static void take_floats(struct file *file, size_t count, float *out)
{
    assert_true(count <= (file->size - file->at) / sizeof *out);
    memcpy(out, file->bytes + file->at, count * sizeof *out);
    file->at += count * sizeof *out;
}

static size_t elements(struct nn_shape shape)
{
    size_t count = 1;

    for (size_t i = 0; i < shape.rank; i++)
        count *= shape.dim[i];
    return count;
}

/* Both files of one model: the input, and its outputs in the file's order. */
static void compare(const char *folder, const char *name, const char *kind, const struct nn_model *model,
                    struct nn_session *session)
{
    struct file file;
    char suffix[64];
    float worst = 0;
    uint32_t outputs;

    snprintf(suffix, sizeof suffix, ".%s.ref", kind);
    assert_true(read_file(folder, name, suffix, &file));
    assert_true(file.size > 4 && memcmp(file.bytes, "NNR1", 4) == 0);
    file.at = 4;
    assert_int_equal(take_u32(&file), elements(nn_model_input_shape(model)));
    take_floats(&file, elements(nn_model_input_shape(model)), nn_session_input(session));
    assert_int_equal(nn_run(session, NULL), AIBOX_OK);
    outputs = take_u32(&file);
    assert_int_equal(outputs, nn_model_outputs(model));
    for (uint32_t i = 0; i < outputs; i++) {
        const float *ours = nn_session_output(session, i);
        float *theirs;
        size_t count;
        file.at += take_u32(&file); /* its name */
        assert_true(file.at <= file.size);
        count = take_u32(&file);
        assert_int_equal(count, elements(nn_model_output_shape(model, i)));
        theirs = malloc(count * sizeof *theirs);
        assert_non_null(theirs);
        take_floats(&file, count, theirs);
        for (size_t j = 0; j < count; j++) {
            float error = fabsf(ours[j] - theirs[j]);
            if (!(error <= TOLERANCE))
                fail_msg("%s, %s: output %u, number %zu is %g instead of %g", name, kind, i, j, (double)ours[j],
                         (double)theirs[j]);
            worst = fmaxf(worst, error);
        }
        free(theirs);
    }
    print_message("%s, %s: largest error %.1e\n", name, kind, (double)worst);
    free(file.bytes);
}

static struct nn_model *read_age_gender(const char *models)
{
    struct file manifest, weights;
    struct nn_model *model = NULL;
    struct aibox_error err = {0};

    if (!read_file(models, "age_gender_model-weights_manifest", ".json", &manifest))
        return NULL;
    assert_true(read_file(models, "age_gender_model", ".bin", &weights));
    if (age_gender_read((const char *)manifest.bytes, manifest.size, weights.bytes, weights.size, &model, &err) !=
        AIBOX_OK)
        fail_msg("age and gender: %s", err.message);
    free(manifest.bytes);
    free(weights.bytes);
    return model;
}

static struct nn_model *read_onnx(const char *models, const char *name)
{
    /* as in reference.mjs: the graph's own outputs, then the detector's heads */
    static const char *const detector[] = {"scores", "boxes", "319", "333", "365", "379", "405", "419", "437", "449"};
    const bool is_detector = strcmp(name, "fr_detect") == 0;
    struct nn_model *model = NULL;
    struct aibox_error err = {0};
    struct file file;

    if (!read_file(models, name, ".onnx", &file))
        return NULL;
    if (nn_model_read(file.bytes, file.size, is_detector ? detector : NULL, is_detector ? 10 : 0, NULL, &model, &err) !=
        AIBOX_OK)
        fail_msg("%s: %s", name, err.message);
    free(file.bytes);
    return model;
}

static void check(void **state)
{
    const char *name = *state;
    const char *models = models_folder();
    const char *folder = getenv("AIBOX_NN_REFERENCE");
    struct nn_session *session;
    struct nn_model *model;
    struct file probe;

    if (!folder || !read_file(folder, name, ".noise.ref", &probe)) {
        print_message("%s: no reference in AIBOX_NN_REFERENCE\n", name);
        skip();
    }
    free(probe.bytes);
    model = strcmp(name, "age_gender") == 0 ? read_age_gender(models) : read_onnx(models, name);
    if (!model) {
        print_message("%s: the model is not in AIBOX_MODELS\n", name);
        skip();
    }
    assert_int_equal(nn_session_open(model, &session, NULL), AIBOX_OK);
    compare(folder, name, "noise", model, session);
    compare(folder, name, "smooth", model, session);
    compare(folder, name, "noise", model, session); /* a run leaves nothing behind */
    nn_session_close(session);
    nn_model_free(model);
    compared++;
}

/* The detector works on pictures of other sizes when it is cut at its heads. */
static void test_other_size(void **state)
{
    static const char *const heads[] = {"319", "333"};
    const struct nn_shape half = {.rank = 4, .dim = {1, 120, 160, 3}};
    const char *models = models_folder();
    struct nn_model *model;
    struct file file;

    (void)state;
    if (!read_file(models, "fr_detect", ".onnx", &file)) {
        print_message("fr_detect is not in AIBOX_MODELS\n");
        skip();
    }
    assert_int_equal(nn_model_read(file.bytes, file.size, heads, 2, &half, &model, NULL), AIBOX_OK);
    assert_int_equal(nn_model_input_shape(model).dim[1], 120);
    assert_int_equal(nn_model_output_shape(model, 0).rank, 4);
    assert_int_equal(nn_model_output_shape(model, 0).dim[1], 15);
    assert_int_equal(nn_model_output_shape(model, 0).dim[2], 20);
    assert_int_equal(nn_model_output_shape(model, 0).dim[3], 6);
    assert_int_equal(nn_model_output_shape(model, 1).dim[3], 12);
    nn_model_free(model);
    free(file.bytes);
}

int main(void)
{
#define MODEL(model)                                                                                                   \
    {                                                                                                                  \
        .name = (model), .test_func = check, .initial_state = (void *)(uintptr_t)(model)                               \
    }
    const struct CMUnitTest tests[] = {
        MODEL("fr_detect"),
        MODEL("fr_landmark"),
        MODEL("fr_feature"),
        MODEL("fr_liveness"),
        MODEL("fr_pose"),
        MODEL("fr_eye"),
        MODEL("fr_age"),
        MODEL("fr_gender"),
        MODEL("fr_expression"),
        MODEL("age_gender"),
        cmocka_unit_test(test_other_size),
    };
#undef MODEL
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    return failed == 0 && compared == 0 ? SKIPPED : failed;
}
