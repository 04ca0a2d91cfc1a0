/* Browser terminals, the page /pad: /api/devices/{device_id}/pad_code, /api/devices/{device_id}/terminals,
 * /api/pad/pair */
#include <sodium.h>
#include <string.h>

#include "access/terminals.h"
#include "api/endpoint.h"
#include "api/resources.h"
#include "flow/devices.h"
#include "flow/flow.h"

static bool is_pad(const struct device *device)
{
    return device->type == DEVICE_GATE_PAD || device->type == DEVICE_DOOR_PAD;
}

static enum aibox_status find_pad(struct api_context *ctx, const struct api_request *req, const struct device **out,
                                  struct aibox_error *err)
{
    const char *device_id = api_text(req, "device_id");

    *out = devices_find(flow_devices(ctx->flow), device_id);
    if (!*out)
        return error_set(err, AIBOX_NOT_FOUND, "device_id: no device is called '%s'", device_id);
    if (is_pad(*out))
        return AIBOX_OK;
    device_release(*out);
    *out = NULL;
    return error_set(err, AIBOX_PARAM, "device_id: a gate or door terminal (ep_type 0 or 4) is expected");
}

static void begin(struct json_out *out)
{
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
}

static void end(struct json_out *out)
{
    json_out_object_end(out);
    json_out_object_end(out);
}

static enum aibox_status make_code(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    const struct device *device;
    char code[TERMINALS_CODE_SIZE];
    enum aibox_status status = find_pad(ctx, req, &device, err);

    if (status != AIBOX_OK)
        return status;
    status = terminals_make_code(ctx->terminals, device->device_id, code, err);
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        begin(out);
        json_out_key_text(out, "code", code);
        json_out_key_int(out, "valid_seconds", TERMINALS_CODE_MS / 1000);
        json_out_key_int(out, "terminals", (int64_t)terminals_count(ctx->terminals, device->device_id));
        end(out);
    }
    device_release(device);
    sodium_memzero(code, sizeof code);
    return status;
}

static enum aibox_status forget_terminals(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                          struct aibox_error *err)
{
    const char *device_id = api_text(req, "device_id");
    size_t count = terminals_count(ctx->terminals, device_id);
    enum aibox_status status = terminals_forget(ctx->terminals, device_id, err);

    if (status != AIBOX_OK)
        return status;
    struct json_out *out = api_body(res);
    begin(out);
    json_out_key_int(out, "terminals", (int64_t)count);
    end(out);
    return AIBOX_OK;
}

static enum aibox_status pair(struct api_context *ctx, struct api_request *req, struct api_response *res,
                              struct aibox_error *err)
{
    char token[TERMINALS_TOKEN_SIZE], device_id[TERMINALS_DEVICE_SIZE];
    enum aibox_status status = terminals_pair(ctx->terminals, api_text(req, "code"), token, device_id, err);

    if (status != AIBOX_OK)
        return status;
    const struct device *device = devices_find(flow_devices(ctx->flow), device_id);
    struct json_out *out = api_body(res);
    begin(out);
    json_out_key_text(out, "token", token);
    json_out_key_text(out, "device_id", device_id);
    json_out_key_text(out, "device_name", device ? device->name : "");
    end(out);
    device_release(device);
    sodium_memzero(token, sizeof token);
    return AIBOX_OK;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const struct api_field device_fields[] = {
    {.name = "device_id", .type = API_TEXT, .flags = API_REQUIRED, .max = 256, .help = "A gate or door terminal."},
};

static const struct api_field pair_fields[] = {
    {.name = "code", .type = API_TEXT, .flags = API_REQUIRED, .max = 16, .help = "The eight digits of the code."},
};

const struct api_endpoint api_terminals_endpoints[] = {
    {.method = "POST",
     .path = "/api/devices/{device_id}/pad_code",
     .encodings = API_BODY_JSON,
     .role = API_OPERATOR,
     .fields = device_fields,
     .n_fields = sizeof device_fields / sizeof device_fields[0],
     .handler = make_code,
     .tag = "devices",
     .summary =
         "A code by which a tablet becomes this terminal: typed in at its page /pad, good once and for ten minutes",
     .example = "{}"},
    {.method = "DELETE",
     .path = "/api/devices/{device_id}/terminals",
     .encodings = API_BODY_JSON,
     .role = API_OPERATOR,
     .fields = device_fields,
     .n_fields = sizeof device_fields / sizeof device_fields[0],
     .handler = forget_terminals,
     .tag = "devices",
     .summary = "No tablet is this terminal any more",
     .example = "{}"},
    {.method = "POST",
     .path = "/api/pad/pair",
     .encodings = API_BODY_JSON,
     .role = API_OPEN,
     .fields = pair_fields,
     .n_fields = sizeof pair_fields / sizeof pair_fields[0],
     .handler = pair,
     .tag = "devices",
     .summary = "Exchange a code for a token with which PictureMatch may be called for that terminal, and nothing else",
     .example = "{\"code\": \"12345678\"}",
     .when_set_up = true},
};
const size_t api_terminals_count = sizeof api_terminals_endpoints / sizeof api_terminals_endpoints[0];
