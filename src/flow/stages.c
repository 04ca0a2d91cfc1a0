#include "flow/stages.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "flow/flow.h"

/* Upper limits of the buckets, microseconds. */
static const int64_t limits_us[] = {100,   250,   500,    1000,   2500,   5000,   10000,
                                    25000, 50000, 100000, 250000, 500000, 1000000};
#define BUCKETS (sizeof limits_us / sizeof limits_us[0])

static const char *const names[STAGE_COUNT] = {"decode",     "detect", "landmarks", "quality", "liveness",
                                               "attributes", "embed",  "search",    "store",   "decision"};

struct stages {
    struct {
        _Atomic uint64_t buckets[BUCKETS + 1];
        _Atomic uint64_t sum_us;
    } of[STAGE_COUNT];
    _Atomic uint32_t recent_us[STAGES_RECENT]; /* of STAGE_DECISION, a ring */
    _Atomic uint64_t recent_count;             /* ever written to it */
};

struct stages *stages_new(void)
{
    return calloc(1, sizeof(struct stages));
}

void stages_free(struct stages *stages)
{
    free(stages);
}

void stages_add(struct stages *stages, enum stage stage, int64_t duration_us)
{
    size_t i = 0;
    while (i < BUCKETS && duration_us > limits_us[i])
        i++;
    atomic_fetch_add_explicit(&stages->of[stage].buckets[i], 1, memory_order_relaxed);
    if (duration_us > 0)
        atomic_fetch_add_explicit(&stages->of[stage].sum_us, (uint64_t)duration_us, memory_order_relaxed);
    if (stage == STAGE_DECISION) {
        uint64_t at = atomic_fetch_add_explicit(&stages->recent_count, 1, memory_order_relaxed);
        uint32_t us = duration_us < 0 ? 0 : duration_us > UINT32_MAX ? UINT32_MAX : (uint32_t)duration_us;
        atomic_store_explicit(&stages->recent_us[at % STAGES_RECENT], us, memory_order_relaxed);
    }
}

static int compare(const void *a, const void *b)
{
    const uint32_t *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

/* A place of the ring that is being written for the first time may read as 0; that is one in hundreds, for a moment. */
struct flow_latency stages_latency(const struct stages *stages)
{
    uint32_t us[STAGES_RECENT];
    uint64_t written = atomic_load_explicit(&stages->recent_count, memory_order_relaxed);
    size_t n = written < STAGES_RECENT ? (size_t)written : STAGES_RECENT;

    if (n == 0)
        return (struct flow_latency){0};
    for (size_t i = 0; i < n; i++)
        us[i] = atomic_load_explicit(&stages->recent_us[i], memory_order_relaxed);
    qsort(us, n, sizeof us[0], compare);
    size_t middle = (n - 1) / 2, last = (n - 1) * 99 / 100;
    return (struct flow_latency){.count = n, .p50_ms = (double)us[middle] / 1000, .p99_ms = (double)us[last] / 1000};
}

void stages_print(const struct stages *stages, struct buffer *out)
{
    buffer_append_text(out, "# HELP aibox_stage_seconds Time of one stage of the recognition pipeline.\n"
                            "# TYPE aibox_stage_seconds histogram\n");
    for (int s = 0; s < STAGE_COUNT; s++) {
        uint64_t total = 0;
        for (size_t i = 0; i < BUCKETS; i++) {
            total += atomic_load_explicit(&stages->of[s].buckets[i], memory_order_relaxed);
            buffer_appendf(out, "aibox_stage_seconds_bucket{stage=\"%s\",le=\"%g\"} %llu\n", names[s],
                           (double)limits_us[i] / 1e6, (unsigned long long)total);
        }
        total += atomic_load_explicit(&stages->of[s].buckets[BUCKETS], memory_order_relaxed);
        buffer_appendf(out, "aibox_stage_seconds_bucket{stage=\"%s\",le=\"+Inf\"} %llu\n", names[s],
                       (unsigned long long)total);
        buffer_appendf(out,
                       "aibox_stage_seconds_sum{stage=\"%s\"} %.6f\naibox_stage_seconds_count{stage=\"%s\"} %llu\n",
                       names[s], (double)atomic_load_explicit(&stages->of[s].sum_us, memory_order_relaxed) / 1e6,
                       names[s], (unsigned long long)total);
    }
}
