/* Query strings and urlencoded forms, up to the typed arguments. */
#include <stdint.h>

#include "fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct api_endpoint endpoint = {
    .method = "GET", .path = "/f/{name}", .fields = fields, .n_fields = sizeof fields / sizeof fields[0]};

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
