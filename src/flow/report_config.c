#include "flow/report_config.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "store/store.h"

const char *const report_encoding_names[] = {"json", "form-data"};
const char *const report_start_names[] = {"now", "oldest"};

enum block { BLOCK_REALTIME, BLOCK_HISTORY, BLOCK_MONITOR, BLOCKS };
static const char *const documents[BLOCKS] = {"report.realtime", "report.history", "report.monitor"};

struct values {
    struct report_realtime realtime;
    struct report_history history;
    struct report_monitor monitor;
};

struct report_config {
    struct store *store;
    /* Held over storing and putting into force, so that both happen in the same order; readers don't take it. */
    pthread_mutex_t changing;
    void (*changed)(void *ctx); /* guarded by `changing`; NULL: nobody listens */
    void *changed_ctx;
    pthread_mutex_t mu; /* guards `values` */
    struct values values;
};

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

/* ---- documents ----------------------------------------------------------------------------------------------- */

static json_t *urls_to_json(const struct report_urls *urls)
{
    json_t *list = json_array();

    for (size_t i = 0; i < urls->count; i++)
        if (json_array_append_new(list, json_string(urls->items[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* The document's text (freed by the caller), or NULL without memory. */
static char *print_block(const struct values *values, enum block block)
{
    const struct report_realtime *realtime = &values->realtime;
    const struct report_history *history = &values->history;
    json_t *json = NULL;

    switch (block) {
    case BLOCK_REALTIME:
        json = json_pack("{s:o, s:s, s:b, s:b, s:b, s:b}", "urls", urls_to_json(&realtime->urls), "encoding",
                         report_encoding_names[realtime->encoding], "reg_pic", realtime->reg_pic, "spot_pic",
                         realtime->spot_pic, "face_pic", realtime->face_pic, "everybody", realtime->everybody);
        break;
    case BLOCK_HISTORY:
        json = json_pack("{s:o, s:s, s:i, s:b, s:b, s:b, s:s}", "urls", urls_to_json(&history->urls), "encoding",
                         report_encoding_names[history->encoding], "period_s", history->period_s, "reg_pic",
                         history->reg_pic, "spot_pic", history->spot_pic, "face_pic", history->face_pic, "from",
                         report_start_names[history->from]);
        break;
    case BLOCK_MONITOR:
        json = json_pack("{s:s, s:i}", "url", values->monitor.url, "period_s", values->monitor.period_s);
        break;
    case BLOCKS:
        break;
    }
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

static bool parse_urls(const json_t *list, struct report_urls *urls)
{
    const char *items[REPORT_MAX_URLS];
    size_t n = json_array_size(list);

    if (n > REPORT_MAX_URLS)
        return false;
    for (size_t i = 0; i < n; i++) {
        items[i] = json_string_value(json_array_get(list, i));
        if (!items[i])
            return false;
    }
    return report_urls_read("urls", items, n, urls, NULL) == AIBOX_OK;
}

static bool valid_period(int period_s)
{
    return period_s >= 1 && period_s <= REPORT_MAX_PERIOD_S;
}

/* Index of `word` among two names; 2: neither. */
static int find_word(const char *const names[2], const char *word)
{
    return strcmp(word, names[0]) == 0 ? 0 : strcmp(word, names[1]) == 0 ? 1 : 2;
}

static bool parse_encoding(const char *word, enum report_encoding *out)
{
    int found = find_word(report_encoding_names, word);

    *out = found == 1 ? REPORT_FORM_DATA : REPORT_JSON;
    return found < 2;
}

static bool parse_realtime(json_t *json, struct report_realtime *out)
{
    int reg_pic, spot_pic, face_pic, everybody;
    const char *encoding;
    json_t *urls;

    if (json_unpack(json, "{s:o, s:s, s:b, s:b, s:b, s:b}", "urls", &urls, "encoding", &encoding, "reg_pic", &reg_pic,
                    "spot_pic", &spot_pic, "face_pic", &face_pic, "everybody", &everybody) != 0)
        return false;
    out->reg_pic = reg_pic;
    out->spot_pic = spot_pic;
    out->face_pic = face_pic;
    out->everybody = everybody;
    return parse_urls(urls, &out->urls) && parse_encoding(encoding, &out->encoding);
}

static bool parse_history(json_t *json, struct report_history *out)
{
    int reg_pic, spot_pic, face_pic;
    const char *encoding, *from;
    json_t *urls;

    if (json_unpack(json, "{s:o, s:s, s:i, s:b, s:b, s:b, s:s}", "urls", &urls, "encoding", &encoding, "period_s",
                    &out->period_s, "reg_pic", &reg_pic, "spot_pic", &spot_pic, "face_pic", &face_pic, "from",
                    &from) != 0)
        return false;
    int start = find_word(report_start_names, from);
    out->reg_pic = reg_pic;
    out->spot_pic = spot_pic;
    out->face_pic = face_pic;
    out->from = start == 1 ? REPORT_FROM_OLDEST : REPORT_FROM_NOW;
    return start < 2 && parse_urls(urls, &out->urls) && parse_encoding(encoding, &out->encoding) &&
           valid_period(out->period_s);
}

static bool parse_monitor(json_t *json, struct report_monitor *out)
{
    const char *url;

    if (json_unpack(json, "{s:s, s:i}", "url", &url, "period_s", &out->period_s) != 0 || !valid_period(out->period_s) ||
        (*url && url_check("url", url, NULL) != AIBOX_OK))
        return false;
    memcpy(out->url, url, strlen(url) + 1);
    return true;
}

static bool parse_block(const char *text, struct values *values, enum block block)
{
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool good = false;

    switch (block) {
    case BLOCK_REALTIME:
        good = parse_realtime(json, &values->realtime);
        break;
    case BLOCK_HISTORY:
        good = parse_history(json, &values->history);
        break;
    case BLOCK_MONITOR:
        good = parse_monitor(json, &values->monitor);
        break;
    case BLOCKS:
        break;
    }
    json_decref(json);
    return good;
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static enum aibox_status load(struct report_config *config, enum block block, struct aibox_error *err)
{
    char *text;
    enum aibox_status status = store_document_get(config->store, documents[block], &text, err);

    if (status == AIBOX_OK && text && !parse_block(text, &config->values, block)) {
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
        *out = config;
    else
        report_config_close(config);
    return status;
}

void report_config_close(struct report_config *config)
{
    if (!config)
        return;
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
    char *text = print_block(values, block);
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
