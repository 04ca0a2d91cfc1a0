/* Scores between faces of the data set, counted in fine bins: many millions need little room. */
#ifndef AIBOX_MASK_SCORES_H
#define AIBOX_MASK_SCORES_H

#include "samples.h"

#define SCORE_BINS 40000 /* over -1..1 */

struct scores {
    uint64_t impostor[SCORE_BINS], genuine[SCORE_BINS];
    uint64_t impostors, genuines;
    double impostor_sum;
};

/*
 * Every sample of one kind with every one of another, people of the data set that are excluded left out, and a picture
 * never with itself.
 */
void scores_count(const struct dataset *data, const struct sample *samples, enum sample_kind probe,
                  enum sample_kind enrolled, struct scores *out);

/* The score that the share `rate` of impostors exceeds; that the share `rate` of genuine pairs reaches. */
double scores_threshold(const struct scores *scores, double rate);
double scores_reached(const struct scores *scores, double rate);
/* The share of genuine pairs that reaches a threshold. */
double scores_accepted(const struct scores *scores, double threshold);

#endif
