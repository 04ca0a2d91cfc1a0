/* De-duplication: one event per person, place and outcome; nobody is told of an event that isn't stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/id.h"
#include "flow/dedup.h"

static void test_merges_within_the_window_only(void **state)
{
    (void)state;
    struct dedup *dedup = dedup_new();
    char first[ID_ULID_SIZE], second[ID_ULID_SIZE], third[ID_ULID_SIZE];
    id_ulid(first);
    memcpy(second, first, sizeof second);
    id_ulid(second);
    id_ulid(third);
    assert_true(dedup_claim(dedup, "door", 7, 0, 1000, 500, first));
    dedup_done(dedup, first);
    assert_false(dedup_claim(dedup, "door", 7, 0, 1499, 500, second));
    assert_string_equal(second, first);
    assert_true(dedup_claim(dedup, "door", 7, 0, 1500, 500, third));
    dedup_done(dedup, third);
    dedup_free(dedup);
}

static void test_other_person_place_or_outcome_is_another_event(void **state)
{
    (void)state;
    struct dedup *dedup = dedup_new();
    char id[ID_ULID_SIZE];
    id_ulid(id);
    assert_true(dedup_claim(dedup, "door", 7, 0, 1000, 500, id));
    dedup_done(dedup, id);
    id_ulid(id);
    assert_true(dedup_claim(dedup, "gate", 7, 0, 1000, 500, id));
    dedup_done(dedup, id);
    id_ulid(id);
    assert_true(dedup_claim(dedup, "door", 8, 0, 1000, 500, id));
    dedup_done(dedup, id);
    id_ulid(id);
    assert_true(dedup_claim(dedup, "door", 7, 3, 1000, 500, id));
    dedup_done(dedup, id);
    dedup_free(dedup);
}

static void test_a_failed_event_is_not_named(void **state)
{
    (void)state;
    struct dedup *dedup = dedup_new();
    char id[ID_ULID_SIZE], next[ID_ULID_SIZE];
    id_ulid(id);
    id_ulid(next);
    assert_true(dedup_claim(dedup, "door", 7, 0, 1000, 500, id));
    dedup_fail(dedup, id);
    assert_true(dedup_claim(dedup, "door", 7, 0, 1001, 500, next));
    dedup_done(dedup, next);
    dedup_free(dedup);
}

static void test_forgets_the_oldest(void **state)
{
    (void)state;
    struct dedup *dedup = dedup_new();
    char id[ID_ULID_SIZE];
    for (int64_t person = 0; person < DEDUP_ENTRIES + 1; person++) {
        id_ulid(id);
        assert_true(dedup_claim(dedup, "door", person, 0, 1000, 500, id));
        dedup_done(dedup, id);
    }
    id_ulid(id);
    assert_true(dedup_claim(dedup, "door", 0, 0, 1001, 500, id)); /* forgotten */
    dedup_done(dedup, id);
    id_ulid(id);
    assert_false(dedup_claim(dedup, "door", 5, 0, 1001, 500, id));
    dedup_free(dedup);
}

struct shared {
    struct dedup *dedup;
    _Atomic int stored; /* events made durable */
    _Atomic int firsts;
    _Atomic int early; /* named before they were durable */
};

static void *claim(void *arg)
{
    struct shared *shared = arg;
    char id[ID_ULID_SIZE];
    id_ulid(id);
    if (dedup_claim(shared->dedup, "door", 7, 0, 1000, 500, id)) {
        atomic_fetch_add(&shared->firsts, 1);
        usleep(2000);
        atomic_fetch_add(&shared->stored, 1);
        dedup_done(shared->dedup, id);
    } else if (atomic_load(&shared->stored) == 0) {
        atomic_fetch_add(&shared->early, 1);
    }
    return NULL;
}

static void test_many_at_once_make_one_event(void **state)
{
    (void)state;
    struct shared shared = {.dedup = dedup_new()};
    pthread_t threads[16];
    for (int i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, claim, &shared), 0);
    for (int i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.firsts, 1);
    assert_int_equal(shared.early, 0);
    dedup_free(shared.dedup);
}

static void test_a_forgotten_event_is_merged_into_no_more(void **state)
{
    (void)state;
    struct dedup *dedup = dedup_new();
    char stored[ID_ULID_SIZE], pending[ID_ULID_SIZE], later[ID_ULID_SIZE];
    id_ulid(stored);
    id_ulid(pending);
    id_ulid(later);
    assert_true(dedup_claim(dedup, "door", 7, 0, 1000, 500, stored));
    dedup_done(dedup, stored);
    assert_true(dedup_claim(dedup, "door", 8, 0, 1000, 500, pending));
    dedup_forget(dedup);
    dedup_done(dedup, pending);
    assert_true(dedup_claim(dedup, "door", 7, 0, 1001, 500, later));
    dedup_done(dedup, later);
    id_ulid(later);
    assert_true(dedup_claim(dedup, "door", 8, 0, 1001, 500, later));
    dedup_free(dedup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merges_within_the_window_only),
        cmocka_unit_test(test_other_person_place_or_outcome_is_another_event),
        cmocka_unit_test(test_a_failed_event_is_not_named),
        cmocka_unit_test(test_forgets_the_oldest),
        cmocka_unit_test(test_many_at_once_make_one_event),
        cmocka_unit_test(test_a_forgotten_event_is_merged_into_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
