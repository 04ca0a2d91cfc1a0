/*
 * Who is it: one picture or several of each person who has others besides are the gallery, the others are the probes,
 * and people with a single picture are the strangers. The gallery's pictures are drawn eight times.
 *
 * "gated": the 5 % of the pictures whose embeddings deserve the least trust count for nothing, as on a box that asks
 * for another photo at enrolment and sends probes away: they are in no gallery, their probes are not counted, and
 * strangers like that are taken for nobody. "gated_probes": the galleries are made without asking.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"

#define DRAWS      8
#define GATE       0.05
#define MOST_DRAWN 5 /* photos of one person in the gallery */

struct best {
    float score;
    bool right;
};

/* What is measured. */
struct setup {
    const float *probes; /* embeddings of the probes; the gallery's are the data set's own */
    size_t photos;       /* in a person's template, 1 to MOST_DRAWN: of those who have enough, else 1 */
    size_t kept;         /* pictures of a person that are no probes, at least `photos` */
    float gate;          /* least trust in a probe's embedding; 0: none */
    float enrol_gate;    /* the same of pictures in the gallery */
};

struct draw {
    const struct setup *setup;
    size_t *people;   /* of each template */
    float *templates; /* × VISION_DIMENSION */
    size_t gallery_count;
    size_t *probe_pictures;
    struct best *probes;
    size_t probe_count;
    float *strangers; /* best score of each; -2 for those who are sent away */
    size_t stranger_count;
};

static const double fpirs[2] = {1e-2, 1e-3};

static struct best search(const struct dataset *data, const struct draw *draw, size_t probe)
{
    struct best best = {-2.0f, false};
    for (size_t i = 0; i < draw->gallery_count; i++) {
        float score = dot(draw->setup->probes + probe * VISION_DIMENSION, draw->templates + i * VISION_DIMENSION);
        if (score > best.score) {
            best = (struct best){score, draw->people[i] == data->pictures[probe].person};
        }
    }
    return best;
}

static bool passes(const struct dataset *data, float gate, size_t picture)
{
    return usable(data, picture) && data->pictures[picture].trust >= gate;
}

/* A person's pictures that count, into `list`. */
static size_t list_pictures(const struct dataset *data, const struct setup *setup, const struct person *person,
                            size_t *list)
{
    size_t count = 0;
    for (size_t i = person->first; i < person->first + person->count; i++) {
        if (passes(data, setup->enrol_gate, i)) {
            list[count++] = i;
        }
    }
    return count;
}

/* Draws the first `n` of the list from all of it. */
static void shuffle(size_t *list, size_t count, size_t n, uint64_t *random)
{
    for (size_t i = 0; i < n && i + 1 < count; i++) {
        size_t other = i + random_next(random) % (count - i);
        size_t picture = list[i];
        list[i] = list[other];
        list[other] = picture;
    }
}

static void enrol(const struct dataset *data, struct draw *draw, size_t person, const size_t *list, size_t photos)
{
    float *out = draw->templates + draw->gallery_count * VISION_DIMENSION;
    double square = 0;
    memset(out, 0, VISION_DIMENSION * sizeof *out);
    for (size_t p = 0; p < photos; p++) {
        for (size_t i = 0; i < VISION_DIMENSION; i++) {
            out[i] += data->embeddings[list[p] * VISION_DIMENSION + i];
        }
    }
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        square += (double)out[i] * (double)out[i];
    }
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        out[i] = (float)(out[i] / sqrt(square));
    }
    draw->people[draw->gallery_count++] = person;
}

/* First the gallery, then everybody else is searched in it. */
static void run_draw(const struct dataset *data, struct draw *draw, size_t *list, uint64_t *random)
{
    const struct setup *setup = draw->setup;
    draw->gallery_count = draw->probe_count = draw->stranger_count = 0;
    for (size_t p = 0; p < data->people_count; p++) {
        size_t count = list_pictures(data, setup, &data->people[p], list);
        if (count < 2) {
            continue;
        }
        shuffle(list, count, setup->kept, random);
        enrol(data, draw, p, list, count > setup->kept ? setup->photos : 1);
        for (size_t i = setup->kept; i < count; i++) {
            if (passes(data, setup->gate, list[i])) {
                draw->probe_pictures[draw->probe_count++] = list[i];
            }
        }
    }
    for (size_t p = 0; p < data->people_count; p++) {
        const struct person *person = &data->people[p];
        if (person->count == 1 && usable(data, person->first)) {
            draw->strangers[draw->stranger_count++] =
                passes(data, setup->gate, person->first) ? search(data, draw, person->first).score : -2.0f;
        }
    }
    for (size_t i = 0; i < draw->probe_count; i++) {
        draw->probes[i] = search(data, draw, draw->probe_pictures[i]);
    }
    sort_floats(draw->strangers, draw->stranger_count);
}

