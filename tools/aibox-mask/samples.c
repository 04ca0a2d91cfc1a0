#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    const struct dataset *data;
    struct sample *samples;
    uint64_t seed;
};

bool samples_draw(struct vision_worker *worker, struct image *image, const struct mask_style *style, bool *found)
{
    struct vision_face face;
    struct aibox_error err = {0};
    enum aibox_status status = AIBOX_OK;
    *found = find_central(worker, image, &face, &err, &status);
    return *found && mask_draw(image, &face, style);
}

/* Looks at the picture as it is now. */
static bool embed(struct vision_worker *worker, const struct image *image, struct sample *sample)
{
    struct vision_face face;
    struct aibox_error err = {0};
    struct vision_strength strength = {0};
    enum aibox_status status = AIBOX_OK;
    bool once = sample->kind == SAMPLE_BARE_ONE_VIEW || sample->kind == SAMPLE_MASKED_ONE_VIEW;
    if (find_central(worker, image, &face, &err, &status)) {
        status = vision_embed(worker, image, &face, once ? VISION_ONE_VIEW : VISION_TWO_VIEWS, sample->embedding,
                              &strength, &err);
        sample->norm = strength.norm;
        sample->found = status == AIBOX_OK;
    }
    for (size_t i = 0; i < VISION_DIMENSION && sample->found; i++) {
        sample->embedding[i] /= sample->norm;
    }
    if (status != AIBOX_OK && status != AIBOX_LOW_QUALITY) {
        (void)fprintf(stderr, "aibox-mask: %s\n", err.message);
        return false;
    }
    return true;
}

/* What is to be drawn on a copy of the picture for this sample. */
static bool draw(struct image *image, const struct vision_face *face, const struct sample *sample)
{
    switch (sample->kind) {
    case SAMPLE_MASKED:
    case SAMPLE_MASKED_ONE_VIEW:
    case SAMPLE_BELOW_NOSE:
        return mask_draw(image, face, &sample->style);
    case SAMPLE_DECOY:
        return mask_draw_decoy(image, face, sample->decoy, sample->style.seed);
    case SAMPLE_BARE:
    case SAMPLE_BARE_ONE_VIEW:
    case SAMPLE_KINDS:
        break;
    }
    return true;
}

static bool make_sample(struct job *job, struct vision_worker *worker, const struct image *image,
                        const struct vision_face *face, size_t index)
{
    struct sample *sample = &job->samples[index];
    struct image copy = {0};
    uint64_t random = job->seed + (uint64_t)index * UINT64_C(0x9e3779b97f4a7c15);
    sample->style = mask_style_random(&random);
    sample->style.below_nose = sample->kind == SAMPLE_BELOW_NOSE;
    sample->decoy = (enum mask_decoy)(sample->picture / 2 % MASK_DECOYS);
    if (sample->kind == SAMPLE_DECOY && sample->picture % 2 == 1) {
        return true;
    }
    if (image_crop(image, 0, 0, image->width, image->height, &copy, NULL) != AIBOX_OK) {
        return false;
    }
    bool ok = !draw(&copy, face, sample) || embed(worker, &copy, sample);
    image_free(&copy);
    return ok;
}

static bool make_samples(void *ctx, struct vision_worker *worker, size_t picture)
{
    struct job *job = ctx;
    struct image image = {0};
    struct vision_face face;
    struct aibox_error err = {0};
    enum aibox_status status = AIBOX_OK;
    if (!read_picture(job->data->pictures[picture].path, &image)) {
        return false;
    }
    bool ok = true;
    bool found = find_central(worker, &image, &face, &err, &status);
    for (size_t kind = 0; kind < SAMPLE_KINDS && ok; kind++) {
        size_t index = picture * SAMPLE_KINDS + kind;
        job->samples[index].picture = picture;
        job->samples[index].kind = (enum sample_kind)kind;
        ok = !found || make_sample(job, worker, &image, &face, index);
    }
    image_free(&image);
    if (ok && (picture + 1) % 500 == 0) {
        (void)fprintf(stderr, "aibox-mask: %zu of %zu pictures\n", picture + 1, job->data->picture_count);
    }
    return ok;
}

struct sample *samples_make(const struct dataset *data, const struct vision *vision, size_t threads, uint64_t seed)
{
    struct job job = {.data = data, .seed = seed};
    job.samples = calloc(data->picture_count * SAMPLE_KINDS, sizeof *job.samples);
    if (!job.samples || !each_picture(vision, data->picture_count, threads, make_samples, &job)) {
        free(job.samples);
        return NULL;
    }
    return job.samples;
}
