/* Lists of events from memory: the same answers as a plain walk over all events gives, whatever happens to them. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/id.h"
#include "fixture.h"
#include "store/catalogue.h"
#include "store/internal.h"
#include "store/text_table.h"

#define EVENTS  400
#define QUERIES 300
#define WAIT_MS 10000

/* What was stored, as the test itself remembers it. */
struct known {
    char event_id[27];
    int64_t seq, timestamp_ms;
    const char *name, *group, *room, *device, *ep, *reason;
    int type;
    float score;
    bool gone;
};

static const char *const names[] = {"stranger", "Ann", "ann", "JOHANNA", "李雷", "100%", "a_b", "back\\slash", ""};
static const char *const groups[] = {"default_group", "staff", "staff,guests", ""};
static const char *const rooms[] = {"", "101", "hall"};
static const char *const devices[] = {"", "d1", "d2", "ep1"};
static const char *const eps[] = {"", "ep1", "ep2"};
static const char *const reasons[] = {"passed", "stranger", "uncertain"};
static const char *const parts[] = {"an", "ANN", "%", "_", "\\", "雷", "", "nobody"};
#define PICK(list) ((list)[(size_t)rand() % (sizeof(list) / sizeof(list)[0])])

static void wait_until_filled(struct store *store)
{
    for (int i = 0; catalogue_is_filling(store->catalogue) && i < WAIT_MS; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_false(catalogue_is_filling(store->catalogue));
}

static struct known add_one(struct store *store)
{
    struct known known = {.timestamp_ms = 1000 + rand() % 5000,
                          .name = PICK(names),
                          .group = PICK(groups),
                          .room = PICK(rooms),
                          .device = PICK(devices),
                          .ep = PICK(eps),
                          .reason = PICK(reasons),
                          .type = 1 + rand() % 5,
                          .score = rand() % 10 == 0 ? NAN : (float)(rand() % 11) / 10};
    struct store_event event = {.timestamp_ms = known.timestamp_ms,
                                .identity_name = known.name,
                                .group_name = known.group,
                                .room = known.room,
                                .device_id = known.device,
                                .ep_id = known.ep,
                                .reason = known.reason,
                                .person_type = known.type,
                                .score = known.score,
                                .threshold = NAN,
                                .margin = NAN,
                                .best_score = NAN,
                                .liveness = NAN,
                                .mask = -1};

    id_ulid(event.event_id);
    memcpy(known.event_id, event.event_id, sizeof known.event_id);
    assert_status(AIBOX_OK, store_event_add(store, &event, NULL));
    known.seq = event.seq;
    return known;
}

/* ---- the plain walk -------------------------------------------------------------------------------------- */

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool holds(const char *text, const char *part)
{
    size_t size = strlen(text), part_size = strlen(part);

    for (size_t i = 0; i + part_size <= size; i++) {
        size_t n = 0;
        while (n < part_size && small(text[i + n]) == small(part[n]))
            n++;
        if (n == part_size)
            return true;
    }
    return false;
}

static bool passes(const struct known *known, const struct store_event_query *query)
{
    bool device = query->n_devices == 0;

    for (size_t i = 0; i < query->n_devices; i++)
        device = device || strcmp(known->device, query->devices[i]) == 0 || strcmp(known->ep, query->devices[i]) == 0;
    return !known->gone && device && (query->from_ms == 0 || known->timestamp_ms >= query->from_ms) &&
           (query->to_ms == 0 || known->timestamp_ms <= query->to_ms) &&
           (!query->name_part || holds(known->name, query->name_part)) &&
           (!query->room || strcmp(known->room, query->room) == 0) &&
           (isnan(query->score_min) || known->score >= query->score_min) &&
           (isnan(query->score_max) || known->score <= query->score_max) &&
           (query->person_type == 0 || known->type == query->person_type) &&
           (!query->reason || strcmp(known->reason, query->reason) == 0) &&
           (query->n_groups == 0 || strcmp(known->group, query->groups[0]) == 0 ||
            (query->n_groups > 1 && strcmp(known->group, query->groups[1]) == 0)) &&
           (query->n_ep_ids == 0 || strcmp(known->ep, query->ep_ids[0]) == 0);
}

static int by_time(const void *a, const void *b)
{
    const struct known *x = a, *y = b;

    if (x->timestamp_ms != y->timestamp_ms)
        return x->timestamp_ms < y->timestamp_ms ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void check(struct store *store, const struct known *all, size_t n, const struct store_event_query *query)
{
    struct store_event_list list;
    struct known *sorted = calloc(n ? n : 1, sizeof *sorted);
    size_t total = 0, at = 0;

    assert_non_null(sorted);
    memcpy(sorted, all, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_time);
    assert_status(AIBOX_OK, store_event_list(store, query, &list, NULL));
    for (size_t i = 0; i < n; i++) {
        const struct known *known = &sorted[query->oldest_first ? i : n - 1 - i];
        if (!passes(known, query))
            continue;
        if (total >= query->skip && at < query->limit) {
            assert_true(at < list.count);
            assert_string_equal(list.items[at].event_id, known->event_id);
            at++;
        }
        total++;
    }
    assert_int_equal(list.count, at);
    assert_int_equal(list.total, total);
    store_event_list_free(&list);
    free(sorted);
}

static void check_many(struct store *store, const struct known *all, size_t n)
{
    for (int i = 0; i < QUERIES; i++) {
        const char *two_groups[] = {PICK(groups), PICK(groups)}, *one_ep[] = {PICK(eps)}, *two[] = {"d1", "ep1"};
        struct store_event_query query = {.score_min = NAN,
                                          .score_max = NAN,
                                          .skip = (size_t)(rand() % 2 * (rand() % EVENTS)),
                                          .limit = 1 + (size_t)rand() % 30,
                                          .oldest_first = rand() % 2};
        query.from_ms = rand() % 3 ? 0 : 1000 + rand() % 5000;
        query.to_ms = rand() % 3 ? 0 : 1000 + rand() % 5000;
        query.name_part = rand() % 3 ? NULL : PICK(parts);
        query.room = rand() % 5 ? NULL : PICK(rooms);
        query.score_min = rand() % 4 ? NAN : (float)(rand() % 11) / 10;
        query.score_max = rand() % 4 ? NAN : (float)(rand() % 11) / 10;
        query.person_type = rand() % 4 ? 0 : rand() % 5 + 1;
        query.reason = rand() % 4 ? NULL : rand() % 5 ? PICK(reasons) : "liveness";
        query.groups = two_groups;
        query.n_groups = rand() % 4 ? 0 : 1 + (size_t)rand() % 2;
        query.ep_ids = one_ep;
        query.n_ep_ids = rand() % 5 ? 0 : 1;
        query.devices = two;
        query.n_devices = rand() % 6 ? 0 : 1 + (size_t)rand() % 2;
        check(store, all, n, &query);
    }
}

/* ---- tests -------------------------------------------------------------------------------------------------- */

static void add_events(struct fixture *fixture, struct known *all)
{
    srand(7);
    for (size_t i = 0; i < EVENTS; i++)
        all[i] = add_one(fixture->store);
}

static void delete_some(struct fixture *fixture, struct known *all)
{
    for (size_t i = 0; i < EVENTS; i++) {
        const char *id = all[i].event_id;
        if (rand() % 3 || all[i].gone)
            continue;
        assert_status(AIBOX_OK, store_events_delete(fixture->store, &id, 1, NULL, NULL, NULL));
        all[i].gone = true;
    }
}

static void test_lists_are_those_of_a_plain_walk(void **state)
{
    struct fixture *fixture = *state;
    static struct known all[EVENTS];

    wait_until_filled(fixture->store);
    add_events(fixture, all);
    check_many(fixture->store, all, EVENTS);
    delete_some(fixture, all);
    check_many(fixture->store, all, EVENTS);
}

static void test_a_store_that_is_opened_again_lists_the_same(void **state)
{
    struct fixture *fixture = *state;
    static struct known all[EVENTS];

    add_events(fixture, all);
    delete_some(fixture, all);
    fixture_reopen(fixture);
    check_many(fixture->store, all, EVENTS); /* by SQL at first, perhaps */
    wait_until_filled(fixture->store);
    check_many(fixture->store, all, EVENTS);
    delete_some(fixture, all);
    check_many(fixture->store, all, EVENTS);
}

static void test_events_that_came_while_it_was_filled_are_there_once(void **state)
{
    struct fixture *fixture = *state;
    const struct store_event_query query = {.score_min = NAN, .score_max = NAN, .limit = 1, .person_type = 2};
    struct store_event_list list;
    struct known late;

    store_close(fixture->store);
    fixture->store = NULL;
    fixture_exec(fixture, "main",
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
                 " INSERT INTO event (event_id, timestamp_ms, identity_id, identity_name, person_type, group_name,"
                 " device_id, device_ip, ep_id, device_type, reason, action, verdict, best_identity_id, room,"
                 " grab_fiqa_info, box_fiqa_info, supersedes) SELECT 'e' || i, 10000 - i, '', 'n' || (i % 50), 2, '',"
                 " '', '', '', '', 'passed', '', 2, '', '', '{}', '{}', '' FROM n");
    assert_status(AIBOX_OK, store_open(fixture->path, fixture->capacity, &fixture->store, NULL));
    do /* one at least */
        late = add_one(fixture->store);
    while (late.type != 2);
    assert_status(AIBOX_OK, store_events_delete(fixture->store, (const char *[]){"e1", "e9000"}, 2, NULL, NULL, NULL));
    wait_until_filled(fixture->store);
    assert_status(AIBOX_OK, store_event_list(fixture->store, &query, &list, NULL));
    assert_int_equal(list.total, fixture_query(fixture, "main", "SELECT count(*) FROM event WHERE person_type = 2"));
    assert_string_equal(list.items[0].event_id, "e2"); /* the newest by time, the last but one by number */
    store_event_list_free(&list);
}

/* A box that keeps more than the default says so a while after the store was opened. */
static void test_nothing_is_dropped_before_retention_is_set(void **state)
{
    struct fixture *fixture = *state;

    store_close(fixture->store);
    fixture->store = NULL;
    fixture_exec(fixture, "main",
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10300)"
                 " INSERT INTO event (event_id, timestamp_ms, identity_id, identity_name, person_type, group_name,"
                 " device_id, device_ip, ep_id, device_type, reason, action, verdict, best_identity_id, room,"
                 " grab_fiqa_info, box_fiqa_info, supersedes) SELECT 'e' || i, i, '', '', 1, '', '', '', '', '',"
                 " 'passed', '', 2, '', '', '{}', '{}', '' FROM n");
    assert_status(AIBOX_OK, store_open(fixture->path, fixture->capacity, &fixture->store, NULL));
    wait_until_filled(fixture->store); /* retention has had its first look by then */
    (void)add_one(fixture->store);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM event"), 10301);
}

static void test_a_wipe_empties_the_lists(void **state)
{
    struct fixture *fixture = *state;
    static struct known all[EVENTS];

    add_events(fixture, all);
    wait_until_filled(fixture->store);
    assert_status(AIBOX_OK, store_wipe(fixture->store, false, true, NULL));
    for (size_t i = 0; i < EVENTS; i++)
        all[i].gone = true;
    check_many(fixture->store, all, EVENTS);
    all[3] = add_one(fixture->store);
    check_many(fixture->store, all, EVENTS);
}

static void test_an_event_that_is_not_stored_is_not_listed(void **state)
{
    struct fixture *fixture = *state;
    struct known known = add_one(fixture->store);
    struct store_event again = {.timestamp_ms = 5, .reason = "passed", .person_type = 1, .mask = -1};
    struct store_event_query query = {.score_min = NAN, .score_max = NAN, .limit = 10};

    wait_until_filled(fixture->store);
    memcpy(again.event_id, known.event_id, sizeof again.event_id);
    assert_status(AIBOX_PARAM, store_event_add(fixture->store, &again, NULL)); /* the id is taken */
    check(fixture->store, &known, 1, &query);
}

/* ---- several threads -------------------------------------------------------------------------------------- */

struct crowd {
    struct store *store;
    atomic_bool stop;
    atomic_int failures;
};

static void *list_all_the_time(void *arg)
{
    struct crowd *crowd = arg;
    struct store_event_query query = {.score_min = NAN, .score_max = NAN, .limit = 20, .name_part = "a"};

    while (!atomic_load(&crowd->stop)) {
        struct store_event_list list;
        if (store_event_list(crowd->store, &query, &list, NULL) != AIBOX_OK || list.count > list.total)
            atomic_fetch_add(&crowd->failures, 1);
        store_event_list_free(&list);
    }
    return NULL;
}

static void test_listing_goes_on_while_events_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    struct crowd crowd = {.store = fixture->store};
    pthread_t readers[2];

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, list_all_the_time, &crowd), 0);
    for (int i = 0; i < 150; i++) {
        struct known known = add_one(fixture->store);
        const char *id = known.event_id;
        if (i % 2)
            assert_status(AIBOX_OK, store_events_delete(fixture->store, &id, 1, NULL, NULL, NULL));
    }
    atomic_store(&crowd.stop, true);
    for (size_t i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&crowd.failures), 0);
}

