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
#include "core/log_ring.h"

static const struct log_query everything = {.limit = LOG_RING_LINES};

static void put(int64_t time_ms, enum log_level level, const char *room, const char *text)
{
    log_ring_put(time_ms, level, room, text, strlen(text));
}

static struct log_lines find(const struct log_query *query)
{
    struct log_lines lines;

    assert_int_equal(log_ring_find(query, &lines, NULL), AIBOX_OK);
    return lines;
}

static int clear(void **state)
{
    (void)state;
    log_ring_clear();
    return 0;
}

static void test_newest_first(void **state)
{
    struct log_lines lines;

    (void)state;
    put(1000, LOG_LEVEL_INFO, "store", "opened");
    put(2000, LOG_LEVEL_ERROR, "api", "failed");
    lines = find(&everything);
    assert_int_equal(lines.count, 2);
    assert_int_equal(lines.total, 2);
    assert_string_equal(lines.items[0].text, "failed");
    assert_string_equal(lines.items[0].room, "api");
    assert_int_equal(lines.items[0].level, LOG_LEVEL_ERROR);
    assert_int_equal(lines.items[0].time_ms, 2000);
    assert_string_equal(lines.items[1].text, "opened");
    assert_int_equal(lines.items[0].id, lines.items[1].id + 1);
    assert_int_equal(lines.oldest, lines.items[1].id);
    assert_int_equal(lines.n_rooms, 2);
    assert_string_equal(lines.rooms[0], "api");
    assert_string_equal(lines.rooms[1], "store");
    log_lines_free(&lines);
    log_ring_clear();
    lines = find(&everything);
    assert_int_equal(lines.count + lines.total + lines.n_rooms, 0);
    assert_int_equal(lines.oldest, 0);
    log_lines_free(&lines);
}

static size_t count_of(struct log_query query)
{
    struct log_lines lines;

    query.limit = LOG_RING_LINES;
    lines = find(&query);
    size_t count = lines.count;
    assert_int_equal(lines.total, count);
    log_lines_free(&lines);
    return count;
}

static void test_filters(void **state)
{
    (void)state;
    put(1000, LOG_LEVEL_DEBUG, "store", "page read");
    put(2000, LOG_LEVEL_INFO, "store", "Opened rows=3");
    put(3000, LOG_LEVEL_WARN, "api", "slow call");
    put(4000, LOG_LEVEL_ERROR, "api", "opened twice");
    assert_int_equal(count_of((struct log_query){.least = LOG_LEVEL_WARN}), 2);
    assert_int_equal(count_of((struct log_query){.room = "store"}), 2);
    assert_int_equal(count_of((struct log_query){.room = "stor"}), 0);
    assert_int_equal(count_of((struct log_query){.text = "OPENED"}), 2);
    assert_int_equal(count_of((struct log_query){.text = "3"}), 1);
    assert_int_equal(count_of((struct log_query){.text = "twice!"}), 0);
    assert_int_equal(count_of((struct log_query){.text = ""}), 4);
    assert_int_equal(count_of((struct log_query){.from_ms = 2000}), 3);
    assert_int_equal(count_of((struct log_query){.to_ms = 2000}), 2);
    assert_int_equal(count_of((struct log_query){.from_ms = 2000, .to_ms = 3000}), 2);
    assert_int_equal(count_of((struct log_query){.least = LOG_LEVEL_WARN, .text = "opened", .room = "api"}), 1);
}

static void test_paging_backwards(void **state)
{
    struct log_query query = {.limit = 4};
    char text[32];
    int expected = 9, pages = 0;

    (void)state;
    for (int i = 0; i < 10; i++) {
        (void)snprintf(text, sizeof text, "line %d", i);
        put(i, LOG_LEVEL_INFO, "a", text);
    }
    for (;; pages++) {
        struct log_lines lines = find(&query);
        assert_int_equal(lines.total, 10);
        for (size_t i = 0; i < lines.count; i++) {
            (void)snprintf(text, sizeof text, "line %d", expected--);
            assert_string_equal(lines.items[i].text, text);
        }
        size_t count = lines.count;
        if (count > 0)
            query.before = lines.items[count - 1].id;
        log_lines_free(&lines);
        if (count == 0)
            break;
    }
    assert_int_equal(pages, 3);
    assert_int_equal(expected, -1);
}

