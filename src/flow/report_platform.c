/* The platform's addresses: kept without their tokens, and put together with those of the blocks. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "flow/report_config_internal.h"
#include "store/store.h"

#define DOCUMENT "report.platform"

/* ---- what is kept over a restart ------------------------------------------------------------------------------ */

/* As the document's text (freed by the caller); NULL: out of memory. */
static char *print_identities(const struct report_platform *platform)
{
    json_t *history = json_array();
    bool failed = history == NULL;

    for (size_t i = 0; i < platform->n_history; i++)
        failed = json_array_append_new(history, json_string(platform->history[i].identity)) != 0 || failed;
    json_t *json = json_pack("{s:o, s:s, s:s}", "history", history, "device_info", platform->device_info.identity,
                             "device_list", platform->device_list.identity);
    char *text = json && !failed ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

static bool take_identity(const char *text, struct report_address *out)
{
    size_t size = text ? strlen(text) : sizeof out->identity;

    if (size >= sizeof out->identity)
        return false;
    memcpy(out->identity, text, size + 1);
    return true;
}

static bool parse_identities(const char *text, struct report_platform *out)
{
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *history;
    const char *device_info, *device_list;
    bool good = json_unpack(json, "{s:o, s:s, s:s}", "history", &history, "device_info", &device_info, "device_list",
                            &device_list) == 0 &&
                json_array_size(history) <= REPORT_MAX_URLS && take_identity(device_info, &out->device_info) &&
                take_identity(device_list, &out->device_list);

    for (size_t i = 0; good && i < json_array_size(history); i++) {
        good = take_identity(json_string_value(json_array_get(history, i)), &out->history[i]);
        out->n_history++;
    }
    json_decref(json);
    return good;
}

enum aibox_status report_platform_load(struct report_config *config, struct aibox_error *err)
{
    struct report_platform *platform = NULL;
    char *text;
    enum aibox_status status = store_document_get(config->store, DOCUMENT, &text, err);

    if (status != AIBOX_OK || !text)
        return status;
    platform = calloc(1, sizeof *platform);
    if (!platform) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    } else if (parse_identities(text, platform)) {
        config->platform = platform;
        platform = NULL;
    } else {
        log_warn("flow", "what is kept of the last login can't be read document=" DOCUMENT);
    }
    free(platform);
    free(text);
    return status;
}

static bool same_identities(const struct report_platform *a, const struct report_platform *b)
{
    if (!a || !b)
        return a == b;
    bool same = a->n_history == b->n_history && strcmp(a->device_info.identity, b->device_info.identity) == 0 &&
                strcmp(a->device_list.identity, b->device_list.identity) == 0;
    for (size_t i = 0; same && i < a->n_history; i++)
        same = strcmp(a->history[i].identity, b->history[i].identity) == 0;
    return same;
}

/* A failure costs a restart before the next login what waits for the platform: said, and tried again by that login. */
static void keep(struct report_config *config, const struct report_platform *platform)
{
    struct aibox_error err = {.message = "out of memory"};
    char *text = platform ? print_identities(platform) : NULL;

    if ((platform && !text) || store_document_put(config->store, DOCUMENT, text, &err) != AIBOX_OK)
        log_error("flow", "the platform's report addresses can't be kept reason=\"%s\"", err.message);
    free(text);
}

/* ---- a new login ---------------------------------------------------------------------------------------------- */

static int nearest_period(int period_s)
{
    return period_s < 1 ? 1 : period_s > REPORT_MAX_PERIOD_S ? REPORT_MAX_PERIOD_S : period_s;
}

void report_config_set_platform(struct report_config *config, const struct report_platform *platform)
{
    struct report_platform *mine = platform ? malloc(sizeof *mine) : NULL;

    if (platform && !mine) {
        log_error("flow", "the platform's report addresses are not used reason=\"out of memory\"");
        return;
    }
    if (mine) {
        *mine = *platform;
        mine->history_period_s = nearest_period(mine->history_period_s);
        mine->monitor_period_s = nearest_period(mine->monitor_period_s);
    }
    pthread_mutex_lock(&config->changing);
    if (!same_identities(config->platform, mine)) /* only changed with `changing` held */
        keep(config, mine);
    pthread_mutex_lock(&config->mu);
    struct report_platform *last = config->platform;
    config->platform = mine;
    pthread_mutex_unlock(&config->mu);
    free(last);
    if (config->changed)
        config->changed(config->changed_ctx);
    pthread_mutex_unlock(&config->changing);
}

/* ---- both together (with `mu` held) ------------------------------------------------------------------------------ */

static void set_address(struct report_address *address, const char *url)
{
    (void)snprintf(address->identity, sizeof address->identity, "%s", url);
    (void)snprintf(address->url, sizeof address->url, "%s", url);
}

