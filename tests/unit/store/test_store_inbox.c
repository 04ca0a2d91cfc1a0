/* The inbox: order, repetitions, bounds, results; effects and results in one transaction; what is left of them. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture.h"
#include "store/commands.h"

static enum store_inbox_outcome receive_on(struct fixture *fixture, enum store_inbox_queue queue, const char *id,
                                           const char *body, bool redelivered)
{
    struct store_command command = {
        .queue = queue, .message_id = id, .body = body, .size = strlen(body), .redelivered = redelivered};
    enum store_inbox_outcome outcome;

    assert_status(AIBOX_OK, store_inbox_add(fixture->store, &command, &outcome, NULL));
    return outcome;
}

static enum store_inbox_outcome receive(struct fixture *fixture, const char *id, const char *body)
{
    return receive_on(fixture, STORE_INBOX_MAIN, id, body, false);
}

static enum store_inbox_outcome receive_again(struct fixture *fixture, const char *id, const char *body)
{
    return receive_on(fixture, STORE_INBOX_MAIN, id, body, true);
}

/* Expects this to be the oldest command; its number. */
static int64_t next_is(struct fixture *fixture, enum store_inbox_queue queue, const char *id, const char *body)
{
    struct store_command command;

    assert_status(AIBOX_OK, store_inbox_next(fixture->store, queue, &command, NULL));
    assert_true(command.inbox_id > 0);
    assert_string_equal(command.message_id, id);
    assert_int_equal(command.size, strlen(body));
    assert_string_equal((const char *)command.body, body);
    assert_int_equal(command.queue, queue);
    assert_true(command.received_ms > 1600000000000);
    int64_t inbox_id = command.inbox_id;
    store_command_free(&command);
    return inbox_id;
}

static void inbox_is_empty(struct fixture *fixture, enum store_inbox_queue queue)
{
    struct store_command command;
    size_t count;
    int64_t oldest_ms;

    assert_status(AIBOX_OK, store_inbox_next(fixture->store, queue, &command, NULL));
    assert_int_equal(command.inbox_id, 0);
    store_command_free(&command);
    assert_status(AIBOX_OK, store_inbox_count(fixture->store, queue, &count, &oldest_ms, NULL));
    assert_int_equal(count, 0);
    assert_int_equal(oldest_ms, 0);
}

static void finish(struct fixture *fixture, const char *id, const char *body, const char *result)
{
    struct store_message message = {"mq", result, result ? strlen(result) : 0};
    int64_t inbox_id = next_is(fixture, STORE_INBOX_MAIN, id, body);

    assert_status(AIBOX_OK, store_inbox_finish(fixture->store, inbox_id, result ? &message : NULL, NULL));
    assert_status(AIBOX_NOT_FOUND, store_inbox_finish(fixture->store, inbox_id, NULL, NULL));
}

/* Expects this to be the oldest result and takes it out. NULL: none. */
static void sent(struct fixture *fixture, const char *result)
{
    struct store_outbox_message message;

    assert_status(AIBOX_OK, store_outbox_next(fixture->store, "mq", &message, NULL));
    assert_int_equal(message.outbox_id > 0, result != NULL);
    if (result) {
        assert_string_equal((const char *)message.payload, result);
        assert_status(AIBOX_OK, store_outbox_done(fixture->store, message.outbox_id, NULL));
    }
    store_outbox_message_free(&message);
}

/* ---- receiving and executing ------------------------------------------------------------------------------ */

static void test_commands_wait_in_order_by_queue(void **state)
{
    struct fixture *fixture = *state;
    size_t count;
    int64_t oldest_ms;

    inbox_is_empty(fixture, STORE_INBOX_MAIN);
    assert_int_equal(receive(fixture, "1", "a"), STORE_INBOX_NEW);
    assert_int_equal(receive_on(fixture, STORE_INBOX_FIQA, "f", "x", false), STORE_INBOX_NEW);
    assert_int_equal(receive(fixture, "", ""), STORE_INBOX_NEW);
    assert_status(AIBOX_OK, store_inbox_count(fixture->store, STORE_INBOX_MAIN, &count, &oldest_ms, NULL));
    assert_int_equal(count, 2);
    assert_true(oldest_ms > 1600000000000);
    fixture_reopen(fixture);
    finish(fixture, "1", "a", "result 1");
    finish(fixture, "", "", NULL);
    inbox_is_empty(fixture, STORE_INBOX_MAIN);
    next_is(fixture, STORE_INBOX_FIQA, "f", "x");
    sent(fixture, "result 1");
    sent(fixture, NULL);
}

