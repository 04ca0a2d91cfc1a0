/* The description of everything the box offers: /openapi.json. */
#include "api/openapi.h"
#include "api/request.h"
#include "api/resources.h"
#include "api/server.h"

static enum aibox_status get_openapi(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    size_t n;
    const struct api_endpoint *table = api_table(req->api, &n);

    (void)ctx;
    (void)err;
    openapi_print(table, n, api_body(res));
    return AIBOX_OK;
}

const struct api_endpoint api_openapi_endpoints[] = {
    {.method = "GET",
     .path = "/openapi.json",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .handler = get_openapi,
     .tag = "API",
     .summary = "This document: OpenAPI 3.1 of all calls."},
};
const size_t api_openapi_count = sizeof api_openapi_endpoints / sizeof api_openapi_endpoints[0];
