/* What the kernel and resolv.conf say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/host_network.h"

#define HEAD "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

/* The kernel prints addresses as words of its own byte order. */
static const char *word(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    static char text[4][9];
    static int turn;
    uint8_t bytes[4] = {a, b, c, d};
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    turn = (turn + 1) % 4;
    (void)snprintf(text[turn], sizeof text[turn], "%08X", value);
    return text[turn];
}

static void test_routes(void **state)
{
    struct host_route routes[HOST_ROUTES];
    char text[1024];

    (void)state;
    (void)snprintf(text, sizeof text,
                   HEAD "wlan0\t00000000\t%s\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
                        "eth0\t00000000\t%s\t0003\t0\t0\t100\t00000000\t0\t0\t0   \n"
                        "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n" /* a network */
                        "tun0\t00000000\t%s\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"       /* half of everything */
                        "eth1\t00000000\t%s\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"       /* down */
                        "ppp0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0", /* no gateway, no line's end */
                   word(192, 168, 7, 1), word(192, 168, 1, 254), word(10, 8, 0, 1), word(10, 0, 0, 1));
    assert_int_equal(host_routes_parse(text, routes, 0, HOST_ROUTES), 3);
    assert_string_equal(routes[0].interface, "ppp0");
    assert_string_equal(routes[0].gateway, "");
    assert_string_equal(routes[1].interface, "eth0");
    assert_string_equal(routes[1].gateway, "192.168.1.254");
    assert_int_equal(routes[1].metric, 100);
    assert_string_equal(routes[2].interface, "wlan0");
    /* Of more than there is room for the best stay. */
    assert_int_equal(host_routes_parse(text, routes, 0, 1), 1);
    assert_string_equal(routes[0].interface, "ppp0");
    assert_int_equal(host_routes_parse(text, routes, 0, 0), 0);
}

static void test_what_is_no_route(void **state)
{
    static const char *const texts[] = {
        "",
        "\n\n\n",
        HEAD,
        "eth0 00000000 0100A8C0 0003 0 0 100",                                        /* no mask */
        "eth0 00000000 0100A8C0 0003 0 0 abc 00000000",                               /* no number */
        "eth0 00000000 -100A8C0 0003 0 0 100 00000000",                               /* no word */
        "eth0 00000000 FFFFFFFFFF 0003 0 0 100 00000000",                             /* too large */
        "eth0 00000000 0100A8C0 0203 0 0 100 00000000",                               /* a reject route */
        "an-interface-of-a-long-name 00000000 0100A8C0 0003 0 0 100 00000000 0 0 0 ", /* no interface */
    };
    struct host_route route;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(host_routes_parse(texts[i], &route, 0, 1), 0);
}

#define NONE "00000000000000000000000000000000"

static void test_routes_of_ipv6(void **state)
{
    static const char text[] = NONE
        " 00 " NONE " 00 fe800000000000000000000000000001 00000400 00000002 00000000 00000003     eth0\n"
        "20010db8000000000000000000000000 40 " NONE " 00 " NONE " 00000100 00000001 00000000 00000001     eth0\n" NONE
        " 00 " NONE " 00 " NONE " ffffffff 00000001 00000000 00200200       lo\n" NONE " 00 " NONE
        " 00 20010db8 00000100 00000001 00000000 00000003 eth1\n" /* half an address */
        NONE " 00 " NONE " 00 fe80000000000000000000000000000g 00000100 00000001 00000000 00000003 eth1\n" NONE
        " 00 " NONE " 00\n";
    struct host_route routes[HOST_ROUTES] = {{.interface = "eth9", .metric = 5000}};

    (void)state;
    /* Behind what is there, whatever its metric. */
    assert_int_equal(host_routes6_parse(text, routes, 1, HOST_ROUTES), 2);
    assert_string_equal(routes[0].interface, "eth9");
    assert_string_equal(routes[1].interface, "eth0");
    assert_string_equal(routes[1].gateway, "fe80::1");
    assert_int_equal(routes[1].metric, 0x400);
    assert_int_equal(host_routes6_parse(text, routes, 1, 1), 1);
}

static void test_name_servers(void **state)
{
    char servers[3][ADDRESS_TEXT];

    (void)state;
    assert_int_equal(host_servers_parse("# nameserver 1.1.1.1\n"
                                        "search lan\n"
                                        "nameserver 192.168.1.1\n"
                                        "  nameserver\tfe80::1%eth0 # the router\n"
                                        "nameserver not.an.address\n"
                                        "nameserver\n"
                                        "nameservers 8.8.8.8\n"
                                        "nameserver 2001:db8::53\r\n"
                                        "nameserver 8.8.4.4\n",
                                        servers, 3),
                     3);
    assert_string_equal(servers[0], "192.168.1.1");
    assert_string_equal(servers[1], "fe80::1");
    assert_string_equal(servers[2], "2001:db8::53");
    assert_int_equal(host_servers_parse("", servers, 3), 0);
    assert_int_equal(host_servers_parse("nameserver 1.1.1.1", servers, 0), 0);
}

static void test_this_machine(void **state)
{
    static struct host_network host;
    const struct host_interface *loopback = NULL;

    (void)state;
    host_network_read(&host);
    assert_true(host.host_name[0] != '\0');
    for (size_t i = 0; i < host.n_interfaces; i++)
        if (host.interfaces[i].loopback)
            loopback = &host.interfaces[i];
    assert_non_null(loopback);
    assert_true(loopback->up);
    assert_string_equal(loopback->mac, "");
    assert_true(loopback->n_addresses > 0);
    assert_string_equal(loopback->addresses[0].text, "127.0.0.1");
    assert_int_equal(loopback->addresses[0].bits, 8);
    assert_false(loopback->addresses[0].v6 || loopback->addresses[0].link_local);
    assert_in_range(host.utc_offset_s + 86400, 0, 2 * 86400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),         cmocka_unit_test(test_what_is_no_route),
        cmocka_unit_test(test_routes_of_ipv6), cmocka_unit_test(test_name_servers),
        cmocka_unit_test(test_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
