/*
 * One mutex guards everything. Invariants, whenever it is free:
 *
 *   1. queued[p] <= queue_max[p].
 *   2. Callers wait for room in priority p only while its queue is full: who takes a job out of a
 *      full queue puts the first waiting caller's job in (admit_waiter). So a new caller can never
 *      overtake one who waits.
 *   3. A `struct call` lives on its caller's stack until `state` is ADMITTED and, for pool_run, `ended`:
 *      after setting these nobody touches it again, other than by signalling with the mutex held.
 */
#include "core/pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"

/* A caller inside pool_run or pool_submit who has to wait for something. */
struct call {
    pthread_cond_t changed;
    bool admitted; /* the job is in the queue, or further */
    bool ended;    /* the job has run */
    struct job *job;
    struct call *next; /* next caller waiting for room */
};

struct job {
    pool_job run;
    void *arg;
    struct call *ender; /* told when the job has run; NULL for pool_submit */
};

/* Ring of queued jobs and the line of callers waiting for room in it. */
struct lane {
    struct job *ring; /* queue_max entries */
    size_t queue_max;
    size_t first;
    size_t queued;
    struct call *waiters; /* first come first */
    size_t blocked;       /* length of `waiters` */
    uint64_t done;
    uint64_t refused;
};

struct worker {
    struct pool *pool;
    pthread_t thread;
    size_t index;
    void *context;
};

struct pool {
    pthread_mutex_t mu;
    pthread_cond_t work;    /* a job was queued, or closing */
    pthread_cond_t settled; /* a worker has opened, or the last caller has left while closing */

    struct lane lanes[POOL_PRIORITIES];
    unsigned steady_turns; /* jobs of POOL_STEADY since bulk work had its turn or wanted none */
    size_t running;
    size_t calls; /* callers inside pool_run and pool_submit */
    bool closing;

    /* Written by pool_open alone, but for `opened` and `open_failed`. */
    struct pool_options options;
    char name[13];
    struct worker *workers;
    size_t started; /* threads */
    size_t opened;
    bool open_failed;
};

/* The pool whose worker this thread is. */
static _Thread_local const struct pool *own_pool;

static void queue_job(struct pool *pool, struct lane *lane, struct job job)
{
    lane->ring[(lane->first + lane->queued) % lane->queue_max] = job;
    lane->queued++;
    pthread_cond_signal(&pool->work);
}

/* With room made in `lane`: lets the first waiting caller in. */
static void admit_waiter(struct pool *pool, struct lane *lane)
{
    struct call *call = lane->waiters;

    if (!call || pool->closing)
        return;
    lane->waiters = call->next;
    lane->blocked--;
    queue_job(pool, lane, *call->job);
    call->admitted = true;
    pthread_cond_signal(&call->changed);
}

/* Whose turn it is; NULL when nothing is queued. */
static struct lane *next_lane(struct pool *pool)
{
    struct lane *urgent = &pool->lanes[POOL_URGENT];
    struct lane *steady = &pool->lanes[POOL_STEADY];
    struct lane *bulk = &pool->lanes[POOL_BULK];

    if (urgent->queued)
        return urgent;
    if (steady->queued && (!bulk->queued || pool->steady_turns < POOL_STEADY_TURNS)) {
        pool->steady_turns++;
        return steady;
    }
    pool->steady_turns = 0;
    return bulk->queued ? bulk : NULL;
}

/* Takes the next job. False when nothing is queued. */
static bool take_job(struct pool *pool, struct job *job, struct lane **from)
{
    struct lane *lane = next_lane(pool);

    if (!lane)
        return false;
    *job = lane->ring[lane->first];
    lane->first = (lane->first + 1) % lane->queue_max;
    lane->queued--;
    admit_waiter(pool, lane);
    *from = lane;
    return true;
}

