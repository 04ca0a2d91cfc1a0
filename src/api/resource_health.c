/* How the box is: /healthz, /readyz, /metrics. */
#include <inttypes.h>

#include "api/request.h"
#include "api/resources.h"
#include "api/server.h"
#include "cloud/cloud.h"
#include "door/door.h"
#include "flow/flow.h"
#include "intake/intake.h"
#include "report/report.h"
#include "store/store.h"

#define METRICS_MAX ((size_t)4 << 20)
#define REASON_MAX  200

static enum aibox_status get_health(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    struct json_out *out = api_body(res);

    (void)ctx;
    (void)req;
    (void)err;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_bool(out, "alive", true);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

/* The error's form, for a fault that is no fault of the call: 503 whatever the code. */
static void answer_not_writable(struct api_response *res, const char *reason)
{
    struct json_out *out = api_body(res);

    api_reply_status(res, 503);
    json_out_object_begin(out);
    json_out_key(out, "error");
    json_out_object_begin(out);
    json_out_key_int(out, "code", status_code(AIBOX_PROCESS_FAILED));
    json_out_key_text(out, "message", reason);
    json_out_key_text(out, "status", status_name(AIBOX_PROCESS_FAILED));
    json_out_object_end(out);
    json_out_object_end(out);
}

static enum aibox_status get_ready(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    char reason[REASON_MAX] = "";

    (void)req;
    if (!flow_ready(ctx->flow))
        return error_set(err, AIBOX_GROUP_NOT_LOADED, NULL);
    if (!store_writable(ctx->store, reason, sizeof reason)) {
        answer_not_writable(res, reason[0] ? reason : "nothing can be stored");
        return AIBOX_OK;
    }
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_bool(out, "ready", true);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static void print_figure(struct buffer *out, const char *name, const char *type, const char *help, uint64_t value)
{
    (void)buffer_appendf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help, name, type, name, value);
}

static void print_store(struct store *store, struct buffer *out)
{
    struct store_counters counters;
    char reason[REASON_MAX];

    store_count(store, &counters);
    print_figure(out, "aibox_people", "gauge", "People enrolled.", counters.people);
    print_figure(out, "aibox_faces", "gauge", "Faces enrolled.", counters.faces);
    print_figure(out, "aibox_groups", "gauge", "Groups.", counters.groups);
    print_figure(out, "aibox_events", "gauge", "Events kept.", counters.events);
    print_figure(out, "aibox_events_total", "counter", "Events ever stored.", counters.events_total);
    print_figure(out, "aibox_store_commits_total", "counter", "Transactions committed.", counters.commits);
    print_figure(out, "aibox_store_changes_total", "counter", "Changes made.", counters.changes);
    print_figure(out, "aibox_store_failed_changes_total", "counter", "Changes undone because of an error.",
                 counters.failed_changes);
    print_figure(out, "aibox_store_queue", "gauge", "Changes waiting to be made.", counters.queue);
    print_figure(out, "aibox_store_writable", "gauge", "1 while changes can be made durable.",
                 store_writable(store, reason, sizeof reason));
}

static enum aibox_status get_metrics(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct buffer text;
    size_t size;
    uint8_t *bytes;

    buffer_init(&text, METRICS_MAX);
    api_metrics(req->api, &text);
    flow_metrics(ctx->flow, &text);
    door_metrics(ctx->door, &text);
    intake_metrics(ctx->intake, &text);
    report_metrics(ctx->report, &text);
    cloud_metrics(ctx->cloud, &text);
    print_store(ctx->store, &text);
    bytes = buffer_give(&text, &size);
    if (!bytes)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    api_reply_bytes_take(res, "text/plain; version=0.0.4; charset=utf-8", bytes, size);
    return AIBOX_OK;
}

const struct api_endpoint api_health_endpoints[] = {
    {.method = "GET",
     .path = "/healthz",
     .encodings = API_QUERY,
     .role = API_OPEN,
     .quick = true,
     .handler = get_health,
     .tag = "Health",
     .summary = "Tells that the box is alive."},
    {.method = "GET",
     .path = "/readyz",
     .encodings = API_QUERY,
     .role = API_OPEN,
     .quick = true,
     .handler = get_ready,
     .tag = "Health",
     .summary = "Tells whether the gallery is loaded and the store can be written; 503 while not.",
     .when_set_up = true},
    {.method = "GET",
     .path = "/metrics",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .handler = get_metrics,
     .tag = "Health",
     .summary = "Figures for Prometheus, in its text format."},
};
const size_t api_health_count = sizeof api_health_endpoints / sizeof api_health_endpoints[0];
