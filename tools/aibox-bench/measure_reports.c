/* Decisions while a receiver of reports hangs, and how soon an event reaches one that doesn't. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "core/clock.h"
#include "receiver.h"
#include "samples.h"

#define PEOPLE         30
#define PERIOD_MS      100 /* 10 decisions a second */
#define WARM_UP        20
#define ROUNDS         3   /* without and with, by turns, so that other load hits both */
#define CALLS          100 /* a round */
#define HANGING_TARGET 20  /* % more */
#define ARRIVAL_TARGET 20  /* ms */
#define GIVE_UP_MS     2000

/* Sends events to the receiver's port, 0: nowhere. History only with `history`. */
static enum aibox_status set_receiver(struct bench *bench, struct connection *connection, int port, bool history,
                                      struct aibox_error *err)
{
    const char *const paths[] = {"/SophonFogSys/api/EventServerUrl", "/SophonFogSys/api/HistoryEventUrl"};
    const char *const names[] = {"event_server_url", "history_upload_event_url"};
    enum aibox_status status = AIBOX_OK;
    for (size_t i = 0; i < 2 && status == AIBOX_OK; i++) {
        struct buffer request;
        struct answer answer = {0};
        char url[64] = "", body[256];
        if (port != 0 && (i == 0 || history))
            snprintf(url, sizeof url, "http://127.0.0.1:%d/events", port);
        snprintf(body, sizeof body, "{\"%s\":[\"%s\"],\"content-type\":\"json\"%s}", names[i], url,
                 i == 0 ? ",\"real_need_send_all_person_type\":true" : ",\"reported_peroid\":1");
        buffer_init(&request, 4096);
        request_build(&request, &bench->daemon, "POST", paths[i], body);
        status = request.failed ? error_set(err, AIBOX_PROCESS_FAILED, "out of memory")
                                : connection_call(connection, &request, &answer, err);
        if (status == AIBOX_OK)
            status = check_answer(&answer, err);
        buffer_free(&request);
    }
    return status;
}

/* One decision; *answered_us: when its answer was read. */
static enum aibox_status decide(struct bench *bench, struct connection *connection, size_t i, double *took_ms,
                                int64_t *answered_us, struct aibox_error *err)
{
    struct buffer request;
    struct answer answer = {0};
    *took_ms = 0;
    *answered_us = 0;
    if (bench->pictures.count == 0)
        return error_set(err, AIBOX_PARAM, "there are no pictures to ask about");
    request_match(&request, bench, bench->pictures.items[i % PEOPLE % bench->pictures.count].frame);
    int64_t start_us = clock_monotonic_us();
    enum aibox_status status = connection_call(connection, &request, &answer, err);
    *answered_us = clock_monotonic_us();
    *took_ms = (double)(*answered_us - start_us) / 1000;
    buffer_free(&request);
    return status == AIBOX_OK ? check_answer(&answer, err) : status;
}

/* `samples` NULL: nothing is noted. */
static enum aibox_status decide_many(struct bench *bench, struct connection *connection, size_t n,
                                     struct samples *samples, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    int64_t next_us = clock_monotonic_us(), answered_us;
    for (size_t i = 0; i < n && status == AIBOX_OK && !atomic_load(&bench_stopped); i++) {
        double took_ms;
        bench_sleep_until(next_us);
        next_us += PERIOD_MS * 1000;
        status = decide(bench, connection, i, &took_ms, &answered_us, err);
        if (status == AIBOX_OK && samples)
            samples_add(samples, took_ms);
    }
    return status;
}

