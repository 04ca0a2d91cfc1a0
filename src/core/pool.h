/*
 * Worker pool: N threads fed by one bounded queue with three priorities. A person at a door (URGENT) goes before what
 * comes steadily (STEADY, the frames of video cameras), and that before bulk work (BULK); among equals, first come
 * first served. What comes steadily may never end: after every POOL_STEADY_TURNS of its jobs one of the bulk work gets
 * its turn.
 */
#ifndef AIBOX_CORE_POOL_H
#define AIBOX_CORE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum pool_priority { POOL_URGENT, POOL_STEADY, POOL_BULK, POOL_PRIORITIES };

#define POOL_STEADY_TURNS 4

struct pool;

/* Runs on a worker thread. `worker` is that thread's own context (see pool_open). */
typedef void (*pool_job)(void *worker, void *arg);

struct pool_options {
    const char *name;                  /* thread name, at most 12 characters count */
    size_t threads;                    /* >= 1 */
    size_t queue_max[POOL_PRIORITIES]; /* waiting jobs per priority at most; 0: none is ever handed in; not all 0 */
    /* Both run on the worker thread itself and may be NULL (`worker` is NULL then). worker_open is called
     * once per thread, for several at the same time; returning NULL fails pool_open. */
    void *(*worker_open)(void *ctx, size_t index);
    void (*worker_close)(void *ctx, void *worker);
    void *ctx;
};

struct pool_counters {
    uint64_t done[POOL_PRIORITIES];    /* jobs that have run */
    uint64_t refused[POOL_PRIORITIES]; /* calls answered TOO_MANY_REQUESTS, or refused by closing */
    size_t waiting[POOL_PRIORITIES];   /* queued now */
    size_t blocked[POOL_PRIORITIES];   /* callers waiting for room in the queue now */
    size_t running;                    /* being run now */
};

/*
 * Starts the threads, with all signals blocked; returns when all have opened. PARAM for options out of
 * range; PROCESS_FAILED when a thread or its worker_open fails, with everything closed again.
 */
enum aibox_status pool_open(const struct pool_options *options, struct pool **out, struct aibox_error *err);

/*
 * Runs `job(worker, arg)` and waits for its end. While the queue of that priority is full the caller
 * waits up to `wait_ms` for room (0: refuse at once; < 0: for ever), behind those who wait already; no
 * room: AIBOX_TOO_MANY_REQUESTS; pool closing: AIBOX_PROCESS_FAILED; in both cases the job has not run
 * and never will. Any thread but the pool's own workers, who would wait for themselves (assert).
 */
enum aibox_status pool_run(struct pool *pool, enum pool_priority priority, int64_t wait_ms, pool_job job, void *arg,
                           struct aibox_error *err);

/* As pool_run, but returns as soon as the job is queued; `arg` must live until the job has run. A job
 * may submit further jobs to its own pool, with wait_ms 0 only (assert). */
enum aibox_status pool_submit(struct pool *pool, enum pool_priority priority, int64_t wait_ms, pool_job job, void *arg,
                              struct aibox_error *err);

void pool_count(struct pool *pool, struct pool_counters *out);
size_t pool_threads(const struct pool *pool);

/*
 * Refuses new jobs and callers still waiting for room, runs those already queued, ends the threads, waits until
 * every call that was under way has left, frees. A call that may begin after pool_close has returned
 * is the caller's bug. NULL is allowed. Not from a worker.
 */
void pool_close(struct pool *pool);

#endif
