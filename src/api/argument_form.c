/* Arguments from the fields of a form or query string. */
#include <string.h>

#include "api/argument.h"
#include "api/json_in.h"
#include "api/percent.h"
#include "core/utf8.h"

static enum aibox_status out_of_memory(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

/* A part that holds text: files were not checked for that yet. */
static enum aibox_status check_text(const struct api_field *field, const struct form_part *part,
                                    struct aibox_error *err)
{
    if (!part->file)
        return AIBOX_OK;
    if (memchr(part->value, '\0', part->size))
        return error_set(err, AIBOX_BAD_REQUEST, "%s: holds a NUL byte", field->name);
    if (!utf8_valid(part->value, part->size))
        return error_set(err, AIBOX_BAD_REQUEST, "%s: not valid UTF-8", field->name);
    return AIBOX_OK;
}

static enum aibox_status picture_from_part(struct api_request *req, const struct form_part *part,
                                           struct api_value *value, struct aibox_error *err)
{
    char *text;
    ptrdiff_t size;

    if (part->file) {
        value->filled = true;
        value->bytes = (struct api_bytes){(const uint8_t *)part->value, part->size};
        return AIBOX_OK;
    }
    if (!part->raw)
        return argument_picture(req, part->value, part->size, value, err);
    /* In base64 a '+' that the sender forgot to encode means itself, and never a space. */
    text = arena_alloc(&req->arena, part->raw_size + 1);
    if (!text)
        return out_of_memory(err);
    size = percent_decode(part->raw, part->raw_size, false, text);
    return argument_picture(req, text, size > 0 ? (size_t)size : 0, value, err);
}

/* The JSON text of a field, handed to `value` as its owner; `*json` is NULL when it is null. */
static enum aibox_status json_from_part(const struct api_field *field, const struct form_part *part,
                                        struct api_value *value, json_t **json, struct aibox_error *err)
{
    struct aibox_error why = {0};
    char shown[ARGUMENT_SHOWN];

    *json = json_in_parse(part->value, part->size, &why);
    if (!*json) {
        (void)argument_mismatch(field, argument_show_text(part->value, shown), err);
        return AIBOX_PARAM;
    }
    value->owned = *json;
    return AIBOX_OK;
}

static enum aibox_status typed_json_from_part(struct api_request *req, const struct api_field *field,
                                              const struct form_part *part, struct api_value *value,
                                              struct aibox_error *err)
{
    json_t *json;
    char shown[ARGUMENT_SHOWN];
    enum aibox_status status = json_from_part(field, part, value, &json, err);

    if (status != AIBOX_OK)
        return status;
    if (json_is_null(json))
        return argument_mismatch(field, argument_show_json(json, shown), err);
    return argument_from_json(req, field, json, value, err);
}

/* Anything: JSON text, or else the text itself. */
static enum aibox_status any_from_part(const struct form_part *part, struct api_value *value, struct aibox_error *err)
{
    value->owned = json_in_parse(part->value, part->size, NULL);
    if (!value->owned)
        value->owned = json_stringn(part->value, part->size);
    if (!value->owned)
        return out_of_memory(err);
    value->json = value->owned;
    value->filled = true;
    return AIBOX_OK;
}

static bool begins_with(const struct form_part *part, char bracket)
{
    size_t at = strspn(part->value, " \t\r\n");

    return part->value[at] == bracket;
}

/* The field repeated, or one plain text. */
static enum aibox_status list_from_parts(struct api_request *req, const struct api_field *field,
                                         const struct form_part *const *parts, size_t count, struct api_value *value,
                                         struct aibox_error *err)
{
    enum aibox_status status = argument_check_count(field, count, err);

    if (status != AIBOX_OK)
        return status;
    value->items = arena_array(&req->arena, count, sizeof *value->items);
    if (!value->items)
        return out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        status = check_text(field, parts[i], err);
        if (status != AIBOX_OK)
            return status;
        value->items[i] = parts[i]->value;
    }
    value->count = count;
    value->filled = true;
    return argument_check_list(field, value, err);
}

enum aibox_status argument_from_form(struct api_request *req, const struct api_field *field,
                                     const struct form_part *const *parts, size_t count, struct api_value *value,
                                     struct aibox_error *err)
{
    enum aibox_status status;

    if (field->type == API_PICTURE && count == 1)
        return picture_from_part(req, parts[0], value, err);
    if (field->type == API_LIST && (count > 1 || !begins_with(parts[0], '[')))
        return list_from_parts(req, field, parts, count, value, err);
    if (count > 1)
        return error_set(err, AIBOX_PARAM, "%s: expected once, got %zu times", field->name, count);
    status = check_text(field, parts[0], err);
    if (status != AIBOX_OK)
        return status;
    switch (field->type) {
    case API_LIST:
    case API_DICT:
    case API_OBJECTS:
    case API_FLOATS:
        return typed_json_from_part(req, field, parts[0], value, err);
    case API_JSON:
        return any_from_part(parts[0], value, err);
    default:
        return argument_scalar(field, parts[0]->value, value, err);
    }
}

enum aibox_status argument_from_default(struct api_request *req, const struct api_field *field, struct api_value *value,
                                        struct aibox_error *err)
{
    struct form_part part = {.name = field->name, .value = field->default_text, .size = strlen(field->default_text)};
    const struct form_part *const parts[] = {&part};

    return argument_from_form(req, field, parts, 1, value, err);
}