/* Runs jobs until the pool closes and its queues are empty. Called and returns with the mutex held. */
static void work(struct pool *pool, void *context)
{
    for (;;) {
        struct lane *lane;
        struct job job;

        if (!take_job(pool, &job, &lane)) {
            if (pool->closing)
                return;
            pthread_cond_wait(&pool->work, &pool->mu);
            continue;
        }
        pool->running++;
        pthread_mutex_unlock(&pool->mu);
        job.run(context, job.arg);
        pthread_mutex_lock(&pool->mu);
        pool->running--;
        lane->done++;
        if (job.ender) {
            job.ender->ended = true;
            pthread_cond_signal(&job.ender->changed);
        }
    }
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    const struct pool_options *options = &pool->options;
    char name[16];
    bool failed = false;

    own_pool = pool;
    (void)snprintf(name, sizeof name, "%s-%zu", pool->name, worker->index % 100);
    (void)pthread_setname_np(pthread_self(), name);
    if (options->worker_open) {
        worker->context = options->worker_open(options->ctx, worker->index);
        failed = !worker->context;
    }
    pthread_mutex_lock(&pool->mu);
    pool->opened++;
    pool->open_failed |= failed;
    pthread_cond_signal(&pool->settled);
    if (!failed)
        work(pool, worker->context);
    pthread_mutex_unlock(&pool->mu);
    if (options->worker_close && !failed)
        options->worker_close(options->ctx, worker->context);
    return NULL;
}

