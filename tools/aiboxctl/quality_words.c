#include "quality_words.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/buffer.h"

/* The limits of level high: the handbook, "Quality". */
#define HIGH_FACE_SIZE  112
#define HIGH_POSE_SUM   60
#define HIGH_CLARITY    2.0
#define HIGH_BRIGHTNESS 0.5
#define HIGH_MASK       0.5
#define GOOD_SCORE      0.5 /* at the limits of level high */
#define FAIR_SCORE      0.25

static void pose_words(const json_t *pose, struct buffer *out)
{
    double yaw = fabs(json_number_value(json_object_get(pose, "yaw_angle")));
    double pitch = fabs(json_number_value(json_object_get(pose, "pitch_angle")));
    double roll = fabs(json_number_value(json_object_get(pose, "roll_angle")));
    if (yaw + pitch + roll <= HIGH_POSE_SUM)
        return;
    if (yaw >= pitch && yaw >= roll)
        buffer_appendf(out, "; turned sideways by %.0f°", yaw);
    else if (pitch >= roll)
        buffer_appendf(out, "; tilted up or down by %.0f°", pitch);
    else
        buffer_appendf(out, "; leaning by %.0f°", roll);
}

static void occlusion_words(const json_t *visible, struct buffer *out)
{
    static const char *const parts[] = {"left eye", "right eye", "mouth"};
    for (size_t i = 0; i < 3; i++)
        if (json_is_false(json_array_get(visible, i)))
            buffer_appendf(out, "; %s covered", parts[i]);
}

static bool is_below(const json_t *info, const char *key, double limit)
{
    const json_t *value = json_object_get(info, key);
    return json_is_number(value) && json_number_value(value) < limit;
}

void quality_words(const json_t *quality, char *out, size_t size)
{
    const json_t *info = json_object_get(quality, "info");
    const json_t *score = json_object_get(quality, "score");
    struct buffer words;
    if (!json_is_object(info) || !json_is_number(score)) {
        snprintf(out, size, "not judged");
        return;
    }
    double value = json_number_value(score);
    buffer_init(&words, size - 1);
    buffer_appendf(&words, "%s (%.2f): face of %.0f px",
                   value >= GOOD_SCORE   ? "good"
                   : value >= FAIR_SCORE ? "fair"
                                         : "poor",
                   value, json_number_value(json_object_get(info, "face_size")));
    if (is_below(info, "face_size", HIGH_FACE_SIZE))
        buffer_append_text(&words, ", small");
    pose_words(json_object_get(info, "headpose"), &words);
    if (is_below(info, "clarity", HIGH_CLARITY))
        buffer_append_text(&words, "; not sharp");
    if (is_below(info, "brightness", HIGH_BRIGHTNESS))
        buffer_append_text(&words, "; too dark or too bright");
    if (json_is_true(json_object_get(info, "partial")))
        buffer_append_text(&words, "; cut off by the picture's edge");
    occlusion_words(json_object_get(info, "occlusion"), &words);
    if (json_number_value(json_object_get(info, "mask")) > HIGH_MASK)
        buffer_append_text(&words, "; wearing a mask");
    snprintf(out, size, "%s", words.data == NULL ? "" : (const char *)words.data);
    buffer_free(&words);
}
