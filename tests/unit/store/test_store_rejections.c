/* Rejections: they come back, are bounded, and go with the person and the event they are of. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "fixture.h"

static void add_event(struct store *store, unsigned seed, bool with_face, char event_id[27])
{
    float feature[STORE_DIMENSION];
    struct store_event event = {.timestamp_ms = 1700000000000,
                                .identity_id = "x",
                                .identity_name = "stranger",
                                .person_type = 4,
                                .reason = "stranger",
                                .threshold = NAN,
                                .mask = -1,
                                .feature = with_face ? feature : NULL,
                                .model_set = MODEL_SET};

    fill_feature(feature, seed);
    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(store, &event, NULL));
    memcpy(event_id, event.event_id, 27);
}

static int64_t reject(struct store *store, const char *event_id, const char *identity_id)
{
    int64_t id = 0;

    assert_status(AIBOX_OK, store_rejection_add(store, event_id, identity_id, &id, NULL));
    return id;
}

struct seen {
    size_t count;
    int64_t first_id;
    char first_event[27], first_person[65];
};

static void note(void *ctx, const struct store_rejection *rejection)
{
    struct seen *seen = ctx;

    if (seen->count++ > 0)
        return;
    seen->first_id = rejection->rejection_id;
    (void)snprintf(seen->first_event, sizeof seen->first_event, "%s", rejection->event_id);
    (void)snprintf(seen->first_person, sizeof seen->first_person, "%s", rejection->identity_id);
}

static size_t count(struct store *store, const char *identity_id)
{
    struct seen seen = {0};
    size_t total = 0;

    assert_status(AIBOX_OK, store_rejection_list(store, identity_id, 0, 1000, note, &seen, &total, NULL));
    assert_int_equal(seen.count, total);
    return total;
}

static bool compare_feature(void *ctx, int64_t person_id, const float *feature)
{
    float wanted[STORE_DIMENSION];

    fill_feature(wanted, 7);
    assert_true(person_id > 0);
    for (size_t i = 0; i < STORE_DIMENSION; i++)
        assert_true(fabsf(wanted[i] - feature[i]) < 1e-3F * fmaxf(1, fabsf(wanted[i])));
    ++*(size_t *)ctx;
    return true;
}

static void test_comes_back_and_is_taken_back(void **state)
{
    struct fixture *fixture = *state;
    char event_id[27];
    struct seen seen = {0};
    size_t total = 0, features = 0;

    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "Ann", 1, NULL, NULL));
    add_event(fixture->store, 7, true, event_id);
    int64_t id = reject(fixture->store, event_id, "a");
    assert_int_equal(reject(fixture->store, event_id, "a"), id);
    fixture_reopen(fixture);
    assert_status(AIBOX_OK, store_rejection_list(fixture->store, NULL, 0, 10, note, &seen, &total, NULL));
    assert_int_equal(total, 1);
    assert_int_equal(seen.first_id, id);
    assert_string_equal(seen.first_event, event_id);
    assert_string_equal(seen.first_person, "a");
    assert_int_equal(count(fixture->store, "b"), 0);
    assert_status(AIBOX_OK, store_rejection_features(fixture->store, MODEL_SET, compare_feature, &features, NULL));
    assert_int_equal(features, 1);
    assert_status(AIBOX_OK, store_rejection_features(fixture->store, "other", compare_feature, &features, NULL));
    assert_int_equal(features, 1);
    assert_status(AIBOX_OK, store_rejection_delete(fixture->store, id, NULL));
    assert_status(AIBOX_NOT_FOUND, store_rejection_delete(fixture->store, id, NULL));
    assert_int_equal(count(fixture->store, NULL), 0);
}

static void test_refuses_what_it_can_not_keep(void **state)
{
    struct fixture *fixture = *state;
    char event_id[27];
    int64_t id;

    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "Ann", 1, NULL, NULL));
    add_event(fixture->store, 7, false, event_id);
    assert_status(AIBOX_PARAM, store_rejection_add(fixture->store, event_id, "a", &id, NULL));
    assert_status(AIBOX_ID_NOT_FOUND, store_rejection_add(fixture->store, event_id, "b", &id, NULL));
    assert_status(AIBOX_NOT_FOUND, store_rejection_add(fixture->store, "01J", "a", &id, NULL));
}

static void test_keeps_the_newest_of_a_person(void **state)
{
    struct fixture *fixture = *state;
    char event_id[27], first[27] = "";

    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "Ann", 1, NULL, NULL));
    for (unsigned i = 0; i < STORE_REJECTIONS_PER_PERSON + 3; i++) {
        add_event(fixture->store, 10 + i, true, event_id);
        (void)reject(fixture->store, event_id, "a");
        if (i == 0)
            memcpy(first, event_id, sizeof first);
    }
    assert_int_equal(count(fixture->store, "a"), STORE_REJECTIONS_PER_PERSON);
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM rejection WHERE event_id = '%s'", first);
    assert_int_equal(fixture_query(fixture, "main", sql), 0);
}

static void test_goes_with_person_event_and_wipe(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    char event_id[27];
    const char *ids[] = {event_id};

    assert_status(AIBOX_OK, save_person(store, STORE_CREATE, "a", "Ann", 1, NULL, NULL));
    assert_status(AIBOX_OK, save_person(store, STORE_CREATE, "b", "Bea", 2, NULL, NULL));
    add_event(store, 7, true, event_id);
    (void)reject(store, event_id, "a");
    (void)reject(store, event_id, "b");
    assert_status(AIBOX_OK, store_people_delete(store, (const char *const[]){"a"}, 1, NULL, NULL));
    assert_int_equal(count(store, NULL), 1);
    assert_status(AIBOX_OK, store_events_delete(store, ids, 1, NULL, NULL, NULL));
    assert_int_equal(count(store, NULL), 0);
    add_event(store, 8, true, event_id);
    (void)reject(store, event_id, "b");
    assert_status(AIBOX_OK, store_wipe(store, false, true, NULL));
    assert_int_equal(count(store, NULL), 0);
}

/* Retention is no reason to take somebody for another again. */
static void test_stays_when_the_event_expires(void **state)
{
    struct fixture *fixture = *state;
    char event_id[27], other[27];
    struct store_event event = {0};

    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "Ann", 1, NULL, NULL));
    add_event(fixture->store, 7, true, event_id);
    (void)reject(fixture->store, event_id, "a");
    store_set_retention(fixture->store, 1, 0);
    add_event(fixture->store, 8, true, other);
    assert_status(AIBOX_NOT_FOUND, store_event_get(fixture->store, event_id, &event, NULL));
    assert_int_equal(count(fixture->store, "a"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_comes_back_and_is_taken_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refuses_what_it_can_not_keep, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_keeps_the_newest_of_a_person, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_goes_with_person_event_and_wipe, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_stays_when_the_event_expires, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
