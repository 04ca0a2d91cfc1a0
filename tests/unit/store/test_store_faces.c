/* One face at a time: taking it away, and making it the one that stands for the person. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "fixture.h"

#define UNKNOWN "00000000-0000-4000-8000-000000000000"

/* A person with the faces 1..n. */
static struct store_person person_of(struct fixture *fixture, const char *identity_id, unsigned n)
{
    struct store_person person = {0};

    for (unsigned i = 1; i <= n; i++) {
        store_person_free(&person);
        assert_status(AIBOX_OK, save_person(fixture->store, STORE_UPSERT, identity_id, "Ann", i, &person, NULL));
    }
    return person;
}

static void listen(struct fixture *fixture, struct heard_people *heard)
{
    *heard = (struct heard_people){0};
    struct store_listener listener = {.ctx = heard, .model_set = MODEL_SET, .person = hear_person};
    assert_status(AIBOX_OK, store_listen(fixture->store, &listener, NULL));
}

static bool has_picture(struct fixture *fixture, const char *image_id)
{
    uint8_t *bytes;
    size_t size;
    bool found = store_picture_get(fixture->store, image_id, &bytes, &size, NULL) == AIBOX_OK;

    free(bytes);
    return found;
}

static void test_one_of_three_goes(void **state)
{
    struct fixture *fixture = *state;
    struct store_person before = person_of(fixture, "a", 3), after;
    struct heard_people heard;
    float feature[STORE_DIMENSION];

    listen(fixture, &heard);
    assert_status(AIBOX_OK, store_face_remove(fixture->store, "a", before.faces[1].face_id, false, &after, NULL));
    assert_int_equal(after.n_faces, 2);
    assert_string_equal(after.faces[0].face_id, before.faces[0].face_id);
    assert_string_equal(after.faces[1].face_id, before.faces[2].face_id);
    assert_string_equal(after.name, "Ann");
    assert_int_equal(after.group_names.count, 1);
    assert_int_equal(after.created_ms, before.created_ms);
    /* The gallery heard of it before the call returned. */
    assert_int_equal(heard.calls, 1);
    assert_int_equal(heard.n_faces, 2);
    fill_feature(feature, 1);
    assert_true(heard.first[0] == feature[0]);
    fill_feature(feature, 3);
    assert_true(heard.first[1] == feature[0]);
    assert_false(has_picture(fixture, before.faces[1].image_id));
    assert_true(has_picture(fixture, before.faces[0].image_id));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face"), 2);
    fixture_check_invariants(fixture);
    store_person_free(&after);

    int64_t deadline = clock_monotonic_ms() + 10000;
    while (fixture_files_with(fixture, "photo of a, 2", 13) > 0 && clock_monotonic_ms() < deadline)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    assert_int_equal(fixture_files_with(fixture, "photo of a, 2", 13), 0);

    fixture_reopen(fixture);
    assert_status(AIBOX_OK, store_person_get(fixture->store, "a", &after, NULL));
    assert_int_equal(after.n_faces, 2);
    store_person_free(&after);
    store_person_free(&before);
}

/* Of every model set there is a feature of. */
static void test_all_its_features_go(void **state)
{
    struct fixture *fixture = *state;
    struct store_person person = person_of(fixture, "a", 2);
    float feature[STORE_DIMENSION];

    fill_feature(feature, 9);
    assert_status(AIBOX_OK, store_face_feature_add(fixture->store, person.person_id, person.faces[0].face_id, "other",
                                                   feature, NULL));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face"), 3);
    assert_status(AIBOX_OK, store_face_remove(fixture->store, "a", person.faces[0].face_id, false, NULL, NULL));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face"), 1);
    fixture_check_invariants(fixture);
    store_person_free(&person);
}

static void test_the_last_one(void **state)
{
    struct fixture *fixture = *state;
    struct store_person person = person_of(fixture, "a", 1), after;
    struct aibox_error err;
    struct heard_people heard;

    listen(fixture, &heard);
    assert_status(AIBOX_PARAM, store_face_remove(fixture->store, "a", person.faces[0].face_id, false, &after, &err));
    assert_non_null(strstr(err.message, "allow_last"));
    assert_true(has_picture(fixture, person.faces[0].image_id));
    assert_int_equal(heard.calls, 0);
    assert_status(AIBOX_OK, store_face_remove(fixture->store, "a", person.faces[0].face_id, true, &after, &err));
    assert_int_equal(after.n_faces, 0);
    assert_int_equal(heard.calls, 1);
    assert_int_equal(heard.n_faces, 0);
    assert_int_equal(store_person_count(fixture->store), 1);
    fixture_check_invariants(fixture);
    store_person_free(&after);
    store_person_free(&person);
}