static void count_rates(const struct draw *draw, struct identification *sum)
{
    size_t right = 0;
    for (size_t i = 0; i < draw->probe_count; i++) {
        right += draw->probes[i].right;
    }
    sum->rank1 += (double)right / (double)draw->probe_count / DRAWS;
    for (size_t f = 0; f < 2; f++) {
        float threshold = (float)quantile(draw->strangers, draw->stranger_count, 1.0 - fpirs[f]);
        size_t accepted = 0;
        for (size_t i = 0; i < draw->probe_count; i++) {
            accepted += draw->probes[i].right && draw->probes[i].score > threshold;
        }
        sum->threshold[f] += (double)threshold / DRAWS;
        sum->fnir[f] += (1.0 - (double)accepted / (double)draw->probe_count) / DRAWS;
    }
}

static bool identify(const struct dataset *data, const struct setup *setup, struct identification *out)
{
    size_t n = data->picture_count;
    struct draw draw = {.setup = setup,
                        .people = calloc(data->people_count, sizeof(size_t)),
                        .templates = calloc(data->people_count * VISION_DIMENSION, sizeof(float)),
                        .probe_pictures = calloc(n, sizeof(size_t)),
                        .probes = calloc(n, sizeof(struct best)),
                        .strangers = calloc(n, sizeof(float))};
    size_t *list = calloc(n, sizeof *list);
    bool ok = draw.people && draw.templates && draw.probe_pictures && draw.probes && draw.strangers && list;
    uint64_t random = 1;
    *out = (struct identification){0};
    for (int d = 0; d < DRAWS && ok; d++) {
        run_draw(data, &draw, list, &random);
        count_rates(&draw, out);
    }
    out->gallery = draw.gallery_count;
    out->probes = draw.probe_count;
    out->strangers = draw.stranger_count;
    free(draw.people);
    free(draw.templates);
    free(draw.probe_pictures);
    free(draw.probes);
    free(draw.strangers);
    free(list);
    return ok;
}

bool identify_small(const struct dataset *data, const float *probes, struct identification *out)
{
    const struct setup setup = {.probes = probes, .photos = 1, .kept = 1};
    return identify(data, &setup, out);
}

static double gate_of(const struct dataset *data, float *trusts)
{
    size_t count = 0;
    for (size_t i = 0; i < data->picture_count; i++) {
        if (usable(data, i)) {
            trusts[count++] = data->pictures[i].trust;
        }
    }
    sort_floats(trusts, count);
    return quantile(trusts, count, GATE);
}

static json_t *rates_json(const struct identification *rates)
{
    return json_pack("{s:I, s:I, s:I, s:i, s:f, s:f, s:f, s:f, s:f}", "gallery", (json_int_t)rates->gallery, "probes",
                     (json_int_t)rates->probes, "strangers", (json_int_t)rates->strangers, "draws", DRAWS, "rank1",
                     rates->rank1, "fnir_at_fpir_1e-2", rates->fnir[0], "threshold", rates->threshold[0],
                     "fnir_at_fpir_1e-3", rates->fnir[1], "threshold_1e-3", rates->threshold[1]);
}

json_t *measure_identification(const struct dataset *data)
{
    float *trusts = calloc(data->picture_count, sizeof *trusts);
    double gate = trusts ? gate_of(data, trusts) : 0;
    const struct {
        const char *name;
        struct setup setup;
    } parts[] = {
        {"one_photo", {data->embeddings, 1, 1, 0, 0}},
        {"gated", {data->embeddings, 1, 1, (float)gate, (float)gate}},
        {"gated_probes", {data->embeddings, 1, 1, (float)gate, 0}},
        /* The same probes for these three: pictures of people who have more than five. */
        {"many_pictures_1_photo", {data->embeddings, 1, MOST_DRAWN, 0, 0}},
        {"many_pictures_3_photos", {data->embeddings, 3, MOST_DRAWN, 0, 0}},
        {"many_pictures_5_photos", {data->embeddings, 5, MOST_DRAWN, 0, 0}},
    };
    json_t *out = json_pack("{s:f}", "gate", gate);
    bool ok = trusts && out;
    free(trusts);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && ok; i++) {
        struct identification rates;
        ok =
            identify(data, &parts[i].setup, &rates) && json_object_set_new(out, parts[i].name, rates_json(&rates)) == 0;
    }
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}
