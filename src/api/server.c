#include "api/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/server_state.h"
#include "core/clock.h"
#include "core/log.h"

#define LOCAL_CONNECTIONS 64
#define CONNECTION_MEMORY ((size_t)32 << 10) /* for headers, and the pieces in which bodies come */

static size_t usual(size_t value, size_t otherwise)
{
    return value ? value : otherwise;
}

static unsigned usual_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores < 2 ? 2 : cores > 4 ? 4 : (unsigned)cores;
}

/* Fills in what was left to us. */
static struct api_limits complete_limits(const struct api_limits *given, const struct settings *settings)
{
    struct api_limits limits = given ? *given : (struct api_limits){0};

    limits.http_threads = limits.http_threads ? limits.http_threads : usual_threads();
    limits.handler_threads = usual(limits.handler_threads, 32);
    limits.handler_queue = usual(limits.handler_queue, 256);
    limits.connections = limits.connections ? limits.connections : 1024;
    limits.per_address = usual(limits.per_address, 256);
    limits.idle_s = limits.idle_s ? limits.idle_s : 30;
    limits.headers_ms = limits.headers_ms ? limits.headers_ms : 60000;
    limits.body_ms = limits.body_ms ? limits.body_ms : 30000;
    limits.bytes_per_s = usual(limits.bytes_per_s, 4096);
    limits.max_body = usual(limits.max_body, (size_t)settings_int(settings, "http.max_body_mib") << 20);
    limits.all_bodies = usual(limits.all_bodies, (size_t)512 << 20);
    limits.drain_bytes = usual(limits.drain_bytes, (size_t)64 << 20);
    limits.drain_ms = limits.drain_ms ? limits.drain_ms : 5000;
    return limits;
}

/* ---- callbacks of libmicrohttpd ------------------------------------------------------------------------- */

static enum MHD_Result on_accept(void *arg, const struct sockaddr *peer, socklen_t size)
{
    const struct api *api = arg;
    struct address address = address_of(peer);

    (void)size;
    if (atomic_load(&api->closing))
        return MHD_NO;
    if (peer->sa_family == AF_UNIX)
        return MHD_YES;
    return connections_admit(api->connections, &address) ? MHD_YES : MHD_NO;
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    const struct api *api = arg;
    const union MHD_ConnectionInfo *fd;
    const union MHD_ConnectionInfo *peer;
    struct address address;
    bool local;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            connections_remove(api->connections, *context);
        *context = NULL;
        return;
    }
    fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    peer = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!fd || !peer)
        return;
    address = address_of(peer->client_addr);
    local = peer->client_addr->sa_family == AF_UNIX && listen_peer_is_own(fd->connect_fd);
    *context = connections_add(api->connections, fd->connect_fd, &address, local,
                               clock_monotonic_ms() + api->limits.headers_ms);
}

/* What it has to say is about single connections. */
static void on_message(void *arg, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void on_message(void *arg, const char *format, va_list args)
{
    char text[256];

    (void)arg;
    if (vsnprintf(text, sizeof text, format, args) < 0)
        return;
    text[strcspn(text, "\n")] = '\0';
    log_debug("api", "%s", text);
}

/* ---- opening ---------------------------------------------------------------------------------------------- */

/* `fd` is the library's from here on; whether a failed start has closed it can't be told. */
static struct MHD_Daemon *start_one(struct api *api, int *fd, unsigned threads, unsigned connections,
                                    const struct tls *tls)
{
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, tls ? tls->certificate : NULL},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, tls ? tls->key : NULL},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, tls_priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                           (tls ? (unsigned)MHD_USE_TLS : 0U);
    int listening = *fd;

    *fd = -1;
    /* The logger goes first: it counts for the options behind it. */
    return MHD_start_daemon(
        flags, 0, on_accept, api, exchange_step, api, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
        MHD_OPTION_LISTEN_SOCKET, listening, threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_CONNECTION_LIMIT,
        threads > 1 ? threads : connections, MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
        api->limits.idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_open, api, MHD_OPTION_NOTIFY_COMPLETED, exchange_close, api,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, api, MHD_OPTION_ARRAY, tls ? secure : plain, MHD_OPTION_END);
}

