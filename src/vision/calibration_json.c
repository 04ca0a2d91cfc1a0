#include "vision/calibration_json.h"

#include <math.h>
#include <stdbool.h>

struct table {
    const char *key;
    bool falling;                /* the rates fall and the scores rise, else the other way round */
    double (*transform)(double); /* of a rate */
    double *rates, *scores;
    size_t *count;
};

/* What is wrong with a table; NULL: nothing, it is read. */
static const char *parse_table(const json_t *list, const struct table *table)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n < 2 || n > CALIBRATION_MAX_POINTS) {
        return "must be a list of 2 to 64 pairs";
    }
    double direction = table->falling ? -1.0 : 1.0;
    for (size_t i = 0; i < n; i++) {
        json_t *pair = json_array_get(list, i);
        json_t *rate = json_array_size(pair) == 2 ? json_array_get(pair, 0) : NULL;
        json_t *score = rate ? json_array_get(pair, 1) : NULL;
        double r = json_number_value(rate);
        double s = json_number_value(score);
        if (!json_is_number(rate) || !json_is_number(score) || !(r > 0.0 && r < 1.0) || !(s >= -1.0 && s <= 1.0)) {
            return "must hold pairs of a rate between 0 and 1 and a score";
        }
        table->rates[i] = table->transform(r);
        table->scores[i] = s;
        if (i > 0 && !(direction * (table->rates[i] - table->rates[i - 1]) > 0 &&
                       direction * (table->scores[i] - table->scores[i - 1]) < 0)) {
            return table->falling ? "must fall in rate and rise in score" : "must rise in rate and fall in score";
        }
    }
    *table->count = n;
    return NULL;
}

enum aibox_status calibration_parse(const json_t *object, const char *where, struct calibration *out,
                                    struct aibox_error *err)
{
    const struct table tables[] = {
        {"fmr", true, log10, out->log_fmr, out->threshold, &out->impostor_points},
        {"genuine", false, calibration_logit, out->logit_tpr, out->score, &out->genuine_points},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const char *fault = parse_table(json_object_get(object, tables[i].key), &tables[i]);
        if (fault) {
            return error_set(err, AIBOX_PROCESS_FAILED, "%s%s %s", where, tables[i].key, fault);
        }
    }
    return AIBOX_OK;
}
