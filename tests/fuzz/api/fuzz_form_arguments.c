/* Query strings and urlencoded forms, up to the typed arguments. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/arguments.h"
#include "core/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Independent of NDEBUG. */
static void check(bool holds)
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
    {.name = "ids", .type = API_LIST, .max = 64, .max_items = 100},
    {.name = "info", .type = API_DICT},
    {.name = "objects", .type = API_OBJECTS},
    {.name = "feature", .type = API_FLOATS},
    {.name = "any", .type = API_JSON},
};
static const struct api_endpoint endpoint = {
    .method = "GET", .path = "/f/{name}", .fields = fields, .n_fields = sizeof fields / sizeof fields[0]};

static void check_arguments(const struct api_request *req)
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arguments_source source = {.encoding = ARGUMENTS_URLENCODED, .size = size};
    struct api_request req;
    struct aibox_error err;
    enum aibox_status status;

    source.text = malloc(size + 1);
    check(source.text);
    if (size)
        memcpy(source.text, data, size);
    source.text[size] = '\0';
    check(request_init(&req, NULL, &endpoint, NULL) == AIBOX_OK);
    (void)request_set_path(&req, source.text, size < 64 ? size : 64, NULL);
    check(strlen(api_text(&req, "name")) <= 64);
    status = arguments_parse(&req, &source, &err);
    check(status == AIBOX_OK || status == err.status);
    if (status == AIBOX_OK)
        check_arguments(&req);
    else
        check(utf8_valid(err.message, strlen(err.message)));
    request_free(&req);
    free(source.text);
    return 0;
}
