#include "flow/autothreshold.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"

/* A sample of so many people gives 18 million pairs, enough to measure an FMR of 2e-6. */
#define SAMPLE_PEOPLE AUTOTHRESHOLD_SAMPLE
#define LOOK_EVERY_MS 2000

/* Background thread writes, any thread reads; guarded by `mu`. */
struct autothreshold {
    const struct gallery *gallery;
    const struct vision *vision;
    pthread_mutex_t mu;
    pthread_cond_t wake;
    pthread_t thread;
    bool touched, closing;
    size_t counted;   /* people in the gallery when they were counted last */
    atomic_bool stop; /* ends a count early */
    uint64_t bins[AUTOTHRESHOLD_BINS];
    uint64_t pairs; /* 0: no own calibration */
};

double autothreshold_fmr(double fpir, size_t n)
{
    return -expm1(log1p(-fpir) / (double)(n == 0 ? 1 : n));
}

double autothreshold_fpir(double fmr, size_t n)
{
    return -expm1(log1p(-fmr) * (double)(n == 0 ? 1 : n));
}

static float bin_edge(size_t bin)
{
    return -1.0f + 2.0f * (float)bin / (float)AUTOTHRESHOLD_BINS;
}

/*
 * The end of the measured tail and how it goes on: log(FMR) = y + slope * d + bend / 2 * d², d the way beyond
 * `threshold`. `threshold` is the last one with enough scores above it; slope and bend come from there and the two that
 * have ten and a hundred times as many. Real tails fall ever faster: a straight line alone would ask for far too much.
 * The slope is that of the last decade as a whole, less than at its end, and half of the bend counts: that errs on the
 * safe side.
 */
struct tail {
    double threshold, y, slope, bend;
};

/* False: the tail is too thin. */
static bool fit_tail(const uint64_t *bins, uint64_t pairs, struct tail *out)
{
    static const uint64_t wanted[3] = {AUTOTHRESHOLD_MIN_TAIL, 10 * AUTOTHRESHOLD_MIN_TAIL,
                                       100 * AUTOTHRESHOLD_MIN_TAIL};
    double x[3], y[3];
    uint64_t above = 0;
    size_t found = 0;
    for (size_t i = AUTOTHRESHOLD_BINS; i-- > 0 && found < 3;) {
        above += bins[i];
        if (above < wanted[found])
            continue;
        x[found] = (double)bin_edge(i);
        y[found] = log((double)above / (double)pairs);
        found++;
    }
    if (found < 2 || !(x[1] < x[0]))
        return false;
    *out = (struct tail){.threshold = x[0], .y = y[0], .slope = (y[0] - y[1]) / (x[0] - x[1])};
    if (found == 3 && x[2] < x[1]) {
        double before = (y[1] - y[2]) / (x[1] - x[2]);
        out->bend = 0.5 * fmin((out->slope - before) / ((x[0] - x[2]) / 2), 0);
    }
    return out->slope < 0;
}

/* The way beyond the tail's threshold at which `fmr` is reached. */
static double reach(const struct tail *tail, double fmr)
{
    double down = log(fmr) - tail->y; /* negative */
    if (tail->bend > -1e-9)
        return down / tail->slope;
    return (-tail->slope - sqrt(tail->slope * tail->slope + 2 * tail->bend * down)) / tail->bend;
}

float autothreshold_quantile(const uint64_t *bins, uint64_t pairs, double fmr)
{
    struct tail tail;
    if (pairs == 0 || !fit_tail(bins, pairs, &tail))
        return NAN;
    double wanted = fmr * (double)pairs;
    if (wanted < AUTOTHRESHOLD_MIN_TAIL)
        return (float)fmin(tail.threshold + reach(&tail, fmr), 1);
    uint64_t above = 0;
    for (size_t i = AUTOTHRESHOLD_BINS; i-- > 0;) {
        if ((double)(above + bins[i]) > wanted) {
            /* within this bin, in proportion */
            double share = (wanted - (double)above) / (double)bins[i];
            return bin_edge(i + 1) - (float)share * (bin_edge(1) - bin_edge(0));
        }
        above += bins[i];
    }
    return -1.0f;
}

double autothreshold_survival(const uint64_t *bins, uint64_t pairs, float threshold)
{
    struct tail tail;
    if (pairs == 0 || !fit_tail(bins, pairs, &tail))
        return NAN;
    double beyond = (double)threshold - tail.threshold;
    if (beyond > 0)
        return exp(tail.y + tail.slope * beyond + tail.bend / 2 * beyond * beyond);
    double above = 0;
    for (size_t i = AUTOTHRESHOLD_BINS; i-- > 0;) {
        if (bin_edge(i) < threshold) {
            double share = (double)((bin_edge(i + 1) - threshold) / (bin_edge(1) - bin_edge(0)));
            return (above + share * (double)bins[i]) / (double)pairs;
        }
        above += (double)bins[i];
    }
    return 1;
}

double autothreshold_spread(const uint64_t *bins, uint64_t pairs, float threshold)
{
    struct tail tail;
    if (pairs == 0 || !fit_tail(bins, pairs, &tail))
        return AUTOTHRESHOLD_TABLE_SPREAD;
    double share = autothreshold_survival(bins, pairs, threshold);
    double above = fmax(share * (double)pairs, 0);
    double least = AUTOTHRESHOLD_MIN_TAIL;
    /* Decades beyond the last point that was measured; the slope comes from the decade before it. */
    double beyond = above < least ? log10(least / fmax(above, 1e-300)) : 0;
    double deviation = 2 / sqrt(fmax(above, least)) * (1 + beyond);
    return exp(1.96 * deviation);
}

