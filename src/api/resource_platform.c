/* Which platform the box belongs to: /SophonMQ/api/DevSno, LoginUrl. Settings, by the names platforms know. */
#include <string.h>

#include "api/endpoint.h"
#include "api/request.h"
#include "api/resources.h"
#include "api/setting_change.h"
#include "cloud/cloud.h"
#include "core/settings.h"
#include "core/url.h"

#define VALUE_SIZE (URL_MAX + 1)

static enum aibox_status answer(struct api_context *ctx, const char *key, const char *name, struct api_response *res)
{
    struct json_out *out = api_body(res);
    char value[VALUE_SIZE];

    settings_text(ctx->settings, key, value, sizeof value);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_text(out, "response", value);
    if (name)
        json_out_key_text(out, name, value);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

/* Who logs in listens to the setting, and does so afresh; also when it is set to what it was. */
static enum aibox_status put(struct api_context *ctx, const struct api_request *req, const char *key, const char *name,
                             struct api_response *res, struct aibox_error *err)
{
    const char *value = api_text(req, name);
    char before[VALUE_SIZE];

    settings_text(ctx->settings, key, before, sizeof before);
    enum aibox_status status = setting_change_check(ctx, req->api, key, value, err);

    if (status == AIBOX_OK)
        status = setting_change_apply(ctx, &key, &value, 1, err);
    if (status == AIBOX_OK && strcmp(before, value) == 0)
        cloud_reconnect(ctx->cloud);
    return status == AIBOX_OK ? answer(ctx, key, NULL, res) : status;
}

static enum aibox_status get_dev_sno(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    (void)req;
    (void)err;
    return answer(ctx, "cloud.dev_sno", "dev_sno", res);
}

static enum aibox_status put_dev_sno(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    return put(ctx, req, "cloud.dev_sno", "dev_sno", res, err);
}

static enum aibox_status get_login_url(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    (void)req;
    (void)err;
    return answer(ctx, "cloud.login_url", "login_url", res);
}

static enum aibox_status put_login_url(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    return put(ctx, req, "cloud.login_url", "login_url", res, err);
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static const struct api_field dev_sno_fields[] = {
    {.name = "dev_sno",
     .type = API_TEXT,
     .flags = API_REQUIRED,
     .max = 64,
     .help = "Serial number by which the platform knows this box; '' switches platform mode off."},
};
static const struct api_field login_url_fields[] = {
    {.name = "login_url",
     .type = API_TEXT,
     .flags = API_REQUIRED,
     .max = URL_MAX,
     .help = "http:// or https:// URL at which the box logs in; '' switches platform mode off."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_platform_endpoints[] = {
    {"GET", "/SophonMQ/api/DevSno", API_QUERY, API_VIEWER, true, NULL, 0, get_dev_sno, "platform",
     "The box's serial number at the platform", NULL},
    {"PUT", "/SophonMQ/api/DevSno", API_BODY_JSON, API_ADMIN, false, FIELDS(dev_sno_fields), put_dev_sno, "platform",
     "Set the box's serial number at the platform; takes effect at once", "{\"dev_sno\": \"SE0001\"}"},
    {"GET", "/SophonMQ/api/LoginUrl", API_QUERY, API_ADMIN, true, NULL, 0, get_login_url, "platform",
     "Where the box logs in to the platform", NULL},
    {"PUT", "/SophonMQ/api/LoginUrl", API_BODY_JSON, API_ADMIN, false, FIELDS(login_url_fields), put_login_url,
     "platform", "Set where the box logs in to the platform; takes effect at once",
     "{\"login_url\": \"http://192.168.1.2:9061/login\"}"},
};
const size_t api_platform_count = sizeof api_platform_endpoints / sizeof api_platform_endpoints[0];
