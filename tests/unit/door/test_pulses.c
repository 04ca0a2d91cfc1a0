#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "door/pulses.h"

#define START 1000000

static struct pulses pulses;

static int clear(void **state)
{
    (void)state;
    pulses = (struct pulses){0};
    return 0;
}

/* A Modbus command whose coils begin at 100. */
static void note(enum door_mode mode, int logic_port, int duration_s, int64_t now_ms, bool done, bool sent)
{
    struct door_command command = {
        .mode = mode, .logic_port = logic_port, .channels = 8, .duration_s = duration_s, .driver = DOOR_MODBUS};
    struct relay_coils coils = {
        .unit = 1, .first = 100 + (logic_port > 0 ? logic_port - 1 : 0), .count = logic_port > 0 ? 1 : 8};

    pulses_note(&pulses, &command, &coils, done, sent, now_ms);
}

static void opened(int logic_port, int duration_s, int64_t now_ms)
{
    note(DOOR_OPEN, logic_port, duration_s, now_ms, true, true);
}

static void check_run(int64_t now_ms, int first_coil, int count)
{
    struct pulse_run run;

    assert_true(pulses_due(&pulses, now_ms, &run));
    assert_int_equal(run.coils.first, first_coil);
    assert_int_equal(run.coils.count, count);
    assert_int_equal(run.coils.unit, 1);
    pulses_off(&pulses, &run);
}

static void check_nothing_due(int64_t now_ms)
{
    struct pulse_run run;

    assert_false(pulses_due(&pulses, now_ms, &run));
}

static void test_ends_in_time(void **state)
{
    (void)state;
    check_nothing_due(INT64_MAX);
    assert_int_equal(pulses_next(&pulses), 0);
    opened(3, 5, START);
    assert_int_equal(pulses_next(&pulses), START + 5000);
    check_nothing_due(START + 4999);
    check_run(START + 5000, 102, 1);
    assert_int_equal(pulses_next(&pulses), 0);
    check_nothing_due(INT64_MAX);
}

static void test_second_opening_extends(void **state)
{
    (void)state;
    opened(1, 5, START);
    opened(1, 5, START + 2000);
    assert_int_equal(pulses_next(&pulses), START + 7000);
    /* A shorter one takes nothing away. */
    opened(1, 1, START + 3000);
    assert_int_equal(pulses_next(&pulses), START + 7000);
}

static void test_closing_cancels(void **state)
{
    (void)state;
    opened(1, 5, START);
    opened(2, 5, START);
    note(DOOR_CLOSE, 1, 0, START + 1, true, true);
    check_run(START + 5000, 101, 1);
    /* One that failed does not. */
    opened(1, 5, START);
    note(DOOR_CLOSE, 1, 0, START + 1, false, true);
    check_run(START + 5000, 100, 1);
    opened(4, 5, START);
    note(DOOR_CLOSE, 0, 0, START + 1, true, true);
    assert_int_equal(pulses_next(&pulses), 0);
}

static void test_hold_and_alarm_stay(void **state)
{
    (void)state;
    opened(1, 5, START);
    opened(1, DOOR_HOLD_SECONDS, START);
    assert_int_equal(pulses_next(&pulses), 0);
    assert_int_equal(pulses.held, 1);
    /* People who pass meanwhile don't close it. */
    opened(1, 5, START);
    assert_int_equal(pulses_next(&pulses), 0);
    note(DOOR_ALARM, 8, 0, START, true, true);
    assert_int_equal(pulses.held, 0x81);
    /* All of them for a time: those that are held stay. */
    opened(0, 5, START);
    check_run(START + 5000, 101, 6);
    check_nothing_due(INT64_MAX);
    note(DOOR_CLOSE, 1, 0, START, true, true);
    assert_int_equal(pulses.held, 0x80);
    opened(1, 5, START);
    check_run(START + 5000, 100, 1);
}

static void test_failed_closing_ends_holding(void **state)
{
    (void)state;
    opened(1, DOOR_HOLD_SECONDS, START);
    note(DOOR_CLOSE, 1, 0, START, false, false);
    opened(1, 5, START);
    check_run(START + 5000, 100, 1);
}

