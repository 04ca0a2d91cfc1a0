/* The data folder: opening, migration, the lock; deleted bytes leave the files; crashes; a full disk. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/id.h"
#include "core/log.h"
#include "fixture.h"
#include "store/schema.h"

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static void test_folder_is_private_and_locked(void **state)
{
    struct fixture *fixture = *state;
    struct store *second;
    struct aibox_error err;
    struct stat info;

    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_status(AIBOX_PROCESS_FAILED, store_open(fixture->path, 10, &second, &err));
    assert_string_equal(err.message, "another aiboxd uses this data folder");
    assert_null(second);
    assert_int_equal(fixture_query(fixture, "main", "PRAGMA user_version"), schema_main_version);
    assert_int_equal(fixture_query(fixture, "pictures", "PRAGMA user_version"), schema_pictures_version);
    assert_int_equal(fixture_query(fixture, "pictures", "PRAGMA auto_vacuum"), 2);

    store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(chmod(fixture->path, 0755), 0);
    assert_status(AIBOX_OK, store_open(fixture->path, 10, &fixture->store, &err));
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_status(AIBOX_PROCESS_FAILED, store_open("/proc/nothing/here", 10, &second, &err));
}

static void test_empty_files_are_migrated(void **state)
{
    struct fixture *fixture = *state;
    char path[300];

    store_close(fixture->store);
    fixture->store = NULL;
    snprintf(path, sizeof path, "%s/aibox.db", fixture->path);
    assert_int_equal(unlink(path), 0);
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    assert_true(fd >= 0);
    close(fd);
    assert_status(AIBOX_OK, store_open(fixture->path, 10, &fixture->store, NULL));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, NULL, NULL));
}

static void test_newer_schema_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store *store;
    struct aibox_error err;

    store_close(fixture->store);
    fixture->store = NULL;
    int64_t version = fixture_query(fixture, "main", "PRAGMA user_version");
    fixture_exec(fixture, "main", "PRAGMA user_version = 99");
    assert_status(AIBOX_PROCESS_FAILED, store_open(fixture->path, 10, &store, &err));
    assert_non_null(strstr(err.message, "newer"));
    assert_non_null(strstr(err.message, "99"));
    assert_int_equal(fixture_query(fixture, "main", "PRAGMA user_version"), 99);
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", (int)version);
    fixture_exec(fixture, "main", sql);
    assert_status(AIBOX_OK, store_open(fixture->path, 10, &fixture->store, &err));
}

static void test_a_first_version_is_brought_up_to_date(void **state)
{
    struct fixture *fixture = *state;
    struct store_cursor cursor;
    char path[300];

    store_close(fixture->store);
    fixture->store = NULL;
    snprintf(path, sizeof path, "%s/aibox.db", fixture->path);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    close(fd);
    fixture_exec(fixture, "main", schema_main[0]);
    fixture_exec(fixture, "main", "PRAGMA user_version = 1");
    fixture_exec(fixture, "main", "INSERT INTO cursor (url, seq, updated_ms) VALUES ('http://a/', 7, 0)");
    assert_status(AIBOX_OK, store_open(fixture->path, 10, &fixture->store, NULL));
    assert_int_equal(fixture_query(fixture, "main", "PRAGMA user_version"), schema_main_version);
    assert_status(AIBOX_OK, store_cursor_get(fixture->store, "http://a/", &cursor, NULL));
    assert_int_equal(cursor.seq, 7);
    assert_int_equal(cursor.refused_seq, 0);
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, NULL, NULL));
}

static void test_damaged_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store *store;
    struct aibox_error err;
    char path[300], junk[8192];

    store_close(fixture->store);
    fixture->store = NULL;
    snprintf(path, sizeof path, "%s/aibox.db", fixture->path);
    memset(junk, 'x', sizeof junk);
    int fd = open(path, O_WRONLY);
    assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
    close(fd);
    log_set_level(LOG_LEVEL_ERROR + 1);
    assert_status(AIBOX_PROCESS_FAILED, store_open(fixture->path, 10, &store, &err));
    assert_non_null(strstr(err.message, "damaged"));
}

/* ---- settings ----------------------------------------------------------------------------------------- */

