/* Same person or not: LFW's protocol over pairs.txt, and all pairs of all pictures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "accuracy.h"

#define TAIL_FROM 1.001e-4 /* rates up to this one give the tail its slope */

struct scored {
    float score;
    size_t fold;
    bool same;
};

static int compare_scored(const void *left, const void *right)
{
    float a = ((const struct scored *)left)->score;
    float b = ((const struct scored *)right)->score;
    return a < b ? -1 : a > b ? 1 : 0;
}

/*
 * Share of `fold`'s pairs judged right with the threshold that is best on the other folds (the middle of the scores
 * on both sides of the best cut). `pairs` is sorted by score.
 */
static double fold_accuracy(const struct scored *pairs, size_t count, size_t fold, float *threshold)
{
    /* Below the cut everything counts as different: each different pair passed adds a right one, each same pair takes.
     */
    long right = 0;
    for (size_t i = 0; i < count; i++) {
        right += pairs[i].fold != fold && pairs[i].same;
    }
    long best = right;
    *threshold = -1.0f;
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].fold == fold) {
            continue;
        }
        right += pairs[i].same ? -1 : 1;
        if (right > best) {
            best = right;
            *threshold = i + 1 < count ? 0.5f * (pairs[i].score + pairs[i + 1].score) : pairs[i].score + 1e-6f;
        }
    }
    size_t hits = 0;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].fold == fold) {
            total++;
            hits += (pairs[i].score > *threshold) == pairs[i].same;
        }
    }
    return total > 0 ? (double)hits / (double)total : NAN;
}

struct folds {
    double mean, std, threshold;
};

static bool measure_folds(const struct dataset *data, const float *first, const float *second, struct folds *out)
{
    struct scored *pairs = calloc(data->pair_count, sizeof *pairs);
    if (!pairs) {
        return false;
    }
    for (size_t i = 0; i < data->pair_count; i++) {
        const struct pair *pair = &data->pairs[i];
        float score = dot(first + pair->a * VISION_DIMENSION, second + pair->b * VISION_DIMENSION);
        pairs[i] = (struct scored){score, pair->fold, pair->same};
    }
    qsort(pairs, data->pair_count, sizeof *pairs, compare_scored);
    double sum = 0;
    double squares = 0;
    double thresholds = 0;
    for (size_t fold = 0; fold < data->folds; fold++) {
        float threshold = 0.0f;
        double accuracy = fold_accuracy(pairs, data->pair_count, fold, &threshold);
        sum += accuracy;
        squares += accuracy * accuracy;
        thresholds += (double)threshold;
    }
    free(pairs);
    double n = (double)data->folds;
    double mean = sum / n;
    *out = (struct folds){mean, sqrt(fmax((squares - n * mean * mean) / (n - 1.0), 0.0)), thresholds / n};
    return true;
}

double pairs_accuracy(const struct dataset *data, const float *first, const float *second)
{
    struct folds folds;
    return measure_folds(data, first, second, &folds) ? folds.mean : NAN;
}

static json_t *folds_json(const struct dataset *data)
{
    struct folds folds;
    if (!measure_folds(data, data->embeddings, data->embeddings, &folds)) {
        return NULL;
    }
    return json_pack("{s:f, s:f, s:f, s:I, s:I}", "accuracy", folds.mean, "std", folds.std, "threshold",
                     folds.threshold, "folds", (json_int_t)data->folds, "pairs", (json_int_t)data->pair_count);
}

bool all_pairs_make(const struct dataset *data, struct all_pairs *out)
{
    size_t n = data->picture_count;
    size_t genuine = 0;
    for (size_t i = 0; i < data->people_count; i++) {
        genuine += data->people[i].count * (data->people[i].count - 1) / 2;
    }
    *out = (struct all_pairs){.genuine = calloc(genuine + 1, sizeof(float)),
                              .impostor = calloc(n * (n - 1) / 2 + 1, sizeof(float))};
    if (!out->genuine || !out->impostor) {
        return false;
    }
    /* Blocks of 64 pictures against 64: both fit the second-level cache. */
    const size_t block = 64;
    for (size_t bi = 0; bi < n; bi += block) {
        for (size_t bj = bi; bj < n; bj += block) {
            for (size_t i = bi; i < n && i < bi + block; i++) {
                for (size_t j = bj > i + 1 ? bj : i + 1; j < n && j < bj + block; j++) {
                    if (!usable(data, i) || !usable(data, j)) {
                        continue;
                    }
                    float score = dot(data->embeddings + i * VISION_DIMENSION, data->embeddings + j * VISION_DIMENSION);
                    if (data->pictures[i].person == data->pictures[j].person) {
                        out->genuine[out->genuine_count++] = score;
                    } else {
                        out->impostor[out->impostor_count++] = score;
                    }
                }
            }
        }
    }
    sort_floats(out->genuine, out->genuine_count);
    sort_floats(out->impostor, out->impostor_count);
    return true;
}

