/* The link and the publisher as threads: sessions that come and go, platforms and brokers that don't answer, the end.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cloud/consumer.h"
#include "cloud/link.h"
#include "cloud/publisher.h"
#include "cloud/retry.h"
#include "core/clock.h"
#include "core/log.h"
#include "store/commands.h"

#define assert_status(expected, call) assert_string_equal(status_name(call), status_name(expected))

/* ---- a peer ------------------------------------------------------------------------------------------------ */

/* Accepts connections one after the other; each is answered with `answer` (empty: never) and closed, or kept. */
struct peer {
    pthread_t thread;
    int fd, port;
    pthread_mutex_t mu;
    char answer[2048]; /* guarded by mu */
    int accepted;      /* guarded by mu */
    bool hang;         /* guarded by mu: what was accepted is kept open, unanswered */
};

static void *peer_main(void *arg)
{
    struct peer *peer = arg;
    char request[2048];
    int kept[16];
    size_t n_kept = 0;

    for (;;) {
        int fd = accept(peer->fd, NULL, NULL);
        if (fd < 0)
            break;
        char answer[sizeof peer->answer];
        pthread_mutex_lock(&peer->mu);
        peer->accepted++;
        memcpy(answer, peer->answer, sizeof answer);
        bool hang = peer->hang && n_kept < sizeof kept / sizeof kept[0];
        pthread_mutex_unlock(&peer->mu);
        if (hang) {
            kept[n_kept++] = fd;
            continue;
        }
        if (answer[0] && read(fd, request, sizeof request) > 0)
            (void)!write(fd, answer, strlen(answer));
        close(fd);
    }
    for (size_t i = 0; i < n_kept; i++)
        close(kept[i]);
    return NULL;
}

static void peer_start(struct peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    memset(peer, 0, sizeof *peer);
    pthread_mutex_init(&peer->mu, NULL);
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(peer->fd >= 0);
    assert_int_equal(bind(peer->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(peer->fd, 16), 0);
    assert_int_equal(getsockname(peer->fd, (struct sockaddr *)&address, &size), 0);
    peer->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&peer->thread, NULL, peer_main, peer), 0);
}

static void peer_stop(struct peer *peer)
{
    shutdown(peer->fd, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->fd);
    pthread_mutex_destroy(&peer->mu);
}

static void peer_answers(struct peer *peer, const char *status, const char *body)
{
    pthread_mutex_lock(&peer->mu);
    (void)snprintf(peer->answer, sizeof peer->answer,
                   "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status, strlen(body), body);
    pthread_mutex_unlock(&peer->mu);
}

static int peer_accepted(struct peer *peer)
{
    pthread_mutex_lock(&peer->mu);
    int accepted = peer->accepted;
    pthread_mutex_unlock(&peer->mu);
    return accepted;
}

/* ---- a box --------------------------------------------------------------------------------------------------- */

struct fixture {
    char path[256];
    struct settings *settings;
    struct store *store;
    struct session_slot *sessions;
    struct publisher *publisher;
    struct cloud_link *link;
    struct peer platform, broker;
    _Atomic int changes; /* of the session */
};

static void session_changed(void *ctx)
{
    struct fixture *fixture = ctx;

    fixture->changes++;
    publisher_wake(fixture->publisher);
}

static void command_came(void *ctx, enum store_inbox_queue queue)
{
    (void)ctx;
    (void)queue;
}

static void set(struct fixture *fixture, const char *key, const char *value)
{
    assert_status(AIBOX_OK, settings_put(fixture->settings, SETTINGS_STORED, key, value, NULL));
}

static void connect_to_platform(struct fixture *fixture)
{
    char url[64];

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/login", fixture->platform.port);
    set(fixture, "cloud.login_url", url);
    set(fixture, "cloud.dev_sno", "SE1");
    cloud_link_reconfigure(fixture->link);
}

static void platform_lets_in(struct fixture *fixture)
{
    char body[512];

    (void)snprintf(body, sizeof body,
                   "{\"token\":\"t\",\"rabbitmq\":{\"host\":\"127.0.0.1\",\"port\":%d,\"login\":\"l\",\"password\":"
                   "\"p\",\"queue\":\"q\",\"uploadQueue\":\"u\"}}",
                   fixture->broker.port);
    peer_answers(&fixture->platform, "200 OK", body);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const char *tmp = getenv("TMPDIR");

    assert_non_null(fixture);
    log_set_level(LOG_LEVEL_ERROR);
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/aibox-link-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(fixture->path));
    assert_status(AIBOX_OK, settings_open(&fixture->settings, NULL));
    assert_status(AIBOX_OK, store_open(fixture->path, 10, &fixture->store, NULL));
    assert_status(AIBOX_OK, session_slot_open(&fixture->sessions, NULL));
    peer_start(&fixture->platform);
    peer_start(&fixture->broker);
    assert_status(AIBOX_OK,
                  publisher_open(fixture->settings, fixture->store, fixture->sessions, &fixture->publisher, NULL));
    struct cloud_link_context context = {.settings = fixture->settings,
                                         .store = fixture->store,
                                         .sessions = fixture->sessions,
                                         .session_changed = session_changed,
                                         .command_came = command_came,
                                         .ctx = fixture};
    assert_status(AIBOX_OK, cloud_link_open(&context, &fixture->link, NULL));
    *state = fixture;
    return 0;
}

