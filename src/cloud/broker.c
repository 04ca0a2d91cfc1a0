#include "cloud/broker.h"

#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cloud/broker_internal.h"
#include "core/clock.h"
#include "core/utf8.h"

#define CONNECT_MS     5000
#define HANDSHAKE_MS   10000
#define RPC_MS         10000
#define GOODBYE_MS     1000 /* a thread's time to end by itself */
#define FAREWELL_MS    500
#define SLICE_MS       200   /* how often a wait looks whether it is to end */
#define UNANSWERED_MS  60000 /* data that the peer's kernel doesn't take or acknowledge for so long: it is lost */
#define FRAME_MAX      131072
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

/* ---- the line ----------------------------------------------------------------------------------------------- */

void line_init(struct line *line)
{
    pthread_mutex_init(&line->mu, NULL);
    line->fd = -1;
    line->cut = false;
}

void line_end(struct line *line)
{
    pthread_mutex_destroy(&line->mu);
}

void line_cut(struct line *line)
{
    pthread_mutex_lock(&line->mu);
    line->cut = true;
    if (line->fd >= 0)
        (void)shutdown(line->fd, SHUT_RDWR);
    pthread_mutex_unlock(&line->mu);
}

void line_join(struct line *line, pthread_t thread)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += GOODBYE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (pthread_timedjoin_np(thread, NULL, &until) == 0)
        return;
    line_cut(line);
    pthread_join(thread, NULL);
}

/* False: no connection is wanted any more. */
static bool line_hold(struct line *line, int fd)
{
    pthread_mutex_lock(&line->mu);
    bool wanted = !line->cut;
    line->fd = wanted ? fd : -1;
    pthread_mutex_unlock(&line->mu);
    return wanted;
}

/* ---- reasons -------------------------------------------------------------------------------------------------- */

const char *broker_reason(const struct broker *broker)
{
    return broker->reason;
}

int broker_code(const struct broker *broker)
{
    return broker->code;
}

