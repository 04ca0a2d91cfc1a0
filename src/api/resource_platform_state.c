/* How the link to the platform is doing: /api/platform, /api/platform/dead. */
#include "api/endpoint.h"
#include "api/resources.h"
#include "cloud/cloud.h"
#include "store/commands.h"
#include "store/store.h"

static enum aibox_status get_state(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    struct json_out *out = api_body(res);

    (void)req;
    (void)err;
    json_out_object_begin(out);
    json_out_key(out, "data");
    cloud_print(ctx->cloud, out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static bool write_dead(void *ctx, const struct store_dead_command *dead)
{
    struct json_out *out = ctx;

    json_out_object_begin(out);
    json_out_key_int(out, "time", dead->time_ms);
    json_out_key_text(out, "method", dead->method);
    json_out_key_text(out, "messageId", dead->message_id);
    json_out_key_text(out, "reason", dead->reason);
    json_out_key_text(out, "excerpt", dead->excerpt);
    json_out_object_end(out);
    return true;
}

static enum aibox_status list_dead(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    int64_t page = api_int(req, "page"), per_page = api_int(req, "per_page");
    size_t total = 0;

    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_array_begin(out);
    enum aibox_status status =
        store_dead_command_each(ctx->store, (size_t)(page * per_page), (size_t)per_page, write_dead, out, &total, err);
    json_out_array_end(out);
    json_out_key(out, "pagination");
    json_out_object_begin(out);
    json_out_key_int(out, "num_pages", ((int64_t)total + per_page - 1) / per_page);
    json_out_key_int(out, "page", page);
    json_out_key_int(out, "per_page", per_page);
    json_out_key_int(out, "total_count", (int64_t)total);
    json_out_object_end(out);
    json_out_object_end(out);
    return status;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static const struct api_field dead_fields[] = {
    {.name = "page", .type = API_INT, .default_text = "0", .min = 0, .max = STORE_DEAD_MAX, .help = "Page, from 0."},
    {.name = "per_page", .type = API_INT, .default_text = "20", .min = 1, .max = 100, .help = "Commands a page."},
};

const struct api_endpoint api_platform_state_endpoints[] = {
    {.method = "GET",
     .path = "/api/platform",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .handler = get_state,
     .tag = "platform",
     .summary = "Read how the link to the platform is doing: state, last failure, queues, what waits, counters"},
    {.method = "GET",
     .path = "/api/platform/dead",
     .encodings = API_QUERY,
     .role = API_OPERATOR,
     .fields = dead_fields,
     .n_fields = sizeof dead_fields / sizeof dead_fields[0],
     .handler = list_dead,
     .tag = "platform",
     .summary = "List commands of the platform that could not be executed, newest first"},
};
const size_t api_platform_state_count = sizeof api_platform_state_endpoints / sizeof api_platform_state_endpoints[0];
