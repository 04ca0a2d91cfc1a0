/* Drawn masks on a drawn face: where they are, where they aren't, the same again, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mask_draw.h"
#include "regression.h"

#define SIDE 200

/* A frontal face of 100 px between the sides of its jaw: iBUG's points, roughly. */
static struct vision_face frontal(void)
{
    struct vision_face face = {.located = true};
    for (size_t i = 0; i <= 16; i++) {
        float angle = 3.14159265f * (float)i / 16.0f;
        face.landmarks[i][0] = 100.0f - 50.0f * cosf(angle);
        face.landmarks[i][1] = 90.0f + 70.0f * sinf(angle);
    }
    for (size_t i = 27; i <= 30; i++) {
        face.landmarks[i][0] = 100.0f;
        face.landmarks[i][1] = 80.0f + 10.0f * (float)(i - 27);
    }
    face.landmarks[33][0] = face.landmarks[51][0] = 100.0f;
    face.landmarks[33][1] = 118.0f;
    face.landmarks[51][1] = 128.0f;
    face.landmarks[48][0] = 84.0f;
    face.landmarks[54][0] = 116.0f;
    face.landmarks[48][1] = face.landmarks[54][1] = 132.0f;
    return face;
}

static struct image grey(void)
{
    struct image image = {0};
    assert_int_equal(image_new(SIDE, SIDE, &image, NULL), AIBOX_OK);
    memset(image.pixels, 150, (size_t)SIDE * SIDE * 3);
    return image;
}

static bool is_drawn(const struct image *image, int x, int y)
{
    const uint8_t *pixel = image->pixels + 3 * ((size_t)y * SIDE + (size_t)x);
    return pixel[0] != 150 || pixel[1] != 150 || pixel[2] != 150;
}

static void test_place(void **state)
{
    (void)state;
    struct vision_face face = frontal();
    for (int shape = 0; shape < MASK_SHAPES; shape++) {
        for (int pattern = 0; pattern < MASK_PATTERNS; pattern++) {
            struct image image = grey();
            struct mask_style style = {.shape = (enum mask_shape)shape,
                                       .pattern = (enum mask_pattern)pattern,
                                       .colour = {{30, 60, 200}, {240, 40, 40}},
                                       .seed = 7};
            assert_true(mask_draw(&image, &face, &style));
            assert_true(is_drawn(&image, 100, 132)); /* mouth */
            assert_true(is_drawn(&image, 100, 150)); /* chin */
            assert_true(is_drawn(&image, 100, 112)); /* nose tip */
            assert_false(is_drawn(&image, 75, 70));  /* eyes */
            assert_false(is_drawn(&image, 125, 70));
            assert_false(is_drawn(&image, 100, 20)); /* forehead */
            assert_false(is_drawn(&image, 5, 130));  /* beside the face */
            image_free(&image);
        }
    }
}

static void test_below_nose(void **state)
{
    (void)state;
    struct vision_face face = frontal();
    struct image image = grey();
    struct mask_style style = {.below_nose = true, .colour = {{30, 60, 200}}, .seed = 3};
    assert_true(mask_draw(&image, &face, &style));
    assert_true(is_drawn(&image, 100, 140));
    assert_false(is_drawn(&image, 100, 105));
    image_free(&image);
}

static void test_same_again(void **state)
{
    (void)state;
    struct vision_face face = frontal();
    uint64_t random[2] = {42, 42};
    struct image images[2] = {grey(), grey()};
    for (size_t i = 0; i < 2; i++) {
        struct mask_style style = mask_style_random(&random[i]);
        assert_true(mask_draw(&images[i], &face, &style));
    }
    assert_memory_equal(images[0].pixels, images[1].pixels, (size_t)SIDE * SIDE * 3);
    struct mask_style other = mask_style_random(&random[0]);
    assert_true(mask_draw(&images[0], &face, &other));
    assert_memory_not_equal(images[0].pixels, images[1].pixels, (size_t)SIDE * SIDE * 3);
    image_free(&images[0]);
    image_free(&images[1]);
}

