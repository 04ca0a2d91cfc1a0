#include "train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regression.h"
#include "samples.h"
#include "scores.h"
#include "split.h"
#include "write.h"

#define LAMBDA       1e-5
#define FALSE_ALARMS 0.005 /* share of bare faces, in parts nothing was learnt from, that may count as masked */
#define DECOY_WEIGHT 0.5f  /* they are drawn: nobody knows how real they are */

/* What is left out of a fit; ANY: nothing. */
#define ANY (-1)
struct leave {
    int fold, pattern, shape;
};
static const struct leave nothing = {ANY, ANY, ANY};

struct trainer {
    const struct dataset *data;
    const struct sample *samples;
    size_t count; /* of samples */
    /* Scratch of a fit, `count` each. */
    const float **x;
    bool *y;
    float *part;
    float *positive, *negative; /* margins */
};

static const char *name_of(const struct trainer *t, const struct sample *sample)
{
    return t->data->people[t->data->pictures[sample->picture].person].name;
}

static bool is_masked(const struct sample *sample)
{
    return sample->kind == SAMPLE_MASKED || sample->kind == SAMPLE_MASKED_ONE_VIEW;
}

static bool is_bare(const struct sample *sample)
{
    return sample->kind == SAMPLE_BARE || sample->kind == SAMPLE_BARE_ONE_VIEW;
}

/* A mask below the nose is neither: nothing is learnt from it. */
static bool is_learnt(const struct trainer *t, const struct sample *sample, const struct leave *leave)
{
    if (!sample->found || sample->kind == SAMPLE_BELOW_NOSE || split_held_out(name_of(t, sample)) ||
        (int)split_fold(name_of(t, sample)) == leave->fold) {
        return false;
    }
    return !is_masked(sample) ||
           ((int)sample->style.pattern != leave->pattern && (int)sample->style.shape != leave->shape);
}

static bool fit(struct trainer *t, struct leave leave, struct regression *out)
{
    float sums[2] = {0, 0};
    struct regression_set set = {t->x, t->y, t->part, 0};
    for (size_t i = 0; i < t->count; i++) {
        const struct sample *sample = &t->samples[i];
        if (is_learnt(t, sample, &leave)) {
            bool masked = is_masked(sample);
            t->x[set.count] = sample->embedding;
            t->y[set.count] = masked;
            t->part[set.count] = sample->kind == SAMPLE_DECOY ? DECOY_WEIGHT : 1.0f;
            sums[masked] += t->part[set.count++];
        }
    }
    for (size_t i = 0; i < set.count; i++) {
        t->part[i] /= fmaxf(sums[t->y[i]], 1.0f); /* both classes weigh the same */
    }
    if (!regression_fit(&set, LAMBDA, out)) {
        (void)fputs("aibox-mask: nothing can be learnt from these pictures\n", stderr);
        return false;
    }
    return true;
}

/* --- figures --- */

/* Margins of the held-out people's samples that `wanted` picks, into `out`. */
static size_t margins(const struct trainer *t, const struct regression *model, bool (*wanted)(const struct sample *),
                      const struct leave *only, float *out)
{
    size_t count = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct sample *sample = &t->samples[i];
        if (sample->found && wanted(sample) && split_held_out(name_of(t, sample)) &&
            (only->pattern == ANY || (int)sample->style.pattern == only->pattern) &&
            (only->shape == ANY || (int)sample->style.shape == only->shape)) {
            out[count++] = (float)regression_margin(model, sample->embedding);
        }
    }
    sort_floats(out, count);
    return count;
}

/* Chance that a positive is above a negative; both sorted. */
static double area(const float *positive, size_t n_positive, const float *negative, size_t n_negative)
{
    double below = 0;
    size_t j = 0;
    for (size_t i = 0; i < n_positive; i++) {
        while (j < n_negative && negative[j] < positive[i]) {
            j++;
        }
        below += (double)j;
    }
    return n_positive > 0 && n_negative > 0 ? below / ((double)n_positive * (double)n_negative) : NAN;
}

static double share_above(const float *sorted, size_t count, float limit)
{
    size_t below = 0;
    while (below < count && sorted[below] <= limit) {
        below++;
    }
    return count > 0 ? (double)(count - below) / (double)count : NAN;
}

static bool is_decoy(const struct sample *sample)
{
    return sample->kind == SAMPLE_DECOY;
}

static bool is_below_nose(const struct sample *sample)
{
    return sample->kind == SAMPLE_BELOW_NOSE;
}

static bool is_bare_once(const struct sample *sample)
{
    return sample->kind == SAMPLE_BARE_ONE_VIEW;
}

static bool is_masked_once(const struct sample *sample)
{
    return sample->kind == SAMPLE_MASKED_ONE_VIEW;
}

static void print_held_out(struct trainer *t, const struct regression *model)
{
    size_t bare = margins(t, model, is_bare, &nothing, t->negative);
    size_t masked = margins(t, model, is_masked, &nothing, t->positive);
    (void)printf("held-out people: %zu bare faces, %zu masked\n", bare, masked);
    (void)printf("  AUC masked against bare                 %.4f\n", area(t->positive, masked, t->negative, bare));
    (void)printf("  masked that count as masked             %.2f %%\n", 100 * share_above(t->positive, masked, 0));
    (void)printf("  bare that count as masked               %.2f %%\n", 100 * share_above(t->negative, bare, 0));
    for (int shape = 0; shape < MASK_SHAPES; shape++) {
        masked = margins(t, model, is_masked, &(struct leave){ANY, ANY, shape}, t->positive);
        (void)printf("  %-9s that count as masked          %.2f %%\n", mask_shape_names[shape],
                     100 * share_above(t->positive, masked, 0));
    }
    bare = margins(t, model, is_bare_once, &nothing, t->negative);
    masked = margins(t, model, is_masked_once, &nothing, t->positive);
    (void)printf("  AUC, embeddings of one look             %.4f\n", area(t->positive, masked, t->negative, bare));
    masked = margins(t, model, is_below_nose, &nothing, t->positive);
    (void)printf("  worn below the nose, count as masked    %.2f %%\n", 100 * share_above(t->positive, masked, 0));
    bare = margins(t, model, is_decoy, &nothing, t->negative);
    (void)printf("  hands, beards, shadows, count as masked %.2f %%\n", 100 * share_above(t->negative, bare, 0));
}

