/*
 * An answer that is made while it is sent: a producer writes on a thread of its own, the HTTP thread sends, and between
 * them lies a small buffer, so that an answer of any size takes no memory and a slow client delays nobody.
 *
 * Who waits: the producer, in api_stream_write(), while the buffer is full; the connection, suspended, while it is
 * empty. A stream lives until both its connection and its producer have let go of it.
 */
#ifndef AIBOX_API_STREAM_H
#define AIBOX_API_STREAM_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/endpoint.h"
#include "core/status.h"

struct streams; /* of one server */

enum aibox_status streams_open(struct streams **out, struct aibox_error *err);
/* Breaks off all streams, also those to come, and resumes their connections. */
void streams_break(struct streams *streams);
/* After streams_break and the end of all connections: waits for the producers. NULL is allowed. */
void streams_close(struct streams *streams);

/* What an answer has to be made of. */
struct stream_source {
    api_producer produce; /* NULL: no stream */
    void *ctx;
    void (*free_ctx)(void *ctx);
};

/* Told from the HTTP thread: how many bytes go out next; 0: the connection rests until there are some. */
typedef void (*stream_watch)(void *ctx, size_t bytes);

/*
 * The response for `mhd`, which the caller queues and destroys. Takes the source; free_ctx is called in any case, after
 * the producer has ended. NULL when there are too many streams (TOO_MANY_REQUESTS) or no memory. The producer is
 * started when the first byte is wanted: never for HEAD. `watch` is not called any more once the exchange is over.
 */
struct MHD_Response *stream_respond(struct streams *streams, struct MHD_Connection *mhd,
                                    const struct stream_source *source, stream_watch watch, void *watch_ctx,
                                    struct aibox_error *err);

#endif
