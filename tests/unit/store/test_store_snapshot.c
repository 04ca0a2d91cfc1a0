/* Copies of the store, and putting them in its place. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/id.h"
#include "fixture.h"
#include "store/callers.h"
#include "store/snapshot.h"

static void path_in(const struct fixture *fixture, const char *name, char out[512])
{
    snprintf(out, 512, "%s/%s", fixture->path, name);
}

static bool is_there(const struct fixture *fixture, const char *name)
{
    char path[512];

    path_in(fixture, name, path);
    return access(path, F_OK) == 0;
}

static void add_event(struct store *store, const char *picture)
{
    struct store_event event = {.timestamp_ms = clock_realtime_ms(),
                                .identity_id = "",
                                .identity_name = "stranger",
                                .person_type = 4,
                                .group_name = "",
                                .device_id = "",
                                .device_ip = "",
                                .ep_id = "",
                                .device_type = "",
                                .reason = "stranger",
                                .action = "",
                                .best_identity_id = "",
                                .room = "",
                                .grab_fiqa_info = "{}",
                                .box_fiqa_info = "{}",
                                .supersedes = "",
                                .model_set = MODEL_SET,
                                .spot = (const uint8_t *)picture,
                                .spot_size = strlen(picture)};

    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(store, &event, NULL));
}

/* A copy in the folder from which it is restored. */
static void copy(struct fixture *fixture, bool with_events)
{
    char folder[512];
    struct store_snapshot_options options = {.folder = folder, .with_events = with_events, .copies = 1};

    path_in(fixture, STORE_RESTORE_FOLDER, folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_status(AIBOX_OK, store_snapshot(fixture->store, &options, NULL));
}

static bool knows(struct fixture *fixture, const char *identity_id)
{
    struct store_person person;
    struct aibox_error err;
    enum aibox_status status = store_person_get(fixture->store, identity_id, &person, &err);

    if (status == AIBOX_OK)
        store_person_free(&person);
    return status == AIBOX_OK;
}

static void save(struct fixture *fixture, const char *identity_id, unsigned seed)
{
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, identity_id, identity_id, seed, NULL, NULL));
}

static void test_a_copy_takes_the_stores_place(void **state)
{
    struct fixture *fixture = *state;
    struct store_message sent = {.lane = "device", .payload = "later", .size = 5};
    struct store_message old = {.lane = "device", .payload = "old", .size = 3};
    struct store_outbox_message message;
    char *mac;

    save(fixture, "then", 1);
    add_event(fixture->store, "the picture of an event");
    assert_status(AIBOX_OK, store_document_put(fixture->store, "hex_mac", "\"0x000000000001\"", NULL));
    assert_status(AIBOX_OK, store_outbox_add(fixture->store, &old, 1, NULL));
    copy(fixture, true);

    /* What comes after the copy is not in it, but for what the box itself is and owes. */
    save(fixture, "later", 2);
    add_event(fixture->store, "another picture");
    assert_status(AIBOX_OK, store_document_put(fixture->store, "hex_mac", "\"0x000000000002\"", NULL));
    assert_status(AIBOX_OK, store_outbox_clear(fixture->store, "device", NULL));
    assert_status(AIBOX_OK, store_outbox_add(fixture->store, &sent, 1, NULL));
    assert_status(AIBOX_OK, store_restore_prepare(fixture->store, false, NULL));
    assert_true(knows(fixture, "later"));

    fixture_reopen(fixture);
    assert_true(knows(fixture, "then"));
    assert_false(knows(fixture, "later"));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM event"), 1);
    assert_status(AIBOX_OK, store_document_get(fixture->store, "hex_mac", &mac, NULL));
    assert_string_equal(mac, "\"0x000000000002\"");
    free(mac);
    assert_status(AIBOX_OK, store_outbox_next(fixture->store, "device", &message, NULL));
    assert_string_equal((char *)message.payload, "later");
    store_outbox_message_free(&message);
    assert_false(is_there(fixture, STORE_RESTORE_FOLDER));
    assert_int_equal(fixture_files_with(fixture, "another picture", 15), 0);
    fixture_check_invariants(fixture);
    save(fixture, "after", 3);
    fixture_check_invariants(fixture);
}

static void test_a_copy_without_events_holds_nothing_of_them(void **state)
{
    struct fixture *fixture = *state;

    save(fixture, "then", 1);
    for (int i = 0; i < 50; i++) {
        char picture[64];
        snprintf(picture, sizeof picture, "the picture of event %d", i);
        add_event(fixture->store, picture);
    }
    copy(fixture, false);
    assert_status(AIBOX_OK, store_restore_prepare(fixture->store, false, NULL));
    fixture_reopen(fixture);
    assert_true(knows(fixture, "then"));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM event"), 0);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 1);
    assert_int_equal(fixture_files_with(fixture, "the picture of event", 20), 0);
    fixture_check_invariants(fixture);
}

struct adding {
    struct fixture *fixture;
    atomic_bool stop;
};

static void *keep_adding(void *arg)
{
    struct adding *adding = arg;

    for (unsigned i = 0; !atomic_load(&adding->stop); i++) {
        char name[32];
        snprintf(name, sizeof name, "p%u", i);
        save(adding->fixture, name, 100 + i);
        add_event(adding->fixture->store, name);
    }
    return NULL;
}

