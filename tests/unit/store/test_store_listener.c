/* What the listener hears: the committed state, in order, also while many threads change it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "fixture.h"

#define MAX_PEOPLE 2000
#define THREADS    8
#define ROUNDS     40

/* A gallery in miniature. Written on the writer thread; read when all changes are done. */
struct mirror {
    struct {
        size_t n_faces;
        float first[5];
        uint64_t groups[STORE_MAX_LABELS / 64], permissions[STORE_MAX_LABELS / 64];
    } people[MAX_PEOPLE];
    int calls, dropped_groups, dropped_permissions, cleared;
    atomic_bool refuse;
};

static bool on_person(void *ctx, const struct store_template *state)
{
    struct mirror *mirror = ctx;

    mirror->calls++;
    if (state->person_id >= MAX_PEOPLE || atomic_load(&mirror->refuse))
        return false;
    mirror->people[state->person_id].n_faces = state->n_faces;
    for (size_t i = 0; i < state->n_faces; i++)
        mirror->people[state->person_id].first[i] = state->features[i * STORE_DIMENSION];
    memcpy(mirror->people[state->person_id].groups, state->groups, STORE_MAX_LABELS / 8);
    memcpy(mirror->people[state->person_id].permissions, state->permissions, STORE_MAX_LABELS / 8);
    return true;
}

static void on_group_dropped(void *ctx, unsigned label)
{
    struct mirror *mirror = ctx;

    mirror->dropped_groups++;
    for (size_t i = 0; i < MAX_PEOPLE; i++)
        mirror->people[i].groups[label / 64] &= ~(UINT64_C(1) << label % 64);
}

static void on_permission_dropped(void *ctx, unsigned label)
{
    struct mirror *mirror = ctx;

    mirror->dropped_permissions++;
    for (size_t i = 0; i < MAX_PEOPLE; i++)
        mirror->people[i].permissions[label / 64] &= ~(UINT64_C(1) << label % 64);
}

static void on_cleared(void *ctx)
{
    struct mirror *mirror = ctx;

    mirror->cleared++;
    memset(mirror->people, 0, sizeof mirror->people);
}

static struct mirror *listen(struct fixture *fixture)
{
    struct mirror *mirror = calloc(1, sizeof *mirror);

    assert_non_null(mirror);
    struct store_listener listener = {.ctx = mirror,
                                      .model_set = MODEL_SET,
                                      .person = on_person,
                                      .group_dropped = on_group_dropped,
                                      .permission_dropped = on_permission_dropped,
                                      .people_cleared = on_cleared};
    assert_status(AIBOX_OK, store_listen(fixture->store, &listener, NULL));
    return mirror;
}

static bool compare_one(void *ctx, const struct store_template *state)
{
    struct mirror *mirror = ctx;

    assert_true(state->person_id < MAX_PEOPLE);
    assert_int_equal(mirror->people[state->person_id].n_faces, state->n_faces);
    for (size_t i = 0; i < state->n_faces; i++)
        assert_true(mirror->people[state->person_id].first[i] == state->features[i * STORE_DIMENSION]);
    assert_memory_equal(mirror->people[state->person_id].groups, state->groups, STORE_MAX_LABELS / 8);
    assert_memory_equal(mirror->people[state->person_id].permissions, state->permissions, STORE_MAX_LABELS / 8);
    mirror->people[state->person_id].n_faces = 0; /* seen */
    return true;
}

/* The mirror holds exactly what a scan finds. Uses the mirror up. */
static void expect_equal_state(struct fixture *fixture, struct mirror *mirror)
{
    assert_status(AIBOX_OK, store_templates_scan(fixture->store, MODEL_SET, compare_one, mirror, NULL));
    for (size_t i = 0; i < MAX_PEOPLE; i++)
        assert_int_equal(mirror->people[i].n_faces, 0);
}

static void test_told_before_return(void **state)
{
    struct fixture *fixture = *state;
    struct mirror *mirror = listen(fixture);
    struct store_person person;
    struct aibox_error err;
    float feature[STORE_DIMENSION];
    const char *ids[] = {"a"};

    fill_feature(feature, 3);
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 3, &person, NULL));
    assert_int_equal(mirror->people[person.person_id].n_faces, 1);
    assert_true(mirror->people[person.person_id].first[0] == feature[0]);
    assert_int_equal(mirror->people[person.person_id].groups[0], 1);

    assert_int_equal(mirror->calls, 1);
    assert_status(AIBOX_IDENTITY_EXISTS, save_person(fixture->store, STORE_CREATE, "a", "A", 3, NULL, &err));
    assert_int_equal(mirror->calls, 1); /* nothing of what was undone */

    assert_status(AIBOX_OK, store_people_delete(fixture->store, ids, 1, NULL, NULL));
    assert_int_equal(mirror->people[person.person_id].n_faces, 0);
    assert_int_equal(mirror->calls, 2);

    atomic_store(&mirror->refuse, true);
    assert_status(AIBOX_OK,
                  save_person(fixture->store, STORE_CREATE, "b", "B", 3, NULL, &err)); /* logged, not failed */
    store_unlisten(fixture->store, mirror);
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "c", "C", 3, NULL, &err));
    assert_int_equal(mirror->calls, 3);
    store_person_free(&person);
    free(mirror);
}

