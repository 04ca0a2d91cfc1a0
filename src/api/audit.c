/*
 * What of a request's arguments goes into the audit log: those named here and no others, for the rest may be a secret,
 * a picture or somebody's name. People are named by the store, as keyed hashes.
 */
#include "api/audit.h"

#include <stdio.h>
#include <string.h>

#include "api/server_state.h"
#include "core/buffer.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/url.h"
#include "core/utf8.h"
#include "store/callers.h"
#include "store/store.h"

#define WHAT_MAX   1500 /* bytes; the store appends people */
#define VALUE_MAX  100
#define MOST_ITEMS 20
#define WHO_SIZE   (ACCOUNTS_NAME_SIZE + 8)

/* Texts, numbers and switches that are shown. */
static const char *const shown[] = {"backup_id",
                                    "clear_all",
                                    "confirm",
                                    "controller_mode",
                                    "dev_sno",
                                    "device_id",
                                    "event_id",
                                    "expires_at",
                                    "group_name",
                                    "group_names",
                                    "id",
                                    "kind",
                                    "name",
                                    "on_exist",
                                    "permission_name",
                                    "reset_ftp_password",
                                    "reported_peroid",
                                    "role",
                                    "url",
                                    "user_recursive_delete",
                                    "whole"};
/* Lists that are counted. */
static const char *const counted[] = {"event_id_list", "image_id_list"};
/* What is shown of objects, and of objects in lists. */
static const char *const inner[] = {"action_ip", "action_mode", "all", "device_id", "device_name", "events", "users"};
/* Who is meant. */
static const char *const people[] = {"identity_id", "identity_ids"};

#define HOLDS(names, name, size) holds(names, sizeof names / sizeof names[0], name, size)

static bool holds(const char *const *names, size_t n, const char *name, size_t size)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
            return true;
    return false;
}

bool audit_wants(const struct api_endpoint *endpoint, const struct access_grant *grant, enum aibox_status status)
{
    bool changes = strcmp(endpoint->method, "GET") != 0;

    if (endpoint->audit == API_AUDIT_NEVER || !(changes || endpoint->audit == API_AUDIT_ALWAYS))
        return false;
    if (grant->way == ACCESS_NOBODY)
        return status == AIBOX_OK || (endpoint->role == API_OPEN && status == AIBOX_UNAUTHORIZED);
    return true;
}

/* ---- what ---------------------------------------------------------------------------------------------------- */

static void put(struct buffer *out, const char *name, size_t name_size, const char *value)
{
    size_t size = utf8_prefix(value, strlen(value), VALUE_MAX);

    if (out->size + name_size + size + 8 < out->maximum) /* the rest is left out */
        (void)buffer_appendf(out, "%s%.*s=%.*s", out->size ? " " : "", (int)name_size, name, (int)size, value);
}

/* Texts as they come, but for what a URL may hold. */
static void put_text(struct buffer *out, const char *name, const char *text)
{
    char harmless[URL_MAX + 1];

    url_show(text, harmless, sizeof harmless);
    put(out, name, strlen(name), strcmp(name, "url") == 0 ? harmless : text);
}

static void put_json(struct buffer *out, const char *name, const json_t *json)
{
    if (json_is_string(json))
        put(out, name, strlen(name), json_string_value(json));
    else if (json_is_boolean(json))
        put(out, name, strlen(name), json_is_true(json) ? "true" : "false");
}

static void put_object(struct buffer *out, json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        if (HOLDS(inner, key, strlen(key)))
            put_json(out, key, value);
    }
}

/* Keys of settings, without their values. */
static void put_keys(struct buffer *out, json_t *object)
{
    size_t n = 0;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        if (n++ < MOST_ITEMS)
            put(out, "key", strlen("key"), key);
    }
}

