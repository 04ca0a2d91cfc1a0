/* Events in the order of commit, how far receivers have confirmed them, and what they refused. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/id.h"
#include "fixture.h"

#define DAY_MS 86400000LL

static int64_t add(struct fixture *fixture)
{
    struct store_event event = {.timestamp_ms = 1,
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
    assert_status(AIBOX_OK, store_event_add(fixture->store, &event, NULL));
    return event.seq;
}

static void activate(struct fixture *fixture, const char *first, bool from_oldest, const char *second)
{
    struct store_cursor_wish wishes[] = {{first, from_oldest}, {second, false}};
    size_t n = first ? 1 + (second != NULL) : 0;

    assert_status(AIBOX_OK, store_cursors_activate(fixture->store, wishes, n, NULL));
}

static int64_t position(struct fixture *fixture, const char *url)
{
    struct store_cursor cursor;

    assert_status(AIBOX_OK, store_cursor_get(fixture->store, url, &cursor, NULL));
    return cursor.seq;
}

static void test_events_after(void **state)
{
    struct fixture *fixture = *state;
    struct store_event_list list;

    assert_int_equal(store_event_newest(fixture->store), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(add(fixture), i + 1);
    assert_int_equal(store_event_newest(fixture->store), 5);
    assert_status(AIBOX_OK, store_events_after(fixture->store, 2, 2, &list, NULL));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0].seq, 3);
    assert_int_equal(list.items[1].seq, 4);
    assert_string_equal(list.items[1].identity_name, "Ann");
    assert_null(list.items[1].feature);
    assert_string_equal(list.items[1].model_set, "");
    store_event_list_free(&list);
    assert_status(AIBOX_OK, store_events_after(fixture->store, 5, 2, &list, NULL));
    assert_int_equal(list.count, 0);
    store_event_list_free(&list);
    assert_status(AIBOX_PARAM, store_events_after(fixture->store, 5, 0, &list, NULL));
    assert_status(AIBOX_PARAM, store_events_after(fixture->store, 5, 1001, &list, NULL));
    fixture_reopen(fixture);
    assert_int_equal(store_event_newest(fixture->store), 5);
}

struct heard {
    struct store *store;
    _Atomic int64_t newest;
    atomic_int times;
};

static void hear(void *ctx)
{
    struct heard *heard = ctx;

    atomic_store(&heard->newest, store_event_newest(heard->store));
    atomic_fetch_add(&heard->times, 1);
}

static void test_listeners_are_told_after_the_commit(void **state)
{
    struct fixture *fixture = *state;
    struct heard heard = {.store = fixture->store}, other = heard;

    store_events_listen(fixture->store, hear, &heard);
    store_events_listen(fixture->store, hear, &other);
    int64_t seq = add(fixture);
    assert_int_equal(atomic_load(&heard.newest), seq); /* before store_event_add() returned */
    assert_int_equal(atomic_load(&heard.times), 1);
    activate(fixture, "http://a/", false, NULL); /* no event: nothing to tell */
    assert_int_equal(atomic_load(&heard.times), 1);
    store_events_unlisten(fixture->store, hear, &heard);
    add(fixture);
    assert_int_equal(atomic_load(&heard.times), 1);
    assert_int_equal(atomic_load(&other.times), 2);
}

static void test_a_cursor_starts_now_or_with_the_oldest(void **state)
{
    struct fixture *fixture = *state;
    struct store_cursor cursor;

    add(fixture);
    add(fixture);
    activate(fixture, "http://old/", true, "http://new/");
    assert_int_equal(position(fixture, "http://old/"), 0);
    assert_int_equal(position(fixture, "http://new/"), 2);
    assert_status(AIBOX_NOT_FOUND, store_cursor_get(fixture->store, "http://other/", &cursor, NULL));
    add(fixture);
    activate(fixture, "http://new/", true, "http://old/"); /* they have their place already */
    assert_int_equal(position(fixture, "http://old/"), 0);
    assert_int_equal(position(fixture, "http://new/"), 2);
}

static void test_confirming(void **state)
{
    struct fixture *fixture = *state;

    activate(fixture, "http://a/", false, NULL);
    for (int i = 0; i < 4; i++)
        add(fixture);
    assert_status(AIBOX_OK, store_cursor_confirm(fixture->store, "http://a/", 3, NULL));
    assert_status(AIBOX_OK, store_cursor_confirm(fixture->store, "http://a/", 2, NULL)); /* never back */
    assert_status(AIBOX_OK, store_cursor_confirm(fixture->store, "http://gone/", 2, NULL));
    fixture_reopen(fixture);
    assert_int_equal(position(fixture, "http://a/"), 3);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM cursor"), 1);
}