static void test_the_same_command_has_one_effect_and_the_same_result(void **state)
{
    struct fixture *fixture = *state;

    receive(fixture, "1", "a");
    assert_int_equal(receive(fixture, "1", "a"), STORE_INBOX_WAITING);
    assert_int_equal(receive_on(fixture, STORE_INBOX_FIQA, "1", "a", true), STORE_INBOX_WAITING);
    finish(fixture, "1", "a", "result");
    sent(fixture, "result");
    fixture_reopen(fixture);
    assert_int_equal(receive(fixture, "1", "a"), STORE_INBOX_ANSWERED);
    inbox_is_empty(fixture, STORE_INBOX_MAIN);
    sent(fixture, "result");
    sent(fixture, NULL);

    /* One-way: nothing is answered, the second time neither. */
    receive(fixture, "2", "b");
    finish(fixture, "2", "b", NULL);
    assert_int_equal(receive(fixture, "2", "b"), STORE_INBOX_ANSWERED);
    sent(fixture, NULL);
}

static void test_another_body_or_id_is_another_command(void **state)
{
    struct fixture *fixture = *state;

    receive(fixture, "1", "a");
    assert_int_equal(receive(fixture, "1", "b"), STORE_INBOX_NEW);
    assert_int_equal(receive(fixture, "2", "a"), STORE_INBOX_NEW);
    assert_int_equal(receive(fixture, "1a", ""), STORE_INBOX_NEW); /* id and body are not run together */
    finish(fixture, "1", "a", "one");
    assert_int_equal(receive(fixture, "1", "c"), STORE_INBOX_NEW);
    finish(fixture, "1", "b", "two");
    assert_int_equal(receive(fixture, "1", "a"), STORE_INBOX_ANSWERED);
    sent(fixture, "one");
    sent(fixture, "two");
    sent(fixture, "one");
}

static void test_without_an_id_only_a_redelivery_is_the_same(void **state)
{
    struct fixture *fixture = *state;
    char body[32];

    receive(fixture, "", "a");
    assert_int_equal(receive_again(fixture, "", "a"), STORE_INBOX_WAITING);
    assert_int_equal(receive(fixture, "", "a"), STORE_INBOX_NEW);
    finish(fixture, "", "a", "first");
    finish(fixture, "", "a", "second");
    assert_int_equal(receive_again(fixture, "", "a"), STORE_INBOX_ANSWERED);
    sent(fixture, "first");
    sent(fixture, "second");
    sent(fixture, "second"); /* of the last one */

    /* Long done: what the broker delivers again now is something else. */
    for (int i = 0; i < 40; i++) {
        snprintf(body, sizeof body, "%d", i);
        receive(fixture, "", body);
        finish(fixture, "", body, NULL);
    }
    assert_int_equal(receive_again(fixture, "", "a"), STORE_INBOX_NEW);
    assert_int_equal(receive_again(fixture, "", "39"), STORE_INBOX_ANSWERED);
}

