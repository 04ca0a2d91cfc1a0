/*
 * Ten PADs at once, each with two pictures a second, as they come: the moment of each picture is set beforehand, at
 * random within its half second, and its time counts from that moment. So a picture that has to wait for the one before
 * it, because the box was slow with that, is counted with its waiting.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "core/clock.h"
#include "samples.h"

#define PADS          10
#define PERIOD_US     500000 /* of one PAD */
#define WARM_UP       4      /* pictures of each PAD that don't count */
#define PICTURES      90     /* of each PAD */
#define KNOWN         30     /* people who are enrolled with their picture; the others that come are strangers */
#define P99_TARGET    200
#define SPREAD_FACTOR 7 /* pictures between those of two PADs: no two show the same face at about the same time */

struct pad {
    struct bench *bench;
    size_t number, known;
    int64_t start_us; /* of all of them, monotonic */
    uint32_t random;
    struct connection connection;
    pthread_t thread;
    bool running;
    struct samples samples;
    size_t shown, right; /* known people shown, and on top of the answer */
    enum aibox_status status;
    struct aibox_error err;
};

/* A linear congruential generator (Numerical Recipes' constants): 0 to `below` - 1. */
static uint32_t next_random(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525U + 1013904223U;
    return (uint32_t)((uint64_t)*state * below >> 32);
}

static enum aibox_status show_picture(struct pad *pad, size_t picture, int64_t due_us, bool counts)
{
    struct buffer request;
    struct answer answer = {0};
    char wanted[32], best[80];
    request_match(&request, pad->bench, pad->bench->pictures.items[picture].frame);
    bench_sleep_until(due_us);
    enum aibox_status status = connection_call(&pad->connection, &request, &answer, &pad->err);
    double took_ms = (double)(clock_monotonic_us() - due_us) / 1000;
    buffer_free(&request);
    if (status == AIBOX_OK)
        status = check_answer(&answer, &pad->err);
    if (status != AIBOX_OK || !counts)
        return status;
    samples_add(&pad->samples, took_ms);
    if (picture < pad->known) {
        answer_best(&answer, best, sizeof best);
        snprintf(wanted, sizeof wanted, "pads-%zu", picture);
        pad->shown++;
        pad->right += strcmp(best, wanted) == 0 ? 1 : 0;
    }
    return AIBOX_OK;
}

static void *use_pad(void *arg)
{
    struct pad *pad = arg;
    size_t pictures = pad->bench->pictures.count;
    for (size_t i = 0; i < WARM_UP + PICTURES && pad->status == AIBOX_OK && !atomic_load(&bench_stopped); i++) {
        int64_t due_us = pad->start_us + (int64_t)i * PERIOD_US + next_random(&pad->random, PERIOD_US);
        /* Every other one is somebody known, where there are others. */
        size_t turn = i + pad->number * SPREAD_FACTOR;
        bool known = pictures == pad->known || i % 2 == 0;
        size_t picture = known ? turn % pad->known : pad->known + turn % (pictures - pad->known);
        pad->status = show_picture(pad, picture, due_us, i >= WARM_UP);
    }
    return NULL;
}

/* What all PADs measured, together. */
static enum aibox_status gather(const struct pad *pads, struct samples *samples, size_t *shown, size_t *right,
                                struct aibox_error *err)
{
    samples->count = *shown = *right = 0;
    for (size_t i = 0; i < PADS; i++) {
        if (pads[i].status != AIBOX_OK || !pads[i].running)
            return error_set(err, AIBOX_PROCESS_FAILED, "a PAD failed: %s", pads[i].err.message);
        for (size_t k = 0; k < pads[i].samples.count; k++)
            samples_add(samples, pads[i].samples.values[k]);
        *shown += pads[i].shown;
        *right += pads[i].right;
    }
    return AIBOX_OK;
}

static enum aibox_status run_pads(struct bench *bench, size_t known, struct pad *pads, struct aibox_error *err)
{
    size_t opened = 0;
    uint32_t seed = (uint32_t)clock_realtime_ms(); /* the same moments every time would show one case only */
    enum aibox_status status = AIBOX_OK;
    for (; opened < PADS && status == AIBOX_OK; opened++) {
        pads[opened] =
            (struct pad){.bench = bench, .number = opened, .known = known, .random = seed + (uint32_t)opened * 7919U};
        status = connection_open(&bench->daemon, &pads[opened].connection, err);
    }
    int64_t start_us = clock_monotonic_us() + PERIOD_US;
    for (size_t i = 0; i < opened && status == AIBOX_OK; i++) {
        pads[i].start_us = start_us;
        pads[i].running = pthread_create(&pads[i].thread, NULL, use_pad, &pads[i]) == 0;
    }
    for (size_t i = 0; i < opened; i++) {
        if (pads[i].running)
            pthread_join(pads[i].thread, NULL);
        connection_close(&pads[i].connection);
    }
    return status;
}

enum aibox_status measure_pads(struct bench *bench, struct aibox_error *err)
{
    static struct pad pads[PADS];
    static struct samples samples;
    struct connection connection;
    struct aibox_error ignored;
    char name[REPORT_TEXT];
    size_t known = 0, shown = 0, right = 0;
    enum aibox_status status = connection_open(&bench->daemon, &connection, err);
    if (status != AIBOX_OK)
        return status;
    status = call_enrol_some(bench, &connection, "pads", KNOWN, &known, err);
    connection_close(&connection);
    if (status == AIBOX_OK && known == 0)
        status = error_set(err, AIBOX_PARAM, "there are no pictures to ask about");
    if (status == AIBOX_OK) {
        daemon_wait_idle(&bench->daemon);
        status = run_pads(bench, known, pads, err);
    }
    if (status == AIBOX_OK)
        status = gather(pads, &samples, &shown, &right, err);
    (void)call_delete(bench, "pads", known, &ignored);
    if (status != AIBOX_OK || samples.count == 0)
        return status;
    snprintf(name, sizeof name, "%d PADs, 2 pictures/s each at set times, %zu people, p50 of %zu", PADS, bench->people,
             samples.count);
    report_plain(&bench->report, name, samples_percentile(&samples, 0.5), "ms");
    report_plain(&bench->report, "... p95", samples_percentile(&samples, 0.95), "ms");
    report_at_most(&bench->report, "... p99", samples_percentile(&samples, 0.99), P99_TARGET, "ms");
    report_plain(&bench->report, "... the longest", samples_percentile(&samples, 1), "ms");
    report_plain(&bench->report, "... right person on top (of those enrolled, by the same pictures)",
                 100.0 * (double)right / (double)shown, "%");
    return AIBOX_OK;
}
