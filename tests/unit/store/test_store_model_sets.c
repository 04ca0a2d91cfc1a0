/* Features of two model sets: listeners to each, who lacks one, dropping them. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define NEXT_SET "test-2"

/* What a gallery of one model set would hold: the first value of each person's newest feature; 0: nobody. */
struct mirror {
    float first[200];
    int told;
};

static bool on_person(void *ctx, const struct store_template *state)
{
    struct mirror *mirror = ctx;

    mirror->told++;
    assert_true(state->person_id < 200);
    mirror->first[state->person_id] = state->n_faces > 0 ? state->features[(state->n_faces - 1) * STORE_DIMENSION] : 0;
    return true;
}

static void listen(struct fixture *fixture, struct mirror *mirror, const char *model_set)
{
    struct store_listener listener = {.ctx = mirror, .model_set = model_set, .person = on_person};

    *mirror = (struct mirror){0};
    assert_status(AIBOX_OK, store_listen(fixture->store, &listener, NULL));
}

static int64_t save(struct store *store, const char *id, unsigned seed, bool for_both)
{
    float feature[STORE_DIMENSION], next[STORE_DIMENSION];
    struct store_person person;

    fill_feature(feature, seed);
    fill_feature(next, seed + 1000);
    struct store_new_face face = {.feature = feature, .model_set = MODEL_SET, .norm = 1, .quality = 1};
    if (for_both) {
        face.next_feature = next;
        face.next_model_set = NEXT_SET;
    }
    struct store_person_change change = {.mode = STORE_UPSERT,
                                         .identity_id = id,
                                         .info = "{\"name\":\"N\"}",
                                         .faces_mode = STORE_FACES_ADD,
                                         .faces = &face,
                                         .n_faces = 1};
    assert_status(AIBOX_OK, store_person_save(store, &change, &person, NULL, NULL));
    int64_t person_id = person.person_id;
    store_person_free(&person);
    return person_id;
}

static int64_t faces(const struct fixture *fixture)
{
    return fixture_query(fixture, "main", "SELECT value FROM counter WHERE name = 'faces'");
}

static float first_of(unsigned seed)
{
    float feature[STORE_DIMENSION];

    fill_feature(feature, seed);
    return feature[0];
}

static void test_each_listener_hears_of_its_set(void **state)
{
    struct fixture *fixture = *state;
    struct mirror now, next, third;

    listen(fixture, &now, MODEL_SET);
    int64_t before = save(fixture->store, "before", 1, false);
    listen(fixture, &next, NEXT_SET);
    int64_t both = save(fixture->store, "both", 2, true);
    assert_true(now.first[before] == first_of(1));
    assert_true(now.first[both] == first_of(2));
    assert_true(next.first[both] == first_of(1002));
    assert_true(next.first[before] == 0);
    assert_int_equal(faces(fixture), 2); /* a face with two features is one face */
    fixture_check_invariants(fixture);

    struct store_listener more = {.ctx = &third, .model_set = NEXT_SET, .person = on_person};
    assert_status(AIBOX_PROCESS_FAILED, store_listen(fixture->store, &more, NULL));

    const char *ids[] = {"both"};
    assert_status(AIBOX_OK, store_people_delete(fixture->store, ids, 1, NULL, NULL));
    assert_true(now.first[both] == 0 && next.first[both] == 0);

    store_unlisten(fixture->store, &now);
    int told = now.told;
    save(fixture->store, "later", 3, true);
    assert_int_equal(now.told, told);
    assert_int_equal(next.told, 3);
}

static void test_a_second_feature_must_be_one(void **state)
{
    struct fixture *fixture = *state;
    float feature[STORE_DIMENSION];

    fill_feature(feature, 1);
    struct store_new_face face = {.feature = feature, .model_set = MODEL_SET, .next_feature = feature};
    struct store_person_change change = {.mode = STORE_UPSERT,
                                         .identity_id = "a",
                                         .info = "{\"name\":\"N\"}",
                                         .faces_mode = STORE_FACES_ADD,
                                         .faces = &face,
                                         .n_faces = 1};
    assert_status(AIBOX_PARAM, store_person_save(fixture->store, &change, NULL, NULL, NULL));
    face.next_model_set = NEXT_SET;
    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, NULL, NULL, NULL));
}

struct changes {
    struct fixture *fixture;
    atomic_bool stop;
};

/* People come, change and go while a late listener is told of all. */
static void *change_people(void *arg)
{
    struct changes *changes = arg;
    char id[16];

    for (unsigned i = 0; !atomic_load(&changes->stop); i++) {
        const char *ids[] = {id};
        snprintf(id, sizeof id, "p%u", i % 40);
        if (i % 3 == 2)
            (void)store_people_delete(changes->fixture->store, ids, 1, NULL, NULL);
        else
            save(changes->fixture->store, id, i + 10, true);
    }
    return NULL;
}

struct scan {
    const struct mirror *mirror;
    size_t count;
};

