/* Who was here before, of those whom nobody knows: /api/strangers */
#include <math.h>

#include "api/endpoint.h"
#include "api/event_filter.h"
#include "api/names.h"
#include "api/resources.h"
#include "flow/flow.h"
#include "store/strangers.h"

#define MOST_MATCHES 20

static bool is_on(struct api_context *ctx)
{
    return settings_bool(ctx->settings, "recognition.stranger_memory");
}

/* The members of one; `score` NAN: nothing was searched for. */
static void write_stranger(struct json_out *out, const struct store_stranger *stranger, float score)
{
    json_out_key_int(out, "stranger_id", stranger->stranger_id);
    if (!isnan(score))
        json_out_key_float(out, "score", (double)score);
    json_out_key_int(out, "seen_count", stranger->visits);
    json_out_key_int(out, "first_seen", stranger->first_ms);
    json_out_key_int(out, "last_seen", stranger->last_ms);
    json_out_key_int(out, "expires", stranger->expires_ms);
    json_out_key_int(out, "events", stranger->events);
    json_out_key_text(out, "event_id", stranger->event_id);
    json_out_key_text(out, "device_id", stranger->device_id);
    json_out_key_text(out, "spot_pic_id", stranger->spot_id);
    json_out_key_text(out, "recognize_face_pic_id", stranger->face_id);
}

static void print_stranger(void *ctx, const struct store_stranger *stranger)
{
    struct json_out *out = ctx;

    json_out_object_begin(out);
    write_stranger(out, stranger, NAN);
    json_out_object_end(out);
}

static enum aibox_status list_strangers(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                        struct aibox_error *err)
{
    struct store_stranger_query query = {.visits_min = api_int(req, "seen_min"),
                                         .from_ms = event_filter_ms(api_float(req, "datetime_gte")),
                                         .to_ms = event_filter_ms(api_float(req, "datetime_lte")),
                                         .skip = (size_t)api_int(req, "skip_num"),
                                         .limit = (size_t)api_int(req, "limit")};
    enum aibox_status status = AIBOX_OK;
    struct json_out *out = api_body(res);
    size_t total = 0;

    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_bool(out, "enabled", is_on(ctx));
    json_out_key_float(out, "threshold", (double)flow_stranger_threshold(ctx->flow));
    json_out_key(out, "strangers_list");
    json_out_array_begin(out);
    if (is_on(ctx))
        status = store_stranger_list(ctx->store, &query, print_stranger, out, &total, err);
    json_out_array_end(out);
    names_json_pagination(out, query.skip, query.limit, total);
    json_out_object_end(out);
    json_out_object_end(out);
    return status;
}

/* ---- one ---------------------------------------------------------------------------------------------------- */

struct one {
    struct json_out *out;
    bool found;
    float score;
};

static void print_one(void *ctx, const struct store_stranger *stranger)
{
    struct one *one = ctx;

    one->found = true;
    write_stranger(one->out, stranger, one->score);
}

static void print_device(void *ctx, const char *device_id, int64_t last_ms, int64_t events)
{
    struct json_out *out = ctx;

    json_out_object_begin(out);
    json_out_key_text(out, "device_id", device_id);
    json_out_key_int(out, "last_seen", last_ms);
    json_out_key_int(out, "events", events);
    json_out_object_end(out);
}

static enum aibox_status read_stranger(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    struct store_stranger_query query = {.limit = 1};
    struct one one = {.out = api_body(res), .score = NAN};
    enum aibox_status status = api_row_id(req, "id", &query.stranger_id, err);

    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(one.out);
    json_out_key(one.out, "data");
    json_out_object_begin(one.out);
    if (is_on(ctx) && query.stranger_id != 0)
        status = store_stranger_list(ctx->store, &query, print_one, &one, NULL, err);
    if (status == AIBOX_OK && !one.found)
        status = error_set(err, AIBOX_NOT_FOUND, "id: there is no stranger %lld", (long long)query.stranger_id);
    json_out_key(one.out, "devices");
    json_out_array_begin(one.out);
    if (status == AIBOX_OK)
        status = store_stranger_devices(ctx->store, query.stranger_id, print_device, one.out, err);
    json_out_array_end(one.out);
    json_out_object_end(one.out);
    json_out_object_end(one.out);
    return status;
}

/* ---- forgetting --------------------------------------------------------------------------------------------- */

