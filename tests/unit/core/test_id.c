#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/id.h"

int64_t __real_clock_realtime_ms(void);
int64_t __wrap_clock_realtime_ms(void);

/* The time the ids see; 0: the real one. Set only while no other thread makes ids. */
static int64_t fake_now_ms;

int64_t __wrap_clock_realtime_ms(void)
{
    return fake_now_ms ? fake_now_ms : __real_clock_realtime_ms();
}

/* Tests in this file raise the newest id step by step: each takes a later base. */
#define DAY_MS INT64_C(86400000)

static void test_form(void **state)
{
    char id[ID_ULID_SIZE];

    (void)state;
    fake_now_ms = INT64_C(1469918176385); /* 2016-07-30, the time of the specification's example */
    id_ulid(id);
    fake_now_ms = 0;
    assert_int_equal(strlen(id), 26);
    assert_memory_equal(id, "01ARYZ6S41", 10);
    assert_int_equal(strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
}

static void test_increasing_within_a_millisecond(void **state)
{
    char before[ID_ULID_SIZE];
    char after[ID_ULID_SIZE];

    (void)state;
    fake_now_ms = INT64_C(1500000000000);
    id_ulid(before);
    for (int i = 0; i < 10000; i++) {
        id_ulid(after);
        assert_true(strcmp(before, after) < 0);
        assert_memory_equal(before, after, 10);
        memcpy(before, after, sizeof before);
    }
    fake_now_ms = 0;
}

static void test_random_part_differs_between_milliseconds(void **state)
{
    char a[ID_ULID_SIZE];
    char b[ID_ULID_SIZE];

    (void)state;
    fake_now_ms = INT64_C(1500000000000) + DAY_MS;
    id_ulid(a);
    fake_now_ms++;
    id_ulid(b);
    fake_now_ms = 0;
    assert_memory_not_equal(a + 10, b + 10, 15);
}

static void test_clock_steps_back(void **state)
{
    char before[ID_ULID_SIZE];
    char after[ID_ULID_SIZE];

    (void)state;
    fake_now_ms = INT64_C(1500000000000) + 2 * DAY_MS;
    id_ulid(before);
    for (int i = 0; i < 100; i++) {
        fake_now_ms -= DAY_MS / 10;
        id_ulid(after);
        assert_true(strcmp(before, after) < 0);
        memcpy(before, after, sizeof before);
    }
    fake_now_ms = 0;
}

static void test_seen_raises_the_floor(void **state)
{
    char id[ID_ULID_SIZE];

    (void)state;
    fake_now_ms = INT64_C(1500000000000);
    id_ulid_seen("01FZZZZZZZ0000000000000000");
    id_ulid(id);
    assert_string_equal(id, "01FZZZZZZZ0000000000000001");
    /* An older one changes nothing. */
    id_ulid_seen("01BX5ZZKBKACTAV9WEVGEMMVRZ");
    id_ulid(id);
    assert_string_equal(id, "01FZZZZZZZ0000000000000002");
    /* Counting on carries through all of the random part, into the milliseconds. */
    id_ulid_seen("01FZZZZZZZ00000000000000ZZ");
    id_ulid(id);
    assert_string_equal(id, "01FZZZZZZZ0000000000000100");
    id_ulid_seen("01FZZZZZZZ000ZZZZZZZZZZZZZ");
    id_ulid(id);
    assert_string_equal(id, "01FZZZZZZZ0010000000000000");
    id_ulid_seen("01FZZZZZZZZZZZZZZZZZZZZZZZ");
    id_ulid(id);
    assert_string_equal(id, "01G00000000000000000000000");
    fake_now_ms = 0;
}

static void test_seen_ignores_what_is_no_ulid(void **state)
{
    static const char *const texts[] = {
        "",
        "7",
        "7ZZZZZZZZZ000000000000000",   /* 25 */
        "7ZZZZZZZZZ00000000000000000", /* 27 */
        "8ZZZZZZZZZ0000000000000000",  /* more than 128 bits */
        "7ZZZZZZZZZ0000000000000000",  /* the last millisecond there is */
        "3ZZZZZZZZZ000000000000000U",  /* no digit */
        "3ZZZZZZZZZ00000000000000-0",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    };
    char before[ID_ULID_SIZE];
    char after[ID_ULID_SIZE];

    (void)state;
    fake_now_ms = INT64_C(1700000000000);
    id_ulid(before);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        id_ulid_seen(texts[i]);
    id_ulid(after);
    fake_now_ms = 0;
    assert_true(strcmp(before, after) < 0);
    assert_memory_equal(before, after, 10);
}

#define THREADS    8
#define PER_THREAD 5000

static char made[THREADS][PER_THREAD][ID_ULID_SIZE];

static void *make_many(void *arg)
{
    char(*ids)[ID_ULID_SIZE] = arg;

    for (size_t i = 0; i < PER_THREAD; i++)
        id_ulid(ids[i]);
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, ID_ULID_SIZE);
}

static void test_threads(void **state)
{
    pthread_t threads[THREADS];
    const char *all;

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, made[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        for (size_t j = 1; j < PER_THREAD; j++)
            assert_true(strcmp(made[i][j - 1], made[i][j]) < 0);
    qsort(made, (size_t)THREADS * PER_THREAD, ID_ULID_SIZE, compare_ids);
    all = (const char *)made;
    for (size_t i = 1; i < (size_t)THREADS * PER_THREAD; i++)
        assert_true(strcmp(all + (i - 1) * ID_ULID_SIZE, all + i * ID_ULID_SIZE) < 0);
}

static void test_uuid(void **state)
{
    char a[ID_UUID_SIZE];
    char b[ID_UUID_SIZE];

    (void)state;
    for (int i = 0; i < 100; i++) {
        id_uuid(a);
        id_uuid(b);
        assert_int_equal(strlen(a), 36);
        assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
        assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
        assert_int_equal(a[14], '4');
        assert_non_null(strchr("89ab", a[19]));
        assert_string_not_equal(a, b);
    }
}

static void test_random(void **state)
{
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};

    (void)state;
    id_random(a, sizeof a);
    id_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    id_random(a, 0);
}

/* FIPS 180-4 examples. */
static void test_sha256(void **state)
{
    char hex[65];

    (void)state;
    id_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    id_sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_increasing_within_a_millisecond),
        cmocka_unit_test(test_random_part_differs_between_milliseconds),
        cmocka_unit_test(test_clock_steps_back),
        cmocka_unit_test(test_seen_raises_the_floor),
        cmocka_unit_test(test_seen_ignores_what_is_no_ulid),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_sha256),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
