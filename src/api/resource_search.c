/* Who in the event history looks like this picture: /SophonMatch/api/picturesearch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/resources.h"
#include "api/search_page.h"
#include "core/clock.h"
#include "flow/event_json.h"
#include "flow/flow.h"
#include "store/store.h"

#define SEARCH_DEFAULT_LIMIT "100"
#define SEARCH_MAX_LIMIT     1000

struct search {
    float probe[VISION_DIMENSION]; /* of length 1 */
    char model_set[VISION_MODEL_SET];
    float threshold;
    struct search_page page;
    bool failed;
};

/* ---- scanning -------------------------------------------------------------------------------------------------- */

/* Eight sums side by side, so that the compiler may keep them in vectors. */
static void dot_and_square(const float *a, const float *b, float *dot, float *square)
{
    float dots[8] = {0}, squares[8] = {0};

    for (size_t i = 0; i < VISION_DIMENSION; i += 8) {
        for (size_t j = 0; j < 8; j++) {
            dots[j] += a[i + j] * b[i + j];
            squares[j] += b[i + j] * b[i + j];
        }
    }
    *dot = *square = 0;
    for (size_t j = 0; j < 8; j++) {
        *dot += dots[j];
        *square += squares[j];
    }
}

static float similarity(const struct search *search, const float *feature)
{
    float dot, square;

    dot_and_square(search->probe, feature, &dot, &square);
    float cosine = square > 0 ? dot / sqrtf(square) : 0;
    return cosine < 0 ? 0 : cosine > 1 ? 1 : cosine;
}

static bool look_at(void *ctx, int64_t seq, int64_t timestamp_ms, const float *feature)
{
    struct search *search = ctx;
    struct search_hit hit = {.seq = seq, .timestamp_ms = timestamp_ms, .similarity = similarity(search, feature)};

    if (hit.similarity < search->threshold)
        return true;
    search->failed = !search_page_add(&search->page, &hit);
    return !search->failed;
}

/* ---- the call -------------------------------------------------------------------------------------------------- */

static enum aibox_status read_probe(struct api_context *ctx, const struct api_request *req, struct search *search,
                                    struct aibox_error *err)
{
    struct api_bytes picture = api_picture(req, "face_image_base64");
    struct flow_inspection how = {.wants = FLOW_WANT_EMBEDDING, .max_faces = 1};
    struct flow_face *faces = NULL;
    size_t count = 0;
    double square = 0;

    enum aibox_status status =
        flow_inspect(ctx->flow, FLOW_DOOR, picture.data, picture.size, &how, &faces, &count, err);
    if (status != AIBOX_OK)
        error_prefix(err, "face_image_base64");
    else if (count == 0)
        status = error_set(err, AIBOX_NO_FACE, "face_image_base64: no face found in the picture");
    for (size_t i = 0; i < VISION_DIMENSION && status == AIBOX_OK; i++)
        square += (double)faces[0].embedding[i] * (double)faces[0].embedding[i];
    for (size_t i = 0; i < VISION_DIMENSION && status == AIBOX_OK; i++)
        search->probe[i] = square > 0 ? (float)((double)faces[0].embedding[i] / sqrt(square)) : 0;
    if (status == AIBOX_OK)
        memcpy(search->model_set, faces[0].model_set, sizeof search->model_set);
    free(faces);
    return status;
}

static int64_t to_ms(double seconds)
{
    return isnan(seconds) ? 0 : seconds < 0.001 ? 1 : (int64_t)(seconds * 1000);
}

static enum aibox_status scan(struct api_context *ctx, const struct api_request *req, struct search *search,
                              struct aibox_error *err)
{
    struct store_event_query query = {
        .from_ms = to_ms(api_float(req, "starttime")),
        .to_ms = to_ms(api_float(req, "endtime")),
        .score_min = NAN,
        .score_max = NAN,
        .limit = 1,
        .oldest_first = search->page.reverse && !search->page.by_score,
    };
    query.devices = api_list(req, "device_id_list", &query.n_devices);
    enum aibox_status status = store_event_features_scan(ctx->store, &query, search->model_set, look_at, search, err);
    return status == AIBOX_OK && search->failed ? error_set(err, AIBOX_PROCESS_FAILED, "out of memory") : status;
}

static enum aibox_status write_hits(struct api_context *ctx, struct json_out *out, const struct search_page *page,
                                    struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    char dev_sno[EVENT_JSON_DEV_SNO];

    settings_text(ctx->settings, "cloud.dev_sno", dev_sno, sizeof dev_sno);
    json_out_array_begin(out);
    for (size_t i = 0; i < page->count && status == AIBOX_OK; i++) {
        struct store_event event = {0};
        status = store_event_get_by_seq(ctx->store, page->hits[i].seq, &event, err);
        if (status == AIBOX_OK)
            event_json(out, &event, dev_sno, page->hits[i].similarity);
        else if (status == AIBOX_NOT_FOUND) /* deleted since */
            status = AIBOX_OK;
        store_event_free(&event);
    }
    json_out_array_end(out);
    return status;
}