static void close_link(struct fixture *fixture)
{
    cloud_link_close(fixture->link);
    publisher_close(fixture->publisher);
    fixture->link = NULL;
    fixture->publisher = NULL;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"aibox.db",        "aibox.db-wal",    "aibox.db-shm", "pictures.db",
                                        "pictures.db-wal", "pictures.db-shm", "lock"};
    struct fixture *fixture = *state;
    char path[300];

    if (fixture->link)
        close_link(fixture);
    peer_stop(&fixture->broker);
    peer_stop(&fixture->platform);
    session_slot_close(fixture->sessions);
    store_close(fixture->store);
    settings_close(fixture->settings);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", fixture->path, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(fixture->path);
    free(fixture);
    return 0;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* Waits until what the link prints holds `text`. */
static void wait_for(struct fixture *fixture, const char *text)
{
    int64_t late_ms = clock_monotonic_ms() + 60000;

    for (;;) {
        struct json_out out;
        json_out_init(&out, 65536);
        json_out_object_begin(&out);
        cloud_link_print(fixture->link, &out);
        json_out_object_end(&out);
        assert_true(json_out_complete(&out));
        bool found = strstr((const char *)out.buffer.data, text) != NULL;
        if (!found && clock_monotonic_ms() > late_ms)
            fail_msg("%s lacks %s", (const char *)out.buffer.data, text);
        json_out_free(&out);
        if (found)
            return;
        nap();
    }
}

/* ---- tests ----------------------------------------------------------------------------------------------------- */

static void test_off_until_both_settings_are_set(void **state)
{
    struct fixture *fixture = *state;

    wait_for(fixture, "\"state\":\"off\"");
    set(fixture, "cloud.dev_sno", "SE1");
    cloud_link_reconfigure(fixture->link);
    wait_for(fixture, "\"state\":\"off\"");
    assert_int_equal(peer_accepted(&fixture->platform), 0);
    assert_null(session_get(fixture->sessions));
}

static void test_a_new_setting_ends_a_wait_and_a_session(void **state)
{
    struct fixture *fixture = *state;
    struct cloud_link_figures figures;

    peer_answers(&fixture->platform, "403 Forbidden", "{\"error\":{\"message\":\"who are you\"}}");
    connect_to_platform(fixture);
    wait_for(fixture, "login: answered with HTTP status 403: \\\"who are you\\\"");
    wait_for(fixture, "\"state\":\"waiting\"");
    assert_null(session_get(fixture->sessions));
    platform_lets_in(fixture);
    cloud_link_reconfigure(fixture->link);
    wait_for(fixture, "the broker does not answer"); /* it closes each connection */
    struct cloud_session *session = session_get(fixture->sessions);
    assert_non_null(session);
    assert_string_equal(session->dev_sno, "SE1");
    set(fixture, "cloud.dev_sno", "");
    cloud_link_reconfigure(fixture->link);
    wait_for(fixture, "\"state\":\"off\"");
    for (int i = 0; i < 1000 && fixture->changes < 3; i++)
        nap();
    struct cloud_session *none = session_get(fixture->sessions);
    assert_null(none);
    assert_string_equal(session->login.broker.queue, "q"); /* who holds it still can use it */
    session_release(session);
    cloud_link_figures(fixture->link, &figures);
    assert_true(figures.login_failures >= 1 && figures.connection_failures >= 1 && !figures.listening);
    assert_int_equal(figures.logins, 1);
}

