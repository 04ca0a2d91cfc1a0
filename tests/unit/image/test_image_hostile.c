/* Bytes that are no pictures, or pictures that mean harm: kinds, sizes, bombs, noise. */
#include "check.h"

#include <png.h>
#include <sys/resource.h>
#include <zlib.h>

static void knows_kinds_by_their_magic(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        enum image_kind kind;
    } cases[] = {
#define CASE(bytes, kind) {bytes, sizeof(bytes) - 1, kind}
        CASE("\xff\xd8\xff\xe0", IMAGE_JPEG),
        CASE("\xff\xd8", IMAGE_UNKNOWN),
        CASE("\x89PNG\r\n\x1a\n", IMAGE_PNG),
        CASE("\x89PNG\n\x1a\n\n", IMAGE_UNKNOWN), /* line ends converted */
        CASE("RIFF\x10\0\0\0WEBPVP8 ", IMAGE_WEBP),
        CASE("RIFF\x10\0\0\0WAVEfmt ", IMAGE_UNKNOWN),
        CASE("JUNK\x10\0\0\0WEBPVP8 ", IMAGE_UNKNOWN),
        CASE("GIF87a\1\0\1\0", IMAGE_UNSUPPORTED),
        CASE("GIF89a\1\0\1\0", IMAGE_UNSUPPORTED),
        CASE("II*\0\x08\0\0\0", IMAGE_UNSUPPORTED),
        CASE("MM\0*\0\0\0\x08", IMAGE_UNSUPPORTED),
        CASE("BM\x36\0\0\0\0\0\0\0\x36", IMAGE_UNSUPPORTED),
        CASE("BM is the start of a text", IMAGE_UNKNOWN),
        CASE("%PDF-1.7", IMAGE_UNSUPPORTED),
        CASE("\0\0\0\x0cjP  \r\n\x87\n", IMAGE_UNSUPPORTED),
        CASE("\xff\x4f\xff\x51\0\x2f", IMAGE_UNSUPPORTED),
        CASE("\0\0\0\x0cJXL \r\n\x87\n", IMAGE_UNSUPPORTED),
        CASE("\xff\x0a\xfa\x7f", IMAGE_UNSUPPORTED),
        CASE("\0\0\1\0\1\0\x10\x10", IMAGE_UNSUPPORTED),
        CASE("\0\0\0\x18"
             "ftypheic\0\0\0\0",
             IMAGE_UNSUPPORTED),
        CASE("\0\0\0\x18"
             "ftypmif1\0\0\0\0",
             IMAGE_UNSUPPORTED),
        CASE("\0\0\0\x1c"
             "ftypavif\0\0\0\0",
             IMAGE_UNSUPPORTED),
        CASE("\0\0\0\x1c"
             "ftypisom\0\0\0\0",
             IMAGE_UNKNOWN), /* a film */
        CASE("<html>", IMAGE_UNKNOWN),
        CASE("", IMAGE_UNKNOWN),
#undef CASE
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        assert_int_equal(image_sniff(bytes, cases[i].size), cases[i].kind);
        assert_refused(bytes, cases[i].size,
                       cases[i].kind == IMAGE_UNSUPPORTED ? AIBOX_UNSUPPORTED_IMAGE : AIBOX_IMAGE);
    }
    assert_int_equal(image_sniff(NULL, 0), IMAGE_UNKNOWN);
    assert_refused(NULL, 0, AIBOX_IMAGE);
}

static void refuses_files_above_the_limit(void **state)
{
    (void)state;
    struct image image = picture_smooth(64, 48);
    struct jpeg_options options = {0};
    struct bytes file = jpeg_file(&image, &options);
    size_t limit = (size_t)5 * 1024 * 1024;
    uint8_t *padded = calloc(limit + 1, 1);
    assert_non_null(padded);
    memcpy(padded, file.data, file.size);
    struct bytes largest = {.data = padded, .size = limit};
    struct image back = decoded(&largest);
    image_free(&back);
    assert_refused(padded, limit + 1, AIBOX_IMAGE_TOO_LARGE);
    free(padded);
    bytes_free(&file);
    image_free(&image);
}

/* A PNG of 49 megapixels whose data end after a few rows: refused, and its pixels are never touched. */
static void takes_no_memory_for_a_claimed_size(void **state)
{
    (void)state;
    uint8_t rows[3000] = {0};
    uint8_t packed[3100];
    uLongf packed_size = sizeof(packed);
    assert_int_equal(compress2(packed, &packed_size, rows, sizeof(rows), 9), Z_OK);
    uint8_t header[13] = {0, 0, 0x40, 0, 0, 0, 0x0b, 0xb8, 8, PNG_COLOR_TYPE_RGB_ALPHA};
    struct bytes file = {0};
    bytes_add(&file, "\x89PNG\r\n\x1a\n", 8);
    png_add_chunk(&file, "IHDR", header, sizeof(header));
    png_add_chunk(&file, "IDAT", packed, packed_size);
    png_add_chunk(&file, "IEND", NULL, 0);
    struct rusage before;
    struct rusage after;
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    assert_refused(file.data, file.size, AIBOX_IMAGE);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(after.ru_maxrss - before.ru_maxrss < 50 * 1024); /* KB; the picture would be 150 MB */
    bytes_free(&file);
}

