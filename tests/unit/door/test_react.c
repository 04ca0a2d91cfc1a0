/* Which decision moves which relay, in every controller mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"
#include "door/react.h"
#include "flow/devices.h"
#include "flow/flow.h"

static struct door_command sent;
static int sent_count;
static bool lane_full;

bool __wrap_door_send(struct door *door, const struct door_command *command);
bool __wrap_door_send(struct door *door, const struct door_command *command)
{
    (void)door;
    sent = *command;
    sent_count++;
    return !lane_full;
}

struct bench {
    struct settings *settings;
    struct door *door;
};

static int setup(void **state)
{
    static struct bench bench;

    bench.settings = test_settings();
    bench.door = test_door(bench.settings);
    lane_full = false;
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    door_close(bench->door);
    settings_close(bench->settings);
    return 0;
}

static struct device with_relay(void)
{
    return (struct device){.relay = {.ip = "relay.example",
                                     .net_port = 7000,
                                     .door_port = 3,
                                     .delay_s = 9,
                                     .type = DEVICE_RELAY_HTTP,
                                     .channels = 6,
                                     .alarm_port = 5}};
}

static const char *react(const struct bench *bench, const struct device *device, enum flow_reason reason)
{
    const struct flow_decision decision = {.reason = reason, .passed = reason == FLOW_PASSED};

    sent_count = 0;
    return door_react(bench->door, device, &decision);
}

static void test_every_decision_in_every_mode(void **state)
{
    static const struct {
        const char *mode, *alarm_strangers;
        const char *actions[FLOW_NO_FACE + 1]; /* by enum flow_reason; NULL: none */
    } rows[] = {
        {"opendoor", "false", {[FLOW_PASSED] = "opendoor", [FLOW_BLACKLISTED] = "alarm"}},
        {"opendoor", "true", {[FLOW_PASSED] = "opendoor", [FLOW_BLACKLISTED] = "alarm"}},
        {"alarm", "false", {[FLOW_BLACKLISTED] = "alarm"}},
        {"alarm", "true", {[FLOW_BLACKLISTED] = "alarm", [FLOW_STRANGER] = "alarm", [FLOW_UNCERTAIN] = "alarm"}},
        {"avoid", "false", {NULL}},
        {"avoid", "true", {NULL}},
    };
    struct bench *bench = *state;
    struct device device = with_relay();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_put(bench->settings, "door.controller_mode", rows[i].mode);
        test_put(bench->settings, "door.alarm_strangers", rows[i].alarm_strangers);
        for (enum flow_reason reason = FLOW_PASSED; reason <= FLOW_NO_FACE; reason++) {
            const char *wanted = rows[i].actions[reason];
            assert_string_equal(react(bench, &device, reason), wanted ? wanted : "");
            assert_int_equal(sent_count, wanted != NULL);
        }
    }
}

static void test_what_is_ordered(void **state)
{
    struct device device = with_relay();

    assert_string_equal(react(*state, &device, FLOW_PASSED), "opendoor");
    assert_string_equal(sent.host, "relay.example");
    assert_int_equal(sent.port, 7000);
    assert_int_equal(sent.driver, DOOR_HTTP);
    assert_int_equal(sent.mode, DOOR_OPEN);
    assert_int_equal(sent.logic_port, 3);
    assert_int_equal(sent.channels, 6);
    assert_int_equal(sent.duration_s, 9);
    assert_string_equal(react(*state, &device, FLOW_BLACKLISTED), "alarm");
    assert_int_equal(sent.mode, DOOR_ALARM);
    assert_int_equal(sent.logic_port, 5);
}

static void test_the_language(void **state)
{
    struct bench *bench = *state;
    struct device_relay relay = {.type = DEVICE_RELAY_UNSET, .net_port = 502};

    assert_int_equal(door_relay_driver(bench->door, &relay), DOOR_MODBUS);
    relay.net_port = 80;
    assert_int_equal(door_relay_driver(bench->door, &relay), DOOR_TCP);
    test_put(bench->settings, "door.relay_default", "http");
    assert_int_equal(door_relay_driver(bench->door, &relay), DOOR_HTTP);
    relay.type = DEVICE_RELAY_TCP;
    assert_int_equal(door_relay_driver(bench->door, &relay), DOOR_TCP);
    relay.type = DEVICE_RELAY_MODBUS;
    assert_int_equal(door_relay_driver(bench->door, &relay), DOOR_MODBUS);
}

static void test_nothing_to_move(void **state)
{
    struct device device = with_relay();

    device.relay.alarm_port = 0;
    assert_string_equal(react(*state, &device, FLOW_BLACKLISTED), "");
    device.relay.ip = NULL;
    assert_string_equal(react(*state, &device, FLOW_PASSED), "");
    assert_int_equal(sent_count, 0);
}

static void test_what_could_not_be_ordered_is_no_action(void **state)
{
    struct device device = with_relay();

    lane_full = true;
    assert_string_equal(react(*state, &device, FLOW_PASSED), "");
    assert_int_equal(sent_count, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_decision_in_every_mode),
        TEST(test_what_is_ordered),
        TEST(test_the_language),
        TEST(test_nothing_to_move),
        TEST(test_what_could_not_be_ordered_is_no_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
