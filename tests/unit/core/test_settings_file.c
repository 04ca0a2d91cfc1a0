#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/settings.h"

static int open_settings(void **state)
{
    struct settings *settings;

    if (settings_open(&settings, NULL) != AIBOX_OK)
        return -1;
    *state = settings;
    return 0;
}

static int close_settings(void **state)
{
    settings_close(*state);
    return 0;
}

static enum aibox_status load(struct settings *settings, const char *text, struct aibox_error *err)
{
    return settings_load_text(settings, text, strlen(text), err);
}

static void check_value(struct settings *settings, const char *key, const char *expected)
{
    char text[256];

    settings_print(settings, key, text, sizeof text, NULL);
    assert_string_equal(text, expected);
}

static void test_good_file(void **state)
{
    struct aibox_error err;

    if (load(*state,
             "# a comment\n"
             "\n"
             "   \t \n"
             "events.keep = 500\n"
             "\tevents.keep_days=7\r\n"
             "recognition.threshold =   auto   # as it was\n"
             "reports.device_info_url = http://h/x?a=b#c\n"
             "cloud.dev_sno =\n"
             "  # indented comment\n"
             "passmode = allpass",
             &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    check_value(*state, "events.keep", "500");
    check_value(*state, "events.keep_days", "7");
    check_value(*state, "recognition.threshold", "auto");
    check_value(*state, "reports.device_info_url", "http://h/x?a=b#c");
    check_value(*state, "cloud.dev_sno", "");
    check_value(*state, "passmode", "allpass");
}

static void test_empty_files(void **state)
{
    assert_int_equal(load(*state, "", NULL), AIBOX_OK);
    assert_int_equal(load(*state, "\n\n#\n", NULL), AIBOX_OK);
    assert_int_equal(load(*state, "\xef\xbb\xbf", NULL), AIBOX_OK);
    assert_int_equal(load(*state,
                          "\xef\xbb\xbf"
                          "events.keep = 200\n",
                          NULL),
                     AIBOX_OK);
    check_value(*state, "events.keep", "200");
}

static void test_errors_name_line_and_key(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"events.keep = 500\n\nevents.keep_days = never\n",
         "line 3: events.keep_days takes a whole number from 0 to 36500, got 'never'"},
        {"# x\nevents.kept = 1\n", "line 2: unknown setting 'events.kept'"},
        {"passmode\n", "line 1: 'key = value' expected"},
        {"[section]\n", "line 1: 'key = value' expected"},
        {"= 1\n", "line 1: unknown setting ''"},
        {"events.keep = 500\nevents.keep = 600\n", "line 2: events.keep is set in line 1 already"},
        {"passmode = # normal\n", "line 1: passmode takes one of normal|allpass|allforbidden, got ''"},
        {"events.keep = 5 00\n", "line 1: events.keep takes a whole number from 100 to 10000000, got '5 00'"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aibox_error err = {0};

        assert_int_equal(load(*state, cases[i].text, &err), AIBOX_PARAM);
        assert_string_equal(err.message, cases[i].message);
        /* Good lines before the bad one had no effect. */
        check_value(*state, "events.keep", "10000");
    }
}

static void test_not_text(void **state)
{
    struct aibox_error err;

    assert_int_equal(settings_load_text(*state, "# a\0b\n", 6, &err), AIBOX_PARAM);
    assert_int_equal(load(*state, "# \xff\n", &err), AIBOX_PARAM);
}

static void test_size_limit(void **state)
{
    char *text = malloc(SETTINGS_FILE_MAX + 1);

    assert_non_null(text);
    memset(text, '\n', SETTINGS_FILE_MAX + 1);
    assert_int_equal(settings_load_text(*state, text, SETTINGS_FILE_MAX, NULL), AIBOX_OK);
    assert_int_equal(settings_load_text(*state, text, SETTINGS_FILE_MAX + 1, NULL), AIBOX_PARAM);
    free(text);
}

static void count_call(void *ctx, const char *key)
{
    (void)key;
    ++*(int *)ctx;
}

static void test_loading_again_replaces(void **state)
{
    int calls = 0;

    settings_listen(*state, count_call, &calls);
    assert_int_equal(load(*state, "events.keep = 500\nevents.keep_days = 7\n", NULL), AIBOX_OK);
    assert_int_equal(calls, 2);
    assert_int_equal(load(*state, "events.keep = 500\npassmode = allpass\n", NULL), AIBOX_OK);
    assert_int_equal(calls, 4);
    check_value(*state, "events.keep", "500");
    check_value(*state, "events.keep_days", "0");
    check_value(*state, "passmode", "allpass");
}

static void test_file_stays_below_stored(void **state)
{
    assert_int_equal(settings_put(*state, SETTINGS_STORED, "events.keep", "900", NULL), AIBOX_OK);
    assert_int_equal(load(*state, "events.keep = 500\n", NULL), AIBOX_OK);
    check_value(*state, "events.keep", "900");
    settings_forget(*state, SETTINGS_STORED, "events.keep");
    check_value(*state, "events.keep", "500");
}

static void test_from_disk(void **state)
{
    char path[] = "/tmp/aibox-test-settings-XXXXXX";
    int file = mkstemp(path);
    struct aibox_error err;

    assert_true(file >= 0);
    assert_int_equal(write(file, "events.keep = 700\n", 18), 18);
    assert_int_equal(settings_load_file(*state, path, &err), AIBOX_OK);
    check_value(*state, "events.keep", "700");
    /* One byte over the limit. */
    assert_int_equal(ftruncate(file, SETTINGS_FILE_MAX + 1), 0);
    assert_int_equal(settings_load_file(*state, path, &err), AIBOX_PARAM);
    assert_non_null(strstr(err.message, "larger"));
    close(file);
    unlink(path);
    assert_int_equal(settings_load_file(*state, path, &err), AIBOX_NOT_FOUND);
    /* The message goes to callers, who have no business with paths. */
    assert_null(strstr(err.message, path));
    assert_int_equal(settings_load_file(*state, "/", &err), AIBOX_PROCESS_FAILED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_settings, close_settings)
    const struct CMUnitTest tests[] = {
        TEST(test_good_file),
        TEST(test_empty_files),
        TEST(test_errors_name_line_and_key),
        TEST(test_not_text),
        TEST(test_size_limit),
        TEST(test_loading_again_replaces),
        TEST(test_file_stays_below_stored),
        TEST(test_from_disk),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
