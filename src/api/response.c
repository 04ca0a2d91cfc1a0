#include "api/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/log.h"

#define ERROR_MAX 8192 /* a message, escaped */

static const char content_type[] = "application/json; charset=utf-8";

void response_init(struct api_response *res)
{
    json_out_init(&res->json, RESPONSE_MAX_BODY);
    res->stream = (struct stream_source){0};
    res->bytes = NULL;
    res->size = 0;
    res->type = content_type;
    res->http_status = 200;
    res->n_headers = 0;
    res->failed = false;
}

static void drop_stream(struct api_response *res)
{
    if (res->stream.produce && res->stream.free_ctx)
        res->stream.free_ctx(res->stream.ctx);
    res->stream.produce = NULL;
}

static void drop_headers(struct api_response *res)
{
    for (size_t i = 0; i < res->n_headers; i++)
        free(res->headers[i].name);
    res->n_headers = 0;
}

void response_free(struct api_response *res)
{
    json_out_free(&res->json);
    free(res->bytes);
    res->bytes = NULL;
    drop_stream(res);
    drop_headers(res);
}

struct json_out *api_body(struct api_response *res)
{
    return &res->json;
}

void api_reply_bytes_take(struct api_response *res, const char *type, uint8_t *bytes, size_t size)
{
    free(res->bytes);
    res->bytes = bytes;
    res->size = size;
    res->type = type;
}

void api_reply_stream_take(struct api_response *res, const char *type, api_producer produce, void *ctx,
                           void (*free_ctx)(void *ctx))
{
    drop_stream(res);
    res->stream = (struct stream_source){.produce = produce, .ctx = ctx, .free_ctx = free_ctx};
    res->type = type;
}

void api_reply_status(struct api_response *res, int http_status)
{
    res->http_status = http_status;
}

void api_reply_header(struct api_response *res, const char *name, const char *value)
{
    size_t name_size = strlen(name) + 1;
    size_t value_size = strlen(value) + 1;
    char *text = res->n_headers < RESPONSE_MAX_HEADERS ? malloc(name_size + value_size) : NULL;

    /* A line break would begin a header of its own. */
    if (!text || strpbrk(name, "\r\n") || strpbrk(value, "\r\n")) {
        free(text);
        res->failed = true;
        return;
    }
    memcpy(text, name, name_size);
    memcpy(text + name_size, value, value_size);
    res->headers[res->n_headers].name = text;
    res->headers[res->n_headers].value = text + name_size;
    res->n_headers++;
}

void api_reply_file_name(struct api_response *res, const char *name, const char *extension)
{
    char when[32], text[96];
    time_t now = time(NULL);
    struct tm local;

    if (!localtime_r(&now, &local) || strftime(when, sizeof when, "%Y%m%d-%H%M%S", &local) == 0)
        return;
    (void)snprintf(text, sizeof text, "attachment; filename=\"%s-%s.%s\"", name, when, extension);
    api_reply_header(res, "Content-Disposition", text);
}

uint8_t *response_error_body(enum aibox_status status, const char *message, size_t *size)
{
    struct json_out json;
    uint8_t *bytes = NULL;

    json_out_init(&json, ERROR_MAX);
    json_out_object_begin(&json);
    json_out_key(&json, "error");
    json_out_object_begin(&json);
    json_out_key_int(&json, "code", status_code(status));
    json_out_key_text(&json, "message", message && *message ? message : status_text(status));
    json_out_key_text(&json, "status", status_name(status));
    json_out_object_end(&json);
    json_out_object_end(&json);
    *size = 0;
    if (json_out_complete(&json))
        bytes = buffer_give(&json.buffer, size);
    json_out_free(&json);
    return bytes;
}

static bool has_header(const struct api_response *res, const char *name)
{
    for (size_t i = 0; i < res->n_headers; i++)
        if (strcasecmp(res->headers[i].name, name) == 0)
            return true;
    return false;
}

/* What a handler's headers say of its body doesn't hold for the error; two belong to errors. */
static void keep_error_headers(struct api_response *res)
{
    for (size_t i = res->n_headers; i-- > 0;)
        if (strcasecmp(res->headers[i].name, "Retry-After") != 0 && strcasecmp(res->headers[i].name, "Allow") != 0) {
            free(res->headers[i].name);
            res->headers[i] = res->headers[--res->n_headers];
        }
}

static void finish_error(struct api_response *res, enum aibox_status status, const char *message)
{
    int http_status = status_http(status);

    /* Statuses of the platform side have no place here: what went wrong lies within the box. */
    if (http_status == 0) {
        status = AIBOX_PROCESS_FAILED;
        http_status = status_http(status);
    }
    keep_error_headers(res);
    if (http_status == 401)
        api_reply_header(res, "WWW-Authenticate", "Bearer realm=\"AIBOX\"");
    if ((status == AIBOX_TOO_MANY_REQUESTS || status == AIBOX_GROUP_NOT_LOADED) && !has_header(res, "Retry-After"))
        api_reply_header(res, "Retry-After", "1");
    drop_stream(res);
    free(res->bytes);
    res->bytes = response_error_body(status, message, &res->size);
    res->type = content_type;
    res->http_status = http_status;
}

void response_finish(struct api_response *res, enum aibox_status status, const struct aibox_error *err,
                     const char *what)
{
    if (status != AIBOX_OK) {
        finish_error(res, status, err->message);
        return;
    }
    if (res->failed) {
        log_error("api", "a header of the answer can't be sent call=%s", what);
        finish_error(res, AIBOX_PROCESS_FAILED, NULL);
    }
    if (res->bytes || res->stream.produce)
        return;
    if (res->json.buffer.failed) {
        log_error("api", "the answer is too large call=%s", what);
        finish_error(res, AIBOX_PROCESS_FAILED, "the answer is too large; ask for less at a time");
    } else if (!json_out_complete(&res->json)) {
        log_error("api", "the answer is no complete JSON document call=%s", what);
        finish_error(res, AIBOX_PROCESS_FAILED, NULL);
    } else {
        res->bytes = buffer_give(&res->json.buffer, &res->size);
    }
}
