/* The event history: /SophonFace/api/events, event_images. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/resources.h"
#include "store/store.h"

/* ---- one event ---- */

static void write_ext_data(struct json_out *out, const struct store_event *event)
{
    json_out_key(out, "ext_data");
    json_out_object_begin(out);
    json_out_key_text(out, "event_id", event->event_id);
    json_out_key_text(out, "device_ip", event->device_ip);
    json_out_key_text(out, "ep_id", event->ep_id);
    json_out_key_text(out, "device_type", event->device_type);
    json_out_key_int(out, "person_type", event->person_type);
    json_out_key(out, "grab_fiqa_info");
    json_out_raw(out, event->grab_fiqa_info);
    json_out_key(out, "box_fiqa_info");
    json_out_raw(out, event->box_fiqa_info);
    if (!isnan(event->liveness))
        json_out_key_float(out, "liveness", (double)event->liveness);
    json_out_key_float(out, "mask", (double)event->mask);
    json_out_key_text(out, "reason", event->reason);
    json_out_key_text(out, "supersedes", event->supersedes);
    json_out_object_end(out);
}

static void write_event(struct json_out *out, const struct store_event *event)
{
    static const char *const verdicts[] = {"unknown", "uncertain", "known"};
    json_out_object_begin(out);
    json_out_key_text(out, "_id", event->event_id);
    json_out_key_text(out, "identity_id", event->identity_id);
    json_out_key_text(out, "identity_name", event->identity_name);
    json_out_key_text(out, "group_name", event->group_name);
    json_out_key_int(out, "timestamp", event->timestamp_ms);
    json_out_key_float(out, "score", (double)event->score);
    json_out_key_text(out, "reason", event->reason);
    json_out_key_text(out, "verdict", verdicts[event->verdict]);
    json_out_key_float(out, "threshold", (double)event->threshold);
    json_out_key_float(out, "margin", (double)event->margin);
    json_out_key(out, "best");
    json_out_object_begin(out);
    json_out_key_text(out, "identity_id", event->best_identity_id);
    json_out_key_float(out, "score", (double)event->best_score);
    json_out_object_end(out);
    json_out_key_text(out, "room", event->room);
    json_out_key_text(out, "spot_pic_id", event->spot_id);
    json_out_key_text(out, "recognize_face_pic_id", event->face_id);
    json_out_key_text(out, "reg_pic_id", event->reg_id);
    write_ext_data(out, event);
    json_out_object_end(out);
}

/* ---- filters ---- */

static void read_query(const struct api_request *req, struct store_event_query *query)
{
    double from = api_float(req, "datetime_gte"), to = api_float(req, "datetime_lte");
    *query = (struct store_event_query){
        .from_ms = isnan(from) ? 0 : (int64_t)(from * 1000),
        .to_ms = isnan(to) ? 0 : (int64_t)(to * 1000),
        .name_part = api_text(req, "name"),
        .identity_id = api_text(req, "identity_id"),
        .room = api_text(req, "room"),
        .score_min = (float)api_float(req, "score_min"),
        .score_max = (float)api_float(req, "score_max"),
        .person_type = api_given(req, "userType") ? (int)api_int(req, "userType") : 0,
        .reason = api_text(req, "reason"),
    };
    query->groups = api_list(req, "groups", &query->n_groups);
    query->ep_ids = api_list(req, "streams", &query->n_ep_ids);
}

static enum aibox_status list_events(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct store_event_query query;
    struct store_event_list list = {0};
    int64_t page = api_int(req, "page"), per_page = api_int(req, "per_page");
    read_query(req, &query);
    query.skip = (size_t)(page * per_page);
    query.limit = (size_t)per_page;
    enum aibox_status status = store_event_list(ctx->store, &query, &list, err);
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_array_begin(out);
        for (size_t i = 0; i < list.count; i++)
            write_event(out, &list.items[i]);
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

#define FILTERS                                                                                                        \
    {.name = "datetime_gte", .type = API_FLOAT, .min = 0, .max = 1e11, .help = "Not before, Unix seconds."},           \
        {.name = "datetime_lte", .type = API_FLOAT, .min = 0, .max = 1e11, .help = "Not after, Unix seconds."},        \
        {.name = "name", .type = API_TEXT, .max = 1024, .help = "Part of the name."},                                  \
        {.name = "identity_id", .type = API_TEXT, .max = 1024, .help = "Exactly this person."},                        \
        {.name = "score_min", .type = API_FLOAT, .min = 0, .max = 1, .help = "Least score."},                          \
        {.name = "score_max", .type = API_FLOAT, .min = 0, .max = 1, .help = "Highest score."},                        \
        {.name = "userType", .type = API_INT, .min = 1, .max = 5, .help = "Type of person."},                          \
        {.name = "groups", .type = API_LIST, .max = 1024, .help = "Matched against any of these groups."},             \
        {.name = "streams", .type = API_LIST, .max = 1024, .help = "From any of these devices (ep_id)."},              \
        {.name = "room", .type = API_TEXT, .max = 1024, .help = "Exactly this room."},                                 \
    {                                                                                                                  \
        .name = "reason", .type = API_CHOICE,                                                                          \
        .choices = "passed|stranger|uncertain|no_permission|blacklisted|liveness|low_quality", .help = "Outcome."      \
    }

static const struct api_field list_fields[] = {
    {.name = "page", .type = API_INT, .default_text = "0", .min = 0, .max = 1e7, .help = "Page, from 0."},
    {.name = "per_page", .type = API_INT, .default_text = "10", .min = 1, .max = 100, .help = "Events a page."},
    FILTERS,
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
    {"GET", "/SophonFace/api/event_images/{id}", API_QUERY, API_VIEWER, false, FIELDS(image_fields), read_event_image,
     "events", "Read a picture of an event as JPEG", NULL},
};
const size_t api_events_count = sizeof api_events_endpoints / sizeof api_events_endpoints[0];
