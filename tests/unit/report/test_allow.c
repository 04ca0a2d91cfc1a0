/* Where reports may go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/allow.h"

static bool holds(const char *list, const char *text)
{
    struct address address;

    assert_true(address_parse(text, &address));
    return allow_address(list, &address);
}

static void test_an_empty_list_allows_everything(void **state)
{
    (void)state;
    assert_true(allow_everything(""));
    assert_true(allow_everything(" , "));
    assert_false(allow_everything("a"));
    assert_false(allow_everything(",10.0.0.0/8"));
}

static void test_hosts_are_named_whole_and_in_any_case(void **state)
{
    static const char list[] = " a.example , B.Example,::1,10.0.0.1";

    (void)state;
    assert_true(allow_host(list, "A.EXAMPLE"));
    assert_true(allow_host(list, "b.example"));
    assert_true(allow_host(list, "::1"));
    assert_true(allow_host(list, "10.0.0.1"));
    assert_false(allow_host(list, "x.a.example"));
    assert_false(allow_host(list, "a.example.org"));
    assert_false(allow_host(list, "a.exampl"));
    assert_false(allow_host(list, ""));
}

static void test_addresses_lie_in_networks(void **state)
{
    static const char list[] = "host.example,10.1.0.0/16,2001:db8::/32,192.168.0.7";

    (void)state;
    assert_true(holds(list, "10.1.255.1"));
    assert_false(holds(list, "10.2.0.1"));
    assert_true(holds(list, "192.168.0.7"));
    assert_false(holds(list, "192.168.0.8"));
    assert_true(holds(list, "2001:db8:1::5"));
    assert_false(holds(list, "2001:db9::5"));
    assert_true(holds(list, "::ffff:10.1.2.3")); /* the same address in other clothes */
}

static void test_what_is_no_entry_allows_nothing(void **state)
{
    char list[ALLOW_MAX];

    (void)state;
    memset(list, 'a', sizeof list - 1);
    list[sizeof list - 1] = '\0';
    assert_false(allow_host(list, ""));
    assert_false(allow_host(list, "a"));
    assert_false(holds("10.0.0.0/33,10.0.0.0/x,10.0.0.1/8", "10.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_list_allows_everything),
        cmocka_unit_test(test_hosts_are_named_whole_and_in_any_case),
        cmocka_unit_test(test_addresses_lie_in_networks),
        cmocka_unit_test(test_what_is_no_entry_allows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
