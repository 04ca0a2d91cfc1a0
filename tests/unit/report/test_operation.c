/* What a receiver of device operations answers, and how long a lane waits between tries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/lane.h"
#include "report/outbox.h"

static bool accepted(const char *body)
{
    return operation_accepted(body, strlen(body));
}

static void test_only_status_0_is_an_acceptance(void **state)
{
    (void)state;
    assert_true(accepted("{\"status\": 0, \"message\": \"ok\", \"data\": null}"));
    assert_false(accepted("{\"status\": 1}"));
    assert_false(accepted("{\"status\": \"0\"}"));
    assert_false(accepted("{\"status\": 0.0}"));
    assert_false(accepted("{}"));
    assert_false(accepted("[0]"));
    assert_false(accepted("ok"));
    assert_false(accepted(""));
    assert_false(accepted("{\"status\": 0"));
}

static void test_waits_double_from_100_ms_to_a_minute(void **state)
{
    struct backoff backoff = {0};
    int64_t expected = 100;

    (void)state;
    for (int i = 0; i < 10; i++, expected *= 2)
        assert_int_equal(backoff_next(&backoff), expected < 60000 ? expected : 60000);
    assert_int_equal(backoff_next(&backoff), 60000);
    backoff.wait_ms = 0; /* a success */
    assert_int_equal(backoff_next(&backoff), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_status_0_is_an_acceptance),
        cmocka_unit_test(test_waits_double_from_100_ms_to_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
