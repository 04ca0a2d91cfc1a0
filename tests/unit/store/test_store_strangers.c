/* Strangers: they come with events, are counted by visits, are bounded, and go with everything that must not remain. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/clock.h"
#include "core/id.h"
#include "fixture.h"
#include "store/snapshot.h"
#include "store/strangers.h"

#define DAY    INT64_C(86400000)
#define MINUTE INT64_C(60000)

static const struct store_stranger_rules rules = {.keep = 100, .days = 30, .absent_ms = 5 * MINUTE};

struct sighting {
    int64_t stranger_id; /* 0: a new one */
    int64_t ago_ms;
    unsigned seed;
    const char *supersedes, *device_id;
    bool lapsed; /* the number was found before the stranger went */
};

/* What became of it; `event_id` may be NULL. */
static struct store_stranger_mark see_as(struct store *store, const struct sighting *sighting, char event_id[27])
{
    float feature[STORE_DIMENSION];
    bool is_new = sighting->stranger_id == 0;
    struct store_event event = {.timestamp_ms = clock_realtime_ms() - sighting->ago_ms,
                                .identity_id = "x",
                                .identity_name = "stranger",
                                .person_type = 4,
                                .device_id = sighting->device_id,
                                .reason = "stranger",
                                .threshold = NAN,
                                .mask = -1,
                                .supersedes = sighting->supersedes,
                                .feature = feature,
                                .model_set = MODEL_SET};

    event.stranger.stranger_id = is_new ? store_stranger_reserve(store) : sighting->stranger_id;
    event.stranger.may_be_new = is_new && !sighting->lapsed;
    fill_feature(feature, sighting->seed);
    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(store, &event, NULL));
    if (event_id)
        memcpy(event_id, event.event_id, 27);
    return event.stranger;
}

static struct store_stranger_mark see(struct store *store, int64_t stranger_id, int64_t ago_ms)
{
    return see_as(store, &(struct sighting){.stranger_id = stranger_id, .ago_ms = ago_ms, .seed = 7}, NULL);
}

static void keep_last(void *ctx, const struct store_stranger *stranger)
{
    struct store_stranger *last = ctx;

    *last = *stranger;
    last->event_id = last->device_id = NULL;
}

static size_t list(struct store *store, const struct store_stranger_query *query, struct store_stranger *last)
{
    struct store_stranger spare;
    size_t total = 0;

    assert_status(AIBOX_OK, store_stranger_list(store, query, keep_last, last ? last : &spare, &total, NULL));
    return total;
}

static size_t count(struct store *store)
{
    return list(store, &(struct store_stranger_query){.limit = 1000}, NULL);
}

static bool is_there(struct store *store, int64_t stranger_id)
{
    return list(store, &(struct store_stranger_query){.stranger_id = stranger_id, .limit = 1}, NULL) == 1;
}

static void pause_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static void test_counts_visits(void **state)
{
    struct fixture *fixture = *state;
    struct store_stranger stranger;

    store_set_strangers(fixture->store, &rules);
    struct store_stranger_mark first = see(fixture->store, 0, 3 * DAY);
    assert_true(first.stranger_id > 0);
    assert_int_equal(first.visit, 1);
    struct store_stranger_mark again = see(fixture->store, first.stranger_id, 3 * DAY - MINUTE);
    assert_int_equal(again.visit, 1); /* the same visit goes on */
    assert_int_equal(again.first_ms, first.first_ms);
    again = see(fixture->store, first.stranger_id, 2 * DAY);
    assert_int_equal(again.visit, 2);
    assert_int_equal(again.first_ms, first.first_ms);
    again = see(fixture->store, first.stranger_id, 4 * DAY); /* a picture that comes late */
    assert_int_equal(again.visit, 3);
    assert_true(again.first_ms < first.first_ms);
    fixture_reopen(fixture);
    store_set_strangers(fixture->store, &rules);
    assert_int_equal(list(fixture->store, &(struct store_stranger_query){.limit = 10}, &stranger), 1);
    assert_int_equal(stranger.stranger_id, first.stranger_id);
    assert_int_equal(stranger.visits, 3);
    assert_int_equal(stranger.events, 4);
    assert_int_equal(stranger.expires_ms, stranger.last_ms + 30 * DAY);
    /* A clock that is ahead keeps nobody for longer. */
    (void)see(fixture->store, first.stranger_id, -900 * DAY);
    (void)list(fixture->store, &(struct store_stranger_query){.limit = 10}, &stranger);
    assert_true(stranger.last_ms <= clock_realtime_ms());
}

