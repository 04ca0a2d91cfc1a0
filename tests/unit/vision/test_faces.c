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

/* The face that covers a point. */
static struct vision_face face_at(const struct image *image, float x, float y)
{
    struct vision_face faces[VISION_MAX_FACES];
    size_t count = detect(image, faces, VISION_MAX_FACES);
    size_t i = 0;
    while (i < count && !(faces[i].box[0] < x && x < faces[i].box[2] && faces[i].box[1] < y && y < faces[i].box[3])) {
        i++;
    }
    assert_true(i < count);
    assert_int_equal(vision_locate(worker, image, &faces[i], NULL), AIBOX_OK);
    return faces[i];
}

/* In the mirrored picture, the same face. */
static struct vision_face same_mirrored(const struct image *other, const struct vision_face *face)
{
    return face_at(other, (float)other->width - 1 - face->points[2][0], face->points[2][1]);
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
    struct vision_strength strength = {0};
    struct aibox_error err = {0};
    assert_int_equal(vision_embed(worker, image, face, VISION_TWO_VIEWS, embedding, &strength, &err), AIBOX_OK);
    assert_true(strength.norm > 0.5f && strength.norm < 50.0f);
    assert_true(strength.trust <= strength.norm);
}

/* Counted by eye; the second one's first is a profile. */
static const size_t people[6] = {3, 3, 3, 4, 5, 5};

