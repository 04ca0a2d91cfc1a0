/* Milliseconds of each step on one thread, one picture after another. */
#include <stdio.h>
#include <stdlib.h>

#include "accuracy.h"

#define PICTURES 400

enum stage { DECODE, DETECT, LANDMARKS, POSE, QUALITY, EMBED, EMBED_TWICE, AGE_SEX, LIVENESS, STAGES };
static const char *const stage_names[STAGES] = {"decode", "detect",      "landmarks", "pose",    "quality",
                                                "embed",  "embed_twice", "age_sex",   "liveness"};

struct clock {
    float *times[STAGES]; /* owned, PICTURES each */
    size_t counts[STAGES];
    double started;
};

static void start(struct clock *clock)
{
    clock->started = now_ms();
}

static void stop(struct clock *clock, enum stage stage)
{
    clock->times[stage][clock->counts[stage]++] = (float)(now_ms() - clock->started);
}

static bool time_face(struct vision_worker *worker, const struct image *image, struct vision_face *face,
                      struct clock *clock)
{
    static const struct vision_quality_limits limits = {0};
    struct vision_pose pose;
    struct vision_quality quality;
    struct aibox_error err = {0};
    float embedding[VISION_DIMENSION];
    struct vision_strength strength = {0};
    float age = 0.0f;
    float male = 0.0f;
    float live = 0.0f;
    start(clock);
    enum aibox_status status = vision_locate(worker, image, face, &err);
    stop(clock, LANDMARKS);
    start(clock);
    status = status == AIBOX_OK ? vision_estimate_pose(worker, image, face, &pose, &err) : status;
    stop(clock, POSE);
    start(clock);
    status = status == AIBOX_OK ? vision_assess(worker, image, face, &limits, &quality, &err) : status;
    stop(clock, QUALITY);
    start(clock);
    status =
        status == AIBOX_OK ? vision_embed(worker, image, face, VISION_ONE_VIEW, embedding, &strength, &err) : status;
    stop(clock, EMBED);
    start(clock);
    status =
        status == AIBOX_OK ? vision_embed(worker, image, face, VISION_TWO_VIEWS, embedding, &strength, &err) : status;
    stop(clock, EMBED_TWICE);
    start(clock);
    status = status == AIBOX_OK ? vision_estimate_age_sex(worker, image, face, &age, &male, &err) : status;
    stop(clock, AGE_SEX);
    start(clock);
    status = status == AIBOX_OK ? vision_estimate_liveness(worker, image, face, &live, &err) : status;
    stop(clock, LIVENESS);
    if (status != AIBOX_OK) {
        (void)fprintf(stderr, "bench-accuracy: %s\n", err.message);
    }
    return status == AIBOX_OK;
}

static bool time_picture(struct vision_worker *worker, const char *path, struct clock *clock)
{
    struct vision_face faces[VISION_MAX_FACES];
    struct vision_detect_options options = {0};
    struct aibox_error err = {0};
    struct image image = {0};
    size_t count = 0;
    size_t size = 0;
    uint8_t *bytes = read_whole_file(path, &size);
    if (!bytes) {
        return false;
    }
    start(clock);
    enum aibox_status status = image_decode(bytes, size, 0, &image, NULL, &err);
    stop(clock, DECODE);
    free(bytes);
    if (status == AIBOX_OK) {
        start(clock);
        status = vision_detect(worker, &image, &options, faces, VISION_MAX_FACES, &count, &err);
        stop(clock, DETECT);
    }
    bool ok = status == AIBOX_OK && (count == 0 || time_face(worker, &image, &faces[0], clock));
    image_free(&image);
    return ok;
}

json_t *measure_timing(const struct dataset *data, const struct vision *vision)
{
    struct clock clock = {0};
    struct vision_worker *worker = NULL;
    struct aibox_error err = {0};
    bool ok = vision_worker_open(vision, &worker, &err) == AIBOX_OK;
    for (size_t i = 0; i < STAGES; i++) {
        clock.times[i] = calloc(PICTURES, sizeof(float));
        ok = ok && clock.times[i];
    }
    size_t step = data->picture_count > PICTURES ? data->picture_count / PICTURES : 1;
    for (size_t i = 0; ok && i < PICTURES && i * step < data->picture_count; i++) {
        ok = time_picture(worker, data->pictures[i * step].path, &clock);
    }
    json_t *out = ok ? json_object() : NULL;
    for (size_t i = 0; i < STAGES; i++) {
        if (out) {
            sort_floats(clock.times[i], clock.counts[i]);
            (void)json_object_set_new(out, stage_names[i],
                                      json_pack("{s:f, s:f}", "p50", quantile(clock.times[i], clock.counts[i], 0.5),
                                                "p99", quantile(clock.times[i], clock.counts[i], 0.99)));
        }
        free(clock.times[i]);
    }
    vision_worker_close(worker);
    return out;
}
