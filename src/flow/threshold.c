/* The threshold in force, and what it promises. */
#include <math.h>
#include <string.h>

#include "flow/flow_internal.h"

static void choose_threshold(const struct generation *generation, double most, struct flow_threshold *out)
{
    struct autothreshold_answer answer;
    size_t counted = out->people < AUTOTHRESHOLD_LEAST_PEOPLE ? AUTOTHRESHOLD_LEAST_PEOPLE : out->people;
    autothreshold_threshold(generation->autothreshold, autothreshold_fmr(out->false_accept_target, counted), &answer);
    if (isnan(most))
        most = vision_genuine_score(generation->vision, 0.95);
    out->threshold = answer.threshold;
    out->own_gallery = answer.own_gallery;
    out->impostor_pairs = answer.pairs;
    out->limited = (double)answer.threshold > most;
    if (out->limited)
        out->threshold = (float)most;
    if (out->threshold < 0)
        out->threshold = 0;
}

static void judge_threshold(const struct generation *generation, const struct flow_threshold_wish *wish,
                            struct flow_threshold *out)
{
    *out = (struct flow_threshold){.people = gallery_count(generation->gallery),
                                   .false_accept_target = wish->false_accept_target,
                                   .automatic = isnan(wish->threshold)};
    if (out->automatic)
        choose_threshold(generation, wish->most, out);
    else
        out->threshold = (float)wish->threshold;
    double spread;
    double fmr = autothreshold_fmr_at(generation->autothreshold, out->threshold, &spread);
    out->expected_false_accept = autothreshold_fpir(fmr, out->people);
    out->expected_low = autothreshold_fpir(fmr / spread, out->people);
    out->expected_high = autothreshold_fpir(fmin(fmr * spread, 1), out->people);
    out->expected_false_reject = vision_false_reject_at(generation->vision, out->threshold);
    out->knows_masks = vision_knows_masks(generation->vision);
    out->masked_threshold = vision_masked_threshold(generation->vision, out->threshold);
    out->masked_false_reject = vision_masked_false_reject_at(generation->vision, out->masked_threshold);
}

void threshold_get(struct flow *flow, const struct generation *generation, struct flow_threshold *out)
{
    struct flow_threshold_wish wish;
    flow_threshold_wish(flow, &wish);
    judge_threshold(generation, &wish, out);
}

void flow_threshold_get(struct flow *flow, struct flow_threshold *out)
{
    struct generation *generation = generation_use(flow->generations);
    threshold_get(flow, generation, out);
    generation_done(flow->generations, generation);
}

void flow_threshold_wish(const struct flow *flow, struct flow_threshold_wish *out)
{
    *out = (struct flow_threshold_wish){
        .threshold = settings_float(flow->settings, "recognition.threshold"),
        .false_accept_target = settings_float(flow->settings, "recognition.false_accept_target"),
        .most = settings_float(flow->settings, "recognition.max_auto_threshold"),
    };
}

void flow_threshold_preview(struct flow *flow, const struct flow_threshold_wish *wish, struct flow_threshold *out)
{
    struct generation *generation = generation_use(flow->generations);
    judge_threshold(generation, wish, out);
    generation_done(flow->generations, generation);
}

void flow_threshold_automatic(struct flow *flow, struct flow_threshold *out)
{
    struct flow_threshold_wish wish;
    flow_threshold_wish(flow, &wish);
    wish.threshold = NAN;
    flow_threshold_preview(flow, &wish, out);
}

static float histogram_edge(size_t bin)
{
    return -1 + 2 * (float)bin / FLOW_HISTOGRAM;
}

void flow_threshold_scores(struct flow *flow, double different[FLOW_HISTOGRAM], double same[FLOW_HISTOGRAM])
{
    struct generation *generation = generation_use(flow->generations);
    const struct vision *vision = generation->vision;
    double all_different = 0, all_same = 0;
    for (size_t i = 0; i < FLOW_HISTOGRAM; i++) {
        float from = histogram_edge(i), to = histogram_edge(i + 1);
        different[i] = fmax(vision_fmr_at_threshold(vision, from) - vision_fmr_at_threshold(vision, to), 0);
        same[i] = fmax(vision_false_reject_at(vision, to) - vision_false_reject_at(vision, from), 0);
        all_different += different[i];
        all_same += same[i];
    }
    for (size_t i = 0; i < FLOW_HISTOGRAM; i++) { /* the tables leave something beyond -1 and 1 */
        different[i] /= all_different > 0 ? all_different : 1;
        same[i] /= all_same > 0 ? all_same : 1;
    }
    generation_done(flow->generations, generation);
}

uint64_t flow_threshold_histogram(struct flow *flow, uint64_t counts[FLOW_HISTOGRAM])
{
    uint64_t bins[AUTOTHRESHOLD_BINS];
    struct generation *generation = generation_use(flow->generations);
    uint64_t pairs = autothreshold_histogram(generation->autothreshold, bins);
    generation_done(flow->generations, generation);
    memset(counts, 0, FLOW_HISTOGRAM * sizeof *counts);
    for (size_t i = 0; i < AUTOTHRESHOLD_BINS && pairs > 0; i++)
        counts[i * FLOW_HISTOGRAM / AUTOTHRESHOLD_BINS] += bins[i];
    return pairs;
}

float threshold_of_pair(const struct generation *generation, const char *word)
{
    static const struct {
        const char *word;
        double fmr;
    } levels[] = {{"high", 1e-5}, {"middle", 1e-4}, {"low", 1e-3}};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(word, levels[i].word) == 0)
            return vision_threshold_for_fmr(generation->vision, levels[i].fmr);
    return NAN;
}

float flow_pair_threshold(struct flow *flow, const char *word)
{
    struct generation *generation = generation_use(flow->generations);
    float threshold = threshold_of_pair(generation, word);
    generation_done(flow->generations, generation);
    return threshold;
}

float threshold_of_strangers(struct flow *flow, const struct generation *generation)
{
    double wanted = settings_float(flow->settings, "recognition.stranger_threshold");
    struct flow_threshold threshold = {.people = strangers_count(generation->strangers)};
    if (!isnan(wanted))
        return (float)wanted;
    threshold.false_accept_target = settings_float(flow->settings, "recognition.false_accept_target");
    choose_threshold(generation, settings_float(flow->settings, "recognition.max_auto_threshold"), &threshold);
    return threshold.threshold;
}

float flow_stranger_threshold(struct flow *flow)
{
    struct generation *generation = generation_use(flow->generations);
    float threshold = threshold_of_strangers(flow, generation);
    generation_done(flow->generations, generation);
    return threshold;
}
