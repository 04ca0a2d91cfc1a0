/* Asking over HTTP within limits (libcurl). */
#ifndef AIBOX_CORE_FETCH_H
#define AIBOX_CORE_FETCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct fetch_options {
    int64_t timeout_ms;     /* for the whole transfer */
    size_t max_bytes;       /* of the body */
    unsigned max_redirects; /* of a GET, only to http and https; a POST follows none */
    bool verify_tls;
    bool keep_refusal; /* the body of an answer with another status than 200 is handed out, with the failure */
    atomic_bool *stop; /* becomes true: the transfer ends within a second, REMOTE_FAILED; NULL: never */
};

struct fetch_result {
    uint8_t *body; /* malloc, NULL when empty */
    size_t size;
    int http_status;
    bool unanswered; /* after a failure: nobody answered, or not in time */
};

/*
 * GET of an http or https URL. Anything else than 200, no answer, a timeout or too many redirects: REMOTE_FAILED;
 * another scheme or no URL: PARAM; a body over max_bytes: IMAGE_TOO_LARGE. Proxies by environment. Any thread; blocks.
 */
enum aibox_status fetch_get(const char *url, const struct fetch_options *options, struct fetch_result *out,
                            struct aibox_error *err);
void fetch_result_free(struct fetch_result *result);

/* One who asks again and again: connections are kept between requests. One thread at a time. */
struct fetcher;

enum aibox_status fetcher_open(struct fetcher **out, struct aibox_error *err);
void fetcher_close(struct fetcher *fetcher); /* NULL is allowed */

/* As fetch_get(). */
enum aibox_status fetcher_get(struct fetcher *fetcher, const char *url, const struct fetch_options *options,
                              struct fetch_result *out, struct aibox_error *err);
/* POST of a JSON text. Any answer is a result, of whatever http_status; else as fetch_get(). */
enum aibox_status fetcher_post(struct fetcher *fetcher, const char *url, const char *json, size_t size,
                               const struct fetch_options *options, struct fetch_result *out, struct aibox_error *err);

#endif
