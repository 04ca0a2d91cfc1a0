#include "backup/manifest.h"

#include <jansson.h>
#include <stdio.h>

#define FORMAT 1

void manifest_write(const struct backup_contents *contents, struct json_out *out)
{
    json_out_object_begin(out);
    json_out_key_int(out, "format", FORMAT);
    json_out_key_int(out, "created_ms", contents->created_ms);
    json_out_key_text(out, "box_name", contents->box_name);
    json_out_key_text(out, "version", contents->version);
    json_out_key_int(out, "people", (int64_t)contents->people);
    json_out_key_int(out, "events", (int64_t)contents->events);
    json_out_key_bool(out, "with_events", contents->with_events);
    json_out_object_end(out);
}

static uint64_t count_of(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value > 0 ? (uint64_t)value : 0;
}

static void copy_text(const json_t *object, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));

    snprintf(out, size, "%s", text ? text : "");
}

enum aibox_status manifest_read(const char *text, size_t size, struct backup_contents *out, struct aibox_error *err)
{
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    json_int_t format = json_integer_value(json_object_get(object, "format"));
    enum aibox_status status = AIBOX_OK;

    *out = (struct backup_contents){0};
    if (format < 1) {
        status = error_set(err, AIBOX_PARAM, "the backup doesn't say what it holds");
    } else if (format > FORMAT) {
        status = error_set(err, AIBOX_PARAM, "the backup was made by a newer version of this program");
    } else {
        out->created_ms = (int64_t)count_of(object, "created_ms");
        copy_text(object, "box_name", out->box_name, sizeof out->box_name);
        copy_text(object, "version", out->version, sizeof out->version);
        out->people = count_of(object, "people");
        out->events = count_of(object, "events");
        out->with_events = json_is_true(json_object_get(object, "with_events"));
    }
    json_decref(object);
    return status;
}
