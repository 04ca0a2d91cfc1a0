/*
 * The whole chain on pictures of people. Needs the model set (AIBOX_MODELS or build/models) and face-api's sample
 * pictures (AIBOX_SAMPLES or build/samples): skipped without them.
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
#include <unistd.h>

#include "vision/vision.h"

static struct vision *vision;
static struct vision_worker *worker;
static const char *samples;

static const char *folder_of(const char *variable, const char *otherwise)
{
    const char *value = getenv(variable);
    return value && *value ? value : otherwise;
}

static struct image sample(int number)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/sample%d.jpg", samples, number);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t *bytes = malloc(IMAGE_MAX_BYTES);
    assert_non_null(bytes);
    size_t size = fread(bytes, 1, IMAGE_MAX_BYTES, file);
    (void)fclose(file);
    struct image image = {0};
    struct aibox_error err = {0};
    enum aibox_status status = image_decode(bytes, size, 640, &image, NULL, &err);
    free(bytes);
    assert_int_equal(status, AIBOX_OK);
    return image;
}

static size_t detect(const struct image *image, struct vision_face *faces, size_t max)
{
    const struct vision_detect_options options = {0};
    struct aibox_error err = {0};
    size_t count = 0;
    assert_int_equal(vision_detect(worker, image, &options, faces, max, &count, &err), AIBOX_OK);
    return count;
}

static struct vision_face largest(const struct image *image)
{
    struct vision_face face;
    assert_true(detect(image, &face, 1) == 1);
    assert_int_equal(vision_locate(worker, image, &face, NULL), AIBOX_OK);
    return face;
}

static struct image mirrored(const struct image *image)
{
    const struct image_sampling how = {.matrix = {-1, 0, (float)image->width - 1, 0, 1, 0}};
    struct image out = {0};
    assert_int_equal(image_warp(image, &how, image->width, image->height, &out, NULL), AIBOX_OK);
    return out;
}

/* The picture turned clockwise around a point. */
static struct image turned(const struct image *image, float degrees, float x, float y)
{
    float a = degrees * (float)M_PI / 180.0f;
    const struct image_sampling how = {
        .matrix = {cosf(a), sinf(a), x - cosf(a) * x - sinf(a) * y, -sinf(a), cosf(a), y + sinf(a) * x - cosf(a) * y}};
    struct image out = {0};
    assert_int_equal(image_warp(image, &how, image->width, image->height, &out, NULL), AIBOX_OK);
    return out;
}

static float similarity(const float *a, const float *b)
{
    float sum = 0;
    float aa = 0;
    float bb = 0;
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        sum += a[i] * b[i];
        aa += a[i] * a[i];
        bb += b[i] * b[i];
    }
    return sum / sqrtf(aa * bb);
}

static void embed(const struct image *image, const struct vision_face *face, float *embedding)
{
    float norm = 0;
    struct aibox_error err = {0};
    assert_int_equal(vision_embed(worker, image, face, embedding, &norm, &err), AIBOX_OK);
    assert_true(norm > 0.5f && norm < 50.0f);
}

static void test_faces_are_found(void **state)
{
    (void)state;
    for (int i = 1; i <= 6; i++) {
        struct image image = sample(i);
        struct vision_face faces[VISION_MAX_FACES];
        size_t count = detect(&image, faces, VISION_MAX_FACES);
        print_message("sample%d: %zu faces\n", i, count);
        assert_true(count >= 1);
        for (size_t k = 0; k < count; k++) {
            const float *box = faces[k].box;
            assert_true(box[0] >= 0 && box[1] >= 0 && box[2] <= (float)image.width && box[3] <= (float)image.height);
            assert_true(box[2] > box[0] && box[3] > box[1]);
            assert_true(faces[k].score >= 0.65f && faces[k].score <= 1.0f);
            assert_false(faces[k].located);
            if (k > 0) {
                const float *last = faces[k - 1].box;
                assert_true((last[2] - last[0]) * (last[3] - last[1]) >= (box[2] - box[0]) * (box[3] - box[1]));
            }
        }
        image_free(&image);
    }
}

static int open_models(void **state)
{
    (void)state;
    struct aibox_error err = {0};
    const char *models = folder_of("AIBOX_MODELS", AIBOX_SOURCE_DIR "/build/models");
    if (vision_open(models, &vision, &err) != AIBOX_OK || vision_worker_open(vision, &worker, &err) != AIBOX_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int close_models(void **state)
{
    (void)state;
    vision_worker_close(worker);
    vision_close(vision);
    return 0;
}

static bool present(const char *folder, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, R_OK) == 0;
}

int main(void)
{
    samples = folder_of("AIBOX_SAMPLES", AIBOX_SOURCE_DIR "/build/samples");
    const char *models = folder_of("AIBOX_MODELS", AIBOX_SOURCE_DIR "/build/models");
    if (!present(models, "manifest.json") || !present(samples, "sample6.jpg")) {
        (void)printf("skipped: the model set or the sample pictures are not there (make models)\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faces_are_found),
    };
    return cmocka_run_group_tests(tests, open_models, close_models);
}