static void test_a_command_is_remembered_for_some_days(void **state)
{
    struct fixture *fixture = *state;

    receive(fixture, "1", "a");
    finish(fixture, "1", "a", NULL);
    fixture_exec(fixture, "main", "UPDATE answered SET answered_ms = answered_ms - 6 * 86400000");
    assert_int_equal(receive(fixture, "1", "a"), STORE_INBOX_ANSWERED);
    fixture_exec(fixture, "main", "UPDATE answered SET answered_ms = answered_ms - 2 * 86400000");
    receive(fixture, "2", "b");
    finish(fixture, "2", "b", NULL); /* the memory is tidied up with what comes */
    assert_int_equal(receive(fixture, "1", "a"), STORE_INBOX_NEW);
    finish(fixture, "1", "a", NULL);
    fixture_exec(fixture, "main", "UPDATE answered SET answered_ms = answered_ms - 8 * 86400000");
    fixture_reopen(fixture); /* and without anything that comes */
    for (int i = 0; i < 100 && fixture_query(fixture, "main", "SELECT count(*) FROM answered") > 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM answered"), 0);
}

static void test_not_more_are_remembered_than_stated(void **state)
{
    struct fixture *fixture = *state;

    receive(fixture, "1", "a");
    finish(fixture, "1", "a", NULL);
    /* As if many had followed. */
    fixture_exec(fixture, "main", "UPDATE sqlite_sequence SET seq = seq + 99999 WHERE name = 'answered'");
    receive(fixture, "2", "b");
    finish(fixture, "2", "b", NULL);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM answered"), 1);
    assert_int_equal(receive(fixture, "1", "a"), STORE_INBOX_NEW);
    assert_int_equal(receive(fixture, "2", "b"), STORE_INBOX_ANSWERED);
}

/* ---- bounds ------------------------------------------------------------------------------------------------- */

static void test_a_full_inbox_refuses(void **state)
{
    struct fixture *fixture = *state;
    struct store_command command = {.message_id = "", .body = "x", .size = 1};
    enum store_inbox_outcome outcome;

    for (int i = 0; i < STORE_INBOX_MAX; i++)
        receive(fixture, "", "x");
    assert_status(AIBOX_TOO_MANY_REQUESTS, store_inbox_add(fixture->store, &command, &outcome, NULL));
    command.redelivered = true; /* a known one needs no room */
    assert_status(AIBOX_OK, store_inbox_add(fixture->store, &command, &outcome, NULL));
    assert_int_equal(outcome, STORE_INBOX_WAITING);
    assert_int_equal(receive_on(fixture, STORE_INBOX_FIQA, "", "x", false), STORE_INBOX_NEW); /* room of its own */
    finish(fixture, "", "x", NULL);
    assert_int_equal(receive(fixture, "", "x"), STORE_INBOX_NEW);
}

static void test_an_inbox_full_of_bytes_refuses(void **state)
{
    struct fixture *fixture = *state;
    struct store_command command = {.message_id = "", .body = calloc(1, 1 << 20), .size = 1 << 20};
    enum store_inbox_outcome outcome;

    assert_non_null(command.body);
    receive(fixture, "", "x");
    fixture_exec(fixture, "main", "UPDATE inbox SET size = 256 * 1048576");
    assert_status(AIBOX_TOO_MANY_REQUESTS, store_inbox_add(fixture->store, &command, &outcome, NULL));
    finish(fixture, "", "x", NULL);
    assert_status(AIBOX_OK, store_inbox_add(fixture->store, &command, &outcome, NULL));
    free((void *)command.body);
}

static void test_what_is_too_long_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char id[STORE_MAX_MESSAGE_ID + 2];
    struct store_command command = {.message_id = id, .body = "", .size = 0};
    enum store_inbox_outcome outcome;
    struct aibox_error err;

    memset(id, 'x', sizeof id);
    id[sizeof id - 1] = '\0';
    assert_status(AIBOX_PARAM, store_inbox_add(fixture->store, &command, &outcome, &err));
    assert_non_null(strstr(err.message, "messageId"));
    command.message_id = "";
    command.size = STORE_MAX_COMMAND + 1;
    assert_status(AIBOX_PARAM, store_inbox_add(fixture->store, &command, &outcome, &err));
    inbox_is_empty(fixture, STORE_INBOX_MAIN);
}

static void test_a_full_outbox_keeps_the_command(void **state)
{
    struct fixture *fixture = *state;
    struct store_message message = {"mq", "result", 6};
    struct store_command command = {.message_id = "1", .body = "a", .size = 1};
    enum store_inbox_outcome outcome;

    receive(fixture, "1", "a");
    receive(fixture, "2", "b");
    finish(fixture, "1", "a", "result 1");
    fixture_exec(fixture, "main",
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
                 " INSERT INTO outbox (lane, created_ms, payload) SELECT 'mq', 1, '' FROM n");
    int64_t inbox_id = next_is(fixture, STORE_INBOX_MAIN, "2", "b");
    assert_status(AIBOX_TOO_MANY_REQUESTS, store_inbox_finish(fixture->store, inbox_id, &message, NULL));
    next_is(fixture, STORE_INBOX_MAIN, "2", "b");
    assert_status(AIBOX_TOO_MANY_REQUESTS, store_inbox_add(fixture->store, &command, &outcome, NULL));
    assert_status(AIBOX_OK, store_outbox_clear(fixture->store, "mq", NULL));
    assert_status(AIBOX_OK, store_inbox_finish(fixture->store, inbox_id, &message, NULL));
    assert_status(AIBOX_OK, store_inbox_add(fixture->store, &command, &outcome, NULL));
    assert_int_equal(outcome, STORE_INBOX_ANSWERED);
    sent(fixture, "result");
    sent(fixture, "result 1");
}

