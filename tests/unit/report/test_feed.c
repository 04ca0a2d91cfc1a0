/* The feed: messages in order, events told of, watchers bounded, missed messages said, everybody sent away at the end.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../store/fixture.h"
#include "core/id.h"
#include "flow/feed.h"

static void add_event(struct store *store)
{
    struct store_event event = {.timestamp_ms = 1, .identity_id = "a", .score = NAN, .mask = -1};

    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(store, &event, NULL));
}

static void expect(struct feed *feed, struct feed_place *place, int64_t seq, const char *text)
{
    enum feed_kind kind;
    char *json;

    assert_int_equal(feed_wait(feed, place, seq, 5000, &kind, &json), FEED_MESSAGE);
    assert_int_equal(kind, FEED_DEVICE);
    assert_string_equal(json, text);
    free(json);
}

static void test_messages_and_events(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct feed *feed;
    struct feed_place place;
    enum feed_kind kind;
    char *json;

    assert_status(AIBOX_OK, feed_open(store, &feed, NULL));
    feed_publish(feed, FEED_DEVICE, "\"nobody watches\"");
    assert_status(AIBOX_OK, feed_enter(feed, 1, &place, NULL));
    assert_status(AIBOX_TOO_MANY_REQUESTS, feed_enter(feed, 1, &place, NULL));
    assert_true(feed_is_watched(feed));
    assert_int_equal(feed_wait(feed, &place, 0, 0, &kind, &json), FEED_QUIET);
    feed_publish(feed, FEED_DEVICE, "1");
    feed_publish(feed, FEED_DEVICE, "2");
    add_event(store);
    expect(feed, &place, 0, "1");
    expect(feed, &place, 0, "2");
    assert_int_equal(feed_wait(feed, &place, 0, 0, &kind, &json), FEED_EVENTS);
    assert_int_equal(feed_wait(feed, &place, 1, 0, &kind, &json), FEED_QUIET);
    for (int i = 0; i < FEED_MESSAGES + 1; i++)
        feed_publish(feed, FEED_DEVICE, "3");
    assert_int_equal(feed_wait(feed, &place, 1, 0, &kind, &json), FEED_MISSED);
    feed_end(feed);
    assert_int_equal(feed_wait(feed, &place, 1, 5000, &kind, &json), FEED_ENDED);
    feed_leave(feed);
    assert_false(feed_is_watched(feed));
    feed_close(feed);
}

struct watcher {
    struct feed *feed;
    struct feed_place place;
    enum feed_news news;
};

static void *wait_for_news(void *arg)
{
    struct watcher *watcher = arg;
    enum feed_kind kind;
    char *json;

    watcher->news = feed_wait(watcher->feed, &watcher->place, 0, 60000, &kind, &json);
    return NULL;
}

static void test_who_waits_is_woken(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct watcher watcher;
    pthread_t thread;

    assert_status(AIBOX_OK, feed_open(store, &watcher.feed, NULL));
    assert_status(AIBOX_OK, feed_enter(watcher.feed, 1, &watcher.place, NULL));
    assert_int_equal(pthread_create(&thread, NULL, wait_for_news, &watcher), 0);
    add_event(store);
    pthread_join(thread, NULL);
    assert_int_equal(watcher.news, FEED_EVENTS);
    feed_leave(watcher.feed);
    feed_close(watcher.feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages_and_events, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_who_waits_is_woken, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