static void test_events_tell_it(void **state)
{
    struct fixture *fixture = *state;
    struct store_event event = {0};
    char event_id[27];

    store_set_strangers(fixture->store, &rules);
    struct store_stranger_mark first = see(fixture->store, 0, DAY);
    (void)see(fixture->store, 0, DAY);
    (void)see_as(fixture->store, &(struct sighting){.stranger_id = first.stranger_id, .seed = 7}, event_id);
    assert_status(AIBOX_OK, store_event_get(fixture->store, event_id, &event, NULL));
    assert_int_equal(event.stranger.stranger_id, first.stranger_id);
    assert_int_equal(event.stranger.visit, 2);
    assert_int_equal(event.stranger.first_ms, first.first_ms);
    assert_non_null(event.feature); /* the columns behind are where they were */
    assert_string_equal(event.model_set, MODEL_SET);
    store_event_free(&event);
    struct store_event_list events = {0};
    struct store_event_query query = {
        .score_min = NAN, .score_max = NAN, .stranger_id = first.stranger_id, .limit = 10};
    assert_status(AIBOX_OK, store_event_list(fixture->store, &query, &events, NULL));
    assert_int_equal(events.total, 2);
    store_event_list_free(&events);
    query.stranger_id = 0;
    query.strangers_back_only = true;
    assert_status(AIBOX_OK, store_event_list(fixture->store, &query, &events, NULL));
    assert_int_equal(events.total, 1);
    assert_string_equal(events.items[0].event_id, event_id);
    store_event_list_free(&events);
}

static void test_nobody_is_kept_while_it_is_off(void **state)
{
    struct fixture *fixture = *state;
    struct store_stranger_rules off = {0};

    assert_int_equal(see(fixture->store, 0, 0).stranger_id, 0); /* as a store begins */
    store_set_strangers(fixture->store, &rules);
    (void)see(fixture->store, 0, 0);
    store_set_strangers(fixture->store, &off);
    assert_int_equal(see(fixture->store, 0, 0).stranger_id, 0);
    /* Upkeep forgets those that there are. */
    for (int i = 0; i < 500 && count(fixture->store) > 0; i++)
        pause_a_little();
    assert_int_equal(count(fixture->store), 0);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM stranger_event"), 0);
}

static void test_the_longest_absent_makes_room(void **state)
{
    struct fixture *fixture = *state;
    struct store_stranger_rules few = {.keep = 3, .days = 30};
    int64_t ids[4];

    store_set_strangers(fixture->store, &few);
    for (int i = 0; i < 3; i++)
        ids[i] = see(fixture->store, 0, (10 - i) * DAY).stranger_id;
    (void)see(fixture->store, ids[0], DAY);
    ids[3] = see(fixture->store, 0, 0).stranger_id;
    assert_int_equal(count(fixture->store), 3);
    assert_false(is_there(fixture->store, ids[1]));
    assert_true(is_there(fixture->store, ids[0]));
    assert_true(is_there(fixture->store, ids[2]));
    assert_true(is_there(fixture->store, ids[3]));
    assert_int_equal(fixture_query(fixture, "main", "SELECT value FROM counter WHERE name = 'strangers'"), 3);
}

