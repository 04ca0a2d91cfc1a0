/* An answer being made. */
#ifndef AIBOX_API_RESPONSE_H
#define AIBOX_API_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/endpoint.h"
#include "api/stream.h"
#include "core/json_out.h"
#include "core/status.h"

#define RESPONSE_MAX_BODY    ((size_t)256 << 20) /* bytes */
#define RESPONSE_MAX_HEADERS 8

struct api_response {
    struct json_out json;
    struct stream_source stream; /* instead of `json`; owned */
    uint8_t *bytes;              /* instead of `json`, or what was taken from it; owned */
    size_t size;
    const char *type; /* Content-Type; static text */
    int http_status;
    struct {
        char *name, *value; /* one allocation, owned by `name` */
    } headers[RESPONSE_MAX_HEADERS];
    size_t n_headers;
    bool failed; /* a header did not fit */
};

void response_init(struct api_response *res);
void response_free(struct api_response *res);

/* Makes the answer from what the handler left: its body, or the error. Then `stream`, or `bytes` and `size`, `type` and
 * `http_status` are what is sent. An unbalanced body becomes PROCESS_FAILED, logged with `what` (method and path). */
void response_finish(struct api_response *res, enum aibox_status status, const struct aibox_error *err,
                     const char *what);

/* {"error": {…}} as a text of its own; NULL when memory runs out. The caller frees it. */
uint8_t *response_error_body(enum aibox_status status, const char *message, size_t *size);

#endif
