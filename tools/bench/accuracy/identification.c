/*
 * Who is it: one picture of each person who has several is the gallery, their other pictures are the probes, and people
 * with a single picture are the strangers. The gallery's pictures are drawn eight times. "gated": who
 * has one of the 5 % shortest embeddings is sent away: probes don't count, strangers are not taken for anybody.
 */
#include <math.h>
#include <stdlib.h>

#include "accuracy.h"

#define DRAWS 8
#define GATE  0.05

struct best {
    float score;
    bool right;
    bool kept; /* by the gate */
};

struct draw {
    size_t *gallery; /* picture of each enrolled person */
    size_t gallery_count;
    struct best *probes;
    size_t probe_count;
    float *strangers; /* best score of each */
    float *gated;     /* the same, -2 when the gate sends them away */
    size_t stranger_count;
    float gate;
};

/* Sums over the draws. */
struct rates {
    double rank1, fnir[2], gated[2], threshold[2];
};

static const double fpirs[2] = {1e-2, 1e-3};

static struct best search(const struct dataset *data, const struct draw *draw, size_t probe)
{
    struct best best = {-2.0f, false, data->pictures[probe].norm >= draw->gate};
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
            struct best best = search(data, draw, list[0]);
            draw->gated[draw->stranger_count] = best.kept ? best.score : -2.0f;
            draw->strangers[draw->stranger_count++] = best.score;
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
    sort_floats(draw->gated, draw->stranger_count);
}

static void count_rates(const struct draw *draw, struct rates *sum)
{
    size_t right = 0;
    size_t kept = 0;
    for (size_t i = 0; i < draw->probe_count; i++) {
        right += draw->probes[i].right;
        kept += draw->probes[i].kept;
    }
    sum->rank1 += (double)right / (double)draw->probe_count;
    for (size_t f = 0; f < 2; f++) {
        float threshold = (float)quantile(draw->strangers, draw->stranger_count, 1.0 - fpirs[f]);
        float gated = (float)quantile(draw->gated, draw->stranger_count, 1.0 - fpirs[f]);
        size_t accepted = 0;
        size_t accepted_kept = 0;
        for (size_t i = 0; i < draw->probe_count; i++) {
            accepted += draw->probes[i].right && draw->probes[i].score > threshold;
            accepted_kept += draw->probes[i].right && draw->probes[i].kept && draw->probes[i].score > gated;
        }
        sum->threshold[f] += (double)threshold;
        sum->fnir[f] += 1.0 - (double)accepted / (double)draw->probe_count;
        sum->gated[f] += 1.0 - (double)accepted_kept / (double)kept;
    }
}

static double gate_of(const struct dataset *data, float *norms)
{
    size_t count = 0;
    for (size_t i = 0; i < data->picture_count; i++) {
        if (usable(data, i)) {
            norms[count++] = data->pictures[i].norm;
        }
    }
    sort_floats(norms, count);
    return quantile(norms, count, GATE);
}

json_t *measure_identification(const struct dataset *data)
{
    size_t n = data->picture_count;
    struct draw draw = {.gallery = calloc(n, sizeof(size_t)),
                        .probes = calloc(n, sizeof(struct best)),
                        .strangers = calloc(n, sizeof(float)),
                        .gated = calloc(n, sizeof(float))};
    size_t *list = calloc(n, sizeof *list);
    json_t *out = NULL;
    struct rates sum = {0};
    uint64_t random = 1;
    if (!draw.gallery || !draw.probes || !draw.strangers || !draw.gated || !list) {
        goto out;
    }
    draw.gate = (float)gate_of(data, draw.strangers);
    for (int d = 0; d < DRAWS; d++) {
        run_draw(data, &draw, list, &random);
        count_rates(&draw, &sum);
    }
    out = json_pack("{s:I, s:I, s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "gallery",
                    (json_int_t)draw.gallery_count, "probes", (json_int_t)draw.probe_count, "strangers",
                    (json_int_t)draw.stranger_count, "draws", DRAWS, "rank1", sum.rank1 / DRAWS, "fnir_at_fpir_1e-2",
                    sum.fnir[0] / DRAWS, "threshold", sum.threshold[0] / DRAWS, "fnir_at_fpir_1e-3",
                    sum.fnir[1] / DRAWS, "threshold_1e-3", sum.threshold[1] / DRAWS, "gate", (double)draw.gate,
                    "gated_fnir_at_fpir_1e-2", sum.gated[0] / DRAWS, "gated_fnir_at_fpir_1e-3", sum.gated[1] / DRAWS);

out:
    free(draw.gallery);
    free(draw.probes);
    free(draw.strangers);
    free(draw.gated);
    free(list);
    return out;
}
