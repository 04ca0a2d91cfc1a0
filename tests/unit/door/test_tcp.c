/* Relays that take bytes over TCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"

static struct settings *settings;
static struct door *door;
static struct board *board;
static struct door_command command;

static int set_up(void **state)
{
    (void)state;
    settings = test_settings();
    door = test_door(settings);
    board = board_start(BOARD_BYTES, "OK\r\n");
    command = test_command(DOOR_TCP, board_port(board));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    door_close(door);
    board_stop(board);
    settings_close(settings);
    return 0;
}

static void drive(enum door_mode mode, int logic_port, int duration_s, const char *expected)
{
    size_t before = board_count(board);

    command.mode = mode;
    command.logic_port = logic_port;
    command.duration_s = duration_s;
    test_drive(door, &command);
    board_wait(board, before + 1);
    assert_string_equal(board_record(board, before), expected);
}

static void test_preset(void **state)
{
    (void)state;
    drive(DOOR_OPEN, 1, 5, "AT+STACH1=1,5\r\n");
    drive(DOOR_CLOSE, 1, 5, "AT+STACH1=0\r\n");
    drive(DOOR_OPEN, 0, 254, "AT+STACH0=1,254\r\n");
    drive(DOOR_ALARM, 4, 0, "AT+STACH4=1\r\n");
    drive(DOOR_OPEN, 2, DOOR_HOLD_SECONDS, "AT+STACH2=1\r\n");
    drive(DOOR_CLOSE, 0, 0, "AT+STACH0=0\r\n");
}

static void test_held_stays_open(void **state)
{
    (void)state;
    command.channels = 2;
    drive(DOOR_OPEN, 1, DOOR_HOLD_SECONDS, "AT+STACH1=1\r\n");
    drive(DOOR_OPEN, 1, 5, "AT+STACH1=1\r\n");
    /* All of them, one of which must stay. */
    drive(DOOR_OPEN, 0, 5, "AT+STACH1=1\r\nAT+STACH2=1,5\r\n");
    drive(DOOR_CLOSE, 1, 0, "AT+STACH1=0\r\n");
    drive(DOOR_OPEN, 1, 5, "AT+STACH1=1,5\r\n");
}

static void test_templates(void **state)
{
    (void)state;
    test_put(settings, "door.tcp.open", "\\x01{host}:{port} {channel} {index} {seconds} {action}");
    command.port = board_port(board);
    command.mode = DOOR_OPEN;
    command.logic_port = 7;
    command.duration_s = 9;
    test_drive(door, &command);
    board_wait(board, 1);
    assert_memory_equal(board_record(board, 0),
                        "\x01"
                        "127.0.0.1:",
                        11);
    assert_non_null(strstr(board_record(board, 0), " 7 6 9 opendoor"));
}

static void test_wrong_templates(void **state)
{
    (void)state;
    test_put(settings, "door.tcp.open", "{chanel}");
    test_refused(door, &command, "door.tcp.open: unknown placeholder {chanel}");
    test_put(settings, "door.tcp.open", "");
    test_refused(door, &command, "door.tcp.open is empty");
    assert_int_equal(board_count(board), 0);
}

static void test_wait_for_reply(void **state)
{
    (void)state;
    test_put(settings, "door.tcp.wait_reply", "true");
    drive(DOOR_OPEN, 1, 5, "AT+STACH1=1,5\r\n");
}

static void test_wrong_commands(void **state)
{
    struct door_command wrong = command;

    (void)state;
    wrong.logic_port = 9;
    test_refused(door, &wrong, "no channel 9 of 8");
    wrong = command;
    wrong.channels = 0;
    test_refused(door, &wrong, "0");
    wrong = command;
    wrong.channels = 65;
    test_refused(door, &wrong, "65");
    wrong = command;
    wrong.duration_s = 0;
    test_refused(door, &wrong, "seconds");
    wrong.duration_s = 256;
    test_refused(door, &wrong, "256");
    wrong = command;
    wrong.port = 0;
    test_refused(door, &wrong, "port 0");
    wrong.port = 65536;
    test_refused(door, &wrong, "port 65536");
    wrong = command;
    wrong.host[0] = '\0';
    test_refused(door, &wrong, "address or name");
    wrong = command;
    wrong.host[3] = '/';
    test_refused(door, &wrong, "address or name");
    assert_false(door_send(door, &wrong));
    assert_int_equal(test_metric(door, "aibox_door_commands_total{outcome=\"refused\"}"), 10);
    assert_int_equal(test_metric(door, "aibox_door_relays"), 0);
    assert_int_equal(board_count(board), 0);
}

static void test_default_driver(void **state)
{
    (void)state;
    assert_int_equal(door_default_driver(door, 502), DOOR_MODBUS);
    assert_int_equal(door_default_driver(door, 12345), DOOR_TCP);
    test_put(settings, "door.relay_default", "http");
    assert_int_equal(door_default_driver(door, 12345), DOOR_HTTP);
    assert_int_equal(door_default_driver(door, 502), DOOR_MODBUS);
    test_put(settings, "door.relay_default", "modbus");
    assert_int_equal(door_default_driver(door, 12345), DOOR_MODBUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_preset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_held_stays_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_templates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_templates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wait_for_reply, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_commands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_default_driver, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
