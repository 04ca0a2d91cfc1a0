/*
 * Who is it: one picture of each person who has several is the gallery, their other pictures are the probes, and people
 * with a single picture are the strangers. The gallery's pictures are drawn eight times.
 */
#include <math.h>
#include <stdlib.h>

#include "accuracy.h"

#define DRAWS 8
#define FPIR  0.01

struct best {
    float score;
    bool right;
};

struct draw {
    size_t *gallery; /* picture of each enrolled person */
    size_t gallery_count;
    struct best *probes;
    size_t probe_count;
    float *strangers; /* best score of each */
    size_t stranger_count;
};

static struct best search(const struct dataset *data, const struct draw *draw, size_t probe)
{
    struct best best = {-2.0f, false};
    for (size_t i = 0; i < draw->gallery_count; i++) {
        float score =
            dot(data->embeddings + probe * VISION_DIMENSION, data->embeddings + draw->gallery[i] * VISION_DIMENSION);
        if (score > best.score) {
            best.score = score;
            best.right = data->pictures[draw->gallery[i]].person == data->pictures[probe].person;
        }
    }
    return best;
}

/* Embedded pictures of one person, into `list`. */
static size_t usable_pictures(const struct dataset *data, const struct person *person, size_t *list)
{
    size_t count = 0;
    for (size_t i = person->first; i < person->first + person->count; i++) {
        if (usable(data, i)) {
            list[count++] = i;
        }
    }
    return count;
}

static void run_draw(const struct dataset *data, struct draw *draw, size_t *list, uint64_t *random)
{
    draw->gallery_count = 0;
    draw->probe_count = 0;
    draw->stranger_count = 0;
    /* First the gallery, in an array of people's chosen pictures; then everybody else is searched in it. */
    for (size_t p = 0; p < data->people_count; p++) {
        size_t count = usable_pictures(data, &data->people[p], list);
        if (count >= 2) {
            draw->gallery[draw->gallery_count++] = list[random_next(random) % count];
        }
    }
    size_t enrolled = 0;
    for (size_t p = 0; p < data->people_count; p++) {
        size_t count = usable_pictures(data, &data->people[p], list);
        if (count == 1) {
            draw->strangers[draw->stranger_count++] = search(data, draw, list[0]).score;
        }
        if (count < 2) {
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            if (list[i] != draw->gallery[enrolled]) {
                draw->probes[draw->probe_count++] = search(data, draw, list[i]);
            }
        }
        enrolled++;
    }
    sort_floats(draw->strangers, draw->stranger_count);
}

json_t *measure_identification(const struct dataset *data)
{
    size_t n = data->picture_count;
    struct draw draw = {.gallery = calloc(n, sizeof(size_t)),
                        .probes = calloc(n, sizeof(struct best)),
                        .strangers = calloc(n, sizeof(float))};
    size_t *list = calloc(n, sizeof *list);
    json_t *out = NULL;
    double rank1 = 0;
    double fnir = 0;
    double thresholds = 0;
    uint64_t random = 1;
    if (!draw.gallery || !draw.probes || !draw.strangers || !list) {
        goto out;
    }
    for (int d = 0; d < DRAWS; d++) {
        run_draw(data, &draw, list, &random);
        float threshold = (float)quantile(draw.strangers, draw.stranger_count, 1.0 - FPIR);
        size_t right = 0;
        size_t accepted = 0;
        for (size_t i = 0; i < draw.probe_count; i++) {
            right += draw.probes[i].right;
            accepted += draw.probes[i].right && draw.probes[i].score > threshold;
        }
        rank1 += (double)right / (double)draw.probe_count / DRAWS;
        fnir += (1.0 - (double)accepted / (double)draw.probe_count) / DRAWS;
        thresholds += (double)threshold / DRAWS;
    }
    out = json_pack("{s:I, s:I, s:I, s:i, s:f, s:f, s:f}", "gallery", (json_int_t)draw.gallery_count, "probes",
                    (json_int_t)draw.probe_count, "strangers", (json_int_t)draw.stranger_count, "draws", DRAWS, "rank1",
                    rank1, "fnir_at_fpir_1e-2", fnir, "threshold", thresholds);

out:
    free(draw.gallery);
    free(draw.probes);
    free(draw.strangers);
    free(list);
    return out;
}
