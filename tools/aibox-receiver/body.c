#include "body.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/form.h"
#include "api/header_value.h"
#include "api/json_in.h"
#include "api/percent.h"
#include "core/base64.h"
#include "picture.h"

#define NUMBER_MAX 32 /* characters of a number in a form */

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* Fields that are objects or arrays in JSON. */
static bool is_dict(const char *name)
{
    static const char *const names[] = {"ext_data",    "box_fiqa_info", "grab_fiqa_info", "info",   "gateway_ext_data",
                                        "sub_devices", "deviceInfo",    "deviceList",     "result", NULL};

    return is_one_of(name, names);
}

static bool is_number(const char *name)
{
    static const char *const names[] = {"timestamp", "score", "actionType", "actiontype", "code", NULL};

    return is_one_of(name, names);
}

/* ---- JSON ------------------------------------------------------------------------------------------------- */

/* Not more than there may be; text that is no JSON may be miscounted, the parser refuses it anyway. */
static bool has_few_values(const char *text, size_t size)
{
    size_t values = 1;
    bool in_string = false;

    for (size_t at = 0; at < size; at++) {
        char character = text[at];

        if (character == '"')
            in_string = !in_string;
        else if (in_string)
            at += character == '\\';
        else if (character == ',' || character == '{' || character == '[')
            values++;
    }
    return values <= BODY_MAX_VALUES;
}

static json_t *parse_json(const char *text, size_t size, struct aibox_error *err)
{
    if (!has_few_values(text, size)) {
        (void)error_set(err, AIBOX_BAD_REQUEST, "the JSON holds more than %zu values", BODY_MAX_VALUES);
        return NULL;
    }
    return json_in_parse(text, size, err);
}

static bool looks_like_json(const char *text, size_t size)
{
    size_t at = 0;

    while (at < size && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n'))
        at++;
    return at < size && (text[at] == '{' || text[at] == '[');
}

/* ---- forms ------------------------------------------------------------------------------------------------ */

/* A picture that came as a file. */
static json_t *base64_of(const struct form_part *part)
{
    char *text = malloc(base64_encoded_size(part->size) + 1);
    json_t *value;

    if (!text)
        return NULL;
    base64_encode((const uint8_t *)part->value, part->size, text);
    value = json_string(text);
    free(text);
    return value;
}

/* An urlencoded picture: a '+' that the sender forgot to encode is one, for base64 knows no spaces. */
static json_t *undecoded_plus(struct arena *arena, const struct form_part *part)
{
    char *text = arena_alloc(arena, part->raw_size + 1);
    ptrdiff_t size = text ? percent_decode(part->raw, part->raw_size, false, text) : -1;

    return size < 0 ? NULL : json_stringn(text, (size_t)size);
}

/* The field as number or boolean; NULL: it doesn't read as one. */
static json_t *plain_value(const struct form_part *part)
{
    json_t *value = NULL;

    if (is_number(part->name) && part->size <= NUMBER_MAX)
        value = json_loadb(part->value, part->size, JSON_DECODE_ANY, NULL);
    if (value && !json_is_number(value)) {
        json_decref(value);
        value = NULL;
    }
    if (strcmp(part->name, "success") == 0) {
        if (is_one_of(part->value, (const char *const[]){"true", "True", "1", NULL}))
            value = json_true();
        else if (is_one_of(part->value, (const char *const[]){"false", "False", "0", NULL}))
            value = json_false();
    }
    return value;
}

/* A new reference; NULL with BAD_REQUEST or PROCESS_FAILED. */
static json_t *value_of(struct arena *arena, const struct form_part *part, struct aibox_error *err)
{
    bool picture = picture_is_field(part->name);
    json_t *value = NULL;

    if (part->file && !picture) {
        (void)error_set(err, AIBOX_BAD_REQUEST, "the field %.64s is a file", part->name);
        return NULL;
    }
    if (is_dict(part->name) && part->size > 0) {
        value = parse_json(part->value, part->size, err);
        if (!value)
            error_prefix(err, "the field %.64s", part->name);
        return value;
    }
    if (part->file)
        value = base64_of(part);
    else if (picture && part->raw)
        value = undecoded_plus(arena, part);
    else
        value = plain_value(part);
    if (!value)
        value = json_stringn(part->value, part->size);
    if (!value)
        (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return value;
}

static json_t *object_of(struct arena *arena, const struct form *form, struct aibox_error *err)
{
    json_t *object = json_object();

    for (size_t i = 0; object && i < form->count; i++) {
        const struct form_part *part = &form->parts[i];
        json_t *value;

        if (json_object_get(object, part->name)) {
            (void)error_set(err, AIBOX_BAD_REQUEST, "the field %.64s is there twice", part->name);
            goto fail;
        }
        value = value_of(arena, part, err);
        if (!value)
            goto fail;
        if (json_object_set_new(object, part->name, value) != 0) {
            (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
            goto fail;
        }
    }
    if (!object)
        (void)error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return object;

fail:
    json_decref(object);
    return NULL;
}

/* `boundary` NULL: urlencoded. */
static json_t *parse_form(const char *boundary, char *text, size_t size, struct aibox_error *err)
{
    struct arena arena;
    struct form form;
    json_t *object = NULL;
    enum aibox_status status;

    arena_init(&arena);
    if (boundary)
        status = form_parse_multipart(&arena, text, size, boundary, &form, err);
    else
        status = form_parse_urlencoded(&arena, text, size, &form, err);
    if (status == AIBOX_OK && form.count == 0)
        status = error_set(err, AIBOX_EMPTY_BODY, "the form has no fields");
    if (status == AIBOX_OK)
        object = object_of(&arena, &form, err);
    arena_free(&arena);
    return object;
}

/* ---- either ----------------------------------------------------------------------------------------------- */

json_t *body_parse(const char *content_type, char *text, size_t size, enum body_format *format, struct aibox_error *err)
{
    const char *type = content_type ? content_type : "";
    size_t type_size = strlen(type);
    char boundary[71];

    *format = BODY_JSON;
    if (size == 0) {
        (void)error_set(err, AIBOX_EMPTY_BODY, "the body is empty");
        return NULL;
    }
    if (header_value_is(type, type_size, "multipart/form-data")) {
        *format = BODY_FORM;
        if (header_value_parameter(type, type_size, "boundary", boundary, sizeof boundary) != HEADER_PARAMETER_FOUND) {
            (void)error_set(err, AIBOX_BAD_REQUEST, "the Content-Type names no boundary of 1 to 70 characters");
            return NULL;
        }
        return parse_form(boundary, text, size, err);
    }
    if (header_value_is(type, type_size, "application/json") || looks_like_json(text, size))
        return parse_json(text, size, err);
    if (header_value_is(type, type_size, "application/x-www-form-urlencoded")) {
        *format = BODY_FORM;
        return parse_form(NULL, text, size, err);
    }
    (void)error_set(err, AIBOX_CONTENT_TYPE, "neither JSON nor a form");
    return NULL;
}
