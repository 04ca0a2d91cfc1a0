/*
 * Commands from the inbox to the outbox, with a real store and the real pipeline. Needs the model set (AIBOX_MODELS or
 * build/models) and the sample pictures (AIBOX_SAMPLES or build/samples).
 */
#include "../store/fixture.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/command.h"
#include "cloud/executor.h"
#include "core/base64.h"
#include "core/clock.h"
#include "flow/devices.h"
#include "store/callers.h"
#include "store/commands.h"

static struct fixture *fixture;
static struct settings *settings;
static struct flow *flow;
static struct report_config *reports;
static atomic_bool stop;
static struct command_counters counters;
static struct command_context ctx;

/* ---- executing --------------------------------------------------------------------------------------------- */

static int64_t add(const char *message_id, const char *body, enum store_inbox_queue queue)
{
    struct store_command command = {.queue = queue, .message_id = message_id, .body = body, .size = strlen(body)};
    struct store_command next;
    enum store_inbox_outcome outcome;

    assert_status(AIBOX_OK, store_inbox_add(fixture->store, &command, &outcome, NULL));
    assert_int_equal(outcome, STORE_INBOX_NEW);
    assert_status(AIBOX_OK, store_inbox_next(fixture->store, queue, &next, NULL));
    int64_t id = next.inbox_id;
    store_command_free(&next);
    return id;
}

static enum command_end run_next(enum store_inbox_queue queue)
{
    struct store_command command;

    assert_status(AIBOX_OK, store_inbox_next(fixture->store, queue, &command, NULL));
    assert_int_not_equal(command.inbox_id, 0);
    enum command_end end = command_run(&ctx, &command);
    store_command_free(&command);
    return end;
}

static size_t inbox_count(enum store_inbox_queue queue)
{
    size_t count;
    int64_t oldest;

    assert_status(AIBOX_OK, store_inbox_count(fixture->store, queue, &count, &oldest, NULL));
    return count;
}

/* The oldest message of the lane, taken out of it; NULL: there is none. To be freed. */
static char *take_message(const char *lane)
{
    struct store_outbox_message message;

    assert_status(AIBOX_OK, store_outbox_next(fixture->store, lane, &message, NULL));
    if (message.outbox_id == 0)
        return NULL;
    assert_status(AIBOX_OK, store_outbox_done(fixture->store, message.outbox_id, NULL));
    return (char *)message.payload;
}

static json_t *take_result(const char *lane)
{
    char *text = take_message(lane);

    if (text == NULL)
        fail_msg("no result in %s", lane);
    json_t *result = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(result);
    free(text);
    return result;
}

/* Executes a command of the main queue to its end: what came into uploadQueue, or into fiqaUploadQueue for `fiqa`. */
static json_t *run(const char *body)
{
    (void)add("", body, STORE_INBOX_MAIN);
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_FINISHED);
    assert_int_equal(inbox_count(STORE_INBOX_MAIN), 0);
    bool fiqa = strncmp(body, "{\"method\": \"fiqa\"", strlen("{\"method\": \"fiqa\"")) == 0;
    return take_result(fiqa ? COMMAND_LANE_FIQA : COMMAND_LANE_MAIN);
}

static void expect_json(const json_t *got, const char *expected)
{
    json_error_t error;
    json_t *wanted = json_loads(expected, JSON_DECODE_ANY, &error);

    if (wanted == NULL)
        fail_msg("%s in %s", error.text, expected);
    if (!json_equal(got, wanted)) {
        char *text = json_dumps(got, JSON_ENCODE_ANY);
        fail_msg("got %s instead of %s", text, expected);
    }
    json_decref(wanted);
}

static void expect(const char *body, const char *result)
{
    json_t *got = run(body);

    expect_json(got, result);
    json_decref(got);
}

/* The `result` alone, of a success. */
static void expect_result(const char *body, const char *result)
{
    json_t *got = run(body);

    assert_int_equal(json_integer_value(json_object_get(got, "code")), 0);
    assert_true(json_is_true(json_object_get(got, "success")));
    expect_json(json_object_get(got, "result"), result);
    json_decref(got);
}

static void expect_refused(const char *body, const char *field)
{
    json_t *got = run(body);
    const char *message = json_string_value(json_object_get(got, "message"));

    assert_true(json_is_false(json_object_get(got, "success")));
    if (json_integer_value(json_object_get(got, "code")) != 40071 || strstr(message, field) != message)
        fail_msg("%s: %s", body, message);
    expect_json(json_object_get(got, "result"), "{}");
    json_decref(got);
}

/* ---- people ------------------------------------------------------------------------------------------------ */

/* A feature as JSON; the direction follows from `seed`. */
static void append_feature(struct buffer *out, unsigned seed)
{
    buffer_append_text(out, "[");
    for (unsigned i = 0; i < STORE_DIMENSION; i++)
        buffer_appendf(out, "%s%d", i > 0 ? "," : "", (int)((i * 2654435761U + seed * 40503U) >> 16 & 0xff) - 127);
    buffer_append_text(out, "]");
}

/* A command with these people as "id|info"; features stand for photos. */
static char *people_command(const char *more, const char *const (*people)[2], size_t n)
{
    struct buffer out;
    size_t size;

    buffer_init(&out, 1 << 20);
    buffer_appendf(&out, "{\"method\": \"add_users_plus\", \"import_mode\": true, %s \"user_info_list\": [", more);
    for (size_t i = 0; i < n; i++) {
        buffer_appendf(&out, "%s{\"identity_id\": \"%s\", \"info\": %s, \"feature\": ", i > 0 ? "," : "", people[i][0],
                       people[i][1]);
        append_feature(&out, (unsigned)i + 1);
        buffer_append_text(&out, "}");
    }
    buffer_append_text(&out, "]}");
    return (char *)buffer_give(&out, &size);
}

