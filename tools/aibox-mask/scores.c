#include "scores.h"

#include <math.h>
#include <string.h>

#define TILE 64 /* samples that stay in the second-level cache */

static size_t bin_of(double score)
{
    double place = (score + 1.0) / 2.0 * SCORE_BINS;
    return place <= 0 ? 0 : place >= SCORE_BINS ? SCORE_BINS - 1 : (size_t)place;
}

static double edge_of(size_t bin)
{
    return 2.0 * (double)bin / SCORE_BINS - 1.0;
}

static bool counts(const struct dataset *data, const struct sample *sample)
{
    return sample->found && !data->people[data->pictures[sample->picture].person].excluded;
}

static void count_pair(const struct dataset *data, const struct sample *probe, const struct sample *enrolled,
                       struct scores *out)
{
    double score = (double)dot(probe->embedding, enrolled->embedding);
    if (data->pictures[probe->picture].person == data->pictures[enrolled->picture].person) {
        out->genuine[bin_of(score)]++;
        out->genuines++;
    } else {
        out->impostor[bin_of(score)]++;
        out->impostors++;
        out->impostor_sum += score;
    }
}

void scores_count(const struct dataset *data, const struct sample *samples, enum sample_kind probe,
                  enum sample_kind enrolled, struct scores *out)
{
    size_t n = data->picture_count;
    memset(out, 0, sizeof *out);
    for (size_t tile = 0; tile < n; tile += TILE) {
        size_t end = tile + TILE < n ? tile + TILE : n;
        for (size_t i = 0; i < n; i++) {
            const struct sample *a = &samples[i * SAMPLE_KINDS + probe];
            for (size_t j = tile; j < end && counts(data, a); j++) {
                const struct sample *b = &samples[j * SAMPLE_KINDS + enrolled];
                if (i != j && counts(data, b)) {
                    count_pair(data, a, b, out);
                }
            }
        }
    }
}

double scores_threshold(const struct scores *scores, double rate)
{
    double wanted = rate * (double)scores->impostors;
    double above = 0;
    for (size_t bin = SCORE_BINS; bin-- > 0;) {
        if (above + (double)scores->impostor[bin] > wanted) {
            double share = (wanted - above) / (double)scores->impostor[bin];
            return edge_of(bin + 1) - share * (edge_of(1) - edge_of(0));
        }
        above += (double)scores->impostor[bin];
    }
    return -1.0;
}

double scores_reached(const struct scores *scores, double rate)
{
    double wanted = rate * (double)scores->genuines;
    double above = 0;
    for (size_t bin = SCORE_BINS; bin-- > 0;) {
        above += (double)scores->genuine[bin];
        if (above >= wanted) {
            return edge_of(bin);
        }
    }
    return -1.0;
}

double scores_accepted(const struct scores *scores, double threshold)
{
    uint64_t above = 0;
    for (size_t bin = SCORE_BINS; bin-- > 0 && edge_of(bin) >= threshold;) {
        above += scores->genuine[bin];
    }
    return scores->genuines > 0 ? (double)above / (double)scores->genuines : NAN;
}