/* ---- by itself ---------------------------------------------------------------------------------------------- */

static struct catalogue_event made(int64_t seq, const char *name)
{
    return (struct catalogue_event){seq, seq, name, "g", "", "d", "e", "passed", 1, 0.5F};
}

static size_t count_named(struct catalogue *catalogue, const char *part)
{
    struct store_event_query query = {.score_min = NAN, .score_max = NAN, .limit = 1, .name_part = part};
    int64_t seq;
    size_t n, total;

    assert_true(catalogue_find(catalogue, &query, &seq, &n, &total));
    return total;
}

static void test_dropped_rows_are_squeezed_out(void **state)
{
    struct fixture *fixture = *state;
    struct catalogue *catalogue = fixture->store->catalogue; /* the writer thread has nothing to do */
    enum { MANY = 20000 };

    wait_until_filled(fixture->store);
    for (int i = 1; i <= MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, i % 2 ? "odd %d" : "even %d", i);
        struct catalogue_event event = made(i, name);
        catalogue_note_added(catalogue, &event);
        catalogue_apply(catalogue);
    }
    for (int i = 1; i <= MANY; i += 2) {
        catalogue_note_dropped(catalogue, i, i);
        catalogue_apply(catalogue);
    }
    assert_int_equal(count_named(catalogue, "odd"), 0);
    assert_int_equal(count_named(catalogue, "even"), MANY / 2);
    assert_int_equal(count_named(catalogue, "even 19998"), 1);
}

