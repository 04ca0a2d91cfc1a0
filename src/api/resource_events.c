/* The event history: /SophonFace/api/events, event_images. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/event_filter.h"
#include "api/request.h"
#include "api/resources.h"
#include "flow/event_json.h"
#include "flow/flow.h"
#include "store/store.h"

static enum aibox_status list_events(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct store_event_query query;
    struct store_event_list list = {0};
    int64_t page = api_int(req, "page"), per_page = api_int(req, "per_page");
    char dev_sno[EVENT_JSON_DEV_SNO];
    settings_text(ctx->settings, "cloud.dev_sno", dev_sno, sizeof dev_sno);
    event_filter_read(req, &query);
    query.skip = (size_t)(page * per_page);
    query.limit = (size_t)per_page;
    enum aibox_status status = store_event_list(ctx->store, &query, &list, err);
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_array_begin(out);
        for (size_t i = 0; i < list.count; i++)
            event_json(out, &list.items[i], dev_sno, NAN);
        json_out_array_end(out);
        json_out_key(out, "pagination");
        json_out_object_begin(out);
        json_out_key_int(out, "num_pages", ((int64_t)list.total + per_page - 1) / per_page);
        json_out_key_int(out, "page", page);
        json_out_key_int(out, "per_page", per_page);
        json_out_key_int(out, "total_count", (int64_t)list.total);
        json_out_object_end(out);
        json_out_object_end(out);
    }
    store_event_list_free(&list);
    return status;
}

/* ---- deleting ---- */

/* A list argument whose items may hold several ids, separated by ','. Empty ids are left out. NULL: out of memory. */
static const char **read_ids(struct api_request *req, const char *name, size_t *count)
{
    size_t n, room = 0;
    const char *const *items = api_list(req, name, &n);

    *count = 0;
    for (size_t i = 0; i < n; i++) {
        room++;
        for (const char *at = items[i]; (at = strchr(at, ',')) != NULL; at++)
            room++;
    }
    const char **ids = arena_array(&req->arena, room, sizeof *ids);
    for (size_t i = 0; i < n && ids != NULL; i++) {
        for (const char *at = items[i]; at != NULL;) {
            at += strspn(at, " ,");
            size_t size = strcspn(at, " ,");
            if (size == 0)
                break;
            ids[*count] = arena_text(&req->arena, at, size);
            if (ids[(*count)++] == NULL)
                return NULL;
            at += size;
        }
    }
    return ids;
}

