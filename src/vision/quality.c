/*
 * Face image quality assessment: is this picture of a face good enough? Each item is measured, gets a score of its own
 * from 0 to 1 (0.5 at the limit of level high), and fails or passes by the limits of the caller.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "vision/align.h"
#include "vision/quality.h"
#include "vision/sampling.h"
#include "vision/worker.h"

/* Measured: docs/models.md, "Quality". */
#define CLARITY_LIMIT    1.30f
#define BRIGHTNESS_LIMIT 0.5f
#define MASK_LIMIT       VISION_MASKED
#define HIGH_FACE_SIZE   112.0f
#define HIGH_POSE_SUM    60.0f
#define PARTIAL_LIMIT    0.05f /* share of the detector's box beyond the picture's edge that is still a whole face */

const char *const vision_quality_item_names[QUALITY_ITEMS] = {"face_size", "headpose", "occlusion",  "clarity",
                                                              "mask",      "partial",  "brightness", "feature"};

/* --- measures --- */

float quality_clarity(const float *grey, size_t side)
{
    double sum = 0;
    double squares = 0;
    for (size_t y = 1; y + 1 < side; y++) {
        const float *row = grey + y * side;
        for (size_t x = 1; x + 1 < side; x++) {
            double v = (double)(row[x - 1] + row[x + 1] + row[x - side] + row[x + side] - 4.0f * row[x]);
            sum += v;
            squares += v * v;
        }
    }
    double count = (double)((side - 2) * (side - 2));
    double mean = sum / count;
    double variance = fmax(squares / count - mean * mean, 0.0);
    return (float)log10(1.0 + variance);
}

float quality_brightness(const float *grey, size_t side)
{
    /* An ellipse from brows to chin in the aligned face: hair and background say nothing about the light on the face.
     */
    const float centre_x = 0.5f * (float)side;
    const float centre_y = 0.62f * (float)side;
    const float radius_x = 0.32f * (float)side;
    const float radius_y = 0.38f * (float)side;
    size_t inside = 0;
    size_t usable = 0;
    for (size_t y = 0; y < side; y++) {
        for (size_t x = 0; x < side; x++) {
            float dx = ((float)x + 0.5f - centre_x) / radius_x;
            float dy = ((float)y + 0.5f - centre_y) / radius_y;
            if (dx * dx + dy * dy <= 1.0f) {
                float luma = grey[y * side + x];
                inside++;
                usable += luma >= 40.0f && luma <= 235.0f;
            }
        }
    }
    return inside > 0 ? (float)usable / (float)inside : 0.0f;
}

float quality_outside(const float raw[4], const float clipped[4])
{
    float whole = (raw[2] - raw[0]) * (raw[3] - raw[1]);
    float seen = (clipped[2] - clipped[0]) * (clipped[3] - clipped[1]);
    return whole > 0.0f ? fmaxf(1.0f - seen / whole, 0.0f) : 1.0f;
}

/* --- limits --- */

struct vision_quality_limits vision_quality_limits_of(enum vision_quality_level level)
{
    struct vision_quality_limits limits = {
        .clarity = CLARITY_LIMIT, .brightness = BRIGHTNESS_LIMIT, .mask = MASK_LIMIT};
    switch (level) {
    case QUALITY_HIGH:
        limits.judged = QUALITY_FACE_SIZE | QUALITY_HEADPOSE | QUALITY_OCCLUSION | QUALITY_CLARITY | QUALITY_MASK |
                        QUALITY_PARTIAL | QUALITY_BRIGHTNESS | QUALITY_FEATURE;
        limits.face_size = HIGH_FACE_SIZE;
        limits.pose_sum = HIGH_POSE_SUM;
        break;
    case QUALITY_MIDDLE:
        limits.judged = QUALITY_FACE_SIZE | QUALITY_HEADPOSE | QUALITY_CLARITY | QUALITY_PARTIAL | QUALITY_BRIGHTNESS |
                        QUALITY_FEATURE;
        limits.face_size = 80.0f;
        limits.pose_sum = 90.0f;
        break;
    case QUALITY_LOW:
        limits.judged = QUALITY_FACE_SIZE | QUALITY_HEADPOSE;
        limits.face_size = 60.0f;
        limits.pose_sum = 120.0f;
        break;
    case QUALITY_CUSTOM:
        limits.judged = QUALITY_FACE_SIZE | QUALITY_HEADPOSE | QUALITY_CLARITY | QUALITY_BRIGHTNESS;
        limits.face_size = 60.0f;
        limits.pitch = 30.0f;
        limits.yaw = 60.0f;
        break;
    case QUALITY_NO:
        break;
    }
    return limits;
}