static enum aibox_status delete_stranger(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                         struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    int64_t id = 0;
    enum aibox_status status = api_row_id(req, "id", &id, err);

    if (status == AIBOX_OK)
        status = store_stranger_delete(ctx->store, id, err);
    if (status != AIBOX_OK) {
        if (status == AIBOX_NOT_FOUND)
            error_prefix(err, "id");
        return status;
    }
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_int(out, "stranger_id", id);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static enum aibox_status delete_all(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    size_t deleted = 0;

    if (!api_bool(req, "confirm"))
        return error_set(err, AIBOX_PARAM, "confirm: must be true to forget all strangers");
    enum aibox_status status = store_strangers_delete_all(ctx->store, &deleted, err);
    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_int(out, "deleted", (int64_t)deleted);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

/* ---- by a picture ------------------------------------------------------------------------------------------- */

static void print_match(void *ctx, const struct store_stranger *stranger)
{
    struct one *one = ctx;

    one->found = true;
    json_out_object_begin(one->out);
    write_stranger(one->out, stranger, one->score);
    json_out_object_end(one->out);
}

static enum aibox_status write_matches(struct api_context *ctx, struct json_out *out,
                                       const struct flow_stranger_match *matches, size_t n, struct aibox_error *err)
{
    struct one one = {.out = out};
    enum aibox_status status = AIBOX_OK;

    json_out_key(out, "strangers_list");
    json_out_array_begin(out);
    for (size_t i = 0; i < n && status == AIBOX_OK; i++) { /* one may be forgotten meanwhile */
        struct store_stranger_query query = {.stranger_id = matches[i].stranger_id, .limit = 1};
        one.score = matches[i].score;
        status = store_stranger_list(ctx->store, &query, print_match, &one, NULL, err);
    }
    json_out_array_end(out);
    json_out_key_bool(out, "seen_before", one.found);
    return status;
}

static enum aibox_status search(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                struct aibox_error *err)
{
    struct flow_stranger_match matches[MOST_MATCHES];
    struct api_bytes picture = api_picture(req, "image_base64_str");
    float threshold = (float)api_float(req, "threshold");
    struct json_out *out = api_body(res);
    size_t count = 0;

    if (isnan(threshold))
        threshold = flow_stranger_threshold(ctx->flow);
    enum aibox_status status = flow_strangers_like(ctx->flow, picture.data, picture.size, threshold,
                                                   (size_t)api_int(req, "limit"), matches, &count, err);
    if (status != AIBOX_OK) {
        error_prefix(err, "image_base64_str");
        return status;
    }
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_bool(out, "enabled", is_on(ctx));
    json_out_key_float(out, "threshold", (double)threshold);
    status = write_matches(ctx, out, matches, count, err);
    json_out_object_end(out);
    json_out_object_end(out);
    return status;
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

static const struct api_field list_fields[] = {
    {.name = "seen_min", .type = API_INT, .default_text = "0", .min = 0, .max = 1e9, .help = "Seen so often at least."},
    {.name = "datetime_gte", .type = API_FLOAT, .min = 0, .max = 1e11, .help = "Last seen not before, Unix seconds."},
    {.name = "datetime_lte", .type = API_FLOAT, .min = 0, .max = 1e11, .help = "Last seen not after, Unix seconds."},
    {.name = "limit", .type = API_INT, .default_text = "20", .min = 1, .max = 1000, .help = "Strangers at most."},
    {.name = "skip_num", .type = API_INT, .default_text = "0", .min = 0, .max = 1e9, .help = "Strangers to skip."},
};

static const struct api_field delete_fields[] = {
    {.name = "confirm", .type = API_BOOL, .default_text = "false", .help = "True: forget all of them."},
};

static const struct api_field search_fields[] = {
    {.name = "image_base64_str",
     .type = API_PICTURE,
     .flags = API_REQUIRED,
     .help = "A picture; its largest face counts."},
    {.name = "threshold",
     .type = API_NUMBER_OR_WORD,
     .default_text = "auto",
     .min = 0,
     .max = 1,
     .choices = "auto",
     .help = "Least score; auto: that by which events tell strangers apart."},
    {.name = "limit",
     .type = API_INT,
     .default_text = "5",
     .min = 1,
     .max = MOST_MATCHES,
     .help = "Strangers at most."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_strangers_endpoints[] = {
    {"GET", "/api/strangers", API_QUERY, API_VIEWER, false, FIELDS(list_fields), list_strangers, "strangers",
     "The strangers who are remembered, last seen first", NULL},
    {"GET", "/api/strangers/{id}", API_QUERY, API_VIEWER, false, NULL, 0, read_stranger, "strangers",
     "One stranger, and which devices saw them", NULL},
    {"DELETE", "/api/strangers/{id}", API_QUERY, API_OPERATOR, false, NULL, 0, delete_stranger, "strangers",
     "Forget a stranger; the events stay", NULL},
    {"DELETE", "/api/strangers", API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false, FIELDS(delete_fields), delete_all,
     "strangers", "Forget all strangers; the events stay", "{\"confirm\": true}"},
    {"POST", "/api/strangers/search", API_BODY_JSON | API_BODY_FORM, API_VIEWER, false, FIELDS(search_fields), search,
     "strangers", "Was this face here before? Makes no event", "{\"image_base64_str\": \"<base64>\"}",
     .audit = API_AUDIT_NEVER},
};
const size_t api_strangers_count = sizeof api_strangers_endpoints / sizeof api_strangers_endpoints[0];
