/* The blocks of report addresses as JSON documents. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "flow/report_config_internal.h"

const char *const report_encoding_names[] = {"json", "form-data"};
const char *const report_start_names[] = {"now", "oldest"};

/* ---- writing ------------------------------------------------------------------------------------------------- */

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

char *report_block_print(const struct values *values, enum block block)
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

/* ---- reading ------------------------------------------------------------------------------------------------- */

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

bool report_block_parse(const char *text, struct values *values, enum block block)
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
