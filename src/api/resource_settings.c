/* The settings table over REST: GET and PUT /api/settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/request.h"
#include "api/resources.h"
#include "api/setting_change.h"
#include "core/settings.h"

#define VALUE_MAX 4096 /* more than any setting may hold */

static const char *const type_names[] = {
    [SETTINGS_BOOL] = "bool", [SETTINGS_INT] = "int",       [SETTINGS_FLOAT] = "float",
    [SETTINGS_TEXT] = "text", [SETTINGS_CHOICE] = "choice", [SETTINGS_AUTO_FLOAT] = "auto_float"};
static const char *const source_names[] = {
    [SETTINGS_DEFAULT] = "default", [SETTINGS_FILE] = "file", [SETTINGS_STORED] = "stored", [SETTINGS_SET] = "set"};

/* ---- reading -------------------------------------------------------------------------------------------- */

/* A value's text in its JSON type. */
static void print_value(const struct settings_entry *entry, const char *text, struct json_out *out)
{
    bool is_auto = entry->type == SETTINGS_AUTO_FLOAT && strcmp(text, "auto") == 0;

    switch (entry->type) {
    case SETTINGS_BOOL:
        json_out_bool(out, strcmp(text, "true") == 0);
        return;
    case SETTINGS_INT:
        json_out_int(out, strtoll(text, NULL, 10));
        return;
    case SETTINGS_FLOAT:
    case SETTINGS_AUTO_FLOAT:
        if (!is_auto) {
            json_out_float(out, strtod(text, NULL));
            return;
        }
        break;
    case SETTINGS_TEXT:
    case SETTINGS_CHOICE:
        break;
    }
    json_out_text(out, text);
}

static void print_range(const struct settings_entry *entry, struct json_out *out)
{
    const char *at = entry->choices;

    if (entry->type == SETTINGS_TEXT) {
        json_out_key_float(out, "max_bytes", entry->max);
    } else if (entry->type == SETTINGS_CHOICE) {
        json_out_key(out, "choices");
        json_out_array_begin(out);
        while (*at) {
            size_t size = strcspn(at, "|");
            char word[64];

            (void)snprintf(word, sizeof word, "%.*s", (int)size, at);
            json_out_text(out, word);
            at += size;
            at += *at == '|';
        }
        json_out_array_end(out);
    } else if (entry->type != SETTINGS_BOOL) {
        json_out_key_float(out, "min", entry->min);
        json_out_key_float(out, "max", entry->max);
    }
}

/* Addresses and what is sent to relays may hold passwords: those who can't change them needn't see them. */
static bool is_confidential(const struct settings_entry *entry)
{
    return entry->type == SETTINGS_TEXT &&
           (strstr(entry->key, "url") || strstr(entry->key, "password") || strncmp(entry->key, "door.", 5) == 0);
}

/* "key": {…} */
static void print_setting(const struct settings *settings, const struct settings_entry *entry, bool all,
                          struct json_out *out)
{
    enum settings_source source;
    char text[VALUE_MAX];

    (void)settings_print(settings, entry->key, text, sizeof text, &source);
    if (!all && source != SETTINGS_DEFAULT && text[0] && is_confidential(entry))
        (void)snprintf(text, sizeof text, "***");
    json_out_key(out, entry->key);
    json_out_object_begin(out);
    json_out_key(out, "value");
    print_value(entry, text, out);
    json_out_key(out, "default");
    print_value(entry, entry->default_text, out);
    json_out_key_text(out, "type", type_names[entry->type]);
    print_range(entry, out);
    json_out_key_text(out, "source", source_names[source]);
    json_out_key_bool(out, "restart", entry->restart);
    json_out_key_bool(out, "needs_restart", settings_needs_restart(settings, entry->key));
    json_out_key_text(out, "help", entry->help);
    json_out_object_end(out);
}

static enum aibox_status unknown(const char *key, struct aibox_error *err)
{
    return error_set(err, AIBOX_PARAM, "key: no setting is called '%.80s'", key);
}

