/* Relays known by name, and name servers that don't answer. */
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "board.h"

int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out);
int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out);

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* Guarded by mu. */
static int stuck_calls;
static int stuck_now;
static bool released;

static int count_stuck_calls(void)
{
    int count;

    pthread_mutex_lock(&mu);
    count = stuck_calls;
    pthread_mutex_unlock(&mu);
    return count;
}

static void wait_for_release(void)
{
    pthread_mutex_lock(&mu);
    stuck_calls++;
    stuck_now++;
    pthread_cond_broadcast(&changed);
    while (!released)
        pthread_cond_wait(&changed, &mu);
    stuck_now--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mu);
}

static void release(bool now)
{
    pthread_mutex_lock(&mu);
    released = now;
    pthread_cond_broadcast(&changed);
    while (now && stuck_now > 0)
        pthread_cond_wait(&changed, &mu);
    pthread_mutex_unlock(&mu);
}

/* Names that end in .test never leave this function. */
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    const char *top = strrchr(name, '.');

    if (!top || strcasecmp(top, ".test") != 0 || hints->ai_flags & AI_NUMERICHOST)
        return __real_getaddrinfo(name, service, hints, out);
    if (strncmp(name, "stuck", 5) == 0)
        wait_for_release();
    else if (strcasecmp(name, "relay.test") != 0)
        return EAI_NONAME;
    return __real_getaddrinfo("127.0.0.1", service, hints, out);
}

static struct settings *settings;
static struct door *door;

static int set_up(void **state)
{
    (void)state;
    settings = test_settings();
    door = test_door(settings);
    stuck_calls = 0;
    released = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    door_close(door);
    release(true);
    settings_close(settings);
    return 0;
}

static struct door_command command_for(enum door_driver driver, const struct board *board, const char *name)
{
    struct door_command command = test_command(driver, board_port(board));

    (void)snprintf(command.host, sizeof command.host, "%s", name);
    command.mode = DOOR_CLOSE;
    return command;
}

static void test_by_name(void **state)
{
    struct board *modbus = board_start(BOARD_MODBUS, NULL);
    struct board *bytes = board_start(BOARD_BYTES, NULL);
    struct board *http = board_start(BOARD_HTTP, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct door_command commands[] = {
        command_for(DOOR_MODBUS, modbus, "relay.test"), command_for(DOOR_TCP, bytes, "relay.test"),
        command_for(DOOR_HTTP, http, "relay.test"),     command_for(DOOR_HTTP, http, "RELAY.test"), /* the same relay */
        command_for(DOOR_TCP, bytes, "nobody.test"),    command_for(DOOR_HTTP, http, "nobody.test"),
    };
    struct door_result results[6];

    (void)state;
    door_drive(door, commands, 6, results);
    assert_true(results[0].done && results[1].done && results[2].done && results[3].done);
    assert_false(results[4].done || results[5].done);
    assert_string_equal(results[4].reason, "unknown host name");
    assert_string_equal(results[5].reason, "unknown host name");
    assert_int_equal(test_metric(door, "aibox_door_relays"), 5);
    board_stop(modbus);
    board_stop(bytes);
    board_stop(http);
}

static bool machine_has_ipv6(void)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

static void test_ipv6(void **state)
{
    struct board *modbus;
    struct board *bytes;
    struct board *http;

    (void)state;
    if (!machine_has_ipv6())
        skip();
    modbus = board_start(BOARD_MODBUS, NULL);
    bytes = board_start(BOARD_BYTES, NULL);
    http = board_start(BOARD_HTTP, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct door_command commands[] = {
        command_for(DOOR_MODBUS, modbus, "::1"),
        command_for(DOOR_TCP, bytes, "::1"),
        command_for(DOOR_HTTP, http, "::1"),
    };
    for (size_t i = 0; i < 3; i++)
        test_drive(door, &commands[i]);
    assert_int_equal(board_count(modbus), 1);
    assert_string_equal(board_record(http, 0), "GET /relay/0?turn=off");
    board_stop(modbus);
    board_stop(bytes);
    board_stop(http);
}

static void test_stuck_name_server(void **state)
{
    struct board *board = board_start(BOARD_BYTES, NULL);
    struct door_command commands[] = {
        command_for(DOOR_TCP, board, "stuck.test"),
        command_for(DOOR_HTTP, board, "stuck-too.test"),
        command_for(DOOR_TCP, board, "relay.test"),
    };
    struct door_result results[3];

    (void)state;
    door_drive(door, commands, 3, results);
    assert_true(results[2].done);
    assert_string_equal(results[0].reason, "no answer from the name server within the time");
    assert_string_equal(results[1].reason, "no answer from the name server within the time");
    /* The look-up that is under way is waited for once more: there is no second one. */
    test_refused(door, &commands[0], "name server");
    assert_int_equal(count_stuck_calls(), 2);
    release(true);
    test_drive(door, &commands[0]);
    assert_int_equal(count_stuck_calls(), 2);
    board_stop(board);
}

/* The box can stop while a look-up hangs. */
static void test_stop_while_stuck(void **state)
{
    struct board *board = board_start(BOARD_BYTES, NULL);
    struct door_command command = command_for(DOOR_TCP, board, "stuck.test");

    (void)state;
    test_refused(door, &command, "no answer"); /* of the name server, or of anybody, whichever was noticed first */
    door_close(door);
    door = NULL;
    assert_int_equal(board_count(board), 0);
    board_stop(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ipv6, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stuck_name_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_while_stuck, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
