/* Downloads over HTTP within limits (libcurl). */
#ifndef AIBOX_CORE_FETCH_H
#define AIBOX_CORE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct fetch_options {
    int64_t timeout_ms;     /* for the whole transfer */
    size_t max_bytes;       /* of the body */
    unsigned max_redirects; /* only to http and https */
    bool verify_tls;
};

struct fetch_result {
    uint8_t *body; /* malloc, NULL when empty */
    size_t size;
};

/*
 * GET of an http or https URL. Anything else than 200, no answer, a timeout or too many redirects: REMOTE_FAILED;
 * another scheme or no URL: PARAM; a body over max_bytes: IMAGE_TOO_LARGE. Proxies by environment. Any thread; blocks.
 */
enum aibox_status fetch_get(const char *url, const struct fetch_options *options, struct fetch_result *out,
                            struct aibox_error *err);
void fetch_result_free(struct fetch_result *result);

#endif
