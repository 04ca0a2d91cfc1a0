#include "intake/sidecar.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

static bool is_deeper(const json_t *value, int depth)
{
    const char *key;
    json_t *item;
    size_t i;
    if (!json_is_object(value) && !json_is_array(value))
        return false;
    if (depth == 0)
        return true;
    json_object_foreach((json_t *)value, key, item)
    {
        if (is_deeper(item, depth - 1))
            return true;
    }
    json_array_foreach(value, i, item)
    {
        if (is_deeper(item, depth - 1))
            return true;
    }
    return false;
}

enum aibox_status sidecar_parse(const char *bytes, size_t size, char **text, struct aibox_error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    enum aibox_status status = AIBOX_OK;
    json_error_t why;
    *text = NULL;
    if (size > SIDECAR_MAX_BYTES)
        return error_set(err, AIBOX_PARAM, "larger than %d bytes", SIDECAR_MAX_BYTES);
    if (size >= strlen(mark) && memcmp(bytes, mark, strlen(mark)) == 0) {
        bytes += strlen(mark);
        size -= strlen(mark);
    }
    json_t *json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &why);
    if (json == NULL)
        return error_set(err, AIBOX_PARAM, "not JSON, line %d column %d", why.line, why.column);
    if (!json_is_object(json))
        status = error_set(err, AIBOX_PARAM, "not an object");
    else if (is_deeper(json, SIDECAR_MAX_DEPTH))
        status = error_set(err, AIBOX_PARAM, "nested deeper than %d", SIDECAR_MAX_DEPTH);
    else if ((*text = json_dumps(json, JSON_COMPACT)) == NULL)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    json_decref(json);
    return status;
}
