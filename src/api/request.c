#include "api/request.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/percent.h"
#include "core/utf8.h"

/* Remembers "id" of a path "/…/{id}" or "/…/{id}/…". */
static void find_path_name(struct api_request *req)
{
    const char *brace = strchr(req->endpoint->path, '{');
    const char *end = brace ? strchr(brace, '}') : NULL;

    if (end) {
        req->path_name = brace + 1;
        req->path_name_size = (size_t)(end - req->path_name);
        req->path_value = "";
    }
}

enum aibox_status request_init(struct api_request *req, const struct api *api, const struct api_endpoint *endpoint,
                               struct aibox_error *err)
{
    req->endpoint = endpoint;
    req->api = api;
    req->path_name = req->path_value = NULL;
    req->path_name_size = 0;
    req->body = NULL;
    req->grant = NULL;
    req->upload = (struct api_upload){0};
    req->last_event_id = NULL;
    req->find_header = NULL;
    req->header_ctx = NULL;
    arena_init(&req->arena);
    req->values = arena_array(&req->arena, endpoint->n_fields, sizeof *req->values);
    if (!req->values)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    find_path_name(req);
    return AIBOX_OK;
}

void request_free(struct api_request *req)
{
    for (size_t i = 0; req->values && i < req->endpoint->n_fields; i++)
        json_decref(req->values[i].owned);
    json_decref(req->body);
    req->values = NULL;
    req->body = NULL;
    arena_free(&req->arena);
}

enum aibox_status request_set_path(struct api_request *req, const char *segment, size_t size, struct aibox_error *err)
{
    char *text = arena_alloc(&req->arena, size + 1);
    ptrdiff_t decoded;

    if (!text)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    decoded = percent_decode(segment, size, false, text);
    if (decoded < 0)
        return error_set(err, AIBOX_BAD_REQUEST, "a %% in the path is not followed by two hexadecimal digits");
    if (memchr(text, '\0', (size_t)decoded) || !utf8_valid(text, (size_t)decoded))
        return error_set(err, AIBOX_BAD_REQUEST, "the path is not valid UTF-8");
    req->path_value = text;
    return AIBOX_OK;
}

/* The value of field `name`; a name that is not in the table is a bug, and reads as absent. */
static const struct api_value *value_of(const struct api_request *req, const char *name)
{
    static const struct api_value nothing = {.filled = false};

    for (size_t i = 0; i < req->endpoint->n_fields; i++)
        if (strcmp(req->endpoint->fields[i].name, name) == 0)
            return &req->values[i];
    assert(false && "a field of the endpoint's table");
    return &nothing;
}

static bool is_path_name(const struct api_request *req, const char *name)
{
    return req->path_name && strlen(name) == req->path_name_size &&
           memcmp(name, req->path_name, req->path_name_size) == 0;
}

bool api_given(const struct api_request *req, const char *name)
{
    return is_path_name(req, name) || value_of(req, name)->given;
}

const char *api_text(const struct api_request *req, const char *name)
{
    if (is_path_name(req, name))
        return req->path_value;
    return value_of(req, name)->text;
}

enum aibox_status api_row_id(const struct api_request *req, const char *name, int64_t *out, struct aibox_error *err)
{
    const char *text = api_text(req, name);
    size_t length = strlen(text);

    if (length < 1 || length > 15 || strspn(text, "0123456789") != length)
        return error_set(err, AIBOX_PARAM, "%s: a number is expected", name);
    *out = strtoll(text, NULL, 10);
    return AIBOX_OK;
}

bool api_bool(const struct api_request *req, const char *name)
{
    return value_of(req, name)->boolean;
}

int64_t api_int(const struct api_request *req, const char *name)
{
    return value_of(req, name)->integer;
}

double api_float(const struct api_request *req, const char *name)
{
    const struct api_value *value = value_of(req, name);

    return value->filled ? value->number : (double)NAN;
}

struct api_bytes api_picture(const struct api_request *req, const char *name)
{
    return value_of(req, name)->bytes;
}

const struct api_upload *api_upload(const struct api_request *req)
{
    return &req->upload;
}

enum aibox_status api_picture_check(const struct api_request *req, const char *name, struct aibox_error *err)
{
    if (value_of(req, name)->not_base64)
        return error_set(err, AIBOX_IMAGE, "%s: not base64 of a picture", name);
    return AIBOX_OK;
}

const char *const *api_list(const struct api_request *req, const char *name, size_t *n)
{
    const struct api_value *value = value_of(req, name);

    *n = value->count;
    return value->items;
}

json_t *api_json(const struct api_request *req, const char *name)
{
    return value_of(req, name)->json;
}

const float *api_floats(const struct api_request *req, const char *name, size_t *n)
{
    const struct api_value *value = value_of(req, name);

    *n = value->count;
    return value->floats;
}

const char *api_last_event_id(const struct api_request *req)
{
    return req->last_event_id;
}

const char *api_header(const struct api_request *req, const char *name)
{
    return req->find_header ? req->find_header(req->header_ctx, name) : NULL;
}

struct access_grant *api_grant(const struct api_request *req)
{
    return req->grant;
}