static void test_faces_are_found(void **state)
{
    (void)state;
    for (int i = 1; i <= 6; i++) {
        struct image image = sample(i);
        struct vision_face faces[VISION_MAX_FACES];
        size_t count = detect(&image, faces, VISION_MAX_FACES);
        assert_int_equal(count, people[i - 1]);
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

static void test_detect_options(void **state)
{
    (void)state;
    struct image image = sample(5);
    struct vision_face all[VISION_MAX_FACES];
    struct vision_face some[VISION_MAX_FACES];
    size_t count = detect(&image, all, VISION_MAX_FACES);
    assert_int_equal(detect(&image, some, 2), 2);
    assert_memory_equal(some[1].box, all[1].box, sizeof all[1].box);
    assert_int_equal(detect(&image, some, 0), 0);
    /* Only what is larger than the second one. */
    float width = all[1].box[2] - all[1].box[0];
    float height = all[1].box[3] - all[1].box[1];
    struct vision_detect_options options = {.min_face = fminf(width, height) - 0.5f};
    size_t larger = 0;
    struct aibox_error err = {0};
    assert_int_equal(vision_detect(worker, &image, &options, some, VISION_MAX_FACES, &larger, &err), AIBOX_OK);
    assert_in_range(larger, 1, count);
    for (size_t i = 0; i < larger; i++) {
        assert_true(some[i].box[2] - some[i].box[0] >= options.min_face);
        assert_true(some[i].box[3] - some[i].box[1] >= options.min_face);
    }
    image_free(&image);
}

/* The sample's faces at a sixth of their size on a large canvas: lost to one look, found in tiles, once each. */
static void test_tiles_find_small_faces(void **state)
{
    (void)state;
    struct image picture = sample(1);
    struct image small = {0};
    struct image canvas = {0};
    const int width = 1920;
    const int height = 1080;
    int small_w = 480;
    int small_h = picture.height * small_w / picture.width;
    assert_int_equal(image_resize(&picture, small_w, small_h, &small, NULL), AIBOX_OK);
    assert_int_equal(image_new(width, height, &canvas, NULL), AIBOX_OK);
    memset(canvas.pixels, 96, (size_t)width * (size_t)height * 3);
    for (int y = 0; y < small_h; y++) {
        memcpy(canvas.pixels + ((size_t)(y + 420) * (size_t)width + 700) * 3,
               small.pixels + (size_t)y * (size_t)small_w * 3, (size_t)small_w * 3);
    }
    struct vision_face faces[VISION_MAX_FACES];
    static const enum vision_tiles tiles[] = {VISION_TILES_OFF, VISION_TILES_3X3, VISION_TILES_AUTO};
    size_t counts[3];
    for (size_t i = 0; i < 3; i++) {
        struct vision_detect_options options = {.tiles = tiles[i], .min_face = 32};
        assert_int_equal(vision_detect(worker, &canvas, &options, faces, VISION_MAX_FACES, &counts[i], NULL), AIBOX_OK);
    }
    assert_true(counts[0] < 3);
    assert_int_equal(counts[1], 3);
    assert_int_equal(counts[2], 3);
    image_free(&canvas);
    image_free(&small);
    image_free(&picture);
}

/* A portrait cut at the detector's own box, as it comes out of other systems. */
static void test_tight_portraits(void **state)
{
    (void)state;
    for (int i = 3; i <= 6; i++) {
        struct image image = sample(i);
        struct image cut = {0};
        struct vision_face face = largest(&image);
        const float *box = face.box;
        assert_int_equal(
            image_crop(&image, (int)box[0], (int)box[1], (int)(box[2] - box[0]), (int)(box[3] - box[1]), &cut, NULL),
            AIBOX_OK);
        struct vision_face found = largest(&cut);
        float embedding[VISION_DIMENSION];
        float again[VISION_DIMENSION];
        embed(&image, &face, embedding);
        embed(&cut, &found, again);
        assert_true(similarity(embedding, again) > 0.8f);
        image_free(&cut);
        image_free(&image);
    }
}

static void test_landmarks(void **state)
{
    (void)state;
    struct image image = sample(1);
    struct vision_face face = largest(&image);
    assert_true(face.located);
    for (size_t i = 0; i < 5; i++) {
        assert_true(face.points[i][0] > face.box[0] && face.points[i][0] < face.box[2]);
        assert_true(face.points[i][1] > face.box[1] && face.points[i][1] < face.box[3]);
    }
    /* Eyes left and right, mouth below. */
    assert_true(face.points[0][0] < face.points[1][0]);
    assert_true(face.points[3][0] < face.points[4][0]);
    assert_true(face.points[3][1] > face.points[0][1] && face.points[4][1] > face.points[1][1]);
    /* The mirrored picture's points are the mirrored points. */
    static const size_t partner[5] = {1, 0, 2, 4, 3};
    struct image other = mirrored(&image);
    struct vision_face flipped = same_mirrored(&other, &face);
    float tolerance = 0.05f * (face.box[3] - face.box[1]);
    for (size_t i = 0; i < 5; i++) {
        float x = (float)image.width - 1 - flipped.points[partner[i]][0];
        assert_float_equal(x, face.points[i][0], tolerance);
        assert_float_equal(flipped.points[partner[i]][1], face.points[i][1], tolerance);
    }
    image_free(&other);
    image_free(&image);
}

static void test_same_and_other_people(void **state)
{
    (void)state;
    for (int i = 1; i <= 6; i++) {
        struct image image = sample(i);
        struct image other = mirrored(&image);
        struct vision_face faces[VISION_MAX_FACES];
        static float embeddings[VISION_MAX_FACES][VISION_DIMENSION];
        size_t count = detect(&image, faces, VISION_MAX_FACES);
        for (size_t k = 0; k < count; k++) {
            assert_int_equal(vision_locate(worker, &image, &faces[k], NULL), AIBOX_OK);
            embed(&image, &faces[k], embeddings[k]);
            for (size_t before = 0; before < k; before++) {
                assert_true(similarity(embeddings[before], embeddings[k]) < vision_threshold_for_fmr(vision, 1e-4));
            }
        }
        struct vision_face flipped = same_mirrored(&other, &faces[0]);
        float embedding[VISION_DIMENSION];
        embed(&other, &flipped, embedding);
        if (i != 2) { /* the profile is nobody's likeness */
            assert_true(similarity(embeddings[0], embedding) > vision_genuine_score(vision, 0.5));
        }
        image_free(&other);
        image_free(&image);
    }
}

static void test_embedding_is_repeatable(void **state)
{
    (void)state;
    struct image image = sample(3);
    struct vision_face face = largest(&image);
    float first[VISION_DIMENSION];
    float second[VISION_DIMENSION];
    embed(&image, &face, first);
    struct vision_worker *other = NULL;
    struct vision_strength strength = {0};
    assert_int_equal(vision_worker_open(vision, &other, NULL), AIBOX_OK);
    assert_int_equal(vision_embed(other, &image, &face, VISION_TWO_VIEWS, second, &strength, NULL), AIBOX_OK);
    assert_memory_equal(first, second, sizeof first);
    vision_worker_close(other);
    image_free(&image);
}

/* One look at a face is compared with two: still the same face, and the mirrored picture is seen alike. */
static void test_views(void **state)
{
    (void)state;
    for (int i = 3; i <= 6; i++) {
        struct image image = sample(i);
        struct vision_face face = largest(&image);
        float one[VISION_DIMENSION];
        float two[VISION_DIMENSION];
        struct vision_strength of_one = {0};
        struct vision_strength of_two = {0};
        assert_int_equal(vision_embed(worker, &image, &face, VISION_ONE_VIEW, one, &of_one, NULL), AIBOX_OK);
        assert_int_equal(vision_embed(worker, &image, &face, VISION_TWO_VIEWS, two, &of_two, NULL), AIBOX_OK);
        assert_memory_not_equal(one, two, sizeof one);
        assert_true(similarity(one, two) > 0.9f);
        assert_float_equal(of_one.norm, of_two.norm, 0.25f * of_one.norm);
        /* The points were found in the same way. */
        assert_float_equal(of_one.norm - of_one.trust, of_two.norm - of_two.trust, 1e-4f);
        image_free(&image);
    }
}

static void test_pose_signs(void **state)
{
    (void)state;
    for (int i = 3; i <= 6; i++) {
        struct image image = sample(i);
        struct vision_face face = largest(&image);
        struct vision_pose pose;
        struct vision_pose other;
        assert_int_equal(vision_estimate_pose(worker, &image, &face, &pose, NULL), AIBOX_OK);
        /* Mirrored: yaw and roll change their sign. */
        struct image flipped = mirrored(&image);
        struct vision_face there = same_mirrored(&flipped, &face);
        assert_int_equal(vision_estimate_pose(worker, &flipped, &there, &other, NULL), AIBOX_OK);
        assert_float_equal(other.yaw, -pose.yaw, 8);
        assert_float_equal(other.pitch, pose.pitch, 8);
        assert_float_equal(other.roll, -pose.roll, 6);
        image_free(&flipped);
        /* Turned clockwise: the roll grows by as much, and nothing else changes. */
        float x = face.points[2][0];
        float y = face.points[2][1];
        struct image round = turned(&image, 15, x, y);
        there = face_at(&round, x, y);
        assert_int_equal(vision_estimate_pose(worker, &round, &there, &other, NULL), AIBOX_OK);
        assert_float_equal(other.roll, pose.roll + 15, 6);
        assert_float_equal(other.yaw, pose.yaw, 8);
        image_free(&round);
        image_free(&image);
    }
}

static void test_quality(void **state)
{
    (void)state;
    struct image image = sample(6);
    struct vision_face face = largest(&image);
    struct vision_quality_limits limits = vision_quality_limits_of(QUALITY_HIGH);
    struct vision_quality quality;
    assert_int_equal(vision_assess(worker, &image, &face, &limits, &quality, NULL), AIBOX_OK);
    assert_int_equal(quality.failed & (QUALITY_CLARITY | QUALITY_BRIGHTNESS | QUALITY_PARTIAL), 0);
    assert_false(quality.partial);
    assert_float_equal(quality.mask, -1, 1e-6f);
    float clarity = quality.clarity;
    /* The same face small and enlarged again is blurred. */
    struct image small = {0};
    struct image large = {0};
    assert_int_equal(image_resize(&image, image.width / 12, image.height / 12, &small, NULL), AIBOX_OK);
    assert_int_equal(image_resize(&small, image.width, image.height, &large, NULL), AIBOX_OK);
    assert_int_equal(vision_assess(worker, &large, &face, &limits, &quality, NULL), AIBOX_OK);
    assert_true(quality.clarity < clarity);
    assert_true(quality.failed & QUALITY_CLARITY);
    image_free(&small);
    image_free(&large);
    /* And at 15 % of its light it is dark. */
    for (size_t i = 0; i < (size_t)image.width * (size_t)image.height * 3; i++) {
        image.pixels[i] = (uint8_t)(0.15f * (float)image.pixels[i]);
    }
    assert_int_equal(vision_assess(worker, &image, &face, &limits, &quality, NULL), AIBOX_OK);
    assert_true(quality.failed & QUALITY_BRIGHTNESS);
    image_free(&image);
}

/* Half of a face: found or not, but never as a whole one. */
static void test_partial(void **state)
{
    (void)state;
    struct image image = sample(6);
    struct vision_face face = largest(&image);
    struct image cut = {0};
    int left = (int)(0.7f * face.box[0] + 0.3f * face.box[2]);
    assert_int_equal(image_crop(&image, left, 0, image.width - left, image.height, &cut, NULL), AIBOX_OK);
    struct vision_face faces[VISION_MAX_FACES];
    size_t count = detect(&cut, faces, VISION_MAX_FACES);
    for (size_t i = 0; i < count; i++) {
        struct vision_quality_limits limits = vision_quality_limits_of(QUALITY_HIGH);
        struct vision_quality quality;
        if (faces[i].raw_box[0] > 0) {
            continue;
        }
        assert_int_equal(vision_locate(worker, &cut, &faces[i], NULL), AIBOX_OK);
        assert_int_equal(vision_assess(worker, &cut, &faces[i], &limits, &quality, NULL), AIBOX_OK);
        assert_false(quality.pass);
    }
    image_free(&cut);
    image_free(&image);
}

static void test_attributes(void **state)
{
    (void)state;
    struct image image = sample(6);
    struct vision_face face = largest(&image);
    float age = 0;
    float male = 0;
    float live = 0;
    assert_int_equal(vision_estimate_age_sex(worker, &image, &face, &age, &male, NULL), AIBOX_OK);
    assert_true(age > 15 && age < 60);
    assert_true(male >= 0 && male < 0.5f);
    assert_int_equal(vision_estimate_liveness(worker, &image, &face, &live, NULL), AIBOX_OK);
    assert_true(live >= 0 && live <= 1);
    struct image aligned = {0};
    assert_int_equal(vision_align(&image, &face, &aligned, NULL), AIBOX_OK);
    assert_int_equal(aligned.width, VISION_ALIGNED_SIDE);
    assert_int_equal(aligned.height, VISION_ALIGNED_SIDE);
    image_free(&aligned);
    image_free(&image);
}

static void test_strange_pictures(void **state)
{
    (void)state;
    static const int sides[][2] = {{1, 1}, {16384, 1}, {1, 16384}, {2, 3}, {640, 480}, {3000, 40}};
    static const enum vision_tiles tiles[] = {VISION_TILES_AUTO, VISION_TILES_3X3};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        struct image image = {0};
        assert_int_equal(image_new(sides[i][0], sides[i][1], &image, NULL), AIBOX_OK);
        for (size_t t = 0; t < 2; t++) {
            struct vision_face faces[4];
            struct vision_detect_options options = {.tiles = tiles[t]};
            size_t count = 9;
            assert_int_equal(vision_detect(worker, &image, &options, faces, 4, &count, NULL), AIBOX_OK);
            assert_int_equal(count, 0); /* black */
        }
        image_free(&image);
    }
}

/* Boxes that a caller may have made up: an error or an answer, never a crash. */
static void test_strange_faces(void **state)
{
    (void)state;
    static const float boxes[][4] = {
        {0, 0, 0, 0},   {10, 10, 5, 5},         {-5000, -5000, -4000, -4000}, {0, 0, 1e9f, 1e9f},
        {0, 0, NAN, 4}, {3, 3, 3.001f, 3.001f}, {-1e6f, 0, 1e6f, 90},         {0, 0, INFINITY, INFINITY}};
    struct image image = sample(1);
    struct aibox_error err = {0};
    float embedding[VISION_DIMENSION];
    struct vision_strength strength = {0};
    float value[2];
    for (size_t i = 0; i < sizeof boxes / sizeof boxes[0]; i++) {
        struct vision_face face = {.score = 1};
        memcpy(face.raw_box, boxes[i], sizeof face.raw_box);
        memcpy(face.box, boxes[i], sizeof face.box);
        (void)vision_estimate_liveness(worker, &image, &face, &value[0], &err);
        (void)vision_estimate_age_sex(worker, &image, &face, &value[0], &value[1], &err);
        if (vision_locate(worker, &image, &face, &err) == AIBOX_OK) {
            struct vision_pose pose;
            (void)vision_embed(worker, &image, &face, VISION_TWO_VIEWS, embedding, &strength, &err);
            (void)vision_estimate_pose(worker, &image, &face, &pose, &err);
        }
    }
    struct vision_face face = largest(&image);
    face.located = false;
    assert_int_equal(vision_embed(worker, &image, &face, VISION_ONE_VIEW, embedding, &strength, &err), AIBOX_PARAM);
    face.located = true;
    for (size_t i = 0; i < 5; i++) {
        face.points[i][0] = 50;
        face.points[i][1] = 50;
    }
    assert_int_equal(vision_embed(worker, &image, &face, VISION_ONE_VIEW, embedding, &strength, &err),
                     AIBOX_LOW_QUALITY);
    image_free(&image);
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
        cmocka_unit_test(test_detect_options),
        cmocka_unit_test(test_tiles_find_small_faces),
        cmocka_unit_test(test_tight_portraits),
        cmocka_unit_test(test_landmarks),
        cmocka_unit_test(test_same_and_other_people),
        cmocka_unit_test(test_embedding_is_repeatable),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_pose_signs),
        cmocka_unit_test(test_quality),
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_strange_pictures),
        cmocka_unit_test(test_strange_faces),
    };
    return cmocka_run_group_tests(tests, open_models, close_models);
}
