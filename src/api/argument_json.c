/* Arguments from JSON values. */
#include <stdio.h>
#include <string.h>

#include "api/argument.h"

#define DECIMAL_SIZE 24 /* a 64-bit integer as text */

static enum aibox_status out_of_memory(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

/* The text of a string, or of an integer in decimal; NULL for anything else or without memory. */
static const char *text_of(struct api_request *req, const json_t *json)
{
    char decimal[DECIMAL_SIZE];
    int size;

    if (json_is_string(json))
        return json_string_value(json);
    if (!json_is_integer(json))
        return NULL;
    size = snprintf(decimal, sizeof decimal, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
    return arena_text(&req->arena, decimal, (size_t)size);
}

static enum aibox_status number_from_json(struct api_request *req, const struct api_field *field, const json_t *json,
                                          struct api_value *value, struct aibox_error *err)
{
    char shown[ARGUMENT_SHOWN];
    const char *text = argument_show_json(json, shown);

    value->number = json_number_value(json);
    value->text = arena_text(&req->arena, text, strlen(text));
    if (!value->text)
        return out_of_memory(err);
    return argument_check_range(field, value->number, text, err);
}

static enum aibox_status list_from_json(struct api_request *req, const struct api_field *field, const json_t *json,
                                        struct api_value *value, struct aibox_error *err)
{
    bool single = !json_is_array(json);
    char shown[ARGUMENT_SHOWN];
    enum aibox_status status;

    value->count = single ? 1 : json_array_size(json);
    status = argument_check_count(field, value->count, err);
    if (status != AIBOX_OK)
        return status;
    value->items = arena_array(&req->arena, value->count, sizeof *value->items);
    if (!value->items)
        return out_of_memory(err);
    for (size_t i = 0; i < value->count; i++) {
        const json_t *item = single ? json : json_array_get(json, i);

        value->items[i] = text_of(req, item);
        if (value->items[i])
            continue;
        if (json_is_integer(item))
            return out_of_memory(err);
        if (single)
            return argument_mismatch(field, argument_show_json(item, shown), err);
        return error_set(err, AIBOX_PARAM, "%s[%zu]: expected text, got %s", field->name, i,
                         argument_show_json(item, shown));
    }
    return argument_check_list(field, value, err);
}

static enum aibox_status objects_from_json(const struct api_field *field, json_t *json, struct api_value *value,
                                           struct aibox_error *err)
{
    char shown[ARGUMENT_SHOWN];
    enum aibox_status status;

    if (!json_is_array(json))
        return argument_mismatch(field, argument_show_json(json, shown), err);
    status = argument_check_count(field, json_array_size(json), err);
    for (size_t i = 0; i < json_array_size(json) && status == AIBOX_OK; i++)
        if (!json_is_object(json_array_get(json, i)))
            status = error_set(err, AIBOX_PARAM, "%s[%zu]: expected an object, got %s", field->name, i,
                               argument_show_json(json_array_get(json, i), shown));
    value->json = json;
    return status;
}

static enum aibox_status floats_from_json(struct api_request *req, const struct api_field *field, const json_t *json,
                                          struct api_value *value, struct aibox_error *err)
{
    char shown[ARGUMENT_SHOWN];
    enum aibox_status status;

    if (!json_is_array(json))
        return argument_mismatch(field, argument_show_json(json, shown), err);
    value->count = json_array_size(json);
    status = argument_check_count(field, value->count, err);
    if (status != AIBOX_OK)
        return status;
    value->floats = arena_array(&req->arena, value->count, sizeof *value->floats);
    if (!value->floats)
        return out_of_memory(err);
    for (size_t i = 0; i < value->count; i++) {
        const json_t *item = json_array_get(json, i);

        if (!json_is_number(item))
            return error_set(err, AIBOX_PARAM, "%s[%zu]: expected a number, got %s", field->name, i,
                             argument_show_json(item, shown));
        value->floats[i] = (float)json_number_value(item);
    }
    return AIBOX_OK;
}

/* TEXT, BOOL, INT, CHOICE: a string or an integer becomes text, which is judged like that of a form. */
static enum aibox_status scalar_from_json(struct api_request *req, const struct api_field *field, const json_t *json,
                                          struct api_value *value, struct aibox_error *err)
{
    const char *text = text_of(req, json);
    char shown[ARGUMENT_SHOWN];

    if (text)
        return argument_scalar(field, text, value, err);
    if (json_is_integer(json))
        return out_of_memory(err);
    return argument_mismatch(field, argument_show_json(json, shown), err);
}

enum aibox_status argument_from_json(struct api_request *req, const struct api_field *field, json_t *json,
                                     struct api_value *value, struct aibox_error *err)
{
    char shown[ARGUMENT_SHOWN];

    value->filled = true;
    switch (field->type) {
    case API_BOOL:
        if (!json_is_boolean(json))
            break;
        value->boolean = json_is_true(json);
        return AIBOX_OK;
    case API_FLOAT:
    case API_NUMBER_OR_WORD:
        if (!json_is_number(json))
            break;
        return number_from_json(req, field, json, value, err);
    case API_PICTURE:
        if (!json_is_string(json))
            return argument_mismatch(field, argument_show_json(json, shown), err);
        return argument_picture(req, json_string_value(json), json_string_length(json), value, err);
    case API_LIST:
        return list_from_json(req, field, json, value, err);
    case API_DICT:
        value->json = json;
        if (!json_is_object(json))
            return argument_mismatch(field, argument_show_json(json, shown), err);
        return AIBOX_OK;
    case API_OBJECTS:
        return objects_from_json(field, json, value, err);
    case API_FLOATS:
        return floats_from_json(req, field, json, value, err);
    case API_JSON:
        value->json = json;
        return AIBOX_OK;
    case API_TEXT:
    case API_INT:
    case API_CHOICE:
        break;
    }
    return scalar_from_json(req, field, json, value, err);
}