static struct store_person get(const char *id)
{
    struct store_person person;

    assert_status(AIBOX_OK, store_person_get(fixture->store, id, &person, NULL));
    return person;
}

static char *sample_base64(const char *name)
{
    const char *folder = getenv("AIBOX_SAMPLES");
    char path[512];
    static uint8_t bytes[1 << 20];

    (void)snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : AIBOX_SOURCE_DIR "/build/samples", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    char *text = malloc(base64_encoded_size(size) + 1);
    base64_encode(bytes, size, text);
    return text;
}

/* ---- the envelope ------------------------------------------------------------------------------------------ */

static void wrong_commands_are_told_of_by_name(void **state)
{
    (void)state;
    expect_refused("{\"method\": \"no_such\", \"messageId\": \"1\"}", "method: ");
    expect_refused("{}", "method: ");
    expect_refused("{\"method\": 5}", "method: ");
    expect_refused("[]", "the message: ");
    expect_refused("{\"method\": ", "the message is no JSON");
    expect_refused("{\"method\": \"add_users_plus\", \"method\": \"fiqa\"}", "the message is no JSON");
    expect_refused("{\"method\": \"fiqa\", \"messageId\": []}", "messageId: ");
    expect_refused("{\"method\": \"fiqa\", \"extend_params\": 1}", "extend_params: ");
    expect_refused("{\"method\": \"fiqa\", \"extend_params\": {\"notify_path\": 1}}", "extend_params.notify_path: ");
    expect_refused("{\"method\": \"delete_users\"}", "userid_list: ");
    expect_refused("{\"method\": \"delete_users\", \"userid_list\": \"1\"}", "userid_list: ");
    expect_refused("{\"method\": \"delete_users\", \"userid_list\": [\"1\", {}]}", "userid_list[1]: ");
    expect_refused("{\"method\": \"add_users_plus\"}", "userid_list: ");
    expect_refused("{\"method\": \"add_users_plus\", \"userid_list\": [], \"user_info_list\": []}", "userid_list: ");
    expect_refused("{\"method\": \"add_users_plus\", \"userid_list\": [\"1\"]}", "extend_params.path: ");
    expect_refused("{\"method\": \"add_users_plus\", \"userid_list\": [\"1\"], \"extend_params\": {\"path\": 1}}",
                   "extend_params.path: ");
    expect_refused("{\"method\": \"add_users_plus\", \"user_info_list\": [1]}", "user_info_list[0]: ");
    expect_refused("{\"method\": \"add_users_plus\", \"user_info_list\": [], \"fiqa_level\": \"best\"}",
                   "fiqa_level: ");
    expect_refused("{\"method\": \"wipe_data\"}", "wipe_options: ");
    expect_refused("{\"method\": \"wipe_data\", \"wipe_options\": {\"users\": true}}", "wipe_options.events: ");
    expect_refused("{\"method\": \"wipe_data\", \"wipe_options\": {\"users\": 1, \"events\": true}}",
                   "wipe_options.users: ");
    expect_refused("{\"method\": \"fiqa\"}", "info: ");
    expect_refused("{\"method\": \"fiqa\", \"info\": {}}", "info.image_base64_str: ");
    expect_refused("{\"method\": \"fiqa\", \"info\": {\"image_base64_str\": \"\", \"fiqa_level\": 1}}",
                   "info.fiqa_level: ");
    expect_refused("{\"method\": \"sync_permissions\", \"permissions_info_list\": [{}]}", "permissions_info_list[0]: ");
    expect_refused("{\"method\": \"control_config\"}", "config_field: ");
    expect_refused("{\"method\": \"add_device\"}", "device_info: ");
    expect_refused("{\"method\": \"add_device\", \"device_info\": {\"ep_type\": \"0\"}}", "device_info.device_key: ");
    expect_refused("{\"method\": \"delete_device\"}", "device_id: ");
    assert_int_equal(store_person_count(fixture->store), 0);
}