void broker_set_reason(struct broker *broker, int code, amqp_bytes_t text)
{
    size_t size = text.len < sizeof broker->reason - 1 ? text.len : sizeof broker->reason - 1;

    broker->code = code;
    if (size > 0)
        memcpy(broker->reason, text.bytes, size);
    broker->reason[size] = '\0';
    for (char *c = broker->reason; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    broker->reason[utf8_prefix(broker->reason, strlen(broker->reason), sizeof broker->reason)] = '\0';
    if (!utf8_valid(broker->reason, strlen(broker->reason)))
        (void)snprintf(broker->reason, sizeof broker->reason, "AMQP code %d", code);
}

enum broker_result broker_lose(struct broker *broker, int library_error)
{
    broker->lost = true;
    broker->code = 0;
    (void)snprintf(broker->reason, sizeof broker->reason, "%s", amqp_error_string2(library_error));
    return BROKER_LOST;
}

enum broker_result broker_channel_gone(struct broker *broker, int channel, int code, amqp_bytes_t text)
{
    amqp_channel_close_ok_t ok = {0};

    broker_set_reason(broker, code, text);
    broker->inbound[channel].kind = BROKER_NOTHING;
    int failure = amqp_send_method(broker->connection, (amqp_channel_t)channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
    return failure == AMQP_STATUS_OK ? BROKER_CHANNEL_GONE : broker_lose(broker, failure);
}

enum broker_result broker_judge(struct broker *broker, int channel, amqp_rpc_reply_t reply)
{
    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return BROKER_OK;
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *close_method = reply.reply.decoded;
        return broker_channel_gone(broker, channel, close_method->reply_code, close_method->reply_text);
    }
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *close_method = reply.reply.decoded;
        amqp_connection_close_ok_t ok = {0};
        broker_set_reason(broker, close_method->reply_code, close_method->reply_text);
        broker->lost = true;
        (void)amqp_send_method(broker->connection, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
        return BROKER_LOST;
    }
    return broker_lose(broker, reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION ? reply.library_error
                                                                                   : AMQP_STATUS_UNEXPECTED_STATE);
}

/* ---- connecting ------------------------------------------------------------------------------------------------ */

static struct timeval interval(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* Looks the host up, in slices, so that an end is noticed. */
static enum aibox_status find_host(const struct broker_options *options, struct address_list *found,
                                   struct aibox_error *err)
{
    int64_t late_ms = clock_monotonic_ms() + CONNECT_MS;
    enum aibox_status status;

    do
        status = resolver_find(options->resolver, options->login->host, options->login->port,
                               clock_monotonic_ms() + SLICE_MS, found, err);
    while (status != AIBOX_OK && options->resolver->under_way && !atomic_load(options->stop) &&
           clock_monotonic_ms() < late_ms);
    return status;
}

/* Waits for the end of connect(2). */
static bool connected(const struct broker_options *options, int fd, int *failure)
{
    int64_t late_ms = clock_monotonic_ms() + CONNECT_MS;
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof *failure;

    *failure = ETIMEDOUT;
    while (!atomic_load(options->stop) && clock_monotonic_ms() < late_ms) {
        if (poll(&item, 1, SLICE_MS) > 0)
            return getsockopt(fd, SOL_SOCKET, SO_ERROR, failure, &size) == 0 && *failure == 0;
    }
    return false;
}

/* A socket that is connected to one of the addresses; < 0: none. */
static int connect_to(const struct broker_options *options, const struct address_list *list, struct aibox_error *err)
{
    int failure = 0;

    for (size_t i = 0; i < list->n && !atomic_load(options->stop); i++) {
        int fd = socket(list->of[i].at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            failure = errno;
            continue;
        }
        failure = connect(fd, (const struct sockaddr *)&list->of[i].at, list->of[i].size) == 0 ? 0 : errno;
        if (failure == 0 || (failure == EINPROGRESS && connected(options, fd, &failure)))
            return fd;
        close(fd);
    }
    (void)error_set(err, AIBOX_REMOTE_FAILED, "the broker is not reachable: %s", strerror(failure));
    return -1;
}

static enum aibox_status open_plain(struct broker *broker, const struct broker_options *options,
                                    const struct address_list *list, struct aibox_error *err)
{
    amqp_socket_t *socket = amqp_tcp_socket_new(broker->connection);

    if (!socket)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    int fd = connect_to(options, list, err);
    if (fd < 0)
        return AIBOX_REMOTE_FAILED;
    amqp_tcp_socket_set_sockfd(socket, fd); /* closed with the connection */
    return AIBOX_OK;
}

static enum aibox_status open_tls(struct broker *broker, const struct broker_options *options, struct aibox_error *err)
{
    amqp_socket_t *socket = amqp_ssl_socket_new(broker->connection);
    struct timeval timeout = interval(CONNECT_MS);

    if (!socket)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    amqp_ssl_socket_set_verify_peer(socket, options->verify_tls);
    amqp_ssl_socket_set_verify_hostname(socket, options->verify_tls);
    (void)amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
    if (options->verify_tls &&
        amqp_ssl_socket_set_cacert(socket, options->ca_file ? options->ca_file : SYSTEM_CA_FILE) != AMQP_STATUS_OK)
        return error_set(err, AIBOX_PROCESS_FAILED, "the list of trusted authorities can't be read");
    int failure = amqp_socket_open_noblock(socket, options->login->host, options->login->port, &timeout);
    if (failure != AMQP_STATUS_OK)
        return error_set(err, AIBOX_REMOTE_FAILED, "no TLS connection to the broker: %s", amqp_error_string2(failure));
    return AIBOX_OK;
}

/* No call may wait for ever for a peer that is gone. */
static void harden(int fd)
{
    int on = 1, unanswered_ms = UNANSWERED_MS;

    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
}

static amqp_table_entry_t text_entry(const char *key, const char *text)
{
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};

    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(text);
    return entry;
}

static amqp_table_entry_t true_entry(const char *key)
{
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};

    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = 1;
    return entry;
}

