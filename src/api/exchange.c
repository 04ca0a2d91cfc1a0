/*
 * One request and its answer, from the request line to the last byte sent.
 *
 *   HEADERS ──headers fine──► BODY ──body complete──► HANDLING ──handler done──► ANSWERED ──► SENDING ──► closed
 *      │                       │                      (suspended)                   ▲
 *      ├──refused, small body──┼──► SKIPPING ──body thrown away────────────────────┤
 *      ├──refused, no body─────┼───────────────────────────────────────────────────┘
 *      └──refused, large body──┼──► SENDING at once; the rest of the body is drained after it
 *                              └──too much──► answered by hand, connection closed and drained
 *
 * headers: on_headers(), exchange_headers.c; body: on_body(), exchange_upload.c; handler: handle(), on the HTTP thread
 * or, by run_handler(), on a handler thread; answer: send_answer(); end: exchange_close().
 *
 * Invariants
 *  1. In HANDLING the connection is suspended and the handler thread alone touches the exchange; in every other state
 * the connection's HTTP thread alone does.
 *  2. An exchange counts in api.busy and in its metric from on_headers() to exchange_close(), and in api.handling from
 *     exchange_begin_handling() until its connection has been resumed: api_close() waits for that.
 *  3. Bytes of `body` count in api.body_bytes until forget_body().
 *  4. A body that goes to disk is gathered by the HTTP thread and written by a handler thread while the connection is
 *     suspended in BODY; upload_is_busy() tells the one from the other.
 *  5. drain_fd is a duplicate of the connection's socket, made before libmicrohttpd closes its own, and handed over
 * once the answer has been written.
 */
#include "api/exchange.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/audit.h"
#include "core/clock.h"
#include "core/log.h"

#define SKIP_MAX  ((size_t)64 << 10) /* a refused body up to this size is read and thrown away */
#define QUICK_MAX ((size_t)64 << 10) /* a body beyond is not parsed on the HTTP thread */

/* ---- helpers ---------------------------------------------------------------------------------------- */

static void set_deadline(const struct exchange *exchange, int64_t deadline_ms)
{
    if (exchange->connection)
        connection_set_deadline(exchange->connection, deadline_ms);
}

/* When a transfer of `size` bytes that begins now has to be over. */
static int64_t transfer_deadline(const struct api *api, uint64_t size)
{
    return clock_monotonic_ms() + api->limits.body_ms + (int64_t)(size * 1000 / api->limits.bytes_per_s);
}

/* A second descriptor of the socket, to drain it with when libmicrohttpd has closed its own. */
static void prepare_drain(struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (info && exchange->drain_fd < 0)
        exchange->drain_fd = fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 0);
}

static void forget_body(struct exchange *exchange)
{
    (void)atomic_fetch_sub(&exchange->api->body_bytes, exchange->body.size);
    buffer_free(&exchange->body);
}

/* "GET /path" for the log. */
static const char *describe(const struct exchange *exchange, char text[160])
{
    const struct api_endpoint *endpoint = exchange->endpoint;

    (void)snprintf(text, 160, "%s %s", endpoint ? endpoint->method : "-", endpoint ? endpoint->path : "-");
    return text;
}

static void finish(struct exchange *exchange, enum aibox_status status)
{
    char what[160];

    response_finish(&exchange->res, status, &exchange->err, describe(exchange, what));
    exchange->took_us = clock_monotonic_us() - exchange->complete_us;
}

/* ---- the answer ---------------------------------------------------------------------------------------- */

