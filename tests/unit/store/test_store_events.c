/* Events: every field comes back, filters, deleting, retention, picture search. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "core/clock.h"
#include "core/id.h"
#include "fixture.h"

static struct store_event new_event(int64_t timestamp_ms)
{
    struct store_event event = {.timestamp_ms = timestamp_ms,
                                .identity_id = "a",
                                .identity_name = "Ann",
                                .person_type = 1,
                                .reason = "passed",
                                .score = 0.5F,
                                .threshold = NAN,
                                .margin = NAN,
                                .best_score = NAN,
                                .liveness = NAN,
                                .mask = -1};
    id_ulid(event.event_id);
    return event;
}

static struct store_event_query any_event(size_t limit)
{
    return (struct store_event_query){.score_min = NAN, .score_max = NAN, .limit = limit};
}

static int64_t add(struct store *store, const struct store_event *given)
{
    struct store_event event = *given;

    assert_status(AIBOX_OK, store_event_add(store, &event, NULL));
    return event.seq;
}

static void test_every_field_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct store_event out;
    struct aibox_error err;
    float feature[STORE_DIMENSION];
    uint8_t *bytes;
    size_t size;

    fill_feature(feature, 5);
    struct store_event event = {.timestamp_ms = 1700000000123,
                                .identity_id = "id",
                                .identity_name = "\xe5\xbc\xa0",
                                .person_type = 5,
                                .group_name = "g1,g2",
                                .device_id = "d",
                                .device_ip = "10.0.0.1",
                                .ep_id = "sno__10.0.0.1",
                                .device_type = "4",
                                .reason = "stranger",
                                .action = "opendoor",
                                .verdict = STORE_UNCERTAIN,
                                .score = 0.25F,
                                .threshold = 0.5F,
                                .margin = 0.125F,
                                .best_identity_id = "best",
                                .best_score = 0.75F,
                                .liveness = 0.875F,
                                .mask = 0.0625F,
                                .room = "lobby",
                                .grab_fiqa_info = "{\"a\":1}",
                                .box_fiqa_info = "{\"b\":2}",
                                .supersedes = "01HZZZZZZZZZZZZZZZZZZZZZZZ",
                                .feature = feature,
                                .model_set = MODEL_SET,
                                .spot = (const uint8_t *)"the spot",
                                .spot_size = 8,
                                .face = (const uint8_t *)"the face",
                                .face_size = 8};
    id_ulid(event.event_id);
    id_uuid(event.reg_id);
    assert_status(AIBOX_OK, store_event_add(fixture->store, &event, &err));
    assert_int_equal(event.seq, 1);
    assert_int_equal(strlen(event.spot_id), 36);

    fixture_reopen(fixture);
    assert_status(AIBOX_OK, store_event_get(fixture->store, event.event_id, &out, &err));
    assert_int_equal(out.seq, 1);
    assert_string_equal(out.event_id, event.event_id);
    assert_int_equal(out.timestamp_ms, event.timestamp_ms);
    assert_string_equal(out.identity_id, event.identity_id);
    assert_string_equal(out.identity_name, event.identity_name);
    assert_int_equal(out.person_type, 5);
    assert_string_equal(out.group_name, event.group_name);
    assert_string_equal(out.device_id, event.device_id);
    assert_string_equal(out.device_ip, event.device_ip);
    assert_string_equal(out.ep_id, event.ep_id);
    assert_string_equal(out.device_type, event.device_type);
    assert_string_equal(out.reason, event.reason);
    assert_string_equal(out.action, event.action);
    assert_int_equal(out.verdict, STORE_UNCERTAIN);
    assert_true(out.score == event.score && out.threshold == event.threshold && out.margin == event.margin);
    assert_string_equal(out.best_identity_id, event.best_identity_id);
    assert_true(out.best_score == event.best_score && out.liveness == event.liveness && out.mask == event.mask);
    assert_string_equal(out.room, event.room);
    assert_string_equal(out.grab_fiqa_info, event.grab_fiqa_info);
    assert_string_equal(out.box_fiqa_info, event.box_fiqa_info);
    assert_string_equal(out.supersedes, event.supersedes);
    assert_string_equal(out.model_set, MODEL_SET);
    assert_string_equal(out.spot_id, event.spot_id);
    assert_string_equal(out.face_id, event.face_id);
    assert_string_equal(out.reg_id, event.reg_id);
    assert_non_null(out.feature);
    for (size_t i = 0; i < STORE_DIMENSION; i++)
        assert_true(fabsf(out.feature[i] - feature[i]) <= fabsf(feature[i]) / 2048 + 1e-7F);
    assert_status(AIBOX_OK, store_picture_get(fixture->store, out.face_id, &bytes, &size, &err));
    assert_memory_equal(bytes, "the face", 8);
    free(bytes);
    store_event_free(&out);
}

static void test_unset_fields(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_event out, event = {.score = NAN, .threshold = NAN, .margin = NAN, .best_score = NAN, .liveness = NAN};
    struct aibox_error err;

    event.mask = -1;
    memcpy(event.event_id, "01HZZZZZZZZZZZZZZZZZZZZZZA", sizeof event.event_id);
    assert_status(AIBOX_OK, store_event_add(store, &event, &err));
    assert_status(AIBOX_OK, store_event_get(store, event.event_id, &out, &err));
    assert_string_equal(out.identity_id, "");
    assert_string_equal(out.room, "");
    assert_string_equal(out.supersedes, "");
    assert_string_equal(out.model_set, "");
    assert_string_equal(out.grab_fiqa_info, "{}");
    assert_string_equal(out.spot_id, "");
    assert_string_equal(out.reg_id, "");
    assert_null(out.feature);
    assert_true(isnan(out.score) && isnan(out.threshold) && isnan(out.margin) && isnan(out.best_score));
    assert_true(isnan(out.liveness) && out.mask == -1);
    store_event_free(&out);

    assert_status(AIBOX_PARAM, store_event_add(store, &event, &err)); /* the id is taken */
    memset(event.event_id, 0, sizeof event.event_id);
    assert_status(AIBOX_PARAM, store_event_add(store, &event, &err));
    assert_non_null(strstr(err.message, "event_id"));
    assert_status(AIBOX_NOT_FOUND, store_event_get(store, "nothing", &out, &err));
}

