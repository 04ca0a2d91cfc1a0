/* Model sets: /api/recognition/model_sets */
#include <stdlib.h>

#include "api/endpoint.h"
#include "api/names.h"
#include "api/resources.h"
#include "flow/model_sets.h"

/* A change of a set that is ready comes within; the orderly stop of the box waits for no call longer. */
#define SWITCH_WAIT_MS 1500

/* ---- answers -------------------------------------------------------------------------------------------------- */

static void print_progress(struct json_out *out, const struct model_sets_status *sets)
{
    json_out_key(out, "progress");
    json_out_object_begin(out);
    json_out_key_int(out, "total", (int64_t)sets->faces);
    json_out_key_int(out, "done", (int64_t)sets->done);
    json_out_key_int(out, "without_photo", (int64_t)sets->without_photo);
    json_out_key_int(out, "failed", (int64_t)sets->failed);
    json_out_object_end(out);
}

static void print_entry(struct json_out *out, const struct model_set_entry *entry)
{
    bool is_usable = entry->model_set[0] != '\0';

    json_out_object_begin(out);
    json_out_key_text(out, "name", entry->name);
    json_out_key_text(out, "model_set", entry->model_set);
    json_out_key_bool(out, "usable", is_usable);
    json_out_key_text(out, "reason", entry->reason);
    json_out_key_int(out, "features", (int64_t)entry->features);
    json_out_key(out, "people");
    json_out_object_begin(out);
    json_out_key_int(out, "total", (int64_t)entry->people);
    json_out_key_int(out, "ready", (int64_t)(entry->people - entry->lacking));
    json_out_key_int(out, "missing", (int64_t)entry->lacking);
    json_out_object_end(out);
    json_out_object_end(out);
}

/* The members of "data". */
static enum aibox_status print_state(struct api_context *ctx, struct json_out *out, struct aibox_error *err)
{
    struct model_sets_status sets;
    struct model_set_entry *entries = calloc(MODEL_SETS_MAX, sizeof *entries);
    char model_set[VISION_MODEL_SET];
    size_t count = 0;

    if (!entries)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = model_sets_list(ctx->flow, entries, &count, err);
    model_sets_get(ctx->flow, &sets);
    flow_model_set(ctx->flow, model_set);
    json_out_key_text(out, "model_set", model_set);
    json_out_key_text(out, "active", sets.active);
    json_out_key_text(out, "wanted", sets.wanted);
    json_out_key_text(out, "previous", sets.previous);
    json_out_key_int(out, "switched_timestamp", sets.switched_ms);
    json_out_key_text(out, "state", model_sets_state_names[sets.state]);
    json_out_key_text(out, "reason", sets.reason);
    json_out_key_bool(out, "switch_when_ready", sets.switch_when_ready);
    print_progress(out, &sets);
    json_out_key(out, "sets_list");
    json_out_array_begin(out);
    for (size_t i = 0; i < count; i++)
        print_entry(out, &entries[i]);
    json_out_array_end(out);
    free(entries);
    return status;
}

static enum aibox_status answer_state(struct api_context *ctx, struct api_response *res, struct aibox_error *err)
{
    struct json_out *out = api_body(res);

    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    enum aibox_status status = print_state(ctx, out, err);
    json_out_object_end(out);
    json_out_object_end(out);
    return status;
}

/* ---- calls ---------------------------------------------------------------------------------------------------- */

static enum aibox_status get_sets(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                  struct aibox_error *err)
{
    (void)req;
    return answer_state(ctx, res, err);
}

static enum aibox_status prepare(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                 struct aibox_error *err)
{
    enum aibox_status status = model_sets_prepare(ctx->flow, api_text(req, "name"), err);

    return status == AIBOX_OK ? answer_state(ctx, res, err) : status;
}

static enum aibox_status pause_set(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    enum aibox_status status = model_sets_pause(ctx->flow, api_text(req, "name"), err);

    return status == AIBOX_OK ? answer_state(ctx, res, err) : status;
}

static enum aibox_status cancel(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                struct aibox_error *err)
{
    enum aibox_status status = model_sets_cancel(ctx->flow, api_text(req, "name"), err);

    return status == AIBOX_OK ? answer_state(ctx, res, err) : status;
}

static enum aibox_status change(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                struct aibox_error *err)
{
    bool switched;
    enum aibox_status status = model_sets_switch(ctx->flow, api_text(req, "name"), api_bool(req, "allow_missing"),
                                                 SWITCH_WAIT_MS, &switched, err);

