#include "check.h"

#include "text.h"

static void check_fit(const char *text, size_t columns, const char *wanted)
{
    char out[256];
    size_t length = text_fit(text, columns, out, sizeof out);
    assert_string_equal(out, wanted);
    assert_int_equal(length, strlen(wanted));
    assert_true(text_width(out) <= columns);
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(text_width(""), 0);
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("小赵"), 4);
    assert_int_equal(text_width("Zo\xc3\xab"), 3);
    assert_int_equal(text_width("e\xcc\x81"), 1); /* e and a combining accent */
    assert_int_equal(text_width("\xff\xfe"), 2);
    assert_int_equal(text_width("\xe5\xb0"), 2); /* a character cut in two */
}

static void test_clean(void **state)
{
    char out[64];
    (void)state;
    text_clean("a\x1b[31mb\n\tc\x7f", out, sizeof out);
    assert_string_equal(out, "a?[31mb??c?");
    text_clean("\xc2\x9b"
               "31m",
               out, sizeof out); /* the one-character form of ESC [ */
    assert_string_equal(out, "?31m");
    text_clean("a\xff小", out, sizeof out);
    assert_string_equal(out, "a?小");
}

static void test_clean_cuts_at_a_whole_character(void **state)
{
    char out[5];
    (void)state;
    assert_int_equal(text_clean("a小赵", out, sizeof out), 4);
    assert_string_equal(out, "a小");
    assert_int_equal(text_clean("abcdef", out, 1), 0);
    assert_string_equal(out, "");
}

static void test_fit(void **state)
{
    (void)state;
    check_fit("abc", 3, "abc");
    check_fit("abcd", 3, "ab…");
    check_fit("小赵你", 6, "小赵你");
    check_fit("小赵你好", 6, "小赵…");
    check_fit("小赵你好", 4, "小…");
    check_fit("", 3, "");
}

static int set_up(void **state)
{
    (void)state;
    text_set_up();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_clean_cuts_at_a_whole_character),
        cmocka_unit_test(test_fit),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