static bool check_dead(void *arg, const struct store_dead_command *dead)
{
    int *seen = arg;

    assert_string_equal(dead->method, "no_such");
    assert_string_equal(dead->message_id, "d1");
    assert_non_null(strstr(dead->reason, "method: "));
    assert_non_null(strstr(dead->excerpt, "\"no_such\""));
    assert_null(strstr(dead->excerpt, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    ++*seen;
    return false;
}

static void wrong_commands_are_kept_for_people_to_see(void **state)
{
    char body[4096], photo[3001];
    int seen = 0;
    size_t total;

    (void)state;
    memset(photo, 'A', sizeof photo - 1);
    photo[sizeof photo - 1] = '\0';
    (void)snprintf(body, sizeof body, "{\"method\": \"no_such\", \"messageId\": \"d1\", \"photo\": \"%s\"}", photo);
    json_decref(run(body));
    assert_status(AIBOX_OK, store_dead_command_each(fixture->store, 0, 1, check_dead, &seen, &total, NULL));
    assert_int_equal(seen, 1);
}

static void the_message_id_is_echoed_as_it_came(void **state)
{
    (void)state;
    expect("{\"method\": \"delete_users\", \"userid_list\": [], \"messageId\": \"8f\"}",
           "{\"success\": true, \"code\": 0, \"message\": \"delete_users done: 0 deleted, 0 failed\", \"dev_sno\": "
           "\"SE1\", \"messageKey\": \"delete_users\", \"messageId\": \"8f\", \"result\": {\"success_users\": [], "
           "\"failed_users\": []}}");
    expect("{\"method\": \"delete_users\", \"userid_list\": [], \"messageKey\": \"9\", \"messageId\": \"\"}",
           "{\"success\": true, \"code\": 0, \"message\": \"delete_users done: 0 deleted, 0 failed\", \"dev_sno\": "
           "\"SE1\", \"messageKey\": \"delete_users\", \"messageId\": \"9\", \"result\": {\"success_users\": [], "
           "\"failed_users\": []}}");
    json_t *none = run("{\"method\": \"delete_users\", \"userid_list\": [], \"messageId\": \"\"}");
    assert_null(json_object_get(none, "messageId"));
    json_decref(none);
}

static void results_go_where_the_login_or_the_command_says(void **state)
{
    static const char body[] = "{\"method\": \"delete_users\", \"userid_list\": [], \"extend_params\": "
                               "{\"notify_path\": \"/mqResult\"}}";
    static const char one_way[] = "{\"method\": \"delete_users\", \"userid_list\": []}";
    static const char fiqa[] = "{\"method\": \"fiqa\", \"info\": {\"image_base64_str\": \"x\"}}";

    (void)state;
    json_decref(run(body)); /* the login's queue goes first */
    (void)add("f", fiqa, STORE_INBOX_FIQA);
    assert_int_equal(run_next(STORE_INBOX_FIQA), COMMAND_FINISHED);
    json_decref(take_result(COMMAND_LANE_FIQA));
    ctx.fiqa_result_queue = false;
    (void)add("g", fiqa, STORE_INBOX_FIQA);
    assert_int_equal(run_next(STORE_INBOX_FIQA), COMMAND_FINISHED);
    json_decref(take_result(COMMAND_LANE_MAIN));
    ctx.result_queue = false;
    (void)add("h", body, STORE_INBOX_MAIN);
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_FINISHED);
    char *post = take_message(COMMAND_LANE_POST "http://platform:9061");
    assert_non_null(post);
    assert_non_null(strstr(post, "http://platform:9061/mqResult?dev_sno=SE1&token=5c1e\n{\"success\":true,"));
    free(post);
    (void)add("i", one_way, STORE_INBOX_MAIN);
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_FINISHED);
    assert_null(take_message(COMMAND_LANE_MAIN));
    assert_int_equal(inbox_count(STORE_INBOX_MAIN), 0);
}

static void a_full_notify_path_holds_up_nothing(void **state)
{
    static const char body[] = "{\"method\": \"delete_users\", \"userid_list\": [\"1\"], \"extend_params\": "
                               "{\"notify_path\": \"/mqResult\"}}";
    const char *lane = COMMAND_LANE_POST "http://platform:9061";
    static struct store_message messages[STORE_MAX_OUTBOX];

    (void)state;
    for (size_t i = 0; i < STORE_MAX_OUTBOX; i++)
        messages[i] = (struct store_message){.lane = lane, .payload = "x", .size = 1};
    assert_status(AIBOX_OK, store_outbox_add(fixture->store, messages, STORE_MAX_OUTBOX, NULL));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "1", "one", 1, NULL, NULL));
    ctx.result_queue = ctx.fiqa_result_queue = false;
    (void)add("full", body, STORE_INBOX_MAIN);
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_FINISHED);
    assert_int_equal(store_person_count(fixture->store), 0);
    assert_int_equal(atomic_load(&counters.results_lost), 1);
    assert_status(AIBOX_OK, store_outbox_clear(fixture->store, lane, NULL));
    /* The queue of the broker is waited for. */
    for (size_t i = 0; i < STORE_MAX_OUTBOX; i++)
        messages[i].lane = COMMAND_LANE_MAIN;
    assert_status(AIBOX_OK, store_outbox_add(fixture->store, messages, STORE_MAX_OUTBOX, NULL));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "1", "one", 1, NULL, NULL));
    ctx.result_queue = true;
    (void)add("full2", body, STORE_INBOX_MAIN);
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_LATER);
    assert_int_equal(store_person_count(fixture->store), 1);
    assert_status(AIBOX_OK, store_outbox_clear(fixture->store, COMMAND_LANE_MAIN, NULL));
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_FINISHED);
    assert_int_equal(store_person_count(fixture->store), 0);
    json_decref(take_result(COMMAND_LANE_MAIN));
}

/* ---- the audit log ------------------------------------------------------------------------------------------ */

static void note_entry(void *ctx_, const struct store_audit *entry)
{
    struct buffer *out = ctx_;

    buffer_appendf(out, "%s %s %s %d [%s]\n", entry->who, entry->method, entry->path, entry->status, entry->what);
}

static void commands_that_change_something_are_in_the_audit_log(void **state)
{
    struct buffer log;
    size_t before, total;

    (void)state;
    buffer_init(&log, 65536);
    assert_status(AIBOX_OK, store_audit_each(fixture->store, STORE_AUDIT_ALL, 0, 0, note_entry, &log, &before, NULL));
    json_decref(run("{\"method\": \"delete_users\", \"userid_list\": [\"10086\"], \"messageId\": \"m-1\"}"));
    json_decref(run("{\"method\": \"fiqa\", \"image_base64_str\": \"\"}"));
    json_decref(run("{\"method\": \"delete_users\"}"));
    json_decref(run("{\"method\": \"nothing\"}"));
    assert_status(AIBOX_OK, store_audit_each(fixture->store, STORE_AUDIT_ALL, 0, 2, note_entry, &log, &total, NULL));
    assert_int_equal(total - before, 2);
    assert_null(strstr((const char *)log.data, "10086"));
    const char *first = strstr((const char *)log.data, "\n") + 1; /* the newest is first */
    assert_ptr_equal(strstr(first, "platform COMMAND delete_users 200 [message_id=m-1 people="), first);
    assert_non_null(strstr((const char *)log.data, "platform COMMAND delete_users 400 []"));
    buffer_free(&log);
}

