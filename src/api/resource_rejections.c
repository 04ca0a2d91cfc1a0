/* "Not this person": /api/events/{event_id}/not_this_person, /api/rejections */
#include "api/endpoint.h"
#include "api/names.h"
#include "api/resources.h"
#include "flow/flow.h"

static enum aibox_status reject(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    const char *event_id = api_text(req, "event_id");
    struct flow_rejection rejection;
    enum aibox_status status = flow_reject(ctx->flow, event_id, api_text(req, "identity_id"), &rejection, err);

    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_int(out, "rejection_id", rejection.rejection_id);
    json_out_key_text(out, "event_id", event_id);
    json_out_key_text(out, "identity_id", rejection.identity_id);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static void print_rejection(void *ctx, const struct store_rejection *rejection)
{
    struct json_out *out = ctx;

    json_out_object_begin(out);
    json_out_key_int(out, "rejection_id", rejection->rejection_id);
    json_out_key_text(out, "event_id", rejection->event_id);
    json_out_key_text(out, "identity_id", rejection->identity_id);
    json_out_key_text(out, "name", rejection->name);
    json_out_key_int(out, "created", rejection->created_ms);
    json_out_object_end(out);
}

static enum aibox_status list_rejections(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                         struct aibox_error *err)
{
    size_t skip = (size_t)api_int(req, "skip_num"), limit = (size_t)api_int(req, "limit"), total = 0;
    struct json_out *out = api_body(res);

    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key(out, "rejections");
    json_out_array_begin(out);
    enum aibox_status status =
        store_rejection_list(ctx->store, api_text(req, "identity_id"), skip, limit, print_rejection, out, &total, err);
    json_out_array_end(out);
    names_json_pagination(out, skip, limit, total);
    json_out_object_end(out);
    json_out_object_end(out);
    return status;
}

static enum aibox_status undo_rejection(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                        struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    int64_t id = 0;
    enum aibox_status status = api_row_id(req, "id", &id, err);

    if (status == AIBOX_OK)
        status = flow_reject_undo(ctx->flow, id, err);
    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_int(out, "rejection_id", id);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static const struct api_field reject_fields[] = {
    {.name = "event_id", .type = API_TEXT, .flags = API_REQUIRED, .max = 64, .help = "The event with the face."},
    {.name = "identity_id",
     .type = API_TEXT,
     .flags = API_NOT_EMPTY,
     .max = STORE_MAX_IDENTITY,
     .help = "Who it is not; absent: the person whom the event names, else the nearest."},
};

static const struct api_field list_fields[] = {
    {.name = "identity_id", .type = API_TEXT, .max = 1024, .help = "Of this person; absent: of everybody."},
    {.name = "limit", .type = API_INT, .default_text = "100", .min = 1, .max = 1000, .help = "Records at most."},
    {.name = "skip_num", .type = API_INT, .default_text = "0", .min = 0, .max = 1e9, .help = "Records to skip."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_rejections_endpoints[] = {
    {"POST", "/api/events/{event_id}/not_this_person", API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false,
     FIELDS(reject_fields), reject, "events", "Say that the face of an event is not that person's",
     "{\"identity_id\": \"10086\"}"},
    {"GET", "/api/rejections", API_QUERY, API_VIEWER, false, FIELDS(list_fields), list_rejections, "events",
     "Read what was said not to belong together, newest first", NULL},
    {"DELETE", "/api/rejections/{id}", API_QUERY, API_OPERATOR, false, NULL, 0, undo_rejection, "events",
     "Take that back", NULL},
};
const size_t api_rejections_count = sizeof api_rejections_endpoints / sizeof api_rejections_endpoints[0];