/* Days pass by moving what is stored into the past. */
static void test_expires_by_when_it_was_seen_last(void **state)
{
    struct fixture *fixture = *state;

    store_set_strangers(fixture->store, &rules);
    int64_t stays = see(fixture->store, 0, 20 * DAY).stranger_id, goes = see(fixture->store, 0, 0).stranger_id;
    (void)see(fixture->store, stays, 0);
    char sql[128];
    (void)snprintf(sql, sizeof sql, "UPDATE stranger SET last_ms = last_ms - %lld WHERE stranger_id = %lld",
                   (long long)(30 * DAY + MINUTE), (long long)goes);
    fixture_exec(fixture, "main", sql);
    store_set_strangers(fixture->store, &rules); /* wakes upkeep */
    for (int i = 0; i < 500 && is_there(fixture->store, goes); i++)
        pause_a_little();
    assert_false(is_there(fixture->store, goes));
    assert_true(is_there(fixture->store, stays));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM stranger_event"), 2);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM event"), 3);
}

static void test_numbers_are_never_given_twice(void **state)
{
    struct fixture *fixture = *state;
    struct sighting late = {.ago_ms = 0, .seed = 7, .lapsed = true};

    store_set_strangers(fixture->store, &rules);
    int64_t first = see(fixture->store, 0, 0).stranger_id;
    assert_status(AIBOX_OK, store_stranger_delete(fixture->store, first, NULL));
    assert_status(AIBOX_NOT_FOUND, store_stranger_delete(fixture->store, first, NULL));
    /* Found by a search before it was deleted, stored after. */
    late.stranger_id = first;
    struct store_stranger_mark mark = see_as(fixture->store, &late, NULL);
    assert_int_not_equal(mark.stranger_id, first);
    assert_int_equal(mark.visit, 1);
    fixture_reopen(fixture);
    assert_true(store_stranger_reserve(fixture->store) > mark.stranger_id);
}

static void test_goes_with_its_event_and_wipe(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    char event_id[27], later_id[27];
    const char *ids[] = {event_id}, *later[] = {later_id};
    struct sighting sighting = {.seed = 7};
    size_t deleted = 0;

    store_set_strangers(store, &rules);
    sighting.stranger_id = see_as(store, &sighting, event_id).stranger_id;
    (void)see_as(store, &sighting, later_id);
    assert_status(AIBOX_OK, store_events_delete(store, later, 1, NULL, NULL, NULL));
    assert_true(is_there(store, sighting.stranger_id)); /* its face is of the other event */
    assert_status(AIBOX_OK, store_events_delete(store, ids, 1, NULL, NULL, NULL));
    assert_int_equal(count(store), 0);
    for (int people = 0; people < 2; people++) {
        (void)see(store, 0, 0);
        assert_status(AIBOX_OK, store_wipe(store, people, !people, NULL));
        assert_int_equal(count(store), 0);
        assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM stranger_event"), 0);
    }
    (void)see(store, 0, 0);
    (void)see(store, 0, 0);
    assert_status(AIBOX_OK, store_strangers_delete_others(store, MODEL_SET, &deleted, NULL));
    assert_int_equal(deleted, 0);
    assert_status(AIBOX_OK, store_strangers_delete_others(store, "other", &deleted, NULL));
    assert_int_equal(deleted, 2);
    (void)see(store, 0, 0);
    assert_status(AIBOX_OK, store_strangers_delete_all(store, &deleted, NULL));
    assert_int_equal(deleted, 1);
    assert_int_equal(fixture_query(fixture, "main", "SELECT value FROM counter WHERE name = 'strangers'"), 0);
}