/* ---- delete_users, wipe_data, sync_permissions -------------------------------------------------------------- */

static void delete_users_lists_both_in_the_order_asked_for(void **state)
{
    (void)state;
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "10086", "a", 1, NULL, NULL));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "7", "b", 2, NULL, NULL));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "kept", "c", 3, NULL, NULL));
    expect_result("{\"method\": \"delete_users\", \"userid_list\": [\"10086\", \"gone\", 7, \"10086\"]}",
                  "{\"success_users\": [{\"userid\": \"10086\", \"message\": \"deleted\", \"code\": 0}, {\"userid\": "
                  "\"7\", \"message\": \"deleted\", \"code\": 0}, {\"userid\": \"10086\", \"message\": \"deleted\", "
                  "\"code\": 0}], \"failed_users\": [{\"userid\": \"gone\", \"message\": \"no such person\", "
                  "\"code\": 40401}]}");
    assert_int_equal(store_person_count(fixture->store), 1);
}

static void wipe_data_deletes_what_it_is_told(void **state)
{
    (void)state;
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "1", "a", 1, NULL, NULL));
    expect_result("{\"method\": \"wipe_data\", \"wipe_options\": {\"users\": false, \"events\": true}}",
                  "{\"wipe_options\": {\"users\": false, \"events\": true}}");
    assert_int_equal(store_person_count(fixture->store), 1);
    expect_result("{\"method\": \"wipe_data\", \"wipe_options\": {\"users\": true, \"events\": false}}",
                  "{\"wipe_options\": {\"users\": true, \"events\": false}}");
    assert_int_equal(store_person_count(fixture->store), 0);
}

static void wipe_data_of_all_forgets_settings_but_the_platform(void **state)
{
    static const char *const keys[] = {"cloud.dev_sno", "passmode"}, *const values[] = {"SE1", "allpass"};
    char text[16];

    (void)state;
    assert_status(AIBOX_OK, store_settings_apply(fixture->store, settings, keys, values, 2, NULL));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "1", "a", 1, NULL, NULL));
    expect_result("{\"method\": \"wipe_data\", \"wipe_options\": {\"all\": true}}",
                  "{\"wipe_options\": {\"all\": true}}");
    assert_int_equal(store_person_count(fixture->store), 0);
    settings_text(settings, "passmode", text, sizeof text);
    assert_string_equal(text, "normal");
    settings_text(settings, "cloud.dev_sno", text, sizeof text);
    assert_string_equal(text, "SE1");
}

static void sync_permissions_creates_renames_and_replaces(void **state)
{
    struct store_label_list list;

    (void)state;
    expect_result("{\"method\": \"sync_permissions\", \"permissions_info_list\": [{\"id\": \"1046\", \"info\": "
                  "{\"name\": \"east\", \"description\": \"labs\"}}, {\"id\": 12}, {\"id\": \"x\", \"info\": "
                  "{\"name\": \"a,b\"}}]}",
                  "{\"success_permission\": [{\"permission_id\": \"1046\", \"permission_name\": \"east\", "
                  "\"permission_description\": \"labs\", \"message\": \"ok\", \"code\": 0}, {\"permission_id\": "
                  "\"12\", \"permission_name\": \"12\", \"permission_description\": \"\", \"message\": \"ok\", "
                  "\"code\": 0}], \"failed_permission\": [{\"permission_id\": \"x\", \"permission_name\": \"a,b\", "
                  "\"permission_description\": \"\", \"message\": \"permission_name must not hold ','\", \"code\": "
                  "40012}]}");
    json_decref(run("{\"method\": \"sync_permissions\", \"replace\": true, \"permissions_info_list\": [{\"id\": "
                    "\"1046\", \"info\": {\"name\": \"west\"}}]}"));
    assert_status(AIBOX_OK, store_label_list(fixture->store, STORE_PERMISSION, 0, 0, &list, NULL));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].id, "1046");
    assert_string_equal(list.items[0].name, "west");
    store_label_list_free(&list);
}

/* ---- control_config, devices -------------------------------------------------------------------------------- */

