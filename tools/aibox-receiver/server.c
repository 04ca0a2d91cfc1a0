#include "server.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/listen.h"
#include "body.h"
#include "core/buffer.h"
#include "core/clock.h"
#include "core/json_out.h"
#include "core/log.h"
#include "core/utf8.h"
#include "show.h"

#define CONNECTIONS 128u
#define IDLE_S      30u
#define PATH_KEPT   256 /* bytes of a path that are kept */
/* In bodies being received or worked on; a message takes some six times its size until it is stored and shown. */
#define ALL_BODIES (2 * BODY_MAX)
/* Of a body that is refused, so that its sender gets to read why. */
#define DISCARD_MAX ((uint64_t)256 << 20)

#define PAGE_POLICY                                                                                                    \
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri "     \
    "'none'; "                                                                                                         \
    "form-action 'none'; frame-ancestors 'none'"

struct server {
    struct receiver *receiver;
    struct listening listening;
    struct MHD_Daemon *daemon;
    int stop_fd; /* readable once the server closes */
    atomic_bool closing;
    atomic_size_t bodies; /* bytes held */
    pthread_mutex_t mu;
    pthread_cond_t idle; /* `busy` has become 0 */
    size_t busy;         /* POSTs from their headers to their end; guarded by `mu` */
};

/* A request. */
struct exchange {
    struct server *server;
    struct buffer body;
    size_t held; /* bytes that are counted in server->bodies */
    uint64_t received;
    unsigned refused; /* HTTP status; 0: not refused */
    const char *why;
    bool post;
    char path[PATH_KEPT + 1]; /* UTF-8 */
};

/* ---- answers ------------------------------------------------------------------------------------------------ */

static enum MHD_Result send_shown(struct MHD_Connection *mhd, const struct shown *shown)
{
    struct MHD_Response *response;
    enum MHD_Result result;

    if (shown->owned)
        response = MHD_create_response_from_buffer(shown->size, shown->owned, MHD_RESPMEM_MUST_FREE);
    else
        /* The library asks for memory that it may write to, and doesn't. */
        response = MHD_create_response_from_buffer(shown->size, (void *)shown->bytes, MHD_RESPMEM_PERSISTENT);
    if (!response) {
        free(shown->owned);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, shown->type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(response, "Content-Security-Policy", PAGE_POLICY);
    (void)MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    (void)MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    if (shown->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST");
    result = MHD_queue_response(mhd, shown->status, response);
    MHD_destroy_response(response);
    return result;
}

/* {"status": 0, "message": "ok", "data": null}, which is what a box waits for after a device operation. */
static enum MHD_Result send_reply(struct MHD_Connection *mhd, unsigned status, const char *message)
{
    struct shown shown = {.status = status, .type = "application/json"};
    struct json_out json;

    json_out_init(&json, 8192);
    json_out_object_begin(&json);
    json_out_key_int(&json, "status", status <= 299 ? 0 : status);
    json_out_key_text(&json, "message", message);
    json_out_key(&json, "data");
    json_out_null(&json);
    json_out_object_end(&json);
    shown.owned = buffer_give(&json.buffer, &shown.size);
    shown.bytes = shown.owned;
    json_out_free(&json);
    /* 204 and 304 have no body, and the library insists. */
    if (status == MHD_HTTP_NO_CONTENT || status == MHD_HTTP_NOT_MODIFIED)
        shown.size = 0;
    return shown.owned ? send_shown(mhd, &shown) : MHD_NO;
}

/* ---- POST ---------------------------------------------------------------------------------------------------- */

static void release_body(struct exchange *exchange)
{
    buffer_free(&exchange->body);
    (void)atomic_fetch_sub(&exchange->server->bodies, exchange->held);
    exchange->held = 0;
}

static void refuse(struct exchange *exchange, unsigned status, const char *why)
{
    exchange->refused = status;
    exchange->why = why;
    release_body(exchange);
}

/* Waits `ms` (< 0: for ever). False: the sender has gone, or the server closes. */
static bool wait_by_intent(const struct server *server, struct MHD_Connection *mhd, int64_t ms)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    const int64_t until = clock_monotonic_ms() + ms;
    struct pollfd fds[] = {{.fd = info ? info->connect_fd : -1, .events = POLLRDHUP},
                           {.fd = server->stop_fd, .events = POLLIN}};

    for (;;) {
        int64_t left = ms < 0 ? -1 : until - clock_monotonic_ms();
        int ready;

        if (ms >= 0 && left <= 0)
            return true;
        ready = poll(fds, 2, (int)left);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return false;
    }
}

static enum MHD_Result on_post(struct exchange *exchange, struct MHD_Connection *mhd)
{
    struct server *server = exchange->server;
    struct reply reply;
    struct delivery delivery = {
        .path = exchange->path,
        .content_type = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE),
        .idempotency_key = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Idempotency-Key"),
        .body = (char *)exchange->body.data,
        .size = exchange->body.size,
    };

