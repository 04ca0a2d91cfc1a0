/* PNG: every kind and depth, alpha, interlacing, orientation, animation, truncation. */
#include "check.h"

#include <png.h>

#define WIDTH  23
#define HEIGHT 17

static int over_white(int value, int alpha)
{
    return (value * alpha + 255 * (255 - alpha) + 127) / 255;
}

/* One picture of a kind and depth, from noise; what it must become is computed sample by sample. */
static void check_kind(int color_type, int depth, bool interlaced)
{
    int channels = color_type == PNG_COLOR_TYPE_RGB          ? 3
                   : color_type == PNG_COLOR_TYPE_RGB_ALPHA  ? 4
                   : color_type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                                                             : 1;
    int row_bits = WIDTH * channels * depth;
    size_t row_bytes = (size_t)(row_bits + 7) / 8;
    uint8_t rows[HEIGHT * WIDTH * 8];
    bool exact[HEIGHT * WIDTH]; /* nothing to be blended, so nothing to be rounded twice */
    uint8_t palette[256 * 3];
    uint8_t palette_alpha[256];
    uint32_t seed = (uint32_t)(color_type * 100 + depth);
    struct image expected;
    assert_int_equal(image_new(WIDTH, HEIGHT, &expected, NULL), AIBOX_OK);
    for (size_t i = 0; i < sizeof(palette); i++)
        palette[i] = noise(&seed);
    for (size_t i = 0; i < sizeof(palette_alpha); i++)
        palette_alpha[i] = noise(&seed);
    for (size_t i = 0; i < row_bytes * HEIGHT; i++)
        rows[i] = noise(&seed) < 30 ? 0 : noise(&seed) < 30 ? 255 : noise(&seed);
    int most = (1 << depth) - 1;
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        int samples[4] = {0};
        for (int c = 0; c < channels; c++) {
            int bit = ((i % WIDTH) * channels + c) * depth;
            const uint8_t *at = rows + (size_t)(i / WIDTH) * row_bytes + bit / 8;
            samples[c] = depth == 16 ? at[0] << 8 | at[1] : (at[0] >> (8 - depth - bit % 8)) & most;
        }
        uint8_t *rgb = expected.pixels + 3 * i;
        bool grey = (color_type & PNG_COLOR_MASK_COLOR) == 0;
        for (int c = 0; c < 3; c++) {
            if (color_type == PNG_COLOR_TYPE_PALETTE) {
                rgb[c] = (uint8_t)over_white(palette[samples[0] * 3 + c], palette_alpha[samples[0]]);
                exact[i] = palette_alpha[samples[0]] % 255 == 0;
                continue;
            }
            double value = (double)samples[grey ? 0 : c] / most;
            double alpha = (color_type & PNG_COLOR_MASK_ALPHA) == 0 ? 1 : (double)samples[channels - 1] / most;
            rgb[c] = (uint8_t)(255 * (value * alpha + 1 - alpha) + 0.5);
            exact[i] = alpha <= 0 || alpha >= 1;
        }
    }
    struct png_options options = {.color_type = color_type, .bit_depth = depth, .interlaced = interlaced};
    if (color_type == PNG_COLOR_TYPE_PALETTE) {
        options.palette = palette;
        options.palette_size = most + 1;
        options.palette_alpha = palette_alpha;
        options.palette_alpha_size = most + 1;
    }
    struct bytes file = png_file(WIDTH, HEIGHT, rows, row_bytes, &options);
    struct image back = decoded(&file);
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
        assert_true(abs(back.pixels[i] - expected.pixels[i]) <= (exact[i / 3] ? 0 : 1));
    image_free(&back);
    image_free(&expected);
    bytes_free(&file);
}

static void decodes_every_kind_and_depth(void **state)
{
    (void)state;
    static const struct {
        int color_type;
        int depths[5];
    } kinds[] = {
        {PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}}, {PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8}}, {PNG_COLOR_TYPE_RGB, {8, 16}},
        {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}},    {PNG_COLOR_TYPE_RGB_ALPHA, {8, 16}},
    };
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (int i = 0; i < 5 && kinds[k].depths[i] != 0; i++) {
            check_kind(kinds[k].color_type, kinds[k].depths[i], false);
            check_kind(kinds[k].color_type, kinds[k].depths[i], true);
        }
    }
}

static void puts_a_transparent_grey_over_white(void **state)
{
    (void)state;
    static const uint8_t rows[2][3] = {{10, 77, 200}, {77, 0, 255}};
    static const uint8_t expected[18] = {10,  10,  10,  255, 255, 255, 200, 200, 200,
                                         255, 255, 255, 0,   0,   0,   255, 255, 255};
    struct png_options options = {.color_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 8, .transparent_grey = 77 + 1};
    struct bytes file = png_file(3, 2, rows[0], 3, &options);
    struct image back = decoded(&file);
    assert_memory_equal(back.pixels, expected, sizeof(expected));
    image_free(&back);
    bytes_free(&file);
}

/* A gamma value would change how libpng blends, if it were not skipped. */
static void blends_without_gamma(void **state)
{
    (void)state;
    static const uint8_t row[4] = {0, 100, 200, 128};
    struct png_options options = {.color_type = PNG_COLOR_TYPE_RGB_ALPHA, .bit_depth = 8};
    struct bytes file = png_file(1, 1, row, 4, &options);
    struct bytes gamma = {0};
    png_add_chunk(&gamma, "gAMA", "\0\0\xb1\x8f", 4); /* 0.45455 */
    bytes_insert(&file, 33, gamma.data, gamma.size);
    struct image back = decoded(&file);
    for (int c = 0; c < 3; c++)
        assert_int_equal(back.pixels[c], over_white(row[c], 128));
    image_free(&back);
    bytes_free(&gamma);
    bytes_free(&file);
}

