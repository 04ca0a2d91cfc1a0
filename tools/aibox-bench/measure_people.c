/* PAD round trip, enrolment, and how soon somebody enrolled is recognised. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "core/clock.h"
#include "samples.h"

#define PAD_PEOPLE        30
#define PAD_WARM_UP       30
#define PAD_CALLS         400
#define PAD_P50_TARGET    25
#define PAD_P99_TARGET    60
#define FRESH_PEOPLE      20
#define FRESH_TARGET_MS   1000
#define FRESH_GIVE_UP_MS  5000
#define ENROL_PHOTOS      300
#define ENROL_ROUNDS      3
#define ENROL_CONNECTIONS 4
#define ENROL_TARGET      100

/* ---- PAD ---- */

static enum aibox_status time_calls(struct bench *bench, struct connection *connection, size_t people,
                                    struct samples *samples, size_t *right, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    for (size_t i = 0; i < PAD_WARM_UP + PAD_CALLS && status == AIBOX_OK && !atomic_load(&bench_stopped); i++) {
        struct buffer request;
        struct answer answer = {0};
        char wanted[32], best[80];
        request_match(&request, bench, bench->pictures.items[i % people].frame);
        int64_t start = clock_monotonic_us();
        status = connection_call(connection, &request, &answer, err);
        double took_ms = (double)(clock_monotonic_us() - start) / 1000;
        buffer_free(&request);
        if (status == AIBOX_OK)
            status = check_answer(&answer, err);
        if (status != AIBOX_OK || i < PAD_WARM_UP)
            continue;
        samples_add(samples, took_ms);
        answer_best(&answer, best, sizeof best);
        snprintf(wanted, sizeof wanted, "pad-%zu", i % people);
        *right += strcmp(best, wanted) == 0 ? 1 : 0;
    }
    return status;
}

enum aibox_status measure_pad(struct bench *bench, struct aibox_error *err)
{
    static struct samples samples;
    struct connection connection;
    char name[REPORT_TEXT];
    size_t people = 0, right = 0;
    enum aibox_status status = connection_open(&bench->daemon, &connection, err);
    if (status != AIBOX_OK)
        return status;
    samples.count = 0;
    status = call_enrol_some(bench, &connection, "pad", PAD_PEOPLE, &people, err);
    if (status == AIBOX_OK && people > 0) {
        daemon_wait_idle(&bench->daemon);
        status = time_calls(bench, &connection, people, &samples, &right, err);
    }
    connection_close(&connection);
    struct aibox_error ignored;
    call_delete(bench, "pad", people, status == AIBOX_OK ? err : &ignored);
    if (status != AIBOX_OK || samples.count == 0)
        return status;
    snprintf(name, sizeof name, "PAD round trip, %zu people, p50 of %zu", bench->people, samples.count);
    report_at_most(&bench->report, name, samples_percentile(&samples, 0.5), PAD_P50_TARGET, "ms");
    report_at_most(&bench->report, "... p99", samples_percentile(&samples, 0.99), PAD_P99_TARGET, "ms");
    report_plain(&bench->report, "... right person on top (enrolled from the same pictures)",
                 100.0 * (double)right / (double)samples.count, "%");
    return AIBOX_OK;
}

/* ---- recognised how soon ---- */

/* From the answer to the enrolment to the first answer that names the person. */
static enum aibox_status time_fresh(struct bench *bench, struct connection *connection, size_t picture, double *ms,
                                    struct aibox_error *err)
{
    char id[32], best[80] = "";
    struct buffer request;
    struct answer answer = {0};
    snprintf(id, sizeof id, "fresh-%zu", picture);
    request_match(&request, bench, bench->pictures.items[picture].frame);
    enum aibox_status status = call_enrol(bench, connection, id, bench->pictures.items[picture].original, err);
    int64_t start = clock_monotonic_ms();
    while (status == AIBOX_OK && strcmp(best, id) != 0) {
        status = connection_call(connection, &request, &answer, err);
        if (status == AIBOX_OK)
            status = check_answer(&answer, err);
        if (status == AIBOX_OK)
            answer_best(&answer, best, sizeof best);
        *ms = (double)(clock_monotonic_ms() - start);
        if (*ms > FRESH_GIVE_UP_MS)
            break;
    }
    buffer_free(&request);
    return status;
}