static void collect(void *ctx, const char *key, const char *value)
{
    char *text = ctx;
    size_t n = strlen(text);

    snprintf(text + n, 200 - n, "%s=%s ", key, value);
}

static void test_settings(void **state)
{
    struct fixture *fixture = *state;
    const char *keys[] = {"b", "a", ""}, *values[] = {"2", "1", "x"};
    struct aibox_error err;
    char text[200] = "";

    assert_status(AIBOX_PARAM, store_settings_put(fixture->store, keys, values, 3, &err));
    assert_status(AIBOX_OK, store_settings_each(fixture->store, collect, text, &err));
    assert_string_equal(text, "");
    assert_status(AIBOX_OK, store_settings_put(fixture->store, keys, values, 2, &err));
    values[0] = NULL;
    values[1] = "";
    fixture_reopen(fixture);
    assert_status(AIBOX_OK, store_settings_each(fixture->store, collect, text, &err));
    assert_string_equal(text, "a=1 b=2 ");
    assert_status(AIBOX_OK, store_settings_put(fixture->store, keys, values, 2, &err));
    text[0] = '\0';
    assert_status(AIBOX_OK, store_settings_each(fixture->store, collect, text, &err));
    assert_string_equal(text, "a= ");
}

/* ---- deleted bytes ------------------------------------------------------------------------------------- */

#define NAME_MARKER  "Xanthippe-marker"
#define PHOTO_MARKER "photo-marker-0123456789"

/* A marked person with a photo of many pages among others, and their events. */
static void add_marked(struct fixture *fixture, float feature[STORE_DIMENSION], bool with_name_in_event)
{
    char *photo = malloc(60000);

    assert_non_null(photo);
    fill_feature(feature, 4711);
    for (size_t i = 0; i < 60000; i++)
        photo[i] = PHOTO_MARKER[i % (sizeof PHOTO_MARKER - 1)];
    struct store_new_face face = {
        .feature = feature, .model_set = MODEL_SET, .photo = (const uint8_t *)photo, .photo_size = 60000};
    struct store_person_change change = {.mode = STORE_CREATE,
                                         .identity_id = "marked",
                                         .info = "{\"name\":\"" NAME_MARKER "\"}",
                                         .faces_mode = STORE_FACES_ADD,
                                         .faces = &face,
                                         .n_faces = 1};
    for (unsigned i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%u", i);
        assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, id, "other", i, NULL, NULL));
        if (i == 15)
            assert_status(AIBOX_OK, store_person_save(fixture->store, &change, NULL, NULL, NULL));
    }
    struct store_event event = {.timestamp_ms = 1,
                                .identity_id = "marked",
                                .identity_name = with_name_in_event ? NAME_MARKER : "",
                                .feature = feature,
                                .model_set = MODEL_SET,
                                .spot = (const uint8_t *)photo + 1,
                                .spot_size = 59999};
    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(fixture->store, &event, NULL));
    free(photo);
}

static void expect_files_with(const struct fixture *fixture, const float *feature, bool any)
{
    bool found = fixture_files_with(fixture, NAME_MARKER, strlen(NAME_MARKER)) +
                     fixture_files_with(fixture, PHOTO_MARKER, strlen(PHOTO_MARKER)) +
                     fixture_files_with(fixture, feature, 64) >
                 0;
    assert_int_equal(found, any);
}

