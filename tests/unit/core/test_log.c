#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/log.h"

static char captured[65536];

/* Runs `fn` with stderr going to a file and returns what was written. */
static const char *capture(void (*fn)(void))
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    size_t size;

    assert_non_null(file);
    assert_true(saved >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    fn();
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(file);
    size = fread(captured, 1, sizeof captured - 1, file);
    captured[size] = '\0';
    fclose(file);
    return captured;
}

/* What follows the time stamp. */
static const char *after_time(const char *line)
{
    assert_true(strlen(line) > 25);
    return line + 25;
}

static void one_line(void)
{
    log_info("store", "opened rows=%d name=%s", 3, "x");
}

static void test_form(void **state)
{
    const char *line = capture(one_line);

    (void)state;
    /* 2026-11-03T12:00:00.123Z */
    assert_true(line[4] == '-' && line[7] == '-' && line[10] == 'T' && line[13] == ':' && line[16] == ':');
    assert_true(line[19] == '.' && line[23] == 'Z' && line[24] == ' ');
    assert_string_equal(after_time(line), "info store opened rows=3 name=x\n");
}

static void all_levels(void)
{
    log_debug("a", "d");
    log_info("a", "i");
    log_warn("a", "w");
    log_error("a", "e");
}

static void test_levels(void **state)
{
    static const int lines[] = {4, 3, 2, 1};

    (void)state;
    for (int level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_ERROR; level++) {
        const char *text;
        int count = 0;

        log_set_level((enum log_level)level);
        text = capture(all_levels);
        for (; *text; text++)
            count += *text == '\n';
        assert_int_equal(count, lines[level]);
        assert_non_null(strstr(captured, " error a e\n"));
    }
    log_set_level(LOG_LEVEL_INFO);
}

static void forged(void)
{
    log_info("api", "name=%s", "x\n2026-01-01T00:00:00.000Z error core broken\r\x1b[2J\x7f\xc2\x9b");
}

static void test_forging_a_line(void **state)
{
    (void)state;
    assert_string_equal(after_time(capture(forged)), "info api name=x\\n2026-01-01T00:00:00.000Z error core broken"
                                                     "\\x0d\\x1b[2J\\x7f\\u009b\n");
}

static void foreign(void)
{
    log_info("api", "name=%s", "\xe5\xbc\xa0\xe4\xb8\x89 \xc3\xbc");
}

static void test_letters_stay(void **state)
{
    (void)state;
    assert_string_equal(after_time(capture(foreign)), "info api name=\xe5\xbc\xa0\xe4\xb8\x89 \xc3\xbc\n");
}

static char endless[10000];

static void long_plain(void)
{
    memset(endless, 'x', sizeof endless - 1);
    log_info("api", "%s", endless);
}

static void long_escaped(void)
{
    memset(endless, '\x01', sizeof endless - 1);
    log_info("api", "%s", endless);
}

static void test_long_lines_are_cut(void **state)
{
    void (*const cases[])(void) = {long_plain, long_escaped};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *line = capture(cases[i]);
        size_t size = strlen(line);

        assert_in_range(size, 1000, 4096);
        assert_string_equal(line + size - 4, "...\n");
        assert_ptr_equal(strchr(line, '\n'), line + size - 1);
    }
}

static void with_errno(void)
{
    errno = ENOTTY;
    log_info("api", "x");
    assert_int_equal(errno, ENOTTY);
}

static void test_errno_is_kept(void **state)
{
    (void)state;
    capture(with_errno);
}

static void *write_lines(void *arg)
{
    for (int i = 0; i < 100; i++)
        log_info("thread", "%s", (const char *)arg);
    return NULL;
}

static void from_threads(void)
{
    static char texts[4][80];
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        memset(texts[i], (int)('a' + i), sizeof texts[i] - 1);
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, texts[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void test_lines_stay_whole(void **state)
{
    const char *line = capture(from_threads);
    int count = 0;

    (void)state;
    for (; *line; line = strchr(line, '\n') + 1, count++) {
        char letter = line[37];

        assert_memory_equal(after_time(line), "info thread ", 12);
        for (size_t i = 0; i < 79; i++)
            assert_int_equal(line[37 + i], letter);
        assert_int_equal(line[37 + 79], '\n');
    }
    assert_int_equal(count, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_forging_a_line),
        cmocka_unit_test(test_letters_stay),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_errno_is_kept),
        cmocka_unit_test(test_lines_stay_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