/* Retention takes events, not who was seen in them. */
static void test_stays_when_its_events_expire(void **state)
{
    struct fixture *fixture = *state;
    struct store_stranger stranger;

    store_set_strangers(fixture->store, &rules);
    struct store_stranger_mark first = see(fixture->store, 0, DAY);
    store_set_retention(fixture->store, 1, 0);
    (void)see(fixture->store, 0, 0);
    for (int i = 0; i < 500 && fixture_query(fixture, "main", "SELECT count(*) FROM event") > 1; i++)
        pause_a_little();
    struct store_stranger_query query = {.stranger_id = first.stranger_id, .limit = 1};
    assert_int_equal(list(fixture->store, &query, &stranger), 1);
    assert_int_equal(stranger.events, 0);
    assert_string_equal(stranger.face_id, "");
    assert_int_equal(see(fixture->store, first.stranger_id, 0).visit, 2);
}

/* Whoever is recognised a moment later was no stranger. */
static void test_a_superseded_event_is_no_sighting(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    char event_id[27];
    struct sighting sighting = {.seed = 7, .ago_ms = DAY};

    store_set_strangers(store, &rules);
    int64_t gone = see_as(store, &sighting, event_id).stranger_id;
    int64_t other = see_as(store, &(struct sighting){.seed = 8, .supersedes = event_id}, NULL).stranger_id;
    assert_false(is_there(store, gone));
    sighting = (struct sighting){.seed = 8, .stranger_id = other, .ago_ms = DAY};
    (void)see_as(store, &sighting, event_id);
    (void)see_as(store, &(struct sighting){.seed = 9, .supersedes = event_id}, NULL);
    struct store_stranger stranger;
    struct store_stranger_query query = {.stranger_id = other, .limit = 1};
    assert_int_equal(list(store, &query, &stranger), 1);
    assert_int_equal(stranger.visits, 1);
    assert_int_equal(stranger.events, 1);
}

static void test_no_copy_holds_strangers(void **state)
{
    struct fixture *fixture = *state;
    char folder[512];
    struct store_snapshot_options options = {.folder = folder, .with_events = true, .copies = 1};

    store_set_strangers(fixture->store, &rules);
    (void)see(fixture->store, 0, 0);
    (void)snprintf(folder, sizeof folder, "%s/%s", fixture->path, STORE_RESTORE_FOLDER);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_status(AIBOX_OK, store_snapshot(fixture->store, &options, NULL));
    assert_status(AIBOX_OK, store_restore_prepare(fixture->store, false, NULL));
    fixture_reopen(fixture);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM event"), 1);
    assert_int_equal(count(fixture->store), 0);
    fixture_check_invariants(fixture);
}

static void note_device(void *ctx, const char *device_id, int64_t last_ms, int64_t events)
{
    char *text = ctx;
    size_t used = strlen(text);

    assert_true(last_ms > 0);
    (void)snprintf(text + used, 128 - used, "%s:%lld ", device_id, (long long)events);
}

static void test_lists_by_what_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    struct store_stranger last;
    char devices[128] = "";

    store_set_strangers(store, &rules);
    int64_t a = see_as(store, &(struct sighting){.seed = 1, .ago_ms = 5 * DAY, .device_id = "front"}, NULL).stranger_id;
    int64_t b = see(store, 0, 4 * DAY).stranger_id;
    (void)see_as(store, &(struct sighting){.stranger_id = a, .seed = 1, .ago_ms = 3 * DAY, .device_id = "back"}, NULL);
    (void)see_as(store, &(struct sighting){.stranger_id = a, .seed = 1, .ago_ms = 2 * DAY, .device_id = "back"}, NULL);
    assert_int_equal(list(store, &(struct store_stranger_query){.limit = 10}, &last), 2);
    assert_int_equal(last.stranger_id, b); /* seen last comes first */
    assert_int_equal(list(store, &(struct store_stranger_query){.limit = 1, .skip = 0}, &last), 2);
    assert_int_equal(last.stranger_id, a);
    assert_int_equal(list(store, &(struct store_stranger_query){.limit = 10, .visits_min = 2}, &last), 1);
    assert_int_equal(last.stranger_id, a);
    int64_t limit_ms = clock_realtime_ms() - 3 * DAY;
    assert_int_equal(list(store, &(struct store_stranger_query){.limit = 10, .to_ms = limit_ms}, &last), 1);
    assert_int_equal(last.stranger_id, b);
    assert_int_equal(list(store, &(struct store_stranger_query){.limit = 10, .from_ms = limit_ms}, &last), 1);
    assert_int_equal(last.stranger_id, a);
    assert_status(AIBOX_PARAM,
                  store_stranger_list(store, &(struct store_stranger_query){0}, keep_last, &last, NULL, NULL));
    assert_status(AIBOX_OK, store_stranger_devices(store, a, note_device, devices, NULL));
    assert_string_equal(devices, "back:2 front:1 ");
}

