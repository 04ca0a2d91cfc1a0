/* Many relays at once, dead ones among them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "board.h"
#include "core/clock.h"
#include "door/lane.h"

static struct settings *settings;
static struct door *door;

static int set_up(void **state)
{
    (void)state;
    settings = test_settings();
    door = test_door(settings);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    door_close(door);
    settings_close(settings);
    return 0;
}

/* Each address 127.1.x.y is another relay. */
static struct door_command command_at(enum door_driver driver, int port, int number)
{
    struct door_command command = test_command(driver, port);

    (void)snprintf(command.host, sizeof command.host, "127.1.%d.%d", number / 250, 1 + number % 250);
    return command;
}

static void test_many_in_parallel(void **state)
{
    struct board *board = board_start(BOARD_MODBUS, NULL);
    struct door_command commands[DOOR_MAX_BATCH];
    struct door_result results[DOOR_MAX_BATCH];

    (void)state;
    for (int i = 0; i < DOOR_MAX_BATCH; i++)
        commands[i] = command_at(DOOR_MODBUS, board_port(board), i);
    door_drive(door, commands, DOOR_MAX_BATCH, results);
    for (size_t i = 0; i < DOOR_MAX_BATCH; i++) {
        if (!results[i].done)
            fail_msg("%s: %s", commands[i].host, results[i].reason);
    }
    assert_int_equal(board_count(board), DOOR_MAX_BATCH);
    assert_int_equal(test_metric(door, "aibox_door_relays"), DOOR_MAX_BATCH);
    assert_int_equal(test_metric(door, "aibox_door_commands_total{outcome=\"done\"}"), DOOR_MAX_BATCH);
    door_close(door);
    door = NULL;
    assert_int_equal(board_count(board), 2 * DOOR_MAX_BATCH); /* all switched off */
    board_stop(board);
}

static void test_nothing_to_drive(void **state)
{
    (void)state;
    door_drive(door, NULL, 0, NULL);
}

/* Listens, and its backlog is full: what comes is dropped, as by a machine that is switched off. */
struct black_hole {
    int listening;
    int fillers[8];
    int port;
};

static void black_hole_open(struct black_hole *hole)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;

    hole->listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(hole->listening, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(hole->listening, 0), 0);
    assert_int_equal(getsockname(hole->listening, (struct sockaddr *)&at, &size), 0);
    hole->port = ntohs(at.sin_port);
    for (size_t i = 0; i < sizeof hole->fillers / sizeof hole->fillers[0]; i++) {
        hole->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(hole->fillers[i], (struct sockaddr *)&at, sizeof at);
    }
}

static void black_hole_close(struct black_hole *hole)
{
    for (size_t i = 0; i < sizeof hole->fillers / sizeof hole->fillers[0]; i++)
        close(hole->fillers[i]);
    close(hole->listening);
}

struct waiting_caller {
    struct door_command commands[4];
    struct door_result results[4];
    atomic_bool answered;
};

static void *drive_dead(void *arg)
{
    struct waiting_caller *caller = arg;

    door_drive(door, caller->commands, 4, caller->results);
    atomic_store(&caller->answered, true);
    return NULL;
}

/* Whoever asks for a dead relay waits; nobody else does, not even for other channels of the same batch. */
static void test_dead_relays(void **state)
{
    struct board *silent = board_start(BOARD_SILENT, NULL);
    struct board *alive = board_start(BOARD_BYTES, "OK");
    struct black_hole hole;
    static struct waiting_caller caller;
    struct door_command command = test_command(DOOR_TCP, board_port(alive));
    pthread_t thread;
    int64_t took_ms = clock_monotonic_ms();

    (void)state;
    black_hole_open(&hole);
    test_put(settings, "door.tcp.wait_reply", "true");
    caller.commands[0] = command_at(DOOR_MODBUS, board_port(silent), 0);
    caller.commands[1] = command_at(DOOR_TCP, board_port(silent), 1);
    caller.commands[2] = command_at(DOOR_TCP, board_port(alive), 2);
    caller.commands[3] = test_command(DOOR_HTTP, hole.port);
    assert_int_equal(pthread_create(&thread, NULL, drive_dead, &caller), 0);
    board_wait(silent, 2);
    board_wait(alive, 1);
    test_drive(door, &command);
    assert_false(atomic_load(&caller.answered));
    pthread_join(thread, NULL);
    took_ms = clock_monotonic_ms() - took_ms;
    assert_true(caller.results[2].done);
    for (size_t i = 0; i < 4; i += i == 1 ? 2 : 1) {
        assert_false(caller.results[i].done);
        assert_string_equal(caller.results[i].reason, "no answer within 3 s");
    }
    print_message("three dead relays, one caller: %lld ms\n", (long long)took_ms);
    assert_int_equal(test_metric(door, "aibox_door_relays_unavailable"), 3);
    black_hole_close(&hole);
    board_stop(silent);
    board_stop(alive);
}

