#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/pool.h"

/* A door that jobs wait at until the test opens it. */
struct gate {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    size_t arrived;
    bool open;
};

static void gate_init(struct gate *gate)
{
    *gate = (struct gate){.mu = PTHREAD_MUTEX_INITIALIZER};
    assert_true(clock_cond_init(&gate->changed));
}

static void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->mu);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mu);
}

/* Returns when `count` jobs stand at the gate. */
static void gate_await(struct gate *gate, size_t count)
{
    pthread_mutex_lock(&gate->mu);
    while (gate->arrived < count)
        pthread_cond_wait(&gate->changed, &gate->mu);
    pthread_mutex_unlock(&gate->mu);
}

static void stand_at_gate(void *worker, void *arg)
{
    struct gate *gate = arg;

    (void)worker;
    pthread_mutex_lock(&gate->mu);
    gate->arrived++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->mu);
    pthread_mutex_unlock(&gate->mu);
}

static struct pool *open_pool(size_t threads, size_t urgent_max, size_t bulk_max)
{
    struct pool_options options = {.name = "test", .threads = threads, .queue_max = {urgent_max, 8, bulk_max}};
    struct pool *pool;

    assert_int_equal(pool_open(&options, &pool, NULL), AIBOX_OK);
    assert_int_equal(pool_threads(pool), threads);
    return pool;
}

/* Occupies the only worker until the gate opens. */
static void occupy(struct pool *pool, struct gate *gate)
{
    gate_init(gate);
    assert_int_equal(pool_submit(pool, POOL_URGENT, 0, stand_at_gate, gate, NULL), AIBOX_OK);
    gate_await(gate, 1);
}

/* Waits until `count` callers stand in line for room. */
static void await_blocked(struct pool *pool, enum pool_priority priority, size_t count)
{
    struct pool_counters counters;

    do
        pool_count(pool, &counters);
    while (counters.blocked[priority] != count);
}

/* Jobs that write down the order in which they ran. */
static struct {
    pthread_mutex_t mu;
    char text[32];
    size_t size;
} order = {.mu = PTHREAD_MUTEX_INITIALIZER};

static void note(void *worker, void *arg)
{
    (void)worker;
    pthread_mutex_lock(&order.mu);
    order.text[order.size++] = *(const char *)arg;
    order.text[order.size] = '\0';
    pthread_mutex_unlock(&order.mu);
}

static void forget_order(void)
{
    order.size = 0;
    order.text[0] = '\0';
}

static char letters[] = "abcdefghijklmnopqrstuvwxyz";

static void set_flag(void *worker, void *arg)
{
    (void)worker;
    *(int *)arg = 42;
}

static void test_run_waits_for_the_end(void **state)
{
    struct pool *pool = open_pool(2, 4, 4);

    (void)state;
    for (int i = 0; i < 100; i++) {
        int flag = 0; /* not atomic: pool_run orders the two threads */

        assert_int_equal(pool_run(pool, i % 2 ? POOL_URGENT : POOL_BULK, 0, set_flag, &flag, NULL), AIBOX_OK);
        assert_int_equal(flag, 42);
    }
    pool_close(pool);
}

static void test_options_out_of_range(void **state)
{
    struct pool_options options = {.name = "x", .threads = 1, .queue_max = {1, 1, 1}};
    struct aibox_error err;
    struct pool *pool = (struct pool *)&options;

    (void)state;
    options.threads = 0;
    assert_int_equal(pool_open(&options, &pool, &err), AIBOX_PARAM);
    assert_null(pool);
    options.threads = 1;
    options.queue_max[POOL_STEADY] = 0;
    options.queue_max[POOL_BULK] = 0;
    assert_int_equal(pool_open(&options, &pool, &err), AIBOX_OK);
    pool_close(pool);
    options.queue_max[POOL_URGENT] = 0;
    assert_int_equal(pool_open(&options, &pool, &err), AIBOX_PARAM);
    pool_close(NULL);
}

static void test_urgent_goes_first(void **state)
{
    struct pool *pool = open_pool(1, 8, 8);
    struct gate gate;

    (void)state;
    forget_order();
    occupy(pool, &gate);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pool_submit(pool, POOL_BULK, 0, note, &letters[i], NULL), AIBOX_OK);
    for (size_t i = 4; i < 8; i++)
        assert_int_equal(pool_submit(pool, POOL_URGENT, 0, note, &letters[i], NULL), AIBOX_OK);
    gate_open(&gate);
    pool_close(pool);
    assert_string_equal(order.text, "efghabcd");
}

