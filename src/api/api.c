#include "api/api.h"

#include "api/resources.h"
#include "api/server.h"

enum aibox_status api_open(const struct api_context *ctx, const char *listen, struct api **out, struct aibox_error *err)
{
    size_t n;
    const struct api_endpoint *table = api_all_endpoints(&n);

    return api_server_open(table, n, ctx, listen, NULL, out, err);
}