static enum aibox_status start_daemons(struct api *api, struct aibox_error *err)
{
    api->daemon = start_one(api, &api->listening.fd, api->limits.http_threads, api->limits.connections,
                            api->tls.on ? &api->tls : NULL);
    if (!api->daemon)
        return error_set(err, AIBOX_PROCESS_FAILED, "the HTTP server can't be started");
    if (!api->ctx.data_dir)
        return AIBOX_OK;
    enum aibox_status status = listen_local_open(api->ctx.data_dir, &api->local_fd, err);
    if (status != AIBOX_OK)
        return status;
    api->local_daemon = start_one(api, &api->local_fd, 1, LOCAL_CONNECTIONS, NULL);
    if (!api->local_daemon)
        return error_set(err, AIBOX_PROCESS_FAILED, "the server of the Unix socket can't be started");
    return AIBOX_OK;
}

static enum aibox_status start_pool(struct api *api, struct aibox_error *err)
{
    const struct pool_options options = {
        .name = "api",
        .threads = api->limits.handler_threads,
        .queue_max = {[POOL_URGENT] = api->limits.handler_queue},
    };

    return pool_open(&options, &api->pool, err);
}

/* Both may be missing. */
static void stop_daemons(struct api *api)
{
    if (api->local_daemon) {
        MHD_stop_daemon(api->local_daemon);
        listen_local_remove(api->ctx.data_dir);
    }
    if (api->daemon)
        MHD_stop_daemon(api->daemon);
}

/* Frees all that was opened; the daemons must not run. */
static void free_parts(struct api *api)
{
    pool_close(api->pool);
    refusals_close(api->refusals);
    drain_close(api->drain);
    streams_close(api->streams);
    connections_close(api->connections);
    access_close(api->access);
    metrics_close(api->metrics);
    route_table_free(&api->routes);
    tls_free(&api->tls);
    if (api->listening.fd >= 0)
        (void)close(api->listening.fd);
    if (api->local_fd >= 0)
        (void)close(api->local_fd);
    (void)pthread_cond_destroy(&api->changed);
    (void)pthread_mutex_destroy(&api->mu);
    free(api);
}

static enum aibox_status open_parts(struct api *api, const char *listen, struct aibox_error *err)
{
    enum aibox_status status = route_table_make(api->table, api->n, &api->routes, err);

    if (status == AIBOX_OK)
        status = listen_open(listen, &api->listening, err);
    if (status == AIBOX_OK)
        status = tls_load(api->ctx.settings, api->ctx.data_dir, &api->tls, err);
    if (status == AIBOX_OK)
        status = access_open(api->ctx.settings, api->ctx.accounts, api->ctx.terminals, api->listening.loopback,
                             &api->access, err);
    if (status == AIBOX_OK)
        status = metrics_open(api->table, api->n, &api->metrics, err);
    if (status == AIBOX_OK)
        status = connections_open(api->limits.per_address, &api->connections, err);
    if (status == AIBOX_OK)
        status = drain_open(api->limits.drain_bytes, api->limits.drain_ms, &api->drain, err);
    if (status == AIBOX_OK)
        status = streams_open(&api->streams, err);
    if (status == AIBOX_OK && api->ctx.accounts && api->ctx.store)
        status = refusals_open(api->ctx.store, &api->refusals, err);
    if (status == AIBOX_OK)
        status = start_pool(api, err);
    if (status == AIBOX_OK)
        status = start_daemons(api, err);
    return status;
}

enum aibox_status api_server_open(const struct api_endpoint *table, size_t n, const struct api_context *ctx,
                                  const char *listen, const struct api_limits *limits, struct api **out,
                                  struct aibox_error *err)
{
    struct api *api = calloc(1, sizeof *api);
    enum aibox_status status;