static void test_who_comes_back_within_thirty_days_goes_on(void **state)
{
    struct fixture *fixture = *state;
    char sql[160];

    activate(fixture, "http://a/", false, "http://b/");
    add(fixture);
    activate(fixture, "http://b/", false, NULL);
    assert_int_equal(fixture_query(fixture, "main", "SELECT active FROM cursor WHERE url = 'http://a/'"), 0);
    assert_int_equal(fixture_query(fixture, "main", "SELECT active FROM cursor WHERE url = 'http://b/'"), 1);
    activate(fixture, "http://a/", false, "http://b/");
    assert_int_equal(position(fixture, "http://a/"), 0);
    activate(fixture, NULL, false, NULL);
    snprintf(sql, sizeof sql, "UPDATE cursor SET updated_ms = updated_ms - %lld WHERE url = 'http://a/'", 31 * DAY_MS);
    fixture_exec(fixture, "main", sql);
    activate(fixture, "http://a/", false, "http://b/");
    assert_int_equal(position(fixture, "http://a/"), 1); /* too late: as if it were new */
    assert_int_equal(position(fixture, "http://b/"), 0);
}

static void test_a_refusal_is_remembered_until_it_is_confirmed(void **state)
{
    struct fixture *fixture = *state;
    struct store_cursor cursor;

    activate(fixture, "http://a/", false, NULL);
    add(fixture);
    add(fixture);
    assert_status(AIBOX_OK, store_cursor_refuse(fixture->store, "http://a/", 2, 777, NULL));
    assert_status(AIBOX_OK, store_cursor_confirm(fixture->store, "http://a/", 1, NULL));
    fixture_reopen(fixture);
    assert_status(AIBOX_OK, store_cursor_get(fixture->store, "http://a/", &cursor, NULL));
    assert_int_equal(cursor.seq, 1);
    assert_int_equal(cursor.refused_seq, 2);
    assert_int_equal(cursor.refused_ms, 777);
    assert_status(AIBOX_OK, store_cursor_confirm(fixture->store, "http://a/", 2, NULL));
    assert_status(AIBOX_OK, store_cursor_get(fixture->store, "http://a/", &cursor, NULL));
    assert_int_equal(cursor.refused_seq, 0);
    assert_int_equal(cursor.refused_ms, 0);
}

struct seen {
    size_t n;
    int64_t seq[4];
    int answered[4];
    bool resend[4];
};

static bool see(void *ctx, const struct store_set_aside *item)
{
    struct seen *seen = ctx;

    assert_true(seen->n < 4);
    assert_int_equal(strlen(item->event_id), 26);
    seen->seq[seen->n] = item->seq;
    seen->answered[seen->n] = item->answered;
    seen->resend[seen->n++] = item->resend;
    return true;
}

static void list_set_aside(struct fixture *fixture, const char *url, struct seen *seen)
{
    *seen = (struct seen){0};
    assert_status(AIBOX_OK, store_set_aside_each(fixture->store, url, 100, see, seen, NULL));
}

static void test_set_aside_and_tried_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_event event;
    struct seen seen;
    int64_t id;
    size_t count;

    activate(fixture, "http://a/", false, "http://b/");
    for (int i = 0; i < 3; i++)
        add(fixture);
    assert_status(AIBOX_OK, store_event_set_aside(fixture->store, "http://a/", 1, 400, NULL));
    assert_status(AIBOX_OK, store_event_set_aside(fixture->store, "http://a/", 2, 422, NULL));
    assert_status(AIBOX_OK, store_event_set_aside(fixture->store, "http://b/", 2, 413, NULL));
    assert_int_equal(position(fixture, "http://a/"), 2);
    list_set_aside(fixture, "http://a/", &seen);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.seq[1], 2);
    assert_int_equal(seen.answered[1], 422);
    list_set_aside(fixture, NULL, &seen);
    assert_int_equal(seen.n, 3);

    assert_status(AIBOX_OK, store_set_aside_next(fixture->store, "http://a/", &id, &event, NULL));
    assert_int_equal(id, 0); /* nobody asked for another try */
    assert_status(AIBOX_OK, store_event_get_by_seq(fixture->store, 2, &event, NULL));
    assert_status(AIBOX_OK, store_set_aside_resend(fixture->store, "http://a/", event.event_id, &count, NULL));
    store_event_free(&event);
    assert_int_equal(count, 1);
    assert_status(AIBOX_OK, store_set_aside_next(fixture->store, "http://a/", &id, &event, NULL));
    assert_int_equal(event.seq, 2);
    store_event_free(&event);
    assert_status(AIBOX_OK, store_set_aside_done(fixture->store, id, 400, NULL));
    list_set_aside(fixture, "http://a/", &seen);
    assert_int_equal(seen.answered[1], 400);
    assert_false(seen.resend[1]);

    assert_status(AIBOX_OK, store_set_aside_resend(fixture->store, NULL, NULL, &count, NULL));
    assert_int_equal(count, 3);
    assert_status(AIBOX_OK, store_set_aside_next(fixture->store, "http://b/", &id, &event, NULL));
    store_event_free(&event);
    assert_status(AIBOX_OK, store_set_aside_done(fixture->store, id, 0, NULL));
    assert_status(AIBOX_OK, store_set_aside_count(fixture->store, "http://b/", &count, NULL));
    assert_int_equal(count, 0);
    assert_status(AIBOX_OK, store_set_aside_count(fixture->store, "http://a/", &count, NULL));
    assert_int_equal(count, 2);
}