static void put_value(struct buffer *out, const struct api_field *field, const struct api_value *value)
{
    size_t size = strlen(field->name);
    char text[32];

    switch (field->type) {
    case API_TEXT:
    case API_CHOICE:
        if (HOLDS(shown, field->name, size))
            put_text(out, field->name, value->text);
        break;
    case API_BOOL:
        if (HOLDS(shown, field->name, size))
            put(out, field->name, size, value->boolean ? "true" : "false");
        break;
    case API_INT:
        (void)snprintf(text, sizeof text, "%lld", (long long)value->integer);
        if (HOLDS(shown, field->name, size))
            put(out, field->name, size, text);
        break;
    case API_LIST:
        (void)snprintf(text, sizeof text, "%zu", value->count);
        if (HOLDS(counted, field->name, size))
            put(out, field->name, size, text);
        else if (HOLDS(shown, field->name, size))
            for (size_t i = 0; i < value->count && i < MOST_ITEMS; i++)
                put(out, field->name, size, value->items[i]);
        break;
    case API_DICT:
        if (field->flags & API_WHOLE)
            put_keys(out, value->json);
        else
            put_object(out, value->json);
        break;
    case API_OBJECTS:
        for (size_t i = 0; i < json_array_size(value->json) && i < MOST_ITEMS; i++)
            put_object(out, json_array_get(value->json, i));
        break;
    case API_FLOAT:
    case API_NUMBER_OR_WORD:
    case API_PICTURE:
    case API_FLOATS:
    case API_JSON:
        break;
    }
}

/* The people among the arguments: one list at most, as no call has more. */
static const char *const *find_people(const struct api_request *req, const char *single[1], size_t *n)
{
    const struct api_endpoint *endpoint = req->endpoint;

    *n = 0;
    for (size_t i = 0; i < endpoint->n_fields; i++) {
        const struct api_field *field = &endpoint->fields[i];
        const struct api_value *value = &req->values[i];

        if (!value->given || !HOLDS(people, field->name, strlen(field->name)))
            continue;
        if (field->type == API_LIST && value->count > 0) {
            *n = value->count;
            return value->items;
        }
        if (field->type == API_TEXT && value->text) {
            single[0] = value->text;
            *n = 1;
        }
    }
    return single;
}

static void print_what(const struct api_request *req, struct buffer *out)
{
    const struct api_endpoint *endpoint = req->endpoint;

    if (req->path_name && HOLDS(shown, req->path_name, req->path_name_size))
        put(out, req->path_name, req->path_name_size, req->path_value);
    for (size_t i = 0; i < endpoint->n_fields; i++)
        if (req->values[i].given)
            put_value(out, &endpoint->fields[i], &req->values[i]);
}

/* ---- the entry ----------------------------------------------------------------------------------------------- */

void audit_write(const struct api *api, const struct api_request *req, int http_status)
{
    static const char local[] = "local";
    const struct access_grant *grant = req->grant;
    char who[WHO_SIZE], address[ADDRESS_TEXT];
    struct aibox_error err = {0};
    const char *single[1];
    struct buffer what;
    size_t n_people;

    if (!api->ctx.accounts || !req->values)
        return;
    const char *const *ids = find_people(req, single, &n_people);
    access_print_who(grant, who, sizeof who);
    address_print(&grant->address, address);
    buffer_init(&what, WHAT_MAX);
    print_what(req, &what);
    struct store_audit entry = {.time_ms = clock_realtime_ms(),
                                .who = who,
                                .role = account_role_name(grant->identity.role),
                                .address = grant->way == ACCESS_LOCAL ? local : address,
                                .method = req->endpoint->method,
                                .path = req->endpoint->path,
                                .what = what.data ? (const char *)what.data : "",
                                .status = http_status};
    if (store_audit_add(api->ctx.store, &entry, ids, n_people, &err) != AIBOX_OK)
        log_warn("api", "a call is missing in the audit log call=\"%s %s\" reason=\"%s\"", entry.method, entry.path,
                 err.message);
    buffer_free(&what);
}