static void expect_times(struct store *store, const struct store_event_query *query, size_t total, const char *expected)
{
    struct store_event_list list;
    char text[200] = "";
    size_t n = 0;

    assert_status(AIBOX_OK, store_event_list(store, query, &list, NULL));
    for (size_t i = 0; i < list.count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%lld", i ? " " : "", (long long)list.items[i].timestamp_ms);
    assert_string_equal(text, expected);
    assert_int_equal(list.total, total);
    store_event_list_free(&list);
}

static void add_six(struct store *store)
{
    for (int64_t i = 1; i <= 6; i++) {
        struct store_event event = new_event(i * 10);
        char id[8];
        snprintf(id, sizeof id, "p%d", (int)(i % 3));
        event.identity_id = id;
        event.identity_name = i % 2 ? "Ann_" : "Bob";
        event.person_type = i % 2 ? 1 : 4;
        event.reason = i % 2 ? "passed" : "stranger";
        event.room = i < 3 ? "lobby" : "";
        event.group_name = i == 4 ? "h" : "g";
        event.ep_id = i == 5 ? "e2" : "e1";
        event.score = i == 6 ? NAN : (float)i / 8;
        assert_int_equal(add(store, &event), i);
    }
}

static void test_lists_and_filters(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_event_list list;
    struct store_event_query query;
    const char *h[] = {"h", "none"}, *e2[] = {"e2"};

    add_six(store);
    struct store_event late = new_event(5); /* comes last, was taken first */
    late.identity_id = "late";
    late.score = NAN;
    late.group_name = "";
    late.reason = "late";
    add(store, &late);

    query = any_event(3);
    expect_times(store, &query, 7, "60 50 40");
    query.skip = 5;
    expect_times(store, &query, 7, "10 5");
    query.skip = 0;
    query.oldest_first = true;
    expect_times(store, &query, 7, "5 10 20");
    query = any_event(9);
    query.from_ms = 20;
    query.to_ms = 40;
    expect_times(store, &query, 3, "40 30 20");
    query = any_event(9);
    query.identity_id = "p1";
    expect_times(store, &query, 2, "40 10");
    query = any_event(9);
    query.name_part = "nn_";
    expect_times(store, &query, 3, "50 30 10");
    query.name_part = "_n";
    expect_times(store, &query, 0, "");
    query = any_event(9);
    query.room = "lobby";
    expect_times(store, &query, 2, "20 10");
    query = any_event(9);
    query.score_min = 0.25F;
    query.score_max = 0.375F;
    expect_times(store, &query, 2, "30 20");
    query = any_event(9);
    query.person_type = 4;
    query.reason = "stranger";
    expect_times(store, &query, 3, "60 40 20");
    query = any_event(9);
    query.groups = h;
    query.n_groups = 2;
    expect_times(store, &query, 1, "40");
    query = any_event(9);
    query.ep_ids = e2;
    query.n_ep_ids = 1;
    expect_times(store, &query, 1, "50");
    query = any_event(0);
    assert_status(AIBOX_PARAM, store_event_list(store, &query, &list, NULL));
    query = any_event(1001);
    assert_status(AIBOX_PARAM, store_event_list(store, &query, &list, NULL));
}

static void test_delete(void **state)
{
    struct fixture *fixture = *state;
    struct store_event event = new_event(1);
    struct store_event_query query = any_event(9);
    size_t deleted;

    event.spot = (const uint8_t *)"spot";
    event.spot_size = 4;
    assert_status(AIBOX_OK, store_event_add(fixture->store, &event, NULL));
    const char *ids[] = {event.event_id, "unknown", event.event_id};
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 1);
    assert_status(AIBOX_OK, store_events_delete(fixture->store, ids, 3, NULL, &deleted, NULL));
    assert_int_equal(deleted, 1);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 0);

    for (int64_t i = 0; i < 12; i++) {
        event = new_event(i + 1);
        event.room = i < 10 ? "x" : "y";
        add(fixture->store, &event);
    }
    query.room = "x";
    assert_status(AIBOX_OK, store_events_delete(fixture->store, NULL, 0, &query, &deleted, NULL));
    assert_int_equal(deleted, 10);
    assert_status(AIBOX_OK, store_events_delete(fixture->store, NULL, 0, &query, &deleted, NULL));
    assert_int_equal(deleted, 0);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM event"), 2);
    fixture_check_invariants(fixture);
}

