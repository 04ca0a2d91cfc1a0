/*
 * The whole room with a platform: history, news of devices and results of commands reach it, whatever it answers at
 * first, and whatever token it gives next. Needs the model set (AIBOX_MODELS or build/models), which is not asked.
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../store/fixture.h"
#include "core/buffer.h"
#include "core/id.h"
#include "flow/devices.h"
#include "flow/feed.h"
#include "flow/flow.h"
#include "flow/report_config.h"
#include "receiver.h"
#include "report/outbox.h"
#include "report/report.h"

#define PAUSE_US 10000
#define PAUSES   12000 /* two minutes; only a failing test waits that long */

struct box {
    struct fixture *files;
    struct settings *settings;
    struct flow *flow;
    struct feed *feed;
    struct report_config *config;
    struct report *report;
    struct report_platform *login;
    struct receiver *platform;
};

static const char *models;

static void open_room(struct box *box)
{
    assert_status(AIBOX_OK, report_config_open(box->files->store, &box->config, NULL));
    struct report_context context = {.settings = box->settings,
                                     .store = box->files->store,
                                     .flow = box->flow,
                                     .config = box->config,
                                     .feed = box->feed,
                                     .data_dir = box->files->path};
    assert_status(AIBOX_OK, report_open(&context, &box->report, NULL));
}

static void close_room(struct box *box)
{
    report_close(box->report);
    report_config_close(box->config);
}

static int setup(void **state)
{
    struct box *box = calloc(1, sizeof *box);
    void *files;

    if (!box || fixture_setup(&files) != 0)
        return -1;
    box->files = files;
    assert_status(AIBOX_OK, settings_open(&box->settings, NULL));
    assert_status(AIBOX_OK, settings_put(box->settings, SETTINGS_SET, "cloud.login_url", "http://p/login", NULL));
    assert_status(AIBOX_OK, settings_put(box->settings, SETTINGS_SET, "cloud.dev_sno", "SE0001", NULL));
    assert_status(AIBOX_OK, flow_open(box->settings, box->files->store, models, &box->flow, NULL));
    assert_true(flow_wait_ready(box->flow));
    assert_status(AIBOX_OK, feed_open(box->files->store, &box->feed, NULL));
    box->login = calloc(1, sizeof *box->login);
    box->platform = receiver_open();
    open_room(box);
    *state = box;
    return 0;
}

static int teardown(void **state)
{
    struct box *box = *state;
    void *files = box->files;

    close_room(box);
    receiver_close(box->platform);
    feed_end(box->feed);
    feed_close(box->feed);
    flow_close(box->flow);
    settings_close(box->settings);
    free(box->login);
    free(box);
    return fixture_teardown(&files);
}

/* ---- helpers ---- */

static void set_address(struct box *box, struct report_address *address, const char *path, const char *token)
{
    (void)snprintf(address->identity, sizeof address->identity, "%s%s", receiver_url(box->platform), path);
    (void)snprintf(address->url, sizeof address->url, "%s?token=%s", address->identity, token);
}

static void log_in_for_history(struct box *box, const char *token)
{
    box->login->n_history = 1;
    box->login->history_period_s = 1;
    box->login->info = true;
    set_address(box, &box->login->history[0], "/record", token);
    report_config_set_platform(box->config, box->login);
}

static void add_event(struct box *box, const char *identity_id)
{
    struct store_event event = {.timestamp_ms = 1566016554020,
                                .identity_id = identity_id,
                                .identity_name = "x",
                                .person_type = 1,
                                .group_name = "default_group",
                                .reason = "passed",
                                .score = 0.5F,
                                .threshold = NAN,
                                .margin = NAN,
                                .best_score = NAN,
                                .liveness = NAN,
                                .mask = -1};

    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(box->files->store, &event, NULL));
}

/* Fails unless the request went to `target` and its JSON has this text there. */
static void assert_received(const struct received *request, const char *target, const char *key, const char *value)
{
    json_t *json = json_loads(request->body, 0, NULL);
    const char *text = json_string_value(json_object_get(json, key));

    assert_string_equal(request->target, target);
    assert_non_null(text);
    assert_string_equal(text, value);
    json_decref(json);
}

