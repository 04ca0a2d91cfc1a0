/* The decision table (docs/decisions.md), without side effects. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow/flow_internal.h"

const char *const flow_reason_names[] = {"passed",      "stranger", "uncertain",   "no_permission",
                                         "blacklisted", "liveness", "low_quality", "no_face"};
const char *const flow_verdict_names[] = {"unknown", "uncertain", "known"};

enum { PERSON_BLACKLISTED = 3 };

enum store_verdict decide_verdict(float score, float margin, float threshold)
{
    if (score >= threshold)
        return margin < DECIDE_MARGIN ? STORE_UNCERTAIN : STORE_KNOWN;
    return score >= threshold - DECIDE_MARGIN ? STORE_UNCERTAIN : STORE_UNKNOWN;
}

enum flow_reason decide(const struct decide_facts *facts)
{
    if (!facts->quality_pass)
        return FLOW_LOW_QUALITY;
    if (facts->liveness_judged && !(facts->live >= facts->live_threshold))
        return FLOW_LIVENESS;
    if (facts->verdict == STORE_UNKNOWN)
        return FLOW_STRANGER;
    if (facts->verdict == STORE_UNCERTAIN)
        return FLOW_UNCERTAIN;
    if (facts->person_type == PERSON_BLACKLISTED)
        return FLOW_BLACKLISTED;
    switch (facts->passmode) {
    case DECIDE_ALLPASS:
        return FLOW_PASSED;
    case DECIDE_ALLFORBIDDEN:
        return FLOW_NO_PERMISSION;
    case DECIDE_NORMAL:
        break;
    }
    return facts->permitted && facts->time_permitted ? FLOW_PASSED : FLOW_NO_PERMISSION;
}

/* Unix seconds (up to 11 digits) or milliseconds as a number or its text; or local time "YYYY-MM-DD HH:MM[:SS]". */
static bool read_time(const json_t *value, int64_t *ms)
{
    char text[32];
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        if (number < 0 || number > INT64_C(9999999999999))
            return false;
        *ms = number < INT64_C(100000000000) ? number * 1000 : number;
        return true;
    }
    const char *given = json_string_value(value);
    if (given == NULL || strlen(given) >= sizeof text || given[0] == '\0')
        return false;
    if (strspn(given, "0123456789") == strlen(given)) {
        if (strlen(given) > 13)
            return false;
        long long number = strtoll(given, NULL, 10);
        *ms = number < 100000000000LL ? number * 1000 : number;
        return true;
    }
    struct tm tm;
    static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        memset(&tm, 0, sizeof tm);
        const char *end = strptime(given, formats[i], &tm);
        if (end == NULL || *end != '\0')
            continue;
        int day = tm.tm_mday, month = tm.tm_mon;
        tm.tm_isdst = -1;
        time_t seconds = mktime(&tm);
        if (tm.tm_mday != day || tm.tm_mon != month) /* 31 February */
            return false;
        *ms = (int64_t)seconds * 1000;
        return true;
    }
    return false;
}

/* 1: has one and it reads; 0: absent; -1: unreadable. */
static int visit_limit(const json_t *info, const char *key, int64_t *ms)
{
    const json_t *value = json_object_get(json_object_get(info, "ext_info"), key);
    if (value == NULL || json_is_null(value))
        value = json_object_get(info, key);
    if (value == NULL || json_is_null(value))
        return 0;
    return read_time(value, ms) ? 1 : -1;
}

bool decide_visit_valid(const char *info_json, int64_t now_ms, bool *unreadable)
{
    *unreadable = false;
    json_t *info = json_loads(info_json, 0, NULL);
    int64_t from = 0, to = 0;
    int has_from = visit_limit(info, "startTime", &from);
    int has_to = visit_limit(info, "endTime", &to);
    json_decref(info);
    if (has_from < 0 || has_to < 0) {
        *unreadable = true;
        return false;
    }
    return (has_from == 0 || now_ms >= from) && (has_to == 0 || now_ms <= to);
}
