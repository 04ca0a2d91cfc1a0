/* Forgetting on purpose: POST /SophonFogSys/api/WipeData. */
#include "api/arguments.h"
#include "api/endpoint.h"
#include "api/request.h"
#include "api/resources.h"
#include "api/setting_change.h"
#include "backup/backup.h"
#include "core/log_ring.h"
#include "flow/flow.h"
#include "flow/jobs.h"
#include "flow/report_config.h"
#include "store/store.h"

enum option { OPTION_USERS, OPTION_EVENTS, OPTION_ALL, OPTIONS };

static const struct api_field option_fields[OPTIONS] = {
    [OPTION_USERS] = {.name = "users", .type = API_BOOL, .help = "People with photos, groups and permission groups."},
    [OPTION_EVENTS] = {.name = "events", .type = API_BOOL, .help = "Events with pictures."},
    [OPTION_ALL] = {.name = "all", .type = API_BOOL, .default_text = "false", .help = "Both, and the settings."},
};

static enum aibox_status read_options(struct api_request *req, bool wanted[OPTIONS], struct aibox_error *err)
{
    struct api_value values[OPTIONS];
    enum aibox_status status =
        arguments_parse_object(req, api_json(req, "wipe_options"), "wipe_options", option_fields, OPTIONS, values, err);

    if (status != AIBOX_OK)
        return status;
    bool all = values[OPTION_ALL].boolean;
    if (!all && !values[OPTION_USERS].given)
        return error_set(err, AIBOX_PARAM, "wipe_options: users: required, and missing");
    if (!all && !values[OPTION_EVENTS].given)
        return error_set(err, AIBOX_PARAM, "wipe_options: events: required, and missing");
    wanted[OPTION_USERS] = all || values[OPTION_USERS].boolean;
    wanted[OPTION_EVENTS] = all || values[OPTION_EVENTS].boolean;
    wanted[OPTION_ALL] = all;
    return AIBOX_OK;
}

/* Which platform the box belongs to stays, so that it can be told what to do next. Devices are no settings. */
static enum aibox_status wipe_settings(struct api_context *ctx, struct aibox_error *err)
{
    static const char *const kept[] = {"cloud.dev_sno", "cloud.login_url", NULL};
    enum aibox_status status = setting_change_reset(ctx, kept, err);

    return status == AIBOX_OK ? report_config_reset(ctx->reports, err) : status;
}

static enum aibox_status wipe(struct api_context *ctx, struct api_request *req, struct api_response *res,
                              struct aibox_error *err)
{
    bool wanted[OPTIONS];
    enum aibox_status status = read_options(req, wanted, err);

    /* They hold people's photos, and would bring people back. */
    if (status == AIBOX_OK && wanted[OPTION_USERS])
        jobs_clear(ctx->jobs);
    if (status == AIBOX_OK && (wanted[OPTION_USERS] || wanted[OPTION_EVENTS]))
        backup_clear(ctx->backup);
    if (status == AIBOX_OK)
        status = store_wipe(ctx->store, wanted[OPTION_USERS], wanted[OPTION_EVENTS], err);
    if (status == AIBOX_OK && wanted[OPTION_USERS])
        log_ring_clear(); /* some of its lines name people */
    if (status == AIBOX_OK && wanted[OPTION_EVENTS])
        flow_forget_sightings(ctx->flow);
    if (status == AIBOX_OK && wanted[OPTION_ALL])
        status = wipe_settings(ctx, err);
    if (status != AIBOX_OK)
        return status;
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key(out, "wipe_options");
    json_out_object_begin(out);
    for (int i = 0; i < OPTIONS; i++)
        if (i != OPTION_ALL || wanted[i])
            json_out_key_bool(out, option_fields[i].name, wanted[i]);
    json_out_object_end(out);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static const struct api_field wipe_fields[] = {
    {.name = "wipe_options",
     .type = API_DICT,
     .flags = API_REQUIRED,
     .help = "users: people with photos, groups and permission groups; events: events with pictures; both are required "
             "true or false, unless all is true: both, and the settings (but dev_sno and login_url)."},
};

const struct api_endpoint api_wipe_endpoints[] = {
    {"POST", "/SophonFogSys/api/WipeData", API_BODY_JSON, API_ADMIN, false, wipe_fields,
     sizeof wipe_fields / sizeof wipe_fields[0], wipe, "system",
     "Delete people, events or everything so that their bytes are gone when the answer comes",
     "{\"wipe_options\": {\"users\": true, \"events\": false}}"},
};
const size_t api_wipe_count = sizeof api_wipe_endpoints / sizeof api_wipe_endpoints[0];
