/* Making, cropping and scaling pictures, against naive computations in doubles. */
#include "check.h"

#include <math.h>

static double pixel(const struct image *image, int x, int y, int c)
{
    x = x < 0 ? 0 : x > image->width - 1 ? image->width - 1 : x;
    y = y < 0 ? 0 : y > image->height - 1 ? image->height - 1 : y;
    return image->pixels[(y * image->width + x) * 3 + c];
}

/* Weight of source pixel i in output pixel o of an axis. */
static double weight(int from, int to, int o, int i)
{
    double step = (double)from / to;
    if (to < from) {
        double covered = fmin((o + 1) * step, i + 1) - fmax(o * step, i);
        return fmax(covered, 0) / step;
    }
    double position = fmin(fmax((o + 0.5) * step - 0.5, 0), from - 1);
    return fmax(0, 1 - fabs(position - i));
}

static void check_resize(int from_w, int from_h, int to_w, int to_h)
{
    struct image image = picture_noise(from_w, from_h, 12);
    struct image out;
    assert_int_equal(image_resize(&image, to_w, to_h, &out, NULL), AIBOX_OK);
    assert_int_equal(out.width, to_w);
    assert_int_equal(out.height, to_h);
    for (int y = 0; y < to_h; y++) {
        for (int x = 0; x < to_w; x++) {
            for (int c = 0; c < 3; c++) {
                double sum = 0;
                for (int j = 0; j < from_h; j++) {
                    double down = weight(from_h, to_h, y, j);
                    for (int i = 0; i < from_w && down > 0; i++)
                        sum += down * weight(from_w, to_w, x, i) * pixel(&image, i, j, c);
                }
                assert_true(fabs(pixel(&out, x, y, c) - sum) < 0.501);
            }
        }
    }
    image_free(&out);
    image_free(&image);
}

static void resizes(void **state)
{
    (void)state;
    check_resize(40, 30, 10, 10); /* whole and broken factors */
    check_resize(41, 31, 17, 7);
    check_resize(40, 30, 39, 29);
    check_resize(40, 30, 40, 30);
    check_resize(11, 7, 31, 16);
    check_resize(40, 6, 13, 20); /* down one way, up the other */
    check_resize(50, 40, 1, 1);
    check_resize(1, 1, 9, 4);
    check_resize(3, 200, 2, 3);
}

static void keeps_flat_colour_flat(void **state)
{
    (void)state;
    struct image image;
    assert_int_equal(image_new(1000, 700, &image, NULL), AIBOX_OK);
    memset(image.pixels, 255, 1000 * 700 * 3);
    static const int sizes[][2] = {{3, 3}, {333, 111}, {1100, 800}};
    for (size_t i = 0; i < 3; i++) {
        struct image out;
        assert_int_equal(image_resize(&image, sizes[i][0], sizes[i][1], &out, NULL), AIBOX_OK);
        for (int k = 0; k < out.width * out.height * 3; k++)
            assert_int_equal(out.pixels[k], 255);
        image_free(&out);
    }
    image_free(&image);
}

static void refuses_to_scale_wrongly(void **state)
{
    (void)state;
    struct image image = picture_noise(30, 20, 21);
    struct image empty = {0};
    struct image out;
    assert_int_equal(image_resize(&image, 0, 5, &out, NULL), AIBOX_IMAGE);
    assert_int_equal(image_resize(&image, 5, -7, &out, NULL), AIBOX_IMAGE);
    assert_int_equal(image_resize(&image, 16385, 1, &out, NULL), AIBOX_IMAGE_TOO_LARGE);
    assert_int_equal(image_resize(&image, 16000, 16000, &out, NULL), AIBOX_IMAGE_TOO_LARGE);
    assert_int_equal(image_resize(&empty, 5, 5, &out, NULL), AIBOX_IMAGE);
    assert_null(out.pixels);
    image_free(&image);
}

static void crops(void **state)
{
    (void)state;
    struct image image = picture_noise(30, 20, 2);
    static const struct {
        int x, y, width, height;   /* asked for */
        int left, top, wide, high; /* given; wide 0: nothing */
    } cases[] = {
        {3, 4, 10, 11, 3, 4, 10, 11},
        {0, 0, 30, 20, 0, 0, 30, 20},
        {-5, -7, 100, 100, 0, 0, 30, 20},
        {29, 19, 5, 5, 29, 19, 1, 1},
        {30, 0, 5, 5, 0, 0, 0, 0},
        {0, -5, 5, 5, 0, 0, 0, 0},
        {3, 3, 0, 5, 0, 0, 0, 0},
        {3, 3, 5, -5, 0, 0, 0, 0},
        {INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX, 0, 0, 0, 0},
        {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, 0, 0, 0, 0},
        {-1, -1, INT32_MAX, INT32_MAX, 0, 0, 30, 20},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct image out;
        enum aibox_status status =
            image_crop(&image, cases[i].x, cases[i].y, cases[i].width, cases[i].height, &out, NULL);
        assert_int_equal(status, cases[i].wide == 0 ? AIBOX_IMAGE : AIBOX_OK);
        assert_int_equal(out.width, cases[i].wide);
        assert_int_equal(out.height, cases[i].high);
        for (int y = 0; y < out.height; y++)
            assert_memory_equal(out.pixels + y * out.width * 3,
                                image.pixels + ((cases[i].top + y) * 30 + cases[i].left) * 3, (size_t)out.width * 3);
        image_free(&out);
    }
    image_free(&image);
}

static void makes_and_frees(void **state)
{
    (void)state;
    struct image image;
    assert_int_equal(image_new(7, 5, &image, NULL), AIBOX_OK);
    for (int i = 0; i < 7 * 5 * 3; i++)
        assert_int_equal(image.pixels[i], 0);
    image_free(&image);
    assert_null(image.pixels);
    assert_int_equal(image.width, 0);
    image_free(&image);
    image_free(NULL);
    assert_int_equal(image_new(0, 5, &image, NULL), AIBOX_IMAGE);
    assert_int_equal(image_new(-3, -5, &image, NULL), AIBOX_IMAGE);
    assert_int_equal(image_new(16385, 1, &image, NULL), AIBOX_IMAGE_TOO_LARGE);
    assert_int_equal(image_new(10000, 5001, &image, NULL), AIBOX_IMAGE_TOO_LARGE);
    assert_null(image.pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizes), cmocka_unit_test(keeps_flat_colour_flat), cmocka_unit_test(refuses_to_scale_wrongly),
        cmocka_unit_test(crops),   cmocka_unit_test(makes_and_frees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
