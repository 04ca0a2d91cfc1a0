/*
 * The HTTP server behind api.h, for a table of the caller's. libmicrohttpd does HTTP on a few threads of its own
 * (epoll); `quick` endpoints run there, all others on handler threads while their connection is suspended.
 */
#ifndef AIBOX_API_SERVER_H
#define AIBOX_API_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "api/endpoint.h"
#include "core/buffer.h"
#include "core/status.h"

/* What the server bears. 0 in any member: the usual. */
struct api_limits {
    unsigned http_threads;  /* cores, 2 to 4 */
    size_t handler_threads; /* 32 */
    size_t handler_queue;   /* calls waiting for one: 256; beyond TOO_MANY_REQUESTS */
    unsigned connections;   /* 1,024; further ones wait to be accepted */
    size_t per_address;     /* connections of one address but loopback: 256 */
    unsigned idle_s;        /* a connection without a byte: 30 s */
    int64_t headers_ms;     /* for a request's headers, from the connection's begin or the last answer: 60 s */
    int64_t body_ms;        /* for a body, besides the time it takes at bytes_per_s: 30 s; also for an answer */
    size_t bytes_per_s;     /* slowest client borne: 4,096 */
    size_t max_body;        /* bytes; the setting http.max_body_mib */
    size_t all_bodies;      /* bytes in all bodies being received or worked on: 512 MiB; beyond TOO_MANY_REQUESTS */
    size_t drain_bytes;     /* of a body that was refused: 64 MiB */
    int64_t drain_ms;       /* 5 s */
};

/* `table` and what `ctx` points to must outlive the server; flow and store may be NULL where no handler needs them.
 * `limits` NULL: all usual. Errors as api_open(). */
enum aibox_status api_server_open(const struct api_endpoint *table, size_t n, const struct api_context *ctx,
                                  const char *listen, const struct api_limits *limits, struct api **out,
                                  struct aibox_error *err);

struct access;

/* ---- for handlers of the server itself ------------------------------------------------------------------ */

const struct api_endpoint *api_table(const struct api *api, size_t *n);
bool api_is_loopback(const struct api *api); /* listens on an address of this machine only */
struct access *api_access(const struct api *api);
/* Appends the server's metrics as Prometheus text. Any thread. */
void api_metrics(const struct api *api, struct buffer *out);

#endif
