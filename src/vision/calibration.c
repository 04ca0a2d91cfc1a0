#include "vision/calibration.h"

#include <math.h>

#define SMALLEST_RATE 1e-15

static double limit(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* y at x; xs strictly monotone (either way), at least two points. */
static double interpolate(const double *xs, const double *ys, size_t count, double x)
{
    double direction = xs[1] > xs[0] ? 1.0 : -1.0;
    size_t right = 1;
    while (right + 1 < count && direction * x > direction * xs[right]) {
        right++;
    }
    size_t left = right - 1;
    return ys[left] + (x - xs[left]) / (xs[right] - xs[left]) * (ys[right] - ys[left]);
}

double calibration_logit(double rate)
{
    double p = limit(rate, SMALLEST_RATE, 1.0 - SMALLEST_RATE);
    return log(p / (1.0 - p));
}

double calibration_threshold(const struct calibration *c, double fmr)
{
    double wanted = log10(limit(fmr, SMALLEST_RATE, 1.0));
    return limit(interpolate(c->log_fmr, c->threshold, c->impostor_points, wanted), -1.0, 1.0);
}

double calibration_fmr(const struct calibration *c, double threshold)
{
    return limit(pow(10.0, interpolate(c->threshold, c->log_fmr, c->impostor_points, threshold)), 0.0, 1.0);
}

double calibration_genuine_score(const struct calibration *c, double tpr)
{
    return limit(interpolate(c->logit_tpr, c->score, c->genuine_points, calibration_logit(tpr)), -1.0, 1.0);
}

double calibration_false_reject(const struct calibration *c, double threshold)
{
    return 1.0 / (1.0 + exp(interpolate(c->score, c->logit_tpr, c->genuine_points, threshold)));
}