static bool add_headers(const struct exchange *exchange, struct MHD_Response *response)
{
    const struct api_response *res = &exchange->res;
    enum MHD_Result done = MHD_YES;

    done &= MHD_add_response_header(response, "Content-Type", res->type);
    done &= MHD_add_response_header(response, "Server", "AIBOX");
    done &= MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    done &= MHD_add_response_header(response, "X-Frame-Options", "DENY");
    done &= MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    done &= MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    for (size_t i = 0; i < res->n_headers; i++)
        done &= MHD_add_response_header(response, res->headers[i].name, res->headers[i].value);
    /* Only where the operator's own certificate makes sure that browsers can come back. */
    if (exchange->api->tls.from_files)
        done &= MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
    /* Pages bring a policy of their own; nothing else is one. */
    if (!MHD_get_response_header(response, "Content-Security-Policy"))
        done &=
            MHD_add_response_header(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    if (!MHD_get_response_header(response, "Cache-Control"))
        done &= MHD_add_response_header(response, "Cache-Control", "no-store");
    if (exchange->close || atomic_load(&exchange->api->closing))
        done &= MHD_add_response_header(response, "Connection", "close");
    return done == MHD_YES;
}

/* The client has to take each piece in its time; while it is the box that is slow, there is no hurry. */
static void watch_stream(void *arg, size_t bytes)
{
    struct exchange *exchange = arg;

    exchange->res.size += bytes;
    set_deadline(exchange, bytes ? transfer_deadline(exchange->api, bytes) : CONNECTION_NO_DEADLINE);
}

/* The response of an answer that is made while it is sent. NULL: the error has taken its place. */
static struct MHD_Response *begin_stream(struct exchange *exchange)
{
    struct stream_source source = exchange->res.stream;
    struct MHD_Response *response;

    exchange->res.stream.produce = NULL;
    if (exchange->head) { /* the library would end a body that it does not send */
        if (source.free_ctx)
            source.free_ctx(source.ctx);
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    response = stream_respond(exchange->api->streams, exchange->mhd, &source, watch_stream, exchange, &exchange->err);
    if (!response)
        finish(exchange, exchange->err.status);
    return response;
}

/* Queues what finish() has made. The bytes become libmicrohttpd's. */
static enum MHD_Result send_answer(struct exchange *exchange)
{
    struct api_response *res = &exchange->res;
    struct MHD_Response *response;
    enum MHD_Result queued = MHD_NO;

    response = res->stream.produce ? begin_stream(exchange) : NULL;
    if (!response && res->bytes) { /* without bytes there was no memory even for the error */
        response = MHD_create_response_from_buffer(res->size, res->bytes, MHD_RESPMEM_MUST_FREE);
        if (response)
            res->bytes = NULL;
    }
    if (!response)
        return MHD_NO;
    if (add_headers(exchange, response))
        queued = MHD_queue_response(exchange->mhd, (unsigned)res->http_status, response);
    MHD_destroy_response(response);
    exchange->state = SENDING;
    set_deadline(exchange, transfer_deadline(exchange->api, res->size));
    return queued;
}

/* ---- refusing ---------------------------------------------------------------------------------------- */

/*
 * Answers `status` (and exchange->err) to a request whose headers are there and whose body is not. A small body is read
 * all the same, so that the connection lives on; unless the limit is smaller still, or the client waits to be told
 * whether to send it.
 */
static enum MHD_Result refuse(struct exchange *exchange, enum aibox_status status)
{
    bool has_body = exchange->announced != 0;
    bool small =
        exchange->announced <= SKIP_MAX && status != AIBOX_PAYLOAD_TOO_LARGE && !exchange_header(exchange, "Expect");

    finish(exchange, status);
    if (!has_body) {
        exchange->state = ANSWERED;
        return MHD_YES;
    }
    if (small && !exchange->close) {
        exchange->state = SKIPPING;
        set_deadline(exchange, transfer_deadline(exchange->api, SKIP_MAX));
        return MHD_YES;
    }
    prepare_drain(exchange);
    exchange->close = true;
    return send_answer(exchange);
}

/* Writes to the client past the library; never waits. */
static bool write_by_hand(const struct exchange *exchange, const char *bytes, size_t size, bool more)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    if (info && info->tls_session)
        return gnutls_record_send(info->tls_session, bytes, size) == (ssize_t)size;
    return send(exchange->drain_fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0)) == (ssize_t)size;
}

/*
 * The same in the middle of a body, where libmicrohttpd takes no answer: it is written by hand, which a fresh request's
 * empty send buffer always has room for, and the connection is given up.
 */
static enum MHD_Result refuse_within_body(struct exchange *exchange, enum aibox_status status)
{
    const struct api_response *res = &exchange->res;
    char head[512];
    int size;

    forget_body(exchange);
    exchange_end_upload(exchange);
    finish(exchange, status);
    prepare_drain(exchange);
    if (exchange->drain_fd < 0 || !res->bytes)
        return MHD_NO;
    size = snprintf(head, sizeof head,
                    "HTTP/1.1 %d %s\r\nServer: AIBOX\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
                    "Connection: close\r\n\r\n",
                    res->http_status, MHD_get_reason_phrase_for((unsigned)res->http_status), res->type, res->size,
                    status == AIBOX_TOO_MANY_REQUESTS ? "Retry-After: 1\r\n" : "");
    if (!write_by_hand(exchange, head, (size_t)size, true) ||
        !write_by_hand(exchange, (const char *)res->bytes, res->size, false))
        log_debug("api", "a refusal could not be written");
    exchange->state = SENDING;
    return MHD_NO;
}

/* ---- handling ------------------------------------------------------------------------------------------ */

static const char *find_header(const void *exchange, const char *name)
{
    return exchange_header(exchange, name);
}

static enum aibox_status call_handler(struct exchange *exchange)
{
    struct api_request *req = &exchange->req;
    enum aibox_status status = exchange->grant.undecided ? exchange_check_access(exchange, true) : AIBOX_OK;