enum aibox_status measure_recognisable(struct bench *bench, struct aibox_error *err)
{
    struct samples samples = {0};
    struct connection connection;
    enum aibox_status status = connection_open(&bench->daemon, &connection, err);
    if (status != AIBOX_OK)
        return status;
    size_t enrolled = 0;
    while (enrolled < FRESH_PEOPLE && enrolled < bench->pictures.count && status == AIBOX_OK) {
        double ms = 0;
        status = time_fresh(bench, &connection, enrolled, &ms, err);
        enrolled += status == AIBOX_OK ? 1 : 0;
        samples_add(&samples, ms);
    }
    connection_close(&connection);
    struct aibox_error ignored;
    call_delete(bench, "fresh", enrolled, status == AIBOX_OK ? err : &ignored);
    if (status == AIBOX_OK)
        report_at_most(&bench->report, "enrolled to recognised, worst of 20, with the round trip",
                       samples_percentile(&samples, 1), FRESH_TARGET_MS, "ms");
    return status;
}

/* ---- enrolment ---- */

struct enrolment {
    struct bench *bench;
    atomic_size_t next, failed;
    pthread_mutex_t mu;
    struct aibox_error err; /* of the last that failed; guarded by mu */
};

static void *enrol_photos(void *arg)
{
    struct enrolment *run = arg;
    const struct pictures *pictures = &run->bench->pictures;
    struct connection connection;
    struct aibox_error err;
    enum aibox_status status = connection_open(&run->bench->daemon, &connection, &err);
    for (size_t i; (i = atomic_fetch_add(&run->next, 1)) < ENROL_PHOTOS;) {
        char id[32];
        snprintf(id, sizeof id, "new-%zu", i);
        if (status == AIBOX_OK)
            status = call_enrol(run->bench, &connection, id, pictures->items[i % pictures->count].original, &err);
        if (status == AIBOX_OK)
            continue;
        atomic_fetch_add(&run->failed, 1);
        pthread_mutex_lock(&run->mu);
        run->err = err;
        pthread_mutex_unlock(&run->mu);
    }
    connection_close(&connection);
    return NULL;
}

static enum aibox_status enrol_round(struct bench *bench, double *per_second, struct aibox_error *err)
{
    pthread_t threads[ENROL_CONNECTIONS];
    size_t started = 0;
    struct enrolment run = {.bench = bench, .mu = PTHREAD_MUTEX_INITIALIZER};
    int64_t start = clock_monotonic_us();
    while (started < ENROL_CONNECTIONS && pthread_create(&threads[started], NULL, enrol_photos, &run) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    *per_second = ENROL_PHOTOS / ((double)(clock_monotonic_us() - start) / 1e6);
    if (started == 0 || atomic_load(&run.failed) > 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "%zu of %d photos were not enrolled: %s", atomic_load(&run.failed),
                         ENROL_PHOTOS, run.err.message);
    return call_delete(bench, "new", ENROL_PHOTOS, err);
}

enum aibox_status measure_enrolment(struct bench *bench, struct aibox_error *err)
{
    struct samples samples = {0};
    char name[REPORT_TEXT];
    for (int i = 0; i < ENROL_ROUNDS && !atomic_load(&bench_stopped); i++) {
        double per_second = 0;
        enum aibox_status status = enrol_round(bench, &per_second, err);
        if (status != AIBOX_OK)
            return status;
        samples_add(&samples, per_second);
    }
    snprintf(name, sizeof name, "enrolment over REST, %s, 4 connections, median of %d", bench->pictures.source,
             ENROL_ROUNDS);
    report_at_least(&bench->report, name, samples_percentile(&samples, 0.5), ENROL_TARGET, "photos/s");
    return AIBOX_OK;
}