static struct bytes rgb_file(const struct image *image, struct png_options options)
{
    options.color_type = PNG_COLOR_TYPE_RGB;
    options.bit_depth = 8;
    return png_file(image->width, image->height, image->pixels, (size_t)image->width * 3, &options);
}

static void applies_every_orientation(void **state)
{
    (void)state;
    static const int sizes[][2] = {{5, 3}, {1, 1}, {1, 7}, {70, 33}};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct image upright = picture_noise(sizes[s][0], sizes[s][1], 3);
        for (int i = 0; i < 16; i++) {
            struct bytes exif = exif_block(1 + i / 2, i % 2 != 0);
            struct image stored = picture_stored(&upright, 1 + i / 2);
            struct bytes file = rgb_file(&stored, (struct png_options){.exif = &exif});
            struct image back = decoded(&file);
            assert_same_picture(&upright, &back);
            image_free(&back);
            image_free(&stored);
            bytes_free(&file);
            bytes_free(&exif);
        }
        image_free(&upright);
    }
}

static void ignores_orientations_that_do_not_exist(void **state)
{
    (void)state;
    struct image image = picture_noise(5, 3, 3);
    static const int values[] = {0, 9, 255, 65535};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct bytes exif = exif_block(values[i], true);
        struct bytes file = rgb_file(&image, (struct png_options){.exif = &exif});
        struct image back = decoded(&file);
        assert_same_picture(&image, &back);
        image_free(&back);
        bytes_free(&file);
        bytes_free(&exif);
    }
    image_free(&image);
}

static void refuses_animation(void **state)
{
    (void)state;
    struct image image = picture_noise(8, 8, 1);
    struct bytes file = rgb_file(&image, (struct png_options){.animated = true});
    assert_refused(file.data, file.size, AIBOX_UNSUPPORTED_IMAGE);
    bytes_free(&file);
    image_free(&image);
}

static void skips_texts_and_profiles(void **state)
{
    (void)state;
    struct image image = picture_noise(8, 8, 1);
    struct bytes file = rgb_file(&image, (struct png_options){.text = true});
    struct image back = decoded(&file);
    assert_same_picture(&image, &back);
    image_free(&back);

    /* A broken profile and a gamma value change nothing either. */
    struct bytes chunks = {0};
    png_add_chunk(&chunks, "gAMA", "\0\0\x10\0", 4);
    png_add_chunk(&chunks, "iCCP", "name\0\0garbage", 13);
    bytes_insert(&file, 33, chunks.data, chunks.size);
    back = decoded(&file);
    assert_same_picture(&image, &back);
    image_free(&back);
    bytes_free(&chunks);
    bytes_free(&file);
    image_free(&image);
}

static void refuses_truncated_and_corrupt(void **state)
{
    (void)state;
    struct image image = picture_noise(30, 20, 9);
    for (int interlaced = 0; interlaced <= 1; interlaced++) {
        struct bytes file = rgb_file(&image, (struct png_options){.interlaced = interlaced != 0});
        assert_prefixes_refused(&file);
        bytes_add(&file, "after the end", 13);
        struct image back = decoded(&file);
        assert_same_picture(&image, &back);
        image_free(&back);
        file.data[200] ^= 0x40; /* of the data, which a CRC protects */
        assert_refused(file.data, file.size, AIBOX_IMAGE);
        file.data[200] ^= 0x40;
        file.data[file.size - 13 - 12 - 1] ^= 0x40; /* of the last data chunk's CRC */
        assert_refused(file.data, file.size, AIBOX_IMAGE);
        file.data[file.size - 13 - 12 - 1] ^= 0x40;
        file.data[file.size - 13 - 1] ^= 0x40; /* and of the end's */
        assert_refused(file.data, file.size, AIBOX_IMAGE);
        bytes_free(&file);
    }
    image_free(&image);
}

/* Header and end without data, and sizes that are not allowed. */
static void refuses_wrong_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *sides;
        enum aibox_status status;
    } cases[] = {
        {"\0\0\0\0\0\0\0\x08", AIBOX_IMAGE},
        {"\0\0\0\x08\0\0\0\0", AIBOX_IMAGE},
        {"\0\0\0\x08\0\0\0\x08", AIBOX_IMAGE},
        {"\0\0\x40\0\0\0\x0b\xeb", AIBOX_IMAGE}, /* 16384 × 3051 is allowed, but nothing follows */
        {"\0\0\x40\0\0\0\x0b\xec", AIBOX_IMAGE_TOO_LARGE},
        {"\0\0\x40\x01\0\0\0\x01", AIBOX_IMAGE_TOO_LARGE},
        {"\xff\xff\xff\xff\xff\xff\xff\xff", AIBOX_IMAGE_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes file = {0};
        uint8_t header[13] = {0};
        memcpy(header, cases[i].sides, 8);
        header[8] = 8;
        header[9] = PNG_COLOR_TYPE_RGB;
        bytes_add(&file, "\x89PNG\r\n\x1a\n", 8);
        png_add_chunk(&file, "IHDR", header, sizeof(header));
        png_add_chunk(&file, "IEND", NULL, 0);
        assert_refused(file.data, file.size, cases[i].status);
        bytes_free(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_every_kind_and_depth),
        cmocka_unit_test(puts_a_transparent_grey_over_white),
        cmocka_unit_test(blends_without_gamma),
        cmocka_unit_test(applies_every_orientation),
        cmocka_unit_test(ignores_orientations_that_do_not_exist),
        cmocka_unit_test(refuses_animation),
        cmocka_unit_test(skips_texts_and_profiles),
        cmocka_unit_test(refuses_truncated_and_corrupt),
        cmocka_unit_test(refuses_wrong_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
