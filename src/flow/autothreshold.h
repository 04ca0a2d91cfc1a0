/*
 * The automatic threshold: turns the operator's false-accept target into a cosine threshold for this box's gallery.
 *
 * From the false positive identification rate wanted over N people follows the false match rate of one comparison,
 * FMR = 1 - (1 - FPIR)^(1/N) (independent comparisons; ISO/IEC 19795-1). The threshold for it comes from the impostor
 * scores between the enrolled people once there are enough of them, else from the model set's table.
 */
#ifndef AIBOX_FLOW_AUTOTHRESHOLD_H
#define AIBOX_FLOW_AUTOTHRESHOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "gallery/gallery.h"
#include "vision/vision.h"

#define AUTOTHRESHOLD_BINS 2000 /* over -1..1: 0.001 each */
/* A gallery counts as at least this many people. The table's strangers are mixed; those of a small site (a family, a
 * team) look more alike, and at this size hardly anybody is missed for it. */
#define AUTOTHRESHOLD_LEAST_PEOPLE 100
#define AUTOTHRESHOLD_MIN_PEOPLE   500  /* own-gallery calibration counts from here */
#define AUTOTHRESHOLD_SAMPLE       6000 /* people who are compared with one another at most */
#define AUTOTHRESHOLD_MIN_PAIRS    100000
#define AUTOTHRESHOLD_MIN_TAIL     30 /* scores that a point of the measured curve must have above it */

/* FMR of a single comparison for a false positive identification rate over n people (n 0 counts as 1). */
double autothreshold_fmr(double fpir, size_t n);
/* And back: the share of strangers taken for somebody. */
double autothreshold_fpir(double fmr, size_t n);

/*
 * Threshold at which the share `fmr` of the histogram's scores lies above; beyond the measured tail continued along the
 * curve of log(FMR) through its last two reliable decades. NAN: too few scores.
 */
float autothreshold_quantile(const uint64_t *bins, uint64_t pairs, double fmr);
/* Share of scores above `threshold`, continued in the same way. */
double autothreshold_survival(const uint64_t *bins, uint64_t pairs, float threshold);

/*
 * How sure that share is: with 95 % it lies within a factor of so much (>= 1) of the truth. From the number of scores
 * above the threshold, where the standard deviation of the logarithm is taken as 2 / sqrt(number): twice that of
 * independent pairs, since pairs share people. Where the tail is continued, the error of its slope adds to that.
 */
double autothreshold_spread(const uint64_t *bins, uint64_t pairs, float threshold);
/* The same of the model set's table, whose people are others than those who pass the box. */
#define AUTOTHRESHOLD_TABLE_SPREAD 3.0

struct autothreshold;

/* Starts the background thread, which looks at the gallery whenever it has changed by a twentieth. */
enum aibox_status autothreshold_open(const struct gallery *gallery, const struct vision *vision,
                                     struct autothreshold **out, struct aibox_error *err);
void autothreshold_close(struct autothreshold *cal);

/* The gallery has changed: cheap, any thread. */
void autothreshold_touch(struct autothreshold *cal);

/* Looks at once, on the caller's thread: what is answered afterwards is of the gallery as it is now. */
void autothreshold_count(struct autothreshold *cal);

struct autothreshold_answer {
    float threshold;
    bool own_gallery;
    uint64_t pairs;
    double fmr; /* at that threshold */
};
/* Threshold wanted for `fmr`, not limited by anything. */
void autothreshold_threshold(struct autothreshold *cal, double fmr, struct autothreshold_answer *out);
/* FMR expected at a threshold, and (may be NULL) how sure that is. */
double autothreshold_fmr_at(struct autothreshold *cal, float threshold, double *spread);
/* What was counted: AUTOTHRESHOLD_BINS numbers. Returns the number of pairs; 0: nothing is counted yet. */
uint64_t autothreshold_histogram(struct autothreshold *cal, uint64_t *bins);

#endif