static enum aibox_status get_settings(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    const char *key = api_text(req, "key");
    bool all = api_grant(req)->identity.role == ACCOUNT_ADMIN;

    if (key && !settings_find(key))
        return unknown(key, err);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    for (size_t i = 0; i < settings_count; i++)
        if (!key || strcmp(key, settings_table[i].key) == 0)
            print_setting(ctx->settings, &settings_table[i], all, out);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

/* ---- changing ------------------------------------------------------------------------------------------- */

/* What a PUT wants: parallel arrays, in the request's order. */
struct change {
    const char **keys;
    const char **values;
    size_t count;
};

/* The text form of a JSON value; NULL for what has none. */
static const char *text_of(struct api_request *req, const json_t *json)
{
    char text[40];

    switch (json_typeof(json)) {
    case JSON_STRING:
        return json_string_value(json);
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_INTEGER:
        (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        break;
    case JSON_REAL:
        (void)snprintf(text, sizeof text, "%.15g", json_real_value(json));
        if (strtod(text, NULL) != json_real_value(json))
            (void)snprintf(text, sizeof text, "%.17g", json_real_value(json));
        break;
    default:
        return NULL;
    }
    return arena_text(&req->arena, text, strlen(text));
}

/* Checks all keys and collects them; null leaves a setting as it is. */
static enum aibox_status read_change(const struct api_context *ctx, struct api_request *req, struct change *change,
                                     struct aibox_error *err)
{
    json_t *values = api_json(req, "values");
    size_t most = json_object_size(values);
    const char *key;
    json_t *json;

    change->count = 0;
    change->keys = arena_array(&req->arena, most, sizeof *change->keys);
    change->values = arena_array(&req->arena, most, sizeof *change->values);
    if (!change->keys || !change->values)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    json_object_foreach(values, key, json)
    {
        const char *text = text_of(req, json);
        enum aibox_status status;

        if (json_is_null(json) && settings_find(key))
            continue;
        status = setting_change_check(ctx, req->api, key, text, err);
        if (status != AIBOX_OK)
            return status;
        change->keys[change->count] = key;
        change->values[change->count++] = text;
    }
    return AIBOX_OK;
}

static enum aibox_status put_settings(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    struct change change;
    enum aibox_status status = read_change(ctx, req, &change, err);

    if (status == AIBOX_OK)
        status = setting_change_check_all(ctx, change.keys, change.values, change.count, err);
    if (status == AIBOX_OK && change.count > 0)
        status = setting_change_apply(ctx, change.keys, change.values, change.count, err);
    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    for (size_t i = 0; i < change.count; i++)
        print_setting(ctx->settings, settings_find(change.keys[i]), true, out);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static const struct api_field get_fields[] = {
    {.name = "key", .type = API_TEXT, .max = 128, .help = "Only this setting, e.g. recognition.threshold."},
};
static const struct api_field put_fields[] = {
    {.name = "values",
     .type = API_DICT,
     .flags = API_WHOLE | API_REQUIRED,
     .help = "Values by key. Either all are taken, or none is."},
};

const struct api_endpoint api_settings_endpoints[] = {
    {.method = "GET",
     .path = "/api/settings",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .fields = get_fields,
     .n_fields = sizeof get_fields / sizeof get_fields[0],
     .handler = get_settings,
     .tag = "Settings",
     .summary = "All settings by key: value, default, range, help, whether a restart is needed."},
    {.method = "PUT",
     .path = "/api/settings",
     .encodings = API_BODY_JSON,
     .role = API_ADMIN,
     .fields = put_fields,
     .n_fields = sizeof put_fields / sizeof put_fields[0],
     .handler = put_settings,
     .tag = "Settings",
     .summary = "Changes settings, for good and at once (those marked so at the next start).",
     .example = "{\"recognition.threshold\": 0.45, \"recognition.dedup_seconds\": 5}"},
};
const size_t api_settings_count = sizeof api_settings_endpoints / sizeof api_settings_endpoints[0];