static bool compare(void *ctx, const struct store_template *person)
{
    struct scan *scan = ctx;

    scan->count++;
    assert_true(scan->mirror->first[person->person_id % 200] ==
                person->features[(person->n_faces - 1) * STORE_DIMENSION]);
    return true;
}

static bool on_person_modulo(void *ctx, const struct store_template *state)
{
    struct mirror *mirror = ctx;

    mirror->told++;
    mirror->first[state->person_id % 200] =
        state->n_faces > 0 ? state->features[(state->n_faces - 1) * STORE_DIMENSION] : 0;
    return true;
}

static void test_a_late_listener_catches_up_while_people_change(void **state)
{
    struct fixture *fixture = *state;
    struct changes changes = {.fixture = fixture};
    struct mirror mirror = {0};
    char id[16];
    size_t told = 7;
    int64_t after = 0;
    pthread_t thread;

    for (unsigned i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "p%u", i);
        save(fixture->store, id, i + 500, true);
    }
    assert_int_equal(pthread_create(&thread, NULL, change_people, &changes), 0);
    struct store_listener listener = {.ctx = &mirror, .model_set = NEXT_SET, .person = on_person_modulo};
    assert_status(AIBOX_OK, store_listen(fixture->store, &listener, NULL));
    while (told == 7)
        assert_status(AIBOX_OK, store_tell(fixture->store, &mirror, &after, 7, &told, NULL));
    atomic_store(&changes.stop, true);
    pthread_join(thread, NULL);

    /* The mirror holds exactly what a scan finds. */
    struct scan scan = {.mirror = &mirror};
    size_t known = 0;
    assert_status(AIBOX_OK, store_templates_scan(fixture->store, NEXT_SET, compare, &scan, NULL));
    for (size_t i = 0; i < 200; i++)
        known += mirror.first[i] != 0;
    assert_int_equal(known, scan.count);
    assert_status(AIBOX_PROCESS_FAILED, store_tell(fixture->store, &known, &after, 7, &told, NULL));
}

static void test_who_lacks_a_set(void **state)
{
    struct fixture *fixture = *state;
    int64_t ids[4];
    size_t people, lacking, count;

    int64_t one = save(fixture->store, "one", 1, false);
    save(fixture->store, "two", 2, true);
    int64_t three = save(fixture->store, "three", 3, false);
    save(fixture->store, "two", 4, false); /* known by another face */
    assert_status(AIBOX_OK, store_people_lacking_count(fixture->store, MODEL_SET, NEXT_SET, &people, &lacking, NULL));
    assert_int_equal(people, 3);
    assert_int_equal(lacking, 2);
    assert_status(AIBOX_OK, store_people_lacking_count(fixture->store, MODEL_SET, MODEL_SET, &people, &lacking, NULL));
    assert_int_equal(lacking, 0);
    assert_status(AIBOX_OK,
                  store_people_lacking_count(fixture->store, MODEL_SET, "unheard of", &people, &lacking, NULL));
    assert_int_equal(lacking, 3);
    assert_status(AIBOX_OK, store_people_lacking(fixture->store, MODEL_SET, NEXT_SET, 0, 4, ids, &count, NULL));
    assert_int_equal(count, 2);
    assert_int_equal(ids[0], one);
    assert_int_equal(ids[1], three);
    assert_status(AIBOX_OK, store_people_lacking(fixture->store, MODEL_SET, NEXT_SET, 1, 4, ids, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(ids[0], three);
    assert_status(AIBOX_OK, store_model_set_count(fixture->store, MODEL_SET, &count, NULL));
    assert_int_equal(count, 4);
    assert_status(AIBOX_OK, store_model_set_count(fixture->store, NEXT_SET, &count, NULL));
    assert_int_equal(count, 1);
}

static void test_dropping_loses_nobody(void **state)
{
    struct fixture *fixture = *state;
    size_t dropped, people, lacking, features;

    save(fixture->store, "only before", 1, false);
    save(fixture->store, "both", 2, true);
    save(fixture->store, "both", 3, true);
    assert_status(AIBOX_OK, store_model_set_drop(fixture->store, MODEL_SET, NEXT_SET, 1, &dropped, NULL));
    assert_int_equal(dropped, 1);
    assert_status(AIBOX_OK, store_model_set_drop(fixture->store, MODEL_SET, NEXT_SET, 10, &dropped, NULL));
    assert_int_equal(dropped, 1);
    assert_status(AIBOX_OK, store_model_set_count(fixture->store, MODEL_SET, &features, NULL));
    assert_int_equal(features, 1); /* the only one that somebody has */
    assert_status(AIBOX_OK, store_people_lacking_count(fixture->store, NEXT_SET, MODEL_SET, &people, &lacking, NULL));
    assert_int_equal(people, 1);
    assert_int_equal(lacking, 1);
    assert_int_equal(faces(fixture), 3);
    fixture_check_invariants(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_listener_hears_of_its_set, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_second_feature_must_be_one, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_late_listener_catches_up_while_people_change, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_who_lacks_a_set, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_dropping_loses_nobody, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
