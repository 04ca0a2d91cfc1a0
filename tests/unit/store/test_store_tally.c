/* How many events there were: counted by quarters of an hour, also when the events are gone; nothing is left by a wipe.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/id.h"
#include "fixture.h"

#define QUARTER STORE_TALLY_MS

static int64_t base_ms; /* a quarter that is not so long ago that it would be dropped */

struct told {
    char text[512];
    size_t size;
};

static void note(void *ctx, const struct store_tally *tally)
{
    struct told *told = ctx;

    told->size +=
        (size_t)snprintf(told->text + told->size, sizeof told->text - told->size, "%lld %s %lld;",
                         (long long)((tally->start_ms - base_ms) / QUARTER), tally->kind, (long long)tally->count);
}

static void expect(struct store *store, int64_t from_ms, int64_t to_ms, const char *expected)
{
    struct told told = {.text = ""};

    assert_status(AIBOX_OK, store_tally_each(store, base_ms + from_ms, base_ms + to_ms, note, &told, NULL));
    assert_string_equal(told.text, expected);
}

/* Adds an event; its id goes to `id`. */
static void add(struct store *store, int64_t timestamp_ms, const char *reason, const char *action,
                const char *supersedes, char id[ID_ULID_SIZE])
{
    struct store_event event = {.timestamp_ms = base_ms + timestamp_ms,
                                .identity_id = "",
                                .reason = reason,
                                .action = action,
                                .supersedes = supersedes,
                                .score = NAN,
                                .threshold = NAN,
                                .margin = NAN,
                                .best_score = NAN,
                                .liveness = NAN,
                                .mask = -1};

    id_ulid(event.event_id);
    memcpy(id, event.event_id, ID_ULID_SIZE);
    assert_status(AIBOX_OK, store_event_add(store, &event, NULL));
}

static void test_events_are_counted_by_time_and_kind(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    char id[ID_ULID_SIZE];

    add(store, 100 * QUARTER, "passed", "opendoor", "", id);
    add(store, 101 * QUARTER - 1, "passed", "opendoor", "", id);
    add(store, 101 * QUARTER - 1, "stranger", "alarm", "", id);
    add(store, 101 * QUARTER, "passed", "", "", id);
    expect(store, 0, 200 * QUARTER, "100 alarm 1;100 passed 2;100 stranger 1;101 passed 1;");
    /* whole quarters: the one that holds the begin counts, the one that begins at the end doesn't */
    expect(store, 100 * QUARTER + 5, 101 * QUARTER, "100 alarm 1;100 passed 2;100 stranger 1;");
    expect(store, 101 * QUARTER, 101 * QUARTER + 1, "101 passed 1;");
    expect(store, 102 * QUARTER, 200 * QUARTER, "");
}

static void test_a_second_look_takes_the_first_ones_place(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    char first[ID_ULID_SIZE], second[ID_ULID_SIZE];

    add(store, 100 * QUARTER, "stranger", "", "", first);
    add(store, 101 * QUARTER, "passed", "", first, second);
    expect(store, 0, 200 * QUARTER, "101 passed 1;");
    add(store, 101 * QUARTER, "passed", "", "an event that is gone", first);
    expect(store, 0, 200 * QUARTER, "101 passed 2;");
}

static void test_counts_outlive_events_but_not_a_wipe(void **state)
{
    struct fixture *fixture = *state;
    int64_t now = clock_realtime_ms() - base_ms;
    char id[ID_ULID_SIZE], expected[64];
    const char *const ids[] = {id};
    size_t deleted;

    add(fixture->store, now, "passed", "", "", id);
    assert_status(AIBOX_OK, store_events_delete(fixture->store, ids, 1, NULL, &deleted, NULL));
    (void)snprintf(expected, sizeof expected, "%lld passed 1;", (long long)(now / QUARTER));
    expect(fixture->store, now - QUARTER, now + QUARTER, expected);
    assert_status(AIBOX_OK, store_wipe(fixture->store, true, false, NULL));
    expect(fixture->store, now - QUARTER, now + QUARTER, expected);
    assert_status(AIBOX_OK, store_wipe(fixture->store, false, true, NULL));
    expect(fixture->store, now - QUARTER, now + QUARTER, "");
}

static void test_old_counts_go_at_the_start(void **state)
{
    struct fixture *fixture = *state;
    int64_t now = clock_realtime_ms() - base_ms;
    char id[ID_ULID_SIZE];

    add(fixture->store, now - (STORE_TALLY_DAYS + 1) * INT64_C(86400000), "passed", "", "", id);
    add(fixture->store, now, "passed", "", "", id);
    fixture_reopen(fixture);
    for (int i = 0; i < 500 && fixture_query(fixture, "main", "SELECT count(*) FROM tally") > 1; i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM tally"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_events_are_counted_by_time_and_kind),
        TEST(test_a_second_look_takes_the_first_ones_place),
        TEST(test_counts_outlive_events_but_not_a_wipe),
        TEST(test_old_counts_go_at_the_start),
    };
    base_ms = clock_realtime_ms() / QUARTER * QUARTER - 200 * QUARTER;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
