/* JPEG: colour spaces, orientation, scaled decoding, what is forgiven and what is not; and encoding. */
#include "check.h"

#include <math.h>

/* Lossy: the mean difference of a smooth picture at quality 95 is below 2 of 255. */
#define TOLERANCE 2.0

static void check_space(enum jpeg_space space, bool without_adobe, bool progressive)
{
    struct image image = picture_smooth(83, 61);
    if (space == JPEG_GREY) {
        for (int i = 0; i < 83 * 61; i++)
            image.pixels[3 * i] = image.pixels[3 * i + 2] = image.pixels[3 * i + 1];
    }
    struct jpeg_options options = {
        .space = space, .without_adobe = without_adobe, .progressive = progressive, .full_chroma = true};
    struct bytes file = jpeg_file(&image, &options);
    struct image back = decoded(&file);
    assert_true(picture_mean_difference(&image, &back) < TOLERANCE);
    image_free(&back);
    image_free(&image);
    bytes_free(&file);
}

static void decodes_every_colour_space(void **state)
{
    (void)state;
    for (int progressive = 0; progressive <= 1; progressive++) {
        check_space(JPEG_YCBCR, false, progressive != 0);
        check_space(JPEG_RGB, false, progressive != 0);
        check_space(JPEG_GREY, false, progressive != 0);
        check_space(JPEG_CMYK, false, progressive != 0);
        check_space(JPEG_CMYK, true, progressive != 0);
        check_space(JPEG_YCCK, false, progressive != 0);
    }
}

static void applies_every_orientation(void **state)
{
    (void)state;
    struct image upright = picture_smooth(90, 50);
    for (int i = 0; i < 16; i++) {
        int orientation = 1 + i / 2;
        struct bytes exif = exif_block(orientation, i % 2 != 0);
        struct image stored = picture_stored(&upright, orientation);
        struct jpeg_options options = {.exif = &exif};
        struct bytes file = jpeg_file(&stored, &options);
        struct image back = decoded(&file);
        assert_true(picture_mean_difference(&upright, &back) < TOLERANCE);
        image_free(&back);
        image_free(&stored);
        bytes_free(&file);
        bytes_free(&exif);
    }
    image_free(&upright);
}

static void scales_down_to_min_side(void **state)
{
    (void)state;
    static const struct {
        int width, height, min_side, scale;
    } cases[] = {
        {640, 480, 0, 1},   {640, 480, 480, 1}, {640, 480, 241, 1}, {640, 480, 240, 2}, {640, 480, 121, 2},
        {640, 480, 120, 4}, {640, 480, 60, 8},  {640, 480, 1, 8},   {479, 641, 240, 2}, {479, 641, 241, 1},
        {641, 483, 61, 8},  {640, 480, -5, 1},  {9, 5, 1, 8},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct image image = picture_smooth(cases[i].width, cases[i].height);
        struct jpeg_options options = {.progressive = i % 2 != 0};
        struct bytes file = jpeg_file(&image, &options);
        struct image back;
        int scale = 0;
        assert_int_equal(image_decode(file.data, file.size, cases[i].min_side, &back, &scale, NULL), AIBOX_OK);
        assert_int_equal(scale, cases[i].scale);
        assert_int_equal(back.width, (cases[i].width + scale - 1) / scale);
        assert_int_equal(back.height, (cases[i].height + scale - 1) / scale);
        if (cases[i].width == 640) {
            struct image reduced;
            assert_int_equal(image_resize(&image, back.width, back.height, &reduced, NULL), AIBOX_OK);
            assert_true(picture_mean_difference(&reduced, &back) < TOLERANCE);
            image_free(&reduced);
        }
        image_free(&back);
        image_free(&image);
        bytes_free(&file);
    }
}

static size_t find_marker(const struct bytes *file, uint8_t marker)
{
    for (size_t at = 0; at + 1 < file->size; at++) {
        if (file->data[at] == 0xff && file->data[at + 1] == marker)
            return at;
    }
    fail_msg("no marker %02x", marker);
    return 0;
}

static struct bytes plain_file(int width, int height)
{
    struct image image = picture_smooth(width, height);
    struct jpeg_options options = {0};
    struct bytes file = jpeg_file(&image, &options);
    image_free(&image);
    return file;
}

