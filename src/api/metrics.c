#include "api/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/clock.h"

/* Upper ends of the latency histogram's buckets. */
static const int64_t bucket_us[] = {250,   500,    1000,   2500,   5000,    10000,   25000,
                                    50000, 100000, 250000, 500000, 1000000, 2500000, 10000000};

#define BUCKETS (sizeof bucket_us / sizeof bucket_us[0])
#define CLASSES 4 /* 2xx to 5xx */

struct metric {
    atomic_uint_fast64_t by_class[CLASSES];
    atomic_uint_fast64_t buckets[BUCKETS + 1]; /* each on its own, not cumulative; the last is beyond all */
    atomic_uint_fast64_t sum_us;
    atomic_uint_fast64_t bytes_in, bytes_out;
    atomic_int_fast64_t in_flight;
    atomic_uint_fast64_t abandoned;
};

struct metrics {
    const struct api_endpoint *table;
    size_t count; /* rows of the table; metrics of one more */
    int64_t started_ms;
    int64_t started_unix_ms;
    struct metric of[];
};

enum aibox_status metrics_open(const struct api_endpoint *table, size_t n, struct metrics **out,
                               struct aibox_error *err)
{
    struct metrics *metrics = calloc(1, sizeof *metrics + (n + 1) * sizeof metrics->of[0]);

    *out = metrics;
    if (!metrics)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    metrics->table = table;
    metrics->count = n;
    metrics->started_ms = clock_monotonic_ms();
    metrics->started_unix_ms = clock_realtime_ms();
    return AIBOX_OK;
}

void metrics_close(struct metrics *metrics)
{
    free(metrics);
}

struct metric *metrics_of(struct metrics *metrics, const struct api_endpoint *endpoint)
{
    return &metrics->of[endpoint ? (size_t)(endpoint - metrics->table) : metrics->count];
}

static void add(atomic_uint_fast64_t *counter, uint64_t amount)
{
    (void)atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void metric_begin(struct metric *metric)
{
    (void)atomic_fetch_add_explicit(&metric->in_flight, 1, memory_order_relaxed);
}

void metric_end(struct metric *metric, int http_status, int64_t took_us, size_t bytes_in, size_t bytes_out)
{
    int class = http_status / 100 - 2;
    size_t bucket = 0;

    while (bucket < BUCKETS && took_us > bucket_us[bucket])
        bucket++;
    add(&metric->buckets[bucket], 1);
    add(&metric->by_class[class < 0 ? 0 : class >= CLASSES ? CLASSES - 1 : class], 1);
    add(&metric->sum_us, took_us > 0 ? (uint64_t)took_us : 0);
    add(&metric->bytes_in, bytes_in);
    add(&metric->bytes_out, bytes_out);
    (void)atomic_fetch_sub_explicit(&metric->in_flight, 1, memory_order_relaxed);
}

void metric_abandon(struct metric *metric)
{
    add(&metric->abandoned, 1);
    (void)atomic_fetch_sub_explicit(&metric->in_flight, 1, memory_order_relaxed);
}

static void head(struct buffer *out, const char *name, const char *type, const char *help)
{
    (void)buffer_appendf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static uint64_t count_of(const struct metric *metric)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= BUCKETS; i++)
        count += get(&metric->buckets[i]);
    return count;
}

/* The labels of one endpoint, without braces. */
static void print_labels(const struct metrics *metrics, size_t index, struct buffer *out)
{
    if (index < metrics->count)
        (void)buffer_appendf(out, "method=\"%s\",path=\"%s\"", metrics->table[index].method,
                             metrics->table[index].path);
    else
        (void)buffer_append_text(out, "method=\"\",path=\"\"");
}

/* One line of a counter for each endpoint that was ever called. */
static void print_each(const struct metrics *metrics, const char *name, size_t offset, struct buffer *out)
{
    for (size_t i = 0; i <= metrics->count; i++) {
        const struct metric *metric = &metrics->of[i];
        const atomic_uint_fast64_t *counter = (const void *)((const char *)metric + offset);

        if (count_of(metric) == 0)
            continue;
        (void)buffer_appendf(out, "%s{", name);
        print_labels(metrics, i, out);
        (void)buffer_appendf(out, "} %" PRIu64 "\n", get(counter));
    }
}