static void wait_for_events(struct fixture *fixture, size_t expected)
{
    struct store_counters counters;
    int64_t deadline = clock_monotonic_ms() + 5000;

    do {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        store_count(fixture->store, &counters);
        assert_true(clock_monotonic_ms() < deadline);
    } while (counters.events != expected);
}

static void test_retention_by_number(void **state)
{
    struct fixture *fixture = *state;
    struct store_counters counters;
    struct store_event_query query = any_event(20);

    store_set_retention(fixture->store, 5, 0);
    for (int64_t i = 1; i <= 12; i++) {
        char picture[32];
        struct store_event event = new_event(i);
        snprintf(picture, sizeof picture, "picture %d", (int)i);
        event.spot = (const uint8_t *)picture;
        event.spot_size = strlen(picture);
        add(fixture->store, &event);
    }
    expect_times(fixture->store, &query, 5, "12 11 10 9 8");
    fixture_wait_for_sweep(fixture);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 5);
    store_count(fixture->store, &counters);
    assert_int_equal(counters.events, 5);
    assert_int_equal(counters.events_total, 12);

    store_set_retention(fixture->store, 2, 0); /* at once, without another event */
    wait_for_events(fixture, 2);
    expect_times(fixture->store, &query, 2, "12 11");
    fixture_check_invariants(fixture);
}

