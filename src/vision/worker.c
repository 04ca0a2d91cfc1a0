/* Opening and closing: the models of a set, and one thread's networks. */
#include "vision/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum model_file network_files[NETWORKS] = {
    [NETWORK_DETECT] = MODEL_DETECT,
    [NETWORK_LANDMARK] = MODEL_LANDMARK,
    [NETWORK_FEATURE] = MODEL_FEATURE,
    [NETWORK_LIVENESS] = MODEL_LIVENESS,
};

/* The numbers in one output. */
static size_t output_size(const struct nn_model *model, size_t index)
{
    struct nn_shape shape = nn_model_output_shape(model, index);
    size_t size = 1;
    for (size_t i = 0; i < shape.rank; i++) {
        size *= shape.dim[i];
    }
    return size;
}

static bool input_is(const struct nn_model *model, size_t height, size_t width, size_t channels)
{
    struct nn_shape shape = nn_model_input_shape(model);
    return shape.rank == 4 && (height == 0 || shape.dim[1] == height) && (width == 0 || shape.dim[2] == width) &&
           shape.dim[3] == channels && shape.dim[1] <= 4096 && shape.dim[2] <= 4096;
}

/* Lays the anchors over the detector's heads; false if the heads don't fit the known arrangement. */
static bool map_heads(struct vision *vision)
{
    const struct nn_model *model = vision->models[NETWORK_DETECT];
    struct nn_shape input = nn_model_input_shape(model);
    for (size_t i = 0; i < MODEL_DETECT_HEADS; i++) {
        struct nn_shape scores = nn_model_output_shape(model, 2 * i);
        struct nn_shape boxes = nn_model_output_shape(model, 2 * i + 1);
        if (scores.rank != 4 || boxes.rank != 4 || scores.dim[1] != boxes.dim[1] || scores.dim[2] != boxes.dim[2]) {
            return false;
        }
        struct detect_map *map = &vision->maps[i];
        detect_map_init(i, scores.dim[1], scores.dim[2], input.dim[2], input.dim[1], map);
        if (scores.dim[3] != 2 * map->anchors || boxes.dim[3] != 4 * map->anchors) {
            return false;
        }
    }
    return true;
}

/* Shapes that the rest of the room relies on, so that no later step can read beyond a tensor. */
static bool shapes_fit(struct vision *vision, enum network which)
{
    const struct nn_model *model = vision->models[which];
    switch (which) {
    case NETWORK_DETECT:
        return input_is(model, 0, 0, 3) && map_heads(vision);
    case NETWORK_LANDMARK:
        return input_is(model, 0, 0, 1) && nn_model_input_shape(model).dim[1] == nn_model_input_shape(model).dim[2] &&
               output_size(model, 0) == 136;
    case NETWORK_FEATURE:
        return input_is(model, VISION_ALIGNED_SIDE, VISION_ALIGNED_SIDE, 3) &&
               output_size(model, 0) == VISION_DIMENSION;
    case NETWORK_LIVENESS:
        return input_is(model, 0, 0, 3) && nn_model_output_shape(model, 0).rank <= 2 &&
               output_size(model, 0) > vision->set.liveness.live;
    case NETWORKS:
        break;
    }
    return false;
}

static enum aibox_status load_network(struct vision *vision, const char *dir, enum network which,
                                      struct aibox_error *err)
{
    const char *name = vision->set.files[network_files[which]].name;
    const char *heads[MODEL_DETECT_HEADS * 2];
    for (size_t i = 0; i < MODEL_DETECT_HEADS * 2; i++) {
        heads[i] = vision->set.detect.heads[i];
    }
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum aibox_status status = model_set_load(&vision->set, dir, network_files[which], &bytes, &size, err);
    if (status != AIBOX_OK) {
        return status;
    }
    bool detector = which == NETWORK_DETECT;
    status = nn_model_read(bytes, size, detector ? heads : NULL, detector ? MODEL_DETECT_HEADS * 2 : 0, NULL,
                           &vision->models[which], err);
    free(bytes);
    if (status != AIBOX_OK) {
        error_prefix(err, "model file %s", name);
        return status;
    }
    if (!shapes_fit(vision, which)) {
        return error_set(err, AIBOX_PROCESS_FAILED,
                         "model file %s: its inputs or outputs are not of the expected shape", name);
    }
    return AIBOX_OK;
}

static enum aibox_status load_age_gender(struct vision *vision, const char *dir, struct aibox_error *err)
{
    uint8_t *manifest = NULL;
    uint8_t *weights = NULL;
    size_t manifest_size = 0;
    size_t weights_size = 0;
    enum aibox_status status =
        model_set_load(&vision->set, dir, MODEL_AGE_GENDER_MANIFEST, &manifest, &manifest_size, err);
    if (status != AIBOX_OK || (status = model_set_load(&vision->set, dir, MODEL_AGE_GENDER_WEIGHTS, &weights,
                                                       &weights_size, err)) != AIBOX_OK) {
        goto out;
    }
    status = age_gender_read((const char *)manifest, manifest_size, weights, weights_size, &vision->age_gender, err);
    if (status != AIBOX_OK) {
        error_prefix(err, "model file %s", vision->set.files[MODEL_AGE_GENDER_WEIGHTS].name);
    } else if (!input_is(vision->age_gender, AGE_GENDER_SIDE, AGE_GENDER_SIDE, 3)) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "the age network's input is not of the expected shape");
    }