static void write_answer(struct json_out *out, const struct search_page *page, const char *events, double seconds)
{
    json_out_key(out, "event_list");
    json_out_raw(out, events);
    json_out_key_int(out, "total_count", (int64_t)page->total);
    json_out_key_bool(out, "have_more", page->behind > page->count);
    json_out_key_int(out, "endtimestamp", page->count > 0 ? page->hits[page->count - 1].timestamp_ms : 0);
    json_out_key_float(out, "total_time", seconds);
}

static enum aibox_status answer(struct api_context *ctx, struct api_response *res, const struct search_page *page,
                                int64_t start_us, struct aibox_error *err)
{
    struct json_out events, *out = api_body(res);

    json_out_init(&events, (size_t)64 << 20);
    enum aibox_status status = write_hits(ctx, &events, page, err);
    if (status == AIBOX_OK && !json_out_complete(&events))
        status = error_set(err, AIBOX_PROCESS_FAILED, "the answer is too large");
    if (status == AIBOX_OK) {
        const char *text = (const char *)events.buffer.data;
        double seconds = (double)(clock_monotonic_us() - start_us) / 1e6;
        json_out_object_begin(out);
        write_answer(out, page, text, seconds);
        json_out_key(out, "data");
        json_out_object_begin(out);
        write_answer(out, page, text, seconds);
        json_out_object_end(out);
        json_out_object_end(out);
    }
    json_out_free(&events);
    return status;
}

static enum aibox_status search_events(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    int64_t start_us = clock_monotonic_us();
    struct search search = {
        .threshold = (float)api_float(req, "threshold"),
        .page = {.by_score = strcmp(api_text(req, "sort"), "score") == 0,
                 .reverse = api_bool(req, "reverse"),
                 .cursor_ms = api_given(req, "last_end_timestamp") ? api_int(req, "last_end_timestamp") : 0,
                 .limit = (size_t)api_int(req, "limit")},
    };

    if (search.page.by_score && search.page.cursor_ms != 0)
        return error_set(err, AIBOX_PARAM, "last_end_timestamp: pages go by time; with sort score there is one");
    enum aibox_status status = read_probe(ctx, req, &search, err);
    if (isnan(search.threshold))
        search.threshold = flow_pair_threshold(ctx->flow, api_text(req, "threshold"));
    if (status == AIBOX_OK)
        status = scan(ctx, req, &search, err);
    if (status == AIBOX_OK)
        status = answer(ctx, res, &search.page, start_us, err);
    search_page_free(&search.page);
    return status;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static const struct api_field search_fields[] = {
    {.name = "face_image_base64",
     .type = API_PICTURE,
     .flags = API_REQUIRED,
     .help = "The picture; its largest face is searched for."},
    {.name = "starttime", .type = API_FLOAT, .min = 0, .max = 1e11, .help = "Not before, Unix seconds."},
    {.name = "endtime", .type = API_FLOAT, .min = 0, .max = 1e11, .help = "Not after, Unix seconds."},
    {.name = "threshold",
     .type = API_NUMBER_OR_WORD,
     .default_text = "middle",
     .min = 0,
     .max = 1,
     .choices = "high|middle|low",
     .help = "Least score: a number, or high, middle, low for a false match rate of 1e-5, 1e-4, 1e-3."},
    {.name = "device_id_list",
     .type = API_LIST,
     .max = 1024,
     .max_items = 1000,
     .help = "From any of these devices (device_id or ep_id)."},
    {.name = "sort",
     .type = API_CHOICE,
     .default_text = "time",
     .choices = "time|score",
     .help = "time: newest first; score: most similar first."},
    {.name = "reverse", .type = API_BOOL, .default_text = "false", .help = "True: oldest or least similar first."},
    {.name = "limit",
     .type = API_INT,
     .default_text = SEARCH_DEFAULT_LIMIT,
     .min = 1,
     .max = SEARCH_MAX_LIMIT,
     .help = "Events in one answer."},
    {.name = "last_end_timestamp",
     .type = API_INT,
     .min = 0,
     .max = 1e14,
     .help = "By time: endtimestamp (ms) of the answer before, to go on behind it; 0: from the start."},
};

const struct api_endpoint api_search_endpoints[] = {
    {"POST", "/SophonMatch/api/picturesearch", API_BODY_JSON | API_BODY_FORM, API_VIEWER, false, search_fields,
     sizeof search_fields / sizeof search_fields[0], search_events, "recognition",
     "Find the events whose face looks like a picture", "{\"face_image_base64\": \"<base64>\", \"limit\": 20}",
     .audit = API_AUDIT_NEVER},
};
const size_t api_search_count = sizeof api_search_endpoints / sizeof api_search_endpoints[0];
