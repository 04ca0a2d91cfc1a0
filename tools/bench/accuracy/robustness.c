/* What spoils a picture: quality limits against blur and darkness, and the pose against the mirrored picture. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"

#define SUFFICIENT 60.0f /* px, shorter side of the box */
#define RADIUS     4
#define KERNEL     (2 * RADIUS + 1)
#define SIDE       VISION_ALIGNED_SIDE

/* Nine-pixel Gaussian (sigma 1.7: half the width less one, times 0.3, plus 0.8), edges replicated. */
static void blur(struct image *image)
{
    float weights[KERNEL];
    float sum = 0.0f;
    for (int i = 0; i < KERNEL; i++) {
        float x = (float)(i - RADIUS) / 1.7f;
        weights[i] = expf(-0.5f * x * x);
        sum += weights[i];
    }
    uint8_t line[SIDE * 3];
    for (int direction = 0; direction < 2; direction++) {
        int step = direction == 0 ? 3 : 3 * SIDE;
        int next = direction == 0 ? 3 * SIDE : 3;
        for (int row = 0; row < SIDE; row++) {
            uint8_t *base = image->pixels + row * next;
            for (int at = 0; at < SIDE; at++) {
                for (int c = 0; c < 3; c++) {
                    float value = 0.0f;
                    for (int i = 0; i < KERNEL; i++) {
                        int from = at + i - RADIUS;
                        from = from < 0 ? 0 : from >= SIDE ? SIDE - 1 : from;
                        value += weights[i] / sum * (float)base[from * step + c];
                    }
                    line[at * 3 + c] = (uint8_t)(value + 0.5f);
                }
            }
            for (int at = 0; at < SIDE; at++) {
                memcpy(base + at * step, line + 3 * at, 3);
            }
        }
    }
}

static void darken(struct image *image)
{
    for (size_t i = 0; i < (size_t)SIDE * SIDE * 3; i++) {
        image->pixels[i] = (uint8_t)(0.15f * (float)image->pixels[i] + 0.5f);
    }
}

struct rates {
    size_t faces, pass, blurred_fail, dark_fail;
    float *clarity, *blurred_clarity, *brightness; /* owned, `faces` each */
};

/*
 * An aligned face is a picture in which the five points lie where the template has them. The 68 stay as they were: they
 * only give the pose, which nobody looks at here.
 */
static bool assess_aligned(struct vision_worker *worker, const struct image *aligned,
                           const struct vision_face *original, struct vision_quality *out)
{
    static const float points[5][2] = {
        {38.2946f, 51.6963f}, {73.5318f, 51.5014f}, {56.0252f, 71.7366f}, {41.5493f, 92.3655f}, {70.7299f, 92.2041f}};
    const struct vision_quality_limits limits = vision_quality_limits_of(QUALITY_HIGH);
    struct vision_face face = *original;
    const float box[4] = {0, 0, SIDE, SIDE};
    memcpy(face.box, box, sizeof box);
    memcpy(face.raw_box, box, sizeof box);
    memcpy(face.points, points, sizeof points);
    struct aibox_error err = {0};
    return vision_assess(worker, aligned, &face, &limits, out, &err) == AIBOX_OK;
}

static bool spoil_one(struct vision_worker *worker, const struct picture *picture, struct rates *rates)
{
    const unsigned looked_at = QUALITY_CLARITY | QUALITY_BRIGHTNESS;
    struct aibox_error err = {0};
    struct image image = {0};
    struct image aligned = {0};
    struct vision_quality blurred;
    struct vision_quality dark;
    bool ok = read_picture(picture->path, &image) && vision_align(&image, &picture->face, &aligned, &err) == AIBOX_OK;
    if (ok) {
        blur(&aligned);
        ok = assess_aligned(worker, &aligned, &picture->face, &blurred);
        image_free(&aligned);
    }
    ok = ok && vision_align(&image, &picture->face, &aligned, &err) == AIBOX_OK;
    if (ok) {
        darken(&aligned);
        ok = assess_aligned(worker, &aligned, &picture->face, &dark);
    }
    if (ok) {
        rates->clarity[rates->faces] = picture->quality.clarity;
        rates->brightness[rates->faces] = picture->quality.brightness;
        rates->blurred_clarity[rates->faces++] = blurred.clarity;
        rates->pass += !(picture->quality.failed & looked_at);
        rates->blurred_fail += (blurred.failed & looked_at) != 0;
        rates->dark_fail += (dark.failed & looked_at) != 0;
    }
    image_free(&aligned);
    image_free(&image);
    return ok;
}

