/* Decoding a picture and looking at the faces in it, on a worker thread. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "flow/flow_internal.h"

/* A big picture is first decoded at a fraction, as long as its smaller side stays at least this, px. */
#define REDUCED_SIDE 960
/* A face found in a reduced picture is good enough when its shorter side is at least this there, px: more than the
 * embedding network sees. */
#define REDUCED_FACE 144

enum vision_tiles look_tiles(const struct flow *flow)
{
    char word[16];
    settings_text(flow->settings, "recognition.tiles", word, sizeof word);
    if (strcmp(word, "off") == 0)
        return VISION_TILES_OFF;
    if (strcmp(word, "2x2") == 0)
        return VISION_TILES_2X2;
    if (strcmp(word, "3x3") == 0)
        return VISION_TILES_3X3;
    return VISION_TILES_AUTO;
}

bool look_time_for_two_views(struct flow *flow)
{
    char word[8];
    struct pool_counters counters;
    settings_text(flow->settings, "recognition.second_view", word, sizeof word);
    if (strcmp(word, "auto") != 0)
        return strcmp(word, "on") == 0;
    pool_count(flow->pool, &counters);
    return counters.waiting[POOL_URGENT] == 0;
}

static float shorter_side(const struct vision_face *face)
{
    return fminf(face->box[2] - face->box[0], face->box[3] - face->box[1]);
}

static bool roi_given(const float *roi)
{
    return roi != NULL && (roi[0] != 0 || roi[1] != 0 || roi[2] != 0 || roi[3] != 0);
}

/* Index of the largest face whose centre lies in the region; count when there is none. */
static size_t pick_face(const struct vision_face *faces, size_t count, const float *roi, int scale)
{
    if (!roi_given(roi))
        return count > 0 ? 0 : count;
    for (size_t i = 0; i < count; i++) {
        float x = (faces[i].box[0] + faces[i].box[2]) / 2 * (float)scale;
        float y = (faces[i].box[1] + faces[i].box[3]) / 2 * (float)scale;
        if (x >= roi[0] && x <= roi[2] && y >= roi[1] && y <= roi[3])
            return i;
    }
    return count;
}

static enum aibox_status decode(struct flow *flow, const uint8_t *bytes, size_t size, int min_side, struct look *look,
                                struct aibox_error *err)
{
    int64_t start = clock_monotonic_us();
    enum aibox_status status = image_decode(bytes, size, min_side, &look->image, &look->scale, err);
    stages_add(flow->stages, STAGE_DECODE, clock_monotonic_us() - start);
    return status;
}

static enum aibox_status find_largest(struct flow *flow, struct vision_worker *worker, const struct look *look,
                                      float min_face, const float *roi, struct vision_face *face, bool *found,
                                      struct aibox_error *err)
{
    struct vision_face faces[VISION_MAX_FACES];
    struct vision_detect_options options = {.min_face = min_face / (float)look->scale, .tiles = look_tiles(flow)};
    size_t count;
    int64_t start = clock_monotonic_us();
    enum aibox_status status =
        vision_detect(worker, &look->image, &options, faces, roi_given(roi) ? VISION_MAX_FACES : 1, &count, err);
    stages_add(flow->stages, STAGE_DETECT, clock_monotonic_us() - start);
    if (status != AIBOX_OK)
        return status;
    size_t picked = pick_face(faces, count, roi, look->scale);
    *found = picked < count;
    if (*found)
        *face = faces[picked];
    return AIBOX_OK;
}

enum aibox_status look_largest(struct flow *flow, struct vision_worker *worker, const uint8_t *bytes, size_t size,
                               float min_face, const float *roi, struct look *look, struct vision_face *face,
                               bool *found, struct aibox_error *err)
{
    *look = (struct look){.scale = 1};
    *found = false;
    enum aibox_status status = decode(flow, bytes, size, REDUCED_SIDE, look, err);
    if (status == AIBOX_OK)
        status = find_largest(flow, worker, look, min_face, roi, face, found, err);
    if (status == AIBOX_OK && look->scale > 1 && (!*found || shorter_side(face) < REDUCED_FACE)) {
        look_free(look);
        status = decode(flow, bytes, size, 0, look, err);
        if (status == AIBOX_OK)
            status = find_largest(flow, worker, look, min_face, roi, face, found, err);
    }
    if (status != AIBOX_OK)
        look_free(look);
    return status;
}

