#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/site.h"

/* "hello, hello, hello" as gzip packs it. */
static const uint8_t packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff,
                                 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51, 0xc8, 0x40, 0xa2,
                                 0x00, 0x9f, 0xa1, 0xca, 0x09, 0x13, 0x00, 0x00, 0x00};
static const char plain[] = "hello, hello, hello";

#define PLAIN(text) .plain = {(const uint8_t *)(text), sizeof(text) - 1}, .size = sizeof(text) - 1

/* In place of the packed console. */
const struct site_file site_files[] = {
    {.path = "/assets/a.js", .type = "text/javascript", .etag = "\"a\"", .gzip = {packed, sizeof packed}, .size = 19},
    {.path = "/assets/b.js", .type = "text/javascript", .etag = "\"b\"", .gzip = {packed, sizeof packed}, .size = 18},
    {.path = "/assets/c.png", .type = "image/png", .etag = "\"c\"", PLAIN("png")},
    {.path = "/index.html", .type = "text/html", .etag = "\"i\"", PLAIN("<p>")},
};
const size_t site_count = sizeof site_files / sizeof site_files[0];

static void files_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < site_count; i++)
        assert_ptr_equal(site_find(site_files[i].path), &site_files[i]);
    assert_null(site_find(""));
    assert_null(site_find("/assets/"));
    assert_null(site_find("/assets/../index.html"));
    assert_null(site_find("/zzz"));
}

static void codings_are_chosen(void **state)
{
    (void)state;
    assert_int_equal(site_coding_of(NULL), SITE_PLAIN);
    assert_int_equal(site_coding_of(""), SITE_PLAIN);
    assert_int_equal(site_coding_of("identity"), SITE_PLAIN);
    assert_int_equal(site_coding_of("gzip"), SITE_GZIP);
    assert_int_equal(site_coding_of("gzip, deflate, br"), SITE_BROTLI);
    assert_int_equal(site_coding_of("GZip;q=0.5"), SITE_GZIP);
    assert_int_equal(site_coding_of("br;q=0, gzip;q=1.0"), SITE_GZIP);
    assert_int_equal(site_coding_of("br ; q=0.000 ,gzip;q=0"), SITE_PLAIN);
    assert_int_equal(site_coding_of("br;q=0.001"), SITE_BROTLI);
    assert_int_equal(site_coding_of("brotli, xgzip, gzipx"), SITE_PLAIN);
    assert_int_equal(site_coding_of(",,;,br"), SITE_BROTLI);
}

static void etags_are_compared(void **state)
{
    (void)state;
    assert_false(site_etag_matches(NULL, "\"a\""));
    assert_false(site_etag_matches("", "\"a\""));
    assert_true(site_etag_matches("\"a\"", "\"a\""));
    assert_true(site_etag_matches("\"x\", W/\"a\" ", "\"a\""));
    assert_true(site_etag_matches("*", "\"a\""));
    assert_false(site_etag_matches("\"ab\"", "\"a\""));
    assert_false(site_etag_matches("\"a", "\"a\""));
    assert_false(site_etag_matches("\"a\"x", "\"a\""));
}

static void packed_files_are_unpacked(void **state)
{
    struct aibox_error err;
    uint8_t *bytes;
    size_t size;

    (void)state;
    assert_int_equal(site_plain(&site_files[0], &bytes, &size, &err), AIBOX_OK);
    assert_int_equal(size, strlen(plain));
    assert_memory_equal(bytes, plain, size);
    free(bytes);
    assert_int_equal(site_plain(&site_files[2], &bytes, &size, &err), AIBOX_OK);
    assert_memory_equal(bytes, "png", 3);
    free(bytes);
    /* a table that does not fit its data */
    assert_int_equal(site_plain(&site_files[1], &bytes, &size, &err), AIBOX_PROCESS_FAILED);
    assert_null(bytes);
}

static void check_nonce(const char *text, const char *expected)
{
    size_t size;
    uint8_t *out = site_put_nonce((const uint8_t *)text, strlen(text), "n0", &size);

    assert_non_null(out);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(out, expected, size);
    free(out);
}

static void marks_become_the_nonce(void **state)
{
    (void)state;
    check_nonce("", "");
    check_nonce("no mark", "no mark");
    check_nonce(SITE_NONCE_MARK, "n0");
    check_nonce("a " SITE_NONCE_MARK SITE_NONCE_MARK " b " SITE_NONCE_MARK "c", "a n0n0 b n0c");
    check_nonce("AIBOX-NONC", "AIBOX-NONC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_found),        cmocka_unit_test(codings_are_chosen),
        cmocka_unit_test(etags_are_compared),     cmocka_unit_test(packed_files_are_unpacked),
        cmocka_unit_test(marks_become_the_nonce),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