static void forgives_harmless_faults(void **state)
{
    (void)state;
    struct image image = picture_smooth(80, 60);
    struct jpeg_options options = {0};

    /* Padding between segments, as some cameras write it. */
    struct bytes file = jpeg_file(&image, &options);
    bytes_insert(&file, find_marker(&file, 0xc4), "\0\0\0\0\x55", 5);
    struct image back = decoded(&file);
    assert_true(picture_mean_difference(&image, &back) < TOLERANCE);
    image_free(&back);

    /* Padding before the end. */
    bytes_insert(&file, file.size - 2, "\0\0\0\0\0\0\0\0", 8);
    back = decoded(&file);
    assert_true(picture_mean_difference(&image, &back) < TOLERANCE);
    image_free(&back);

    /* Anything after the end, such as a second picture. */
    struct bytes copy = {0};
    bytes_add(&copy, file.data, file.size);
    bytes_add(&file, copy.data, copy.size / 2);
    back = decoded(&file);
    assert_true(picture_mean_difference(&image, &back) < TOLERANCE);
    image_free(&back);
    bytes_free(&copy);

    /* An unknown JFIF version. */
    file.data[find_marker(&file, 0xe0) + 9] = 7;
    back = decoded(&file);
    assert_true(picture_mean_difference(&image, &back) < TOLERANCE);
    image_free(&back);
    bytes_free(&file);

    /* A baseline scan whose unused parameters are not 0, 63, 0. */
    file = jpeg_file(&image, &options);
    file.data[find_marker(&file, 0xda) + 12] = 0;
    back = decoded(&file);
    assert_true(picture_mean_difference(&image, &back) < TOLERANCE);
    image_free(&back);
    bytes_free(&file);
    image_free(&image);
}

static void refuses_missing_and_corrupt_data(void **state)
{
    (void)state;
    for (int progressive = 0; progressive <= 1; progressive++) {
        struct image image = picture_smooth(160, 120);
        struct jpeg_options options = {.progressive = progressive != 0, .restart_interval = 5};
        struct bytes file = jpeg_file(&image, &options);
        assert_prefixes_refused(&file);

        /* The end marker alone is missing. */
        assert_refused(file.data, file.size - 2, AIBOX_IMAGE);

        /* The middle is missing, the end is there. */
        size_t half = file.size / 2;
        struct bytes cut = {0};
        bytes_add(&cut, file.data, half);
        bytes_add(&cut, "\xff\xd9", 2);
        assert_refused(cut.data, cut.size, AIBOX_IMAGE);
        bytes_free(&cut);
        bytes_free(&file);
        image_free(&image);
    }

    /* A restart marker that is not the next one: a piece of the picture was lost. */
    struct image image = picture_smooth(160, 120);
    struct jpeg_options options = {.restart_interval = 5};
    struct bytes file = jpeg_file(&image, &options);
    file.data[find_marker(&file, 0xd2) + 1] = 0xd4;
    assert_refused(file.data, file.size, AIBOX_IMAGE);
    bytes_free(&file);
    image_free(&image);
}

static void refuses_other_processes(void **state)
{
    (void)state;
    struct bytes file = plain_file(32, 32);
    size_t frame = find_marker(&file, 0xc0);
    file.data[frame + 4] = 12; /* bits a sample */
    assert_refused(file.data, file.size, AIBOX_UNSUPPORTED_IMAGE);
    file.data[frame + 4] = 8;
    file.data[frame + 1] = 0xc3; /* lossless */
    assert_refused(file.data, file.size, AIBOX_UNSUPPORTED_IMAGE);
    file.data[frame + 1] = 0xc9; /* arithmetic */
    assert_refused(file.data, file.size, AIBOX_UNSUPPORTED_IMAGE);
    file.data[frame + 1] = 0xf7; /* JPEG-LS */
    assert_refused(file.data, file.size, AIBOX_IMAGE);
    bytes_free(&file);
}

static void refuses_wrong_sizes(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        enum aibox_status status;
    } cases[] = {
        {32, 0, AIBOX_IMAGE},
        {0, 32, AIBOX_IMAGE},
        {32, 16385, AIBOX_IMAGE_TOO_LARGE},
        {65535, 65535, AIBOX_IMAGE_TOO_LARGE},
        {16384, 3052, AIBOX_IMAGE_TOO_LARGE}, /* 50,003,968 */
        {16384, 3051, AIBOX_IMAGE},           /* allowed, but that is not what the data hold */
    };
    struct bytes file = plain_file(32, 32);
    uint8_t *sides = file.data + find_marker(&file, 0xc0) + 5;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sides[0] = (uint8_t)(cases[i].height >> 8);
        sides[1] = (uint8_t)cases[i].height;
        sides[2] = (uint8_t)(cases[i].width >> 8);
        sides[3] = (uint8_t)cases[i].width;
        assert_refused(file.data, file.size, cases[i].status);
    }
    bytes_free(&file);
}