bool vision_quality_level_parse(const char *text, enum vision_quality_level *out)
{
    static const char *const names[] = {"high", "middle", "low", "custom", "no"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum vision_quality_level)i;
            return true;
        }
    }
    return false;
}

/* --- judgement --- */

static float pose_sum(const struct vision_pose *pose)
{
    return fabsf(pose->yaw) + fabsf(pose->pitch) + fabsf(pose->roll);
}

/* 0 at 0, 0.5 at the limit, 1 at twice the limit; for measures that should be small, the other way round. */
static float score_more(float value, float limit)
{
    return fminf(fmaxf(0.5f * value / limit, 0.0f), 1.0f);
}

static float score_less(float value, float limit)
{
    return 1.0f - score_more(value, limit);
}

/* 0 at 0, 0.5 at the limit, 1 at 1. */
static float score_share(float value, float limit)
{
    return value <= limit ? 0.5f * value / limit : 0.5f + 0.5f * (value - limit) / (1.0f - limit);
}

float quality_score(const struct vision_quality *q, float outside)
{
    const float scores[] = {
        score_more(q->face_size, HIGH_FACE_SIZE),
        score_less(pose_sum(&q->pose), HIGH_POSE_SUM),
        q->occlusion[0] && q->occlusion[1] && q->occlusion[2] ? 1.0f : 0.0f,
        score_more(q->clarity, CLARITY_LIMIT),
        q->mask < 0.0f ? 1.0f : score_less(q->mask, MASK_LIMIT),
        score_less(outside, PARTIAL_LIMIT),
        score_share(q->brightness, BRIGHTNESS_LIMIT),
    };
    float least = 1.0f;
    for (size_t i = 0; i < sizeof scores / sizeof scores[0]; i++) {
        least = fminf(least, scores[i]);
    }
    return least;
}

void quality_judge(struct vision_quality *q, const struct vision_quality_limits *limits)
{
    unsigned failed = 0;
    if (!(q->face_size > limits->face_size)) {
        failed |= QUALITY_FACE_SIZE;
    }
    if ((limits->pose_sum > 0.0f && pose_sum(&q->pose) > limits->pose_sum) ||
        (limits->pitch > 0.0f && fabsf(q->pose.pitch) > limits->pitch) ||
        (limits->yaw > 0.0f && fabsf(q->pose.yaw) > limits->yaw)) {
        failed |= QUALITY_HEADPOSE;
    }
    if (!q->occlusion[0] || !q->occlusion[1] || !q->occlusion[2]) {
        failed |= QUALITY_OCCLUSION;
    }
    if (q->clarity < limits->clarity) {
        failed |= QUALITY_CLARITY;
    }
    if (q->mask > limits->mask) {
        failed |= QUALITY_MASK;
    }
    if (q->partial) {
        failed |= QUALITY_PARTIAL;
    }
    if (q->brightness < limits->brightness) {
        failed |= QUALITY_BRIGHTNESS;
    }
    q->judged = limits->judged & ~(unsigned)QUALITY_FEATURE;
    q->failed = failed & limits->judged;
    q->pass = q->failed == 0;
}

bool vision_quality_meets(const struct vision_quality *quality, const struct vision_quality_limits *limits)
{
    struct vision_quality judged = *quality;
    quality_judge(&judged, limits);
    return judged.pass;
}

void vision_judge_feature(struct vision_quality *q, const struct vision_quality_limits *limits, float trust,
                          float least)
{
    q->feature = trust;
    if (least <= 0.0f) {
        return; /* nothing to judge by */
    }
    q->score = fminf(q->score, fminf(fmaxf(trust / least - 0.5f, 0.0f), 1.0f));
    q->judged |= limits->judged & QUALITY_FEATURE;
    if (trust < least) {
        q->failed |= limits->judged & QUALITY_FEATURE;
        q->pass = q->failed == 0;
    }
}

void vision_judge_mask(struct vision_quality *q, const struct vision_quality_limits *limits, float probability)
{
    q->mask = probability;
    if (probability < 0.0f) {
        return;
    }
    q->score = fminf(q->score, score_less(probability, MASK_LIMIT));
    if (probability > limits->mask) {
        q->failed |= limits->judged & QUALITY_MASK;
        q->pass = q->failed == 0;
    }
}