static const struct report_address *find_history(const struct report_platform *platform, const char *identity)
{
    for (size_t i = 0; platform && i < platform->n_history; i++)
        if (strcmp(platform->history[i].identity, identity) == 0)
            return &platform->history[i];
    return NULL;
}

static void take_history_block(const struct report_config *config, const char *url, struct report_target *out)
{
    const struct report_history *block = &config->values.history;
    const struct report_address *named = find_history(config->platform, url);

    *out = (struct report_target){.period_s = block->period_s,
                                  .encoding = block->encoding,
                                  .reg_pic = block->reg_pic,
                                  .spot_pic = block->spot_pic,
                                  .face_pic = block->face_pic,
                                  .info = named && config->platform->info,
                                  .from = block->from};
    if (named && named->url[0])
        out->address = *named;
    else
        set_address(&out->address, url);
}

static void take_history_login(const struct report_platform *platform, size_t i, struct report_target *out)
{
    *out = (struct report_target){.address = platform->history[i],
                                  .period_s = platform->history_period_s,
                                  .encoding = REPORT_JSON,
                                  .reg_pic = platform->reg_pic,
                                  .spot_pic = platform->spot_pic,
                                  .face_pic = platform->face_pic,
                                  .info = platform->info,
                                  .from = REPORT_FROM_OLDEST};
}

static bool is_in_block(const struct report_urls *urls, const char *identity)
{
    for (size_t i = 0; i < urls->count; i++)
        if (strcmp(urls->items[i], identity) == 0)
            return true;
    return false;
}

/* Whether the login's i-th address is one of its own: not among the block's, nor named twice. */
static bool is_own(const struct report_config *config, size_t i)
{
    const struct report_address *address = &config->platform->history[i];

    return address->identity[0] && !is_in_block(&config->values.history.urls, address->identity) &&
           find_history(config->platform, address->identity) == address;
}

static bool history_target(const struct report_config *config, size_t i, struct report_target *out)
{
    const struct report_urls *urls = &config->values.history.urls;
    const struct report_platform *platform = config->platform;

    if (i < urls->count) {
        take_history_block(config, urls->items[i], out);
        return true;
    }
    i -= urls->count;
    for (size_t j = 0; platform && j < platform->n_history; j++) {
        if (!is_own(config, j) || i-- > 0)
            continue;
        take_history_login(platform, j, out);
        return true;
    }
    return false;
}

static bool monitor_target(const struct report_config *config, size_t i, struct report_target *out)
{
    const struct report_monitor *block = &config->values.monitor;
    const struct report_platform *platform = config->platform;
    bool both = platform && strcmp(platform->monitor.identity, block->url) == 0;

    if (block->url[0] && i-- == 0) {
        *out = (struct report_target){.period_s = block->period_s};
        if (both && platform->monitor.url[0])
            out->address = platform->monitor;
        else
            set_address(&out->address, block->url);
        return true;
    }
    if (!platform || both || !platform->monitor.identity[0] || i != 0)
        return false;
    *out = (struct report_target){.address = platform->monitor, .period_s = platform->monitor_period_s};
    return true;
}

/* ---- for those who send ---------------------------------------------------------------------------------------- */

typedef bool (*target_at)(const struct report_config *config, size_t i, struct report_target *out);

static bool take(struct report_config *config, target_at at, size_t i, struct report_target *out)
{
    pthread_mutex_lock(&config->mu);
    bool found = at(config, i, out);
    pthread_mutex_unlock(&config->mu);
    return found;
}

static bool find(struct report_config *config, target_at at, const char *identity, struct report_target *out)
{
    bool found = false;

    pthread_mutex_lock(&config->mu);
    for (size_t i = 0; !found && at(config, i, out); i++)
        found = strcmp(out->address.identity, identity) == 0;
    pthread_mutex_unlock(&config->mu);
    return found;
}

bool report_config_history_target(struct report_config *config, size_t i, struct report_target *out)
{
    return take(config, history_target, i, out);
}

bool report_config_monitor_target(struct report_config *config, size_t i, struct report_target *out)
{
    return take(config, monitor_target, i, out);
}

bool report_config_find_history(struct report_config *config, const char *identity, struct report_target *out)
{
    return find(config, history_target, identity, out);
}

bool report_config_find_monitor(struct report_config *config, const char *identity, struct report_target *out)
{
    return find(config, monitor_target, identity, out);
}

bool report_config_devices(struct report_config *config, struct report_address *out, bool *list)
{
    pthread_mutex_lock(&config->mu);
    const struct report_platform *platform = config->platform;
    *list = platform && platform->device_list.identity[0];
    bool named = *list || (platform && platform->device_info.identity[0]);
    if (named)
        *out = *list ? platform->device_list : platform->device_info;
    pthread_mutex_unlock(&config->mu);
    return named;
}
