#include "vision/mask.h"

#include <math.h>
#include <string.h>

#include "vision/calibration_json.h"
#include "vision/worker.h"

#define MOST_BYTES  ((size_t)256 * 1024)
#define MOST_WEIGHT 1e4 /* beyond, a value is no weight of a sane regression */

static bool read_weight(const json_t *value, float *out)
{
    double number = json_number_value(value);
    *out = (float)number;
    return json_is_number(value) && fabs(number) <= MOST_WEIGHT;
}

static enum aibox_status read_model(const json_t *document, struct mask_model *out, struct aibox_error *err)
{
    const char *set = json_string_value(json_object_get(document, "model_set"));
    const json_t *weights = json_object_get(document, "weights");
    if (!set || strlen(set) >= sizeof out->model_set) {
        return error_set(err, AIBOX_PROCESS_FAILED, "model_set must be a model set's id");
    }
    memcpy(out->model_set, set, strlen(set) + 1);
    if (!read_weight(json_object_get(document, "bias"), &out->bias)) {
        return error_set(err, AIBOX_PROCESS_FAILED, "bias must be a number from -1e4 to 1e4");
    }
    if (!json_is_array(weights) || json_array_size(weights) != VISION_DIMENSION) {
        return error_set(err, AIBOX_PROCESS_FAILED, "weights must be a list of %d numbers", VISION_DIMENSION);
    }
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        if (!read_weight(json_array_get(weights, i), &out->weights[i])) {
            return error_set(err, AIBOX_PROCESS_FAILED, "weights must be numbers from -1e4 to 1e4");
        }
    }
    return calibration_parse(document, "", &out->calibration, err);
}

enum aibox_status mask_model_parse(const char *json, size_t size, struct mask_model *out, struct aibox_error *err)
{
    json_error_t problem;
    *out = (struct mask_model){0};
    if (size > MOST_BYTES) {
        return error_set(err, AIBOX_PROCESS_FAILED, "more than %zu bytes", MOST_BYTES);
    }
    json_t *document = json_loadb(json, size, JSON_REJECT_DUPLICATES, &problem);
    enum aibox_status status = json_is_object(document) ? read_model(document, out, err)
                                                        : error_set(err, AIBOX_PROCESS_FAILED, "not a JSON object");
    json_decref(document);
    return status;
}

float mask_probability(const struct mask_model *model, const float embedding[VISION_DIMENSION])
{
    double sum = 0;
    double square = 0;
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        sum += (double)model->weights[i] * (double)embedding[i];
        square += (double)embedding[i] * (double)embedding[i];
    }
    if (!isfinite(square) || !(square > 0)) {
        return -1.0f;
    }
    return (float)(1.0 / (1.0 + exp(-(sum / sqrt(square) + (double)model->bias))));
}

double mask_threshold(const struct calibration *masked, const struct calibration *bare, double threshold)
{
    return calibration_threshold(masked, calibration_fmr(bare, threshold));
}

/* --- the room's door --- */

float vision_mask(const struct vision *vision, const float embedding[VISION_DIMENSION])
{
    return vision->mask ? mask_probability(vision->mask, embedding) : -1.0f;
}

bool vision_knows_masks(const struct vision *vision)
{
    return vision->mask != NULL;
}

float vision_masked_threshold(const struct vision *vision, float threshold)
{
    return vision->mask ? (float)mask_threshold(&vision->mask->calibration, &vision->set.calibration, (double)threshold)
                        : threshold;
}

double vision_masked_false_reject_at(const struct vision *vision, float threshold)
{
    return calibration_false_reject(vision->mask ? &vision->mask->calibration : &vision->set.calibration,
                                    (double)threshold);
}