    return status == AIBOX_OK ? answer_state(ctx, res, err) : status;
}

static enum aibox_status drop(struct api_context *ctx, struct api_request *req, struct api_response *res,
                              struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    size_t dropped;
    enum aibox_status status = model_sets_drop(ctx->flow, api_text(req, "name"), &dropped, err);

    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_int(out, "dropped", (int64_t)dropped);
    status = print_state(ctx, out, err);
    json_out_object_end(out);
    json_out_object_end(out);
    return status;
}

static enum aibox_status list_missing(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    size_t skip = (size_t)api_int(req, "skip_num"), limit = (size_t)api_int(req, "limit"), count = 0, total = 0;
    struct json_out *out = api_body(res);
    struct model_set_missing *missing = calloc(MODEL_SETS_PAGE, sizeof *missing);

    if (!missing)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status =
        model_sets_missing(ctx->flow, api_text(req, "name"), skip, limit, missing, &count, &total, err);
    if (status != AIBOX_OK)
        goto out;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key(out, "people_list");
    json_out_array_begin(out);
    for (size_t i = 0; i < count; i++) {
        json_out_object_begin(out);
        json_out_key_text(out, "identity_id", missing[i].person.identity_id);
        json_out_key_text(out, "name", missing[i].person.name);
        json_out_key_bool(out, "has_photo", missing[i].has_photo);
        json_out_object_end(out);
        store_person_free(&missing[i].person);
    }
    json_out_array_end(out);
    names_json_pagination(out, skip, limit, total);
    json_out_object_end(out);
    json_out_object_end(out);
out:
    free(missing);
    return status;
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

static const struct api_field switch_fields[] = {
    {.name = "allow_missing",
     .type = API_BOOL,
     .default_text = "false",
     .help = "Also when people known now would not be recognised with the set, for want of a photo in which it finds a "
             "face."},
};

static const struct api_field missing_fields[] = {
    {.name = "limit",
     .type = API_INT,
     .default_text = "100",
     .min = 1,
     .max = MODEL_SETS_PAGE,
     .help = "People at most."},
    {.name = "skip_num", .type = API_INT, .default_text = "0", .min = 0, .max = 1e9, .help = "People to skip."},
};

const struct api_endpoint api_model_sets_endpoints[] = {
    {.method = "GET",
     .path = "/api/recognition/model_sets",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .handler = get_sets,
     .tag = "events",
     .summary = "The model set in force, the others there are, and how far one is prepared"},
    {.method = "POST",
     .path = "/api/recognition/model_sets/{name}",
     .encodings = API_BODY_JSON,
     .role = API_ADMIN,
     .fields = switch_fields,
     .n_fields = sizeof switch_fields / sizeof switch_fields[0],
     .handler = change,
     .tag = "events",
     .summary =
         "Recognise with another model set, or the one before, from the moment that it is ready; recognition goes "
         "on meanwhile",
     .example = "{\"allow_missing\": false}"},
    {.method = "DELETE",
     .path = "/api/recognition/model_sets/{name}",
     .encodings = API_QUERY,
     .role = API_ADMIN,
     .handler = drop,
     .tag = "events",
     .summary = "Drop the stored features of a model set that is not in force"},
    {.method = "POST",
     .path = "/api/recognition/model_sets/{name}/prepare",
     .encodings = API_QUERY,
     .role = API_ADMIN,
     .handler = prepare,
     .tag = "events",
     .summary = "Embed everybody with another model set, in the background; goes on after a pause"},
    {.method = "POST",
     .path = "/api/recognition/model_sets/{name}/pause",
     .encodings = API_QUERY,
     .role = API_ADMIN,
     .handler = pause_set,
     .tag = "events",
     .summary = "Interrupt the preparation of a model set"},
    {.method = "POST",
     .path = "/api/recognition/model_sets/{name}/cancel",
     .encodings = API_QUERY,
     .role = API_ADMIN,
     .handler = cancel,
     .tag = "events",
     .summary = "End the preparation of a model set; what is done so far stays"},
    {.method = "GET",
     .path = "/api/recognition/model_sets/{name}/missing",
     .encodings = API_QUERY,
     .role = API_OPERATOR,
     .fields = missing_fields,
     .n_fields = sizeof missing_fields / sizeof missing_fields[0],
     .handler = list_missing,
     .tag = "events",
     .summary = "People who are recognised now, and would not be with that model set"},
};
const size_t api_model_sets_count = sizeof api_model_sets_endpoints / sizeof api_model_sets_endpoints[0];
