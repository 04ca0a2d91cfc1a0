/* The info of a person: a JSON object that holds name, type and whatever else the client keeps there. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/person.h"

/* What the box derives when it shows a person: not stored, so that clients can send back what they read. */
static const char *const derived[] = {"user_id",   "face_ids",         "image_id",      "image_ids",
                                      "group_ids", "permission_names", "permission_ids"};

static enum aibox_status check(json_t *object, struct aibox_error *err)
{
    json_t *name = json_object_get(object, "name");
    json_t *type = json_object_get(object, "type");

    if (name && !json_is_string(name))
        return error_set(err, AIBOX_PARAM, "name must be a string");
    if (name && json_string_length(name) > STORE_MAX_NAME)
        return error_set(err, AIBOX_PARAM, "name is longer than %d bytes", STORE_MAX_NAME);
    if (type && (!json_is_integer(type) || json_integer_value(type) < 1 || json_integer_value(type) > 5))
        return error_set(err, AIBOX_PARAM, "type must be an integer from 1 to 5");
    return AIBOX_OK;
}

enum aibox_status info_parse(const char *text, json_t **out, struct aibox_error *err)
{
    json_error_t error;

    *out = NULL;
    if (strlen(text) > STORE_MAX_INFO)
        return error_set(err, AIBOX_PARAM, "info is longer than %d bytes", STORE_MAX_INFO);
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!object)
        return error_set(err, AIBOX_PARAM, "info is no JSON: %s", error.text);
    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(err, AIBOX_PARAM, "info must be a JSON object");
    }
    for (size_t i = 0; i < sizeof derived / sizeof derived[0]; i++)
        json_object_del(object, derived[i]);
    enum aibox_status status = check(object, err);
    if (status != AIBOX_OK) {
        json_decref(object);
        return status;
    }
    *out = object;
    return AIBOX_OK;
}

/* Name and type are never lost: neither by a replacement that lacks them nor in a new person. */
static bool keep_name_and_type(json_t *object, json_t *stored)
{
    json_t *name = json_object_get(stored, "name");
    json_t *type = json_object_get(stored, "type");

    if (!json_object_get(object, "name") && name && json_object_set(object, "name", name) != 0)
        return false;
    if (json_object_get(object, "type"))
        return true;
    return type ? json_object_set(object, "type", type) == 0
                : json_object_set_new(object, "type", json_integer(1)) == 0;
}

static int digits_of(double value)
{
    char text[40];

    for (int digits = 15; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return digits;
    }
    return 17;
}

/* The digits that bring back every number in `value` as it is: 0.1 is to stay 0.1, not become 0.10000000000000001. */
static int digits_needed(json_t *value)
{
    int digits = 15, of_part;
    const char *key;
    json_t *part;
    size_t i;

    if (json_is_real(value))
        return digits_of(json_real_value(value));
    json_object_foreach(value, key, part)
    {
        of_part = digits_needed(part);
        digits = of_part > digits ? of_part : digits;
    }
    json_array_foreach(value, i, part)
    {
        of_part = digits_needed(part);
        digits = of_part > digits ? of_part : digits;
    }
    return digits;
}

enum aibox_status info_merge(const char *stored, json_t *given, bool replace, char **info, char **name, int *type,
                             struct aibox_error *err)
{
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    json_t *old = stored ? json_loads(stored, 0, NULL) : json_object();
    json_t *merged = replace && given ? json_copy(given) : json_copy(old);

    if (!old || !merged || (given && !replace && json_object_update(merged, given) != 0) ||
        !keep_name_and_type(merged, old)) {
        error_set(err, status, "info can't be put together");
        goto out;
    }
    if (!json_object_get(merged, "name")) {
        status = error_set(err, AIBOX_PARAM, "name is missing");
        goto out;
    }
    *type = (int)json_integer_value(json_object_get(merged, "type"));
    *name = strdup(json_string_value(json_object_get(merged, "name")));
    *info = json_dumps(merged, JSON_COMPACT | JSON_REAL_PRECISION((size_t)digits_needed(merged)));
    if (!*name || !*info)
        status = out_of_memory(err);
    else if (strlen(*info) > STORE_MAX_INFO)
        status = error_set(err, AIBOX_PARAM, "info is longer than %d bytes", STORE_MAX_INFO);
    else
        status = AIBOX_OK;
out:
    json_decref(merged);
    json_decref(old);
    return status;
}