static void test_deleted_person_leaves_no_bytes(void **state)
{
    struct fixture *fixture = *state;
    float feature[STORE_DIMENSION];
    const char *ids[] = {"marked"};
    size_t deleted;
    struct store_event_query query = {.score_min = -1, .identity_id = "marked"};

    add_marked(fixture, feature, true);
    expect_files_with(fixture, feature, true);
    query.score_min = query.score_max = 0.0F / 0.0F;
    assert_status(AIBOX_OK, store_people_delete(fixture->store, ids, 1, NULL, NULL));
    assert_status(AIBOX_OK, store_events_delete(fixture->store, NULL, 0, &query, &deleted, NULL));
    assert_int_equal(deleted, 1);
    int64_t deadline = clock_monotonic_ms() + 3000; /* the WAL is emptied soon after, not at once */
    while (fixture_files_with(fixture, PHOTO_MARKER, strlen(PHOTO_MARKER)) > 0 && clock_monotonic_ms() < deadline)
        pause_ms(50);
    expect_files_with(fixture, feature, false);
    assert_int_equal(store_person_count(fixture->store), 30);
}

static void test_wiped_people_leave_no_bytes(void **state)
{
    struct fixture *fixture = *state;
    float feature[STORE_DIMENSION];
    struct store_label_list list;
    struct store_event event;

    add_marked(fixture, feature, true);
    assert_status(AIBOX_OK, store_label_create(fixture->store, STORE_GROUP, NULL, "g", "", NULL, NULL, NULL));
    assert_status(AIBOX_OK, store_label_create(fixture->store, STORE_PERMISSION, NULL, "p", "", NULL, NULL, NULL));
    assert_status(AIBOX_OK, store_wipe(fixture->store, true, true, NULL));
    expect_files_with(fixture, feature, false);
    assert_int_equal(fixture_files_with(fixture, "photo of p3", 11), 0);
    assert_int_equal(store_person_count(fixture->store), 0);
    assert_status(AIBOX_OK, store_label_list(fixture->store, STORE_GROUP, 0, 0, &list, NULL));
    assert_int_equal(list.total, 1);
    store_label_list_free(&list);
    assert_status(AIBOX_OK, store_label_list(fixture->store, STORE_PERMISSION, 0, 0, &list, NULL));
    assert_int_equal(list.total, 0);
    store_label_list_free(&list);
    fixture_check_invariants(fixture);

    struct store_person person; /* all goes on as before, with new ids */
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, &person, NULL));
    assert_true(person.person_id > 31);
    store_person_free(&person);
    event = (struct store_event){.timestamp_ms = 1};
    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(fixture->store, &event, NULL));
    assert_int_equal(event.seq, 2);
    fixture_check_invariants(fixture);
}

static void test_wiping_one_kind_keeps_the_other(void **state)
{
    struct fixture *fixture = *state;
    float feature[STORE_DIMENSION];
    struct store_person person;
    struct store_counters counters;
    uint8_t *bytes;
    size_t size;

    add_marked(fixture, feature, false);
    fixture_exec(fixture, "main",
                 "INSERT INTO cursor (url, seq, active, updated_ms) VALUES ('http://a/', 0, 1, 0),"
                 " ('http://b/', 1, 0, 0)");
    int64_t newest = store_event_newest(fixture->store);
    assert_true(newest > 0);
    assert_status(AIBOX_OK, store_wipe(fixture->store, false, true, NULL));
    store_count(fixture->store, &counters);
    assert_int_equal(counters.events, 0);
    assert_int_equal(counters.people, 31);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM cursor"), 1);
    assert_int_equal(fixture_query(fixture, "main", "SELECT seq FROM cursor WHERE url = 'http://a/'"), newest);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 31);
    assert_status(AIBOX_OK, store_person_get(fixture->store, "marked", &person, NULL));
    assert_status(AIBOX_OK, store_picture_get(fixture->store, person.faces[0].image_id, &bytes, &size, NULL));
    assert_int_equal(size, 60000);
    free(bytes);
    store_person_free(&person);
    fixture_check_invariants(fixture);

    struct store_event event = {.timestamp_ms = 1, .spot = (const uint8_t *)"spot", .spot_size = 4};
    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(fixture->store, &event, NULL));
    assert_status(AIBOX_OK, store_wipe(fixture->store, true, false, NULL));
    expect_files_with(fixture, feature, false);
    assert_status(AIBOX_OK, store_picture_get(fixture->store, event.spot_id, &bytes, &size, NULL));
    free(bytes);
    fixture_check_invariants(fixture);
}