    if (exchange->refused) {
        receiver_refuse(server->receiver, exchange->path, exchange->refused, exchange->why);
        return send_reply(mhd, exchange->refused, exchange->why);
    }
    receiver_take(server->receiver, &delivery, &reply);
    release_body(exchange);
    if (reply.how == REPLY_HANG) {
        (void)wait_by_intent(server, mhd, -1);
        return MHD_NO;
    }
    if (!wait_by_intent(server, mhd, reply.delay_ms) || reply.how == REPLY_CLOSE)
        return MHD_NO;
    return send_reply(mhd, reply.status, reply.message);
}

static void on_body(struct exchange *exchange, const char *bytes, size_t size)
{
    struct server *server = exchange->server;

    exchange->received += size;
    if (exchange->refused || !exchange->post)
        return;
    if (exchange->received > BODY_MAX) {
        refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 32 MiB");
        return;
    }
    exchange->held += size;
    if (atomic_fetch_add(&server->bodies, size) + size > ALL_BODIES || !buffer_append(&exchange->body, bytes, size))
        refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "too much is being received at once");
}

/* ---- GET ----------------------------------------------------------------------------------------------------- */

static enum MHD_Result on_get(const struct exchange *exchange, struct MHD_Connection *mhd, const char *url)
{
    const struct show_query query = {
        .kind = MHD_lookup_connection_value(mhd, MHD_GET_ARGUMENT_KIND, "kind"),
        .limit = MHD_lookup_connection_value(mhd, MHD_GET_ARGUMENT_KIND, "limit"),
        .after = MHD_lookup_connection_value(mhd, MHD_GET_ARGUMENT_KIND, "after"),
        .bodies = MHD_lookup_connection_value(mhd, MHD_GET_ARGUMENT_KIND, "bodies"),
    };
    struct shown shown;

    show_get(exchange->server->receiver, url, &query, &shown);
    return send_shown(mhd, &shown);
}

/* ---- the life of a request ------------------------------------------------------------------------------------ */

static void enter(struct server *server)
{
    pthread_mutex_lock(&server->mu);
    server->busy++;
    pthread_mutex_unlock(&server->mu);
}

static void leave(struct server *server)
{
    pthread_mutex_lock(&server->mu);
    if (--server->busy == 0)
        (void)pthread_cond_broadcast(&server->idle);
    pthread_mutex_unlock(&server->mu);
}

/* A path as it may be printed in JSON: whole UTF-8 characters, a bounded number. */
static void keep_path(struct exchange *exchange, const char *url)
{
    size_t size = utf8_prefix(url, strlen(url), PATH_KEPT);

    if (!utf8_valid(url, size))
        size = 0;
    memcpy(exchange->path, url, size);
    exchange->path[size] = '\0';
}