static enum aibox_status out_of_memory(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

static void answer_empty(struct api_response *res)
{
    struct json_out *out = api_body(res);

    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_object_end(out);
    json_out_object_end(out);
}

static enum aibox_status delete_events(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    struct store_event_query query;
    size_t n;
    const char **ids = read_ids(req, "event_id_list", &n);

    if (ids == NULL)
        return out_of_memory(err);
    event_filter_read(req, &query);
    bool filter = event_filter_is_one(req, &query);
    if (api_given(req, "event_id_list") && (filter || n == 0))
        return error_set(err, AIBOX_PARAM,
                         filter ? "event_id_list: either a list of ids or a filter, not both"
                                : "event_id_list: expected at least one id");
    if (n == 0 && !(filter && api_bool(req, "confirm")))
        return error_set(err, AIBOX_PARAM,
                         filter ? "confirm: must be true to delete all events that pass the filter"
                                : "event_id_list: required (or a filter together with confirm true)");
    enum aibox_status status = store_events_delete(ctx->store, ids, n, n > 0 ? NULL : &query, NULL, err);
    flow_forget_sightings(ctx->flow);
    if (status == AIBOX_OK)
        answer_empty(res);
    return status;
}

static enum aibox_status delete_event_images(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                             struct aibox_error *err)
{
    size_t n;
    const char **ids = read_ids(req, "image_id_list", &n);

    if (ids == NULL)
        return out_of_memory(err);
    if (n == 0)
        return error_set(err, AIBOX_PARAM, "image_id_list: expected at least one id");
    enum aibox_status status = store_event_pictures_delete(ctx->store, ids, n, NULL, err);
    if (status == AIBOX_OK)
        answer_empty(res);
    return status;
}

/* ---- pictures ---- */

/* The id of a picture: as given, or that of an event's picture of the kind asked for. */
static enum aibox_status picture_id(struct api_context *ctx, const struct api_request *req, char out[37],
                                    struct aibox_error *err)
{
    const char *id = api_text(req, "id"), *kind = api_text(req, "kind");
    if (kind == NULL) {
        size_t length = strlen(id);
        if (length > 36)
            return error_set(err, AIBOX_ID_NOT_FOUND, "there is no picture '%.64s'", id);
        memcpy(out, id, length + 1);
        return AIBOX_OK;
    }
    struct store_event event = {0};
    enum aibox_status status = store_event_get(ctx->store, id, &event, err);
    if (status != AIBOX_OK)
        return status;
    const char *found = strcmp(kind, "spot") == 0   ? event.spot_id
                        : strcmp(kind, "face") == 0 ? event.face_id
                                                    : event.reg_id;
    memcpy(out, found, 37);
    store_event_free(&event);
    return out[0] != '\0' ? AIBOX_OK : error_set(err, AIBOX_ID_NOT_FOUND, "the event has no picture '%s'", kind);
}

static enum aibox_status read_event_image(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                          struct aibox_error *err)
{
    char id[37];
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum aibox_status status = picture_id(ctx, req, id, err);
    if (status == AIBOX_OK)
        status = store_picture_get(ctx->store, id, &bytes, &size, err);
    return status == AIBOX_OK ? api_answer_jpeg(res, bytes, size, err) : status;
}

/* ---- the table ---- */

static const struct api_field list_fields[] = {
    {.name = "page", .type = API_INT, .default_text = "0", .min = 0, .max = 1e7, .help = "Page, from 0."},
    {.name = "per_page", .type = API_INT, .default_text = "10", .min = 1, .max = 100, .help = "Events a page."},
    EVENT_FILTERS,
};

static const struct api_field delete_fields[] = {
    {.name = "event_id_list", .type = API_LIST, .max = 65536, .help = "Ids of events, as list or separated by ','."},
    {.name = "confirm",
     .type = API_BOOL,
     .default_text = "false",
     .help = "True, with a filter: delete all events that pass it."},
    EVENT_FILTERS,
};

static const struct api_field delete_image_fields[] = {
    {.name = "image_id_list",
     .type = API_LIST,
     .flags = API_REQUIRED,
     .max = 65536,
     .help = "Ids of pictures of events, as list or separated by ','."},
};

static const struct api_field image_fields[] = {
    {.name = "id",
     .type = API_TEXT,
     .flags = API_REQUIRED,
     .max = 64,
     .help = "A picture's id; with kind: an event's."},
    {.name = "kind", .type = API_CHOICE, .choices = "spot|face|reg", .help = "Which picture of the event."},
    {.name = "datetime", .type = API_JSON, .flags = API_IGNORED, .help = "Without effect."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_events_endpoints[] = {
    {"GET", "/SophonFace/api/events", API_QUERY, API_VIEWER, false, FIELDS(list_fields), list_events, "events",
     "Read events, newest first", NULL},
    {"DELETE", "/SophonFace/api/events", API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false, FIELDS(delete_fields),
     delete_events, "events", "Delete events with their pictures, by ids or by a filter",
     "{\"event_id_list\": [\"01J2S6F2X8Q9Z3K4M5N6P7R8T9\"]}"},
    {"GET", "/SophonFace/api/event_images/{id}", API_QUERY, API_VIEWER, false, FIELDS(image_fields), read_event_image,
     "events", "Read a picture of an event as JPEG", NULL},
    {"DELETE", "/SophonFace/api/event_images", API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false,
     FIELDS(delete_image_fields), delete_event_images, "events", "Delete pictures of events; the events stay",
     "{\"image_id_list\": [\"aaa4b182-1c1f-4a3e-9a53-0f3f7f2f1b11\"]}"},
};
const size_t api_events_count = sizeof api_events_endpoints / sizeof api_events_endpoints[0];