static void test_interrupted_wipe_is_finished(void **state)
{
    struct fixture *fixture = *state;
    float feature[STORE_DIMENSION];

    add_marked(fixture, feature, true);
    store_close(fixture->store);
    fixture->store = NULL;
    /* What a crash after the first transaction of a wipe leaves behind. */
    fixture_exec(fixture, "main",
                 "PRAGMA secure_delete = OFF; INSERT INTO counter (name, value) VALUES ('wipe', 1);"
                 "DELETE FROM face; DELETE FROM member; DELETE FROM person; DELETE FROM event_feature;"
                 "DELETE FROM event; DELETE FROM image");
    expect_files_with(fixture, feature, true);
    log_set_level(LOG_LEVEL_ERROR);
    assert_status(AIBOX_OK, store_open(fixture->path, 10, &fixture->store, NULL));
    expect_files_with(fixture, feature, false);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM counter WHERE name = 'wipe'"), 0);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 0);
}

/* ---- crashes --------------------------------------------------------------------------------------------- */

#define CRASH_ROUNDS 5

/* Saves people and events until killed; reports each change that was acknowledged. */
static void child_writes(const char *path, unsigned round, int pipe_fd)
{
    struct store *store;

    if (store_open(path, 100000, &store, NULL) != AIBOX_OK)
        _exit(1);
    for (unsigned i = 0; i < 100000; i++) {
        char id[16] = {0}, text[40];
        snprintf(id, sizeof id, "r%ui%u", round, i);
        if (save_person(store, STORE_CREATE, id, "N", i, NULL, NULL) != AIBOX_OK)
            _exit(1);
        struct store_event event = {.timestamp_ms = 1, .identity_id = id};
        snprintf(text, sizeof text, "spot of %s", id);
        event.spot = (const uint8_t *)text;
        event.spot_size = strlen(text);
        id_ulid(event.event_id);
        if (store_event_add(store, &event, NULL) != AIBOX_OK)
            _exit(1);
        if (i % 3 == 0) {
            const char *ids[] = {id};
            if (store_people_delete(store, ids, 1, NULL, NULL) != AIBOX_OK)
                _exit(1);
        }
        if (write(pipe_fd, id, sizeof id) != sizeof id)
            _exit(1);
    }
    _exit(1);
}

static unsigned check_acknowledged(struct fixture *fixture, int pipe_fd)
{
    char id[16];
    unsigned n = 0;

    while (read(pipe_fd, id, sizeof id) == sizeof id) {
        struct store_person person;
        struct store_event_list list;
        struct store_event_query query = {.identity_id = id, .limit = 10};
        unsigned number = (unsigned)strtoul(strchr(id, 'i') + 1, NULL, 10);
        uint8_t *bytes;
        size_t size;

        query.score_min = query.score_max = 0.0F / 0.0F;
        assert_int_equal(store_person_get(fixture->store, id, &person, NULL) == AIBOX_OK, number % 3 != 0);
        if (number % 3 != 0) {
            assert_status(AIBOX_OK, store_picture_get(fixture->store, person.faces[0].image_id, &bytes, &size, NULL));
            free(bytes);
        }
        store_person_free(&person);
        assert_status(AIBOX_OK, store_event_list(fixture->store, &query, &list, NULL));
        assert_int_equal(list.total, 1);
        assert_status(AIBOX_OK, store_picture_get(fixture->store, list.items[0].spot_id, &bytes, &size, NULL));
        free(bytes);
        store_event_list_free(&list);
        n++;
    }
    return n;
}

