/* Generations under threads: who uses one has it to the end, and nobody enrols for one alone while another comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "flow/generation.h"

#define DECIDERS  3
#define ENROLLERS 3
#define ROUNDS    200

/* As far as this goes: no networks, no gallery. */
static struct generation *make(void)
{
    struct generation *generation = calloc(1, sizeof *generation);

    assert_non_null(generation);
    return generation;
}

static void test_now_and_next(void **state)
{
    (void)state;
    struct generation *first = make(), *second = make();
    struct generations *generations = generations_new(first);
    assert_non_null(generations);

    struct generation *before = generation_use(generations);
    assert_ptr_equal(before, first);
    struct generation_pair pair = generation_use_both(generations);
    assert_ptr_equal(pair.now, first);
    assert_null(pair.next);
    generation_both_done(generations, pair);

    generations_announce(generations, second);
    pair = generation_use_both(generations);
    assert_ptr_equal(pair.now, first);
    assert_ptr_equal(pair.next, second);
    generation_both_done(generations, pair);
    assert_ptr_equal(generations_withdraw(generations), second);

    generations_announce(generations, second);
    assert_ptr_equal(generations_swap(generations), first);
    struct generation *after = generation_use(generations);
    assert_ptr_equal(after, second);
    assert_ptr_equal(generation_use_again(generations, before), first); /* a decision goes on with its own */
    generation_done(generations, before);
    generation_done(generations, before);
    generation_done(generations, after);
    generation_done(generations, NULL);
    generations_wait_unused(generations, first);
    generation_close(first);
    generations_free(generations);
}

struct table {
    struct generations *generations;
    _Atomic bool stop;
    _Atomic int alone;    /* enrolments that knew of one generation, done */
    _Atomic int together; /* of both */
    _Atomic int decided;
};

/* Touches what would be gone if the generation were: the sanitizers see it. */
static void *decide(void *arg)
{
    struct table *table = arg;

    while (!atomic_load(&table->stop)) {
        struct generation *generation = generation_use(table->generations);
        struct generation *again = generation_use_again(table->generations, generation);
        assert_int_equal(generation->n_workers, 0);
        generation_done(table->generations, generation);
        sched_yield();
        assert_int_equal(again->n_workers, 0);
        generation_done(table->generations, again);
        atomic_fetch_add(&table->decided, 1);
    }
    return NULL;
}

static void *enrol(void *arg)
{
    struct table *table = arg;

    while (!atomic_load(&table->stop)) {
        struct generation_pair pair = generation_use_both(table->generations);
        sched_yield();
        assert_int_equal(pair.now->n_workers, 0);
        if (pair.next != NULL)
            assert_int_equal(pair.next->n_workers, 0);
        atomic_fetch_add(pair.next != NULL ? &table->together : &table->alone, 1);
        generation_both_done(table->generations, pair);
    }
    return NULL;
}

static void test_under_threads(void **state)
{
    (void)state;
    pthread_t threads[DECIDERS + ENROLLERS];
    struct table table = {.generations = generations_new(make())};
    assert_non_null(table.generations);

    for (int i = 0; i < DECIDERS + ENROLLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < DECIDERS ? decide : enrol, &table), 0);
    for (int round = 0; round < ROUNDS; round++) {
        generations_announce(table.generations, make());
        /* From here to the swap nobody is enrolled for one generation alone. */
        int alone = atomic_load(&table.alone), together = atomic_load(&table.together);
        while (atomic_load(&table.together) == together)
            sched_yield();
        assert_int_equal(atomic_load(&table.alone), alone);
        if (round % 4 == 3) {
            generation_close(generations_withdraw(table.generations));
            continue;
        }
        struct generation *former = generations_swap(table.generations);
        generations_wait_unused(table.generations, former);
        generation_close(former);
        int decided = atomic_load(&table.decided);
        while (atomic_load(&table.decided) == decided)
            sched_yield();
    }
    atomic_store(&table.stop, true);
    for (int i = 0; i < DECIDERS + ENROLLERS; i++)
        pthread_join(threads[i], NULL);
    generations_free(table.generations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_now_and_next), cmocka_unit_test(test_under_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
