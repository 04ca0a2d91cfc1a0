/* The box at the other end: its REST API over one keep-alive connection. */
#ifndef AIBOXCTL_BOX_H
#define AIBOXCTL_BOX_H

#include <jansson.h>
#include <stddef.h>

#include "core/buffer.h"
#include "core/status.h"

#define BOX_DEFAULT_URL "http://127.0.0.1:5555"

/* Where it is: `url`, else the Unix socket in `data`, else that of a data folder in its usual places, else
 * BOX_DEFAULT_URL. */
struct box_address {
    const char *url;         /* "http://host:port", also without "http://"; NULL: not told */
    const char *data;        /* folder; NULL: not told */
    const char *key;         /* sent as bearer token; NULL: none */
    const char *certificate; /* file with the certificate of a https box that nobody known has signed; NULL: none */
};

/* One connection, for one thread at a time. */
struct box;

/* Opens nothing on the network yet. PARAM: not a URL of http or https, a key with control characters. */
enum aibox_status box_open(const struct box_address *address, struct box **out, struct aibox_error *err);
void box_close(struct box *box); /* NULL is allowed */
/* Where it was found, for people. Valid until box_close(). */
const char *box_place(const struct box *box);

/*
 * One call. `path` begins with '/'; `body` NULL: none. *answer (may be NULL) is the whole answer, a new reference.
 * Errors: the box's own, with its message and wire code ("identity_id: 10086 exists (40011)"); REMOTE_FAILED when it
 * can't be reached; REMOTE_DATA when it answers with something else.
 */
enum aibox_status box_call(struct box *box, const char *method, const char *path, const json_t *body, json_t **answer,
                           struct aibox_error *err);

/* GET of something that is not JSON: its bytes replace what is in `out`. Errors as box_call(). */
enum aibox_status box_get_bytes(struct box *box, const char *path, struct buffer *out, struct aibox_error *err);

/* Building paths: text percent-encoded (RFC 3986) into one segment, and `?name=value` or `&name=value`. */
void box_path_segment(struct buffer *path, const char *text);
void box_path_query(struct buffer *path, const char *name, const char *value);
void box_path_query_int(struct buffer *path, const char *name, long long value);

#endif