/* Starts the threads with all signals blocked, so that signals go to the thread that wants them. */
static bool start_threads(struct pool *pool)
{
    sigset_t all;
    sigset_t before;
    bool started = true;

    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    while (started && pool->started < pool->options.threads) {
        struct worker *worker = &pool->workers[pool->started];

        *worker = (struct worker){.pool = pool, .index = pool->started};
        started = pthread_create(&worker->thread, NULL, worker_main, worker) == 0;
        if (started)
            pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void free_pool(struct pool *pool)
{
    for (size_t i = 0; i < POOL_PRIORITIES; i++)
        free(pool->lanes[i].ring);
    free(pool->workers);
    free(pool);
}

/* A pool without threads; NULL when out of memory. */
static struct pool *make_pool(const struct pool_options *options)
{
    struct pool *pool = calloc(1, sizeof *pool);

    if (!pool)
        return NULL;
    pool->options = *options;
    (void)snprintf(pool->name, sizeof pool->name, "%.12s", options->name);
    pool->workers = calloc(options->threads, sizeof *pool->workers);
    if (!pool->workers)
        goto fail;
    for (size_t i = 0; i < POOL_PRIORITIES; i++) {
        pool->lanes[i].queue_max = options->queue_max[i];
        if (options->queue_max[i] == 0)
            continue;
        pool->lanes[i].ring = calloc(options->queue_max[i], sizeof *pool->lanes[i].ring);
        if (!pool->lanes[i].ring)
            goto fail;
    }
    if (pthread_mutex_init(&pool->mu, NULL) != 0)
        goto fail;
    if (!clock_cond_init(&pool->work))
        goto fail_mutex;
    if (!clock_cond_init(&pool->settled))
        goto fail_work;
    return pool;

fail_work:
    pthread_cond_destroy(&pool->work);
fail_mutex:
    pthread_mutex_destroy(&pool->mu);
fail:
    free_pool(pool);
    return NULL;
}

static bool has_room(const struct pool_options *options)
{
    size_t room = 0;

    for (size_t i = 0; i < POOL_PRIORITIES; i++)
        room |= options->queue_max[i];
    return room > 0;
}

enum aibox_status pool_open(const struct pool_options *options, struct pool **out, struct aibox_error *err)
{
    struct pool *pool;
    bool opened;

    *out = NULL;
    if (!options->name || options->threads < 1 || !has_room(options))
        return error_set(err, AIBOX_PARAM, "a pool needs a name, a thread and room for a job");
    pool = make_pool(options);
    if (!pool)
        return error_set(err, AIBOX_PROCESS_FAILED, "pool %s: out of memory", options->name);
    opened = start_threads(pool);
    pthread_mutex_lock(&pool->mu);
    while (pool->opened < pool->started)
        pthread_cond_wait(&pool->settled, &pool->mu);
    opened = opened && !pool->open_failed;
    pthread_mutex_unlock(&pool->mu);
    if (!opened) {
        pool_close(pool);
        return error_set(err, AIBOX_PROCESS_FAILED, "pool %s: a worker can't start", options->name);
    }
    *out = pool;
    return AIBOX_OK;
}

/* Takes `call` out of the line; it has not been admitted, so it is there. */
static void leave_line(struct lane *lane, struct call *call)
{
    struct call **link = &lane->waiters;

    while (*link != call)
        link = &(*link)->next;
    *link = call->next;
    lane->blocked--;
}

/* Waits in line until admitted, `wait_ms` have passed, or the pool closes. True: admitted. */
static bool wait_for_room(struct pool *pool, struct lane *lane, struct call *call, int64_t wait_ms)
{
    struct timespec deadline = clock_deadline(wait_ms);
    struct call **end = &lane->waiters;
    int result = 0;

    while (*end)
        end = &(*end)->next;
    *end = call;
    lane->blocked++;
    while (!call->admitted && !pool->closing && result == 0) {
        if (wait_ms < 0)
            result = pthread_cond_wait(&call->changed, &pool->mu);
        else
            result = pthread_cond_timedwait(&call->changed, &pool->mu, &deadline);
    }
    if (!call->admitted)
        leave_line(lane, call);
    return call->admitted;
}

/* Queues the job, waiting for room if need be. Called with the mutex held. */
static enum aibox_status enqueue(struct pool *pool, struct lane *lane, int64_t wait_ms, struct call *call,
                                 struct aibox_error *err)
{
    if (!pool->closing && lane->queued < lane->queue_max) {
        queue_job(pool, lane, *call->job);
        return AIBOX_OK;
    }
    if (!pool->closing && wait_ms != 0 && wait_for_room(pool, lane, call, wait_ms))
        return AIBOX_OK;
    lane->refused++;
    if (pool->closing)
        return error_set(err, AIBOX_PROCESS_FAILED, "shutting down");
    return error_set(err, AIBOX_TOO_MANY_REQUESTS, NULL);
}

/* Queues a job and, if so wanted, waits for its end. */
static enum aibox_status enter(struct pool *pool, enum pool_priority priority, int64_t wait_ms, struct job job,
                               bool wait_for_end, struct aibox_error *err)
{
    struct call call = {.job = &job};
    enum aibox_status status;

    assert((unsigned)priority < POOL_PRIORITIES && pool->options.queue_max[priority] > 0);
    if (!clock_cond_init(&call.changed))
        return error_set(err, AIBOX_PROCESS_FAILED, NULL);
    if (wait_for_end)
        job.ender = &call;
    pthread_mutex_lock(&pool->mu);
    pool->calls++;
    status = enqueue(pool, &pool->lanes[priority], wait_ms, &call, err);
    while (status == AIBOX_OK && wait_for_end && !call.ended)
        pthread_cond_wait(&call.changed, &pool->mu);
    pool->calls--;
    if (pool->closing && pool->calls == 0)
        pthread_cond_signal(&pool->settled);
    pthread_mutex_unlock(&pool->mu);
    pthread_cond_destroy(&call.changed);
    return status;
}

enum aibox_status pool_run(struct pool *pool, enum pool_priority priority, int64_t wait_ms, pool_job job, void *arg,
                           struct aibox_error *err)
{
    assert(own_pool != pool);
    return enter(pool, priority, wait_ms, (struct job){.run = job, .arg = arg}, true, err);
}

enum aibox_status pool_submit(struct pool *pool, enum pool_priority priority, int64_t wait_ms, pool_job job, void *arg,
                              struct aibox_error *err)
{
    assert(own_pool != pool || wait_ms == 0);
    return enter(pool, priority, wait_ms, (struct job){.run = job, .arg = arg}, false, err);
}

void pool_count(struct pool *pool, struct pool_counters *out)
{
    pthread_mutex_lock(&pool->mu);
    for (size_t i = 0; i < POOL_PRIORITIES; i++) {
        out->done[i] = pool->lanes[i].done;
        out->refused[i] = pool->lanes[i].refused;
        out->waiting[i] = pool->lanes[i].queued;
        out->blocked[i] = pool->lanes[i].blocked;
    }
    out->running = pool->running;
    pthread_mutex_unlock(&pool->mu);
}

size_t pool_threads(const struct pool *pool)
{
    return pool->options.threads;
}

void pool_close(struct pool *pool)
{
    if (!pool)
        return;
    assert(own_pool != pool);
    pthread_mutex_lock(&pool->mu);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    for (size_t i = 0; i < POOL_PRIORITIES; i++)
        for (struct call *call = pool->lanes[i].waiters; call; call = call->next)
            pthread_cond_signal(&call->changed);
    pthread_mutex_unlock(&pool->mu);
    for (size_t i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_mutex_lock(&pool->mu);
    while (pool->calls > 0)
        pthread_cond_wait(&pool->settled, &pool->mu);
    pthread_mutex_unlock(&pool->mu);
    pthread_cond_destroy(&pool->settled);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mu);
    free_pool(pool);
}