static void create_device(struct box *box, const char *id, const char *ip)
{
    struct device_saved_list saved;
    json_t *dicts = json_pack("{s:s, s:s, s:s, s:s, s:s}", "device_id", id, "device_name", id, "device_key", ip,
                              "device_type", "photo", "ep_type", "0");
    struct aibox_error err = {0};

    if (devices_create(flow_devices(box->flow), dicts, "list", &saved, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    device_saved_list_free(&saved);
    json_decref(dicts);
}

/* A result for `to`, a base URL; the lane is made of that. */
static void post_result(struct box *box, const char *to, const char *json)
{
    char lane[128], payload[512];

    (void)snprintf(lane, sizeof lane, "post %s", to);
    (void)snprintf(payload, sizeof payload, "%s/notify?token=t\n%s", to, json);
    struct store_message message = {lane, payload, strlen(payload)};
    assert_status(AIBOX_OK, store_outbox_add(box->files->store, &message, 1, NULL));
}

static void wait_until_empty(struct box *box, const char *lane)
{
    size_t count = 1;
    int64_t oldest_ms;

    for (int i = 0; i < PAUSES && count > 0; i++) {
        assert_status(AIBOX_OK, store_outbox_count(box->files->store, lane, &count, &oldest_ms, NULL));
        if (count > 0)
            usleep(PAUSE_US);
    }
    assert_int_equal(count, 0);
}

/* The receiver's answer is heard, and its cursor behind event `seq`: else the event comes again after a restart. */
static void wait_until_confirmed(struct box *box, int64_t seq)
{
    int64_t confirmed = 0;

    for (int i = 0; i < PAUSES && confirmed < seq; i++) {
        confirmed = fixture_query(box->files, "main", "SELECT seq FROM cursor WHERE url LIKE '%/record'");
        if (confirmed < seq)
            usleep(PAUSE_US);
    }
    assert_true(confirmed >= seq);
}

/* Whether GET /api/reports says this. */
static bool is_shown(struct box *box, const char *text)
{
    struct json_out out;

    json_out_init(&out, 1 << 20);
    report_print(box->report, &out);
    assert_true(json_out_complete(&out));
    bool shown = strstr((const char *)out.buffer.data, text) != NULL;
    json_out_free(&out);
    return shown;
}

/* ---- history ---- */

static void test_history_begins_with_the_oldest_and_outlives_tokens(void **state)
{
    struct box *box = *state;

    save_person(box->files->store, STORE_CREATE, "ada", "Ada", 1, NULL, NULL);
    add_event(box, "ada");
    log_in_for_history(box, "t1");
    assert_received(receiver_taken(box->platform, 0), "/record?token=t1", "identity_id", "ada");
    json_t *json = json_loads(receiver_taken(box->platform, 0)->body, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "info"), "name")), "Ada");
    json_decref(json);
    /* The token has expired; with the next login it goes on at once, and nothing comes twice. */
    receiver_answer(box->platform, 401, "");
    add_event(box, "stranger");
    (void)receiver_got(box->platform, 6); /* the wait is seconds by now */
    receiver_answer(box->platform, 200, "");
    log_in_for_history(box, "t2");
    assert_received(receiver_taken(box->platform, 1), "/record?token=t2", "identity_id", "stranger");
    assert_false(is_shown(box, "token"));
    assert_true(is_shown(box, "/record"));
}