static void control_config_speaks_of_settings_in_the_platforms_words(void **state)
{
    struct flow_threshold own;

    (void)state;
    expect_result("{\"method\": \"control_config\", \"config_field\": {\"passmode\": \"allpass\", "
                  "\"support_stranger_group\": true, \"history_upload_need_info\": true, \"ir_collection\": false}}",
                  "{\"success_field\": {\"passmode\": \"allpass\", \"support_stranger_group\": true, "
                  "\"history_upload_need_info\": true, \"ir_collection\": false}, \"faild_field\": {}}");
    char word[16];
    settings_text(settings, "passmode", word, sizeof word);
    assert_string_equal(word, "allpass");
    assert_true(settings_bool(settings, "cloud.history_info"));
    assert_true(settings_bool(settings, "recognition.stranger_memory"));

    json_t *got = run("{\"method\": \"control_config\", \"config_field\": {\"passmode\": \"open\", \"volume\": 3, "
                      "\"ir_collection\": true, \"threshold\": 101, \"support_stranger_group\": 1}}");
    const json_t *failed = json_object_get(json_object_get(got, "result"), "faild_field");
    assert_int_equal(json_object_size(failed), 5);
    assert_string_equal(json_string_value(json_object_get(failed, "volume")), "there is no such field");
    expect_json(json_object_get(json_object_get(got, "result"), "success_field"), "{}");
    json_decref(got);

    flow_threshold_automatic(flow, &own);
    double threshold = (double)own.threshold;
    static const char format[] = "{\"method\": \"control_config\", \"messageId\": \"%d\", \"config_field\": "
                                 "{\"threshold\": %d, \"threshold_range\": [0, %d, 100]}}";
    const struct {
        int given, anchor;
        double expected;
    } cases[] = {{0, 82, 0},   {41, 82, threshold / 2}, {91, 82, (1 + threshold) / 2},
                 {100, 82, 1}, {25, 50, threshold / 2}, {75, 50, (1 + threshold) / 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256];
        (void)snprintf(body, sizeof body, format, (int)i, cases[i].given, cases[i].anchor);
        json_decref(run(body));
        assert_float_equal((float)settings_float(settings, "recognition.threshold"), (float)cases[i].expected, 1e-4F);
    }
    json_decref(run("{\"method\": \"control_config\", \"config_field\": {\"threshold\": 82}}"));
    settings_print(settings, "recognition.threshold", word, sizeof word, NULL);
    assert_string_equal(word, "auto");
}

static void devices_are_added_changed_and_deleted(void **state)
{
    (void)state;
    json_t *got = run("{\"method\": \"add_device\", \"device_info\": {\"device_id\": \"d1\", \"device_key\": "
                      "\"rtsp://u:secret@10.0.0.9/live\", \"ep_type\": \"2\", \"group_name\": \"default_group\"}}");
    const json_t *info = json_object_get(json_object_get(got, "result"), "device_info");
    assert_string_equal(json_string_value(json_object_get(info, "device_id")), "d1");
    assert_string_equal(json_string_value(json_object_get(info, "group_id")), "default_group");
    assert_null(strstr(json_string_value(json_object_get(info, "device_key")), "secret"));
    json_decref(got);
    got = run("{\"method\": \"add_device\", \"device_info\": {\"device_key\": \"10.0.0.8\", \"ep_type\": \"0\", "
              "\"group_name\": \"nobody\"}}");
    assert_int_equal(json_integer_value(json_object_get(got, "code")), 40491);
    json_decref(got);
    got = run("{\"method\": \"update_device\", \"device_info\": {\"device_id\": \"d1\", \"memo\": \"east\"}}");
    info = json_object_get(json_object_get(got, "result"), "device_info");
    assert_string_equal(json_string_value(json_object_get(info, "memo")), "east");
    json_decref(got);
    expect_result("{\"method\": \"delete_device\", \"device_id\": \"d1\"}", "{\"device_id\": \"d1\"}");
    got = run("{\"method\": \"delete_device\", \"device_id\": \"d1\", \"messageId\": \"again\"}");
    assert_int_equal(json_integer_value(json_object_get(got, "code")), 40491);
    json_decref(got);
}

/* A box that ends between the effect and the result executes the command once more. */
static void a_device_is_added_once_although_the_box_ended_in_between(void **state)
{
    static const char body[] = "{\"method\": \"add_device\", \"messageId\": \"m\", \"device_info\": {\"device_id\": "
                               "\"d2\", \"device_key\": \"10.0.0.7\", \"ep_type\": \"0\"}}";
    int64_t inbox_id = add("m", body, STORE_INBOX_MAIN);
    struct store_progress begun = {.inbox_id = inbox_id, .part = "begun", .outcome = ""};
    struct device_saved_list saved;
    json_t *device = json_pack("{s:s, s:s, s:s}", "device_id", "d2", "device_key", "10.0.0.7", "ep_type", "0");

    (void)state;
    assert_status(AIBOX_OK, store_inbox_progress_put(fixture->store, &begun, NULL));
    assert_status(AIBOX_OK, devices_create(flow_devices(flow), device, "device", &saved, NULL));
    device_saved_list_free(&saved);
    json_decref(device);
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_FINISHED);
    json_t *got = take_result(COMMAND_LANE_MAIN);
    assert_int_equal(json_integer_value(json_object_get(got, "code")), 0);
    json_decref(got);
    json_decref(run("{\"method\": \"delete_device\", \"device_id\": \"d2\"}"));
}

/* ---- add_users_plus ----------------------------------------------------------------------------------------- */