/* ---- progress ------------------------------------------------------------------------------------------------- */

static void test_progress_lives_as_long_as_its_command(void **state)
{
    struct fixture *fixture = *state;
    char *outcome;

    receive(fixture, "1", "a");
    int64_t inbox_id = next_is(fixture, STORE_INBOX_MAIN, "1", "a");
    struct store_progress progress = {inbox_id, "10086", "{\"code\":0}"};
    assert_status(AIBOX_OK, store_inbox_progress_put(fixture->store, &progress, NULL));
    progress.outcome = "{\"code\":1}";
    assert_status(AIBOX_OK, store_inbox_progress_put(fixture->store, &progress, NULL));
    fixture_reopen(fixture);
    assert_status(AIBOX_OK, store_inbox_progress_get(fixture->store, inbox_id, "10086", &outcome, NULL));
    assert_string_equal(outcome, "{\"code\":1}");
    free(outcome);
    assert_status(AIBOX_OK, store_inbox_progress_get(fixture->store, inbox_id, "other", &outcome, NULL));
    assert_null(outcome);
    finish(fixture, "1", "a", NULL);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM inbox_progress"), 0);
    assert_status(AIBOX_PROCESS_FAILED, store_inbox_progress_put(fixture->store, &progress, NULL));
}

static void test_progress_goes_along_with_the_person(void **state)
{
    struct fixture *fixture = *state;
    char *outcome;

    receive(fixture, "1", "a");
    int64_t inbox_id = next_is(fixture, STORE_INBOX_MAIN, "1", "a");
    struct store_progress progress = {inbox_id, "p", "done"};
    struct store_person_change change = {
        .mode = STORE_CREATE, .identity_id = "p", .info = "{\"name\":\"P\"}", .progress = &progress};
    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, NULL, NULL, NULL));
    assert_status(AIBOX_OK, store_inbox_progress_get(fixture->store, inbox_id, "p", &outcome, NULL));
    assert_string_equal(outcome, "done");
    free(outcome);

    change.identity_id = "q"; /* either both or none */
    progress.part = "q";
    progress.inbox_id = inbox_id + 1;
    assert_status(AIBOX_PROCESS_FAILED, store_person_save(fixture->store, &change, NULL, NULL, NULL));
    assert_int_equal(store_person_count(fixture->store), 1);
    change.identity_id = "p"; /* exists already */
    progress.inbox_id = inbox_id;
    assert_status(AIBOX_IDENTITY_EXISTS, store_person_save(fixture->store, &change, NULL, NULL, NULL));
    assert_status(AIBOX_OK, store_inbox_progress_get(fixture->store, inbox_id, "q", &outcome, NULL));
    assert_null(outcome);
}

/* ---- effects with their result ----------------------------------------------------------------------------------- */

/* Composes what it was told to, and notes that it was asked. */
struct composer {
    struct store_message message;
    const bool *deleted; /* may be NULL: the result says which */
    size_t n;
    char text[64];
    bool asked;
};

static const struct store_message *compose(void *ctx)
{
    struct composer *composer = ctx;

    composer->asked = true;
    for (size_t i = 0; i < composer->n; i++)
        composer->text[i] = composer->deleted[i] ? 'y' : 'n';
    composer->message.lane = "mq";
    composer->message.payload = composer->text;
    composer->message.size = strlen(composer->text);
    return &composer->message;
}

static struct store_answer answer_of(struct fixture *fixture, struct composer *composer, const char *body)
{
    receive(fixture, body, body);
    return (struct store_answer){next_is(fixture, STORE_INBOX_MAIN, body, body), compose, composer};
}