out:
    free(manifest);
    free(weights);
    return status;
}

static enum aibox_status load_points(struct vision *vision, const char *dir, struct aibox_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!model_set_has(&vision->set, MODEL_POINTS)) {
        return AIBOX_OK;
    }
    enum aibox_status status = model_set_load(&vision->set, dir, MODEL_POINTS, &bytes, &size, err);
    if (status != AIBOX_OK) {
        return status;
    }
    status = onet_read(bytes, size, &vision->points, err);
    if (status != AIBOX_OK) {
        error_prefix(err, "model file %s", vision->set.files[MODEL_POINTS].name);
    }
    free(bytes);
    return status;
}

/* One that was made for other embeddings would judge these at random: the set goes without. */
static enum aibox_status load_mask(struct vision *vision, const char *dir, struct aibox_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!model_set_has(&vision->set, MODEL_MASK)) {
        return AIBOX_OK;
    }
    enum aibox_status status = model_set_load(&vision->set, dir, MODEL_MASK, &bytes, &size, err);
    if (status != AIBOX_OK) {
        return status;
    }
    struct mask_model *mask = calloc(1, sizeof *mask);
    if (!mask) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    } else if ((status = mask_model_parse((const char *)bytes, size, mask, err)) != AIBOX_OK) {
        error_prefix(err, "model file %s", vision->set.files[MODEL_MASK].name);
    } else if (strcmp(mask->model_set, vision->set.id) == 0) {
        vision->mask = mask;
        mask = NULL;
    }
    free(mask);
    free(bytes);
    return status;
}

enum aibox_status vision_open(const char *models_dir, struct vision **out, struct aibox_error *err)
{
    struct vision *vision = calloc(1, sizeof *vision);
    if (!vision) {
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    enum aibox_status status = model_set_read(models_dir, &vision->set, err);
    for (int i = 0; status == AIBOX_OK && i < NETWORKS; i++) {
        status = load_network(vision, models_dir, (enum network)i, err);
    }
    if (status == AIBOX_OK) {
        status = load_age_gender(vision, models_dir, err);
    }
    if (status == AIBOX_OK) {
        status = load_points(vision, models_dir, err);
    }
    if (status == AIBOX_OK) {
        status = load_mask(vision, models_dir, err);
    }
    if (status != AIBOX_OK) {
        vision_close(vision);
        return status;
    }
    *out = vision;
    return AIBOX_OK;
}

void vision_close(struct vision *vision)
{
    if (!vision) {
        return;
    }
    for (size_t i = 0; i < NETWORKS; i++) {
        nn_model_free(vision->models[i]);
    }
    nn_model_free(vision->age_gender);
    nn_model_free(vision->points);
    free(vision->mask);
    free(vision);
}

_Static_assert(VISION_MODEL_SET == MODEL_SET_ID_SIZE, "an id fits");

const char *vision_model_set(const struct vision *vision)
{
    return vision->set.id;
}

float vision_threshold_for_fmr(const struct vision *vision, double fmr)
{
    return (float)calibration_threshold(&vision->set.calibration, fmr);
}

double vision_fmr_at_threshold(const struct vision *vision, float threshold)
{
    return calibration_fmr(&vision->set.calibration, (double)threshold);
}

float vision_genuine_score(const struct vision *vision, double tpr)
{
    return (float)calibration_genuine_score(&vision->set.calibration, tpr);
}

double vision_false_reject_at(const struct vision *vision, float threshold)
{
    return calibration_false_reject(&vision->set.calibration, (double)threshold);
}

float vision_least_trust(const struct vision *vision, enum vision_views views)
{
    bool twice = views == VISION_TWO_VIEWS && vision->set.feature.views > 1;
    return vision->set.feature.least_trust[twice];
}

const struct vision *vision_of(const struct vision_worker *worker)
{
    return worker->vision;
}

enum aibox_status vision_worker_open(const struct vision *vision, struct vision_worker **out, struct aibox_error *err)
{
    struct vision_worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    worker->vision = vision;
    worker->candidates = calloc(DETECT_MAX_CANDIDATES, sizeof *worker->candidates);
    worker->merged = calloc(DETECT_MAX_MERGED, sizeof *worker->merged);
    enum aibox_status status = AIBOX_OK;
    if (!worker->candidates || !worker->merged) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    for (size_t i = 0; status == AIBOX_OK && i < NETWORKS; i++) {
        status = nn_session_open(vision->models[i], &worker->sessions[i], err);
    }
    if (status == AIBOX_OK) {
        status = nn_session_open(vision->age_gender, &worker->age_gender, err);
    }
    if (status == AIBOX_OK && vision->points) {
        status = nn_session_open(vision->points, &worker->points, err);
    }
    if (status != AIBOX_OK) {
        vision_worker_close(worker);
        return status;
    }
    *out = worker;
    return AIBOX_OK;
}

void vision_worker_close(struct vision_worker *worker)
{
    if (!worker) {
        return;
    }
    for (size_t i = 0; i < NETWORKS; i++) {
        nn_session_close(worker->sessions[i]);
    }
    nn_session_close(worker->age_gender);
    nn_session_close(worker->points);
    free(worker->candidates);
    free(worker->merged);
    free(worker);
}
