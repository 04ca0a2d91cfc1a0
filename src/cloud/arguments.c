/* Looking at what came in a command. */
#include <stdlib.h>
#include <string.h>

#include "cloud/command_internal.h"
#include "core/base64.h"

static const json_t *present(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_null(value) ? NULL : value;
}

static enum aibox_status expected(const char *field, const char *what, struct aibox_error *err)
{
    return error_set(err, AIBOX_COMMAND_PARAM, "%s: %s is expected", field, what);
}

enum aibox_status argument_text(const json_t *object, const char *key, const char *field, const char **out,
                                struct aibox_error *err)
{
    const json_t *value = present(object, key);

    *out = json_string_value(value);
    return value == NULL || *out != NULL ? AIBOX_OK : expected(field, "a text", err);
}

enum aibox_status argument_bool(const json_t *object, const char *key, const char *field, bool *given, bool *out,
                                struct aibox_error *err)
{
    const json_t *value = present(object, key);

    *given = value != NULL;
    if (value == NULL)
        return AIBOX_OK;
    if (!json_is_boolean(value))
        return expected(field, "true or false", err);
    *out = json_is_true(value);
    return AIBOX_OK;
}

enum aibox_status argument_object(json_t *object, const char *key, const char *field, json_t **out,
                                  struct aibox_error *err)
{
    json_t *value = json_object_get(object, key);

    *out = json_is_object(value) ? value : NULL;
    return *out != NULL || value == NULL || json_is_null(value) ? AIBOX_OK : expected(field, "an object", err);
}

enum aibox_status argument_list(json_t *object, const char *key, const char *field, size_t most, json_t **out,
                                struct aibox_error *err)
{
    json_t *value = json_object_get(object, key);

    *out = json_is_array(value) ? value : NULL;
    if (*out == NULL && value != NULL && !json_is_null(value))
        return expected(field, "a list", err);
    if (json_array_size(*out) > most)
        return error_set(err, AIBOX_COMMAND_PARAM, "%s: %zu items, at most %zu are allowed", field,
                         json_array_size(*out), most);
    return AIBOX_OK;
}

static json_t *id_text(const json_t *value)
{
    return json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

enum aibox_status argument_id(json_t *object, const char *key, const char *field, const char **out,
                              struct aibox_error *err)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_integer(value) && json_object_set_new(object, key, id_text(value)) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return argument_text(object, key, field, out, err);
}

enum aibox_status argument_ids(json_t *list, const char *field, struct aibox_error *err)
{
    size_t i;
    const json_t *item;

    json_array_foreach(list, i, item)
    {
        if (json_is_integer(item) && json_array_set_new(list, i, id_text(item)) != 0)
            return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        if (!json_is_string(json_array_get(list, i)))
            return error_set(err, AIBOX_COMMAND_PARAM, "%s[%zu]: a text is expected", field, i);
    }
    return AIBOX_OK;
}

enum aibox_status argument_level(const json_t *object, const char *key, const char *field, bool *given,
                                 enum vision_quality_level *out, struct aibox_error *err)
{
    const char *word;
    enum aibox_status status = argument_text(object, key, field, &word, err);

    *given = status == AIBOX_OK && word != NULL && word[0] != '\0';
    if (*given && !vision_quality_level_parse(word, out))
        return expected(field, "high, middle, low, custom or no", err);
    return status;
}

enum aibox_status argument_photo(const json_t *text, const char *field, uint8_t **out, size_t *size,
                                 struct aibox_error *err)
{
    size_t length = json_string_length(text);

    *out = malloc(base64_decoded_max(length) + 1);
    *size = 0;
    if (*out == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (base64_decode(json_string_value(text), length, *out, size) && *size > 0)
        return AIBOX_OK;
    free(*out);
    *out = NULL;
    return error_set(err, AIBOX_IMAGE, "%s: not a picture in base64", field);
}

enum aibox_status argument_status(enum aibox_status status)
{
    switch (status) {
    case AIBOX_PARAM:
    case AIBOX_BOOLEAN:
    case AIBOX_BAD_REQUEST:
        return AIBOX_COMMAND_PARAM;
    default:
        return status;
    }
}