    if (status != AIBOX_OK)
        return status;
    status = request_init(req, exchange->api, exchange->endpoint, &exchange->err);
    req->last_event_id = exchange_header(exchange, "Last-Event-ID");
    req->find_header = find_header;
    req->header_ctx = exchange;
    req->grant = &exchange->grant;
    if (status == AIBOX_OK && exchange->path_name)
        status = request_set_path(req, exchange->path_name, exchange->path_name_size, &exchange->err);
    if (status == AIBOX_OK && exchange->upload)
        status = upload_finish(exchange->upload, exchange->boundary[0] ? exchange->boundary : NULL,
                               exchange->endpoint->upload->name, &req->upload, &exchange->err);
    if (status == AIBOX_OK)
        status = arguments_parse(req, &exchange->source, &exchange->err);
    if (status == AIBOX_OK)
        status = exchange->endpoint->handler(&exchange->api->ctx, req, &exchange->res, &exchange->err);
    if (audit_wants(exchange->endpoint, &exchange->grant, status))
        audit_write(exchange->api, req, status == AIBOX_OK ? exchange->res.http_status : status_http(status));
    request_free(req);
    return status;
}

static void handle(struct exchange *exchange)
{
    enum aibox_status status = call_handler(exchange);

    if (status == AIBOX_PROCESS_FAILED) {
        char what[160];

        log_error("api", "call failed call=%s reason=%s", describe(exchange, what), exchange->err.message);
    }
    forget_body(exchange);
    exchange_end_upload(exchange);
    finish(exchange, status);
}

enum aibox_status exchange_say_closing(struct exchange *exchange)
{
    return error_set(&exchange->err, AIBOX_PROCESS_FAILED, "the box is shutting down");
}

bool exchange_begin_handling(struct api *api)
{
    bool open;

    pthread_mutex_lock(&api->mu);
    open = !atomic_load(&api->hurry);
    if (open)
        api->handling++;
    pthread_mutex_unlock(&api->mu);
    return open;
}

void exchange_leave_handling(struct api *api)
{
    pthread_mutex_lock(&api->mu);
    if (--api->handling == 0)
        (void)pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->mu);
}

/* Gives the connection back to its HTTP thread, with an answer. The exchange is not ours afterwards. */
static void end_handling(struct exchange *exchange)
{
    struct api *api = exchange->api;

    exchange->state = ANSWERED;
    MHD_resume_connection(exchange->mhd);
    exchange_leave_handling(api);
}

/* On a handler thread. */
static void run_handler(void *worker, void *arg)
{
    struct exchange *exchange = arg;

    (void)worker;
    if (atomic_load(&exchange->api->hurry))
        finish(exchange, exchange_say_closing(exchange));
    else
        handle(exchange);
    end_handling(exchange);
}

/* Leaves the exchange to a handler thread, while its connection rests. */
static enum MHD_Result hand_over(struct exchange *exchange)
{
    struct api *api = exchange->api;

    if (!exchange_begin_handling(api)) {
        finish(exchange, exchange_say_closing(exchange));
        return send_answer(exchange);
    }
    exchange->state = HANDLING;
    MHD_suspend_connection(exchange->mhd);
    if (pool_submit(api->pool, POOL_URGENT, 0, run_handler, exchange, &exchange->err) != AIBOX_OK) {
        finish(exchange, error_set(&exchange->err, AIBOX_TOO_MANY_REQUESTS, "the box is busy; try again in a second"));
        end_handling(exchange);
    }
    return MHD_YES;
}

/* The request is complete. */
static enum MHD_Result on_complete(struct exchange *exchange)
{
    exchange->complete_us = clock_monotonic_us();
    if (exchange->body.size > 0) {
        exchange->source.text = (char *)exchange->body.data;
        exchange->source.size = exchange->body.size;
    }
    set_deadline(exchange, CONNECTION_NO_DEADLINE);
    if (!exchange->endpoint->quick || exchange->grant.undecided || exchange->body.size > QUICK_MAX)
        return hand_over(exchange);
    handle(exchange);
    return send_answer(exchange);
}

/* ---- the body ---------------------------------------------------------------------------------------- */

/* Until when the body has to have got further. */
static void extend_deadline(const struct exchange *exchange)
{
    const struct api_limits *limits = &exchange->api->limits;

    set_deadline(exchange,
                 exchange->begun_ms + limits->body_ms + (int64_t)(exchange->received * 1000 / limits->bytes_per_s));
}

static enum MHD_Result on_body(struct exchange *exchange, const char *bytes, size_t size)
{
    struct api *api = exchange->api;