static void test_full_lane(void **state)
{
    struct board *silent = board_start(BOARD_SILENT, NULL);
    struct door_command command = test_command(DOOR_MODBUS, board_port(silent));
    struct door_result result;

    (void)state;
    assert_true(door_send(door, &command));
    board_wait(silent, 1); /* it is being driven and waits no more */
    for (int i = 0; i < LANE_WAITING_MAX; i++)
        assert_true(door_send(door, &command));
    assert_false(door_send(door, &command));
    door_drive(door, &command, 1, &result);
    assert_false(result.done);
    assert_string_equal(result.reason, "16 commands are waiting for this relay already");
    assert_int_equal(test_metric(door, "aibox_door_commands_total{outcome=\"refused\"}"), 2);
    /* Another one has room. */
    command.logic_port = 2;
    (void)snprintf(command.host, sizeof command.host, "127.0.0.2");
    assert_true(door_send(door, &command));
    board_stop(silent);
}

/* What couldn't be tried in time isn't tried afterwards, when nobody stands before the door any more. */
static void test_late_command_is_dropped(void **state)
{
    struct board *silent = board_start(BOARD_SILENT, NULL);
    struct door_command commands[2] = {test_command(DOOR_MODBUS, board_port(silent)),
                                       test_command(DOOR_MODBUS, board_port(silent))};
    struct door_result results[2];

    (void)state;
    commands[0].mode = commands[1].mode = DOOR_CLOSE;
    door_drive(door, commands, 2, results);
    assert_string_equal(results[0].reason, "no answer within 3 s");
    assert_string_equal(results[1].reason, "no answer within 3 s");
    door_close(door);
    door = NULL;
    assert_int_equal(board_count(silent), 1);
    board_stop(silent);
}

static void test_more_relays_than_lanes(void **state)
{
    struct board *board = board_start(BOARD_MODBUS, NULL);
    struct door_command commands[DOOR_MAX_BATCH];
    struct door_result results[DOOR_MAX_BATCH];
    const int batches = LANES_MAX / DOOR_MAX_BATCH + 1;

    (void)state;
    for (int batch = 0; batch < batches; batch++) {
        for (int i = 0; i < DOOR_MAX_BATCH; i++) {
            commands[i] = command_at(DOOR_MODBUS, board_port(board), batch * DOOR_MAX_BATCH + i);
            commands[i].mode = DOOR_CLOSE;
        }
        door_drive(door, commands, DOOR_MAX_BATCH, results);
        for (size_t i = 0; i < DOOR_MAX_BATCH; i++) {
            if (!results[i].done)
                fail_msg("%s: %s", commands[i].host, results[i].reason);
        }
    }
    assert_int_equal(test_metric(door, "aibox_door_relays"), LANES_MAX);
    board_stop(board);
}

