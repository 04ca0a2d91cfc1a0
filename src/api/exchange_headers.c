#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/exchange.h"
#include "api/header_value.h"

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, name);
}

/* Cuts the target in path and query; of an absolute one (RFC 9112 § 3.2.2) the authority goes. */
static void split_target(struct exchange *exchange)
{
    char *path = exchange->target;
    char *question;

    if (strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0) {
        path = strstr(path, "://") + 3;
        path += strcspn(path, "/?");
    }
    question = strchr(path, '?');
    if (question)
        *question = '\0';
    exchange->path = path;
    exchange->path_size = strlen(path);
    exchange->query = question ? question + 1 : exchange->target + exchange->target_size;
}

struct framing {
    unsigned lengths, encodings; /* how often the headers occur */
    bool chunked;
    bool length_valid;
    uint64_t length;
};

/* Reads Content-Length: digits alone. */
static bool read_length(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && errno == 0;
}

static enum MHD_Result note_framing(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct framing *framing = arg;

    (void)kind;
    if (strcasecmp(name, "Content-Length") == 0) {
        framing->lengths++;
        framing->length_valid = value && read_length(value, &framing->length);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        framing->encodings++;
        framing->chunked = value && strcasecmp(value, "chunked") == 0;
    }
    return MHD_YES;
}

/* How long the body is. What two programs could understand differently (RFC 9112 § 6.3) is refused. */
static enum aibox_status read_framing(struct exchange *exchange)
{
    struct framing framing = {0};

    (void)MHD_get_connection_values(exchange->mhd, MHD_HEADER_KIND, note_framing, &framing);
    if (framing.encodings == 0 && framing.lengths == 0)
        return AIBOX_OK;
    exchange->announced = framing.encodings ? MHD_SIZE_UNKNOWN : framing.length;
    if (framing.encodings + framing.lengths == 1 && (framing.chunked || framing.length_valid))
        return AIBOX_OK;
    exchange->announced = MHD_SIZE_UNKNOWN;
    exchange->close = true;
    return error_set(&exchange->err, AIBOX_BAD_REQUEST,
                     "expected one Content-Length, or Transfer-Encoding: chunked, to tell the body's length");
}

/* A path without that method: 405, which needs an Allow header. */
static enum aibox_status refuse_method(struct exchange *exchange, const struct route *route, const char *method)
{
    char allow[ROUTE_ALLOW];

    route_print_allow(route, allow);
    api_reply_header(&exchange->res, "Allow", allow);
    return error_set(&exchange->err, AIBOX_METHOD, "%.20s is not offered here; %s is", method, allow);
}

static enum aibox_status find_endpoint(struct exchange *exchange, const char *method)
{
    const struct route *route = route_find(&exchange->api->routes, exchange->path, exchange->path_size,
                                           &exchange->path_name, &exchange->path_name_size);
    enum route_method index;

    if (!route)
        return error_set(&exchange->err, AIBOX_NO_PATH, "no such path: %.200s", exchange->path);
    if (!route->has_name)
        exchange->path_name = NULL;
    if (!route_method_of(method, &index) || !route->by_method[index])
        return refuse_method(exchange, route, method);
    exchange->endpoint = route->by_method[index];
    return AIBOX_OK;
}

enum aibox_status exchange_check_access(struct exchange *exchange, bool may_wait)
{
    struct access_caller caller = {
        .host = exchange_header(exchange, "Host"),
        .origin = exchange_header(exchange, "Origin"),
        .fetch_site = exchange_header(exchange, "Sec-Fetch-Site"),
        .authorization = exchange_header(exchange, "Authorization"),
        .cookie = exchange_header(exchange, "Cookie"),
    };
    enum aibox_status status;
    char seconds[16];

    if (exchange->connection) {
        caller.address = *connection_address(exchange->connection);
        caller.local = connection_is_local(exchange->connection);
        caller.secure = exchange->api->tls.on && !caller.local;
    }
    status =
        access_check(exchange->api->access, exchange->endpoint, &caller, may_wait, &exchange->grant, &exchange->err);
    if (status == AIBOX_UNAUTHORIZED || status == AIBOX_FORBIDDEN)
        refusals_note(exchange->api->refusals, exchange->endpoint, &exchange->grant, status_http(status));
    if (status == AIBOX_TOO_MANY_REQUESTS) {
        (void)snprintf(seconds, sizeof seconds, "%u", exchange->grant.retry_after_s);
        api_reply_header(&exchange->res, "Retry-After", seconds);
    }
    return status;
}

static enum aibox_status check_size(struct exchange *exchange)
{
    const struct api_upload_rules *upload = exchange->endpoint->upload;

    exchange->max_body = exchange->api->limits.max_body;
    if (upload)
        exchange->max_body = (uint64_t)settings_int(exchange->api->ctx.settings, upload->limit_setting) << 20;
    if (exchange->announced == MHD_SIZE_UNKNOWN || exchange->announced <= exchange->max_body)
        return AIBOX_OK;
    return error_set(&exchange->err, AIBOX_PAYLOAD_TOO_LARGE, "the body is larger than %" PRIu64 " bytes",
                     exchange->max_body);
}