enum aibox_status vision_assess(struct vision_worker *worker, const struct image *image, const struct vision_face *face,
                                const struct vision_quality_limits *limits, struct vision_quality *out,
                                struct aibox_error *err)
{
    /* Edges replicated: a black border would pass for the sharpest edge in the face. */
    struct image_sampling how = {.replicate = true};
    enum aibox_status status = align_matrix(face, align_arcface_points, how.matrix, err);
    if (status != AIBOX_OK) {
        return status;
    }
    struct vision_quality q = {.mask = -1.0f, .occlusion = {true, true, true}, .feature = -1.0f};
    if ((status = vision_estimate_pose(worker, image, face, &q.pose, err)) != AIBOX_OK) {
        return status;
    }
    status = sample_smoothly(image, &how, SAMPLE_GREY, VISION_ALIGNED_SIDE, VISION_ALIGNED_SIDE, worker->grey, err);
    if (status != AIBOX_OK) {
        return status;
    }
    float outside = quality_outside(face->raw_box, face->box);
    q.face_size = fminf(face->box[2] - face->box[0], face->box[3] - face->box[1]);
    q.clarity = quality_clarity(worker->grey, VISION_ALIGNED_SIDE);
    q.brightness = quality_brightness(worker->grey, VISION_ALIGNED_SIDE);
    q.partial = outside > PARTIAL_LIMIT;
    q.score = quality_score(&q, outside);
    quality_judge(&q, limits);
    *out = q;
    return AIBOX_OK;
}

/* --- words --- */

/* What is wrong with one item. */
static void explain_item(unsigned item, const struct vision_quality *q, const struct vision_quality_limits *limits,
                         char *out, size_t size)
{
    switch (item) {
    case QUALITY_FACE_SIZE:
        (void)snprintf(out, size, "face_size %.0f px, more than %.0f needed", (double)q->face_size,
                       (double)limits->face_size);
        break;
    case QUALITY_HEADPOSE:
        if (limits->pose_sum > 0.0f && pose_sum(&q->pose) > limits->pose_sum) {
            (void)snprintf(out, size, "headpose %.0f\xc2\xb0, at most %.0f", (double)pose_sum(&q->pose),
                           (double)limits->pose_sum);
        } else if (limits->pitch > 0.0f && fabsf(q->pose.pitch) > limits->pitch) {
            (void)snprintf(out, size, "headpose pitch %.0f\xc2\xb0, at most %.0f", (double)q->pose.pitch,
                           (double)limits->pitch);
        } else {
            (void)snprintf(out, size, "headpose yaw %.0f\xc2\xb0, at most %.0f", (double)q->pose.yaw,
                           (double)limits->yaw);
        }
        break;
    case QUALITY_OCCLUSION:
        (void)snprintf(out, size, "occlusion: %s%s%snot visible", q->occlusion[0] ? "" : "left eye ",
                       q->occlusion[1] ? "" : "right eye ", q->occlusion[2] ? "" : "mouth ");
        break;
    case QUALITY_CLARITY:
        (void)snprintf(out, size, "clarity %.2f, at least %.2f needed", (double)q->clarity, (double)limits->clarity);
        break;
    case QUALITY_MASK:
        (void)snprintf(out, size, "mask %.2f, at most %.2f: the face wears a mask", (double)q->mask,
                       (double)limits->mask);
        break;
    case QUALITY_PARTIAL:
        (void)snprintf(out, size, "partial: the face crosses the picture's edge");
        break;
    case QUALITY_FEATURE:
        (void)snprintf(out, size, "feature %.2f: turned away, covered or blurred", (double)q->feature);
        break;
    default:
        (void)snprintf(out, size, "brightness %.2f, at least %.2f needed", (double)q->brightness,
                       (double)limits->brightness);
        break;
    }
}

void vision_quality_explain(const struct vision_quality *quality, const struct vision_quality_limits *limits, char *out,
                            size_t size)
{
    if (size == 0) {
        return;
    }
    out[0] = '\0';
    size_t used = 0;
    for (unsigned bit = 0; bit < QUALITY_ITEMS; bit++) {
        unsigned item = 1u << bit;
        if (!(quality->failed & item)) {
            continue;
        }
        char text[96];
        explain_item(item, quality, limits, text, sizeof text);
        int length = snprintf(out + used, size - used, "%s%s", used > 0 ? "; " : "", text);
        if (length < 0 || (size_t)length >= size - used) {
            out[used] = '\0'; /* no half sentences */
            return;
        }
        used += (size_t)length;
    }
}
