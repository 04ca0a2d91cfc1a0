#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base64.h"

#define MOST 300

/* Fixed pseudo-random bytes (xorshift). */
static void fill(uint8_t *bytes, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        bytes[i] = (uint8_t)seed;
    }
}

/* Decodes in memory of the promised size exactly, so that a sanitizer sees one byte too many. */
static bool decode(const char *text, size_t size, uint8_t *out, size_t *out_size)
{
    char *in = malloc(size ? size : 1);
    uint8_t *room = malloc(base64_decoded_max(size));
    bool done;

    assert_non_null(in);
    assert_non_null(room);
    memcpy(in, text, size);
    done = base64_decode(in, size, room, out_size);
    if (done)
        memcpy(out, room, *out_size);
    free(in);
    free(room);
    return done;
}

static void check_decodes(const char *text, const char *expected)
{
    uint8_t out[MOST];
    size_t size;

    assert_true(decode(text, strlen(text), out, &size));
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(out, expected, size);
}

static void check_refused(const char *text)
{
    uint8_t out[MOST];
    size_t size;

    if (decode(text, strlen(text), out, &size))
        fail_msg("taken: %s", text);
    assert_int_equal(size, 0);
}

/* RFC 4648 § 10. */
static void test_rfc_vectors(void **state)
{
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    char text[16];

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        size_t size = strlen(vectors[i][0]);

        base64_encode((const uint8_t *)vectors[i][0], size, text);
        assert_string_equal(text, vectors[i][1]);
        assert_int_equal(base64_encoded_size(size), strlen(vectors[i][1]));
        check_decodes(vectors[i][1], vectors[i][0]);
    }
}

static void test_all_lengths(void **state)
{
    uint8_t bytes[MOST];
    uint8_t back[MOST + 8];
    char text[MOST * 2];
    size_t size;

    (void)state;
    for (size_t length = 0; length <= MOST; length++) {
        size_t encoded = base64_encoded_size(length);

        fill(bytes, length, (uint32_t)length + 1);
        base64_encode(bytes, length, text);
        assert_int_equal(strlen(text), encoded);
        assert_true(base64_decoded_max(encoded) >= length);
        assert_true(decode(text, encoded, back, &size));
        assert_int_equal(size, length);
        assert_memory_equal(back, bytes, length);

        /* Without padding. */
        while (encoded && text[encoded - 1] == '=')
            encoded--;
        assert_true(decode(text, encoded, back, &size));
        assert_int_equal(size, length);
        assert_memory_equal(back, bytes, length);

        /* In place. */
        assert_true(base64_decode(text, encoded, (uint8_t *)text, &size));
        assert_int_equal(size, length);
        assert_memory_equal(text, bytes, length);
    }
}

/* The group that the fast path takes and the single characters give the same: white space after every
 * character turns the fast path off. */
static void test_fast_and_slow_agree(void **state)
{
    char fast[64];
    char slow[128];
    uint8_t a[MOST];
    uint8_t b[MOST];
    size_t a_size;
    size_t b_size;

    (void)state;
    for (int at = 0; at < 64; at++) {
        for (int byte = 0; byte < 256; byte++) {
            bool fast_done;
            bool slow_done;

            memset(fast, 'k', sizeof fast);
            fast[at] = (char)byte;
            for (size_t i = 0; i < sizeof fast; i++) {
                slow[2 * i] = fast[i];
                slow[2 * i + 1] = '\n';
            }
            fast_done = decode(fast, sizeof fast, a, &a_size);
            slow_done = decode(slow, sizeof slow, b, &b_size);
            assert_int_equal(fast_done, slow_done);
            assert_int_equal(a_size, b_size);
            if (fast_done)
                assert_memory_equal(a, b, a_size);
        }
    }
}

static void test_white_space(void **state)
{
    uint8_t bytes[MOST];
    uint8_t back[MOST];
    char text[MOST * 2];
    char broken[MOST * 4];
    size_t size;

    (void)state;
    check_decodes(" \t\r\nZm9v\r\nYmFy\n", "foobar");
    check_decodes("Z m 9 v Y g = = ", "foob");
    check_decodes("   \n", "");
    /* Lines of every width. */
    fill(bytes, MOST, 99);
    base64_encode(bytes, MOST, text);
    for (size_t width = 1; width < 80; width++) {
        size_t used = 0;

        for (size_t i = 0; text[i]; i++) {
            broken[used++] = text[i];
            if (i % width == width - 1)
                broken[used++] = '\n';
        }
        assert_true(decode(broken, used, back, &size));
        assert_int_equal(size, MOST);
        assert_memory_equal(back, bytes, MOST);
    }
}

static void test_data_url(void **state)
{
    (void)state;
    check_decodes("data:image/jpeg;base64,Zm9v", "foo");
    check_decodes("  data:image/png;name=\"x\";base64,\nZm9v", "foo");
    check_decodes("DATA:IMAGE/JPEG;BASE64,Zm9v", "foo");
    check_decodes("data:;base64,Zm9v", "foo");
    check_decodes("data:image/png;base64,", "");
    check_refused("data:image/jpeg,Zm9v");
    check_refused("data:base64,Zm9v");
    check_refused("data:image/jpeg;base64");
    check_refused("data:");
    check_refused("data:,");
    check_refused("image/jpeg;base64,Zm9v");
    check_refused("data:image/jpeg;base64,data:image/jpeg;base64,Zm9v");
}

/* A text that merely begins like the scheme is Base64. */
static void test_text_beginning_with_data(void **state)
{
    (void)state;
    check_decodes("data", "\x75\xab\x5a");
}

static void test_data_url_in_place(void **state)
{
    char text[] = "data:image/jpeg;base64,Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy";
    size_t size;

    (void)state;
    assert_true(base64_decode(text, strlen(text), (uint8_t *)text, &size));
    assert_int_equal(size, 24);
    assert_memory_equal(text, "foobarfoobarfoobarfoobar", 24);
}

static void test_url_safe(void **state)
{
    uint8_t a[MOST];
    uint8_t b[MOST];
    size_t a_size;
    size_t b_size;

    (void)state;
    assert_true(decode("-_-_-_-_-_-_-_-_-_-_", 20, a, &a_size));
    assert_true(decode("+/+/+/+/+/+/+/+/+/+/", 20, b, &b_size));
    assert_int_equal(a_size, 15);
    assert_int_equal(b_size, 15);
    assert_memory_equal(a, b, 15);
    check_decodes("_w", "\xff");
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "Z",
        "Zm9vY",
        "Z===",
        "=",
        "====",
        "Zm9v=",
        "Zm9v==",
        "Zg=",
        "Zg===",
        "Zm8==",
        "Zg==Zg==",
        "Zg==x",
        "Zg=x=",
        "Zm9v*mFy",
        "Zm9v.",
        "\xc3\xbc",
        "Zm9vYmFyZm9vYmFyZm9vYm?y",
        "Zm\v9v",
    };
    uint8_t out[8];
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_refused(texts[i]);
    assert_false(decode("Zm\0v", 4, out, &size));
}

/* Bits beyond the last byte are ignored, as the header says. */
static void test_trailing_bits(void **state)
{
    (void)state;
    check_decodes("Zh==", "f");
    check_decodes("Zm9=", "fo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_vectors),
        cmocka_unit_test(test_all_lengths),
        cmocka_unit_test(test_fast_and_slow_agree),
        cmocka_unit_test(test_white_space),
        cmocka_unit_test(test_data_url),
        cmocka_unit_test(test_text_beginning_with_data),
        cmocka_unit_test(test_data_url_in_place),
        cmocka_unit_test(test_url_safe),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_trailing_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