static void test_retention_by_age(void **state)
{
    struct fixture *fixture = *state;
    struct store_event_query query = any_event(20);
    int64_t now = clock_realtime_ms(), day = INT64_C(86400000);
    struct store_event old = new_event(now - 3 * day), young = new_event(now - day);

    add(fixture->store, &young);
    add(fixture->store, &old);
    store_set_retention(fixture->store, 100, 2);
    wait_for_events(fixture, 1);
    query.to_ms = now - 2 * day;
    expect_times(fixture->store, &query, 0, "");
}

/* So much of the partition that `bytes` of pictures fit. */
static double share_of(const struct fixture *fixture, int64_t bytes)
{
    struct statvfs disk;

    assert_int_equal(statvfs(fixture->path, &disk), 0);
    return ((double)bytes + 0.5) / ((double)disk.f_blocks * (double)disk.f_frsize);
}

static void add_with_pictures(struct fixture *fixture, int64_t timestamp_ms, size_t size)
{
    uint8_t bytes[2][1000];
    struct store_event event = new_event(timestamp_ms);

    id_random(bytes, sizeof bytes);
    event.spot = bytes[0];
    event.spot_size = size - 100;
    event.face = bytes[1];
    event.face_size = 100;
    add(fixture->store, &event);
}

static void test_retention_by_share_of_the_disk(void **state)
{
    struct fixture *fixture = *state;
    struct store_counters counters;

    store_set_disk_share(fixture->store, share_of(fixture, 3000));
    for (int64_t i = 1; i <= 10; i++)
        add_with_pictures(fixture, i, 1000);
    store_count(fixture->store, &counters);
    assert_int_equal(counters.event_picture_bytes, 3000);
    assert_int_equal(counters.events, 3);
    assert_int_equal(counters.events_lost, 0);
    assert_int_equal(fixture_query(fixture, "main", "SELECT min(seq) FROM event"), 8);
    /* What was not delivered stays, and goes when it is. */
    fixture_exec(fixture, "main", "INSERT INTO cursor (url, seq, updated_ms) VALUES ('http://a/', 9, 0)");
    for (int64_t i = 11; i <= 15; i++)
        add_with_pictures(fixture, i, 1000);
    store_count(fixture->store, &counters);
    assert_int_equal(counters.events, 6); /* 10 to 15 */
    assert_int_equal(counters.events_lost, 0);
    assert_status(AIBOX_OK, store_cursor_confirm(fixture->store, "http://a/", 15, NULL));
    store_set_disk_share(fixture->store, share_of(fixture, 2500)); /* at once, without another event */
    wait_for_events(fixture, 2);
    store_set_disk_share(fixture->store, 0);
    for (int64_t i = 16; i <= 20; i++)
        add_with_pictures(fixture, i, 1000);
    store_count(fixture->store, &counters);
    assert_int_equal(counters.events, 7);
    assert_int_equal(counters.event_picture_bytes, 7000);
    fixture_reopen(fixture);
    store_count(fixture->store, &counters);
    assert_int_equal(counters.event_picture_bytes, 7000);
    assert_status(AIBOX_OK, store_wipe(fixture->store, false, true, NULL));
    store_count(fixture->store, &counters);
    assert_int_equal(counters.event_picture_bytes, 0);
}

static void test_undelivered_events_are_held_back(void **state)
{
    struct fixture *fixture = *state;
    struct store_event event;
    struct store_counters counters;

    fixture_exec(fixture, "main", "INSERT INTO cursor (url, seq, updated_ms) VALUES ('http://a/', 3, 0)");
    store_set_retention(fixture->store, 2, 0);
    for (int64_t i = 1; i <= 20; i++) {
        event = new_event(i);
        add(fixture->store, &event);
    }
    store_count(fixture->store, &counters); /* 1 to 3 are delivered, the others wait */
    assert_int_equal(counters.events, 17);
    assert_int_equal(fixture_query(fixture, "main", "SELECT min(seq) FROM event"), 4);
    for (int64_t i = 21; i <= 30; i++) {
        event = new_event(i);
        add(fixture->store, &event);
    }
    store_count(fixture->store, &counters); /* up to ten times as many */
    assert_int_equal(counters.events, 20);
    assert_int_equal(
        fixture_query(fixture, "main", "SELECT value FROM counter WHERE name = 'events_dropped_undelivered'"), 7);
    fixture_exec(fixture, "main", "UPDATE cursor SET seq = 30");
    event = new_event(31);
    add(fixture->store, &event);
    store_set_retention(fixture->store, 2, 0);
    wait_for_events(fixture, 2);
}

