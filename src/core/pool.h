/*
 * Worker pool: N threads fed by one bounded queue with two priorities. A person at a door (URGENT)
 * goes before bulk work (BULK); among equals, first come first served.
 */
#ifndef AIBOX_CORE_POOL_H
#define AIBOX_CORE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum pool_priority { POOL_URGENT, POOL_BULK };

struct pool;

/* Runs on a worker thread. `worker` is that thread's own context (see pool_open). */
typedef void (*pool_job)(void *worker, void *arg);

struct pool_options {
    const char *name;                              /* thread name, at most 12 characters */
    size_t threads;                                /* >= 1 */
    size_t queue_max[2];                           /* waiting jobs per priority at most */
    void *(*worker_open)(void *ctx, size_t index); /* per thread, may be NULL; returning NULL fails pool_open */
    void (*worker_close)(void *ctx, void *worker);
    void *ctx;
};

struct pool_counters {
    uint64_t done[2];
    uint64_t refused[2];
    size_t waiting[2];
    size_t running;
};

/* Starts the threads; returns when all have opened. */
enum aibox_status pool_open(const struct pool_options *options, struct pool **out, struct aibox_error *err);

/* Runs `job(worker, arg)` and waits for its end. While the queue of that priority is full the caller
 * waits up to `wait_ms` for room (0: refuse at once; < 0: for ever); no room: AIBOX_TOO_MANY_REQUESTS;
 * pool closing: AIBOX_PROCESS_FAILED; in both cases the job has not run and never will. */
enum aibox_status pool_run(struct pool *pool, enum pool_priority priority, int64_t wait_ms, pool_job job, void *arg,
                           struct aibox_error *err);

/* As pool_run, but returns as soon as the job is queued; `arg` must live until the job has run. */
enum aibox_status pool_submit(struct pool *pool, enum pool_priority priority, int64_t wait_ms, pool_job job, void *arg,
                              struct aibox_error *err);

void pool_count(struct pool *pool, struct pool_counters *out);
size_t pool_threads(const struct pool *pool);

/* Refuses new jobs, runs those already queued, ends the threads, frees. NULL is allowed. */
void pool_close(struct pool *pool);

#endif