/* Behind every POOL_STEADY_TURNS steady jobs one of the bulk work has its turn; a door goes before both. */
static void test_steady_work_leaves_turns(void **state)
{
    struct pool *pool = open_pool(1, 8, 8);
    struct gate gate;

    (void)state;
    forget_order();
    occupy(pool, &gate);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pool_submit(pool, POOL_BULK, 0, note, &letters[i], NULL), AIBOX_OK);
    for (size_t i = 2; i < 8; i++)
        assert_int_equal(pool_submit(pool, POOL_STEADY, 0, note, &letters[i], NULL), AIBOX_OK);
    assert_int_equal(pool_submit(pool, POOL_URGENT, 0, note, &letters[8], NULL), AIBOX_OK);
    gate_open(&gate);
    pool_close(pool);
    assert_string_equal(order.text, "icdefaghb");
}

static void test_refusal_and_counters(void **state)
{
    struct pool *pool = open_pool(1, 1, 2);
    struct pool_counters counters;
    struct aibox_error err;
    struct gate gate;
    int flag = 0;

    (void)state;
    forget_order();
    occupy(pool, &gate);
    assert_int_equal(pool_submit(pool, POOL_BULK, 0, note, &letters[0], &err), AIBOX_OK);
    assert_int_equal(pool_submit(pool, POOL_BULK, 0, note, &letters[1], &err), AIBOX_OK);
    assert_int_equal(pool_submit(pool, POOL_BULK, 0, note, &letters[2], &err), AIBOX_TOO_MANY_REQUESTS);
    assert_int_equal(err.status, AIBOX_TOO_MANY_REQUESTS);
    assert_int_equal(pool_run(pool, POOL_BULK, 1, set_flag, &flag, &err), AIBOX_TOO_MANY_REQUESTS);
    /* The other priority has a queue of its own. */
    assert_int_equal(pool_submit(pool, POOL_URGENT, 0, note, &letters[3], &err), AIBOX_OK);
    assert_int_equal(pool_submit(pool, POOL_URGENT, 0, note, &letters[4], &err), AIBOX_TOO_MANY_REQUESTS);
    pool_count(pool, &counters);
    assert_int_equal(counters.waiting[POOL_URGENT], 1);
    assert_int_equal(counters.waiting[POOL_BULK], 2);
    assert_int_equal(counters.refused[POOL_URGENT], 1);
    assert_int_equal(counters.refused[POOL_BULK], 2);
    assert_int_equal(counters.blocked[POOL_BULK], 0);
    assert_int_equal(counters.running, 1);
    assert_int_equal(counters.done[POOL_URGENT], 0);
    gate_open(&gate);
    /* Behind everything that was queued. */
    assert_int_equal(pool_run(pool, POOL_BULK, -1, set_flag, &flag, &err), AIBOX_OK);
    pool_count(pool, &counters);
    assert_int_equal(counters.done[POOL_URGENT], 2);
    assert_int_equal(counters.done[POOL_BULK], 3);
    assert_int_equal(counters.running, 0);
    pool_close(pool);
    assert_string_equal(order.text, "dab");
    assert_int_equal(flag, 42);
}

/* A caller on a thread of its own. */
struct caller {
    pthread_t thread;
    struct pool *pool;
    enum pool_priority priority;
    int64_t wait_ms;
    char *letter;
    enum aibox_status status;
};

static void *call_run(void *arg)
{
    struct caller *caller = arg;

    caller->status = pool_run(caller->pool, caller->priority, caller->wait_ms, note, caller->letter, NULL);
    return NULL;
}

static void start_caller(struct caller *caller, struct pool *pool, int64_t wait_ms, char *letter)
{
    *caller = (struct caller){.pool = pool, .priority = POOL_BULK, .wait_ms = wait_ms, .letter = letter};
    assert_int_equal(pthread_create(&caller->thread, NULL, call_run, caller), 0);
}

static void test_callers_wait_in_line(void **state)
{
    struct pool *pool = open_pool(1, 1, 1);
    struct caller callers[5];
    struct gate gate;

    (void)state;
    forget_order();
    occupy(pool, &gate);
    assert_int_equal(pool_submit(pool, POOL_BULK, 0, note, &letters[0], NULL), AIBOX_OK);
    for (size_t i = 0; i < 5; i++) {
        start_caller(&callers[i], pool, i % 2 ? -1 : 600000, &letters[i + 1]);
        await_blocked(pool, POOL_BULK, i + 1);
    }
    gate_open(&gate);
    for (size_t i = 0; i < 5; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].status, AIBOX_OK);
    }
    pool_close(pool);
    assert_string_equal(order.text, "abcdef");
}

