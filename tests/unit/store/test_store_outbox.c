/* The outbox: order by lane, durability, bounds. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static void put(struct fixture *fixture, const char *lane, const char *text)
{
    struct store_message message = {lane, text, strlen(text)};

    assert_status(AIBOX_OK, store_outbox_add(fixture->store, &message, 1, NULL));
}

/* Takes the oldest message of the lane out and expects it to be `text`; NULL: none. */
static void take(struct fixture *fixture, const char *lane, const char *text)
{
    struct store_outbox_message message;

    assert_status(AIBOX_OK, store_outbox_next(fixture->store, lane, &message, NULL));
    if (text) {
        assert_true(message.outbox_id > 0);
        assert_true(message.created_ms > 1600000000000);
        assert_int_equal(message.size, strlen(text));
        assert_string_equal((const char *)message.payload, text);
        assert_status(AIBOX_OK, store_outbox_done(fixture->store, message.outbox_id, NULL));
        assert_status(AIBOX_OK, store_outbox_done(fixture->store, message.outbox_id, NULL)); /* gone: no error */
    } else {
        assert_int_equal(message.outbox_id, 0);
    }
    store_outbox_message_free(&message);
}

static void count(struct fixture *fixture, const char *lane, size_t expected)
{
    size_t n;
    int64_t oldest_ms;

    assert_status(AIBOX_OK, store_outbox_count(fixture->store, lane, &n, &oldest_ms, NULL));
    assert_int_equal(n, expected);
    assert_int_equal(oldest_ms > 0, expected > 0);
}

static void test_each_lane_has_its_own_order(void **state)
{
    struct fixture *fixture = *state;

    put(fixture, "a", "1");
    put(fixture, "b", "2");
    put(fixture, "a", "3");
    put(fixture, "a", "");
    count(fixture, "a", 3);
    count(fixture, "c", 0);
    fixture_reopen(fixture);
    take(fixture, "a", "1");
    take(fixture, "a", "3");
    take(fixture, "a", "");
    take(fixture, "a", NULL);
    take(fixture, "b", "2");
    count(fixture, "b", 0);
}

static void test_lanes_that_hold_messages_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct store_text_list lanes;

    assert_status(AIBOX_OK, store_outbox_lanes(fixture->store, "post ", 10, &lanes, NULL));
    assert_int_equal(lanes.count, 0);
    store_text_list_free(&lanes);
    put(fixture, "post http://b", "1");
    put(fixture, "post http://b", "2");
    put(fixture, "post http://a", "3");
    put(fixture, "post", "4");
    put(fixture, "post!", "5");
    put(fixture, "mq", "6");
    assert_status(AIBOX_OK, store_outbox_lanes(fixture->store, "post ", 10, &lanes, NULL));
    assert_int_equal(lanes.count, 2);
    assert_string_equal(lanes.items[0], "post http://a");
    assert_string_equal(lanes.items[1], "post http://b");
    store_text_list_free(&lanes);
    take(fixture, "post http://a", "3");
    assert_status(AIBOX_OK, store_outbox_lanes(fixture->store, "post ", 10, &lanes, NULL));
    assert_int_equal(lanes.count, 1);
    store_text_list_free(&lanes);
    put(fixture, "post http://c", "7");
    assert_status(AIBOX_OK, store_outbox_lanes(fixture->store, "post ", 1, &lanes, NULL));
    assert_int_equal(lanes.count, 1);
    assert_string_equal(lanes.items[0], "post http://b");
    store_text_list_free(&lanes);
}

static void test_several_are_read_ahead_and_done_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_outbox_message message;
    int64_t ids[3] = {0};

    put(fixture, "a", "1");
    put(fixture, "b", "2");
    put(fixture, "a", "3");
    put(fixture, "a", "4");
    for (size_t i = 0; i < 3; i++) {
        assert_status(AIBOX_OK, store_outbox_after(fixture->store, "a", i == 0 ? 0 : ids[i - 1], &message, NULL));
        ids[i] = message.outbox_id;
        store_outbox_message_free(&message);
    }
    assert_status(AIBOX_OK, store_outbox_after(fixture->store, "a", ids[2], &message, NULL));
    assert_int_equal(message.outbox_id, 0);
    assert_status(AIBOX_OK, store_outbox_done_all(fixture->store, ids + 1, 2, NULL));
    assert_status(AIBOX_OK, store_outbox_done_all(fixture->store, NULL, 0, NULL));
    take(fixture, "a", "1");
    count(fixture, "a", 0);
    count(fixture, "b", 1);
}

static void test_several_come_or_none(void **state)
{
    struct fixture *fixture = *state;
    char *huge = calloc(1, STORE_MAX_OUTBOX_BYTES + 1);
    struct store_message messages[] = {{"a", "1", 1}, {"a", huge, STORE_MAX_OUTBOX_BYTES + 1}};

    assert_non_null(huge);
    assert_status(AIBOX_PARAM, store_outbox_add(fixture->store, messages, 2, NULL));
    count(fixture, "a", 0);
    messages[1].size--;
    assert_status(AIBOX_OK, store_outbox_add(fixture->store, messages, 2, NULL));
    count(fixture, "a", 2);
    messages[0].lane = "";
    assert_status(AIBOX_PARAM, store_outbox_add(fixture->store, messages, 1, NULL));
    free(huge);
}

static void test_a_lane_that_is_full_refuses(void **state)
{
    struct fixture *fixture = *state;
    struct store_message *messages = calloc(STORE_MAX_OUTBOX, sizeof *messages);

    assert_non_null(messages);
    for (size_t i = 0; i < STORE_MAX_OUTBOX; i++)
        messages[i] = (struct store_message){"a", "x", 1};
    assert_status(AIBOX_OK, store_outbox_add(fixture->store, messages, STORE_MAX_OUTBOX - 1, NULL));
    assert_status(AIBOX_TOO_MANY_REQUESTS, store_outbox_add(fixture->store, messages, 2, NULL));
    count(fixture, "a", STORE_MAX_OUTBOX - 1);
    put(fixture, "a", "last");
    put(fixture, "b", "another lane has room");
    assert_status(AIBOX_OK, store_outbox_clear(fixture->store, "a", NULL));
    count(fixture, "a", 0);
    count(fixture, "b", 1);
    free(messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_lane_has_its_own_order, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_lanes_that_hold_messages_are_found, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_several_are_read_ahead_and_done_at_once, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_several_come_or_none, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_lane_that_is_full_refuses, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