static bool collect(void *ctx, int64_t seq, int64_t timestamp_ms, const float *feature)
{
    int64_t *seen = ctx;
    float expected[STORE_DIMENSION];

    fill_feature(expected, (unsigned)seq);
    for (size_t i = 0; i < STORE_DIMENSION; i++)
        assert_true(fabsf(expected[i] - feature[i]) <= 0.0005F);
    assert_int_equal(timestamp_ms, seq * 10);
    seen[++seen[0]] = seq;
    return seen[0] < seen[9];
}

static void test_features_scan(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_event_query query = any_event(1);
    float feature[STORE_DIMENSION];
    int64_t seen[10] = {[9] = 100};

    for (int64_t i = 1; i <= 5; i++) {
        struct store_event event = new_event(i * 10);
        fill_feature(feature, (unsigned)i);
        event.feature = i == 3 ? NULL : feature;
        event.model_set = i == 4 ? "another" : MODEL_SET;
        add(store, &event);
    }
    assert_status(AIBOX_OK, store_event_features_scan(store, &query, MODEL_SET, collect, seen, NULL));
    assert_int_equal(seen[0], 3);
    assert_int_equal(seen[1], 5);
    assert_int_equal(seen[2], 2);
    assert_int_equal(seen[3], 1);
    seen[0] = 0;
    seen[9] = 1;
    query.to_ms = 25;
    assert_status(AIBOX_OK, store_event_features_scan(store, &query, MODEL_SET, collect, seen, NULL));
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[1], 2);
}

static void collect_reason(void *ctx, const char *reason, uint64_t count)
{
    char *text = ctx;
    size_t n = strlen(text);

    snprintf(text + n, 200 - n, "%s=%d ", reason, (int)count);
}

static void test_reasons_are_counted(void **state)
{
    struct fixture *fixture = *state;
    char text[200] = "";
    size_t deleted;
    struct store_event_query query = any_event(1);

    add_six(fixture->store);
    assert_status(AIBOX_OK, store_events_delete(fixture->store, NULL, 0, &query, &deleted, NULL));
    assert_int_equal(deleted, 6);
    fixture_reopen(fixture);
    assert_status(AIBOX_OK, store_event_reasons_each(fixture->store, collect_reason, text, NULL));
    assert_string_equal(text, "passed=3 stranger=3 ");
    struct store_event event = new_event(1);
    assert_int_equal(add(fixture->store, &event), 7); /* seq is never used again */
}

static void test_ids_sort_after_the_stored(void **state)
{
    struct fixture *fixture = *state;
    struct store_event event = new_event(1);

    memcpy(event.event_id, "7ZZZZZZZ00ZZZZZZZZZZZZZZZZ",
           sizeof event.event_id); /* as if the clock had been far ahead */
    add(fixture->store, &event);
    fixture_reopen(fixture);
    struct store_event next = new_event(2);
    assert_true(strcmp(next.event_id, event.event_id) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_field_comes_back),
        TEST(test_unset_fields),
        TEST(test_lists_and_filters),
        TEST(test_delete),
        TEST(test_retention_by_number),
        TEST(test_retention_by_age),
        TEST(test_retention_by_share_of_the_disk),
        TEST(test_undelivered_events_are_held_back),
        TEST(test_features_scan),
        TEST(test_reasons_are_counted),
        TEST(test_ids_sort_after_the_stored), /* last: it moves this process's ids far ahead */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