/* The headers are there. */
static enum MHD_Result begin(struct server *server, struct MHD_Connection *mhd, const char *url, const char *method,
                             void **context)
{
    const char *length = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    struct exchange *exchange = calloc(1, sizeof *exchange);

    if (!exchange)
        return MHD_NO;
    exchange->server = server;
    exchange->post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    buffer_init(&exchange->body, BODY_MAX);
    keep_path(exchange, url);
    enter(server);
    *context = exchange;
    if (!exchange->post || !length || strtoull(length, NULL, 10) <= BODY_MAX)
        return MHD_YES;
    refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 32 MiB");
    /* Who asks first is told at once. */
    if (MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT))
        return on_post(exchange, mhd);
    return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **context)
{
    struct exchange *exchange = *context;
    struct shown shown = {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .type = "text/plain", .bytes = "", .size = 0};

    (void)version;
    if (!exchange)
        return begin(arg, mhd, url, method, context);
    if (*upload_size > 0) {
        on_body(exchange, upload, *upload_size);
        *upload_size = 0;
        return exchange->received <= DISCARD_MAX ? MHD_YES : MHD_NO;
    }
    if (exchange->post)
        return on_post(exchange, mhd);
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
        return on_get(exchange, mhd, url);
    return send_shown(mhd, &shown);
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;

    (void)mhd;
    (void)code;
    if (!exchange)
        return;
    *context = NULL;
    release_body(exchange);
    free(exchange);
    leave(arg);
}

static enum MHD_Result on_accept(void *arg, const struct sockaddr *peer, socklen_t size)
{
    const struct server *server = arg;

    (void)peer;
    (void)size;
    return atomic_load(&server->closing) ? MHD_NO : MHD_YES;
}

/* What the library has to say is about single connections. */
static void on_message(void *arg, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void on_message(void *arg, const char *format, va_list args)
{
    char text[256];

    (void)arg;
    if (vsnprintf(text, sizeof text, format, args) < 0)
        return;
    text[strcspn(text, "\n")] = '\0';
    log_debug("receiver", "%s", text);
}

/* ---- opening and closing ---------------------------------------------------------------------------------------- */

static enum aibox_status start(struct server *server, const char *listen, struct aibox_error *err)
{
    const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
                           MHD_USE_ITC | MHD_USE_ERROR_LOG;
    enum aibox_status status = listen_open(listen, &server->listening, err);

    if (status != AIBOX_OK)
        return status;
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (server->stop_fd < 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of file descriptors");
    /* The logger goes first: it counts for the options behind it. */
    server->daemon = MHD_start_daemon(flags, 0, on_accept, server, on_request, server, MHD_OPTION_EXTERNAL_LOGGER,
                                      on_message, NULL, MHD_OPTION_LISTEN_SOCKET, server->listening.fd,
                                      MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
                                      MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_END);
    /* From here on the socket is the library's; whether a failed start has closed it can't be told. */
    server->listening.fd = -1;
    if (!server->daemon)
        return error_set(err, AIBOX_PROCESS_FAILED, "the HTTP server can't be started");
    return AIBOX_OK;
}

static void free_server(struct server *server)
{
    if (server->listening.fd >= 0)
        (void)close(server->listening.fd);
    if (server->stop_fd >= 0)
        (void)close(server->stop_fd);
    (void)pthread_cond_destroy(&server->idle);
    (void)pthread_mutex_destroy(&server->mu);
    free(server);
}

enum aibox_status server_open(const char *listen, struct receiver *receiver, struct server **out,
                              struct aibox_error *err)
{
    struct server *server = calloc(1, sizeof *server);
    enum aibox_status status;

    *out = NULL;
    if (!server || pthread_mutex_init(&server->mu, NULL) != 0) {
        free(server);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    if (!clock_cond_init(&server->idle)) {
        (void)pthread_mutex_destroy(&server->mu);
        free(server);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    server->receiver = receiver;
    server->listening.fd = -1;
    server->stop_fd = -1;
    status = start(server, listen, err);
    if (status != AIBOX_OK) {
        free_server(server);
        return status;
    }
    *out = server;
    return AIBOX_OK;
}

const char *server_address(const struct server *server)
{
    return server->listening.address;
}

void server_close(struct server *server, int64_t grace_ms)
{
    const uint64_t one = 1;
    struct timespec until = clock_deadline(grace_ms);

    if (!server)
        return;
    atomic_store(&server->closing, true);
    if (write(server->stop_fd, &one, sizeof one) != (ssize_t)sizeof one)
        log_error("receiver", "waiting connections can't be woken reason=\"%s\"", strerror(errno));
    pthread_mutex_lock(&server->mu);
    while (server->busy > 0 && pthread_cond_timedwait(&server->idle, &server->mu, &until) == 0)
        ;
    pthread_mutex_unlock(&server->mu);
    MHD_stop_daemon(server->daemon);
    free_server(server);
}