static void test_other_model_sets_are_left_out(void **state)
{
    struct fixture *fixture = *state;
    struct mirror *mirror = listen(fixture);
    struct store_person person;
    float feature[STORE_DIMENSION];

    fill_feature(feature, 3);
    struct store_new_face face = {.feature = feature, .model_set = "older"};
    struct store_person_change change = {
        .identity_id = "a", .info = "{\"name\":\"A\"}", .faces_mode = STORE_FACES_ADD, .faces = &face, .n_faces = 1};
    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, &person, NULL, NULL));
    assert_int_equal(person.n_faces, 1);
    assert_int_equal(mirror->calls, 1);
    assert_int_equal(mirror->people[person.person_id].n_faces, 0);
    store_person_free(&person);
    free(mirror);
}

static void test_dropped_labels(void **state)
{
    struct fixture *fixture = *state;
    struct mirror *mirror = listen(fixture);
    struct store_person person;
    const char *ids[] = {"a"};

    assert_status(AIBOX_OK, store_label_create(fixture->store, STORE_GROUP, NULL, "g", "", NULL, NULL, NULL));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 3, &person, NULL));
    assert_status(AIBOX_OK, store_group_members_change(fixture->store, "g", true, ids, 1, NULL, NULL));
    assert_int_equal(mirror->people[person.person_id].groups[0], 3);
    assert_status(AIBOX_OK, store_label_delete(fixture->store, STORE_GROUP, "g", false, NULL));
    assert_int_equal(mirror->dropped_groups, 1);
    assert_int_equal(mirror->people[person.person_id].groups[0], 1);
    assert_status(AIBOX_OK, store_label_create(fixture->store, STORE_PERMISSION, NULL, "p", "", NULL, NULL, NULL));
    assert_status(AIBOX_OK, store_label_delete(fixture->store, STORE_PERMISSION, "p", true, NULL));
    assert_int_equal(mirror->dropped_permissions, 1);

    assert_status(AIBOX_OK, store_wipe(fixture->store, false, true, NULL));
    assert_int_equal(mirror->cleared, 0);
    assert_status(AIBOX_OK, store_wipe(fixture->store, true, false, NULL));
    assert_int_equal(mirror->cleared, 1);
    store_person_free(&person);
    free(mirror);
}

struct worker {
    struct store *store;
    unsigned number;
    unsigned stale; /* reads that did not show what was just written */
    pthread_t thread;
};

/* A mix of everything that touches people; what fails, fails (another thread was first). */
static void *work(void *arg)
{
    struct worker *worker = arg;
    unsigned seed = worker->number + 1;

    for (unsigned round = 0; round < ROUNDS; round++) {
        char id[24], group[24], own[24];
        snprintf(id, sizeof id, "p%d", rand_r(&seed) % 20);
        snprintf(group, sizeof group, "g%d", rand_r(&seed) % 4);
        snprintf(own, sizeof own, "own%u", worker->number);
        const char *ids[] = {id};
        struct store_person person;
        switch (rand_r(&seed) % 8) {
        case 0:
        case 1:
        case 2:
            (void)save_person(worker->store, STORE_UPSERT, id, "N", (unsigned)(rand_r(&seed) % 1000), NULL, NULL);
            break;
        case 3:
            (void)store_people_delete(worker->store, ids, 1, NULL, NULL);
            break;
        case 4:
            (void)store_label_create(worker->store, STORE_GROUP, NULL, group, "", NULL, NULL, NULL);
            break;
        case 5:
            (void)store_group_members_change(worker->store, group, rand_r(&seed) % 2, ids, 1, NULL, NULL);
            break;
        case 6:
            (void)store_label_delete(worker->store, STORE_GROUP, group, rand_r(&seed) % 4 == 0, NULL);
            break;
        default:
            if (store_person_get(worker->store, id, &person, NULL) == AIBOX_OK)
                store_person_free(&person);
            break;
        }
        /* What one thread has done it sees at once. */
        if (save_person(worker->store, STORE_UPSERT, own, "O", round, &person, NULL) == AIBOX_OK) {
            struct store_person again;
            if (store_person_get_by_id(worker->store, person.person_id, &again, NULL) != AIBOX_OK ||
                strcmp(again.faces[again.n_faces - 1].face_id, person.faces[person.n_faces - 1].face_id) != 0)
                worker->stale++;
            store_person_free(&again);
            store_person_free(&person);
        }
    }
    return NULL;
}

static void test_state_equals_store_after_concurrent_changes(void **state)
{
    struct fixture *fixture = *state;
    struct mirror *mirror = listen(fixture);
    struct worker workers[THREADS];
    struct store_counters counters;

    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.store = fixture->store, .number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].stale, 0);
    }
    expect_equal_state(fixture, mirror);
    fixture_check_invariants(fixture);
    store_count(fixture->store, &counters);
    assert_true(counters.changes >= THREADS * ROUNDS);
    assert_true(counters.commits > 0 && counters.commits <= counters.changes + counters.failed_changes);
    assert_int_equal(counters.people, fixture_query(fixture, "main", "SELECT count(*) FROM person"));
    assert_int_equal(counters.faces, fixture_query(fixture, "main", "SELECT count(*) FROM face"));
    assert_int_equal(counters.groups, fixture_query(fixture, "main", "SELECT count(*) FROM label WHERE kind = 0"));
    assert_int_equal(counters.queue, 0);
    free(mirror);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_told_before_return),
        TEST(test_other_model_sets_are_left_out),
        TEST(test_dropped_labels),
        TEST(test_state_equals_store_after_concurrent_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
