/* Where reports go: EventServerUrl, HistoryEventUrl, MonitorServerUrl under /SophonFogSys/api. */
#include <string.h>

#include "api/endpoint.h"
#include "api/resources.h"
#include "flow/report_config.h"

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

static void write_urls(struct json_out *out, const char *key, const struct report_urls *urls)
{
    json_out_key(out, key);
    json_out_array_begin(out);
    for (size_t i = 0; i < urls->count; i++)
        json_out_text(out, urls->items[i]);
    json_out_array_end(out);
}

static enum aibox_status read_urls(const struct api_request *req, const char *name, struct report_urls *urls,
                                   struct aibox_error *err)
{
    size_t n;
    const char *const *items = api_list(req, name, &n);

    return report_urls_read(name, items, n, urls, err);
}

static enum report_encoding read_encoding(const struct api_request *req)
{
    bool form = strcmp(api_text(req, "content-type"), report_encoding_names[REPORT_FORM_DATA]) == 0;

    return form ? REPORT_FORM_DATA : REPORT_JSON;
}

/* ---- real-time events ------------------------------------------------------------------------------------------ */

static void answer_realtime(struct api_context *ctx, struct api_response *res)
{
    struct json_out *out = api_body(res);
    struct report_realtime block;

    report_config_realtime(ctx->reports, &block);
    begin(out);
    write_urls(out, "event_server_url", &block.urls);
    json_out_key_text(out, "content-type", report_encoding_names[block.encoding]);
    json_out_key_bool(out, "real_need_reg_pic", block.reg_pic);
    json_out_key_bool(out, "real_need_spot_pic", block.spot_pic);
    json_out_key_bool(out, "real_need_recognize_face", block.face_pic);
    json_out_key_bool(out, "real_need_send_all_person_type", block.everybody);
    end(out);
}

static enum aibox_status get_realtime(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    (void)req;
    (void)err;
    answer_realtime(ctx, res);
    return AIBOX_OK;
}

static enum aibox_status set_realtime(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    struct report_realtime block = {.encoding = read_encoding(req),
                                    .reg_pic = api_bool(req, "real_need_reg_pic"),
                                    .spot_pic = api_bool(req, "real_need_spot_pic"),
                                    .face_pic = api_bool(req, "real_need_recognize_face"),
                                    .everybody = api_bool(req, "real_need_send_all_person_type")};
    enum aibox_status status = read_urls(req, "event_server_url", &block.urls, err);

    if (status == AIBOX_OK)
        status = report_config_set_realtime(ctx->reports, &block, err);
    if (status == AIBOX_OK)
        answer_realtime(ctx, res);
    return status;
}

/* ---- the history ----------------------------------------------------------------------------------------------- */

static void write_history(struct api_context *ctx, struct json_out *out)
{
    struct report_history block;

    report_config_history(ctx->reports, &block);
    write_urls(out, "history_upload_event_url", &block.urls);
    json_out_key_text(out, "content-type", report_encoding_names[block.encoding]);
    json_out_key_int(out, "reported_peroid", block.period_s);
    json_out_key_bool(out, "history_need_reg_pic", block.reg_pic);
    json_out_key_bool(out, "history_need_spot_pic", block.spot_pic);
    json_out_key_bool(out, "history_need_recognize_face", block.face_pic);
    json_out_key_text(out, "from", report_start_names[block.from]);
}

static enum aibox_status get_history(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct json_out *out = api_body(res);

    (void)req;
    (void)err;
    begin(out);
    write_history(ctx, out);
    end(out);
    return AIBOX_OK;
}

static enum aibox_status set_history(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    bool oldest = strcmp(api_text(req, "from"), report_start_names[REPORT_FROM_OLDEST]) == 0;
    struct report_history block = {.encoding = read_encoding(req),
                                   .period_s = (int)api_int(req, "reported_peroid"),
                                   .reg_pic = api_bool(req, "history_need_reg_pic"),
                                   .spot_pic = api_bool(req, "history_need_spot_pic"),
                                   .face_pic = api_bool(req, "history_need_recognize_face"),
                                   .from = oldest ? REPORT_FROM_OLDEST : REPORT_FROM_NOW};
    enum aibox_status status = read_urls(req, "history_upload_event_url", &block.urls, err);

    if (status == AIBOX_OK)
        status = report_config_set_history(ctx->reports, &block, err);
    if (status != AIBOX_OK)
        return status;
    struct json_out *out = api_body(res);
    begin(out);
    json_out_key_text(out, "message", "ok");
    write_history(ctx, out);
    end(out);
    return AIBOX_OK;
}

/* ---- the status ------------------------------------------------------------------------------------------------ */

static enum aibox_status get_monitor(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    struct report_monitor block;

    (void)req;
    (void)err;
    report_config_monitor(ctx->reports, &block);
    begin(out);
    json_out_key_text(out, "monitor_server_url", block.url);
    json_out_key_text(out, "content-type", report_encoding_names[REPORT_JSON]);
    json_out_key_int(out, "reported_peroid", block.period_s);
    end(out);
    return AIBOX_OK;
}