static enum aibox_status measure_hanging(struct bench *bench, struct connection *connection, struct aibox_error *err)
{
    static struct samples without, with;
    struct receiver *receiver = NULL;
    char name[REPORT_TEXT];
    without.count = with.count = 0;
    enum aibox_status status = receiver_open(true, &receiver, err);
    if (status == AIBOX_OK)
        status = decide_many(bench, connection, WARM_UP, NULL, err);
    for (int round = 0; round < ROUNDS && status == AIBOX_OK; round++) {
        status = set_receiver(bench, connection, 0, false, err);
        if (status == AIBOX_OK)
            status = decide_many(bench, connection, CALLS, &without, err);
        if (status == AIBOX_OK)
            status = set_receiver(bench, connection, receiver_port(receiver), true, err);
        if (status == AIBOX_OK)
            status = decide_many(bench, connection, CALLS, &with, err);
    }
    if (status == AIBOX_OK && receiver_count(receiver) == 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "no report came to the receiver");
    receiver_close(receiver);
    if (status != AIBOX_OK || with.count == 0)
        return status;
    double alone = samples_percentile(&without, 0.99), beside = samples_percentile(&with, 0.99);
    snprintf(name, sizeof name, "decisions, %d a second, no receiver, p99 of %zu", 1000 / PERIOD_MS, without.count);
    report_plain(&bench->report, name, alone, "ms");
    report_plain(&bench->report, "... while receivers of real-time events and history hang, p99", beside, "ms");
    report_at_most(&bench->report, "... that is more by", 100 * (beside - alone) / alone, HANGING_TARGET, "%");
    return AIBOX_OK;
}

static enum aibox_status measure_arrival(struct bench *bench, struct connection *connection, struct aibox_error *err)
{
    static struct samples samples;
    struct receiver *receiver = NULL;
    samples.count = 0;
    enum aibox_status status = receiver_open(false, &receiver, err);
    if (status == AIBOX_OK)
        status = set_receiver(bench, connection, receiver_port(receiver), false, err);
    for (size_t i = 0; i < WARM_UP + CALLS && status == AIBOX_OK && !atomic_load(&bench_stopped); i++) {
        int64_t answered_us, arrived_us, next_us = clock_monotonic_us() + PERIOD_MS * 1000;
        double took_ms;
        size_t before = receiver_count(receiver);
        status = decide(bench, connection, i, &took_ms, &answered_us, err);
        if (status == AIBOX_OK && !receiver_wait(receiver, before + 1, GIVE_UP_MS, &arrived_us))
            status = error_set(err, AIBOX_PROCESS_FAILED, "an event did not come to the receiver");
        else if (status == AIBOX_OK && i >= WARM_UP) /* it may be there before the answer is read */
            samples_add(&samples, fmax((double)(arrived_us - answered_us) / 1000, 0));
        bench_sleep_until(next_us);
    }
    receiver_close(receiver);
    if (status != AIBOX_OK || samples.count == 0)
        return status;
    report_at_most(&bench->report, "real-time event at an idle receiver after the decision, p50",
                   samples_percentile(&samples, 0.5), ARRIVAL_TARGET, "ms");
    report_plain(&bench->report, "... p99", samples_percentile(&samples, 0.99), "ms");
    return AIBOX_OK;
}

enum aibox_status measure_reports(struct bench *bench, struct aibox_error *err)
{
    struct connection connection;
    struct aibox_error ignored;
    size_t n = 0;
    enum aibox_status status = connection_open(&bench->daemon, &connection, err);
    if (status != AIBOX_OK)
        return status;
    for (; n < PEOPLE && n < bench->pictures.count && status == AIBOX_OK; n++) {
        char id[32];
        snprintf(id, sizeof id, "reports-%zu", n);
        status = call_enrol(bench, &connection, id, bench->pictures.items[n].original, err);
    }
    if (status == AIBOX_OK) {
        daemon_wait_idle(&bench->daemon);
        status = measure_hanging(bench, &connection, err);
    }
    if (status == AIBOX_OK)
        status = measure_arrival(bench, &connection, err);
    (void)set_receiver(bench, &connection, 0, false, &ignored);
    connection_close(&connection);
    (void)call_delete(bench, "reports", n, &ignored);
    return status;
}