/* Whatever lengths come: what is kept are the newest, whole and in order. */
static void test_bounds(void **state)
{
    static char text[5000];
    unsigned long random = 7;
    struct log_lines lines;

    (void)state;
    for (int i = 0; i < 3 * LOG_RING_LINES; i++)
        put(i, LOG_LEVEL_INFO, "short", "x");
    lines = find(&everything);
    assert_int_equal(lines.count, LOG_RING_LINES);
    assert_int_equal(lines.items[LOG_RING_LINES - 1].time_ms, 2 * LOG_RING_LINES);
    log_lines_free(&lines);

    for (int i = 0; i < 20000; i++) {
        random = random * 1103515245UL + 12345UL;
        size_t size = (random >> 16) % sizeof text;
        memset(text, 'a' + i % 26, size);
        log_ring_put(i, LOG_LEVEL_INFO, "a name that is far too long", text, size);
        if (i % 97 != 0)
            continue;
        lines = find(&everything);
        size_t kept = 0;
        for (size_t k = 0; k < lines.count; k++) {
            const struct log_line *line = &lines.items[k];
            if (line->room[0] == 's') /* of before */
                break;
            size_t length = strlen(line->text);
            kept += length + 1;
            assert_int_equal(line->time_ms, i - (int)k);
            for (size_t c = 0; c < length; c++)
                assert_int_equal(line->text[c], 'a' + (i - (int)k) % 26);
            assert_string_equal(line->room, "a name that is ");
        }
        assert_true(kept <= LOG_RING_BYTES);
        if (i > 1000)
            assert_true(kept > LOG_RING_BYTES - 3 * sizeof text);
        log_lines_free(&lines);
    }
    log_ring_put(0, LOG_LEVEL_INFO, "a", text, LOG_RING_BYTES); /* never fits: left out */
    lines = find(&(struct log_query){.limit = 1});
    assert_int_equal(lines.items[0].time_ms, 19999);
    log_lines_free(&lines);
}

/* ---- with the log itself ----------------------------------------------------------------------------------------- */

static int silence(void)
{
    int saved = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);

    assert_true(saved >= 0 && nowhere >= 0);
    assert_true(dup2(nowhere, STDERR_FILENO) >= 0);
    close(nowhere);
    return saved;
}

static void speak_again(int saved)
{
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
}

static void test_the_log_keeps(void **state)
{
    int saved = silence();

    (void)state;
    log_debug("a", "not wanted");
    log_warn("a", "two\nlines");
    log_private("a", "token=%s", "secret");
    speak_again(saved);
    struct log_lines lines = find(&everything);
    assert_int_equal(lines.count, 1);
    assert_string_equal(lines.items[0].text, "two\\nlines");
    assert_int_equal(lines.items[0].level, LOG_LEVEL_WARN);
    assert_true(lines.items[0].time_ms > 1700000000000);
    log_lines_free(&lines);
}

#define WRITERS 4
#define EACH    3000

static void *write_lines(void *arg)
{
    for (int i = 0; i < EACH; i++)
        log_info("thread", "%s n=%d", (const char *)arg, i);
    return NULL;
}

static void *read_lines(void *arg)
{
    (void)arg;
    for (int i = 0; i < 50; i++) {
        struct log_lines lines = find(&everything);
        for (size_t k = 1; k < lines.count; k++)
            assert_int_equal(lines.items[k].id, lines.items[k - 1].id - 1);
        log_lines_free(&lines);
        if (i % 10 == 9)
            log_ring_clear();
    }
    return NULL;
}

static void test_threads(void **state)
{
    static char texts[WRITERS][80];
    pthread_t writers[WRITERS], reader;
    int saved = silence(), last[WRITERS];

    (void)state;
    assert_int_equal(pthread_create(&reader, NULL, read_lines, NULL), 0);
    for (size_t i = 0; i < WRITERS; i++) {
        memset(texts[i], (int)('a' + i), sizeof texts[i] - 1);
        assert_int_equal(pthread_create(&writers[i], NULL, write_lines, texts[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i], NULL), 0);
    assert_int_equal(pthread_join(reader, NULL), 0);
    write_lines(texts[0]); /* so that something is there, whenever the reader cleared */
    speak_again(saved);
    struct log_lines lines = find(&everything);
    assert_int_equal(lines.count, LOG_RING_LINES);
    for (size_t i = 0; i < WRITERS; i++)
        last[i] = EACH;
    for (size_t i = 0; i < lines.count; i++) {
        size_t who = (size_t)(lines.items[i].text[0] - 'a');
        int n = 0;
        assert_in_range(who, 0, WRITERS - 1);
        assert_memory_equal(lines.items[i].text, texts[who], sizeof texts[who] - 1);
        assert_int_equal(sscanf(lines.items[i].text + sizeof texts[who] - 1, " n=%d", &n), 1);
        assert_true(n < last[who]); /* each writer's own order */
        last[who] = n;
    }
    log_lines_free(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_newest_first, clear),     cmocka_unit_test_setup(test_filters, clear),
        cmocka_unit_test_setup(test_paging_backwards, clear), cmocka_unit_test_setup(test_bounds, clear),
        cmocka_unit_test_setup(test_the_log_keeps, clear),    cmocka_unit_test_setup(test_threads, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