static enum aibox_status set_monitor(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    const char *url = api_text(req, "monitor_server_url");
    struct report_monitor block = {.period_s = (int)api_int(req, "reported_peroid")};
    enum aibox_status status = url[0] != '\0' ? url_check("monitor_server_url", url, err) : AIBOX_OK;

    if (status != AIBOX_OK)
        return status;
    memcpy(block.url, url, strlen(url) + 1);
    status = report_config_set_monitor(ctx->reports, &block, err);
    if (status != AIBOX_OK)
        return status;
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key_text(out, "data", "ok");
    json_out_object_end(out);
    return AIBOX_OK;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

#define URL_HELP "http:// or https:// URLs that the events are sent to, at most 16; [] or [\"\"] turns it off."
#define PERIOD                                                                                                         \
    {                                                                                                                  \
        .name = "reported_peroid", .type = API_INT, .default_text = "20", .min = 1, .max = REPORT_MAX_PERIOD_S,        \
        .help = "Seconds between two reports."                                                                         \
    }

static const struct api_field realtime_fields[] = {
    {.name = "event_server_url", .type = API_LIST, .flags = API_REQUIRED, .max = URL_MAX, .help = URL_HELP},
    {.name = "content-type",
     .type = API_CHOICE,
     .flags = API_REQUIRED,
     .choices = "json|form-data",
     .help = "How an event is sent."},
    {.name = "real_need_reg_pic", .type = API_BOOL, .default_text = "true", .help = "With the enrolled photo."},
    {.name = "real_need_spot_pic", .type = API_BOOL, .default_text = "true", .help = "With the picture of the scene."},
    {.name = "real_need_recognize_face",
     .type = API_BOOL,
     .default_text = "true",
     .help = "With the picture of the face."},
    {.name = "real_need_send_all_person_type", .type = API_BOOL, .default_text = "false", .help = "Strangers too."},
};

static const struct api_field history_fields[] = {
    {.name = "history_upload_event_url", .type = API_LIST, .flags = API_REQUIRED, .max = URL_MAX, .help = URL_HELP},
    {.name = "content-type",
     .type = API_CHOICE,
     .flags = API_REQUIRED,
     .choices = "json|form-data",
     .help = "How an event is sent."},
    PERIOD,
    {.name = "history_need_reg_pic", .type = API_BOOL, .default_text = "true", .help = "With the enrolled photo."},
    {.name = "history_need_spot_pic",
     .type = API_BOOL,
     .default_text = "true",
     .help = "With the picture of the scene."},
    {.name = "history_need_recognize_face",
     .type = API_BOOL,
     .default_text = "true",
     .help = "With the picture of the face."},
    {.name = "from",
     .type = API_CHOICE,
     .default_text = "now",
     .choices = "now|oldest",
     .help = "Where a URL that is new begins: with the next event, or with the oldest one kept."},
};

static const struct api_field monitor_fields[] = {
    {.name = "monitor_server_url",
     .type = API_TEXT,
     .flags = API_REQUIRED,
     .max = URL_MAX,
     .help = "http:// or https:// URL that the box's status is sent to; '' turns it off."},
    {.name = "content-type", .type = API_CHOICE, .default_text = "json", .choices = "json", .help = "Always json."},
    PERIOD,
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]
#define BODY          (API_BODY_JSON | API_BODY_FORM)

const struct api_endpoint api_reports_endpoints[] = {
    {"GET", "/SophonFogSys/api/EventServerUrl", API_QUERY, API_ADMIN, true, NULL, 0, get_realtime, "reports",
     "Where real-time events go", NULL},
    {"POST", "/SophonFogSys/api/EventServerUrl", BODY, API_ADMIN, false, FIELDS(realtime_fields), set_realtime,
     "reports", "Say where real-time events go; what is left out gets its default",
     "{\"event_server_url\": [\"http://192.168.1.9:9528/RealTimeEvent\"], \"content-type\": \"json\"}"},
    {"GET", "/SophonFogSys/api/HistoryEventUrl", API_QUERY, API_ADMIN, true, NULL, 0, get_history, "reports",
     "Where the event history goes", NULL},
    {"POST", "/SophonFogSys/api/HistoryEventUrl", BODY, API_ADMIN, false, FIELDS(history_fields), set_history,
     "reports", "Say where the event history goes; what is left out gets its default",
     "{\"history_upload_event_url\": [\"http://192.168.1.9:9528/HistoryEvent\"], \"content-type\": \"json\", "
     "\"reported_peroid\": 20}"},
    {"GET", "/SophonFogSys/api/MonitorServerUrl", API_QUERY, API_ADMIN, true, NULL, 0, get_monitor, "reports",
     "Where the box's status goes", NULL},
    {"POST", "/SophonFogSys/api/MonitorServerUrl", BODY, API_ADMIN, false, FIELDS(monitor_fields), set_monitor,
     "reports", "Say where the box's status goes; what is left out gets its default",
     "{\"monitor_server_url\": \"http://192.168.1.9:9528/SophonFogStatus\", \"content-type\": \"json\"}"},
};
const size_t api_reports_count = sizeof api_reports_endpoints / sizeof api_reports_endpoints[0];