static void test_decoys(void **state)
{
    (void)state;
    struct vision_face face = frontal();
    for (int decoy = 0; decoy < MASK_DECOYS; decoy++) {
        struct image image = grey();
        size_t drawn = 0;
        assert_true(mask_draw_decoy(&image, &face, (enum mask_decoy)decoy, 5));
        for (int y = 100; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                drawn += is_drawn(&image, x, y);
            }
        }
        assert_true(drawn > 200);
        assert_false(is_drawn(&image, 75, 70));
        assert_false(is_drawn(&image, 125, 70));
        image_free(&image);
    }
}

static void test_refused(void **state)
{
    (void)state;
    struct vision_face face = frontal();
    struct image image = grey();
    struct mask_style style = {.seed = 1};
    face.located = false;
    assert_false(mask_draw(&image, &face, &style));
    face = frontal();
    memset(face.landmarks, 0, sizeof face.landmarks); /* collapsed */
    assert_false(mask_draw(&image, &face, &style));
    face = frontal();
    face.landmarks[16][0] = NAN;
    assert_false(mask_draw(&image, &face, &style));
    for (int y = 0; y < SIDE; y++) {
        assert_false(is_drawn(&image, y, y));
    }
    /* A face that reaches beyond the picture is drawn on as far as there is one. */
    face = frontal();
    for (size_t i = 0; i < 68; i++) {
        face.landmarks[i][0] += 90.0f;
        face.landmarks[i][1] += 60.0f;
    }
    assert_true(mask_draw(&image, &face, &style));
    image_free(&image);
}

/* --- logistic regression --- */

#define SAMPLES 400

static void test_regression(void **state)
{
    (void)state;
    float(*x)[VISION_DIMENSION] = calloc(SAMPLES, sizeof *x);
    const float *rows[SAMPLES];
    bool y[SAMPLES];
    float part[SAMPLES];
    struct regression model;
    assert_non_null(x);
    /* The first value tells, with a mistake now and then; the second says nothing. */
    for (size_t i = 0; i < SAMPLES; i++) {
        y[i] = i % 2 == 0;
        x[i][0] = (y[i] != (i % 20 == 0)) ? 1.0f : -1.0f;
        x[i][1] = (i / 40) % 2 == 0 ? 1.0f : -1.0f;
        rows[i] = x[i];
        part[i] = 1.0f;
    }
    const struct regression_set set = {rows, y, part, SAMPLES};
    assert_true(regression_fit(&set, 1e-9, &model));
    /* The likeliest coefficients are those whose probabilities are the shares: of 220 with -1 twenty are positive, of
     * the 180 with +1 all. The penalty is all that keeps these finite. */
    assert_true(model.weights[0] > 4.0f);
    assert_float_equal(regression_margin(&model, (const float[VISION_DIMENSION]){-1.0f}), log(20.0 / 200.0), 0.05);
    assert_true(fabsf(model.weights[1]) < 0.2f * model.weights[0]);
    assert_float_equal(model.weights[2], 0.0f, 1e-6f);
    /* A heavy penalty leaves the bias alone, which follows the classes' weights. */
    for (size_t i = 0; i < SAMPLES; i++) {
        part[i] = y[i] ? 3.0f : 1.0f;
    }
    assert_true(regression_fit(&set, 1e6, &model));
    assert_true(fabsf(model.weights[0]) < 1e-3f);
    assert_float_equal(model.bias, log(3.0), 0.01);
    memset(y, 0, sizeof y);
    assert_false(regression_fit(&set, 1.0, &model)); /* one class only */
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place),  cmocka_unit_test(test_below_nose), cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_decoys), cmocka_unit_test(test_refused),    cmocka_unit_test(test_regression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
