#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
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

static void put(struct settings *settings, enum settings_source source, const char *key, const char *text)
{
    struct aibox_error err;

    if (settings_put(settings, source, key, text, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
}

/* Refused by check and put alike, with a message that names the key; the value stays. */
static void check_refused(struct settings *settings, const char *key, const char *text)
{
    struct aibox_error err = {0};
    char before[256];
    char after[256];

    settings_print(settings, key, before, sizeof before, NULL);
    if (settings_check(key, text, &err) != AIBOX_PARAM)
        fail_msg("%s takes '%s'", key, text);
    assert_memory_equal(err.message, key, strlen(key));
    assert_int_equal(settings_put(settings, SETTINGS_SET, key, text, &err), AIBOX_PARAM);
    assert_int_equal(err.status, AIBOX_PARAM);
    settings_print(settings, key, after, sizeof after, NULL);
    assert_string_equal(before, after);
}

static void check_printed(struct settings *settings, const char *key, const char *expected,
                          enum settings_source expected_source)
{
    enum settings_source source;
    char text[256];

    assert_int_equal(settings_print(settings, key, text, sizeof text, &source), strlen(expected));
    assert_string_equal(text, expected);
    assert_int_equal(source, expected_source);
}

static void test_every_row(void **state)
{
    struct settings *settings = *state;

    for (size_t i = 0; i < settings_count; i++) {
        const struct settings_entry *entry = &settings_table[i];
        struct aibox_error err;

        if (settings_check(entry->key, entry->default_text, &err) != AIBOX_OK)
            fail_msg("%s", err.message);
        if (i > 0 && strcmp(settings_table[i - 1].key, entry->key) >= 0)
            fail_msg("%s is out of order", entry->key);
        assert_ptr_equal(settings_find(entry->key), entry);
        assert_non_null(entry->help);
        if (entry->help[strlen(entry->help) - 1] != '.')
            fail_msg("%s: help is no sentence", entry->key);
        if (entry->type != SETTINGS_BOOL)
            assert_int_equal(entry->type == SETTINGS_CHOICE, entry->choices != NULL);
        if (entry->type != SETTINGS_BOOL && entry->type != SETTINGS_CHOICE)
            assert_true(entry->max > entry->min);
        /* The table spells defaults the canonical way. */
        check_printed(settings, entry->key, entry->default_text, SETTINGS_DEFAULT);
    }
}

static void test_defaults_others_rely_on(void **state)
{
    static const char *const expected[][2] = {
        {"access.mode", "closed"},
        {"access.legacy_allow", ""},
        {"gallery.capacity", "100000"},
        {"recognition.threshold", "auto"},
        {"recognition.false_accept_target", "0.01"},
        {"recognition.dedup_seconds", "10"},
        {"recognition.enrol_min_face", "32"},
        {"recognition.stranger_memory", "false"},
        {"passmode", "normal"},
        {"events.keep", "10000"},
        {"events.keep_days", "0"},
        {"events.spot_picture", "full"},
        {"cloud.dev_sno", ""},
        {"cloud.login_url", ""},
        {"cloud.send_pictures", "all"},
        {"cloud.person_code_as_string", "false"},
        {"intake.ftp.port", "2121"},
        {"door.relay_default", "tcp"},
        {"vision.workers", "0"},
        {"reports.allow", ""},
        {"reports.device_info_url", ""},
    };

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        check_printed(*state, expected[i][0], expected[i][1], SETTINGS_DEFAULT);
}

static void test_unknown_key(void **state)
{
    static const char *const keys[] = {"", "log", "log.leve", "log.level ", "LOG.LEVEL", "zzz", "\xff"};
    struct aibox_error err;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_null(settings_find(keys[i]));
        assert_int_equal(settings_check(keys[i], "info", &err), AIBOX_PARAM);
        assert_int_equal(settings_put(*state, SETTINGS_STORED, keys[i], "info", &err), AIBOX_PARAM);
        settings_forget(*state, SETTINGS_STORED, keys[i]);
    }
    assert_int_equal(settings_check("zzz", "1", &err), AIBOX_PARAM);
    assert_non_null(strstr(err.message, "zzz"));
}

static void test_precedence(void **state)
{
    struct settings *settings = *state;
    const char *key = "recognition.dedup_seconds";

    assert_int_equal(settings_int(settings, key), 10);
    put(settings, SETTINGS_SET, key, "4");
    put(settings, SETTINGS_STORED, key, "3");
    put(settings, SETTINGS_FILE, key, "2");
    assert_int_equal(settings_int(settings, key), 4);
    check_printed(settings, key, "4", SETTINGS_SET);
    settings_forget(settings, SETTINGS_SET, key);
    check_printed(settings, key, "3", SETTINGS_STORED);
    settings_forget(settings, SETTINGS_STORED, key);
    check_printed(settings, key, "2", SETTINGS_FILE);
    settings_forget(settings, SETTINGS_FILE, key);
    check_printed(settings, key, "10", SETTINGS_DEFAULT);
    settings_forget(settings, SETTINGS_FILE, key);
    assert_int_equal(settings_int(settings, key), 10);
}

static void test_bool(void **state)
{
    static const char *const yes[] = {"true", "on", "yes", "1"};
    static const char *const no[] = {"false", "off", "no", "0"};
    static const char *const bad[] = {"", "TRUE", "2", "true ", " true", "y", "enabled", "01"};
    const char *key = "events.low_quality";

    for (size_t i = 0; i < 4; i++) {
        put(*state, SETTINGS_FILE, key, yes[i]);
        assert_true(settings_bool(*state, key));
        check_printed(*state, key, "true", SETTINGS_FILE);
        put(*state, SETTINGS_FILE, key, no[i]);
        assert_false(settings_bool(*state, key));
        check_printed(*state, key, "false", SETTINGS_FILE);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_refused(*state, key, bad[i]);
}

static void test_int(void **state)
{
    static const char *const bad[] = {"",
                                      "99",
                                      "10000001",
                                      "-100",
                                      "1e3",
                                      "100.0",
                                      "0x100",
                                      " 100",
                                      "100 ",
                                      "+100",
                                      "100x",
                                      "--100",
                                      "-",
                                      "nan",
                                      "inf",
                                      "18446744073709551716", /* 100 modulo 2^64 */
                                      "9999999999999999999999999999999999"};
    const char *key = "events.keep";

    put(*state, SETTINGS_FILE, key, "100");
    assert_int_equal(settings_int(*state, key), 100);
    put(*state, SETTINGS_FILE, key, "10000000");
    assert_int_equal(settings_int(*state, key), 10000000);
    put(*state, SETTINGS_FILE, key, "000123");
    check_printed(*state, key, "123", SETTINGS_FILE);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_refused(*state, key, bad[i]);
}

static void check_float(struct settings *settings, const char *key, const char *text, double expected)
{
    double got;

    put(settings, SETTINGS_FILE, key, text);
    got = settings_float(settings, key);
    assert_true(got >= expected && got <= expected);
}

static void test_float(void **state)
{
    static const char *const bad[] = {"",     "nan",  "NaN",   "inf", "-inf", "infinity", "0x1p-3", "0x0", "auto",
                                      "0.1x", "0.1 ", " 0.1",  ".5",  "0.",   "1e",       "1e+",    "0,1", "+0.1",
                                      "0.5f", "0.51", "1e999", "0",   "-0.1", "1e-7",     "0.1e0x1"};
    char endless[200];
    const char *key = "recognition.false_accept_target";

    check_float(*state, key, "0.5", 0.5);
    check_float(*state, key, "1e-6", 1e-6);
    check_float(*state, key, "0.25E0", 0.25);
    check_float(*state, key, "25e-2", 0.25);
    check_float(*state, key, "0.1", 0.1);
    check_printed(*state, key, "0.1", SETTINGS_FILE);
    check_float(*state, key, "0.12345678901234567", 0.12345678901234567);
    check_float(*state, "liveness.threshold", "-0", 0);
    check_printed(*state, "liveness.threshold", "0", SETTINGS_FILE);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_refused(*state, key, bad[i]);
    memset(endless, '1', sizeof endless - 1);
    memcpy(endless, "0.", 2);
    endless[sizeof endless - 1] = '\0';
    check_refused(*state, key, endless);
}

static void test_auto_float(void **state)
{
    const char *key = "recognition.threshold";

    assert_true(isnan(settings_float(*state, key)));
    check_float(*state, key, "0.62", 0.62);
    check_printed(*state, key, "0.62", SETTINGS_FILE);
    put(*state, SETTINGS_STORED, key, "auto");
    assert_true(isnan(settings_float(*state, key)));
    check_printed(*state, key, "auto", SETTINGS_STORED);
    check_refused(*state, key, "Auto");
    check_refused(*state, key, "automatic");
    check_refused(*state, key, "nan");
    check_refused(*state, key, "1.01");
    check_refused(*state, key, "-0.01");
    check_refused(*state, key, "");
}

static void test_choice(void **state)
{
    static const char *const bad[] = {"", "nev", "never|events", "|", "All", "all ", "alls", "none"};
    const char *key = "cloud.send_pictures";
    char text[16];

    put(*state, SETTINGS_FILE, key, "never");
    assert_int_equal(settings_text(*state, key, text, sizeof text), 5);
    assert_string_equal(text, "never");
    put(*state, SETTINGS_FILE, key, "events");
    put(*state, SETTINGS_FILE, key, "all");
    settings_text(*state, key, text, sizeof text);
    assert_string_equal(text, "all");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_refused(*state, key, bad[i]);
}

static void test_text(void **state)
{
    const char *key = "cloud.dev_sno";
    struct aibox_error err;
    char most[66];
    char text[8];

    memset(most, 's', 65);
    most[65] = '\0';
    check_refused(*state, key, most);
    most[64] = '\0';
    put(*state, SETTINGS_FILE, key, most);
    assert_int_equal(settings_text(*state, key, text, sizeof text), 64);
    assert_string_equal(text, "sssssss");
    assert_int_equal(settings_text(*state, key, NULL, 0), 64);
    check_refused(*state, key, "a\nb");
    check_refused(*state, key, "a\x7f");
    check_refused(*state, key, "\xff");
    /* Cut at a whole character. */
    put(*state, SETTINGS_FILE, key, "abcdef\xc3\xbc");
    assert_int_equal(settings_text(*state, key, text, sizeof text), 8);
    assert_string_equal(text, "abcdef");
    put(*state, SETTINGS_FILE, key, "");
    assert_int_equal(settings_text(*state, key, text, sizeof text), 0);
    assert_string_equal(text, "");
    /* A refused text is not repeated: there may be a password in it. */
    assert_int_equal(settings_check("cloud.login_url", "http://u:hush@h/\n", &err), AIBOX_PARAM);
    assert_null(strstr(err.message, "hush"));
}

static void test_messages(void **state)
{
    struct aibox_error err;

    (void)state;
    settings_check("events.keep", "7", &err);
    assert_string_equal(err.message, "events.keep takes a whole number from 100 to 10000000, got '7'");
    settings_check("recognition.threshold", "2", &err);
    assert_string_equal(err.message, "recognition.threshold takes auto or a number from 0 to 1, got '2'");
    settings_check("passmode", "shut", &err);
    assert_string_equal(err.message, "passmode takes one of normal|allpass|allforbidden, got 'shut'");
    settings_check("reports.history_batch", "\xff", &err);
    assert_string_equal(err.message, "reports.history_batch takes true or false, got 'unprintable text'");
}

static void ask_unknown(struct settings *settings)
{
    (void)settings_int(settings, "no.such.key");
}

static void ask_wrong_type(struct settings *settings)
{
    (void)settings_float(settings, "events.keep");
}

/* Also in release builds: a threshold read as 0 by mistake would open doors. */
static void test_wrong_question_ends_the_program(void **state)
{
    void (*const questions[])(struct settings *) = {ask_unknown, ask_wrong_type};

    for (size_t i = 0; i < 2; i++) {
        int status;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
            signal(SIGABRT, SIG_DFL);
            close(STDERR_FILENO);
            questions[i](*state);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

/* Listeners. */
struct heard {
    struct settings *settings;
    char keys[256];
    int64_t value;
};

static void hear(void *ctx, const char *key)
{
    struct heard *heard = ctx;
    size_t used = strlen(heard->keys);

    (void)snprintf(heard->keys + used, sizeof heard->keys - used, "%s;", key);
    /* No lock is held: listeners may read and even write. */
    heard->value = settings_int(heard->settings, "events.keep_days");
}

static void test_listeners(void **state)
{
    struct settings *settings = *state;
    struct heard a = {.settings = settings};
    struct heard b = {.settings = settings};

    settings_listen(settings, hear, &a);
    settings_listen(settings, hear, &b);
    put(settings, SETTINGS_STORED, "events.keep_days", "30");
    assert_string_equal(a.keys, "events.keep_days;");
    assert_string_equal(b.keys, "events.keep_days;");
    assert_int_equal(a.value, 30);
    /* No change of the winning value, no call: hidden below, same, same in another spelling, refused. */
    put(settings, SETTINGS_FILE, "events.keep_days", "20");
    put(settings, SETTINGS_STORED, "events.keep_days", "30");
    put(settings, SETTINGS_SET, "events.keep_days", "030");
    settings_forget(settings, SETTINGS_SET, "events.keep_days");
    settings_put(settings, SETTINGS_SET, "events.keep_days", "-1", NULL);
    settings_forget(settings, SETTINGS_SET, "passmode");
    assert_string_equal(a.keys, "events.keep_days;");
    /* Forgetting uncovers the file's value. */
    settings_forget(settings, SETTINGS_STORED, "events.keep_days");
    assert_string_equal(a.keys, "events.keep_days;events.keep_days;");
    assert_int_equal(a.value, 20);
}

static void test_needs_restart(void **state)
{
    struct settings *settings = *state;

    put(settings, SETTINGS_FILE, "gallery.capacity", "5000");
    assert_false(settings_needs_restart(settings, "gallery.capacity"));
    settings_freeze(settings);
    assert_false(settings_needs_restart(settings, "gallery.capacity"));
    put(settings, SETTINGS_STORED, "gallery.capacity", "6000");
    assert_true(settings_needs_restart(settings, "gallery.capacity"));
    assert_int_equal(settings_int(settings, "gallery.capacity"), 6000);
    assert_false(settings_needs_restart(settings, "vision.workers"));
    put(settings, SETTINGS_STORED, "gallery.capacity", "05000");
    assert_false(settings_needs_restart(settings, "gallery.capacity"));
    put(settings, SETTINGS_STORED, "events.keep", "5000");
    assert_false(settings_needs_restart(settings, "events.keep"));
    put(settings, SETTINGS_STORED, "access.mode", "open");
    assert_true(settings_needs_restart(settings, "access.mode"));
    settings_freeze(settings);
    assert_false(settings_needs_restart(settings, "access.mode"));
}

static void *change_many(void *arg)
{
    static const char *const values[] = {"aaaaaaaaaaaaaaaa", "b", "cccccccccccccccccccccccccccccccc"};

    for (size_t i = 0; i < 3000; i++) {
        if (settings_put(arg, SETTINGS_STORED, "cloud.dev_sno", values[i % 3], NULL) != AIBOX_OK)
            return NULL;
        if (i % 7 == 0)
            settings_forget(arg, SETTINGS_STORED, "cloud.dev_sno");
    }
    return arg;
}

static void *read_many(void *arg)
{
    char text[64];

    for (size_t i = 0; i < 3000; i++) {
        size_t size = settings_text(arg, "cloud.dev_sno", text, sizeof text);

        if (size != strlen(text) || (size && strspn(text, (char[]){text[0], '\0'}) != size))
            return NULL;
    }
    return arg;
}

static void test_threads(void **state)
{
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? change_many : read_many, *state), 0);
    for (size_t i = 0; i < 4; i++) {
        void *result;

        pthread_join(threads[i], &result);
        assert_ptr_equal(result, *state);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_settings, close_settings)
    const struct CMUnitTest tests[] = {
        TEST(test_every_row),   TEST(test_defaults_others_rely_on),
        TEST(test_unknown_key), TEST(test_precedence),
        TEST(test_bool),        TEST(test_int),
        TEST(test_float),       TEST(test_auto_float),
        TEST(test_choice),      TEST(test_text),
        TEST(test_messages),    TEST(test_wrong_question_ends_the_program),
        TEST(test_listeners),   TEST(test_needs_restart),
        TEST(test_threads),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
