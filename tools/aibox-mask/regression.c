#include "regression.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"

#define SIZE          (VISION_DIMENSION + 1) /* weights and bias, which carries no penalty */
#define NEWTON_STEPS  50
#define GRADIENT_DONE 1e-7 /* of the first one */
#define CG_STEPS      200
#define CG_DONE       0.05 /* of the right-hand side */
#define HALVINGS      30

struct problem {
    const struct regression_set *set;
    double lambda, total;
    double *slope; /* per sample: curvature of the loss */
};

static double margin(const float *w, const float *x)
{
    return (double)dot(w, x) + (double)w[VISION_DIMENSION];
}

/* log(1 + exp(-z)) without overflow. */
static double loss(double z)
{
    return z > 0 ? log1p(exp(-z)) : -z + log1p(exp(z));
}

static double objective(const struct problem *p, const float *w)
{
    double sum = 0;
    for (size_t i = 0; i < p->set->count; i++) {
        double z = margin(w, p->set->x[i]);
        sum += (double)p->set->part[i] * loss(p->set->y[i] ? z : -z);
    }
    return sum / p->total + 0.5 * p->lambda * (double)dot(w, w);
}

static void add_scaled(double *sum, double factor, const float *x)
{
    for (size_t k = 0; k < VISION_DIMENSION; k++) {
        sum[k] += factor * (double)x[k];
    }
    sum[VISION_DIMENSION] += factor;
}

/* The gradient, and the curvature of each sample on the way. */
static void differentiate(const struct problem *p, const float *w, double *gradient)
{
    memset(gradient, 0, SIZE * sizeof *gradient);
    for (size_t i = 0; i < p->set->count; i++) {
        double probability = 1.0 / (1.0 + exp(-margin(w, p->set->x[i])));
        double part = (double)p->set->part[i] / p->total;
        p->slope[i] = part * probability * (1.0 - probability);
        add_scaled(gradient, part * (probability - (p->set->y[i] ? 1.0 : 0.0)), p->set->x[i]);
    }
    for (size_t k = 0; k < VISION_DIMENSION; k++) {
        gradient[k] += p->lambda * (double)w[k];
    }
}

/* The Hessian times a vector. */
static void curve(const struct problem *p, const double *v, double *out)
{
    float direction[SIZE];
    for (size_t k = 0; k < SIZE; k++) {
        direction[k] = (float)v[k];
    }
    memset(out, 0, SIZE * sizeof *out);
    for (size_t i = 0; i < p->set->count; i++) {
        add_scaled(out, p->slope[i] * margin(direction, p->set->x[i]), p->set->x[i]);
    }
    for (size_t k = 0; k < VISION_DIMENSION; k++) {
        out[k] += p->lambda * v[k];
    }
}

static double inner(const double *a, const double *b)
{
    double sum = 0;
    for (size_t k = 0; k < SIZE; k++) {
        sum += a[k] * b[k];
    }
    return sum;
}

/* Newton's step: Hessian · step = -gradient, near enough. */
static void find_step(const struct problem *p, const double *gradient, double *step)
{
    double residual[SIZE];
    double direction[SIZE];
    double curved[SIZE];
    memset(step, 0, SIZE * sizeof *step);
    for (size_t k = 0; k < SIZE; k++) {
        residual[k] = direction[k] = -gradient[k];
    }
    double square = inner(residual, residual);
    const double done = CG_DONE * CG_DONE * square;
    for (int i = 0; i < CG_STEPS && square > done; i++) {
        curve(p, direction, curved);
        double bend = inner(direction, curved);
        if (!(bend > 0)) {
            return;
        }
        double length = square / bend;
        for (size_t k = 0; k < SIZE; k++) {
            step[k] += length * direction[k];
            residual[k] -= length * curved[k];
        }
        double before = square;
        square = inner(residual, residual);
        for (size_t k = 0; k < SIZE; k++) {
            direction[k] = residual[k] + square / before * direction[k];
        }
    }
}

/* Goes the step, or half of it, or a quarter …; false when no part of it leads down. */
static bool descend(const struct problem *p, const double *step, float *w, double *value)
{
    float tried[SIZE];
    double length = 1.0;
    for (int i = 0; i < HALVINGS; i++) {
        for (size_t k = 0; k < SIZE; k++) {
            tried[k] = (float)((double)w[k] + length * step[k]);
        }
        double there = objective(p, tried);
        if (there < *value) {
            memcpy(w, tried, sizeof tried);
            *value = there;
            return true;
        }
        length *= 0.5;
    }
    return false;
}

bool regression_fit(const struct regression_set *set, double lambda, struct regression *out)
{
    struct problem p = {.set = set, .lambda = lambda};
    size_t members[2] = {0, 0};
    float w[SIZE] = {0};
    double gradient[SIZE];
    double step[SIZE];
    for (size_t i = 0; i < set->count; i++) {
        members[set->y[i]]++;
        p.total += (double)set->part[i];
    }
    p.slope = calloc(set->count + 1, sizeof *p.slope);
    if (!p.slope || members[0] == 0 || members[1] == 0 || !(p.total > 0)) {
        free(p.slope);
        return false;
    }
    double value = objective(&p, w);
    double first = 0;
    for (int i = 0; i < NEWTON_STEPS; i++) {
        differentiate(&p, w, gradient);
        double length = sqrt(inner(gradient, gradient));
        first = i == 0 ? length : first;
        if (length <= GRADIENT_DONE * first) {
            break;
        }
        find_step(&p, gradient, step);
        if (!descend(&p, step, w, &value)) {
            break;
        }
    }
    memcpy(out->weights, w, sizeof out->weights);
    out->bias = w[VISION_DIMENSION];
    free(p.slope);
    return true;
}

double regression_margin(const struct regression *regression, const float *x)
{
    return (double)dot(regression->weights, x) + (double)regression->bias;
}