static void test_a_broker_that_says_nothing_does_not_hold_up_the_end(void **state)
{
    struct fixture *fixture = *state;

    pthread_mutex_lock(&fixture->broker.mu);
    fixture->broker.hang = true;
    pthread_mutex_unlock(&fixture->broker.mu);
    platform_lets_in(fixture);
    connect_to_platform(fixture);
    wait_for(fixture, "\"state\":\"connecting\"");
    for (int i = 0; i < 3000 && peer_accepted(&fixture->broker) < 2; i++) /* the link's and the publisher's */
        nap();
    assert_true(peer_accepted(&fixture->broker) >= 2);
    int64_t start_ms = clock_monotonic_ms();
    close_link(fixture);
    assert_true(clock_monotonic_ms() - start_ms < 8000); /* the handshake alone would take 10 s */
}

static void test_a_platform_that_says_nothing_does_not_hold_up_the_end(void **state)
{
    struct fixture *fixture = *state;

    pthread_mutex_lock(&fixture->platform.mu);
    fixture->platform.hang = true;
    pthread_mutex_unlock(&fixture->platform.mu);
    connect_to_platform(fixture);
    for (int i = 0; i < 3000 && peer_accepted(&fixture->platform) < 1; i++)
        nap();
    int64_t start_ms = clock_monotonic_ms();
    close_link(fixture);
    assert_true(clock_monotonic_ms() - start_ms < 8000);
}

static void *change_sessions(void *arg)
{
    struct fixture *fixture = arg;

    for (int i = 0; i < 500; i++) {
        struct login login = {.token = "t"};
        struct cloud_session *session = session_new("SE1", "http://platform/", &login);
        assert_non_null(session);
        session_set(fixture->sessions, i % 7 == 0 ? NULL : session);
        session_release(session);
    }
    return NULL;
}

static void *use_sessions(void *arg)
{
    struct fixture *fixture = arg;

    for (int i = 0; i < 2000; i++) {
        struct cloud_session *session = session_get(fixture->sessions);
        if (session && strcmp(session_platform(session).token, "t") != 0)
            return arg;
        session_release(session);
    }
    return NULL;
}

static void test_sessions_may_be_used_while_they_change(void **state)
{
    struct fixture *fixture = *state;
    pthread_t threads[3];
    void *result;

    pthread_create(&threads[0], NULL, change_sessions, fixture);
    pthread_create(&threads[1], NULL, use_sessions, fixture);
    pthread_create(&threads[2], NULL, use_sessions, fixture);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], &result);
        assert_null(result);
    }
    session_set(fixture->sessions, NULL);
}

static void test_waits_grow_to_a_minute(void **state)
{
    struct retry retry = {0};
    int64_t expected = 1000;

    (void)state;
    for (int i = 0; i < 12; i++) {
        int64_t wait_ms = retry_next_ms(&retry);
        assert_true(wait_ms >= expected * 3 / 4 && wait_ms <= expected * 5 / 4 && wait_ms <= 60000);
        expected = expected * 2 < 60000 ? expected * 2 : 60000;
    }
}

static void has_id(const char *text, const char *expected)
{
    char id[STORE_MAX_MESSAGE_ID + 1];

    command_message_id(text, strlen(text), id);
    assert_string_equal(id, expected);
}

static void test_the_id_of_a_message(void **state)
{
    char text[STORE_MAX_MESSAGE_ID + 64];

    (void)state;
    has_id("{\"messageId\": \"8f0c2\", \"messageKey\": \"k\"}", "8f0c2");
    has_id("{\"messageKey\": \"k\"}", "k");
    has_id("{\"messageId\": \"\", \"messageKey\": \"k\"}", "k");
    has_id("{\"messageId\": 7}", "");
    has_id("{\"messageId\": \"x\"", "");
    has_id("[]", "");
    has_id("", "");
    (void)snprintf(text, sizeof text, "{\"messageId\": \"%0*d\"}", STORE_MAX_MESSAGE_ID + 1, 1);
    has_id(text, "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_off_until_both_settings_are_set),
        TEST(test_a_new_setting_ends_a_wait_and_a_session),
        TEST(test_a_broker_that_says_nothing_does_not_hold_up_the_end),
        TEST(test_a_platform_that_says_nothing_does_not_hold_up_the_end),
        TEST(test_sessions_may_be_used_while_they_change),
        cmocka_unit_test(test_waits_grow_to_a_minute),
        cmocka_unit_test(test_the_id_of_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