    exchange->received += size;
    if (exchange->received > exchange->max_body)
        return refuse_within_body(exchange, error_set(&exchange->err, AIBOX_PAYLOAD_TOO_LARGE,
                                                      "the body is larger than %" PRIu64 " bytes", exchange->max_body));
    extend_deadline(exchange);
    if (exchange->upload) {
        enum aibox_status status = exchange_take_upload(exchange, bytes, size);

        return status == AIBOX_OK ? MHD_YES : refuse_within_body(exchange, status);
    }
    if (!exchange->keeps_body)
        return MHD_YES;
    if (atomic_load(&api->body_bytes) + size > api->limits.all_bodies || !buffer_append(&exchange->body, bytes, size))
        return refuse_within_body(exchange, error_set(&exchange->err, AIBOX_TOO_MANY_REQUESTS,
                                                      "too much is being uploaded at once; try again in a second"));
    (void)atomic_fetch_add(&api->body_bytes, size);
    return MHD_YES;
}

/* ---- the headers --------------------------------------------------------------------------------------- */

static void begin(struct exchange *exchange)
{
    struct api *api = exchange->api;

    exchange->metric = metrics_of(api->metrics, exchange->endpoint);
    metric_begin(exchange->metric);
    pthread_mutex_lock(&api->mu);
    api->busy++;
    pthread_mutex_unlock(&api->mu);
}

static enum MHD_Result on_headers(struct exchange *exchange, const char *method)
{
    enum aibox_status status;

    exchange->complete_us = clock_monotonic_us();
    exchange->head = strcmp(method, "HEAD") == 0;
    status = exchange_read_headers(exchange, method);
    begin(exchange);
    if (status != AIBOX_OK)
        return refuse(exchange, status);
    exchange->state = BODY;
    buffer_init(&exchange->body, exchange->api->limits.max_body);
    if (exchange->endpoint->upload) {
        status = exchange_begin_upload(exchange);
        if (status != AIBOX_OK)
            return refuse(exchange, status);
    }
    if (exchange->announced == 0)
        return MHD_YES;
    exchange->begun_ms = clock_monotonic_ms();
    extend_deadline(exchange);
    /* Else the body would be copied each time it outgrows its memory. */
    if (exchange->keeps_body && exchange->announced != MHD_SIZE_UNKNOWN &&
        !buffer_reserve(&exchange->body, (size_t)exchange->announced))
        return refuse(exchange, error_set(&exchange->err, AIBOX_TOO_MANY_REQUESTS, "out of memory; try again"));
    return MHD_YES;
}

/* ---- callbacks ------------------------------------------------------------------------------------------ */

void *exchange_open(void *api, const char *target, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    size_t size;
    struct exchange *exchange;

    if (!target)
        target = "";
    size = strlen(target);
    exchange = calloc(1, sizeof *exchange + size + 1);
    if (!exchange)
        return NULL;
    exchange->api = api;
    exchange->mhd = mhd;
    exchange->connection = info ? info->socket_context : NULL;
    exchange->drain_fd = -1;
    exchange->target_size = size;
    memcpy(exchange->target, target, size + 1);
    response_init(&exchange->res);
    return exchange;
}

enum MHD_Result exchange_step(void *api, struct MHD_Connection *mhd, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **context)
{
    struct exchange *exchange = *context;

    (void)api;
    (void)mhd;
    (void)url; /* decoded already, which can't be undone */
    (void)version;
    if (!exchange)
        return MHD_NO;
    switch (exchange->state) {
    case HEADERS:
        return on_headers(exchange, method);
    case BODY:
        if (*upload_size > 0) {
            size_t size = *upload_size;

            if (exchange->upload && upload_is_busy(exchange->upload))
                return MHD_YES; /* asked while the connection is being suspended: later */
            *upload_size = 0;
            return on_body(exchange, upload, size);
        }
        return on_complete(exchange);
    case SKIPPING:
        if (*upload_size > 0) {
            *upload_size = 0;
            return MHD_YES;
        }
        return send_answer(exchange);
    case ANSWERED:
        return send_answer(exchange);
    case HANDLING:
    case SENDING:
        break;
    }
    return MHD_YES;
}

static void end(struct exchange *exchange, bool answered)
{
    struct api *api = exchange->api;

    if (!exchange->metric)
        return;
    if (answered)
        metric_end(exchange->metric, exchange->res.http_status, exchange->took_us, exchange->received,
                   exchange->res.size);
    else
        metric_abandon(exchange->metric);
    pthread_mutex_lock(&api->mu);
    if (--api->busy == 0)
        (void)pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->mu);
}

void exchange_close(void *api, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;

    (void)api;
    (void)mhd;
    (void)code;
    *context = NULL;
    if (!exchange)
        return;
    if (exchange->drain_fd >= 0)
        drain_take(exchange->api->drain, exchange->drain_fd);
    set_deadline(exchange, clock_monotonic_ms() + exchange->api->limits.headers_ms);
    forget_body(exchange);
    exchange_end_upload(exchange);
    response_free(&exchange->res);
    end(exchange, exchange->state == SENDING);
    free(exchange);
}
