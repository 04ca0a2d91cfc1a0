/* What scores mean: the table of a model set that relates thresholds to error rates. Pure functions, any thread. */
#ifndef AIBOX_VISION_CALIBRATION_H
#define AIBOX_VISION_CALIBRATION_H

#include <stddef.h>

#define CALIBRATION_MAX_POINTS 64

struct calibration {
    /* Threshold at which two different people match with probability 10^log_fmr; log_fmr falls, threshold rises. */
    size_t impostor_points;
    double log_fmr[CALIBRATION_MAX_POINTS];
    double threshold[CALIBRATION_MAX_POINTS];
    /* Score that a genuine pair reaches with odds e^logit; logit rises, score falls. */
    size_t genuine_points;
    double logit_tpr[CALIBRATION_MAX_POINTS];
    double score[CALIBRATION_MAX_POINTS];
};

/*
 * Straight lines between the points, the first and last continued: log10(fmr) against threshold and logit(tpr) against
 * score. Rates are limited to 1e-15..1-1e-15 first, results to -1..1 (scores) and 0..1 (rates). Both tables need two
 * points, strictly monotone: who fills them in checks it.
 */
double calibration_threshold(const struct calibration *calibration, double fmr);
double calibration_fmr(const struct calibration *calibration, double threshold);
double calibration_genuine_score(const struct calibration *calibration, double tpr);
double calibration_false_reject(const struct calibration *calibration, double threshold);

double calibration_logit(double rate);

#endif
