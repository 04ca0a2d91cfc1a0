/*
 * Does the automatic threshold keep its promise? Galleries of one picture each get the threshold that the box would
 * give them for one stranger in a hundred taken for somebody; then strangers come, and those taken are counted. 100 and
 * 700 people of the labelled pictures, 50,000 made ones whose scores are distributed as real ones are.
 */
#include <math.h>
#include <stdlib.h>

#include "accuracy.h"
#include "flow/autothreshold.h"
#include "gallery/gallery.h"
#include "synthetic.h"

#define TARGET       0.01
#define DRAWS        20
#define MADE         50000
#define MADE_VISITS  4000
#define STRANGER_SEQ UINT64_C(1000000)

struct outcome {
    double threshold, taken, promised; /* shares of strangers */
    double spread;                     /* factor within which the promise is said to hold */
    bool own;
};

/* The threshold of a gallery as flow_threshold_get() finds it, but for the limit from above. */
static bool find_threshold(const struct gallery *gallery, const struct vision *vision, struct outcome *out)
{
    uint64_t *bins = calloc(AUTOTHRESHOLD_BINS, sizeof *bins);
    size_t people = gallery_count(gallery);
    size_t counted = people < AUTOTHRESHOLD_LEAST_PEOPLE ? AUTOTHRESHOLD_LEAST_PEOPLE : people;
    double fmr = autothreshold_fmr(TARGET, counted);
    if (!bins) {
        return false;
    }
    uint64_t pairs = people >= AUTOTHRESHOLD_MIN_PEOPLE
                         ? gallery_impostor_histogram(gallery, AUTOTHRESHOLD_SAMPLE, bins, AUTOTHRESHOLD_BINS, NULL)
                         : 0;
    float threshold = pairs >= AUTOTHRESHOLD_MIN_PAIRS ? autothreshold_quantile(bins, pairs, fmr) : NAN;
    out->own = !isnan(threshold);
    out->spread = out->own ? autothreshold_spread(bins, pairs, threshold) : AUTOTHRESHOLD_TABLE_SPREAD;
    if (!out->own) {
        threshold = vision_threshold_for_fmr(vision, fmr);
    }
    out->threshold += (double)threshold;
    out->promised += autothreshold_fpir(autothreshold_fmr(TARGET, counted), people);
    free(bins);
    return true;
}

static bool put(struct gallery *gallery, int64_t id, const float *embedding)
{
    struct gallery_person person = {.person_id = id, .faces = embedding, .n_faces = 1};
    return gallery_put(gallery, &person, NULL) == AIBOX_OK;
}

static bool is_taken(const struct gallery *gallery, const float *embedding, double threshold)
{
    struct gallery_result result;
    return gallery_search(gallery, embedding, NULL, 1, &result, NULL) == AIBOX_OK && result.count == 1 &&
           (double)result.best[0].score >= threshold;
}

/* The first usable picture of each person, in an order of chance. */
static size_t one_each(const struct dataset *data, size_t *list, uint64_t *random)
{
    size_t count = 0;
    for (size_t p = 0; p < data->people_count; p++) {
        if (usable(data, data->people[p].first)) {
            list[count++] = data->people[p].first;
        }
    }
    for (size_t i = count; i > 1; i--) {
        size_t other = random_next(random) % i;
        size_t picture = list[i - 1];
        list[i - 1] = list[other];
        list[other] = picture;
    }
    return count;
}

static bool real_draw(const struct dataset *data, const struct vision *vision, size_t people, const size_t *list,
                      size_t count, struct outcome *sum)
{
    struct gallery *gallery = NULL;
    struct outcome one = {0};
    size_t taken = 0;
    bool ok = count > people && gallery_open(people, &gallery, NULL) == AIBOX_OK;
    for (size_t i = 0; i < people && ok; i++) {
        ok = put(gallery, (int64_t)i + 1, data->embeddings + list[i] * VISION_DIMENSION);
    }
    ok = ok && find_threshold(gallery, vision, &one);
    for (size_t i = people; i < count && ok; i++) {
        taken += is_taken(gallery, data->embeddings + list[i] * VISION_DIMENSION, one.threshold);
    }
    gallery_close(gallery);
    sum->threshold += one.threshold / DRAWS;
    sum->promised += one.promised / DRAWS;
    sum->taken += ok ? (double)taken / (double)(count - people) / DRAWS : 0;
    sum->spread = one.spread;
    sum->own = one.own;
    return ok;
}

static bool measure_real(const struct dataset *data, const struct vision *vision, size_t people, struct outcome *out)
{
    size_t *list = calloc(data->people_count, sizeof *list);
    uint64_t random = 7;
    bool ok = list != NULL;
    *out = (struct outcome){0};
    for (int d = 0; d < DRAWS && ok; d++) {
        size_t count = one_each(data, list, &random);
        ok = real_draw(data, vision, people, list, count, out);
    }
    free(list);
    return ok;
}

static bool measure_made(const struct vision *vision, struct outcome *out)
{
    struct synthetic *model = calloc(1, sizeof *model);
    struct gallery *gallery = NULL;
    float face[VISION_DIMENSION];
    size_t taken = 0;
    bool ok = model && gallery_open(MADE, &gallery, NULL) == AIBOX_OK;
    *out = (struct outcome){0};
    if (ok) {
        synthetic_init(model, 1);
    }
    for (uint64_t i = 0; i < MADE && ok; i++) {
        synthetic_face(model, i, 0, face);
        ok = put(gallery, (int64_t)i + 1, face);
    }
    ok = ok && find_threshold(gallery, vision, out);
    for (uint64_t i = 0; i < MADE_VISITS && ok; i++) {
        synthetic_face(model, STRANGER_SEQ + i, 0, face);
        taken += is_taken(gallery, face, out->threshold);
    }
    out->taken = (double)taken / MADE_VISITS;
    gallery_close(gallery);
    free(model);
    return ok;
}

static bool add(json_t *report, const char *name, const struct outcome *outcome)
{
    return json_object_set_new(report, name,
                               json_pack("{s:s, s:f, s:f, s:f, s:f}", "by", outcome->own ? "own scores" : "table",
                                         "threshold", outcome->threshold, "promised", outcome->promised, "taken",
                                         outcome->taken, "spread", outcome->spread)) == 0;
}

json_t *measure_galleries(const struct dataset *data, const struct vision *vision)
{
    json_t *out = json_object();
    struct outcome outcome;
    bool ok = out && measure_real(data, vision, 100, &outcome) && add(out, "100", &outcome) &&
              measure_real(data, vision, 700, &outcome) && add(out, "700", &outcome) &&
              measure_made(vision, &outcome) && add(out, "50000_made", &outcome);
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}