static void people_are_enrolled_and_overwritten(void **state)
{
    static const char *const first[][2] = {{"1", "{\"name\": \"one\", \"type\": 5, \"permission_ids\": [1046], "
                                                 "\"ext_info\": {\"room\": \"a\"}}"},
                                           {"2", "{\"name\": \"two\"}"}};
    static const char *const second[][2] = {{"1", "{\"name\": \"uno\", \"mobile\": \"5\"}"}};
    const char *staff = "staff", *ids[] = {"1"};
    char *body = people_command("", first, 2);
    struct store_person person;

    (void)state;
    expect(body, "{\"success\": true, \"code\": 0, \"message\": \"add_users_plus done: 2 added, 0 failed\", "
                 "\"dev_sno\": \"SE1\", \"messageKey\": \"add_users_plus\", \"result\": {\"success_users\": "
                 "[{\"userid\": \"1\", \"username\": \"one\", \"message\": \"ok\", \"code\": 0, \"type\": 5}, "
                 "{\"userid\": \"2\", \"username\": \"two\", \"message\": \"ok\", \"code\": 0, \"type\": 1}], "
                 "\"failed_users\": []}}");
    free(body);
    person = get("1");
    assert_string_equal(person.permission_ids.items[0], "1046"); /* created */
    assert_int_equal(person.n_faces, 1);
    char face_id[37];
    memcpy(face_id, person.faces[0].face_id, sizeof face_id);
    store_person_free(&person);
    person = get("2");
    assert_string_equal(person.permission_ids.items[0], "0");
    store_person_free(&person);

    assert_status(AIBOX_OK, store_label_create(fixture->store, STORE_GROUP, NULL, staff, "", NULL, NULL, NULL));
    assert_status(AIBOX_OK, store_group_members_change(fixture->store, staff, true, ids, 1, NULL, NULL));
    assert_status(AIBOX_OK, store_group_members_change(fixture->store, STORE_DEFAULT_GROUP, false, ids, 1, NULL, NULL));
    body = people_command("\"messageId\": \"2\",", second, 1);
    json_decref(run(body));
    free(body);
    person = get("1");
    assert_string_equal(person.name, "uno");
    assert_null(strstr(person.info, "ext_info"));
    assert_non_null(strstr(person.info, "mobile"));
    assert_int_equal(person.group_names.count, 2);
    assert_string_equal(person.group_names.items[0], STORE_DEFAULT_GROUP);
    assert_string_equal(person.group_names.items[1], staff);
    assert_string_equal(person.permission_ids.items[0], "0");
    assert_int_equal(person.n_faces, 1);
    assert_string_not_equal(person.faces[0].face_id, face_id);
    store_person_free(&person);
}

static void one_persons_failure_does_not_stop_the_others(void **state)
{
    static const char *const people[][2] = {{"", "{\"name\": \"none\"}"},
                                            {"2", "{\"name\": \"two\", \"type\": 9}"},
                                            {"3", "{\"name\": \"three\", \"permission_ids\": {}}"},
                                            {"4", "{\"name\": \"four\"}"},
                                            {"5", "{\"name\": \"five\", \"permission_ids\": [\"a,b\"]}"},
                                            {"6", "{\"type\": 2}"}};
    static const int codes[] = {40071, 40071, 40071, 40012, 40071};
    static const char *const fields[] = {"identity_id: ", "info.type: ", "info.permission_ids: ", "permission_name",
                                         "name"};
    char *body = people_command("", people, 6);

    (void)state;
    json_t *got = run(body);
    free(body);
    assert_string_equal(json_string_value(json_object_get(got, "message")), "add_users_plus done: 1 added, 5 failed");
    assert_true(json_is_true(json_object_get(got, "success")));
    const json_t *failed = json_object_get(json_object_get(got, "result"), "failed_users");
    assert_int_equal(json_array_size(failed), 5);
    for (size_t i = 0; i < 5; i++) {
        const json_t *user = json_array_get(failed, i);
        const char *message = json_string_value(json_object_get(user, "message"));
        assert_int_equal(json_integer_value(json_object_get(user, "code")), codes[i]);
        if (strstr(message, fields[i]) == NULL)
            fail_msg("'%s' instead of '%s'", message, fields[i]);
    }
    assert_int_equal(json_integer_value(json_object_get(json_array_get(failed, 4), "type")), 2);
    json_decref(got);
    assert_int_equal(store_person_count(fixture->store), 1);
}

static void all_failed_is_a_failure_with_the_code_of_the_first(void **state)
{
    (void)state;
    assert_status(AIBOX_OK, settings_put(settings, SETTINGS_STORED, "cloud.person_code_as_string", "true", NULL));
    expect("{\"method\": \"add_users_plus\", \"user_info_list\": [{\"identity_id\": 5, \"info\": {\"name\": \"n\"}, "
           "\"reg_photo\": \"!\"}, {\"identity_id\": \"6\", \"info\": {}}]}",
           "{\"success\": false, \"code\": 40003, \"message\": \"add_users_plus done: 0 added, 2 failed\", "
           "\"dev_sno\": \"SE1\", \"messageKey\": \"add_users_plus\", \"result\": {\"success_users\": [], "
           "\"failed_users\": [{\"userid\": \"5\", \"username\": \"n\", \"message\": \"reg_photo: not a picture in "
           "base64\", \"code\": \"40003\", \"type\": 1}, {\"userid\": \"6\", \"username\": \"\", \"message\": "
           "\"reg_photo: required (or reg_url, or relative_pic_url)\", \"code\": \"40071\", \"type\": 1}]}}");
    settings_forget(settings, SETTINGS_STORED, "cloud.person_code_as_string");
    expect_result("{\"method\": \"add_users_plus\", \"user_info_list\": []}",
                  "{\"success_users\": [], \"failed_users\": []}");
}

static void a_person_listed_twice_is_what_was_said_last(void **state)
{
    static const char *people[40][2];
    static char names[40][32];

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        (void)snprintf(names[i], sizeof names[i], "{\"name\": \"n%zu\"}", i);
        people[i][0] = i % 4 == 0 ? "same" : "other";
        people[i][1] = names[i];
    }
    char *body = people_command("", (const char *const(*)[2])people, 40);
    json_t *got = run(body);
    free(body);
    assert_int_equal(json_array_size(json_object_get(json_object_get(got, "result"), "success_users")), 40);
    json_decref(got);
    struct store_person person = get("same");
    assert_string_equal(person.name, "n36");
    store_person_free(&person);
    person = get("other");
    assert_string_equal(person.name, "n39");
    store_person_free(&person);
}

