/* What the fuzz targets of arguments share: an endpoint's fields, one of each type, and what holds of their values. */
#ifndef AIBOX_FUZZ_API_FIELDS_H
#define AIBOX_FUZZ_API_FIELDS_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "api/arguments.h"
#include "core/utf8.h"

/* Independent of NDEBUG. */
static inline void check(bool holds)
{
    if (!holds)
        abort();
}

static const struct api_field fields[] = {
    {.name = "id", .type = API_TEXT, .max = 64, .flags = API_NOT_EMPTY},
    {.name = "on", .type = API_BOOL, .default_text = "true"},
    {.name = "n", .type = API_INT, .min = 1, .max = 1000, .default_text = "10"},
    {.name = "x", .type = API_FLOAT, .min = -1, .max = 1, .alias = "y|z"},
    {.name = "t", .type = API_NUMBER_OR_WORD, .min = 0, .max = 1, .choices = "high|low"},
    {.name = "l", .type = API_CHOICE, .choices = "high|low|0", .default_text = "high"},
    {.name = "p", .type = API_PICTURE, .alias = "image"},
    {.name = "q", .type = API_PICTURE},
    {.name = "ids", .type = API_LIST, .max = 64, .max_items = 100},
    {.name = "info", .type = API_DICT},
    {.name = "objects", .type = API_OBJECTS},
    {.name = "feature", .type = API_FLOATS},
    {.name = "any", .type = API_JSON},
};

/* Of a request whose arguments were taken. */
static inline void check_arguments(const struct api_request *req)
{
    const char *id = api_text(req, "id");
    const char *const *ids;
    size_t n;

    check(!id || (*id && strlen(id) <= 64 && utf8_valid(id, strlen(id))));
    check(api_int(req, "n") >= 1 && api_int(req, "n") <= 1000);
    check(!(api_float(req, "x") < -1 || api_float(req, "x") > 1));
    ids = api_list(req, "ids", &n);
    check(n <= 100);
    for (size_t i = 0; i < n; i++)
        check(strlen(ids[i]) <= 64);
    check(!api_json(req, "info") || json_is_object(api_json(req, "info")));
    check(!api_json(req, "objects") || json_is_array(api_json(req, "objects")));
}

#endif
