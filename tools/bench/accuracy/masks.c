/*
 * Probes with a mask: on every picture one is drawn (tools/aibox-mask; other ones than those that were learnt from),
 * and it is looked at anew. They are searched among bare faces with the threshold that the box takes for masked ones.
 * How well masks are told is measured on people from whose pictures nothing was learnt.
 */
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"
#include "flow/autothreshold.h"
#include "mask_draw.h"
#include "split.h"

#define SEED   UINT64_C(20011)
#define PEOPLE 100 /* in the galleries that strangers with masks come to */
#define DRAWS  20
#define TARGET 0.01

struct job {
    const struct dataset *data;
    const struct vision *vision;
    float *masked; /* picture_count × VISION_DIMENSION, of length 1, or 0 without a face */
};

static bool embed_masked(void *ctx, struct vision_worker *worker, size_t index)
{
    const struct job *job = ctx;
    const struct picture *picture = &job->data->pictures[index];
    uint64_t random = SEED + index;
    struct mask_style style = mask_style_random(&random);
    struct vision_face face = picture->face;
    struct aibox_error err = {0};
    struct image image = {0};
    float *embedding = job->masked + index * VISION_DIMENSION;
    struct vision_strength strength = {0};
    enum aibox_status status = AIBOX_OK;
    if (!picture->found) {
        return true;
    }
    if (!read_picture(picture->path, &image)) {
        return false;
    }
    if (mask_draw(&image, &face, &style) && find_central(worker, &image, &face, &err, &status) &&
        vision_embed(worker, &image, &face, job->data->views, embedding, &strength, &err) == AIBOX_OK) {
        for (size_t i = 0; i < VISION_DIMENSION; i++) {
            embedding[i] /= strength.norm;
        }
    } else {
        memset(embedding, 0, VISION_DIMENSION * sizeof *embedding);
    }
    image_free(&image);
    return true;
}

static bool has_face(const float *embedding)
{
    return dot(embedding, embedding) > 0.5f;
}

/* --- telling masks --- */

struct told {
    size_t faces, found, called[2]; /* bare, masked */
    float *probability[2];
    size_t count[2];
};

static double area(struct told *told)
{
    double below = 0;
    size_t j = 0;
    sort_floats(told->probability[0], told->count[0]);
    sort_floats(told->probability[1], told->count[1]);
    for (size_t i = 0; i < told->count[1]; i++) {
        while (j < told->count[0] && told->probability[0][j] < told->probability[1][i]) {
            j++;
        }
        below += (double)j;
    }
    return below / ((double)told->count[0] * (double)told->count[1]);
}

static bool tell(const struct job *job, json_t *out)
{
    const struct dataset *data = job->data;
    struct told told = {
        .probability = {calloc(data->picture_count, sizeof(float)), calloc(data->picture_count, sizeof(float))}};
    bool ok = told.probability[0] && told.probability[1];
    for (size_t i = 0; ok && i < data->picture_count; i++) {
        const float *both[2] = {data->embeddings + i * VISION_DIMENSION, job->masked + i * VISION_DIMENSION};
        told.faces += data->pictures[i].found;
        told.found += has_face(both[1]);
        for (size_t k = 0; k < 2; k++) {
            if (has_face(both[k]) && split_held_out(data->people[data->pictures[i].person].name)) {
                float probability = vision_mask(job->vision, both[k]);
                told.probability[k][told.count[k]++] = probability;
                told.called[k] += probability > VISION_MASKED;
            }
        }
    }
    ok = ok && told.count[0] > 0 && told.count[1] > 0 &&
         json_object_update_new(out, json_pack("{s:f, s:f, s:f, s:f}", "found", (double)told.found / (double)told.faces,
                                               "auc", area(&told), "masked_told",
                                               (double)told.called[1] / (double)told.count[1], "bare_called_masked",
                                               (double)told.called[0] / (double)told.count[0])) == 0;
    free(told.probability[0]);
    free(told.probability[1]);
    return ok;
}

/* --- recognising --- */

struct rates {
    double threshold, accepted, taken;
};

static float best_score(const struct dataset *data, const size_t *gallery, const float *probe)
{
    float best = -2.0f;
    for (size_t i = 0; i < PEOPLE; i++) {
        float score = dot(probe, data->embeddings + gallery[i] * VISION_DIMENSION);
        best = score > best ? score : best;
    }
    return best;
}

/* One draw: the first PEOPLE of the list are enrolled bare, the others come with masks. */
static void strangers(const struct job *job, size_t *list, size_t count, uint64_t *random, struct rates *sum)
{
    size_t taken = 0;
    size_t came = 0;
    for (size_t i = 0; i < PEOPLE; i++) {
        size_t other = i + random_next(random) % (count - i);
        size_t picture = list[i];
        list[i] = list[other];
        list[other] = picture;
    }
    for (size_t i = PEOPLE; i < count; i++) {
        const float *probe = job->masked + list[i] * VISION_DIMENSION;
        came += has_face(probe);
        taken += has_face(probe) && (double)best_score(job->data, list, probe) >= sum->threshold;
    }
    sum->taken += (double)taken / (double)came / DRAWS;
}

/* The same person's other pictures, with a mask, against each bare one. */
static double accepted(const struct job *job, double threshold)
{
    const struct dataset *data = job->data;
    size_t pairs = 0;
    size_t above = 0;
    for (size_t i = 0; i < data->picture_count; i++) {
        const struct person *person = &data->people[data->pictures[i].person];
        for (size_t j = person->first; j < person->first + person->count; j++) {
            if (i != j && usable(data, i) && usable(data, j)) {
                const float *masked = job->masked + i * VISION_DIMENSION;
                pairs++;
                above += (double)dot(masked, data->embeddings + j * VISION_DIMENSION) >= threshold;
            }
        }
    }
    return (double)above / (double)pairs;
}

static bool recognise(const struct job *job, json_t *out)
{
    const struct dataset *data = job->data;
    struct identification found;
    struct rates rates = {0};
    size_t *list = calloc(data->people_count, sizeof *list);
    size_t count = 0;
    uint64_t random = 3;
    float bare = vision_threshold_for_fmr(job->vision, autothreshold_fmr(TARGET, PEOPLE));
    rates.threshold = (double)vision_masked_threshold(job->vision, bare);
    for (size_t p = 0; list && p < data->people_count; p++) {
        if (usable(data, data->people[p].first)) {
            list[count++] = data->people[p].first;
        }
    }
    bool ok = count > 2 * PEOPLE && identify_small(data, job->masked, &found);
    for (size_t d = 0; ok && d < DRAWS; d++) {
        strangers(job, list, count, &random, &rates);
    }
    free(list);
    return ok && json_object_update_new(out, json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "verification",
                                                       pairs_accuracy(data, data->embeddings, job->masked), "rank1",
                                                       found.rank1, "fnir_at_fpir_1e-2", found.fnir[0],
                                                       "threshold_100_people", rates.threshold, "same_person_accepted",
                                                       accepted(job, rates.threshold), "strangers_target", TARGET,
                                                       "strangers_taken", rates.taken)) == 0;
}

json_t *measure_masks(const struct dataset *data, const struct vision *vision, size_t threads)
{
    struct job job = {
        .data = data, .vision = vision, .masked = calloc(data->picture_count * VISION_DIMENSION, sizeof *job.masked)};
    json_t *out = json_object();
    bool ok = job.masked && out && each_picture(vision, data->picture_count, threads, embed_masked, &job) &&
              tell(&job, out) && recognise(&job, out);
    free(job.masked);
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}
