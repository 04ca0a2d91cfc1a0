#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"

static const char *const names[] = {
    [MESSAGE_REALTIME] = "realtime", [MESSAGE_HISTORY] = "history",         [MESSAGE_STATUS] = "status",
    [MESSAGE_DEVICE] = "device",     [MESSAGE_DEVICE_LIST] = "device_list", [MESSAGE_RESULT] = "result",
    [MESSAGE_UNKNOWN] = "unknown",   [MESSAGE_MALFORMED] = "malformed",
};

const char *message_kind_name(enum message_kind kind)
{
    return names[kind];
}

bool message_kind_of(const char *name, enum message_kind *kind)
{
    for (int i = 0; i < MESSAGE_KINDS; i++) {
        if (strcmp(names[i], name) == 0) {
            *kind = (enum message_kind)i;
            return true;
        }
    }
    return false;
}

/* ---- what it is ------------------------------------------------------------------------------------------- */

static bool has(const json_t *object, const char *key)
{
    return json_object_get(object, key) != NULL;
}

static bool is_event(const json_t *value)
{
    return has(value, "identity_id") && (has(value, "timestamp") || has(value, "score") || has(value, "ext_data"));
}

static bool is_history(const json_t *event, const char *path)
{
    return has(event, "want_action") || has(json_object_get(event, "ext_data"), "want_action") ||
           strcasestr(path, "history") || strcasestr(path, "record");
}

static enum message_kind kind_of(const json_t *value, const char *path, bool in_batch)
{
    if (is_event(value))
        return in_batch || is_history(value, path) ? MESSAGE_HISTORY : MESSAGE_REALTIME;
    if (has(value, "gateway_status") || has(value, "gateway_ext_data"))
        return MESSAGE_STATUS;
    if (json_is_object(json_object_get(value, "deviceInfo")) && (has(value, "actionType") || has(value, "actiontype")))
        return MESSAGE_DEVICE;
    if (json_is_array(json_object_get(value, "deviceList")))
        return MESSAGE_DEVICE_LIST;
    if (has(value, "messageKey") && (has(value, "result") || has(value, "code") || has(value, "success")))
        return MESSAGE_RESULT;
    return MESSAGE_UNKNOWN;
}

/* An array of which every element is an event. */
static bool is_batch(const json_t *body)
{
    size_t index;
    json_t *element;

    if (!json_is_array(body))
        return false;
    json_array_foreach(body, index, element) if (!is_event(element)) return false;
    return true;
}

enum aibox_status message_count(const json_t *body, size_t *count, struct aibox_error *err)
{
    *count = 1;
    if (!is_batch(body))
        return AIBOX_OK;
    *count = json_array_size(body);
    if (*count == 0)
        return error_set(err, AIBOX_BAD_REQUEST, "the batch is empty");
    if (*count > MESSAGE_BATCH_MAX)
        return error_set(err, AIBOX_BAD_REQUEST, "a batch of %zu events; %d is the most", *count, MESSAGE_BATCH_MAX);
    return AIBOX_OK;
}

json_t *message_at(json_t *body, size_t index)
{
    return is_batch(body) ? json_array_get(body, index) : body;
}

/* ---- what it says ----------------------------------------------------------------------------------------- */

/* A text that says something. */
static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && text[0] ? text : NULL;
}

/* The first of two keys that says something. */
static const char *text_of_either(const json_t *object, const char *key, const char *other)
{
    const char *text = text_of(object, key);

    return text ? text : text_of(object, other);
}

static void set_note(struct message *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void set_note(struct message *out, const char *format, ...)
{
    char note[MESSAGE_NOTE + 4];
    va_list args;
    size_t size;

    va_start(args, format);
    if (vsnprintf(note, sizeof note, format, args) < 0)
        note[0] = '\0';
    va_end(args);
    size = utf8_prefix(note, strlen(note), sizeof out->note - 1);
    memcpy(out->note, note, size);
    out->note[size] = '\0';
}

static void read_event(const json_t *event, struct message *out)
{
    const json_t *more = json_object_get(event, "ext_data");
    const json_t *score = json_object_get(event, "score");
    const char *reason = text_of(more, "reason");
    const char *supersedes = text_of(more, "supersedes");

    out->event_id = text_of(more, "event_id");
    if (!out->event_id)
        out->event_id = text_of(event, "event_id");
    out->identity_id = text_of(event, "identity_id");
    out->person = text_of(event, "identity_name");
    out->device = text_of_either(more, "ep_id", "device_ip");
    out->has_score = json_is_number(score);
    out->score = json_number_value(score);
    if (supersedes)
        set_note(out, "supersedes %s", supersedes);
    else if (reason)
        set_note(out, "%s", reason);
}

static void read_status(const json_t *status, struct message *out)
{
    const char *state = text_of(status, "gateway_status");

    out->device = text_of_either(status, "gateway_name", "dev_sno");
    set_note(out, "%s, %zu devices", state ? state : "no state",
             json_array_size(json_object_get(status, "sub_devices")));
}

static void read_device(const json_t *operation, struct message *out)
{
    const json_t *action = json_object_get(operation, "actionType");
    json_int_t number;

    if (!action)
        action = json_object_get(operation, "actiontype");
    number = json_integer_value(action);
    out->device = text_of_either(json_object_get(operation, "deviceInfo"), "epId", "epName");
    set_note(out, "%s", number == 1 ? "added" : number == 2 ? "deleted" : "neither added nor deleted");
}

static void read_result(const json_t *result, struct message *out)
{
    const char *id = text_of(result, "messageId");

    out->device = text_of(result, "dev_sno");
    set_note(out, "%s %s%s%s", text_of(result, "messageKey") ? text_of(result, "messageKey") : "no method",
             json_is_true(json_object_get(result, "success")) ? "done" : "failed", id ? ", messageId " : "",
             id ? id : "");
}

void message_read(const json_t *value, const char *path, bool in_batch, struct message *out)
{
    *out = (struct message){.kind = kind_of(value, path, in_batch)};
    switch (out->kind) {
    case MESSAGE_REALTIME:
    case MESSAGE_HISTORY:
        read_event(value, out);
        break;
    case MESSAGE_STATUS:
        read_status(value, out);
        break;
    case MESSAGE_DEVICE:
        read_device(value, out);
        break;
    case MESSAGE_DEVICE_LIST:
        out->device = text_of(value, "devSno");
        set_note(out, "%zu devices", json_array_size(json_object_get(value, "deviceList")));
        break;
    case MESSAGE_RESULT:
        read_result(value, out);
        break;
    case MESSAGE_UNKNOWN:
    case MESSAGE_MALFORMED:
    case MESSAGE_KINDS:
        break;
    }
}
