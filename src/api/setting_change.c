#include "api/setting_change.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "api/access.h"
#include "api/server.h"
#include "api/tls.h"
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

/* What `key` will be: as changed, else as it is. `room` is for the latter. */
static const char *value_of(const struct api_context *ctx, const char *key, const char *const *keys,
                            const char *const *values, size_t n, char *room, size_t size)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(keys[i], key) == 0)
            return values[i];
    (void)settings_text(ctx->settings, key, room, size);
    return room;
}

static bool is_among(const char *key, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

/* Files that are not in use yet are looked at when they are named, each for itself; the others together. */
static enum aibox_status check_tls(const struct api_context *ctx, const char *const *keys, const char *const *values,
                                   size_t n, struct aibox_error *err)
{
    char mode_room[16], certificate_room[PATH_MAX], key_room[PATH_MAX];
    bool certificate_changes = is_among("tls.certificate", keys, n), key_changes = is_among("tls.key", keys, n);
    const char *mode = value_of(ctx, "tls.mode", keys, values, n, mode_room, sizeof mode_room);
    const char *certificate =
        value_of(ctx, "tls.certificate", keys, values, n, certificate_room, sizeof certificate_room);
    const char *key = value_of(ctx, "tls.key", keys, values, n, key_room, sizeof key_room);

    if (!certificate_changes && !key_changes && !is_among("tls.mode", keys, n))
        return AIBOX_OK;
    if (strcmp(mode, "files") == 0)
        return tls_check_files(certificate, key, true, err);
    return tls_check_files(certificate_changes ? certificate : "", key_changes ? key : "", false, err);
}

enum aibox_status setting_change_check_all(const struct api_context *ctx, const char *const *keys,
                                           const char *const *values, size_t n, struct aibox_error *err)
{
    return check_tls(ctx, keys, values, n, err);
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
