#include "board.h"

#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"

#define CLIENTS_MAX  400
#define RECORDS_MAX  4096
#define INPUT_MAX    2048
#define COILS        32
#define PATIENCE_MS  30000
#define MODBUS_FRAME 6 /* bytes before what the length field counts */

struct client {
    int fd;
    size_t size;
    char input[INPUT_MAX + 1];
};

struct board {
    enum board_kind kind;
    const char *reply;
    int listening;
    int port;
    int stop[2]; /* pipe */
    pthread_t thread;

    /* The board's thread only. */
    struct client *clients[CLIENTS_MAX];
    size_t n_clients;
    modbus_t *modbus;

    pthread_mutex_t mu;
    pthread_cond_t recorded;
    /* Guarded by mu. */
    modbus_mapping_t *coils;
    char *records[RECORDS_MAX];
    size_t n_records;
};

static void record_locked(struct board *board, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* With mu held. */
static void record_locked(struct board *board, const char *format, ...)
{
    char text[INPUT_MAX + 128];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (board->n_records < RECORDS_MAX)
        board->records[board->n_records++] = strdup(text);
    pthread_cond_broadcast(&board->recorded);
}

static void record(struct board *board, const char *text)
{
    pthread_mutex_lock(&board->mu);
    record_locked(board, "%s", text);
    pthread_mutex_unlock(&board->mu);
}

static void answer(const struct board *board, const struct client *client)
{
    if (board->reply)
        (void)!send(client->fd, board->reply, strlen(board->reply), MSG_NOSIGNAL);
}

/* Bytes of the complete request that the input begins with; 0: more to come. */
static size_t handle_modbus(struct board *board, struct client *client)
{
    const uint8_t *in = (const uint8_t *)client->input;
    size_t length;
    int address;
    int count;
    bool on;

    if (client->size < MODBUS_FRAME)
        return 0;
    length = MODBUS_FRAME + (size_t)(in[4] << 8 | in[5]);
    if (client->size < length)
        return 0;
    address = in[8] << 8 | in[9];
    count = in[7] == 15 ? in[10] << 8 | in[11] : 1;
    on = in[7] == 15 ? in[13] != 0 : in[10] == 0xff;
    modbus_set_socket(board->modbus, client->fd);
    /* Whoever has the answer finds the record. */
    pthread_mutex_lock(&board->mu);
    modbus_reply(board->modbus, in, (int)length, board->coils);
    if (in[7] == 5)
        record_locked(board, "unit %d: coil %d %s", in[6], address, on ? "on" : "off");
    else
        record_locked(board, "unit %d: coils %d..%d %s", in[6], address, address + count - 1, on ? "on" : "off");
    pthread_mutex_unlock(&board->mu);
    return length;
}

static size_t handle_http(struct board *board, struct client *client)
{
    char *end = strstr(client->input, "\r\n\r\n");
    const char *length = strstr(client->input, "Content-Length: ");
    const char *type = strstr(client->input, "Content-Type: ");
    const char *credential = strstr(client->input, "Authorization: ");
    size_t body_size = length ? strtoul(length + strlen("Content-Length: "), NULL, 10) : 0;
    char kind[64] = "";
    char login[128] = "";
    char text[INPUT_MAX + 256];

    if (!end || client->size < (size_t)(end + 4 - client->input) + body_size)
        return 0;
    if (type)
        (void)snprintf(kind, sizeof kind, " %.*s ", (int)strcspn(type + 14, "\r"), type + 14);
    if (credential)
        (void)snprintf(login, sizeof login, " %.*s", (int)strcspn(credential + 15, "\r"), credential + 15);
    (void)snprintf(text, sizeof text, "%.*s%s%s%.*s", (int)(strstr(client->input, " HTTP/") - client->input),
                   client->input, login, kind, (int)body_size, end + 4);
    record(board, text);
    answer(board, client);
    return (size_t)(end + 4 - client->input) + body_size;
}

static size_t handle(struct board *board, struct client *client)
{
    switch (board->kind) {
    case BOARD_MODBUS:
        return handle_modbus(board, client);
    case BOARD_HTTP:
        return handle_http(board, client);
    case BOARD_BYTES:
        record(board, client->input);
        answer(board, client);
        return client->size;
    case BOARD_SILENT:
        record(board, "silence");
        return client->size;
    }
    return 0;
}

/* False: the client has gone. */
static bool serve(struct board *board, struct client *client)
{
    ssize_t got = recv(client->fd, client->input + client->size, INPUT_MAX - client->size, 0);
    size_t used;

    if (got <= 0)
        return false;
    client->size += (size_t)got;
    client->input[client->size] = '\0';
    while (client->size > 0 && (used = handle(board, client)) > 0) {
        client->size -= used;
        memmove(client->input, client->input + used, client->size + 1);
    }
    return true;
}

static void accept_client(struct board *board)
{
    struct client *client;
    int fd = accept(board->listening, NULL, NULL);

    if (fd < 0)
        return;
    client = board->n_clients < CLIENTS_MAX ? calloc(1, sizeof *client) : NULL;
    if (!client) {
        close(fd);
        return;
    }
    client->fd = fd;
    board->clients[board->n_clients++] = client;
}

static void drop_client(struct board *board, size_t i)
{
    close(board->clients[i]->fd);
    free(board->clients[i]);
    board->clients[i] = board->clients[--board->n_clients];
}

static void *board_main(void *arg)
{
    struct board *board = arg;
    struct pollfd fds[CLIENTS_MAX + 2];

    for (;;) {
        size_t n = board->n_clients;

        fds[0] = (struct pollfd){.fd = board->stop[0], .events = POLLIN};
        fds[1] = (struct pollfd){.fd = board->listening, .events = POLLIN};
        for (size_t i = 0; i < n; i++)
            fds[2 + i] = (struct pollfd){.fd = board->clients[i]->fd, .events = POLLIN};
        (void)poll(fds, n + 2, -1);
        if (fds[0].revents)
            break;
        /* From the end: dropping one moves the last into its place. */
        for (size_t i = n; i-- > 0;) {
            if (fds[2 + i].revents && !serve(board, board->clients[i]))
                drop_client(board, i);
        }
        if (fds[1].revents)
            accept_client(board);
    }
    while (board->n_clients > 0)
        drop_client(board, 0);
    return NULL;
}

/* A socket on all addresses of the machine, IPv6 too where it has any; its port. */
static int listen_everywhere(struct board *board)
{
    struct sockaddr_in6 at6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t size = sizeof at6;
    int off = 0;

    board->listening = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (board->listening >= 0 && setsockopt(board->listening, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0 &&
        bind(board->listening, (struct sockaddr *)&at6, sizeof at6) == 0 && listen(board->listening, 512) == 0) {
        assert_int_equal(getsockname(board->listening, (struct sockaddr *)&at6, &size), 0);
        return ntohs(at6.sin6_port);
    }
    if (board->listening >= 0)
        close(board->listening);
    size = sizeof at;
    board->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(board->listening, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(board->listening, 512), 0);
    assert_int_equal(getsockname(board->listening, (struct sockaddr *)&at, &size), 0);
    return ntohs(at.sin_port);
}

struct board *board_start(enum board_kind kind, const char *reply)
{
    struct board *board = calloc(1, sizeof *board);

    assert_non_null(board);
    board->kind = kind;
    board->reply = reply;
    board->port = listen_everywhere(board);
    assert_int_equal(pipe(board->stop), 0);
    board->modbus = modbus_new_tcp(NULL, board->port);
    board->coils = modbus_mapping_new(COILS, 0, 0, 0);
    assert_true(board->modbus && board->coils);
    pthread_mutex_init(&board->mu, NULL);
    assert_true(clock_cond_init(&board->recorded));
    assert_int_equal(pthread_create(&board->thread, NULL, board_main, board), 0);
    return board;
}

int board_port(const struct board *board)
{
    return board->port;
}

void board_wait(struct board *board, size_t n)
{
    struct timespec deadline = clock_deadline(PATIENCE_MS);
    int result = 0;
    size_t count;

    pthread_mutex_lock(&board->mu);
    while (board->n_records < n && result == 0)
        result = pthread_cond_timedwait(&board->recorded, &board->mu, &deadline);
    count = board->n_records;
    pthread_mutex_unlock(&board->mu);
    assert_true(count >= n);
}

size_t board_count(struct board *board)
{
    size_t count;

    pthread_mutex_lock(&board->mu);
    count = board->n_records;
    pthread_mutex_unlock(&board->mu);
    return count;
}

const char *board_record(struct board *board, size_t i)
{
    const char *text;

    pthread_mutex_lock(&board->mu);
    text = i < board->n_records ? board->records[i] : "(nothing)";
    pthread_mutex_unlock(&board->mu);
    return text;
}

bool board_coil(struct board *board, int coil)
{
    bool on;

    pthread_mutex_lock(&board->mu);
    on = board->coils->tab_bits[coil] != 0;
    pthread_mutex_unlock(&board->mu);
    return on;
}

void board_stop(struct board *board)
{
    (void)!write(board->stop[1], "", 1);
    pthread_join(board->thread, NULL);
    close(board->listening);
    close(board->stop[0]);
    close(board->stop[1]);
    modbus_free(board->modbus);
    modbus_mapping_free(board->coils);
    pthread_cond_destroy(&board->recorded);
    pthread_mutex_destroy(&board->mu);
    for (size_t i = 0; i < board->n_records; i++)
        free(board->records[i]);
    free(board);
}

struct settings *test_settings(void)
{
    struct settings *settings = NULL;

    assert_int_equal(settings_open(&settings, NULL), AIBOX_OK);
    return settings;
}

struct door *test_door(struct settings *settings)
{
    struct door *door = NULL;

    assert_int_equal(door_open(settings, &door, NULL), AIBOX_OK);
    return door;
}

void test_put(struct settings *settings, const char *key, const char *text)
{
    struct aibox_error err;

    if (settings_put(settings, SETTINGS_STORED, key, text, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
}

struct door_command test_command(enum door_driver driver, int port)
{
    return (struct door_command){.host = "127.0.0.1",
                                 .port = port,
                                 .driver = driver,
                                 .mode = DOOR_OPEN,
                                 .logic_port = 1,
                                 .channels = 8,
                                 .duration_s = 254};
}

void test_drive(struct door *door, const struct door_command *command)
{
    struct door_result result;

    door_drive(door, command, 1, &result);
    if (!result.done)
        fail_msg("not done: %s", result.reason);
    assert_string_equal(result.reason, "");
}

void test_refused(struct door *door, const struct door_command *command, const char *reason)
{
    struct door_result result;

    door_drive(door, command, 1, &result);
    assert_false(result.done);
    if (!strstr(result.reason, reason))
        fail_msg("failed for another reason: %s", result.reason);
}

long test_metric(struct door *door, const char *name)
{
    struct buffer out;
    char line[128];
    const char *at;
    long value = -1;

    buffer_init(&out, 65536);
    door_metrics(door, &out);
    assert_false(out.failed);
    (void)snprintf(line, sizeof line, "\n%s ", name);
    at = strstr((const char *)out.data, line);
    if (at)
        value = strtol(at + strlen(line), NULL, 10);
    buffer_free(&out);
    return value;
}
