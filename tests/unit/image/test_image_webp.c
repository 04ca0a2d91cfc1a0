/* WebP: lossy, lossless, alpha, orientation, animation, truncation. */
#include "check.h"

static uint8_t *with_alpha(const struct image *image, int constant)
{
    size_t count = (size_t)image->width * (size_t)image->height;
    uint8_t *rgba = malloc(count * 4);
    assert_non_null(rgba);
    uint32_t seed = 77;
    for (size_t i = 0; i < count; i++) {
        memcpy(rgba + 4 * i, image->pixels + 3 * i, 3);
        rgba[4 * i + 3] = constant >= 0 ? (uint8_t)constant : (uint8_t)(noise(&seed) | 1);
    }
    return rgba;
}

static struct bytes opaque_file(const struct image *image, bool lossless)
{
    uint8_t *rgba = with_alpha(image, 255);
    struct bytes file = webp_file(image->width, image->height, rgba, lossless);
    free(rgba);
    return file;
}

static void decodes_lossy_and_lossless(void **state)
{
    (void)state;
    struct image smooth = picture_smooth(90, 70);
    struct bytes file = opaque_file(&smooth, false);
    struct image back = decoded(&file);
    assert_true(picture_mean_difference(&smooth, &back) < 4.0);
    image_free(&back);
    bytes_free(&file);
    image_free(&smooth);

    struct image rough = picture_noise(31, 19, 4);
    file = opaque_file(&rough, true);
    back = decoded(&file);
    assert_same_picture(&rough, &back);
    image_free(&back);
    bytes_free(&file);
    image_free(&rough);
}

static void puts_alpha_over_white(void **state)
{
    (void)state;
    struct image image = picture_noise(31, 19, 4);
    uint8_t *rgba = with_alpha(&image, -1);
    struct bytes file = webp_file(image.width, image.height, rgba, true);
    struct image back = decoded(&file);
    for (int i = 0; i < 31 * 19; i++) {
        for (int c = 0; c < 3; c++) {
            double alpha = rgba[4 * i + 3] / 255.0;
            double expected = rgba[4 * i + c] * alpha + 255 * (1 - alpha);
            assert_true(expected - back.pixels[3 * i + c] < 0.51 && back.pixels[3 * i + c] - expected < 0.51);
        }
    }
    image_free(&back);
    bytes_free(&file);
    image_free(&image);
    free(rgba);
}

static void applies_every_orientation(void **state)
{
    (void)state;
    struct image upright = picture_noise(7, 4, 8);
    for (int i = 0; i < 32; i++) {
        int orientation = 1 + i / 4;
        struct bytes exif = exif_block(orientation, i % 2 != 0);
        if (i / 2 % 2 != 0)
            bytes_insert(&exif, 0, "Exif\0\0", 6); /* which some programs put there as in a JPEG */
        struct image stored = picture_stored(&upright, orientation);
        struct bytes plain = opaque_file(&stored, true);
        struct bytes file = webp_extended(stored.width, stored.height, &plain, &exif, false);
        struct image back = decoded(&file);
        assert_same_picture(&upright, &back);
        assert_prefixes_refused(&file);
        image_free(&back);
        image_free(&stored);
        bytes_free(&plain);
        bytes_free(&file);
        bytes_free(&exif);
    }
    image_free(&upright);
}

static void refuses_animation(void **state)
{
    (void)state;
    struct image image = picture_noise(8, 8, 1);
    struct bytes plain = opaque_file(&image, true);
    struct bytes file = webp_animation(8, 8, &plain);
    assert_refused(file.data, file.size, AIBOX_UNSUPPORTED_IMAGE);
    bytes_free(&file);
    bytes_free(&plain);
    image_free(&image);
}

static void refuses_truncated(void **state)
{
    (void)state;
    struct image image = picture_smooth(120, 90);
    for (int lossless = 0; lossless <= 1; lossless++) {
        struct bytes file = opaque_file(&image, lossless != 0);
        assert_prefixes_refused(&file);
        bytes_add(&file, "after the end", 13);
        struct image back = decoded(&file);
        image_free(&back);
        bytes_free(&file);
    }
    image_free(&image);
}

static void refuses_wrong_sizes(void **state)
{
    (void)state;
    struct image image = picture_smooth(32, 32);
    struct bytes file = opaque_file(&image, false);
    /* VP8 frame header at byte 20: three bytes, a start code of three, width and height with 14 bits each. */
    static const uint8_t none[4] = {0, 0, 0x20, 0};
    static const uint8_t largest[4] = {0xff, 0x3f, 0xff, 0x3f}; /* 16383 × 16383 */
    memcpy(file.data + 26, none, 4);
    assert_refused(file.data, file.size, AIBOX_IMAGE);
    memcpy(file.data + 26, largest, 4);
    assert_refused(file.data, file.size, AIBOX_IMAGE_TOO_LARGE);
    bytes_free(&file);
    image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_lossy_and_lossless), cmocka_unit_test(puts_alpha_over_white),
        cmocka_unit_test(applies_every_orientation),  cmocka_unit_test(refuses_animation),
        cmocka_unit_test(refuses_truncated),          cmocka_unit_test(refuses_wrong_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
