/* What picture search and the pictures of events need of the store. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "fixture.h"

static struct store_event add_event(struct store *store, int64_t timestamp_ms, const char *device, const char *spot,
                                    const char *face)
{
    float feature[STORE_DIMENSION];
    struct store_event event = {.timestamp_ms = timestamp_ms,
                                .identity_id = "a",
                                .identity_name = "Ann",
                                .person_type = 1,
                                .reason = "passed",
                                .device_id = device,
                                .ep_id = device[0] == 'd' ? "ep" : "",
                                .score = 0.5F,
                                .threshold = NAN,
                                .margin = NAN,
                                .best_score = NAN,
                                .liveness = NAN,
                                .mask = -1,
                                .feature = feature,
                                .model_set = MODEL_SET,
                                .spot = (const uint8_t *)spot,
                                .spot_size = strlen(spot),
                                .face = (const uint8_t *)face,
                                .face_size = strlen(face)};

    fill_feature(feature, (unsigned)timestamp_ms);
    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(store, &event, NULL));
    event.feature = NULL;
    return event;
}

static bool there(struct store *store, const char *image_id)
{
    uint8_t *bytes;
    size_t size;
    enum aibox_status status = store_picture_get(store, image_id, &bytes, &size, NULL);

    free(bytes);
    if (status != AIBOX_OK)
        assert_status(AIBOX_ID_NOT_FOUND, status);
    return status == AIBOX_OK;
}

static void test_deleting_pictures_keeps_the_event(void **state)
{
    struct fixture *fixture = *state;
    struct store_event event = add_event(fixture->store, 5, "d", "scene to be deleted", "a face that stays"), out;
    const char *ids[] = {event.spot_id};
    size_t deleted;

    assert_status(AIBOX_OK, store_event_pictures_delete(fixture->store, ids, 1, &deleted, NULL));
    assert_int_equal(deleted, 1);
    assert_false(there(fixture->store, event.spot_id));
    assert_true(there(fixture->store, event.face_id));
    assert_status(AIBOX_OK, store_event_get(fixture->store, event.event_id, &out, NULL));
    assert_string_equal(out.spot_id, "");
    assert_string_equal(out.face_id, event.face_id);
    store_event_free(&out);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 1);
    assert_status(AIBOX_OK, store_event_pictures_delete(fixture->store, ids, 1, &deleted, NULL));
    assert_int_equal(deleted, 0);
    fixture_check_invariants(fixture);
}

static void test_a_picture_shared_by_events_stays_for_the_other(void **state)
{
    struct fixture *fixture = *state;
    struct store_event first = add_event(fixture->store, 5, "d", "the same scene", "face 1");
    struct store_event second = add_event(fixture->store, 6, "d", "the same scene", "face 2");
    const char *ids[] = {first.spot_id, first.face_id};
    size_t deleted;

    assert_status(AIBOX_OK, store_event_pictures_delete(fixture->store, ids, 2, &deleted, NULL));
    assert_int_equal(deleted, 2);
    assert_false(there(fixture->store, first.spot_id));
    assert_true(there(fixture->store, second.spot_id));
    assert_true(there(fixture->store, second.face_id));
    fixture_check_invariants(fixture);
}

static void test_an_event_without_its_pictures_can_be_deleted(void **state)
{
    struct fixture *fixture = *state;
    struct store_event event = add_event(fixture->store, 5, "d", "scene", "face");
    const char *pictures[] = {event.spot_id, event.face_id}, *events[] = {event.event_id};
    size_t deleted;

    assert_status(AIBOX_OK, store_event_pictures_delete(fixture->store, pictures, 2, NULL, NULL));
    assert_status(AIBOX_OK, store_events_delete(fixture->store, events, 1, NULL, &deleted, NULL));
    assert_int_equal(deleted, 1);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 0);
    fixture_check_invariants(fixture);
}

static void test_photos_and_unknown_ids_are_skipped(void **state)
{
    struct fixture *fixture = *state;
    struct store_event event = add_event(fixture->store, 5, "d", "scene", "face");
    struct store_person person;
    char unknown[ID_UUID_SIZE];
    size_t deleted;

    id_uuid(unknown);
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "ann", "Ann", 1, &person, NULL));
    const char *ids[] = {person.faces[0].image_id, unknown, "no id", "", event.event_id, event.face_id, event.face_id};
    assert_status(AIBOX_OK,
                  store_event_pictures_delete(fixture->store, ids, sizeof ids / sizeof ids[0], &deleted, NULL));
    assert_int_equal(deleted, 1);
    assert_true(there(fixture->store, person.faces[0].image_id));
    assert_true(there(fixture->store, event.spot_id));
    assert_status(AIBOX_OK, store_event_pictures_delete(fixture->store, NULL, 0, &deleted, NULL));
    assert_int_equal(deleted, 0);
    store_person_free(&person);
}

static void test_many_pictures_in_steps(void **state)
{
    enum { EVENTS = 301 };
    struct fixture *fixture = *state;
    static struct store_event events[EVENTS];
    static const char *ids[EVENTS * 2];
    size_t deleted;

    for (int i = 0; i < EVENTS; i++) {
        events[i] = add_event(fixture->store, i + 1, "d", "scene", "face");
        ids[2 * i] = events[i].spot_id;
        ids[2 * i + 1] = events[i].face_id;
    }
    assert_status(AIBOX_OK, store_event_pictures_delete(fixture->store, ids, (size_t)EVENTS * 2, &deleted, NULL));
    assert_int_equal(deleted, EVENTS * 2);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM image"), 0);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 0);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM event"), EVENTS);
}

static void test_get_by_seq(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_event event = add_event(store, 5, "d", "scene", "face"), out;
    struct aibox_error err;

    assert_status(AIBOX_OK, store_event_get_by_seq(store, event.seq, &out, NULL));
    assert_string_equal(out.event_id, event.event_id);
    store_event_free(&out);
    assert_status(AIBOX_NOT_FOUND, store_event_get_by_seq(store, event.seq + 1, &out, &err));
    assert_null(out.memory);
}

struct seen {
    int64_t timestamps[8];
    size_t count;
};

static bool see(void *ctx, int64_t seq, int64_t timestamp_ms, const float *feature)
{
    struct seen *seen = ctx;

    (void)seq;
    (void)feature;
    seen->timestamps[seen->count++] = timestamp_ms;
    return true;
}

static void test_scan_order_and_devices(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    const char *devices[] = {"e2", "ep"};
    struct store_event_query query = {.score_min = NAN, .score_max = NAN, .limit = 1, .oldest_first = true};
    struct seen seen = {.count = 0};

    add_event(store, 30, "d1", "s", "f");
    add_event(store, 10, "e2", "s", "f");
    add_event(store, 20, "e3", "s", "f");
    assert_status(AIBOX_OK, store_event_features_scan(store, &query, MODEL_SET, see, &seen, NULL));
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.timestamps[0], 10);
    assert_int_equal(seen.timestamps[2], 30);
    query.devices = devices;
    query.n_devices = 2;
    query.oldest_first = false;
    seen.count = 0;
    assert_status(AIBOX_OK, store_event_features_scan(store, &query, MODEL_SET, see, &seen, NULL));
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.timestamps[0], 30);
    assert_int_equal(seen.timestamps[1], 10);
    query.from_ms = 11;
    seen.count = 0;
    assert_status(AIBOX_OK, store_event_features_scan(store, &query, MODEL_SET, see, &seen, NULL));
    assert_int_equal(seen.count, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_deleting_pictures_keeps_the_event),
        TEST(test_a_picture_shared_by_events_stays_for_the_other),
        TEST(test_an_event_without_its_pictures_can_be_deleted),
        TEST(test_photos_and_unknown_ids_are_skipped),
        TEST(test_many_pictures_in_steps),
        TEST(test_get_by_seq),
        TEST(test_scan_order_and_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
