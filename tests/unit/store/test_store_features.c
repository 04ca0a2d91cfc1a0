/* Features of one face in several model sets: which faces lack one, and adding it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

#define NEW_SET "test-2"
#define NO_FACE "00000000-0000-4000-8000-000000000000"

static struct store_person person_of(struct fixture *fixture, const char *identity_id, unsigned n)
{
    struct store_person person = {0};

    for (unsigned i = 1; i <= n; i++) {
        store_person_free(&person);
        assert_status(AIBOX_OK, save_person(fixture->store, STORE_UPSERT, identity_id, "Ann", i, &person, NULL));
    }
    return person;
}

static enum aibox_status add(struct fixture *fixture, const struct store_person *person, size_t face, unsigned seed)
{
    float feature[STORE_DIMENSION];

    fill_feature(feature, seed);
    return store_face_feature_add(fixture->store, person->person_id, person->faces[face].face_id, NEW_SET, feature,
                                  NULL);
}

static size_t lacking(struct fixture *fixture, const char *model_set, int64_t after, size_t limit,
                      struct store_lacking_face *faces)
{
    size_t n = 99, total = 99;

    assert_status(AIBOX_OK, store_faces_lacking(fixture->store, model_set, after, limit, faces, &n, NULL));
    assert_status(AIBOX_OK, store_faces_lacking_count(fixture->store, model_set, &total, NULL));
    assert_true(n <= total && n <= limit);
    return n;
}

static void test_nobody_lacks_anything(void **state)
{
    struct fixture *fixture = *state;
    struct store_lacking_face faces[8];

    assert_int_equal(lacking(fixture, NEW_SET, 0, 8, faces), 0);
    struct store_person person = person_of(fixture, "a", 2);
    assert_int_equal(lacking(fixture, MODEL_SET, 0, 8, faces), 0);
    store_person_free(&person);
}

static void test_faces_are_told_in_pages_in_the_order_of_enrolment(void **state)
{
    struct fixture *fixture = *state;
    struct store_lacking_face faces[8], page[8];
    struct store_person a = person_of(fixture, "a", 2), b = person_of(fixture, "b", 1);

    assert_int_equal(lacking(fixture, NEW_SET, 0, 8, faces), 3);
    assert_string_equal(faces[0].face_id, a.faces[0].face_id);
    assert_string_equal(faces[1].face_id, a.faces[1].face_id);
    assert_string_equal(faces[2].face_id, b.faces[0].face_id);
    assert_int_equal(faces[0].person_id, a.person_id);
    assert_int_equal(faces[2].person_id, b.person_id);
    assert_true(faces[0].face_row < faces[1].face_row && faces[1].face_row < faces[2].face_row);
    assert_int_equal(lacking(fixture, NEW_SET, 0, 2, page), 2);
    assert_int_equal(lacking(fixture, NEW_SET, page[1].face_row, 2, page), 1);
    assert_string_equal(page[0].face_id, b.faces[0].face_id);
    assert_int_equal(lacking(fixture, NEW_SET, page[0].face_row, 2, page), 0);
    store_person_free(&a);
    store_person_free(&b);
}

static void test_who_has_one_lacks_none_and_still_counts_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_lacking_face faces[8];
    struct store_person person = person_of(fixture, "a", 2), after;
    struct store_counters counters;

    assert_status(AIBOX_OK, add(fixture, &person, 0, 11));
    assert_int_equal(lacking(fixture, NEW_SET, 0, 8, faces), 1);
    assert_string_equal(faces[0].face_id, person.faces[1].face_id);
    assert_int_equal(lacking(fixture, MODEL_SET, 0, 8, faces), 0); /* what it had stays */
    store_count(fixture->store, &counters);
    assert_int_equal(counters.faces, 2);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face WHERE key_id = 0"), 0);
    fixture_check_invariants(fixture);
    fixture_reopen(fixture);
    assert_int_equal(lacking(fixture, NEW_SET, 0, 8, faces), 1);
    assert_status(AIBOX_OK, store_person_get(fixture->store, "a", &after, NULL));
    assert_int_equal(after.n_faces, 2);
    store_person_free(&after);
    assert_status(AIBOX_OK, store_people_delete(fixture->store, (const char *const[]){"a"}, 1, NULL, NULL));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face"), 0);
    assert_int_equal(lacking(fixture, NEW_SET, 0, 8, faces), 0);
    store_person_free(&person);
}