static void test_what_is_forgotten_never_happened(void **state)
{
    struct fixture *fixture = *state;
    struct catalogue *catalogue = fixture->store->catalogue;
    struct catalogue_event first = made(1, "first"), second = made(2, "second");

    wait_until_filled(fixture->store);
    catalogue_note_added(catalogue, &first);
    size_t before = catalogue_noted(catalogue);
    catalogue_note_added(catalogue, &second);
    catalogue_note_dropped(catalogue, 1, 1);
    catalogue_forget(catalogue, before);
    catalogue_apply(catalogue);
    assert_int_equal(count_named(catalogue, ""), 1);
    assert_int_equal(count_named(catalogue, "first"), 1);
}

static void test_texts_have_one_number_each(void **state)
{
    struct text_table table = {0};
    uint32_t number, again;

    (void)state;
    for (uint32_t i = 0; i < 5000; i++) {
        char text[16];
        int size = snprintf(text, sizeof text, "text %u", i);
        assert_true(text_table_put(&table, text, (size_t)size, &number));
        assert_int_equal(number, i);
    }
    assert_true(text_table_put(&table, "text 4711", 9, &again));
    assert_int_equal(again, 4711);
    assert_true(text_table_put(&table, "text", 4, &again)); /* the start of others */
    assert_int_equal(again, 5000);
    assert_true(text_table_put(&table, "", 0, &again));
    assert_true(text_table_put(&table, "a\0b", 3, &number));
    assert_int_not_equal(again, number);
    assert_string_equal(table.items[4711], "text 4711");
    text_table_free(&table);
    assert_int_equal(table.count, 0);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(test_lists_are_those_of_a_plain_walk),
        WITH_STORE(test_a_store_that_is_opened_again_lists_the_same),
        WITH_STORE(test_events_that_came_while_it_was_filled_are_there_once),
        WITH_STORE(test_nothing_is_dropped_before_retention_is_set),
        WITH_STORE(test_a_wipe_empties_the_lists),
        WITH_STORE(test_an_event_that_is_not_stored_is_not_listed),
        WITH_STORE(test_listing_goes_on_while_events_come_and_go),
        WITH_STORE(test_dropped_rows_are_squeezed_out),
        WITH_STORE(test_what_is_forgotten_never_happened),
        cmocka_unit_test(test_texts_have_one_number_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
