/* Failed log-ins: who has to wait, for how long, and who does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "access/attempts.h"

static struct attempts attempts;

static struct address at(const char *text)
{
    struct address address;

    assert_true(address_parse(text, &address));
    return address;
}

static int set_up(void **state)
{
    (void)state;
    return attempts_init(&attempts) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    attempts_destroy(&attempts);
    return 0;
}

static void test_waits_grow(void **state)
{
    struct address here = at("192.0.2.1");
    int64_t now = 1000000;
    unsigned expected = ATTEMPTS_FIRST_S;

    (void)state;
    for (int i = 0; i < ATTEMPTS_FREE; i++) {
        assert_int_equal(attempts_wait_s(&attempts, "ada", &here, now), 0);
        attempts_failed(&attempts, "ada", &here, now);
    }
    assert_int_equal(attempts_wait_s(&attempts, "ada", &here, now), 0);
    for (int i = 0; i < 30; i++) {
        attempts_failed(&attempts, "ada", &here, now);
        assert_int_equal(attempts_wait_s(&attempts, "ada", &here, now), expected);
        now += (int64_t)expected * 1000 - 1;
        assert_int_equal(attempts_wait_s(&attempts, "ada", &here, now), 1);
        now += 1;
        assert_int_equal(attempts_wait_s(&attempts, "ada", &here, now), 0);
        expected = expected * 2 < ATTEMPTS_MOST_S ? expected * 2 : ATTEMPTS_MOST_S;
    }
    attempts_succeeded(&attempts, "ada", &here, now);
    attempts_failed(&attempts, "ada", &here, now);
    assert_int_equal(attempts_wait_s(&attempts, "ada", &here, now), 0);
}

static void test_by_account_and_address(void **state)
{
    struct address here = at("192.0.2.1"), there = at("192.0.2.2");
    struct address v6 = at("2001:db8::1"), same_net = at("2001:db8::2"), other_net = at("2001:db8:0:1::1");

    (void)state;
    for (int i = 0; i <= ATTEMPTS_FREE; i++) {
        attempts_failed(&attempts, "ada", &here, 1000);
        attempts_failed(&attempts, "ada", &v6, 1000);
    }
    assert_int_not_equal(attempts_wait_s(&attempts, "ada", &here, 1000), 0);
    assert_int_equal(attempts_wait_s(&attempts, "ada", &there, 1000), 0);
    assert_int_equal(attempts_wait_s(&attempts, "bob", &here, 1000), 0);
    assert_int_not_equal(attempts_wait_s(&attempts, "ada", &same_net, 1000), 0);
    assert_int_equal(attempts_wait_s(&attempts, "ada", &other_net, 1000), 0);
}

/* Guesses from everywhere are slowed down, but not for who belongs here. */
static void test_all_together(void **state)
{
    struct address home = at("192.0.2.1"), fresh = at("198.51.100.9");
    int64_t now = 5000;

    (void)state;
    attempts_succeeded(&attempts, "ada", &home, now);
    for (unsigned i = 0; i < ATTEMPTS_BURST; i++) {
        char text[32];
        struct address from;

        (void)snprintf(text, sizeof text, "203.0.113.%u", i);
        from = at(text);
        assert_int_equal(attempts_wait_s(&attempts, "ada", &from, now), 0);
        attempts_failed(&attempts, "ada", &from, now);
    }
    assert_int_equal(attempts_wait_s(&attempts, "ada", &fresh, now), ATTEMPTS_EVERY_MS / 1000);
    assert_int_equal(attempts_wait_s(&attempts, "ada", &home, now), 0);
    assert_int_equal(attempts_wait_s(&attempts, "ada", &fresh, now + ATTEMPTS_EVERY_MS), 0);
}

/* However many try: who may log in is not forgotten for those who may not. */
static void test_bounded(void **state)
{
    struct address home = at("192.0.2.1");
    int64_t now = 5000;

    (void)state;
    attempts_succeeded(&attempts, "ada", &home, now);
    for (unsigned i = 0; i < 3 * ATTEMPTS_PAIRS; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "guess %u", i);
        attempts_failed(&attempts, name, &home, ++now);
    }
    assert_int_equal(attempts_wait_s(&attempts, "ada", &home, now), 0);
    assert_int_not_equal(attempts_wait_s(&attempts, "bob", &home, now), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_waits_grow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_by_account_and_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounded, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