static void test_what_is_set_aside_goes_with_its_event(void **state)
{
    struct fixture *fixture = *state;
    struct store_event event;
    size_t count;

    activate(fixture, "http://a/", false, NULL);
    int64_t seq = add(fixture);
    assert_status(AIBOX_OK, store_event_set_aside(fixture->store, "http://a/", seq, 400, NULL));
    assert_status(AIBOX_OK, store_event_get_by_seq(fixture->store, seq, &event, NULL));
    const char *ids[] = {event.event_id};
    assert_status(AIBOX_OK, store_events_delete(fixture->store, ids, 1, NULL, NULL, NULL));
    store_event_free(&event);
    assert_status(AIBOX_OK, store_set_aside_count(fixture->store, "http://a/", &count, NULL));
    assert_int_equal(count, 0);
    seq = add(fixture);
    assert_status(AIBOX_OK, store_event_set_aside(fixture->store, "http://a/", seq + 5, 400, NULL)); /* unknown */
    assert_status(AIBOX_OK, store_set_aside_count(fixture->store, "http://a/", &count, NULL));
    assert_int_equal(count, 0);
}

static void test_an_active_cursor_holds_events_back_tenfold(void **state)
{
    struct fixture *fixture = *state;
    struct store_counters counters;
    struct seen seen;

    activate(fixture, "http://a/", false, NULL);
    store_set_retention(fixture->store, 3, 0);
    for (int i = 0; i < 30; i++)
        add(fixture);
    store_count(fixture->store, &counters);
    assert_int_equal(counters.events, 30);
    assert_int_equal(counters.events_lost, 0);
    for (int i = 0; i < 5; i++)
        add(fixture);
    store_count(fixture->store, &counters);
    assert_int_equal(counters.events, 30);
    assert_int_equal(counters.events_lost, 5);
    fixture_reopen(fixture);
    store_count(fixture->store, &counters);
    assert_int_equal(counters.events_lost, 5);
    store_set_retention(fixture->store, 3, 0);
    assert_status(AIBOX_OK, store_cursor_confirm(fixture->store, "http://a/", 35, NULL));
    for (int i = 0; i < 8; i++) { /* each drops itself and a few more */
        add(fixture);
        assert_status(AIBOX_OK, store_cursor_confirm(fixture->store, "http://a/", 36 + i, NULL));
    }
    store_count(fixture->store, &counters);
    assert_true(counters.events <= 4);
    assert_int_equal(counters.events_lost, 5);
    list_set_aside(fixture, NULL, &seen);
    assert_int_equal(seen.n, 0);
}

static void test_age_drops_what_is_undelivered_and_counts_it(void **state)
{
    struct fixture *fixture = *state;
    struct store_counters counters = {.events = 1};

    activate(fixture, "http://a/", false, NULL);
    add(fixture); /* of 1970 */
    store_set_retention(fixture->store, 100, 1);
    for (int i = 0; i < 500 && counters.events > 0; i++) {
        usleep(10000);
        store_count(fixture->store, &counters);
    }
    assert_int_equal(counters.events, 0);
    assert_int_equal(counters.events_lost, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_events_after),
        TEST(test_listeners_are_told_after_the_commit),
        TEST(test_a_cursor_starts_now_or_with_the_oldest),
        TEST(test_confirming),
        TEST(test_who_comes_back_within_thirty_days_goes_on),
        TEST(test_a_refusal_is_remembered_until_it_is_confirmed),
        TEST(test_set_aside_and_tried_again),
        TEST(test_what_is_set_aside_goes_with_its_event),
        TEST(test_an_active_cursor_holds_events_back_tenfold),
        TEST(test_age_drops_what_is_undelivered_and_counts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