/* As many blank progressive scans of a large picture as fit: refused before the first. */
static void refuses_scans_that_cost_too_much(void **state)
{
    (void)state;
    struct image image = picture_smooth(32, 32);
    struct jpeg_options options = {.progressive = true, .space = JPEG_GREY};
    struct bytes file = jpeg_file(&image, &options);
    size_t at = 0;
    while (file.data[at] != 0xff || file.data[at + 1] != 0xc2)
        at++;
    memcpy(file.data + at + 5, "\x1b\x58\x1b\x58", 4); /* 7000 × 7000 */
    static const uint8_t scan[] = {0xff, 0xda, 0, 8, 1, 1, 0, 1, 5, 0};
    for (int i = 0; i < 30; i++)
        bytes_insert(&file, file.size - 2, scan, sizeof(scan));
    struct aibox_error err = {0};
    struct image out;
    assert_int_equal(image_decode(file.data, file.size, 0, &out, NULL, &err), AIBOX_IMAGE);
    assert_non_null(strstr(err.message, "scans"));
    bytes_free(&file);
    image_free(&image);
}

/* Whatever comes out must be consistent: nothing on error, a picture within the limits on success. */
static void check_any(const uint8_t *bytes, size_t size)
{
    struct image image;
    int scale = 0;
    enum aibox_status status = image_decode(bytes, size, size % 3 == 0 ? 16 : 0, &image, &scale, NULL);
    if (status != AIBOX_OK) {
        assert_null(image.pixels);
        return;
    }
    assert_non_null(image.pixels);
    assert_in_range(image.width, 1, IMAGE_MAX_SIDE);
    assert_in_range(image.height, 1, IMAGE_MAX_SIDE);
    assert_true(scale == 1 || scale == 2 || scale == 4 || scale == 8);
    image_free(&image);
}

static void survives_noise(void **state)
{
    (void)state;
    static const char *const magics[] = {"", "\xff\xd8\xff\xdb", "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", "RIFF    WEBPVP8L"};
    static const size_t sizes[] = {0, 4, 16, 16};
    uint32_t seed = 11;
    for (int round = 0; round < 4000; round++) {
        size_t size = (size_t)noise(&seed) * 4 + 16;
        uint8_t *bytes = malloc(size);
        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++)
            bytes[i] = noise(&seed);
        memcpy(bytes, magics[round % 4], sizes[round % 4]);
        if (round % 4 == 3)
            memcpy(bytes + 4, (uint8_t[]){(uint8_t)(size - 8), (uint8_t)((size - 8) >> 8), 0, 0}, 4);
        check_any(bytes, size);
        free(bytes);
    }
}

static void survives_changed_bytes(void **state)
{
    (void)state;
    struct image image = picture_smooth(48, 40);
    struct bytes exif = exif_block(6, false);
    struct jpeg_options plain = {.exif = &exif, .restart_interval = 3};
    struct jpeg_options progressive = {.progressive = true, .space = JPEG_YCCK};
    uint8_t rgba[48 * 40 * 4];
    for (int i = 0; i < 48 * 40; i++) {
        memcpy(rgba + 4 * i, image.pixels + 3 * i, 3);
        rgba[4 * i + 3] = (uint8_t)i;
    }
    struct bytes webp = webp_file(48, 40, rgba, true);
    struct png_options png = {
        .color_type = PNG_COLOR_TYPE_RGB_ALPHA, .bit_depth = 8, .interlaced = true, .exif = &exif};
    struct bytes files[] = {
        jpeg_file(&image, &plain),      jpeg_file(&image, &progressive),           png_file(48, 40, rgba, 48 * 4, &png),
        webp_file(48, 40, rgba, false), webp_extended(48, 40, &webp, &exif, true),
    };
    uint32_t seed = 99;
    for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
        for (int round = 0; round < 600; round++) {
            uint8_t *copy = malloc(files[f].size);
            assert_non_null(copy);
            memcpy(copy, files[f].data, files[f].size);
            for (int k = 0; k <= round % 4; k++) {
                size_t at = ((size_t)noise(&seed) << 8 | noise(&seed)) % files[f].size;
                copy[at] = (uint8_t)(round % 2 == 0 ? noise(&seed) : copy[at] ^ 1u << noise(&seed) % 8);
            }
            check_any(copy, files[f].size);
            free(copy);
        }
        bytes_free(&files[f]);
    }
    bytes_free(&webp);
    bytes_free(&exif);
    image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_kinds_by_their_magic),
        cmocka_unit_test(refuses_files_above_the_limit),
        cmocka_unit_test(takes_no_memory_for_a_claimed_size),
        cmocka_unit_test(refuses_scans_that_cost_too_much),
        cmocka_unit_test(survives_noise),
        cmocka_unit_test(survives_changed_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
