/*
 * The client's side of HTTP/1.1, as little as measuring needs: keep-alive, answers with a Content-Length. Written for
 * this because the client shares the processor with the box, and must not be what is measured.
 */
#ifndef AIBOX_BENCH_CONNECTION_H
#define AIBOX_BENCH_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"
#include "core/status.h"
#include "daemon.h"

#define CONNECTION_ANSWER_MAX ((size_t)32 * 1024 * 1024)

struct connection {
    int socket;
    struct buffer in; /* the answer being read: head and body */
};

struct answer {
    int http;
    const char *body; /* NUL-terminated, in the connection's buffer: valid until the next call */
    size_t size;
};

/* One thread at a time. PROCESS_FAILED. */
enum aibox_status connection_open(const struct daemon *daemon, struct connection *out, struct aibox_error *err);
void connection_close(struct connection *connection);

/* Sends a request made by request_build() and waits for the answer. PROCESS_FAILED: the connection is of no use. */
enum aibox_status connection_call(struct connection *connection, const struct buffer *request, struct answer *answer,
                                  struct aibox_error *err);

/* A whole request; `body` "" for none. Check request->failed. */
void request_build(struct buffer *request, const struct daemon *daemon, const char *method, const char *path,
                   const char *body);

/* Looks at the head of an answer: false while it is not all there. *total: bytes of head and body together, 0 when the
 * head can't be understood. */
bool answer_head(const char *bytes, size_t size, int *http, size_t *head, size_t *total);

#endif