static void test_rows_and_pictures_are_of_one_moment(void **state)
{
    struct fixture *fixture = *state;
    struct adding adding = {.fixture = fixture};
    pthread_t thread;

    save(fixture, "first", 1);
    assert_int_equal(pthread_create(&thread, NULL, keep_adding, &adding), 0);
    while (store_person_count(fixture->store) < 20)
        usleep(1000);
    copy(fixture, true);
    atomic_store(&adding.stop, true);
    pthread_join(thread, NULL);
    assert_status(AIBOX_OK, store_restore_prepare(fixture->store, false, NULL));
    fixture_reopen(fixture);
    assert_true(store_person_count(fixture->store) >= 20);
    fixture_check_invariants(fixture); /* every image has its picture */
}

static void put_account(struct store *store, const char *name)
{
    struct store_account account = {.name = name, .role = 3, .password = "$argon2id$"};
    struct store_credential session = {.kind = STORE_SESSION, .name = name, .role = 3};

    assert_status(AIBOX_OK, store_account_put(store, &account, NULL));
    memset(session.hash, name[0], sizeof session.hash);
    assert_status(AIBOX_OK, store_credentials_put(store, &session, 1, NULL));
    session.kind = STORE_API_KEY;
    memset(session.hash, name[0] + 1, sizeof session.hash);
    assert_status(AIBOX_OK, store_credentials_put(store, &session, 1, NULL));
}

static int64_t accounts_called(const struct fixture *fixture, const char *name)
{
    char text[128];

    snprintf(text, sizeof text, "SELECT count(*) FROM account WHERE name = '%s'", name);
    return fixture_query(fixture, "main", text);
}

static void test_accounts_stay_unless_asked_for(void **state)
{
    struct fixture *fixture = *state;

    put_account(fixture->store, "then");
    for (int asked = 0; asked < 2; asked++) {
        copy(fixture, true);
        if (!asked)
            put_account(fixture->store, "later");
        assert_status(AIBOX_OK, store_restore_prepare(fixture->store, asked, NULL));
        if (asked)
            assert_status(AIBOX_OK, store_account_delete(fixture->store, "later", NULL));
        fixture_reopen(fixture);
        assert_int_equal(accounts_called(fixture, "then"), 1);
        assert_int_equal(accounts_called(fixture, "later"), 1);
        assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM credential WHERE kind = 1"), 2);
        /* Nobody comes back logged in by a backup. */
        assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM credential WHERE kind = 0"),
                         asked ? 0 : 2);
    }
}

static bool never(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)done;
    (void)total;
    return false;
}

static void test_a_stopped_copy_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_snapshot_options options = {.folder = fixture->path, .copies = 1, .go_on = never};
    struct aibox_error err;
    char folder[512];

    path_in(fixture, "copies", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    options.folder = folder;
    assert_status(AIBOX_PROCESS_FAILED, store_snapshot(fixture->store, &options, &err));
    assert_int_equal(rmdir(folder), 0);
}

static void test_what_is_unfinished_is_thrown_away(void **state)
{
    struct fixture *fixture = *state;

    save(fixture, "then", 1);
    copy(fixture, true);
    save(fixture, "later", 2);
    fixture_reopen(fixture); /* without prepare */
    assert_true(knows(fixture, "later"));
    assert_false(is_there(fixture, STORE_RESTORE_FOLDER));
}

static void test_a_damaged_copy_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    char path[512];

    save(fixture, "then", 1);
    copy(fixture, true);
    save(fixture, "later", 2);
    path_in(fixture, STORE_RESTORE_FOLDER "/" STORE_PICTURES_FILE, path);
    assert_int_equal(truncate(path, 5000), 0);
    assert_status(AIBOX_OK, store_restore_prepare(fixture->store, false, NULL));
    fixture_reopen(fixture);
    assert_true(knows(fixture, "later"));
    assert_false(is_there(fixture, STORE_RESTORE_FOLDER));
    fixture_check_invariants(fixture);
}

/* A crash behind the point of no return: one file has moved, the other has not. */
static void test_an_interrupted_swap_is_finished(void **state)
{
    struct fixture *fixture = *state;
    char from[512], to[512], wal[512];

    save(fixture, "then", 1);
    copy(fixture, true);
    save(fixture, "later", 2);
    store_close(fixture->store);
    path_in(fixture, STORE_RESTORE_FOLDER "/" STORE_MAIN_FILE, from);
    path_in(fixture, STORE_MAIN_FILE, to);
    assert_int_equal(rename(from, to), 0);
    path_in(fixture, STORE_RESTORE_FOLDER "/swap", from);
    int fd = open(from, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    /* The WAL of the file that is to go must not be read with the one that comes. */
    path_in(fixture, STORE_PICTURES_FILE "-wal", wal);
    fd = open(wal, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, "not a WAL", 9) == 9);
    close(fd);
    assert_status(AIBOX_OK, store_open(fixture->path, fixture->capacity, &fixture->store, NULL));
    assert_true(knows(fixture, "then"));
    assert_false(knows(fixture, "later"));
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 1);
    assert_false(is_there(fixture, STORE_RESTORE_FOLDER));
    fixture_check_invariants(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_copy_takes_the_stores_place, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_copy_without_events_holds_nothing_of_them, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_rows_and_pictures_are_of_one_moment, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_accounts_stay_unless_asked_for, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_stopped_copy_leaves_nothing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_unfinished_is_thrown_away, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_damaged_copy_changes_nothing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_interrupted_swap_is_finished, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
