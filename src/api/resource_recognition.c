/* How the box recognises: /api/recognition/threshold */
#include <inttypes.h>
#include <math.h>

#include "api/endpoint.h"
#include "api/resources.h"
#include "flow/flow.h"

static const char *source_of(const struct flow_threshold *threshold)
{
    if (!threshold->automatic)
        return "setting";
    return threshold->own_gallery ? "gallery" : "model_set";
}

static void print_histogram(struct json_out *out, struct flow *flow)
{
    uint64_t counts[FLOW_HISTOGRAM];
    uint64_t pairs = flow_threshold_histogram(flow, counts);

    json_out_key(out, "histogram");
    if (pairs == 0) {
        json_out_null(out);
        return;
    }
    json_out_object_begin(out);
    json_out_key_int(out, "from", -1);
    json_out_key_int(out, "to", 1);
    json_out_key_int(out, "pairs", (int64_t)pairs);
    json_out_key(out, "counts");
    json_out_array_begin(out);
    for (size_t i = 0; i < FLOW_HISTOGRAM; i++)
        json_out_int(out, (int64_t)counts[i]);
    json_out_array_end(out);
    json_out_object_end(out);
}

/* For probes with a mask; null when the model set can't tell them. */
static void print_masked(struct json_out *out, const struct flow_threshold *threshold)
{
    json_out_key(out, "masked");
    if (!threshold->knows_masks) {
        json_out_null(out);
        return;
    }
    json_out_object_begin(out);
    json_out_key_float(out, "threshold", (double)threshold->masked_threshold);
    json_out_key_float(out, "expected_false_reject", threshold->masked_false_reject);
    json_out_object_end(out);
}

static void print_shares(struct json_out *out, const char *key, const double *shares)
{
    json_out_key(out, key);
    json_out_array_begin(out);
    for (size_t i = 0; i < FLOW_HISTOGRAM; i++)
        json_out_float(out, shares[i]);
    json_out_array_end(out);
}

static void print_model_set_scores(struct json_out *out, struct flow *flow)
{
    double different[FLOW_HISTOGRAM], same[FLOW_HISTOGRAM];

    flow_threshold_scores(flow, different, same);
    json_out_key(out, "model_set_scores");
    json_out_object_begin(out);
    json_out_key_int(out, "from", -1);
    json_out_key_int(out, "to", 1);
    print_shares(out, "different", different);
    print_shares(out, "same", same);
    json_out_object_end(out);
}

/* What is asked for instead of the settings. */
static enum aibox_status read_wish(struct api_request *req, struct flow_threshold_wish *wish, struct aibox_error *err)
{
    bool target = api_given(req, "false_accept_target"), most = api_given(req, "max_auto_threshold");

    if (api_given(req, "threshold")) {
        if (target || most)
            return error_set(err, AIBOX_PARAM,
                             "threshold: either it or false_accept_target with max_auto_threshold, which make one");
        wish->threshold = api_float(req, "threshold");
    } else if (target || most) {
        wish->threshold = NAN;
    }
    if (target)
        wish->false_accept_target = api_float(req, "false_accept_target");
    if (most)
        wish->most = api_float(req, "max_auto_threshold"); /* the word: NAN */
    return AIBOX_OK;
}

static enum aibox_status get_threshold(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    struct flow_threshold threshold;
    char model_set[VISION_MODEL_SET];
    struct flow_threshold_wish wish;

    flow_threshold_wish(ctx->flow, &wish);
    enum aibox_status status = read_wish(req, &wish, err);
    if (status != AIBOX_OK)
        return status;
    flow_threshold_preview(ctx->flow, &wish, &threshold);
    flow_model_set(ctx->flow, model_set);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_float(out, "threshold", (double)threshold.threshold);
    json_out_key_bool(out, "automatic", threshold.automatic);
    json_out_key_text(out, "source", source_of(&threshold));
    json_out_key_bool(out, "limited", threshold.limited);
    json_out_key_int(out, "people", (int64_t)threshold.people);
    json_out_key_float(out, "false_accept_target", threshold.false_accept_target);
    json_out_key_float(out, "expected_false_accept", threshold.expected_false_accept);
    json_out_key_float(out, "expected_false_accept_low", threshold.expected_low);
    json_out_key_float(out, "expected_false_accept_high", threshold.expected_high);
    json_out_key_float(out, "expected_false_reject", threshold.expected_false_reject);
    print_masked(out, &threshold);
    json_out_key_float(out, "duplicate_threshold", (double)flow_duplicate_threshold(ctx->flow));
    json_out_key_text(out, "model_set", model_set);
    print_histogram(out, ctx->flow);
    print_model_set_scores(out, ctx->flow);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static const struct api_field threshold_fields[] = {
    {.name = "false_accept_target",
     .type = API_FLOAT,
     .min = 1e-6,
     .max = 0.5,
     .help = "What would be with an automatic threshold for this target; nothing is changed."},
    {.name = "max_auto_threshold",
     .type = API_NUMBER_OR_WORD,
     .choices = "auto",
     .min = 0,
     .max = 1,
     .help = "What would be with this limit of the automatic threshold."},
    {.name = "threshold", .type = API_FLOAT, .min = 0, .max = 1, .help = "What would be with this threshold."},
};

const struct api_endpoint api_recognition_endpoints[] = {
    {.method = "GET",
     .path = "/api/recognition/threshold",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .fields = threshold_fields,
     .n_fields = sizeof threshold_fields / sizeof threshold_fields[0],
     .handler = get_threshold,
     .tag = "events",
     .summary =
         "The threshold in force, or that of other settings; what it promises, how sure that is, and its scores"},
};
const size_t api_recognition_count = sizeof api_recognition_endpoints / sizeof api_recognition_endpoints[0];
