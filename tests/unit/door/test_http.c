/* Relays that are driven by HTTP requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"

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

static struct board *start(const char *reply)
{
    return board_start(BOARD_HTTP, reply);
}

static void test_preset(void **state)
{
    struct board *board = start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    struct door_command command = test_command(DOOR_HTTP, board_port(board));

    (void)state;
    command.duration_s = 5;
    test_drive(door, &command);
    command.logic_port = 2;
    command.mode = DOOR_CLOSE;
    test_drive(door, &command);
    command.mode = DOOR_ALARM;
    test_drive(door, &command);
    command.mode = DOOR_CLOSE;
    test_drive(door, &command);
    command.mode = DOOR_OPEN;
    command.duration_s = DOOR_HOLD_SECONDS;
    test_drive(door, &command);
    assert_int_equal(board_count(board), 5);
    assert_string_equal(board_record(board, 0), "GET /relay/0?turn=on&timer=5");
    assert_string_equal(board_record(board, 1), "GET /relay/1?turn=off");
    assert_string_equal(board_record(board, 2), "GET /relay/1?turn=on");
    assert_string_equal(board_record(board, 3), "GET /relay/1?turn=off");
    assert_string_equal(board_record(board, 4), "GET /relay/1?turn=on");
    board_stop(board);
}

static void test_all_channels(void **state)
{
    struct board *board = start("HTTP/1.1 204 No Content\r\n\r\n");
    struct door_command command = test_command(DOOR_HTTP, board_port(board));

    (void)state;
    command.channels = 3;
    command.logic_port = 2;
    command.duration_s = DOOR_HOLD_SECONDS;
    test_drive(door, &command);
    command.logic_port = 0;
    command.duration_s = 5;
    test_drive(door, &command);
    assert_int_equal(board_count(board), 4);
    assert_string_equal(board_record(board, 1), "GET /relay/0?turn=on&timer=5");
    assert_string_equal(board_record(board, 2), "GET /relay/1?turn=on"); /* held */
    assert_string_equal(board_record(board, 3), "GET /relay/2?turn=on&timer=5");
    /* A board that isn't told a channel is asked once. */
    test_put(settings, "door.http.close", "http://{host}:{port}/{action}");
    command.mode = DOOR_CLOSE;
    test_drive(door, &command);
    assert_int_equal(board_count(board), 5);
    assert_string_equal(board_record(board, 4), "GET /closedoor");
    board_stop(board);
}

static void test_post(void **state)
{
    struct board *board = start("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    struct door_command command = test_command(DOOR_HTTP, board_port(board));

    (void)state;
    test_put(settings, "door.http.method", "POST");
    test_put(settings, "door.http.open", "http://{host}:{port}/rpc");
    test_drive(door, &command);
    test_put(settings, "door.http.open_body", "{\"id\":{index},\"on\":true,\"toggle_after\":{seconds}}");
    test_drive(door, &command);
    test_put(settings, "door.http.open_body", "relay={channel}&for={seconds}");
    test_drive(door, &command);
    test_put(settings, "door.http.close", "http://{host}:{port}/rpc");
    test_put(settings, "door.http.close_body", "[{channel}]");
    command.mode = DOOR_CLOSE;
    command.logic_port = 0;
    command.channels = 2;
    test_drive(door, &command);
    test_put(settings, "door.http.close_body", "{\"all\":false}");
    test_drive(door, &command);
    assert_int_equal(board_count(board), 6);
    assert_string_equal(board_record(board, 3), "POST /rpc application/json [1]");
    assert_string_equal(board_record(board, 4), "POST /rpc application/json [2]");
    assert_string_equal(board_record(board, 5), "POST /rpc application/json {\"all\":false}");
    assert_string_equal(board_record(board, 0), "POST /rpc application/x-www-form-urlencoded ");
    assert_string_equal(board_record(board, 1),
                        "POST /rpc application/json {\"id\":0,\"on\":true,\"toggle_after\":254}");
    assert_string_equal(board_record(board, 2), "POST /rpc application/x-www-form-urlencoded relay=1&for=254");
    board_stop(board);
}

/* The status line decides: a board that goes on talking, or never ends, isn't waited for. */
static void test_credential(void **state)
{
    struct board *board = start("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"relay\"\r\n"
                                "Content-Length: 0\r\n\r\n");
    struct door_command command = test_command(DOOR_HTTP, board_port(board));
    struct door_result result;

    (void)state;
    command.mode = DOOR_CLOSE;
    (void)snprintf(command.user, sizeof command.user, "admin");
    (void)snprintf(command.password, sizeof command.password, "secret");
    door_drive(door, &command, 1, &result);
    assert_false(result.done); /* this board takes nobody */
    assert_string_equal(result.reason, "HTTP status 401");
    assert_int_equal(board_count(board), 2); /* asked, then with the credential of RFC 7617 */
    assert_string_equal(board_record(board, 1), "GET /relay/0?turn=off Basic YWRtaW46c2VjcmV0");
    board_stop(board);
}

static void test_endless_answer(void **state)
{
    struct board *board = start("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>");
    struct door_command command = test_command(DOOR_HTTP, board_port(board));

    (void)state;
    test_drive(door, &command);
    board_stop(board);
}

static void test_statuses(void **state)
{
    static const char *const statuses[] = {"302 Found", "401 Unauthorized", "404 Not Found", "500 Oops"};

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        char reply[160];
        char reason[32];
        struct board *board;
        struct door_command command;

        (void)snprintf(reply, sizeof reply, "HTTP/1.1 %s\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
                       statuses[i]);
        (void)snprintf(reason, sizeof reason, "HTTP status %.3s", statuses[i]);
        board = start(reply);
        command = test_command(DOOR_HTTP, board_port(board));
        test_refused(door, &command, reason);
        assert_int_equal(board_count(board), 1);
        if (i == 0) {
            command.logic_port = 0;
            test_refused(door, &command, "channel 1: HTTP status 302");
            assert_int_equal(board_count(board), 1 + 8);
        }
        board_stop(board);
    }
}

static void test_no_relay(void **state)
{
    struct board *board = start("garbage\r\n");
    struct door_command command = test_command(DOOR_HTTP, board_port(board));

    (void)state;
    test_refused(door, &command, "HTTP");
    board_stop(board);
    test_refused(door, &command, "connection refused");
}

static void test_wrong_templates(void **state)
{
    struct door_command command = test_command(DOOR_HTTP, 80);

    (void)state;
    test_put(settings, "door.http.open", "ftp://{host}/{channel}");
    test_refused(door, &command, "door.http.open: not an http or https URL");
    test_put(settings, "door.http.open", "file:///etc/passwd");
    test_refused(door, &command, "door.http.open: not an http or https URL");
    test_put(settings, "door.http.open", "http://{hots}/");
    test_refused(door, &command, "door.http.open: unknown placeholder {hots}");
    test_put(settings, "door.http.open", "");
    test_refused(door, &command, "door.http.open: not an http or https URL");
    test_put(settings, "door.http.open", "no url");
    test_refused(door, &command, "door.http.open: not an http or https URL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_preset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_channels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_post, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_credential, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_endless_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_statuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_relay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_templates, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