static void test_people_are_deleted_with_the_result(void **state)
{
    struct fixture *fixture = *state;
    const char *ids[] = {"a", "gone", "b", "a"};
    bool deleted[4];
    struct composer composer = {.deleted = deleted, .n = 4};
    struct store_answer answer = answer_of(fixture, &composer, "delete");

    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, NULL, NULL));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "b", "B", 2, NULL, NULL));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "c", "C", 3, NULL, NULL));
    assert_status(AIBOX_OK, store_people_delete_known(fixture->store, ids, 4, deleted, &answer, NULL));
    assert_int_equal(store_person_count(fixture->store), 1);
    sent(fixture, "ynyy");
    inbox_is_empty(fixture, STORE_INBOX_MAIN);
    assert_int_equal(receive(fixture, "delete", "delete"), STORE_INBOX_ANSWERED);
    sent(fixture, "ynyy");
    fixture_check_invariants(fixture);
}

static void test_without_the_result_there_is_no_effect(void **state)
{
    struct fixture *fixture = *state;
    const char *ids[] = {"a"};
    bool deleted[1];
    struct composer composer = {.deleted = deleted, .n = 1};
    struct store_answer answer = {12345, compose, &composer};
    struct store_permission_wish wish = {.id = "w", .name = "w", .description = ""};

    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, NULL, NULL));
    assert_status(AIBOX_NOT_FOUND, store_people_delete_known(fixture->store, ids, 1, deleted, &answer, NULL));
    assert_status(AIBOX_NOT_FOUND, store_wipe_answering(fixture->store, true, true, &answer, NULL));
    assert_status(AIBOX_NOT_FOUND, store_permissions_sync(fixture->store, &wish, 1, true, &answer, NULL));
    assert_true(composer.asked);
    assert_int_equal(store_person_count(fixture->store), 1);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM label"), 2);
    sent(fixture, NULL);
}

static void test_permissions_are_synchronised(void **state)
{
    struct fixture *fixture = *state;
    struct composer composer = {.text = "synced"};
    struct store_label label;
    struct store_person person;
    const char *held[] = {"old", "1046"};
    struct store_person_change change = {.mode = STORE_CREATE,
                                         .identity_id = "p",
                                         .info = "{\"name\":\"P\"}",
                                         .permissions = held,
                                         .n_permissions = 2,
                                         .permissions_set = true,
                                         .permissions_create = true};
    struct store_permission_wish wishes[] = {
        {.id = "1046", .name = "east", .description = "doors of the east"}, /* renamed */
        {.id = "2000", .name = "2000", .description = ""},                  /* new */
        {.id = "2001", .name = "east", .description = ""},                  /* taken */
        {.id = "0", .name = "all", .description = ""},                      /* built in */
        {.id = "", .name = "x", .description = ""},
    };
    struct store_answer answer = answer_of(fixture, &composer, "sync");

    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, NULL, NULL, NULL));
    assert_status(AIBOX_OK, store_permissions_sync(fixture->store, wishes, 5, false, &answer, NULL));
    assert_status(AIBOX_OK, wishes[0].status);
    assert_status(AIBOX_OK, wishes[1].status);
    assert_status(AIBOX_GROUP_NAME, wishes[2].status);
    assert_non_null(strstr(wishes[2].reason, "east"));
    assert_status(AIBOX_PARAM, wishes[3].status);
    assert_status(AIBOX_PARAM, wishes[4].status);
    sent(fixture, "synced");
    assert_status(AIBOX_OK, store_label_get(fixture->store, STORE_PERMISSION, "east", &label, NULL));
    assert_string_equal(label.id, "1046");
    assert_string_equal(label.description, "doors of the east");
    store_label_free(&label);
    assert_status(AIBOX_OK, store_label_get(fixture->store, STORE_PERMISSION, "old", &label, NULL));
    store_label_free(&label);

    /* With `replace` those that aren't listed go, and their names can be had. */
    wishes[1] = (struct store_permission_wish){.id = "2001", .name = "old", .description = ""};
    answer = answer_of(fixture, &composer, "replace");
    assert_status(AIBOX_OK, store_permissions_sync(fixture->store, wishes, 2, true, &answer, NULL));
    assert_status(AIBOX_OK, wishes[1].status);
    sent(fixture, "synced");
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM label WHERE kind = 1"), 3);
    assert_status(AIBOX_OK, store_person_get(fixture->store, "p", &person, NULL));
    assert_int_equal(person.permission_ids.count, 1);
    assert_string_equal(person.permission_ids.items[0], "1046");
    store_person_free(&person);
    fixture_check_invariants(fixture);
}

