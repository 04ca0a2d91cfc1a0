/* One request and its answer: what exchange.c, which leads it through its states, and exchange_headers.c, which reads
 * its headers, share. */
#ifndef AIBOX_API_EXCHANGE_H
#define AIBOX_API_EXCHANGE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/arguments.h"
#include "api/request.h"
#include "api/response.h"
#include "api/server_state.h"
#include "api/upload.h"
#include "core/buffer.h"
#include "core/status.h"

#define EXCHANGE_BOUNDARY 70 /* RFC 2046 § 5.1.1 */

enum exchange_state { HEADERS, BODY, SKIPPING, HANDLING, ANSWERED, SENDING };

struct exchange {
    struct api *api;
    struct MHD_Connection *mhd;
    struct connection *connection; /* NULL: there was no memory to watch it */
    enum exchange_state state;
    const struct api_endpoint *endpoint; /* NULL: refused before it was known */
    struct metric *metric;               /* NULL: not counted yet */
    const char *path;                    /* in `target` */
    size_t path_size;
    const char *path_name; /* the last segment, where the endpoint has it as an argument */
    size_t path_name_size;
    char *query; /* in `target`; "" without */
    struct arguments_source source;
    char boundary[EXCHANGE_BOUNDARY + 1];
    uint64_t announced; /* Content-Length; 0 without body, MHD_SIZE_UNKNOWN if chunked */
    struct buffer body;
    bool head;             /* the answer's body is not sent */
    bool keeps_body;       /* it holds arguments */
    struct upload *upload; /* the body, where it goes to disk; NULL else */
    uint64_t max_body;     /* bytes */
    size_t received;       /* bytes of body, kept or not */
    int64_t begun_ms;      /* when the body began */
    int64_t complete_us;   /* when the request was there */
    int64_t took_us;
    bool close;   /* the connection can't be used again */
    int drain_fd; /* -1: nothing to drain */
    struct api_response res;
    struct aibox_error err;
    struct api_request req;
    struct access_grant grant;
    size_t target_size;
    char target[]; /* the request target */
};

/* The value of a request header, NULL without. */
const char *exchange_header(const struct exchange *exchange, const char *name);

/*
 * Reads the headers: endpoint, path, query, encoding, announced length. In the order in which errors win (codes.md):
 * what is asked for, by whom, how large, in which Content-Type. Fills exchange->err.
 */
enum aibox_status exchange_read_headers(struct exchange *exchange, const char *method);

/* Asks who calls, see access_check(). Fills exchange->err. */
enum aibox_status exchange_check_access(struct exchange *exchange, bool may_wait);

/* A handler thread is to work on a connection, which the caller suspends. False when none is to any more. */
bool exchange_begin_handling(struct api *api);
/* The connection has been resumed. */
void exchange_leave_handling(struct api *api);
/* Why not: fills exchange->err. */
enum aibox_status exchange_say_closing(struct exchange *exchange);

/* exchange_upload.c, on the HTTP thread. All fill exchange->err. */
enum aibox_status exchange_begin_upload(struct exchange *exchange);
/* A piece; may suspend the connection. Not while upload_is_busy(). */
enum aibox_status exchange_take_upload(struct exchange *exchange, const char *bytes, size_t size);
void exchange_end_upload(struct exchange *exchange);

#endif
