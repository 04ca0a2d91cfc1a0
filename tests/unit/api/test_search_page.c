/* Pages of the picture search: none missed, none twice, whatever shares a millisecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/search_page.h"

#define MOST 64

/* A history of `n` hits at these times, oldest first; seq is the place, similarity a mix of it. */
struct history {
    const int64_t *times;
    size_t n;
};

static void scan(const struct history *history, struct search_page *page)
{
    for (size_t i = 0; i < history->n; i++) {
        size_t at = page->reverse || page->by_score ? i : history->n - 1 - i;
        struct search_hit hit = {
            .seq = (int64_t)at, .timestamp_ms = history->times[at], .similarity = (float)(at * 7 % 10) / 10};
        assert_true(search_page_add(page, &hit));
    }
}

static void assert_pages_hold_all(const struct history *history, size_t limit, bool reverse)
{
    size_t seen = 0, pages = 0;
    int64_t cursor = 0;
    bool more = true;

    while (more) {
        struct search_page page = {.limit = limit, .reverse = reverse, .cursor_ms = cursor};
        assert_true(++pages <= history->n + 1);
        scan(history, &page);
        assert_int_equal(page.total, history->n);
        for (size_t i = 0; i < page.count; i++, seen++)
            assert_int_equal(page.hits[i].seq, reverse ? seen : history->n - 1 - seen);
        more = page.behind > page.count;
        assert_int_equal(page.behind - page.count, history->n - seen);
        if (page.count > limit)
            assert_int_equal(page.hits[0].timestamp_ms, page.hits[page.count - 1].timestamp_ms);
        if (page.count > 0)
            cursor = page.hits[page.count - 1].timestamp_ms;
        search_page_free(&page);
    }
    assert_int_equal(seen, history->n);
}

static void test_pages_by_time(void **state)
{
    static const int64_t apart[] = {1, 2, 3, 4, 5, 6, 7};
    static const int64_t together[] = {5, 5, 5, 5, 5};
    static const int64_t mixed[] = {1, 2, 2, 2, 3, 4, 4, 5, 5, 5, 5, 6};
    static const struct history histories[] = {{apart, 7}, {together, 5}, {mixed, 12}, {NULL, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof histories / sizeof histories[0]; i++)
        for (size_t limit = 1; limit <= 13; limit++) {
            assert_pages_hold_all(&histories[i], limit, false);
            assert_pages_hold_all(&histories[i], limit, true);
        }
}

static void test_many_random_histories(void **state)
{
    uint32_t x = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        int64_t times[MOST], now = 1;
        x = x * 1664525U + 1013904223U;
        size_t n = (x >> 8) % MOST;
        for (size_t i = 0; i < n; i++) {
            x = x * 1664525U + 1013904223U;
            now += (x >> 16) % 3 == 0;
            times[i] = now;
        }
        assert_pages_hold_all(&(struct history){times, n}, 1 + (x >> 4) % 10, round % 2 == 0);
    }
}

static void test_by_score(void **state)
{
    static const int64_t times[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const struct history history = {times, 12};

    (void)state;
    for (int reverse = 0; reverse < 2; reverse++) {
        for (size_t limit = 1; limit <= 13; limit++) {
            struct search_page page = {.limit = limit, .by_score = true, .reverse = reverse};
            scan(&history, &page);
            assert_int_equal(page.count, limit < 12 ? limit : 12);
            assert_int_equal(page.total, 12);
            assert_int_equal(page.behind, 12);
            for (size_t i = 1; i < page.count; i++) {
                const struct search_hit *before = &page.hits[i - 1], *hit = &page.hits[i];
                assert_true(reverse ? before->similarity <= hit->similarity : before->similarity >= hit->similarity);
                if (!(before->similarity < hit->similarity || before->similarity > hit->similarity))
                    assert_true(before->seq < hit->seq);
            }
            /* 0.0 and 0.9 are the ends of what the history holds. */
            assert_true(reverse ? page.hits[0].similarity < 0.05F : page.hits[0].similarity > 0.85F);
            search_page_free(&page);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_by_time),
        cmocka_unit_test(test_many_random_histories),
        cmocka_unit_test(test_by_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