static void a_second_run_goes_on_and_reports_the_same(void **state)
{
    static const char *const people[][2] = {
        {"1", "{\"name\": \"one\"}"}, {"2", "{\"name\": \"two\"}"}, {"3", "{\"name\": \"three\"}"}};
    char *body = people_command("", people, 3);
    int64_t inbox_id = add("r", body, STORE_INBOX_MAIN);
    struct store_progress first = {.inbox_id = inbox_id,
                                   .part = "0",
                                   .outcome =
                                       "{\"code\": 40006, \"type\": 3, \"name\": \"one\", \"message\": \"too dark\"}"};

    (void)state;
    free(body);
    atomic_store(&stop, true);
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_STOPPED);
    assert_int_equal(inbox_count(STORE_INBOX_MAIN), 1);
    assert_null(take_message(COMMAND_LANE_MAIN));
    assert_int_equal(store_person_count(fixture->store), 0);
    atomic_store(&stop, false);
    assert_status(AIBOX_OK, store_inbox_progress_put(fixture->store, &first, NULL));
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_FINISHED);
    json_t *got = take_result(COMMAND_LANE_MAIN);
    expect_json(
        json_object_get(json_object_get(got, "result"), "failed_users"),
        "[{\"userid\": \"1\", \"username\": \"one\", \"message\": \"too dark\", \"code\": 40006, \"type\": 3}]");
    json_decref(got);
    assert_int_equal(store_person_count(fixture->store), 2);
}

static void the_outcome_is_stored_with_the_person(void **state)
{
    static const char *const people[][2] = {{"1", "{\"name\": \"one\"}"}};
    char *body = people_command("", people, 1), *outcome;

    (void)state;
    ctx.result_queue = ctx.fiqa_result_queue = true;
    static struct store_message messages[STORE_MAX_OUTBOX];
    for (size_t i = 0; i < STORE_MAX_OUTBOX; i++)
        messages[i] = (struct store_message){.lane = COMMAND_LANE_MAIN, .payload = "x", .size = 1};
    assert_status(AIBOX_OK, store_outbox_add(fixture->store, messages, STORE_MAX_OUTBOX, NULL));
    int64_t inbox_id = add("o", body, STORE_INBOX_MAIN);
    free(body);
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_LATER); /* enrolled, but without room for the result */
    struct store_person person = get("1");
    char face_id[37];
    memcpy(face_id, person.faces[0].face_id, sizeof face_id);
    store_person_free(&person);
    assert_status(AIBOX_OK, store_inbox_progress_get(fixture->store, inbox_id, "0", &outcome, NULL));
    assert_non_null(outcome);
    free(outcome);
    assert_status(AIBOX_OK, store_outbox_clear(fixture->store, COMMAND_LANE_MAIN, NULL));
    assert_int_equal(run_next(STORE_INBOX_MAIN), COMMAND_FINISHED);
    json_decref(take_result(COMMAND_LANE_MAIN));
    person = get("1");
    assert_string_equal(person.faces[0].face_id, face_id); /* not enrolled anew */
    store_person_free(&person);
}

