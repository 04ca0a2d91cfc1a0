/*
 * The web console: its pages at /, /pad and /greeter, its files below /assets/. They hold nothing of the box, and need
 * no credential; what they show comes from the calls that everybody uses.
 *
 * The content security policy lets a page run and fetch what comes from the box alone. Styles that a script makes need
 * the nonce of the answer that brought the page.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/resources.h"
#include "api/site.h"
#include "core/id.h"

#define POLICY_MAX 512
#define ASSET_PATH 256

static void reply_policy(struct api_response *res, const char *nonce)
{
    char policy[POLICY_MAX];

    (void)snprintf(policy, sizeof policy,
                   "default-src 'self'; script-src 'self'; style-src 'self' 'nonce-%s'; img-src 'self' blob: data:; "
                   "media-src 'self' blob:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
                   "form-action 'self'; frame-ancestors 'none'",
                   nonce);
    api_reply_header(res, "Content-Security-Policy", policy);
    api_reply_header(res, "Permissions-Policy", "camera=(self), microphone=(), geolocation=()");
}

/* The page differs from answer to answer by its nonce, so it is asked for each time; it is small. */
static enum aibox_status get_page(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                  struct aibox_error *err)
{
    const struct site_file *file = site_find("/index.html");
    uint8_t random[32];
    char nonce[65];
    uint8_t *plain;
    uint8_t *page;
    size_t size;
    enum aibox_status status;

    (void)ctx;
    (void)req;
    if (!file)
        return error_set(err, AIBOX_NO_PATH, "this program was built without the console; `make build` builds both");
    status = site_plain(file, &plain, &size, err);
    if (status != AIBOX_OK)
        return status;
    id_random(random, sizeof random);
    id_sha256_hex(random, sizeof random, nonce);
    page = site_put_nonce(plain, size, nonce, &size);
    free(plain);
    if (!page)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    reply_policy(res, nonce);
    api_reply_header(res, "Cache-Control", "no-store");
    api_reply_bytes_take(res, file->type, page, size);
    return AIBOX_OK;
}

/* Takes a copy of what the client understands. */
static enum aibox_status reply_file(const struct site_file *file, enum site_coding coding, struct api_response *res,
                                    struct aibox_error *err)
{
    const struct site_bytes *packed = coding == SITE_BROTLI ? &file->brotli : &file->gzip;
    uint8_t *bytes;
    size_t size;
    enum aibox_status status = AIBOX_OK;

    if (coding == SITE_PLAIN || !packed->data) {
        status = site_plain(file, &bytes, &size, err);
    } else {
        size = packed->size;
        bytes = malloc(size + 1);
        if (!bytes)
            return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        memcpy(bytes, packed->data, size);
        api_reply_header(res, "Content-Encoding", coding == SITE_BROTLI ? "br" : "gzip");
    }
    if (status == AIBOX_OK)
        api_reply_bytes_take(res, file->type, bytes, size);
    return status;
}

/* The names of these files carry a hash of their contents: what was fetched once is good for ever. */
static enum aibox_status get_asset(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    char path[ASSET_PATH];
    const struct site_file *file = NULL;

    (void)ctx;
    if (snprintf(path, sizeof path, "/assets/%s", api_text(req, "name")) < (int)sizeof path)
        file = site_find(path);
    if (!file)
        return error_set(err, AIBOX_NO_PATH, "no such file of the console");
    api_reply_header(res, "ETag", file->etag);
    api_reply_header(res, "Cache-Control", "public, max-age=31536000, immutable");
    api_reply_header(res, "Vary", "Accept-Encoding");
    if (site_etag_matches(api_header(req, "If-None-Match"), file->etag)) {
        uint8_t *nothing = malloc(1);

        if (!nothing)
            return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        api_reply_status(res, 304);
        api_reply_bytes_take(res, file->type, nothing, 0);
        return AIBOX_OK;
    }
    return reply_file(file, site_coding_of(api_header(req, "Accept-Encoding")), res, err);
}

#define PAGE(where)                                                                                                    \
    {                                                                                                                  \
        .method = "GET", .path = where, .encodings = API_QUERY, .role = API_OPEN, .quick = true, .handler = get_page,  \
        .page = true                                                                                                   \
    }

const struct api_endpoint api_site_endpoints[] = {
    PAGE("/"),
    PAGE("/pad"),
    PAGE("/greeter"),
    {.method = "GET",
     .path = "/assets/{name}",
     .encodings = API_QUERY,
     .role = API_OPEN,
     .quick = true,
     .handler = get_asset,
     .page = true},
};
const size_t api_site_count = sizeof api_site_endpoints / sizeof api_site_endpoints[0];