static void test_history_is_held_back_until_the_next_login(void **state)
{
    struct box *box = *state;
    const char *active = "SELECT active FROM cursor WHERE url LIKE '%/record'";

    log_in_for_history(box, "t1");
    add_event(box, "one");
    (void)receiver_taken(box->platform, 0);
    wait_until_confirmed(box, store_event_newest(box->files->store));
    close_room(box);
    open_room(box);
    assert_int_equal(fixture_query(box->files, "main", active), 1);
    add_event(box, "two");
    log_in_for_history(box, "t2");
    assert_received(receiver_taken(box->platform, 1), "/record?token=t2", "identity_id", "two");
    report_config_set_platform(box->config, NULL);
    assert_int_equal(fixture_query(box->files, "main", active), 0);
    /* Nobody waits for a platform that the settings no longer name. */
    log_in_for_history(box, "t3");
    close_room(box);
    assert_status(AIBOX_OK, settings_put(box->settings, SETTINGS_SET, "cloud.login_url", "", NULL));
    open_room(box);
    assert_int_equal(fixture_query(box->files, "main", active), 0);
}

/* ---- devices ---- */

static void test_operations_wait_for_the_login(void **state)
{
    struct box *box = *state;

    set_address(box, &box->login->device_info, "/device", "t1");
    report_config_set_platform(box->config, box->login);
    create_device(box, "east", "10.0.0.1");
    assert_non_null(strstr(receiver_taken(box->platform, 0)->body, "\"actionType\":1"));
    wait_until_empty(box, OUTBOX_DEVICES);
    close_room(box);
    open_room(box);
    create_device(box, "west", "10.0.0.2");
    assert_int_equal(receiver_count(box->platform), 1);
    set_address(box, &box->login->device_info, "/device", "t2");
    report_config_set_platform(box->config, box->login);
    assert_string_equal(receiver_taken(box->platform, 1)->target, "/device?token=t2");
    assert_non_null(strstr(receiver_taken(box->platform, 1)->body, "west"));
}

static void test_the_list_goes_instead_of_operations(void **state)
{
    struct box *box = *state;

    create_device(box, "east", "10.0.0.1");
    receiver_answer(box->platform, 200, "{\"status\": 1}");
    set_address(box, &box->login->device_info, "/device", "t1");
    set_address(box, &box->login->device_list, "/list", "t1");
    report_config_set_platform(box->config, box->login);
    (void)receiver_got(box->platform, 1); /* tried again: it was not taken */
    receiver_answer(box->platform, 200, "{\"status\": 0}");
    create_device(box, "west", "10.0.0.2");
    for (size_t i = 0;; i++) { /* all are of the list, and one has both */
        const struct received *request = receiver_got(box->platform, i);
        assert_string_equal(request->target, "/list?token=t1");
        json_t *json = json_loads(request->body, 0, NULL);
        size_t n = json_array_size(json_object_get(json, "deviceList"));
        assert_non_null(json_object_get(json, "devSno"));
        json_decref(json);
        assert_in_range(n, 1, 2);
        if (n == 2)
            break;
    }
}

/* ---- results ---- */

static void test_results_arrive_in_order_and_hold_up_nobody(void **state)
{
    struct box *box = *state;
    struct receiver *other = receiver_open();

    receiver_answer(box->platform, 500, "");
    post_result(box, receiver_url(box->platform), "{\"n\":\"1\"}");
    post_result(box, receiver_url(box->platform), "{\"n\":\"2\"}");
    (void)receiver_got(box->platform, 1);
    post_result(box, receiver_url(other), "{\"n\":\"3\"}");
    assert_received(receiver_taken(other, 0), "/notify?token=t", "n", "3");
    receiver_answer(box->platform, 202, "");
    assert_received(receiver_taken(box->platform, 0), "/notify?token=t", "n", "1");
    assert_received(receiver_taken(box->platform, 1), "/notify?token=t", "n", "2");
    assert_true(is_shown(box, "\"result\":[{"));
    assert_true(is_shown(box, receiver_url(other)));
    assert_false(is_shown(box, "token"));
    receiver_close(other);
}

static void test_results_are_found_after_a_restart(void **state)
{
    struct box *box = *state;
    char lane[128];

    receiver_answer(box->platform, 500, "");
    post_result(box, receiver_url(box->platform), "{\"n\":\"1\"}");
    (void)receiver_got(box->platform, 0);
    close_room(box);
    receiver_answer(box->platform, 200, "");
    open_room(box);
    assert_received(receiver_taken(box->platform, 0), "/notify?token=t", "n", "1");
    (void)snprintf(lane, sizeof lane, "post %s", receiver_url(box->platform));
    wait_until_empty(box, lane);
}

