#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/clock.h"

static int64_t ms_of(struct timespec at)
{
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static void test_clocks_agree_with_the_system(void **state)
{
    int64_t us = clock_monotonic_us();
    int64_t ms = clock_monotonic_ms();
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t now = clock_realtime_ms();

    (void)state;
    assert_true(ms >= us / 1000);
    assert_true(clock_monotonic_us() >= us);
    /* time() is a tick behind at most. */
    assert_true(now >= before - 1000);
    assert_true(now <= (int64_t)time(NULL) * 1000 + 2000);
}

static void test_deadline(void **state)
{
    static const int64_t waits[] = {1, 999, 1000, 1001, 123456789};

    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        int64_t low = clock_monotonic_ms() + waits[i];
        struct timespec at = clock_deadline(waits[i]);
        int64_t high = clock_monotonic_ms() + waits[i];

        assert_in_range(ms_of(at), low, high);
        assert_in_range(at.tv_nsec, 0, 999999999);
    }
}

static void test_deadline_extremes(void **state)
{
    int64_t now = clock_monotonic_ms();

    (void)state;
    assert_true(ms_of(clock_deadline(0)) >= now);
    assert_true(ms_of(clock_deadline(INT64_MIN)) <= clock_monotonic_ms());
    assert_true(ms_of(clock_deadline(INT64_MAX)) > now + INT64_C(86400000) * 365);
}

/* On the realtime clock a monotonic deadline is decades past: the wait would end at once. */
static void test_cond_uses_the_monotonic_clock(void **state)
{
    pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    struct timespec at;
    int64_t start;

    (void)state;
    assert_true(clock_cond_init(&cond));
    pthread_mutex_lock(&mu);
    at = clock_deadline(0);
    assert_int_equal(pthread_cond_timedwait(&cond, &mu, &at), ETIMEDOUT);
    start = clock_monotonic_ms();
    at = clock_deadline(20);
    while (pthread_cond_timedwait(&cond, &mu, &at) == 0)
        ;
    assert_true(clock_monotonic_ms() - start >= 19);
    pthread_mutex_unlock(&mu);
    pthread_cond_destroy(&cond);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks_agree_with_the_system),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_deadline_extremes),
        cmocka_unit_test(test_cond_uses_the_monotonic_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