/* Only UTF-8 and its subset are understood. */
static bool charset_is_utf8(const char *type, size_t size)
{
    char charset[16];

    switch (header_value_parameter(type, size, "charset", charset, sizeof charset)) {
    case HEADER_PARAMETER_ABSENT:
        return true;
    case HEADER_PARAMETER_FOUND:
        return strcasecmp(charset, "utf-8") == 0 || strcasecmp(charset, "utf8") == 0 ||
               strcasecmp(charset, "us-ascii") == 0;
    case HEADER_PARAMETER_TOO_LONG:
        break;
    }
    return false;
}

static enum aibox_status read_boundary(struct exchange *exchange, const char *type, size_t size)
{
    exchange->source.encoding = ARGUMENTS_MULTIPART;
    exchange->source.boundary = exchange->boundary;
    if (header_value_parameter(type, size, "boundary", exchange->boundary, sizeof exchange->boundary) !=
            HEADER_PARAMETER_FOUND ||
        !exchange->boundary[0])
        return error_set(&exchange->err, AIBOX_BAD_REQUEST,
                         "the Content-Type multipart/form-data needs a boundary of 1 to 70 characters");
    return AIBOX_OK;
}

/* Whether an upload may be of that Content-Type. */
static bool is_upload_type(const struct api_upload_rules *rules, const char *type, size_t size)
{
    const char *at = rules->content_types;

    while (*at) {
        size_t length = strcspn(at, "|");
        char one[128];

        if (length < sizeof one) {
            memcpy(one, at, length);
            one[length] = '\0';
            if (header_value_is(type, size, one))
                return true;
        }
        at += length;
        at += *at == '|';
    }
    return false;
}

/* What the body of an upload is; the arguments are in the query. */
static enum aibox_status read_upload_encoding(struct exchange *exchange, const char *type, size_t size)
{
    const struct api_upload_rules *rules = exchange->endpoint->upload;

    if (size > 0 && header_value_is(type, size, "multipart/form-data")) {
        enum aibox_status status = read_boundary(exchange, type, size);

        exchange->source.encoding = ARGUMENTS_URLENCODED;
        return status;
    }
    if (size == 0 || is_upload_type(rules, type, size))
        return AIBOX_OK;
    return error_set(&exchange->err, AIBOX_CONTENT_TYPE, "this call takes %s or multipart/form-data, not %.80s",
                     rules->content_types, type);
}

/* How the arguments are written. A call without Content-Type is JSON: platforms leave it out. */
static enum aibox_status read_encoding(struct exchange *exchange)
{
    unsigned encodings = exchange->endpoint->encodings;
    const char *type = exchange_header(exchange, "Content-Type");
    size_t size = type ? strlen(type) : 0;
    bool json = encodings & API_BODY_JSON;
    bool form = encodings & API_BODY_FORM;

    exchange->keeps_body = json || form;
    exchange->source.encoding = ARGUMENTS_URLENCODED;
    exchange->source.text = exchange->target + exchange->target_size; /* "" until there is more */
    if (!json && !form) {
        if (encodings & API_QUERY) {
            exchange->source.text = exchange->query;
            exchange->source.size = strlen(exchange->query);
        }
        return exchange->endpoint->upload ? read_upload_encoding(exchange, type, size) : AIBOX_OK;
    }
    if (json && (size == 0 || (header_value_is(type, size, "application/json") && charset_is_utf8(type, size)))) {
        exchange->source.encoding = ARGUMENTS_JSON;
        return AIBOX_OK;
    }
    if (form && size > 0 && header_value_is(type, size, "application/x-www-form-urlencoded") &&
        charset_is_utf8(type, size))
        return AIBOX_OK;
    if (form && size > 0 && header_value_is(type, size, "multipart/form-data"))
        return read_boundary(exchange, type, size);
    /* What says nothing can be said in any language. */
    if (json && exchange->announced == 0 && !arguments_required(exchange->endpoint)) {
        exchange->source.encoding = ARGUMENTS_JSON;
        return AIBOX_OK;
    }
    return error_set(&exchange->err, AIBOX_CONTENT_TYPE, "this call takes %s in UTF-8, not %.80s",
                     form && json ? "application/json, multipart/form-data or application/x-www-form-urlencoded"
                     : json       ? "application/json"
                                  : "multipart/form-data or application/x-www-form-urlencoded",
                     size > 0 ? type : "a body without Content-Type");
}

enum aibox_status exchange_read_headers(struct exchange *exchange, const char *method)
{
    enum aibox_status status = read_framing(exchange);

    split_target(exchange);
    if (status == AIBOX_OK)
        status = find_endpoint(exchange, method);
    if (status == AIBOX_OK)
        status = exchange_check_access(exchange, exchange->endpoint->upload != NULL);
    if (status == AIBOX_OK)
        status = check_size(exchange);
    if (status == AIBOX_OK)
        status = read_encoding(exchange);
    return status;
}