static bool changed_enough(size_t before, size_t now)
{
    size_t difference = now > before ? now - before : before - now;
    return difference > 0 && difference * 20 >= before;
}

static void count_pairs(struct autothreshold *cal)
{
    uint64_t *bins = calloc(AUTOTHRESHOLD_BINS, sizeof *bins);
    if (bins == NULL)
        return;
    uint64_t pairs = gallery_impostor_histogram(cal->gallery, SAMPLE_PEOPLE, bins, AUTOTHRESHOLD_BINS, &cal->stop);
    pthread_mutex_lock(&cal->mu);
    if (!atomic_load(&cal->stop)) {
        memcpy(cal->bins, bins, sizeof cal->bins);
        cal->pairs = pairs;
    }
    pthread_mutex_unlock(&cal->mu);
    free(bins);
    log_debug("flow", "counted impostor scores pairs=%llu", (unsigned long long)pairs);
}

/* Counts if the gallery has changed enough. With the mutex held, but not while it counts. */
static void look(struct autothreshold *cal)
{
    size_t people = gallery_count(cal->gallery);
    if (!changed_enough(cal->counted, people))
        return;
    cal->counted = people;
    if (people < AUTOTHRESHOLD_MIN_PEOPLE) {
        cal->pairs = 0;
        return;
    }
    pthread_mutex_unlock(&cal->mu);
    count_pairs(cal);
    pthread_mutex_lock(&cal->mu);
}

static void *background(void *arg)
{
    struct autothreshold *cal = arg;
    pthread_mutex_lock(&cal->mu);
    while (!cal->closing) {
        if (!cal->touched) {
            pthread_cond_wait(&cal->wake, &cal->mu);
            continue;
        }
        /* Let a burst of changes pass: one look for all of them. */
        struct timespec deadline = clock_deadline(LOOK_EVERY_MS);
        while (!cal->closing && pthread_cond_timedwait(&cal->wake, &cal->mu, &deadline) == 0) {
        }
        cal->touched = false;
        if (!cal->closing)
            look(cal);
    }
    pthread_mutex_unlock(&cal->mu);
    return NULL;
}

void autothreshold_count(struct autothreshold *cal)
{
    pthread_mutex_lock(&cal->mu);
    look(cal);
    pthread_mutex_unlock(&cal->mu);
}

enum aibox_status autothreshold_open(const struct gallery *gallery, const struct vision *vision,
                                     struct autothreshold **out, struct aibox_error *err)
{
    struct autothreshold *cal = calloc(1, sizeof *cal);
    if (cal == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    cal->gallery = gallery;
    cal->vision = vision;
    pthread_mutex_init(&cal->mu, NULL);
    clock_cond_init(&cal->wake);
    if (pthread_create(&cal->thread, NULL, background, cal) != 0) {
        pthread_cond_destroy(&cal->wake);
        pthread_mutex_destroy(&cal->mu);
        free(cal);
        return error_set(err, AIBOX_PROCESS_FAILED, "can't start the calibration thread");
    }
    *out = cal;
    return AIBOX_OK;
}

void autothreshold_close(struct autothreshold *cal)
{
    if (cal == NULL)
        return;
    pthread_mutex_lock(&cal->mu);
    cal->closing = true;
    atomic_store(&cal->stop, true);
    pthread_cond_broadcast(&cal->wake);
    pthread_mutex_unlock(&cal->mu);
    pthread_join(cal->thread, NULL);
    pthread_cond_destroy(&cal->wake);
    pthread_mutex_destroy(&cal->mu);
    free(cal);
}

void autothreshold_touch(struct autothreshold *cal)
{
    pthread_mutex_lock(&cal->mu);
    if (!cal->touched) {
        cal->touched = true;
        pthread_cond_signal(&cal->wake);
    }
    pthread_mutex_unlock(&cal->mu);
}

void autothreshold_threshold(struct autothreshold *cal, double fmr, struct autothreshold_answer *out)
{
    *out = (struct autothreshold_answer){.fmr = fmr};
    pthread_mutex_lock(&cal->mu);
    if (cal->pairs >= AUTOTHRESHOLD_MIN_PAIRS) {
        out->pairs = cal->pairs;
        out->threshold = autothreshold_quantile(cal->bins, cal->pairs, fmr);
        out->own_gallery = !isnan(out->threshold);
    }
    pthread_mutex_unlock(&cal->mu);
    if (!out->own_gallery)
        out->threshold = vision_threshold_for_fmr(cal->vision, fmr);
}

double autothreshold_fmr_at(struct autothreshold *cal, float threshold, double *spread)
{
    double fmr = NAN;
    double factor = AUTOTHRESHOLD_TABLE_SPREAD;
    pthread_mutex_lock(&cal->mu);
    if (cal->pairs >= AUTOTHRESHOLD_MIN_PAIRS) {
        fmr = autothreshold_survival(cal->bins, cal->pairs, threshold);
        factor = autothreshold_spread(cal->bins, cal->pairs, threshold);
    }
    pthread_mutex_unlock(&cal->mu);
    if (spread != NULL)
        *spread = factor;
    return isnan(fmr) ? vision_fmr_at_threshold(cal->vision, threshold) : fmr;
}

uint64_t autothreshold_histogram(struct autothreshold *cal, uint64_t *bins)
{
    pthread_mutex_lock(&cal->mu);
    uint64_t pairs = cal->pairs;
    memcpy(bins, cal->bins, sizeof cal->bins);
    pthread_mutex_unlock(&cal->mu);
    return pairs;
}