/* Who gives up waiting leaves the line without harm to those before and behind. */
static void test_one_in_line_gives_up(void **state)
{
    struct pool *pool = open_pool(1, 1, 1);
    struct caller callers[3];
    struct gate gate;

    (void)state;
    forget_order();
    occupy(pool, &gate);
    assert_int_equal(pool_submit(pool, POOL_BULK, 0, note, &letters[0], NULL), AIBOX_OK);
    start_caller(&callers[0], pool, -1, &letters[1]);
    await_blocked(pool, POOL_BULK, 1);
    start_caller(&callers[1], pool, 30, &letters[2]);
    pthread_join(callers[1].thread, NULL);
    assert_int_equal(callers[1].status, AIBOX_TOO_MANY_REQUESTS);
    start_caller(&callers[2], pool, -1, &letters[3]);
    await_blocked(pool, POOL_BULK, 2);
    gate_open(&gate);
    pthread_join(callers[0].thread, NULL);
    pthread_join(callers[2].thread, NULL);
    assert_int_equal(callers[0].status, AIBOX_OK);
    assert_int_equal(callers[2].status, AIBOX_OK);
    pool_close(pool);
    assert_string_equal(order.text, "abd");
}

static void *close_pool(void *arg)
{
    pool_close(arg);
    return NULL;
}

static void test_closing_while_callers_wait(void **state)
{
    struct pool *pool = open_pool(1, 1, 1);
    struct caller callers[3];
    pthread_t closer;
    struct gate gate;

    (void)state;
    forget_order();
    occupy(pool, &gate);
    assert_int_equal(pool_submit(pool, POOL_BULK, 0, note, &letters[0], NULL), AIBOX_OK);
    for (size_t i = 0; i < 3; i++)
        start_caller(&callers[i], pool, -1, &letters[i + 1]);
    await_blocked(pool, POOL_BULK, 3);
    assert_int_equal(pthread_create(&closer, NULL, close_pool, pool), 0);
    /* They are sent away although the worker is still busy. */
    for (size_t i = 0; i < 3; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].status, AIBOX_PROCESS_FAILED);
    }
    gate_open(&gate);
    pthread_join(closer, NULL);
    /* What was queued has run, what was refused has not. */
    assert_string_equal(order.text, "a");
}

/* Callers whose jobs are queued get their answer although the pool closes meanwhile. */
static void test_closing_while_jobs_are_queued(void **state)
{
    struct pool *pool = open_pool(1, 1, 4);
    struct caller callers[4];
    struct pool_counters counters;
    pthread_t closer;
    struct gate gate;

    (void)state;
    forget_order();
    occupy(pool, &gate);
    for (size_t i = 0; i < 4; i++)
        start_caller(&callers[i], pool, -1, &letters[i]);
    do
        pool_count(pool, &counters);
    while (counters.waiting[POOL_BULK] != 4);
    assert_int_equal(pthread_create(&closer, NULL, close_pool, pool), 0);
    gate_open(&gate);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].status, AIBOX_OK);
    }
    pthread_join(closer, NULL);
    assert_int_equal(strlen(order.text), 4);
}

/* Worker contexts. */
struct contexts {
    atomic_size_t opened;
    atomic_size_t closed;
    size_t fail_index;
    uint64_t sums[8]; /* one per worker, not atomic: a context belongs to one thread */
};

static void *context_open(void *ctx, size_t index)
{
    struct contexts *contexts = ctx;

    if (index == contexts->fail_index)
        return NULL;
    atomic_fetch_add(&contexts->opened, 1);
    return &contexts->sums[index];
}

static void context_close(void *ctx, void *worker)
{
    struct contexts *contexts = ctx;

    assert_true((uint64_t *)worker >= contexts->sums && (uint64_t *)worker < contexts->sums + 8);
    atomic_fetch_add(&contexts->closed, 1);
}

static void add(void *worker, void *arg)
{
    *(uint64_t *)worker += *(const uint64_t *)arg;
}

static void *add_many(void *arg)
{
    for (uint64_t i = 1; i <= 1000; i++) {
        uint64_t one = i;

        if (pool_run(arg, i % 3 ? POOL_BULK : POOL_URGENT, -1, add, &one, NULL) != AIBOX_OK)
            return NULL;
    }
    return arg;
}

