/*
 * Logistic regression with an L2 penalty,
 *
 *     minimise  mean over samples of log(1 + exp(-y (w·x + b))) + λ/2 |w|²,
 *
 * by Newton's method, each step solved by conjugate gradients without ever forming the Hessian (as in Lin, Weng and
 * Keerthi, "Trust region Newton method for large-scale logistic regression", JMLR 9, 2008; here with step halving). The
 * problem is convex: the result doesn't depend on where it starts. Pure.
 */
#ifndef AIBOX_MASK_REGRESSION_H
#define AIBOX_MASK_REGRESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "vision/vision.h"

struct regression {
    float weights[VISION_DIMENSION];
    float bias;
};

struct regression_set {
    const float **x;   /* count vectors of VISION_DIMENSION */
    const bool *y;     /* to which of the two classes each belongs */
    const float *part; /* weight of each sample; they are taken relative to their sum */
    size_t count;
};

/* False: no memory, or one of the classes is empty. */
bool regression_fit(const struct regression_set *set, double lambda, struct regression *out);

/* w·x + b. */
double regression_margin(const struct regression *regression, const float *x);

#endif
