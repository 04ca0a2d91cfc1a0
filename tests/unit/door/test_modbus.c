/* Modbus relays, against libmodbus's server. */
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
    board = board_start(BOARD_MODBUS, NULL);
    command = test_command(DOOR_MODBUS, board_port(board));
    return 0;
}

/* Tests that close the door themselves set `door` to NULL. */
static int tear_down(void **state)
{
    (void)state;
    door_close(door);
    door = NULL;
    board_stop(board);
    settings_close(settings);
    return 0;
}

static void close_door(void)
{
    door_close(door);
    door = NULL;
}

/* Exactly these, in this order. */
static void check_records(const char *const *expected, size_t n)
{
    board_wait(board, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(board_record(board, i), expected[i]);
    assert_int_equal(board_count(board), n);
}
#define CHECK_RECORDS(...)                                                                                             \
    check_records((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void test_switched_off_in_time(void **state)
{
    (void)state;
    command.duration_s = 1;
    command.logic_port = 3;
    test_drive(door, &command);
    CHECK_RECORDS("unit 1: coil 2 on", "unit 1: coil 2 off");
    assert_false(board_coil(board, 2));
}

static void test_all_by_one_write(void **state)
{
    (void)state;
    command.logic_port = 0;
    command.duration_s = 1;
    test_drive(door, &command);
    CHECK_RECORDS("unit 1: coils 0..7 on", "unit 1: coils 0..7 off");
    assert_false(board_coil(board, 0) || board_coil(board, 7));
}

static void test_alarm_stays_on(void **state)
{
    (void)state;
    command.mode = DOOR_ALARM;
    command.logic_port = 8;
    command.duration_s = 0;
    test_drive(door, &command);
    close_door();
    CHECK_RECORDS("unit 1: coil 7 on");
    assert_true(board_coil(board, 7));
}

static void test_stop_switches_off(void **state)
{
    (void)state;
    test_drive(door, &command);
    command.logic_port = 2;
    test_drive(door, &command);
    close_door();
    CHECK_RECORDS("unit 1: coil 0 on", "unit 1: coil 1 on", "unit 1: coils 0..1 off");
}

static void test_closing_cancels(void **state)
{
    (void)state;
    test_drive(door, &command);
    command.mode = DOOR_CLOSE;
    test_drive(door, &command);
    close_door();
    CHECK_RECORDS("unit 1: coil 0 on", "unit 1: coil 0 off");
}

static void test_holding_cancels(void **state)
{
    (void)state;
    test_drive(door, &command);
    command.duration_s = DOOR_HOLD_SECONDS;
    test_drive(door, &command);
    command.duration_s = 1;
    test_drive(door, &command);
    close_door();
    CHECK_RECORDS("unit 1: coil 0 on", "unit 1: coil 0 on", "unit 1: coil 0 on");
    assert_true(board_coil(board, 0));
}

static void test_second_opening_extends(void **state)
{
    struct door_command commands[2] = {command, command};
    struct door_result results[2];

    (void)state;
    commands[0].duration_s = 1;
    commands[1].duration_s = 2;
    door_drive(door, commands, 2, results);
    assert_true(results[0].done && results[1].done);
    CHECK_RECORDS("unit 1: coil 0 on", "unit 1: coil 0 on", "unit 1: coil 0 off");
    close_door();
    assert_int_equal(board_count(board), 3);
}

static void test_order_is_kept(void **state)
{
    (void)state;
    for (int i = 1; i <= 8; i++) {
        command.logic_port = i;
        command.mode = i % 2 ? DOOR_OPEN : DOOR_CLOSE;
        assert_true(door_send(door, &command));
    }
    board_wait(board, 8);
    close_door();
    CHECK_RECORDS("unit 1: coil 0 on", "unit 1: coil 1 off", "unit 1: coil 2 on", "unit 1: coil 3 off",
                  "unit 1: coil 4 on", "unit 1: coil 5 off", "unit 1: coil 6 on", "unit 1: coil 7 off",
                  "unit 1: coil 0 off", "unit 1: coil 2 off", "unit 1: coil 4 off", "unit 1: coil 6 off");
}

static void test_settings_of_the_board(void **state)
{
    (void)state;
    test_put(settings, "door.modbus.unit", "17");
    test_put(settings, "door.modbus.first_coil", "10");
    test_drive(door, &command);
    /* What is on is switched off where it was switched on. */
    test_put(settings, "door.modbus.first_coil", "20");
    close_door();
    CHECK_RECORDS("unit 17: coil 10 on", "unit 17: coil 10 off");
}

static void test_exception(void **state)
{
    (void)state;
    command.logic_port = 33; /* the board has 32 */
    command.channels = 64;
    test_refused(door, &command, "Modbus: Illegal data address");
    assert_int_equal(test_metric(door, "aibox_door_commands_total{outcome=\"failed\"}"), 1);
    assert_int_equal(test_metric(door, "aibox_door_relays_unavailable"), 1);
    command.logic_port = 1;
    test_drive(door, &command);
    assert_int_equal(test_metric(door, "aibox_door_relays_unavailable"), 0);
    /* A refused opening leaves nothing to switch off. */
    close_door();
    CHECK_RECORDS("unit 1: coil 32 on", "unit 1: coil 0 on", "unit 1: coil 0 off");
}

static void test_connection_refused(void **state)
{
    struct board *gone = board_start(BOARD_MODBUS, NULL);

    (void)state;
    command.port = board_port(gone);
    board_stop(gone);
    test_refused(door, &command, "connection refused");
}

/* Something listens that talks, but not Modbus. */
static void test_not_modbus(void **state)
{
    struct board *other = board_start(BOARD_BYTES, "220 welcome to the wrong port of a machine that likes to talk\r\n");

    (void)state;
    command.port = board_port(other);
    command.mode = DOOR_CLOSE;
    test_refused(door, &command, "");
    board_stop(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_switched_off_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_by_one_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alarm_stays_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_switches_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closing_cancels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_holding_cancels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_second_opening_extends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_order_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_settings_of_the_board, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_exception, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connection_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_modbus, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