struct heard {
    int64_t came, gone;
    float first;
};

static bool on_stranger(void *ctx, int64_t stranger_id, const float *feature)
{
    struct heard *heard = ctx;

    *(feature ? &heard->came : &heard->gone) = stranger_id;
    if (feature)
        heard->first = feature[0];
    return true;
}

static bool note_scanned(void *ctx, int64_t stranger_id, const float *feature)
{
    float wanted[STORE_DIMENSION];

    fill_feature(wanted, 7);
    for (size_t i = 0; i < STORE_DIMENSION; i++)
        assert_true(fabsf(wanted[i] - feature[i]) < 1e-3F * fmaxf(1, fabsf(wanted[i])));
    *(int64_t *)ctx += stranger_id;
    return true;
}

static void test_the_listener_hears_of_them(void **state)
{
    struct fixture *fixture = *state;
    struct heard heard = {0};
    struct store_listener listener = {.ctx = &heard, .model_set = MODEL_SET, .stranger = on_stranger};
    int64_t sum = 0;
    float wanted[STORE_DIMENSION];

    store_set_strangers(fixture->store, &rules);
    assert_status(AIBOX_OK, store_listen(fixture->store, &listener, NULL));
    int64_t id = see(fixture->store, 0, 0).stranger_id;
    fill_feature(wanted, 7);
    assert_int_equal(heard.came, id);
    assert_true(fabsf(heard.first - wanted[0]) < 1e-3F * fmaxf(1, fabsf(wanted[0])));
    assert_status(AIBOX_OK, store_strangers_scan(fixture->store, MODEL_SET, note_scanned, &sum, NULL));
    assert_int_equal(sum, id);
    assert_status(AIBOX_OK, store_strangers_scan(fixture->store, "other", note_scanned, &sum, NULL));
    assert_int_equal(sum, id);
    assert_status(AIBOX_OK, store_wipe(fixture->store, false, true, NULL));
    assert_int_equal(heard.gone, id);
    store_unlisten(fixture->store, &heard);
}

/* Neither plain in the file, nor in any file once it is deleted. */
static void test_faces_are_sealed(void **state)
{
    struct fixture *fixture = *state;

    store_set_strangers(fixture->store, &rules);
    int64_t id = see(fixture->store, 0, 0).stranger_id;
    assert_true(fixture_query(fixture, "main", "SELECT key_id FROM stranger") > 0);
    fixture_exec(fixture, "main", "UPDATE stranger SET stranger_id = stranger_id + 1"); /* bound to its own row */
    int64_t sum = 0;
    assert_status(AIBOX_OK, store_strangers_scan(fixture->store, MODEL_SET, note_scanned, &sum, NULL));
    assert_int_equal(sum, 0);
    assert_status(AIBOX_OK, store_stranger_delete(fixture->store, id + 1, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counts_visits, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_events_tell_it, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_nobody_is_kept_while_it_is_off, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_longest_absent_makes_room, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_expires_by_when_it_was_seen_last, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_numbers_are_never_given_twice, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_goes_with_its_event_and_wipe, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_stays_when_its_events_expire, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_superseded_event_is_no_sighting, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_no_copy_holds_strangers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_lists_by_what_is_asked_for, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_listener_hears_of_them, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_faces_are_sealed, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