    *out = NULL;
    if (!api)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (pthread_mutex_init(&api->mu, NULL) != 0) {
        free(api);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    if (!clock_cond_init(&api->changed)) {
        (void)pthread_mutex_destroy(&api->mu);
        free(api);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    api->ctx = *ctx;
    api->table = table;
    api->n = n;
    api->listening.fd = -1;
    api->local_fd = -1;
    api->limits = complete_limits(limits, ctx->settings);
    status = open_parts(api, listen, err);
    if (status != AIBOX_OK) {
        stop_daemons(api);
        free_parts(api);
        return status;
    }
    (void)snprintf(api->url, sizeof api->url, "%s://%s", api->tls.on ? "https" : "http", api->listening.address);
    if (!api->listening.loopback && !api->tls.on)
        log_warn("api", "other machines reach this box over plain HTTP: passwords and photos can be read on the way; "
                        "tls.mode=self or files encrypts");
    *out = api;
    return AIBOX_OK;
}

/* ---- while it is open ------------------------------------------------------------------------------------- */

const char *api_address(const struct api *api)
{
    return api->listening.address;
}

const char *api_url(const struct api *api)
{
    return api->url;
}

const char *api_fingerprint(const struct api *api)
{
    return api->tls.fingerprint;
}

const struct api_endpoint *api_table(const struct api *api, size_t *n)
{
    *n = api->n;
    return api->table;
}

bool api_is_loopback(const struct api *api)
{
    return api->listening.loopback;
}

static void print_figure(struct buffer *out, const char *name, const char *type, const char *help, uint64_t value)
{
    (void)buffer_appendf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                         (unsigned long long)value);
}

struct access *api_access(const struct api *api)
{
    return api->access;
}

void api_metrics(const struct api *api, struct buffer *out)
{
    struct pool_counters counters;
    size_t open;
    uint64_t ended;

    metrics_print(api->metrics, out);
    connections_count(api->connections, &open, &ended);
    pool_count(api->pool, &counters);
    print_figure(out, "aibox_http_connections", "gauge", "Connections open.", open);
    print_figure(out, "aibox_http_connections_ended_total", "counter", "Connections ended for being too slow.", ended);
    print_figure(out, "aibox_http_handlers_running", "gauge", "Handler threads at work.", counters.running);
    print_figure(out, "aibox_http_handlers_waiting", "gauge", "Calls waiting for a handler thread.",
                 counters.waiting[POOL_URGENT]);
    print_figure(out, "aibox_http_handlers_refused_total", "counter", "Calls refused because too many were waiting.",
                 counters.refused[POOL_URGENT]);
}

/* ---- closing ---------------------------------------------------------------------------------------------- */

/* Waits until no request is being worked on, at most `grace_ms`. */
static void wait_until_idle(struct api *api, int64_t grace_ms)
{
    struct timespec until = clock_deadline(grace_ms);

    pthread_mutex_lock(&api->mu);
    while (api->busy > 0 && pthread_cond_timedwait(&api->changed, &api->mu, &until) == 0)
        ;
    if (api->busy > 0)
        log_warn("api", "requests are cut off count=%zu", api->busy);
    pthread_mutex_unlock(&api->mu);
}

/* A handler can't be stopped midway: those that run are waited for, those that wait are refused. */
static void wait_for_handlers(struct api *api)
{
    pthread_mutex_lock(&api->mu);
    atomic_store(&api->hurry, true);
    while (api->handling > 0)
        (void)pthread_cond_wait(&api->changed, &api->mu);
    pthread_mutex_unlock(&api->mu);
}

void api_close(struct api *api, int64_t grace_ms)
{
    if (!api)
        return;
    /* MHD_quiesce_daemon() would race with threads at their connection limit, and abort: newcomers are sent away. */
    atomic_store(&api->closing, true);
    wait_until_idle(api, grace_ms);
    /* All connections have been resumed then, as the library demands. */
    wait_for_handlers(api);
    streams_break(api->streams);
    stop_daemons(api);
    free_parts(api);
}