/* ---- what is left ------------------------------------------------------------------------------------------------ */

static void test_results_cannot_be_read_from_the_disk(void **state)
{
    struct fixture *fixture = *state;

    receive(fixture, "message-4711", "command for Nofretete-1351");
    assert_true(fixture_files_with(fixture, "Nofretete-1351", 14) > 0);
    finish(fixture, "message-4711", "command for Nofretete-1351", "result of Nofretete-1351");
    sent(fixture, "result of Nofretete-1351");
    store_close(fixture->store); /* what was deleted leaves the WAL a moment later, or now */
    fixture->store = NULL;
    assert_int_equal(fixture_files_with(fixture, "Nofretete-1351", 14), 0);
    assert_int_equal(fixture_files_with(fixture, "message-4711", 12), 0);
    assert_status(AIBOX_OK, store_open(fixture->path, fixture->capacity, &fixture->store, NULL));
    assert_int_equal(receive(fixture, "message-4711", "command for Nofretete-1351"), STORE_INBOX_ANSWERED);
    sent(fixture, "result of Nofretete-1351");
}

static void test_a_wipe_of_people_destroys_results_but_not_the_memory_of_commands(void **state)
{
    struct fixture *fixture = *state;
    struct composer composer = {.text = "wiped"};
    struct store_dead_command dead = {
        .method = "add", .message_id = "7", .reason = "userid_list is no list", .excerpt = "Nofretete-1351"};

    receive(fixture, "add", "add");
    finish(fixture, "add", "add", "added");
    sent(fixture, "added");
    assert_status(AIBOX_OK, store_dead_command_add(fixture->store, &dead, NULL));
    struct store_answer answer = answer_of(fixture, &composer, "wipe");
    assert_status(AIBOX_OK, store_wipe_answering(fixture->store, true, false, &answer, NULL));
    sent(fixture, "wiped");
    assert_int_equal(fixture_files_with(fixture, "Nofretete-1351", 14), 0);
    assert_int_equal(receive(fixture, "add", "add"), STORE_INBOX_ANSWERED); /* nobody comes back */
    sent(fixture, NULL);
    assert_int_equal(receive(fixture, "wipe", "wipe"), STORE_INBOX_ANSWERED); /* the wipe's own result is younger */
    sent(fixture, "wiped");
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM answered WHERE sealed IS NOT NULL"), 1);
}

/* ---- dead commands ----------------------------------------------------------------------------------------------- */

static bool note_dead(void *ctx, const struct store_dead_command *dead)
{
    char *text = ctx;

    assert_true(dead->time_ms > 1600000000000);
    snprintf(text + strlen(text), 200 - strlen(text), "%s/%s/%s/%s ", dead->method, dead->message_id, dead->reason,
             dead->excerpt);
    return true;
}

static void test_the_newest_dead_commands_are_kept(void **state)
{
    struct fixture *fixture = *state;
    char text[200] = "", id[16];
    size_t total;

    for (int i = 0; i < 3; i++) {
        snprintf(id, sizeof id, "%d", i);
        struct store_dead_command dead = {.method = "m", .message_id = id, .reason = "r", .excerpt = "e"};
        assert_status(AIBOX_OK, store_dead_command_add(fixture->store, &dead, NULL));
    }
    assert_status(AIBOX_OK, store_dead_command_each(fixture->store, 1, 5, note_dead, text, &total, NULL));
    assert_int_equal(total, 3);
    assert_string_equal(text, "m/1/r/e m/0/r/e ");
    fixture_exec(fixture, "main", "UPDATE sqlite_sequence SET seq = seq + 998 WHERE name = 'dead_command'");
    struct store_dead_command dead = {.method = "", .message_id = "", .reason = "last", .excerpt = ""};
    assert_status(AIBOX_OK, store_dead_command_add(fixture->store, &dead, NULL));
    text[0] = '\0';
    assert_status(AIBOX_OK, store_dead_command_each(fixture->store, 0, 5, note_dead, text, &total, NULL));
    assert_string_equal(text, "//last/ m/2/r/e ");
    char longer[STORE_MAX_DEAD_TEXT + 2];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    dead.excerpt = longer;
    assert_status(AIBOX_PARAM, store_dead_command_add(fixture->store, &dead, NULL));
}

