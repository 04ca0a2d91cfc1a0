/* The audit log: changes and refused calls, each with a limit of its own. */
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "store/callers.h"

struct seen {
    size_t n;
    int64_t newest_ms;
    uint64_t refused; /* of all */
    char what[256];   /* of the newest */
};

static void look(void *ctx, const struct store_audit *entry)
{
    struct seen *seen = ctx;

    if (seen->n++ == 0) {
        seen->newest_ms = entry->time_ms;
        (void)snprintf(seen->what, sizeof seen->what, "%s", entry->what);
    }
    seen->refused += entry->refused;
}

static struct seen list(struct store *store, enum store_audit_kind kind, size_t *total)
{
    struct seen seen = {0};

    assert_status(AIBOX_OK, store_audit_each(store, kind, 0, 1000, look, &seen, total, NULL));
    return seen;
}

static struct store_audit made(int64_t time_ms, uint64_t refused)
{
    return (struct store_audit){.time_ms = time_ms,
                                .who = "somebody",
                                .role = "viewer",
                                .address = "192.0.2.7",
                                .method = "PUT",
                                .path = "/api/settings",
                                .what = refused ? "" : "key=box.name",
                                .status = refused ? 403 : 200,
                                .refused = refused};
}

static void test_kinds_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    struct store_audit change = made(1, 0), refused = made(2, 3);
    const char *people[] = {"P-1"};
    int64_t audit_id;
    size_t total;

    assert_status(AIBOX_OK, store_audit_add(fixture->store, &change, people, 1, NULL));
    assert_status(AIBOX_OK, store_audit_add_refused(fixture->store, &refused, &audit_id, NULL));
    assert_status(AIBOX_OK, store_audit_recount(fixture->store, audit_id, 12, NULL));
    struct seen seen = list(fixture->store, STORE_AUDIT_CHANGES, &total);
    assert_int_equal(total, 1);
    assert_int_equal(seen.newest_ms, 1);
    assert_non_null(strstr(seen.what, "key=box.name people="));
    assert_null(strstr(seen.what, "P-1"));
    seen = list(fixture->store, STORE_AUDIT_REFUSALS, &total);
    assert_int_equal(total, 1);
    assert_int_equal(seen.refused, 12);
    seen = list(fixture->store, STORE_AUDIT_ALL, &total);
    assert_int_equal(total, 2);
    assert_int_equal(seen.newest_ms, 2);
    assert_int_equal(seen.refused, 12);
    assert_status(AIBOX_OK, store_audit_recount(fixture->store, 4711, 1, NULL)); /* gone meanwhile */
}

static void insert_many(const struct fixture *fixture, int n, int refused)
{
    char sql[512];

    (void)snprintf(sql, sizeof sql,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   " INSERT INTO audit (time_ms, who, role, address, method, path, what, status, refused)"
                   " SELECT i, '', '', '', '', '', '', 200, %d FROM n",
                   n, refused);
    fixture_exec(fixture, "main", sql);
}

static void test_refused_calls_push_out_refused_calls_alone(void **state)
{
    struct fixture *fixture = *state;
    struct store_audit change = made(1, 0), refused = made(2, 1);
    int64_t audit_id;
    size_t total;

    assert_status(AIBOX_OK, store_audit_add(fixture->store, &change, NULL, 0, NULL));
    insert_many(fixture, STORE_MAX_REFUSALS + 500, 1);
    assert_status(AIBOX_OK, store_audit_add_refused(fixture->store, &refused, &audit_id, NULL));
    (void)list(fixture->store, STORE_AUDIT_REFUSALS, &total);
    assert_int_equal(total, STORE_MAX_REFUSALS);
    (void)list(fixture->store, STORE_AUDIT_CHANGES, &total);
    assert_int_equal(total, 1);
}

static void test_changes_have_a_limit(void **state)
{
    struct fixture *fixture = *state;
    struct store_audit change = made(5, 0), refused = made(2, 1);
    int64_t audit_id;
    size_t total;

    assert_status(AIBOX_OK, store_audit_add_refused(fixture->store, &refused, &audit_id, NULL));
    insert_many(fixture, STORE_MAX_AUDIT + 100, 0);
    for (int i = 0; i < 256; i++) /* it is looked after now and then */
        assert_status(AIBOX_OK, store_audit_add(fixture->store, &change, NULL, 0, NULL));
    (void)list(fixture->store, STORE_AUDIT_CHANGES, &total);
    assert_in_range(total, STORE_MAX_AUDIT, STORE_MAX_AUDIT + 256);
    (void)list(fixture->store, STORE_AUDIT_REFUSALS, &total);
    assert_int_equal(total, 1);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(test_kinds_are_told_apart),
        WITH_STORE(test_refused_calls_push_out_refused_calls_alone),
        WITH_STORE(test_changes_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