static void test_what_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    struct store_person a = person_of(fixture, "a", 2), b = person_of(fixture, "b", 2);
    struct aibox_error err;
    struct store_person out;

    assert_status(AIBOX_ID_NOT_FOUND, store_face_remove(fixture->store, "c", UNKNOWN, false, &out, &err));
    assert_non_null(strstr(err.message, "c"));
    assert_null(out.identity_id);
    assert_status(AIBOX_NOT_FOUND, store_face_remove(fixture->store, "a", UNKNOWN, false, NULL, &err));
    assert_non_null(strstr(err.message, "face_id"));
    assert_status(AIBOX_NOT_FOUND, store_face_remove(fixture->store, "a", "", true, NULL, &err));
    /* Somebody else's. */
    assert_status(AIBOX_NOT_FOUND, store_face_remove(fixture->store, "a", b.faces[0].face_id, true, NULL, &err));
    assert_status(AIBOX_NOT_FOUND, store_face_prefer(fixture->store, "b", a.faces[0].face_id, NULL, &err));
    assert_status(AIBOX_ID_NOT_FOUND, store_face_prefer(fixture->store, "c", a.faces[0].face_id, NULL, &err));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face"), 4);
    store_person_free(&a);
    store_person_free(&b);
}

static void test_the_portrait(void **state)
{
    struct fixture *fixture = *state;
    struct store_person before = person_of(fixture, "a", 5), after;

    assert_status(AIBOX_OK, store_face_prefer(fixture->store, "a", before.faces[0].face_id, &after, NULL));
    assert_int_equal(after.n_faces, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(after.faces[i].face_id, before.faces[(i + 1) % 5].face_id);
    assert_int_equal(after.faces[4].created_ms, before.faces[0].created_ms);
    store_person_free(&after);
    assert_status(AIBOX_OK, store_face_prefer(fixture->store, "a", before.faces[0].face_id, &after, NULL)); /* is it */
    assert_string_equal(after.faces[4].face_id, before.faces[0].face_id);
    store_person_free(&after);

    /* It doesn't give way to a new one. */
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_UPSERT, "a", "Ann", 6, &after, NULL));
    assert_string_equal(after.faces[0].face_id, before.faces[2].face_id);
    assert_string_equal(after.faces[3].face_id, before.faces[0].face_id);
    assert_true(has_picture(fixture, before.faces[0].image_id));
    assert_false(has_picture(fixture, before.faces[1].image_id));
    fixture_check_invariants(fixture);
    store_person_free(&after);
    store_person_free(&before);
}

static void test_a_photo_that_others_have_too(void **state)
{
    struct fixture *fixture = *state;
    struct store_person person;
    float feature[STORE_DIMENSION];
    struct store_new_face face = {
        .feature = feature, .model_set = MODEL_SET, .photo = (const uint8_t *)"same", .photo_size = 4};
    struct store_person_change change = {.mode = STORE_UPSERT,
                                         .identity_id = "a",
                                         .info = "{\"name\":\"A\"}",
                                         .faces_mode = STORE_FACES_ADD,
                                         .faces = &face,
                                         .n_faces = 1};

    fill_feature(feature, 1);
    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, NULL, NULL, NULL));
    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, &person, NULL, NULL));
    assert_status(AIBOX_OK, store_face_remove(fixture->store, "a", person.faces[1].face_id, false, NULL, NULL));
    assert_true(has_picture(fixture, person.faces[0].image_id));
    store_person_free(&person);
    face.photo = NULL; /* a feature alone has no photo to be taken away */
    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, &person, NULL, NULL));
    assert_string_equal(person.faces[1].image_id, "");
    assert_status(AIBOX_OK, store_face_remove(fixture->store, "a", person.faces[1].face_id, false, NULL, NULL));
    fixture_check_invariants(fixture);
    store_person_free(&person);
}

/* ---- several at a time ------------------------------------------------------------------------------------------- */

struct taker {
    struct fixture *fixture;
    char face_ids[STORE_MAX_FACES][37];
    size_t removed;
};

static void *take_all(void *arg)
{
    struct taker *taker = arg;

    for (size_t i = 0; i < STORE_MAX_FACES; i++)
        if (store_face_remove(taker->fixture->store, "a", taker->face_ids[i], false, NULL, NULL) == AIBOX_OK)
            taker->removed++;
    return NULL;
}

/* However many try at once, one face stays: that is decided where it is done. */
static void test_threads_leave_one(void **state)
{
    struct fixture *fixture = *state;
    struct store_person person = person_of(fixture, "a", STORE_MAX_FACES);
    struct taker takers[4];
    pthread_t threads[4];
    size_t removed = 0;

    for (size_t t = 0; t < 4; t++) {
        takers[t] = (struct taker){.fixture = fixture};
        for (size_t i = 0; i < STORE_MAX_FACES; i++)
            memcpy(takers[t].face_ids[i], person.faces[(i + t) % STORE_MAX_FACES].face_id, 37);
        assert_int_equal(pthread_create(&threads[t], NULL, take_all, &takers[t]), 0);
    }
    for (size_t t = 0; t < 4; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
        removed += takers[t].removed;
    }
    assert_int_equal(removed, STORE_MAX_FACES - 1);
    store_person_free(&person);
    assert_status(AIBOX_OK, store_person_get(fixture->store, "a", &person, NULL));
    assert_int_equal(person.n_faces, 1);
    fixture_check_invariants(fixture);
    store_person_free(&person);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_of_three_goes), TEST(test_all_its_features_go), TEST(test_the_last_one),
        TEST(test_what_is_not_there), TEST(test_the_portrait),        TEST(test_a_photo_that_others_have_too),
        TEST(test_threads_leave_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
