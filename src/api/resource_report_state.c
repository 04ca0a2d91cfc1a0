/* How reports are doing: /api/reports, /api/reports/set_aside, /api/reports/resend, /api/reports/test. */
#include "api/endpoint.h"
#include "api/resources.h"
#include "core/url.h"
#include "report/report.h"
#include "store/store.h"

static void begin(struct json_out *out)
{
    json_out_object_begin(out);
    json_out_key(out, "data");
}

static enum aibox_status get_state(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    struct json_out *out = api_body(res);

    (void)req;
    (void)err;
    begin(out);
    report_print(ctx->report, out);
    json_out_object_end(out);
    return AIBOX_OK;
}

/* ---- what receivers refuse ------------------------------------------------------------------------------------- */

static bool write_item(void *ctx, const struct store_set_aside *item)
{
    struct json_out *out = ctx;
    char shown[URL_MAX + 1];

    url_show(item->url, shown, sizeof shown);
    json_out_object_begin(out);
    json_out_key_text(out, "url", shown);
    json_out_key_text(out, "event_id", item->event_id);
    json_out_key_int(out, "answered", item->answered);
    json_out_key_int(out, "timestamp", item->set_aside_ms);
    json_out_key_bool(out, "resend", item->resend);
    json_out_object_end(out);
    return true;
}

static enum aibox_status list_set_aside(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                        struct aibox_error *err)
{
    struct json_out *out = api_body(res);

    begin(out);
    json_out_array_begin(out);
    enum aibox_status status =
        store_set_aside_each(ctx->store, api_text(req, "url"), (size_t)api_int(req, "limit"), write_item, out, err);
    json_out_array_end(out);
    json_out_object_end(out);
    return status;
}

static enum aibox_status resend(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                struct aibox_error *err)
{
    size_t count;
    enum aibox_status status = report_resend(ctx->report, api_text(req, "url"), api_text(req, "event_id"), &count, err);

    if (status != AIBOX_OK)
        return status;
    struct json_out *out = api_body(res);
    begin(out);
    json_out_object_begin(out);
    json_out_key_int(out, "count", (int64_t)count);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

/* ---- test messages --------------------------------------------------------------------------------------------- */

static enum aibox_status send_test(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    const char *kind = api_text(req, "kind");
    struct report_trial trial;
    enum aibox_status status = report_try(ctx->report, kind, api_text(req, "url"), &trial, err);

    if (status != AIBOX_OK)
        return status;
    begin(out);
    json_out_object_begin(out);
    json_out_key_text(out, "kind", kind);
    json_out_key_text(out, "url", trial.url);
    json_out_key_bool(out, "taken", trial.taken);
    json_out_key_int(out, "http_status", trial.http_status);
    json_out_key_float(out, "took_ms", trial.took_ms);
    json_out_key_text(out, "answer", trial.answer);
    json_out_key_text(out, "error", trial.error);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

#define URL_FIELD                                                                                                      \
    {                                                                                                                  \
        .name = "url", .type = API_TEXT, .max = URL_MAX, .help = "Of this history receiver alone."                     \
    }

static const struct api_field list_fields[] = {
    URL_FIELD,
    {.name = "limit", .type = API_INT, .default_text = "100", .min = 1, .max = 1000, .help = "Events at most."},
};

static const struct api_field resend_fields[] = {
    URL_FIELD,
    {.name = "event_id", .type = API_TEXT, .max = 64, .help = "This event alone."},
};

static const struct api_field test_fields[] = {
    {.name = "kind",
     .type = API_CHOICE,
     .flags = API_REQUIRED,
     .choices = REPORT_TRIAL_KINDS,
     .help = "What is sent: an event in real time or of the history, the status, news of devices."},
    {.name = "url",
     .type = API_TEXT,
     .flags = API_NOT_EMPTY,
     .max = URL_MAX,
     .help = "To which of the receivers that are set, as GET /api/reports shows it; absent: the first of that kind."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_report_state_endpoints[] = {
    {.method = "GET",
     .path = "/api/reports",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .handler = get_state,
     .tag = "reports",
     .summary = "Read how each receiver of reports is doing: what was sent, what failed and why, what waits"},
    {.method = "GET",
     .path = "/api/reports/set_aside",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     FIELDS(list_fields),
     .handler = list_set_aside,
     .tag = "reports",
     .summary = "List events that a history receiver refused for so long that they were set aside"},
    {.method = "POST",
     .path = "/api/reports/resend",
     .encodings = API_BODY_JSON | API_BODY_FORM,
     .role = API_OPERATOR,
     FIELDS(resend_fields),
     .handler = resend,
     .tag = "reports",
     .summary = "Send events that were set aside once more; all of them, unless told otherwise",
     .example = "{\"event_id\": \"01JD3ZC6X6R9R5Z6V0V8N0Q7WE\"}"},
    {.method = "POST",
     .path = "/api/reports/test",
     .encodings = API_BODY_JSON | API_BODY_FORM,
     .role = API_ADMIN,
     FIELDS(test_fields),
     .handler = send_test,
     .tag = "reports",
     .summary = "Send one receiver a message that says it is a test, and see what it answers; nothing is counted",
     .example = "{\"kind\": \"history\"}"},
};
const size_t api_report_state_count = sizeof api_report_state_endpoints / sizeof api_report_state_endpoints[0];