static enum aibox_status log_in(struct broker *broker, const struct broker_options *options, bool *refused,
                                struct aibox_error *err)
{
    amqp_table_entry_t abilities[] = {true_entry("connection.blocked"), true_entry("consumer_cancel_notify"),
                                      true_entry("publisher_confirms"), true_entry("basic.nack")};
    amqp_table_entry_t properties[] = {text_entry("connection_name", options->name),
                                       text_entry("product", "AIBOX"),
                                       text_entry("version", AIBOX_VERSION),
                                       {.key = amqp_cstring_bytes("capabilities")}};
    amqp_table_t table = {.num_entries = sizeof properties / sizeof properties[0], .entries = properties};
    struct timeval handshake = interval(HANDSHAKE_MS), rpc = interval(RPC_MS);

    properties[3].value.kind = AMQP_FIELD_KIND_TABLE;
    properties[3].value.value.table =
        (amqp_table_t){.num_entries = sizeof abilities / sizeof abilities[0], .entries = abilities};
    (void)amqp_set_handshake_timeout(broker->connection, &handshake);
    (void)amqp_set_rpc_timeout(broker->connection, &rpc);
    amqp_rpc_reply_t reply =
        amqp_login_with_properties(broker->connection, options->vhost, BROKER_CHANNELS, FRAME_MAX, BROKER_HEARTBEAT_S,
                                   &table, AMQP_SASL_METHOD_PLAIN, options->login->user, options->login->password);
    if (broker_judge(broker, 0, reply) == BROKER_OK)
        return AIBOX_OK;
    *refused = broker->code == AMQP_ACCESS_REFUSED || broker->code == AMQP_NOT_ALLOWED;
    return error_set(err, AIBOX_REMOTE_FAILED, "the broker %s: %s", *refused ? "refuses this user" : "does not answer",
                     broker->reason);
}

enum aibox_status broker_open(const struct broker_options *options, struct broker **out, bool *refused,
                              struct aibox_error *err)
{
    struct broker *broker = calloc(1, sizeof *broker);
    struct address_list list;

    *out = NULL;
    *refused = false;
    if (!broker)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    broker->line = options->line;
    broker->max_body = options->max_body;
    broker->lost = true; /* until it stands */
    for (int i = 0; i <= BROKER_CHANNELS; i++)
        buffer_init(&broker->inbound[i].body, options->max_body);
    broker->connection = amqp_new_connection();
    enum aibox_status status = broker->connection ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (status == AIBOX_OK)
        status = find_host(options, &list, err);
    if (status == AIBOX_OK && !atomic_load(options->stop))
        status = options->login->tls ? open_tls(broker, options, err) : open_plain(broker, options, &list, err);
    if (status == AIBOX_OK && !line_hold(options->line, amqp_get_sockfd(broker->connection)))
        status = error_set(err, AIBOX_REMOTE_FAILED, "it is to end");
    if (status == AIBOX_OK) {
        harden(amqp_get_sockfd(broker->connection));
        status = log_in(broker, options, refused, err);
    }
    if (status != AIBOX_OK) {
        broker->lost = true;
        broker_close(broker);
        return status;
    }
    broker->lost = false;
    *out = broker;
    return AIBOX_OK;
}

void broker_close(struct broker *broker)
{
    if (!broker)
        return;
    if (broker->connection) {
        if (!broker->lost) {
            struct timeval farewell = interval(FAREWELL_MS);
            (void)amqp_set_rpc_timeout(broker->connection, &farewell);
            (void)amqp_connection_close(broker->connection, AMQP_REPLY_SUCCESS);
        }
        (void)line_hold(broker->line, -1); /* before the descriptor is closed and may be another's */
        (void)amqp_destroy_connection(broker->connection);
    }
    for (int i = 0; i <= BROKER_CHANNELS; i++)
        buffer_free(&broker->inbound[i].body);
    free(broker);
}