static void test_excerpts_of_dead_commands_go_after_some_days(void **state)
{
    struct fixture *fixture = *state;
    struct store_dead_command dead = {.method = "m", .message_id = "1", .reason = "r", .excerpt = "old"};
    char text[200] = "";
    size_t total;

    assert_status(AIBOX_OK, store_dead_command_add(fixture->store, &dead, NULL));
    fixture_exec(fixture, "main", "UPDATE dead_command SET time_ms = time_ms - 8 * 86400000");
    dead.excerpt = "new";
    assert_status(AIBOX_OK, store_dead_command_add(fixture->store, &dead, NULL));
    fixture_reopen(fixture); /* looks at ages at once */
    for (int i = 0;
         i < 100 && fixture_query(fixture, "main", "SELECT count(*) FROM dead_command WHERE excerpt = 'old'"); i++)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    assert_status(AIBOX_OK, store_dead_command_each(fixture->store, 0, 5, note_dead, text, &total, NULL));
    assert_string_equal(text, "m/1/r/new m/1/r/ ");
}

/* ---- listeners --------------------------------------------------------------------------------------------------- */

struct ear {
    pthread_mutex_t mu;
    unsigned heard;
};

static void hear(void *ctx)
{
    struct ear *ear = ctx;

    pthread_mutex_lock(&ear->mu);
    ear->heard++;
    pthread_mutex_unlock(&ear->mu);
}

static unsigned heard(struct ear *ear)
{
    pthread_mutex_lock(&ear->mu);
    unsigned n = ear->heard;
    ear->heard = 0;
    pthread_mutex_unlock(&ear->mu);
    return n;
}

static void test_who_listens_to_the_outbox_is_told_of_results(void **state)
{
    struct fixture *fixture = *state;
    struct ear ear = {.mu = PTHREAD_MUTEX_INITIALIZER};
    struct composer composer = {.text = "wiped"};

    store_outbox_listen(fixture->store, hear, &ear);
    receive(fixture, "1", "a");
    assert_int_equal(heard(&ear), 0);
    finish(fixture, "1", "a", "result");
    assert_int_equal(heard(&ear), 1);
    sent(fixture, "result");
    assert_int_equal(heard(&ear), 0);
    receive(fixture, "1", "a");
    assert_int_equal(heard(&ear), 1);
    struct store_answer answer = answer_of(fixture, &composer, "wipe");
    assert_status(AIBOX_OK, store_wipe_answering(fixture->store, true, true, &answer, NULL));
    assert_int_equal(heard(&ear), 1);
    store_outbox_unlisten(fixture->store, hear, &ear);
    receive(fixture, "1", "a");
    assert_int_equal(heard(&ear), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_commands_wait_in_order_by_queue),
        TEST(test_the_same_command_has_one_effect_and_the_same_result),
        TEST(test_another_body_or_id_is_another_command),
        TEST(test_without_an_id_only_a_redelivery_is_the_same),
        TEST(test_a_command_is_remembered_for_some_days),
        TEST(test_not_more_are_remembered_than_stated),
        TEST(test_a_full_inbox_refuses),
        TEST(test_an_inbox_full_of_bytes_refuses),
        TEST(test_what_is_too_long_is_refused),
        TEST(test_a_full_outbox_keeps_the_command),
        TEST(test_progress_lives_as_long_as_its_command),
        TEST(test_progress_goes_along_with_the_person),
        TEST(test_people_are_deleted_with_the_result),
        TEST(test_without_the_result_there_is_no_effect),
        TEST(test_permissions_are_synchronised),
        TEST(test_results_cannot_be_read_from_the_disk),
        TEST(test_a_wipe_of_people_destroys_results_but_not_the_memory_of_commands),
        TEST(test_the_newest_dead_commands_are_kept),
        TEST(test_excerpts_of_dead_commands_go_after_some_days),
        TEST(test_who_listens_to_the_outbox_is_told_of_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