static void photos_are_judged_by_the_level_asked_for(void **state)
{
    char *photo = sample_base64("sample1.jpg");
    struct buffer body;

    (void)state;
    if (photo == NULL)
        skip();
    buffer_init(&body, 8 << 20);
    buffer_appendf(&body,
                   "{\"method\": \"add_users_plus\", \"user_info_list\": ["
                   "{\"identity_id\": \"1\", \"fiqa_level\": \"no\", \"info\": {\"name\": \"a\"}, \"reg_photo\": "
                   "\"data:image/jpeg;base64,%s\"}]}",
                   photo);
    json_t *got = run((const char *)body.data);
    assert_int_equal(json_integer_value(json_object_get(got, "code")), 0);
    json_decref(got);
    /* the person wins over the command */
    buffer_clear(&body);
    buffer_appendf(&body,
                   "{\"method\": \"add_users_plus\", \"fiqa_level\": \"no\", \"user_info_list\": [{\"identity_id\": "
                   "\"1\", \"fiqa_level\": \"sharp\", \"info\": {\"name\": \"b\"}, \"reg_photo\": \"%s\"}]}",
                   photo);
    got = run((const char *)body.data);
    assert_int_equal(json_integer_value(json_object_get(got, "code")), 40071);
    json_decref(got);
    struct store_person person = get("1");
    assert_string_equal(person.name, "a"); /* stays as it was */
    store_person_free(&person);
    /* fiqa */
    buffer_clear(&body);
    buffer_appendf(&body, "{\"method\": \"fiqa\", \"info\": {\"image_base64_str\": \"%s\", \"fiqa_level\": \"\"}}",
                   photo);
    (void)add("q", (const char *)body.data, STORE_INBOX_FIQA);
    assert_int_equal(run_next(STORE_INBOX_FIQA), COMMAND_FINISHED);
    got = take_result(COMMAND_LANE_FIQA);
    const json_t *face = json_array_get(json_object_get(json_object_get(got, "result"), "data"), 0);
    static const char *const keys[] = {"bbox", "fails", "fiqa_result", "info", "score", "success"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_non_null(json_object_get(face, keys[i]));
    json_decref(got);
    buffer_free(&body);
    free(photo);
}

/* ---- the executor ------------------------------------------------------------------------------------------- */

static atomic_bool logged_in;

static bool take(void *arg, struct executor_platform *out)
{
    (void)arg;
    *out = (struct executor_platform){.platform = ctx.platform, .result_queue = true};
    return atomic_load(&logged_in);
}

static void give_back(void *arg, struct executor_platform *platform)
{
    (void)arg;
    (void)platform;
}

static void the_executor_works_through_both_queues_in_order(void **state)
{
    struct executor_context context = {.settings = settings,
                                       .store = fixture->store,
                                       .flow = flow,
                                       .reports = reports,
                                       .take = take,
                                       .give_back = give_back};
    struct executor *executor;
    struct buffer metrics;

    (void)state;
    (void)add("e1", "{\"method\": \"delete_users\", \"userid_list\": [], \"messageId\": \"e1\"}", STORE_INBOX_MAIN);
    assert_status(AIBOX_OK, executor_open(&context, &executor, NULL));
    for (int i = 2; i <= 20; i++) {
        char body[128], id[16];
        (void)snprintf(id, sizeof id, "e%d", i);
        (void)snprintf(body, sizeof body, "{\"method\": \"delete_users\", \"userid_list\": [], \"messageId\": \"%s\"}",
                       id);
        (void)add(id, body, i % 2 == 0 ? STORE_INBOX_MAIN : STORE_INBOX_FIQA);
    }
    assert_int_equal(inbox_count(STORE_INBOX_MAIN), 11); /* not logged in */
    atomic_store(&logged_in, true);
    executor_wake(executor, STORE_INBOX_MAIN);
    executor_wake(executor, STORE_INBOX_FIQA);
    for (int i = 0; i < 3000 && inbox_count(STORE_INBOX_MAIN) + inbox_count(STORE_INBOX_FIQA) > 0; i++)
        usleep(10000);
    int last[2] = {0, 0};
    for (int i = 1; i <= 20; i++) {
        json_t *got = take_result(COMMAND_LANE_MAIN);
        int n = (int)strtol(json_string_value(json_object_get(got, "messageId")) + 1, NULL, 10);
        int queue = n == 1 || n % 2 == 0 ? 0 : 1;
        assert_true(n > last[queue]);
        last[queue] = n;
        json_decref(got);
    }
    buffer_init(&metrics, 65536);
    executor_metrics(executor, &metrics);
    assert_non_null(strstr((const char *)metrics.data, "aibox_commands_executed_total 20\n"));
    buffer_free(&metrics);
    executor_close(executor);
}

/* ---- around -------------------------------------------------------------------------------------------------- */

static int setup_test(void **state)
{
    (void)state;
    ctx.result_queue = ctx.fiqa_result_queue = true;
    counters = (struct command_counters){0};
    atomic_store(&stop, false);
    return store_wipe(fixture->store, true, true, NULL) == AIBOX_OK ? 0 : -1;
}

static int setup(void **state)
{
    struct aibox_error err = {0};
    const char *models = getenv("AIBOX_MODELS");

    if (fixture_setup(state) != 0)
        return -1;
    fixture = *state;
    if (settings_open(&settings, &err) != AIBOX_OK || report_config_open(fixture->store, &reports, &err) != AIBOX_OK ||
        flow_open(settings, fixture->store, models != NULL ? models : AIBOX_SOURCE_DIR "/build/models", &flow, &err) !=
            AIBOX_OK ||
        !flow_wait_ready(flow)) {
        print_error("%s\n", err.message);
        return -1;
    }
    ctx = (struct command_context){
        .settings = settings,
        .store = fixture->store,
        .flow = flow,
        .reports = reports,
        .platform = {.login_url = "http://platform:9061/login", .img_server = "", .dev_sno = "SE1", .token = "5c1e"},
        .stop = &stop,
        .counters = &counters};
    return 0;
}

static int teardown(void **state)
{
    flow_close(flow);
    report_config_close(reports);
    int failed = fixture_teardown(state);
    settings_close(settings);
    return failed;
}

#define TEST(name) cmocka_unit_test_setup(name, setup_test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_commands_are_told_of_by_name),
        TEST(wrong_commands_are_kept_for_people_to_see),
        TEST(the_message_id_is_echoed_as_it_came),
        TEST(results_go_where_the_login_or_the_command_says),
        TEST(a_full_notify_path_holds_up_nothing),
        TEST(commands_that_change_something_are_in_the_audit_log),
        TEST(delete_users_lists_both_in_the_order_asked_for),
        TEST(wipe_data_deletes_what_it_is_told),
        TEST(wipe_data_of_all_forgets_settings_but_the_platform),
        TEST(sync_permissions_creates_renames_and_replaces),
        TEST(control_config_speaks_of_settings_in_the_platforms_words),
        TEST(devices_are_added_changed_and_deleted),
        TEST(a_device_is_added_once_although_the_box_ended_in_between),
        TEST(people_are_enrolled_and_overwritten),
        TEST(one_persons_failure_does_not_stop_the_others),
        TEST(all_failed_is_a_failure_with_the_code_of_the_first),
        TEST(a_person_listed_twice_is_what_was_said_last),
        TEST(a_second_run_goes_on_and_reports_the_same),
        TEST(the_outcome_is_stored_with_the_person),
        TEST(photos_are_judged_by_the_level_asked_for),
        TEST(the_executor_works_through_both_queues_in_order),
    };
    const char *models = getenv("AIBOX_MODELS");
    char manifest[1024];

    (void)snprintf(manifest, sizeof manifest, "%s/manifest.json",
                   models != NULL ? models : AIBOX_SOURCE_DIR "/build/models");
    if (access(manifest, R_OK) != 0) {
        print_message("there is no model set in AIBOX_MODELS or build/models\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