/* The same scan over and over again: each costs a pass over the whole picture. 100 are allowed. */
static void refuses_many_scans(void **state)
{
    (void)state;
    struct image image = picture_smooth(64, 64);
    struct jpeg_options options = {.space = JPEG_GREY};
    struct bytes file = jpeg_file(&image, &options);
    size_t start = find_marker(&file, 0xda);
    struct bytes scan = {0};
    bytes_add(&scan, file.data + start, file.size - 2 - start);
    file.data[find_marker(&file, 0xc0) + 1] = 0xc2; /* progressive: DC alone, complete at once, any number of times */
    scan.data[8] = 0;
    file.data[start + 8] = 0;
    for (int count = 1; count <= 101; count++) {
        struct aibox_error err = {0};
        struct image back;
        enum aibox_status status = image_decode(file.data, file.size, 0, &back, NULL, &err);
        if (count <= 100) {
            assert_null(strstr(err.message, "scans"));
        } else {
            assert_int_equal(status, AIBOX_IMAGE);
            assert_non_null(strstr(err.message, "scans"));
        }
        image_free(&back);
        bytes_insert(&file, file.size - 2, scan.data, scan.size);
    }
    bytes_free(&scan);
    bytes_free(&file);
    image_free(&image);
}

/* The first EXIF block counts, and other APP1 segments (XMP) are none. */
static void reads_the_first_exif_block(void **state)
{
    (void)state;
    struct image image = picture_smooth(40, 30);
    struct bytes first = exif_block(8, true);
    struct bytes second = exif_block(3, true);
    struct jpeg_options options = {.exif = &first};
    struct bytes file = jpeg_file(&image, &options);
    struct jpeg_options other = {.exif = &second};
    struct bytes donor = jpeg_file(&image, &other);
    size_t at = find_marker(&donor, 0xe1);
    size_t length = 2 + 6 + 2 + second.size;
    bytes_insert(&file, find_marker(&file, 0xe1) + length, donor.data + at, length);
    struct image back = decoded(&file);
    assert_int_equal(back.width, 30);
    image_free(&back);
    memcpy(file.data + find_marker(&file, 0xe1) + 4, "http:\0", 6);
    back = decoded(&file);
    assert_int_equal(back.width, 40);
    image_free(&back);
    bytes_free(&donor);
    bytes_free(&file);
    bytes_free(&first);
    bytes_free(&second);
    image_free(&image);
}

static void survives_broken_exif(void **state)
{
    (void)state;
    struct image image = picture_smooth(40, 30);
    struct bytes right = exif_block(6, true);
    uint32_t seed = 5;
    for (int i = 0; i < 400; i++) {
        struct bytes exif = {0};
        bytes_add(&exif, right.data, right.size - (i % 4 == 0 ? (size_t)noise(&seed) % right.size : 0));
        for (int k = 0; k < i % 5; k++)
            exif.data[noise(&seed) % (exif.size == 0 ? 1 : exif.size)] = noise(&seed);
        struct jpeg_options options = {.exif = &exif};
        struct bytes file = jpeg_file(&image, &options);
        struct image back = decoded(&file);
        assert_int_equal(back.width * back.height, 40 * 30);
        image_free(&back);
        bytes_free(&file);
        bytes_free(&exif);
    }
    bytes_free(&right);
    image_free(&image);
}

static void encodes(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {17, 3}, {640, 480}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct image image = picture_smooth(sizes[i][0], sizes[i][1]);
        struct bytes file;
        assert_int_equal(image_encode_jpeg(&image, 95, &file.data, &file.size, NULL), AIBOX_OK);
        struct image back = decoded(&file);
        assert_true(picture_mean_difference(&image, &back) < TOLERANCE + 1);
        image_free(&back);
        bytes_free(&file);
        image_free(&image);
    }

    /* Noise at the best quality outgrows the first buffer several times; qualities are clamped. */
    struct image image = picture_noise(500, 400, 1);
    struct bytes best;
    struct bytes worst;
    assert_int_equal(image_encode_jpeg(&image, 1000, &best.data, &best.size, NULL), AIBOX_OK);
    assert_int_equal(image_encode_jpeg(&image, -3, &worst.data, &worst.size, NULL), AIBOX_OK);
    assert_true(best.size > 150000);
    assert_true(worst.size < best.size / 10);
    struct image back = decoded(&best);
    image_free(&back);
    back = decoded(&worst);
    image_free(&back);
    bytes_free(&best);
    bytes_free(&worst);
    image_free(&image);

    struct image empty = {0};
    struct bytes none;
    assert_int_equal(image_encode_jpeg(&empty, 90, &none.data, &none.size, NULL), AIBOX_IMAGE);
    assert_null(none.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_every_colour_space),
        cmocka_unit_test(applies_every_orientation),
        cmocka_unit_test(scales_down_to_min_side),
        cmocka_unit_test(forgives_harmless_faults),
        cmocka_unit_test(refuses_missing_and_corrupt_data),
        cmocka_unit_test(refuses_other_processes),
        cmocka_unit_test(refuses_wrong_sizes),
        cmocka_unit_test(refuses_many_scans),
        cmocka_unit_test(reads_the_first_exif_block),
        cmocka_unit_test(survives_broken_exif),
        cmocka_unit_test(encodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