/* Means of |a(picture) + a(mirrored)| (yaw, roll) and |a - a(mirrored)| (pitch), and their 95 % quantiles. */
static json_t *measure_pose(const struct dataset *data)
{
    size_t n = data->picture_count;
    float *differences[3] = {calloc(n, sizeof(float)), calloc(n, sizeof(float)), calloc(n, sizeof(float))};
    static const char *const names[] = {"yaw", "pitch", "roll"};
    json_t *out = json_object();
    bool ok = out && differences[0] && differences[1] && differences[2];
    size_t count = 0;
    for (size_t i = 0; ok && i < n; i++) {
        const struct picture *picture = &data->pictures[i];
        if (picture->embedded) {
            const struct vision_pose *a = &picture->quality.pose;
            const struct vision_pose *b = &picture->mirrored;
            differences[0][count] = fabsf(a->yaw + b->yaw);
            differences[1][count] = fabsf(a->pitch - b->pitch);
            differences[2][count++] = fabsf(a->roll + b->roll);
        }
    }
    for (size_t axis = 0; axis < 3; axis++) {
        double sum = 0;
        for (size_t i = 0; ok && i < count; i++) {
            sum += (double)differences[axis][i];
        }
        if (ok) {
            sort_floats(differences[axis], count);
            ok = json_object_set_new(out, names[axis],
                                     json_pack("{s:f, s:f}", "mean", sum / (double)count, "p95",
                                               quantile(differences[axis], count, 0.95))) == 0;
        }
        free(differences[axis]);
    }
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}

json_t *measure_robustness(const struct dataset *data, const struct vision *vision)
{
    size_t n = data->picture_count;
    struct rates rates = {.clarity = calloc(n, sizeof(float)),
                          .blurred_clarity = calloc(n, sizeof(float)),
                          .brightness = calloc(n, sizeof(float))};
    struct vision_worker *worker = NULL;
    struct aibox_error err = {0};
    json_t *out = NULL;
    bool ok = rates.clarity && rates.blurred_clarity && rates.brightness &&
              vision_worker_open(vision, &worker, &err) == AIBOX_OK;
    for (size_t i = 0; ok && i < n; i++) {
        const struct picture *picture = &data->pictures[i];
        if (picture->embedded && picture->quality.face_size > SUFFICIENT) {
            ok = spoil_one(worker, picture, &rates);
        }
    }
    vision_worker_close(worker);
    if (ok && rates.faces > 0) {
        double faces = (double)rates.faces;
        sort_floats(rates.clarity, rates.faces);
        sort_floats(rates.blurred_clarity, rates.faces);
        sort_floats(rates.brightness, rates.faces);
        out = json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "faces", (json_int_t)rates.faces, "pass",
                        (double)rates.pass / faces, "blurred_fail", (double)rates.blurred_fail / faces, "dark_fail",
                        (double)rates.dark_fail / faces, "clarity_p1", quantile(rates.clarity, rates.faces, 0.01),
                        "blurred_clarity_p90", quantile(rates.blurred_clarity, rates.faces, 0.9), "brightness_p1",
                        quantile(rates.brightness, rates.faces, 0.01), "mirrored_pose", measure_pose(data));
    }
    free(rates.clarity);
    free(rates.blurred_clarity);
    free(rates.brightness);
    return out;
}
