/* The server's inside, shared by server.c (its life) and exchange.c (that of a request). */
#ifndef AIBOX_API_SERVER_STATE_H
#define AIBOX_API_SERVER_STATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/access.h"
#include "api/connections.h"
#include "api/drain.h"
#include "api/listen.h"
#include "api/metrics.h"
#include "api/refusals.h"
#include "api/route.h"
#include "api/server.h"
#include "api/stream.h"
#include "api/tls.h"
#include "core/pool.h"

struct api {
    /* Set by api_server_open and constant until api_close. */
    struct api_context ctx;
    struct api_limits limits; /* no member is 0 */
    const struct api_endpoint *table;
    size_t n;
    struct listening listening;
    struct tls tls;
    int local_fd;               /* -1: no Unix socket */
    char url[LISTEN_TEXT + 16]; /* "http://127.0.0.1:5555" */
    struct route_table routes;
    struct access *access;
    struct metrics *metrics;
    struct connections *connections;
    struct drain *drain;
    struct streams *streams;
    struct pool *pool;
    struct refusals *refusals; /* NULL: they are not kept */
    struct MHD_Daemon *daemon;
    struct MHD_Daemon *local_daemon; /* on the Unix socket; NULL without */

    atomic_size_t body_bytes; /* held in bodies */
    atomic_uint uploads;      /* under way */
    atomic_bool closing;      /* nobody new is let in, answers close their connections */
    atomic_bool hurry;        /* the time to close in is over: calls that wait are refused. Set under `mu` */
    pthread_mutex_t mu;       /* guards what follows */
    pthread_cond_t changed;   /* `busy` or `handling` has become 0 */
    size_t busy;              /* requests between their headers and the end of their answers */
    size_t handling;          /* requests that a handler thread has or will get */
};

/* ---- callbacks of libmicrohttpd, exchange.c -------------------------------------------------------------- */

/* MHD_OPTION_URI_LOG_CALLBACK: begins an exchange; `target` as it came. */
void *exchange_open(void *api, const char *target, struct MHD_Connection *mhd);
/* The access handler; `context`: the exchange. */
enum MHD_Result exchange_step(void *api, struct MHD_Connection *mhd, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **context);
/* MHD_OPTION_NOTIFY_COMPLETED: ends it. */
void exchange_close(void *api, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code);

#endif