static void test_acknowledged_changes_survive_a_kill(void **state)
{
    struct fixture *fixture = *state;
    unsigned seed = (unsigned)clock_monotonic_us(), acknowledged = 0;

    fixture->capacity = 100000;
    store_close(fixture->store);
    fixture->store = NULL;
    for (unsigned round = 0; round < CRASH_ROUNDS; round++) {
        int ends[2], status;
        assert_int_equal(pipe(ends), 0);
        assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) > 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            child_writes(fixture->path, round, ends[1]);
        }
        close(ends[1]);
        pause_ms(200 + rand_r(&seed) % 300);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));

        assert_status(AIBOX_OK, store_open(fixture->path, fixture->capacity, &fixture->store, NULL));
        acknowledged += check_acknowledged(fixture, ends[0]);
        close(ends[0]);
        fixture_wait_for_sweep(fixture);
        fixture_check_invariants(fixture);
        store_close(fixture->store);
        fixture->store = NULL;
    }
    print_message("%u changes were acknowledged before %d kills\n", acknowledged, CRASH_ROUNDS);
    assert_true(acknowledged > 0);
}

/* Pictures committed for rows that never came. */
static void test_orphans_are_swept(void **state)
{
    struct fixture *fixture = *state;

    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, NULL, NULL));
    store_close(fixture->store);
    fixture->store = NULL;
    fixture_exec(fixture, "pictures",
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)"
                 " INSERT INTO picture (sha256, bytes) SELECT randomblob(32), 'orphan' FROM n");
    assert_status(AIBOX_OK, store_open(fixture->path, 10, &fixture->store, NULL));
    fixture_wait_for_sweep(fixture);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 1);
    fixture_check_invariants(fixture);
}

/* ---- a full disk ------------------------------------------------------------------------------------------- */

static enum aibox_status save_big(struct store *store, unsigned i, struct aibox_error *err)
{
    static uint8_t photo[200000];
    float feature[STORE_DIMENSION];
    char id[16];

    fill_feature(feature, i);
    memset(photo, (int)i, sizeof photo);
    memcpy(photo, &i, sizeof i);
    snprintf(id, sizeof id, "p%u", i);
    struct store_new_face face = {
        .feature = feature, .model_set = MODEL_SET, .photo = photo, .photo_size = sizeof photo};
    struct store_person_change change = {.mode = STORE_CREATE,
                                         .identity_id = id,
                                         .info = "{\"name\":\"A\"}",
                                         .faces_mode = STORE_FACES_ADD,
                                         .faces = &face,
                                         .n_faces = 1};
    return store_person_save(store, &change, NULL, NULL, err);
}

static int calls;

static bool count_call(void *ctx, const struct store_template *state)
{
    (void)ctx;
    (void)state;
    calls++;
    return true;
}

/* On a small file system of its own; needs the right to mount one. */
/* With the writer at rest nobody else but the checkpointer moves them. */
static void test_commits_are_carried_into_the_files(void **state)
{
    struct fixture *fixture = *state;
    const size_t size = 256 << 10;
    uint8_t *photo = malloc(size);
    char path[300], id[16];
    struct stat info = {0};
    unsigned n = 96; /* 24 MiB; of which the checkpointer may leave the last 8 until there is more */

    assert_non_null(photo);
    snprintf(path, sizeof path, "%s/pictures.db", fixture->path);
    for (unsigned i = 0; i < n; i++) {
        float feature[STORE_DIMENSION];
        fill_feature(feature, i);
        id_random(photo, size);
        snprintf(id, sizeof id, "%u", i);
        struct store_new_face face = {
            .feature = feature, .model_set = MODEL_SET, .norm = 10, .quality = 1, .photo = photo, .photo_size = size};
        struct store_person_change change = {.mode = STORE_CREATE,
                                             .identity_id = id,
                                             .info = "{\"name\": \"x\"}",
                                             .faces_mode = STORE_FACES_ADD,
                                             .faces = &face,
                                             .n_faces = 1};
        assert_status(AIBOX_OK, store_person_save(fixture->store, &change, NULL, NULL, NULL));
    }
    for (int i = 0; i < 1000 && info.st_size < 12 << 20; i++) {
        pause_ms(10);
        assert_int_equal(stat(path, &info), 0);
    }
    assert_in_range(info.st_size, 12 << 20, 32 << 20);
    free(photo);
}

