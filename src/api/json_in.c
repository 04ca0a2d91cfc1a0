#include "api/json_in.h"

#include <stdbool.h>

/* Cheap look at the brackets outside strings. */
static bool too_deep(const char *text, size_t size)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t at = 0; at < size; at++) {
        char character = text[at];

        if (character == '"')
            in_string = !in_string;
        else if (in_string)
            at += character == '\\';
        else if ((character == '{' || character == '[') && ++depth > JSON_MAX_DEPTH)
            return true;
        else if ((character == '}' || character == ']') && depth > 0)
            depth--;
    }
    return false;
}

json_t *json_in_parse(const char *text, size_t size, struct aibox_error *err)
{
    if (too_deep(text, size)) {
        (void)error_set(err, AIBOX_BAD_REQUEST, "the JSON is nested deeper than %d levels", JSON_MAX_DEPTH);
        return NULL;
    }
    return json_in_parse_lifted(text, size, NULL, err);
}

json_t *json_in_parse_lifted(const char *text, size_t size, const struct lift *lift, struct aibox_error *err)
{
    json_error_t why;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    size_t position;

    if (json)
        return json;
    position = why.position > 0 ? (size_t)why.position : 0;
    if (lift)
        position = lift_original_position(lift, position);
    (void)error_set(err, AIBOX_BAD_REQUEST, "the JSON can't be read: %.120s, at byte %zu", why.text, position);
    return NULL;
}