/* How well masks are told whose like was never learnt. */
static bool print_unseen(struct trainer *t, const char *what, const char *const *names, int count, bool by_shape)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        struct regression model;
        struct leave leave = {ANY, by_shape ? ANY : i, by_shape ? i : ANY};
        if (!fit(t, leave, &model)) {
            return false;
        }
        size_t bare = margins(t, &model, is_bare, &nothing, t->negative);
        size_t masked = margins(t, &model, is_masked, &leave, t->positive);
        double auc = area(t->positive, masked, t->negative, bare);
        (void)printf("  AUC of %s %-21s %.4f\n", what, names[i], auc);
        sum += auc / count;
    }
    (void)printf("  ... mean                                %.4f\n", sum);
    return true;
}

static void print_found(const struct trainer *t)
{
    size_t found[SAMPLE_KINDS] = {0};
    for (size_t i = 0; i < t->count; i++) {
        found[t->samples[i].kind] += t->samples[i].found;
    }
    (void)printf("pictures %zu, people %zu; faces found: %zu, with a mask %zu\n", t->data->picture_count,
                 t->data->people_count, found[SAMPLE_BARE], found[SAMPLE_MASKED]);
}

static void print_scores(const char *name, const struct scores *scores)
{
    double threshold = scores_threshold(scores, 1e-4);
    (void)printf("%s: different people's mean %.3f; 1e-3, 1e-4, 1e-5 above %.3f, %.3f, %.3f; same person above the "
                 "second %.2f %%\n",
                 name, scores->impostor_sum / (double)scores->impostors, scores_threshold(scores, 1e-3), threshold,
                 scores_threshold(scores, 1e-5), 100 * scores_accepted(scores, threshold));
}

/* --- the limit --- */

/*
 * The margin above which a bare face counts as masked with FALSE_ALARMS, from parts of the people that the fit didn't
 * see. Taken off the bias, so that it lies at a probability of one half: as if masks were rarer than they were here.
 */
static bool find_limit(struct trainer *t, float *limit)
{
    size_t count = 0;
    for (int fold = 0; fold < SPLIT_FOLDS; fold++) {
        struct regression model;
        if (!fit(t, (struct leave){fold, ANY, ANY}, &model)) {
            return false;
        }
        for (size_t i = 0; i < t->count; i++) {
            const struct sample *sample = &t->samples[i];
            if (sample->found && is_bare(sample) && !split_held_out(name_of(t, sample)) &&
                (int)split_fold(name_of(t, sample)) == fold) {
                t->negative[count++] = (float)regression_margin(&model, sample->embedding);
            }
        }
    }
    sort_floats(t->negative, count);
    *limit = (float)quantile(t->negative, count, 1.0 - FALSE_ALARMS);
    return count > 0;
}

static bool learn(struct trainer *t, struct regression *model)
{
    float limit = 0;
    if (!find_limit(t, &limit) || !fit(t, nothing, model)) {
        return false;
    }
    model->bias -= limit;
    print_found(t);
    print_held_out(t, model);
    return print_unseen(t, "unseen", mask_pattern_names, MASK_PATTERNS, false) &&
           print_unseen(t, "unseen", mask_shape_names, MASK_SHAPES, true);
}

static bool measure_scores(const struct trainer *t, struct scores *masked)
{
    struct scores *other = malloc(sizeof *other);
    if (!other) {
        return false;
    }
    scores_count(t->data, t->samples, SAMPLE_BARE, SAMPLE_BARE, other);
    print_scores("bare against bare", other);
    scores_count(t->data, t->samples, SAMPLE_MASKED, SAMPLE_MASKED, other);
    print_scores("masked against masked", other);
    scores_count(t->data, t->samples, SAMPLE_MASKED, SAMPLE_BARE, masked);
    print_scores("masked against bare", masked);
    free(other);
    return true;
}

bool train_mask(const struct dataset *data, const struct vision *vision, size_t threads, uint64_t seed,
                const char *path)
{
    struct trainer t = {.data = data, .count = data->picture_count * SAMPLE_KINDS};
    struct regression model;
    struct scores *scores = malloc(sizeof *scores);
    struct sample *samples = samples_make(data, vision, threads, seed);
    t.samples = samples;
    t.x = calloc(t.count + 1, sizeof *t.x);
    t.y = calloc(t.count + 1, sizeof *t.y);
    t.part = calloc(t.count + 1, sizeof *t.part);
    t.positive = calloc(t.count + 1, sizeof *t.positive);
    t.negative = calloc(t.count + 1, sizeof *t.negative);
    bool ok = scores && samples && t.x && t.y && t.part && t.positive && t.negative && learn(&t, &model) &&
              measure_scores(&t, scores) &&
              write_mask_model(path, vision_model_set(vision), data, seed, &model, scores);
    free(t.x);
    free(t.y);
    free(t.part);
    free(t.positive);
    free(t.negative);
    free(samples);
    free(scores);
    return ok;
}
