#include "api/setting_change.h"

#include <stdbool.h>
#include <string.h>

#include "api/access.h"
#include "api/server.h"
#include "core/settings.h"
#include "core/url.h"
#include "store/store.h"

static bool is_url(const char *key)
{
    return strcmp(key, "cloud.login_url") == 0 || strcmp(key, "reports.device_info_url") == 0;
}

/* What the table can't know of a value. */
static enum aibox_status check_meaning(const struct api *api, const char *key, const char *value,
                                       struct aibox_error *err)
{
    if (strcmp(key, "access.legacy_allow") == 0)
        return access_check_allow(value, err);
    if (strcmp(key, "access.mode") == 0 && strcmp(value, "open") == 0 && !api_is_loopback(api))
        return error_set(err, AIBOX_PARAM, "access.mode: open is for a box that listens on a loopback address only");
    if (is_url(key) && value[0] != '\0')
        return url_check(key, value, err);
    return AIBOX_OK;
}

enum aibox_status setting_change_check(const struct api_context *ctx, const struct api *api, const char *key,
                                       const char *value, struct aibox_error *err)
{
    enum settings_source source;
    enum aibox_status status;

    if (!settings_find(key))
        return error_set(err, AIBOX_PARAM, "%.80s: no such setting", key);
    if (!value)
        return error_set(err, AIBOX_PARAM, "%s: expected text, a number, true or false", key);
    (void)settings_print(ctx->settings, key, NULL, 0, &source);
    if (source == SETTINGS_SET)
        return error_set(err, AIBOX_PARAM, "%s: fixed by --set on the command line", key);
    status = settings_check(key, value, err);
    return status == AIBOX_OK ? check_meaning(api, key, value, err) : status;
}

enum aibox_status setting_change_apply(struct api_context *ctx, const char *const *keys, const char *const *values,
                                       size_t n, struct aibox_error *err)
{
    return store_settings_apply(ctx->store, ctx->settings, keys, values, n, err);
}

enum aibox_status setting_change_reset(struct api_context *ctx, const char *const *kept, struct aibox_error *err)
{
    return store_settings_reset(ctx->store, ctx->settings, kept, err);
}