static void test_many_threads(void **state)
{
    struct contexts contexts = {.fail_index = SIZE_MAX};
    struct pool_options options = {.name = "a-rather-long-name",
                                   .threads = 8,
                                   .queue_max = {[POOL_URGENT] = 1, [POOL_BULK] = 2},
                                   .worker_open = context_open,
                                   .worker_close = context_close,
                                   .ctx = &contexts};
    struct pool_counters counters;
    struct pool *pool;
    pthread_t threads[12];
    uint64_t sum = 0;

    (void)state;
    assert_int_equal(pool_open(&options, &pool, NULL), AIBOX_OK);
    assert_int_equal(contexts.opened, 8);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, pool), 0);
    for (size_t i = 0; i < 12; i++) {
        void *result;

        pthread_join(threads[i], &result);
        assert_ptr_equal(result, pool);
    }
    pool_count(pool, &counters);
    assert_int_equal(counters.done[POOL_URGENT] + counters.done[POOL_BULK], 12000);
    assert_int_equal(counters.done[POOL_URGENT], 12 * 333);
    pool_close(pool);
    assert_int_equal(contexts.closed, 8);
    for (size_t i = 0; i < 8; i++)
        sum += contexts.sums[i];
    assert_int_equal(sum, 12 * 500500);
}

static void test_a_worker_fails_to_open(void **state)
{
    struct contexts contexts = {.fail_index = 2};
    struct pool_options options = {.name = "x",
                                   .threads = 5,
                                   .queue_max = {[POOL_URGENT] = 1, [POOL_BULK] = 1},
                                   .worker_open = context_open,
                                   .worker_close = context_close,
                                   .ctx = &contexts};
    struct aibox_error err;
    struct pool *pool;

    (void)state;
    assert_int_equal(pool_open(&options, &pool, &err), AIBOX_PROCESS_FAILED);
    assert_null(pool);
    assert_int_equal(contexts.opened, 4);
    assert_int_equal(contexts.closed, 4);
}

/* All workers get to work at the same time, also when jobs came in through the line: else the gate would
 * be waited for in vain. Which way a job comes in is up to the scheduler, hence many rounds. */
static void test_no_worker_sleeps_while_jobs_wait(void **state)
{
    struct pool *pool = open_pool(4, 1, 1);

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct pool_counters counters;
        struct gate gate;

        gate_init(&gate);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(pool_submit(pool, POOL_BULK, -1, stand_at_gate, &gate, NULL), AIBOX_OK);
        gate_await(&gate, 4);
        gate_open(&gate);
        do
            pool_count(pool, &counters);
        while (counters.running > 0);
    }
    pool_close(pool);
}

/* A job that queues further work. */
static void submit_next(void *worker, void *arg)
{
    (void)worker;
    if (pool_submit(*(struct pool **)arg, POOL_URGENT, 0, note, &letters[1], NULL) == AIBOX_OK)
        note(worker, &letters[0]);
}

static void test_submit_from_a_job(void **state)
{
    struct pool *pool = open_pool(1, 2, 2);

    (void)state;
    forget_order();
    assert_int_equal(pool_run(pool, POOL_BULK, 0, submit_next, &pool, NULL), AIBOX_OK);
    pool_close(pool);
    assert_string_equal(order.text, "ab");
}

static void look_at_signals(void *worker, void *arg)
{
    sigset_t blocked;

    (void)worker;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    *(int *)arg = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGHUP);
}

static void test_workers_take_no_signals(void **state)
{
    struct pool *pool = open_pool(1, 1, 1);
    sigset_t mine;
    int blocked = 0;

    (void)state;
    assert_int_equal(pool_run(pool, POOL_URGENT, 0, look_at_signals, &blocked, NULL), AIBOX_OK);
    assert_int_equal(blocked, 1);
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    assert_false(sigismember(&mine, SIGTERM));
    pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_waits_for_the_end),
        cmocka_unit_test(test_options_out_of_range),
        cmocka_unit_test(test_urgent_goes_first),
        cmocka_unit_test(test_steady_work_leaves_turns),
        cmocka_unit_test(test_refusal_and_counters),
        cmocka_unit_test(test_callers_wait_in_line),
        cmocka_unit_test(test_one_in_line_gives_up),
        cmocka_unit_test(test_closing_while_callers_wait),
        cmocka_unit_test(test_closing_while_jobs_are_queued),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_a_worker_fails_to_open),
        cmocka_unit_test(test_no_worker_sleeps_while_jobs_wait),
        cmocka_unit_test(test_submit_from_a_job),
        cmocka_unit_test(test_workers_take_no_signals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