void all_pairs_free(struct all_pairs *all)
{
    free(all->genuine);
    free(all->impostor);
}

/* Share of sorted scores at or above a threshold. */
static double share_above(const float *sorted, size_t count, float threshold)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sorted[middle] < threshold) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return count > 0 ? (double)(count - low) / (double)count : NAN;
}

json_t *measure_verification(const struct dataset *data)
{
    static const struct {
        const char *name;
        double far;
    } points[] = {{"far_1e-3", 1e-3}, {"far_1e-4", 1e-4}, {"far_1e-5", 1e-5}};
    size_t found = 0;
    size_t embedded = 0;
    for (size_t i = 0; i < data->picture_count; i++) {
        found += data->pictures[i].found;
        embedded += data->pictures[i].embedded;
    }
    json_t *out =
        json_pack("{s:I, s:I, s:I, s:I}", "people", (json_int_t)data->people_count, "pictures",
                  (json_int_t)data->picture_count, "found", (json_int_t)found, "embedded", (json_int_t)embedded);
    struct all_pairs all = {0};
    bool ok = out && all_pairs_make(data, &all) && json_object_set_new(out, "pairs", folds_json(data)) == 0;
    for (size_t i = 0; ok && i < sizeof points / sizeof points[0]; i++) {
        float threshold = (float)quantile(all.impostor, all.impostor_count, 1.0 - points[i].far);
        ok = json_object_set_new(out, points[i].name,
                                 json_pack("{s:f, s:f}", "threshold", (double)threshold, "tar",
                                           share_above(all.genuine, all.genuine_count, threshold))) == 0;
    }
    all_pairs_free(&all);
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* Least-squares line y = c[0] + c[1] x. */
static void fit_line(const double *x, const double *y, size_t count, double c[2])
{
    double n = (double)count;
    double sum_x = 0;
    double sum_y = 0;
    double sum_xx = 0;
    double sum_xy = 0;
    for (size_t i = 0; i < count; i++) {
        sum_x += x[i];
        sum_y += y[i];
        sum_xx += x[i] * x[i];
        sum_xy += x[i] * y[i];
    }
    c[1] = (n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x);
    c[0] = (sum_y - c[1] * sum_x) / n;
}

/*
 * The calibration block of a model set's manifest. Thresholds down to 1e-5 are the impostor scores' own quantiles.
 * Below that too few pairs are left, and an exponential tail is assumed (threshold straight against log rate, the line
 * through the quantiles from 1e-4 to 1e-5): heavier than a bell curve's, so rather too strict than too lax.
 */
json_t *measure_calibration(const struct dataset *data)
{
    static const double rates[] = {1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5};
    static const double tail[] = {3e-6, 1e-6};
    static const double shares[] = {0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999};
    double x[16];
    double y[16];
    double c[2];
    size_t points = 0;
    struct all_pairs all = {0};
    json_t *fmr = json_array();
    json_t *genuine = json_array();
    bool ok = fmr && genuine && all_pairs_make(data, &all);
    for (size_t i = 0; ok && i < sizeof rates / sizeof rates[0]; i++) {
        double threshold = quantile(all.impostor, all.impostor_count, 1.0 - rates[i]);
        if (rates[i] <= TAIL_FROM) {
            x[points] = log10(rates[i]);
            y[points++] = threshold;
        }
        ok = json_array_append_new(fmr, json_pack("[f, f]", rates[i], threshold)) == 0;
    }
    if (ok) {
        fit_line(x, y, points, c);
    }
    for (size_t i = 0; ok && i < sizeof tail / sizeof tail[0]; i++) {
        double at = log10(tail[i]);
        ok = json_array_append_new(fmr, json_pack("[f, f]", tail[i], c[0] + at * c[1])) == 0;
    }
    for (size_t i = 0; ok && i < sizeof shares / sizeof shares[0]; i++) {
        double score = quantile(all.genuine, all.genuine_count, 1.0 - shares[i]);
        ok = json_array_append_new(genuine, json_pack("[f, f]", shares[i], score)) == 0;
    }
    json_int_t impostors = (json_int_t)all.impostor_count;
    json_int_t genuines = (json_int_t)all.genuine_count;
    all_pairs_free(&all);
    if (!ok) {
        json_decref(fmr);
        json_decref(genuine);
        return NULL;
    }
    return json_pack("{s:I, s:I, s:o, s:o}", "impostor_pairs", impostors, "genuine_pairs", genuines, "fmr", fmr,
                     "genuine", genuine);
}