static void test_galleries_hear_of_their_own_set(void **state)
{
    struct fixture *fixture = *state;
    struct heard_people old = {0}, new = {0};
    struct store_listener now = {.ctx = &old, .model_set = MODEL_SET, .person = hear_person};
    struct store_listener next = {.ctx = &new, .model_set = NEW_SET, .person = hear_person};
    struct store_person person = person_of(fixture, "a", 2);
    float feature[STORE_DIMENSION];

    assert_status(AIBOX_OK, store_listen(fixture->store, &now, NULL));
    assert_status(AIBOX_OK, store_listen(fixture->store, &next, NULL));
    assert_status(AIBOX_OK, add(fixture, &person, 1, 12));
    assert_int_equal(new.calls, 1); /* before the call returned */
    assert_int_equal(new.n_faces, 1);
    fill_feature(feature, 12);
    assert_true(new.first[0] == feature[0]);
    assert_int_equal(old.n_faces, 2); /* nothing of it is in the other */
    fill_feature(feature, 2);
    assert_true(old.first[1] == feature[0]);
    store_unlisten(fixture->store, &old);
    store_unlisten(fixture->store, &new);
    store_person_free(&person);
}

static void test_the_first_feature_stays(void **state)
{
    struct fixture *fixture = *state;
    struct heard_people heard = {0};
    struct store_listener listener = {.ctx = &heard, .model_set = NEW_SET, .person = hear_person};
    struct store_person person = person_of(fixture, "a", 1);
    float feature[STORE_DIMENSION];

    assert_status(AIBOX_OK, add(fixture, &person, 0, 11));
    assert_status(AIBOX_OK, add(fixture, &person, 0, 12));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face"), 2);
    assert_status(AIBOX_OK, store_listen(fixture->store, &listener, NULL));
    int64_t after = 0;
    size_t told = 0;
    assert_status(AIBOX_OK, store_tell(fixture->store, &heard, &after, 8, &told, NULL));
    assert_int_equal(told, 1);
    fill_feature(feature, 11);
    assert_true(heard.first[0] == feature[0]);
    store_unlisten(fixture->store, &heard);
    store_person_free(&person);
}

static void test_what_can_not_be_added(void **state)
{
    struct fixture *fixture = *state;
    struct store_person person = person_of(fixture, "a", 1);
    struct store *store = fixture->store;
    float feature[STORE_DIMENSION];

    fill_feature(feature, 3);
    assert_status(AIBOX_ID_NOT_FOUND, store_face_feature_add(store, person.person_id, NO_FACE, NEW_SET, feature, NULL));
    assert_status(AIBOX_ID_NOT_FOUND,
                  store_face_feature_add(store, person.person_id + 1, person.faces[0].face_id, NEW_SET, feature, NULL));
    assert_status(AIBOX_PARAM, store_face_feature_add(store, person.person_id, "face", NEW_SET, feature, NULL));
    feature[511] = NAN;
    assert_status(AIBOX_BAD_FEATURE,
                  store_face_feature_add(store, person.person_id, person.faces[0].face_id, NEW_SET, feature, NULL));
    feature[511] = INFINITY;
    assert_status(AIBOX_BAD_FEATURE,
                  store_face_feature_add(store, person.person_id, person.faces[0].face_id, NEW_SET, feature, NULL));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face"), 1);
    store_person_free(&person);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody_lacks_anything, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_faces_are_told_in_pages_in_the_order_of_enrolment, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_who_has_one_lacks_none_and_still_counts_once, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_galleries_hear_of_their_own_set, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_first_feature_stays, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_can_not_be_added, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