static void test_failed_opening(void **state)
{
    (void)state;
    /* Never reached the relay. */
    note(DOOR_OPEN, 1, 5, START, false, false);
    assert_int_equal(pulses_next(&pulses), 0);
    /* It may have: the answer got lost. */
    note(DOOR_OPEN, 1, 5, START, false, true);
    check_run(START + 5000, 100, 1);
    /* A hold that failed leaves the time running. */
    opened(1, 5, START);
    note(DOOR_OPEN, 1, DOOR_HOLD_SECONDS, START, false, true);
    assert_int_equal(pulses.held, 0);
    check_run(START + 5000, 100, 1);
}

static void test_runs(void **state)
{
    struct door_command command = {.mode = DOOR_OPEN, .logic_port = 4, .channels = 8, .duration_s = 5};
    struct relay_coils elsewhere = {.unit = 1, .first = 7, .count = 1};

    (void)state;
    opened(0, 5, START);
    opened(3, 9, START);
    check_run(START + 5000, 100, 2);
    check_run(START + 5000, 103, 5);
    check_nothing_due(START + 5000);
    check_run(START + 9000, 102, 1);
    /* A channel whose coil was elsewhere, by the settings of then, is a run of its own. */
    opened(3, 5, START);
    pulses_note(&pulses, &command, &elsewhere, true, true, START);
    check_run(START + 5000, 102, 1);
    check_run(START + 5000, 7, 1);
}

static void test_all_of_64(void **state)
{
    struct door_command command = {.mode = DOOR_OPEN, .channels = DOOR_MAX_CHANNELS, .duration_s = 1};
    struct relay_coils coils = {.unit = 1, .first = 0, .count = DOOR_MAX_CHANNELS};

    (void)state;
    assert_true(relay_channels(&command) == UINT64_MAX);
    pulses_note(&pulses, &command, &coils, true, true, START);
    check_run(START + 1000, 0, DOOR_MAX_CHANNELS);
    command.duration_s = DOOR_HOLD_SECONDS;
    pulses_note(&pulses, &command, &coils, true, true, START);
    assert_true(pulses.held == UINT64_MAX);
}

static void test_boards_with_timers(void **state)
{
    struct door_command command = {
        .mode = DOOR_OPEN, .logic_port = 2, .channels = 8, .duration_s = 5, .driver = DOOR_TCP};

    (void)state;
    pulses_note(&pulses, &command, NULL, true, true, START);
    assert_int_equal(pulses_next(&pulses), 0);
    command.duration_s = DOOR_HOLD_SECONDS;
    pulses_note(&pulses, &command, NULL, true, true, START);
    assert_int_equal(pulses.held, 2);
}

static void test_backoff(void **state)
{
    static const int64_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    int64_t now_ms = START + 5000;

    (void)state;
    opened(1, 5, START);
    for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
        assert_int_equal(pulses_failed(&pulses, now_ms), 0);
        check_nothing_due(now_ms + waits_ms[i] - 1);
        now_ms += waits_ms[i];
        assert_int_equal(pulses_next(&pulses), now_ms);
    }
    /* A command that worked shows that the relay is back. */
    opened(2, 100, now_ms);
    check_run(now_ms, 100, 1);
}

static void test_given_up_after_an_hour(void **state)
{
    (void)state;
    opened(1, 5, START);
    opened(2, 6, START);
    assert_int_equal(pulses_failed(&pulses, START + 3600000 + 4999), 0);
    assert_int_equal(pulses_failed(&pulses, START + 3600000 + 5000), 1);
    assert_int_equal(pulses_failed(&pulses, START + 3600000 + 6000), 1);
    assert_int_equal(pulses_next(&pulses), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_ends_in_time, clear),
        cmocka_unit_test_setup(test_second_opening_extends, clear),
        cmocka_unit_test_setup(test_closing_cancels, clear),
        cmocka_unit_test_setup(test_hold_and_alarm_stay, clear),
        cmocka_unit_test_setup(test_failed_closing_ends_holding, clear),
        cmocka_unit_test_setup(test_failed_opening, clear),
        cmocka_unit_test_setup(test_runs, clear),
        cmocka_unit_test_setup(test_all_of_64, clear),
        cmocka_unit_test_setup(test_boards_with_timers, clear),
        cmocka_unit_test_setup(test_backoff, clear),
        cmocka_unit_test_setup(test_given_up_after_an_hour, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