static void print_requests(const struct metrics *metrics, struct buffer *out)
{
    head(out, "aibox_http_requests_total", "counter", "Calls answered, by class of HTTP status.");
    for (size_t i = 0; i <= metrics->count; i++)
        for (int class = 0; class < CLASSES; class ++) {
            uint64_t value = get(&metrics->of[i].by_class[class]);

            if (value == 0)
                continue;
            (void)buffer_append_text(out, "aibox_http_requests_total{");
            print_labels(metrics, i, out);
            (void)buffer_appendf(out, ",status=\"%dxx\"} %" PRIu64 "\n", class + 2, value);
        }
}

static void print_histogram(const struct metrics *metrics, size_t index, struct buffer *out)
{
    static const char name[] = "aibox_http_request_duration_seconds";
    const struct metric *metric = &metrics->of[index];
    uint64_t count = 0;

    for (size_t i = 0; i <= BUCKETS; i++) {
        count += get(&metric->buckets[i]);
        (void)buffer_appendf(out, "%s_bucket{", name);
        print_labels(metrics, index, out);
        if (i < BUCKETS)
            (void)buffer_appendf(out, ",le=\"%g\"} %" PRIu64 "\n", (double)bucket_us[i] / 1e6, count);
        else
            (void)buffer_appendf(out, ",le=\"+Inf\"} %" PRIu64 "\n", count);
    }
    (void)buffer_appendf(out, "%s_sum{", name);
    print_labels(metrics, index, out);
    (void)buffer_appendf(out, "} %.6f\n%s_count{", (double)get(&metric->sum_us) / 1e6, name);
    print_labels(metrics, index, out);
    (void)buffer_appendf(out, "} %" PRIu64 "\n", count);
}

static void print_calls(const struct metrics *metrics, struct buffer *out)
{
    int64_t in_flight = 0;

    print_requests(metrics, out);
    head(out, "aibox_http_request_duration_seconds", "histogram",
         "Time from the end of a request to the beginning of its answer.");
    for (size_t i = 0; i <= metrics->count; i++) {
        if (count_of(&metrics->of[i]) > 0)
            print_histogram(metrics, i, out);
        in_flight += atomic_load_explicit(&metrics->of[i].in_flight, memory_order_relaxed);
    }
    head(out, "aibox_http_request_bytes_total", "counter", "Bytes of request bodies.");
    print_each(metrics, "aibox_http_request_bytes_total", offsetof(struct metric, bytes_in), out);
    head(out, "aibox_http_response_bytes_total", "counter", "Bytes of answers' bodies.");
    print_each(metrics, "aibox_http_response_bytes_total", offsetof(struct metric, bytes_out), out);
    head(out, "aibox_http_requests_abandoned_total", "counter", "Calls whose client left before the answer.");
    print_each(metrics, "aibox_http_requests_abandoned_total", offsetof(struct metric, abandoned), out);
    head(out, "aibox_http_requests_in_flight", "gauge", "Calls being worked on.");
    (void)buffer_appendf(out, "aibox_http_requests_in_flight %" PRId64 "\n", in_flight);
}

/* Resident memory by /proc (proc(5), statm: pages, the second figure); 0 where there is none. */
static uint64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    char line[128] = "";
    char *at;

    if (!file)
        return 0;
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    (void)fclose(file);
    (void)strtoull(line, &at, 10);
    return strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void metrics_print(struct metrics *metrics, struct buffer *out)
{
    struct rusage usage = {0};

    head(out, "aibox_build_info", "gauge", "The running version.");
    (void)buffer_append_text(out, "aibox_build_info{version=\"" AIBOX_VERSION "\"} 1\n");
    head(out, "aibox_uptime_seconds", "gauge", "Time since the API was opened.");
    (void)buffer_appendf(out, "aibox_uptime_seconds %.3f\n",
                         (double)(clock_monotonic_ms() - metrics->started_ms) / 1000);
    (void)getrusage(RUSAGE_SELF, &usage);
    head(out, "process_cpu_seconds_total", "counter", "Processor time used.");
    (void)buffer_appendf(out, "process_cpu_seconds_total %.3f\n", seconds(usage.ru_utime) + seconds(usage.ru_stime));
    head(out, "process_resident_memory_bytes", "gauge", "Resident memory.");
    (void)buffer_appendf(out, "process_resident_memory_bytes %" PRIu64 "\n", resident_bytes());
    head(out, "process_start_time_seconds", "gauge", "Unix time at which the API was opened.");
    (void)buffer_appendf(out, "process_start_time_seconds %.3f\n", (double)metrics->started_unix_ms / 1000);
    print_calls(metrics, out);
}