static void test_results_are_given_up_after_a_week(void **state)
{
    struct box *box = *state;
    char lane[128], sql[128];

    close_room(box);
    (void)snprintf(lane, sizeof lane, "post %s", receiver_url(box->platform));
    struct store_message messages[] = {{lane, "http://x/\n{}", 12}, {lane, "no URL at all", 13}};
    assert_status(AIBOX_OK, store_outbox_add(box->files->store, messages, 1, NULL));
    (void)snprintf(sql, sizeof sql, "UPDATE outbox SET created_ms = created_ms - %lld", 7LL * 86400000 + 1000);
    fixture_exec(box->files, "main", sql);
    assert_status(AIBOX_OK, store_outbox_add(box->files->store, &messages[1], 1, NULL));
    open_room(box);
    post_result(box, receiver_url(box->platform), "{\"n\":\"1\"}");
    assert_received(receiver_taken(box->platform, 0), "/notify?token=t", "n", "1");
    assert_int_equal(receiver_count(box->platform), 1);
    wait_until_empty(box, lane);
    assert_true(is_shown(box, "\"dropped\":2"));
}

static void test_a_crowd_of_dead_receivers_holds_up_nobody_for_long(void **state)
{
    struct box *box = *state;
    char to[40];

    for (int i = 0; i < 45; i++) { /* nobody listens there, and they come first by name */
        (void)snprintf(to, sizeof to, "http://127.0.0.%d:1", i + 100);
        post_result(box, to, "{\"n\":\"0\"}");
    }
    post_result(box, receiver_url(box->platform), "{\"n\":\"1\"}");
    assert_received(receiver_taken(box->platform, 0), "/notify?token=t", "n", "1");
}

static void test_what_is_no_result(void **state)
{
    char url[REPORT_MAX_COMPOSED + 1];
    size_t size = 12;
    char *wide = malloc(REPORT_MAX_COMPOSED + 2);

    (void)state;
    assert_string_equal(result_split("http://x/\n{}", &size, url), "{}");
    assert_int_equal(size, 2);
    assert_string_equal(url, "http://x/");
    size = 9;
    assert_null(result_split("http://x/", &size, url));
    size = 3;
    assert_null(result_split("\n{}", &size, url));
    size = 4;
    assert_null(result_split("a\0b\n", &size, url));
    size = 0;
    assert_null(result_split("", &size, url));
    memset(wide, 'x', REPORT_MAX_COMPOSED + 1);
    wide[REPORT_MAX_COMPOSED + 1] = '\n';
    size = REPORT_MAX_COMPOSED + 2;
    assert_null(result_split(wide, &size, url));
    size--;
    assert_non_null(result_split(wide + 1, &size, url));
    free(wide);
}

#define WITH_BOX(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOX(test_history_begins_with_the_oldest_and_outlives_tokens),
        WITH_BOX(test_history_is_held_back_until_the_next_login),
        WITH_BOX(test_operations_wait_for_the_login),
        WITH_BOX(test_the_list_goes_instead_of_operations),
        WITH_BOX(test_results_arrive_in_order_and_hold_up_nobody),
        WITH_BOX(test_results_are_found_after_a_restart),
        WITH_BOX(test_results_are_given_up_after_a_week),
        WITH_BOX(test_a_crowd_of_dead_receivers_holds_up_nobody_for_long),
        cmocka_unit_test(test_what_is_no_result),
    };
    char manifest[4096];

    models = getenv("AIBOX_MODELS");
    if (!models || !*models)
        models = AIBOX_SOURCE_DIR "/build/models";
    (void)snprintf(manifest, sizeof manifest, "%s/manifest.json", models);
    if (access(manifest, R_OK) != 0) {
        (void)printf("skipped: the model set is not there (make models)\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
