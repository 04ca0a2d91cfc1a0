/* Start, memory, REST reads: the box as such. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "bench.h"
#include "load.h"
#include "samples.h"

#define STARTS            5
#define START_TARGET_MS   2000
#define READ_CONNECTIONS  16
#define READ_SECONDS      3.0
#define READ_ROUNDS       3
#define READS_TARGET      10000
#define PADS              10
#define CALLS_PER_PAD     10
#define MEMORY_TARGET_MIB 250

enum aibox_status measure_start(struct bench *bench, struct aibox_error *err)
{
    struct samples samples = {0};
    char name[REPORT_TEXT];
    daemon_stop(&bench->daemon);
    for (int i = 0; i < STARTS; i++) {
        daemon_stop(&bench->daemon);
        enum aibox_status status = bench_start_box(bench, err);
        if (status != AIBOX_OK)
            return status;
        samples_add(&samples, bench->daemon.ready_ms);
    }
    snprintf(name, sizeof name, "start to ready, %zu people, median of %d", bench->people, STARTS);
    report_at_most(&bench->report, name, samples_percentile(&samples, 0.5), START_TARGET_MS, "ms");
    return AIBOX_OK;
}

enum aibox_status measure_reads(struct bench *bench, struct aibox_error *err)
{
    struct samples samples = {0};
    struct buffer request;
    struct load_result result = {0};
    enum aibox_status status = AIBOX_OK;
    buffer_init(&request, 4096);
    request_build(&request, &bench->daemon, "GET",
                  "/SophonFogSys/api/users?group_name=default_group&limit=10&skip_num=100&need_reg_photo=false", "");
    for (int i = 0; i < READ_ROUNDS && status == AIBOX_OK; i++) {
        status = load_run(&bench->daemon, &request, READ_CONNECTIONS, READ_SECONDS, &result, err);
        if (status == AIBOX_OK && result.failures > 0)
            status = error_set(err, AIBOX_PROCESS_FAILED, "%zu of %zu reads failed", result.failures, result.answers);
        samples_add(&samples, result.per_second);
    }
    buffer_free(&request);
    if (status == AIBOX_OK)
        report_at_least(&bench->report, "REST reads, page of 10 people, 16 connections, median of 3",
                        samples_percentile(&samples, 0.5), READS_TARGET, "a second");
    return status;
}

/* ---- memory ---- */

struct pad {
    struct bench *bench;
    size_t first; /* picture */
    struct connection connection;
    pthread_t thread;
    bool running;
    enum aibox_status status;
    struct aibox_error err;
};

static void *use_pad(void *arg)
{
    struct pad *pad = arg;
    const struct pictures *pictures = &pad->bench->pictures;
    for (size_t i = 0; i < CALLS_PER_PAD && pad->status == AIBOX_OK; i++) {
        struct buffer request;
        struct answer answer = {0};
        request_match(&request, pad->bench, pictures->items[(pad->first + i) % pictures->count].frame);
        pad->status = connection_call(&pad->connection, &request, &answer, &pad->err);
        if (pad->status == AIBOX_OK)
            pad->status = check_answer(&answer, &pad->err);
        buffer_free(&request);
    }
    return NULL;
}

/* All at once: every buffer that the box keeps per connection and per worker has been in use. */
enum aibox_status measure_memory(struct bench *bench, struct aibox_error *err)
{
    struct pad pads[PADS];
    size_t opened = 0;
    char name[REPORT_TEXT];
    enum aibox_status status = AIBOX_OK;
    for (size_t i = 0; i < PADS && status == AIBOX_OK; i++) {
        pads[i] = (struct pad){.bench = bench, .first = i * CALLS_PER_PAD};
        status = connection_open(&bench->daemon, &pads[i].connection, err);
        opened += status == AIBOX_OK ? 1 : 0;
    }
    for (size_t i = 0; i < opened; i++)
        pads[i].running = pthread_create(&pads[i].thread, NULL, use_pad, &pads[i]) == 0;
    for (size_t i = 0; i < opened; i++) {
        if (pads[i].running)
            pthread_join(pads[i].thread, NULL);
        if (status == AIBOX_OK && (pads[i].status != AIBOX_OK || !pads[i].running))
            status = error_set(err, AIBOX_PROCESS_FAILED, "a PAD failed: %s", pads[i].err.message);
    }
    snprintf(name, sizeof name, "resident memory, %zu people, %d PADs", bench->people, PADS);
    if (status == AIBOX_OK)
        report_at_most(&bench->report, name, daemon_resident_mib(&bench->daemon), MEMORY_TARGET_MIB, "MiB");
    for (size_t i = 0; i < opened; i++)
        connection_close(&pads[i].connection);
    return status;
}
