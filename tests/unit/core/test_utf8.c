#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/utf8.h"

static void test_valid(void **state)
{
    static const char *const texts[] = {
        "",
        "plain",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "\xe5\xbc\xa0\xe4\xb8\x89",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_true(utf8_valid(texts[i], strlen(texts[i])));
    assert_true(utf8_valid("a\0b", 3));
    assert_true(utf8_valid(NULL, 0));
}

static void test_invalid(void **state)
{
    static const char *const texts[] = {
        "\x80",             /* continuation alone */
        "\xbf",             /* ditto */
        "\xc0\x80",         /* overlong NUL */
        "\xc1\xbf",         /* overlong 2 bytes */
        "\xe0\x9f\xbf",     /* overlong 3 bytes */
        "\xf0\x8f\xbf\xbf", /* overlong 4 bytes */
        "\xed\xa0\x80",     /* first surrogate */
        "\xed\xbf\xbf",     /* last surrogate */
        "\xf4\x90\x80\x80", /* past U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xc2",         /* cut */
        "\xe2\x82",     /* cut */
        "\xf0\x9f\x98", /* cut */
        "\xc2\x41",     /* no continuation */
        "\xe2\x82\x41",
        "\xf0\x9f\x98\x41",
        "\xe2\x41\x82",
        "\xc3\xbc\xbc", /* one continuation too many */
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(utf8_valid(texts[i], strlen(texts[i])));
}

/* A fault is found wherever it lies to the words that the fast path takes. */
static void test_fault_at_every_position(void **state)
{
    char text[40];

    (void)state;
    for (size_t size = 1; size <= sizeof text; size++) {
        memset(text, 'a', size);
        assert_true(utf8_valid(text, size));
        for (size_t at = 0; at < size; at++) {
            text[at] = '\x80';
            assert_false(utf8_valid(text, size));
            text[at] = 'a';
            if (at + 2 <= size) {
                memcpy(text + at, "\xc3\xbc", 2);
                assert_true(utf8_valid(text, size));
                memset(text + at, 'a', 2);
            }
        }
        text[size - 1] = '\xc3';
        assert_false(utf8_valid(text, size));
    }
}

/* Every three bytes, against the definition by code point. */
static void test_all_of_three_bytes(void **state)
{
    (void)state;
    for (unsigned bits = 0x800000; bits <= 0xffffff; bits += 1) {
        const char text[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
        unsigned a = bits >> 16;
        unsigned b = bits >> 8 & 0xff;
        unsigned c = bits & 0xff;
        unsigned point = (a & 0x0f) << 12 | (b & 0x3f) << 6 | (c & 0x3f);
        bool three = (a & 0xf0) == 0xe0 && (b & 0xc0) == 0x80 && (c & 0xc0) == 0x80 && point >= 0x800 &&
                     (point < 0xd800 || point > 0xdfff);
        bool two_one = a >= 0xc2 && a <= 0xdf && (b & 0xc0) == 0x80 && c < 0x80;

        if (utf8_valid(text, 3) != (three || two_one))
            fail_msg("%06x", bits);
    }
}

static void test_prefix(void **state)
{
    static const char text[] = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x9a\xaaz"; /* 1 + 2 + 3 + 4 + 1 bytes */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    for (size_t limit = 0; limit < sizeof expected / sizeof expected[0]; limit++)
        assert_int_equal(utf8_prefix(text, sizeof text - 1, limit), expected[limit]);
    assert_int_equal(utf8_prefix("", 0, 0), 0);
    assert_int_equal(utf8_prefix("abc", 3, SIZE_MAX), 3);
}

/* Rubbish is cut somewhere, within bounds. */
static void test_prefix_of_rubbish(void **state)
{
    char text[32];

    (void)state;
    memset(text, '\x80', sizeof text);
    for (size_t limit = 0; limit <= sizeof text; limit++) {
        size_t kept = utf8_prefix(text, sizeof text, limit);

        assert_true(kept <= limit);
        assert_true(kept + 3 >= limit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_fault_at_every_position),
        cmocka_unit_test(test_all_of_three_bytes),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_prefix_of_rubbish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