/* A lane that has to come back keeps its place. */
static void test_open_doors_keep_their_lanes(void **state)
{
    struct board *board = board_start(BOARD_MODBUS, NULL);
    struct door_command commands[DOOR_MAX_BATCH];
    struct door_result results[DOOR_MAX_BATCH];
    struct door_command last = command_at(DOOR_MODBUS, board_port(board), LANES_MAX);

    (void)state;
    for (int batch = 0; batch < LANES_MAX / DOOR_MAX_BATCH; batch++) {
        for (int i = 0; i < DOOR_MAX_BATCH; i++)
            commands[i] = command_at(DOOR_MODBUS, board_port(board), batch * DOOR_MAX_BATCH + i);
        door_drive(door, commands, DOOR_MAX_BATCH, results);
        for (size_t i = 0; i < DOOR_MAX_BATCH; i++)
            assert_true(results[i].done);
    }
    test_refused(door, &last, "256 other relays");
    assert_false(door_send(door, &last));
    commands[0].mode = DOOR_CLOSE;
    test_drive(door, &commands[0]);
    test_drive(door, &last);
    door_close(door);
    door = NULL;
    /* Each on and off, one of them by command. */
    assert_int_equal(board_count(board), 2 * (LANES_MAX + 1));
    board_stop(board);
}

static void test_idle_lanes_end(void **state)
{
    struct board *board = board_start(BOARD_MODBUS, NULL);
    struct door_command idle = command_at(DOOR_MODBUS, board_port(board), 0);
    struct door_command held = command_at(DOOR_MODBUS, board_port(board), 1);
    int64_t give_up_ms = clock_monotonic_ms() + 30000;

    (void)state;
    door->idle_ms = 1;
    idle.mode = DOOR_CLOSE;
    test_drive(door, &idle);
    held.duration_s = DOOR_HOLD_SECONDS;
    test_drive(door, &held);
    while (test_metric(door, "aibox_door_relays") != 1 && clock_monotonic_ms() < give_up_ms)
        usleep(1000);
    assert_int_equal(test_metric(door, "aibox_door_relays"), 1);
    test_drive(door, &idle);
    board_stop(board);
}

struct sender {
    int port;
    int number;
};

static void *send_many(void *arg)
{
    const struct sender *sender = arg;

    for (int i = 0; i < 50; i++) {
        struct door_command command = command_at(DOOR_MODBUS, sender->port, (sender->number + i) % 5);
        struct door_result result;

        command.mode = i % 2 ? DOOR_OPEN : DOOR_CLOSE;
        command.logic_port = 1 + i % 8;
        (void)door_send(door, &command);
        door_drive(door, &command, 1, &result);
        (void)test_metric(door, "aibox_door_relays");
    }
    return NULL;
}

/* For ThreadSanitizer: several callers, lanes that come and go. */
static void test_many_callers(void **state)
{
    struct board *board = board_start(BOARD_MODBUS, NULL);
    struct sender senders[4];
    pthread_t threads[4];
    long all = 0;

    (void)state;
    door->idle_ms = 1;
    for (int i = 0; i < 4; i++) {
        senders[i] = (struct sender){.port = board_port(board), .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, &senders[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    all += test_metric(door, "aibox_door_commands_total{outcome=\"done\"}");
    all += test_metric(door, "aibox_door_commands_total{outcome=\"failed\"}");
    all += test_metric(door, "aibox_door_commands_total{outcome=\"refused\"}");
    assert_true(all <= 4 * 50 * 2);
    assert_true(all >= 4 * 50);
    door_close(door);
    door = NULL;
    board_stop(board);
}

/* The relay dies while the door is open: closing it fails, is counted, and succeeds once the relay is back. */
static void test_switching_off_is_tried_again(void **state)
{
    struct board *board = board_start(BOARD_MODBUS, NULL);
    struct door_command command = test_command(DOOR_MODBUS, board_port(board));
    int64_t give_up_ms = clock_monotonic_ms() + 30000;

    (void)state;
    command.duration_s = 1;
    test_drive(door, &command);
    board_stop(board);
    while (test_metric(door, "aibox_door_switch_off_failures_total") < 1 && clock_monotonic_ms() < give_up_ms)
        usleep(1000);
    assert_true(test_metric(door, "aibox_door_switch_off_failures_total") >= 1);
    /* Stopping tries once more, and doesn't wait for what can't be. */
    door_close(door);
    door = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_in_parallel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_to_drive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dead_relays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_lane, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_command_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_relays_than_lanes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open_doors_keep_their_lanes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_idle_lanes_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_callers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_switching_off_is_tried_again, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