static void test_full_disk(void **state)
{
    struct fixture *fixture = *state;
    struct aibox_error err = {0};
    char path[300], filler[320], reason[100];
    enum aibox_status status = AIBOX_OK;
    unsigned saved = 0;

    snprintf(path, sizeof path, "%s/disk", fixture->path);
    snprintf(filler, sizeof filler, "%s/filler", path);
    assert_int_equal(mkdir(path, 0700), 0);
    if (mount("tmpfs", path, "tmpfs", 0, "size=16m") != 0) {
        rmdir(path);
        print_message("SKIPPED: no right to mount a small file system\n");
        skip();
    }
    struct fixture small = {.capacity = 1000};
    assert_true(strlen(path) < sizeof small.path);
    memcpy(small.path, path, strlen(path) + 1);
    log_set_level(LOG_LEVEL_ERROR + 1);
    assert_status(AIBOX_OK, store_open(small.path, 1000, &small.store, &err));
    struct store_listener listener = {.ctx = &calls, .person = count_call};
    assert_status(AIBOX_OK, store_listen(small.store, &listener, &err));
    int fd = open(filler, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, 8 << 20), 0);
    close(fd);

    calls = 0;
    while (saved < 200 && (status = save_big(small.store, saved, &err)) == AIBOX_OK)
        saved++;
    assert_int_equal(status, AIBOX_PROCESS_FAILED);
    assert_string_equal(err.message, "no space left on the data disk");
    assert_true(saved > 5);
    assert_int_equal(calls, saved); /* what failed was not told */
    assert_false(store_writable(small.store, reason, sizeof reason));
    assert_string_equal(reason, err.message);
    assert_int_equal(store_person_count(small.store), saved);

    /* Reading goes on. A wipe says what it needs and does nothing. */
    struct store_person person;
    assert_status(AIBOX_OK, store_person_get(small.store, "p1", &person, &err));
    store_person_free(&person);
    assert_status(AIBOX_PROCESS_FAILED, store_wipe(small.store, false, true, &err));
    assert_non_null(strstr(err.message, "bytes are needed"));
    assert_int_equal(store_person_count(small.store), saved);

    assert_int_equal(unlink(filler), 0);
    int64_t deadline = clock_monotonic_ms() + 5000;
    while (!store_writable(small.store, reason, sizeof reason) && clock_monotonic_ms() < deadline)
        pause_ms(20);
    assert_true(store_writable(small.store, reason, sizeof reason));
    assert_string_equal(reason, "");
    assert_status(AIBOX_OK, save_big(small.store, saved, &err));
    fixture_wait_for_sweep(&small);
    fixture_check_invariants(&small);
    assert_int_equal(fixture_query(&small, "main", "SELECT count(*) FROM person"), saved + 1);
    assert_int_equal(fixture_query(&small, "pictures", "SELECT count(*) FROM picture"), saved + 1);
    store_close(small.store);
    assert_int_equal(umount(path), 0);
    rmdir(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_folder_is_private_and_locked),
        TEST(test_empty_files_are_migrated),
        TEST(test_newer_schema_is_refused),
        TEST(test_a_first_version_is_brought_up_to_date),
        TEST(test_damaged_file_is_refused),
        TEST(test_settings),
        TEST(test_deleted_person_leaves_no_bytes),
        TEST(test_wiped_people_leave_no_bytes),
        TEST(test_wiping_one_kind_keeps_the_other),
        TEST(test_interrupted_wipe_is_finished),
        TEST(test_acknowledged_changes_survive_a_kill),
        TEST(test_orphans_are_swept),
        TEST(test_commits_are_carried_into_the_files),
        TEST(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
