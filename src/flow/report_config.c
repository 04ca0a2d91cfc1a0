#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "flow/report_config_internal.h"
#include "store/store.h"

static const char *const documents[BLOCKS] = {"report.realtime", "report.history", "report.monitor"};

static void set_default(struct values *values, enum block block)
{
    switch (block) {
    case BLOCK_REALTIME:
        values->realtime = (struct report_realtime){.reg_pic = true, .spot_pic = true, .face_pic = true};
        break;
    case BLOCK_HISTORY:
        values->history = (struct report_history){
            .period_s = REPORT_DEFAULT_PERIOD, .reg_pic = true, .spot_pic = true, .face_pic = true};
        break;
    case BLOCK_MONITOR:
        values->monitor = (struct report_monitor){.period_s = REPORT_DEFAULT_PERIOD};
        break;
    case BLOCKS:
        break;
    }
}

/* ---- addresses ----------------------------------------------------------------------------------------------- */

static bool holds(const struct report_urls *urls, const char *url)
{
    for (size_t i = 0; i < urls->count; i++)
        if (strcmp(urls->items[i], url) == 0)
            return true;
    return false;
}

enum aibox_status report_urls_read(const char *field, const char *const *items, size_t n, struct report_urls *urls,
                                   struct aibox_error *err)
{
    urls->count = 0;
    if (n == 0 || (n == 1 && items[0][0] == '\0'))
        return AIBOX_OK;
    for (size_t i = 0; i < n; i++) {
        char name[80];
        (void)snprintf(name, sizeof name, "%s[%zu]", field, i);
        enum aibox_status status = url_check(name, items[i], err);
        if (status != AIBOX_OK)
            return status;
        if (holds(urls, items[i]))
            continue;
        if (urls->count == REPORT_MAX_URLS)
            return error_set(err, AIBOX_PARAM, "%s: expected at most %d URLs", field, REPORT_MAX_URLS);
        memcpy(urls->items[urls->count++], items[i], strlen(items[i]) + 1);
    }
    return AIBOX_OK;
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static enum aibox_status load(struct report_config *config, enum block block, struct aibox_error *err)
{
    char *text;
    enum aibox_status status = store_document_get(config->store, documents[block], &text, err);

    if (status == AIBOX_OK && text && !report_block_parse(text, &config->values, block)) {
        log_warn("flow", "a stored block of report addresses can't be read: that report is off document=%s",
                 documents[block]);
        set_default(&config->values, block);
    }
    free(text);
    return status;
}

enum aibox_status report_config_open(struct store *store, struct report_config **out, struct aibox_error *err)
{
    struct report_config *config = calloc(1, sizeof *config);
    enum aibox_status status = AIBOX_OK;

    *out = NULL;
    if (!config)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    config->store = store;
    pthread_mutex_init(&config->changing, NULL);
    pthread_mutex_init(&config->mu, NULL);
    for (enum block block = 0; block < BLOCKS && status == AIBOX_OK; block++) {
        set_default(&config->values, block);
        status = load(config, block, err);
    }
    if (status == AIBOX_OK)
        status = report_platform_load(config, err);
    if (status == AIBOX_OK)
        *out = config;
    else
        report_config_close(config);
    return status;
}

void report_config_close(struct report_config *config)
{
    if (!config)
        return;
    free(config->platform);
    pthread_mutex_destroy(&config->mu);
    pthread_mutex_destroy(&config->changing);
    free(config);
}

/* ---- reading and changing --------------------------------------------------------------------------------------- */

/* The block `out` of the values in force. */
#define COPY(config, out, block)                                                                                       \
    do {                                                                                                               \
        pthread_mutex_lock(&(config)->mu);                                                                             \
        *(out) = (config)->values.block;                                                                               \
        pthread_mutex_unlock(&(config)->mu);                                                                           \
    } while (0)

void report_config_realtime(struct report_config *config, struct report_realtime *out)
{
    COPY(config, out, realtime);
}

void report_config_history(struct report_config *config, struct report_history *out)
{
    COPY(config, out, history);
}

void report_config_monitor(struct report_config *config, struct report_monitor *out)
{
    COPY(config, out, monitor);
}

static void take_block(struct values *to, const struct values *from, enum block block)
{
    if (block == BLOCK_REALTIME)
        to->realtime = from->realtime;
    else if (block == BLOCK_HISTORY)
        to->history = from->history;
    else
        to->monitor = from->monitor;
}

/* Stores `text` (NULL: nothing) for `block` and puts that block of `values` into force. */
static enum aibox_status change(struct report_config *config, const struct values *values, enum block block,
                                const char *text, struct aibox_error *err)
{
    pthread_mutex_lock(&config->changing);
    enum aibox_status status = store_document_put(config->store, documents[block], text, err);
    if (status == AIBOX_OK) {
        pthread_mutex_lock(&config->mu);
        take_block(&config->values, values, block);
        pthread_mutex_unlock(&config->mu);
        if (config->changed)
            config->changed(config->changed_ctx);
    }
    pthread_mutex_unlock(&config->changing);
    return status;
}

void report_config_listen(struct report_config *config, void (*changed)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&config->changing);
    config->changed = changed;
    config->changed_ctx = ctx;
    pthread_mutex_unlock(&config->changing);
}

static enum aibox_status set(struct report_config *config, const struct values *values, enum block block,
                             struct aibox_error *err)
{
    char *text = report_block_print(values, block);
    enum aibox_status status =
        text ? change(config, values, block, text, err) : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");

    free(text);
    return status;
}

enum aibox_status report_config_set_realtime(struct report_config *config, const struct report_realtime *block,
                                             struct aibox_error *err)
{
    struct values values = {.realtime = *block};

    return set(config, &values, BLOCK_REALTIME, err);
}

enum aibox_status report_config_set_history(struct report_config *config, const struct report_history *block,
                                            struct aibox_error *err)
{
    struct values values = {.history = *block};

    return set(config, &values, BLOCK_HISTORY, err);
}

enum aibox_status report_config_set_monitor(struct report_config *config, const struct report_monitor *block,
                                            struct aibox_error *err)
{
    struct values values = {.monitor = *block};

    return set(config, &values, BLOCK_MONITOR, err);
}

enum aibox_status report_config_reset(struct report_config *config, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    struct values values = {0};

    for (enum block block = 0; block < BLOCKS && status == AIBOX_OK; block++) {
        set_default(&values, block);
        status = change(config, &values, block, NULL, err);
    }
    return status;
}
