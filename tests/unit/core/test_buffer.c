#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buffer.h"

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool memory_is_out;

void *__wrap_realloc(void *old, size_t size)
{
    /* A sanitizer's allocator takes a size that no machine has for a bug. */
    return memory_is_out || size > SIZE_MAX / 2 ? NULL : __real_realloc(old, size);
}

static void test_append(void **state)
{
    struct buffer buf;

    (void)state;
    buffer_init(&buf, 1000);
    assert_null(buf.data);
    assert_true(buffer_append(&buf, "ab\0c", 4));
    assert_true(buffer_append_text(&buf, "de"));
    assert_true(buffer_appendf(&buf, "%d-%s", 12, "x"));
    assert_int_equal(buf.size, 10);
    assert_memory_equal(buf.data, "ab\0cde12-x", 11); /* with the NUL */
    assert_false(buf.failed);
    buffer_free(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.size, 0);
    assert_true(buffer_append_text(&buf, "again"));
    assert_string_equal(buf.data, "again");
    buffer_free(&buf);
}

static void test_append_nothing(void **state)
{
    struct buffer buf;

    (void)state;
    buffer_init(&buf, 0);
    assert_true(buffer_append(&buf, NULL, 0));
    assert_true(buffer_append_text(&buf, ""));
    assert_true(buffer_appendf(&buf, "%s", ""));
    assert_int_equal(buf.size, 0);
    assert_string_equal(buf.data, "");
    assert_false(buffer_append(&buf, "x", 1));
    assert_true(buf.failed);
    buffer_free(&buf);
}

static void test_maximum(void **state)
{
    struct buffer buf;

    (void)state;
    buffer_init(&buf, 10);
    assert_true(buffer_append(&buf, "0123456789", 10));
    assert_string_equal(buf.data, "0123456789");
    assert_true(buffer_append(&buf, "", 0));
    assert_false(buffer_append(&buf, "x", 1));
    assert_string_equal(buf.data, "0123456789");
    assert_int_equal(buf.size, 10);
    buffer_free(&buf);
}

static void test_failure_sticks(void **state)
{
    struct buffer buf;

    (void)state;
    buffer_init(&buf, 10);
    assert_true(buffer_append_text(&buf, "01234"));
    assert_false(buffer_appendf(&buf, "%s", "567890"));
    assert_true(buf.failed);
    assert_string_equal(buf.data, "01234");
    /* What would fit is refused too: a text must not have a hole. */
    assert_false(buffer_append(&buf, "5", 1));
    assert_false(buffer_append_text(&buf, "5"));
    assert_false(buffer_appendf(&buf, "5"));
    assert_false(buffer_reserve(&buf, 1));
    assert_string_equal(buf.data, "01234");
    buffer_clear(&buf);
    assert_false(buf.failed);
    assert_string_equal(buf.data, "");
    assert_true(buffer_append_text(&buf, "0123456789"));
    buffer_free(&buf);
}

static void test_huge_sizes(void **state)
{
    struct buffer buf;

    (void)state;
    buffer_init(&buf, SIZE_MAX);
    assert_true(buffer_append_text(&buf, "x"));
    assert_false(buffer_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    buffer_clear(&buf);
    assert_false(buffer_reserve(&buf, SIZE_MAX - 1));
    buffer_free(&buf);
}

static void test_memory_runs_out(void **state)
{
    struct buffer buf;
    char big[4096];

    (void)state;
    memset(big, 'b', sizeof big);
    buffer_init(&buf, 100000);
    assert_true(buffer_append_text(&buf, "kept"));
    memory_is_out = true;
    assert_false(buffer_append(&buf, big, sizeof big));
    memory_is_out = false;
    assert_true(buf.failed);
    assert_string_equal(buf.data, "kept");
    assert_int_equal(buf.size, 4);
    buffer_free(&buf);
}

static void test_reserve_spares_later_growth(void **state)
{
    struct buffer buf;

    (void)state;
    buffer_init(&buf, 100000);
    assert_true(buffer_reserve(&buf, 50000));
    memory_is_out = true;
    for (int i = 0; i < 50000; i++)
        assert_true(buffer_append(&buf, "z", 1));
    memory_is_out = false;
    assert_int_equal(strlen((char *)buf.data), 50000);
    buffer_free(&buf);
}

static void test_growth_keeps_content(void **state)
{
    struct buffer buf;

    (void)state;
    buffer_init(&buf, 30000);
    for (int i = 0; i < 10000; i++)
        assert_true(buffer_appendf(&buf, "%c%c%c", 'a' + i % 26, 'b', 'c'));
    assert_int_equal(buf.size, 30000);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(buf.data[3 * i], 'a' + i % 26);
    assert_true(buf.capacity <= buf.maximum + 1);
    buffer_free(&buf);
}

static void test_give(void **state)
{
    struct buffer buf;
    uint8_t *bytes;
    size_t size;

    (void)state;
    buffer_init(&buf, 5);
    assert_null(buffer_give(&buf, &size));
    assert_int_equal(size, 0);
    assert_true(buffer_append_text(&buf, "hello"));
    bytes = buffer_give(&buf, &size);
    assert_int_equal(size, 5);
    assert_string_equal(bytes, "hello");
    free(bytes);
    assert_null(buf.data);
    assert_true(buffer_append_text(&buf, "world"));
    assert_false(buffer_append_text(&buf, "!"));
    assert_null(buffer_give(&buf, &size));
    assert_int_equal(size, 0);
    assert_true(buffer_append_text(&buf, "anew"));
    buffer_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_append_nothing),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_failure_sticks),
        cmocka_unit_test(test_huge_sizes),
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_reserve_spares_later_growth),
        cmocka_unit_test(test_growth_keeps_content),
        cmocka_unit_test(test_give),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