enum aibox_status look_embedding(struct flow *flow, struct vision_worker *worker, const uint8_t *photo, size_t size,
                                 float embedding[VISION_DIMENSION], struct aibox_error *err)
{
    struct look look;
    struct vision_face face;
    bool found;
    struct vision_strength strength;
    enum aibox_status status = look_largest(flow, worker, photo, size, 0, NULL, &look, &face, &found, err);
    if (status != AIBOX_OK)
        return status;
    if (!found)
        status = error_set(err, AIBOX_NO_FACE, "no face found in the photo");
    if (status == AIBOX_OK)
        status = vision_locate(worker, &look.image, &face, err);
    if (status == AIBOX_OK)
        status = vision_embed(worker, &look.image, &face, VISION_TWO_VIEWS, embedding, &strength, err);
    look_free(&look);
    return status;
}

void look_free(struct look *look)
{
    image_free(&look->image);
}

enum aibox_status look_closer(struct flow *flow, struct vision_worker *worker, const struct image *image, int scale,
                              unsigned wants, const struct vision_quality_limits *limits, struct flow_face *face,
                              struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    int64_t start = clock_monotonic_us();
#define STAGE_END(stage)                                                                                               \
    do {                                                                                                               \
        int64_t end = clock_monotonic_us();                                                                            \
        stages_add(flow->stages, stage, end - start);                                                                  \
        start = end;                                                                                                   \
        if (status != AIBOX_OK)                                                                                        \
            return status;                                                                                             \
    } while (0)

    if (!face->face.located) {
        status = vision_locate(worker, image, &face->face, err);
        STAGE_END(STAGE_LANDMARKS);
    }
    if (wants & FLOW_WANT_QUALITY) {
        struct vision_quality_limits scaled = *limits;
        scaled.face_size /= (float)scale;
        status = vision_assess(worker, image, &face->face, &scaled, &face->quality, err);
        face->quality.face_size *= (float)scale;
        face->pose = face->quality.pose;
        STAGE_END(STAGE_QUALITY);
    } else if (wants & FLOW_WANT_POSE) {
        status = vision_estimate_pose(worker, image, &face->face, &face->pose, err);
        STAGE_END(STAGE_QUALITY);
    }
    if (wants & FLOW_WANT_LIVENESS) {
        status = vision_estimate_liveness(worker, image, &face->face, &face->live, err);
        STAGE_END(STAGE_LIVENESS);
    }
    bool judge_feature = (wants & FLOW_WANT_QUALITY) && (limits->judged & QUALITY_FEATURE);
    if ((wants & FLOW_WANT_EMBEDDING) || judge_feature) {
        enum vision_views views = wants & FLOW_ONE_VIEW ? VISION_ONE_VIEW : VISION_TWO_VIEWS;
        struct vision_strength strength = {0};
        status = vision_embed(worker, image, &face->face, views, face->embedding, &strength, err);
        (void)snprintf(face->model_set, sizeof face->model_set, "%s", vision_model_set(vision_of(worker)));
        STAGE_END(STAGE_EMBED);
        float mask = vision_mask(vision_of(worker), face->embedding);
        face->masked = mask > VISION_MASKED;
        /* A mask shortens every embedding; the threshold for masked faces takes that into account. */
        float least = face->masked ? 0 : vision_least_trust(vision_of(worker), views);
        face->norm = strength.norm;
        face->faint = least > 0 && strength.trust < least;
        if (wants & FLOW_WANT_QUALITY) {
            vision_judge_feature(&face->quality, limits, strength.trust, least);
            vision_judge_mask(&face->quality, limits, mask);
        }
    }
    if (wants & FLOW_WANT_AGE_SEX) {
        status = vision_estimate_age_sex(worker, image, &face->face, &face->age, &face->male, err);
        STAGE_END(STAGE_ATTRIBUTES);
    }
#undef STAGE_END
    return AIBOX_OK;
}

void look_to_full(struct vision_face *face, int scale)
{
    float s = (float)scale;
    for (int i = 0; i < 4; i++) {
        face->box[i] *= s;
        face->raw_box[i] *= s;
    }
    for (int i = 0; i < 68; i++) {
        face->landmarks[i][0] *= s;
        face->landmarks[i][1] *= s;
    }
    for (int i = 0; i < 5; i++) {
        face->points[i][0] *= s;
        face->points[i][1] *= s;
    }
}
