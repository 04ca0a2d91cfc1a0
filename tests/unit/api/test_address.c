#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/access.h"
#include "api/connections.h"
#include "core/address.h"

static struct address parse(const char *text)
{
    struct address address;

    assert_true(address_parse(text, &address));
    return address;
}

static bool holds(const char *network, const char *text)
{
    struct network parsed;
    struct address address = parse(text);

    assert_true(network_parse(network, &parsed));
    return network_holds(&parsed, &address);
}

static void addresses_are_read(void **state)
{
    static const char *const wrong[] = {"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "localhost", "::g", "1.2.3.4 ", "[::1]"};
    struct address a = parse("127.0.0.1");
    struct address b = parse("::ffff:127.0.0.1");
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    char text[ADDRESS_TEXT];

    (void)state;
    assert_true(address_equal(&a, &b));
    assert_true(address_is_loopback(&b));
    a = parse("::1");
    assert_true(address_is_loopback(&a));
    assert_false(address_is_v4(&a));
    a = parse("128.0.0.1");
    assert_false(address_is_loopback(&a));
    v4.sin_addr.s_addr = htonl(0xc0a80105);
    a = address_of((struct sockaddr *)&v4);
    address_print(&a, text);
    assert_string_equal(text, "192.168.1.5");
    a = parse("2001:db8::1");
    address_print(&a, text);
    assert_string_equal(text, "2001:db8::1");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(address_parse(wrong[i], &a));
}

static void networks_hold_addresses(void **state)
{
    (void)state;
    assert_true(holds("10.0.0.0/8", "10.255.1.2"));
    assert_false(holds("10.0.0.0/8", "11.0.0.0"));
    assert_true(holds("192.168.1.128/25", "192.168.1.200"));
    assert_false(holds("192.168.1.128/25", "192.168.1.100"));
    assert_true(holds("192.168.1.5", "192.168.1.5"));
    assert_false(holds("192.168.1.5", "192.168.1.4"));
    assert_true(holds("192.168.1.5/32", "192.168.1.5"));
    assert_true(holds("0.0.0.0/0", "8.8.8.8"));
    assert_false(holds("0.0.0.0/0", "2001:db8::1"));
    assert_true(holds("::/0", "2001:db8::1"));
    assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
}

static void wrong_networks_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",           "/8",           "10.0.0.0/", "10.0.0.0/33",    "10.0.0.0/-1",  "10.0.0.0/8 ",
        "10.0.0.1/8", "10.0.0.0/0x8", "::/129",    "2001:db8::1/64", "10.0.0.0/8/8", "10.0.0.0/08x",
        "host"};
    struct network network;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (network_parse(wrong[i], &network))
            fail_msg("taken: %s", wrong[i]);
}

static void allow_lists_are_checked(void **state)
{
    struct aibox_error err;

    (void)state;
    assert_int_equal(access_check_allow("", NULL), AIBOX_OK);
    assert_int_equal(access_check_allow("10.0.0.0/8", NULL), AIBOX_OK);
    assert_int_equal(access_check_allow(" 10.0.0.0/8 , ::1,192.168.1.2 ", NULL), AIBOX_OK);
    assert_int_equal(access_check_allow(",", &err), AIBOX_PARAM);
    assert_int_equal(access_check_allow("10.0.0.0/8,", &err), AIBOX_PARAM);
    assert_int_equal(access_check_allow("10.0.0.0/8;::1", &err), AIBOX_PARAM);
    assert_int_equal(access_check_allow("10.0.0.0/8,nonsense", &err), AIBOX_PARAM);
    assert_non_null(strstr(err.message, "got \"nonsense\""));
    assert_int_equal(access_check_allow("0123456789012345678901234567890123456789012345678901234567890123456789", &err),
                     AIBOX_PARAM);
}

static void connections_of_one_address_are_limited(void **state)
{
    struct connections *connections;
    struct address one = parse("192.168.1.5");
    struct address other = parse("192.168.1.6");
    struct address v6 = parse("2001:db8::1");
    struct address neighbour = parse("2001:db8::2");
    struct address loopback = parse("127.0.0.1");
    struct connection *held[6];
    size_t open;
    uint64_t ended;

    (void)state;
    assert_int_equal(connections_open(2, &connections, NULL), AIBOX_OK);
    held[0] = connections_add(connections, -1, &one, false, CONNECTION_NO_DEADLINE);
    assert_true(connections_admit(connections, &one));
    held[1] = connections_add(connections, -1, &one, false, CONNECTION_NO_DEADLINE);
    assert_false(connections_admit(connections, &one));
    assert_true(connections_admit(connections, &other));
    held[2] = connections_add(connections, -1, &v6, false, CONNECTION_NO_DEADLINE);
    held[3] = connections_add(connections, -1, &neighbour, false, CONNECTION_NO_DEADLINE);
    assert_false(connections_admit(connections, &v6));
    held[4] = connections_add(connections, -1, &loopback, false, CONNECTION_NO_DEADLINE);
    held[5] = connections_add(connections, -1, &loopback, false, CONNECTION_NO_DEADLINE);
    assert_true(connections_admit(connections, &loopback));
    connections_count(connections, &open, &ended);
    assert_int_equal(open, 6);
    connections_remove(connections, held[1]);
    assert_true(connections_admit(connections, &one));
    connections_remove(connections, held[0]);
    for (int i = 2; i < 6; i++)
        connections_remove(connections, held[i]);
    connections_count(connections, &open, &ended);
    assert_int_equal(open, 0);
    assert_int_equal(ended, 0);
    connections_close(connections);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(networks_hold_addresses),
        cmocka_unit_test(wrong_networks_are_refused),
        cmocka_unit_test(allow_lists_are_checked),
        cmocka_unit_test(connections_of_one_address_are_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
