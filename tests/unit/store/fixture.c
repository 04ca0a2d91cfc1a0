#include "fixture.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
/* SQLite is not instrumented: its own locks are seen, its atomics are not. Nor is libc, which libzip asks for the time
 * zone: a lock of its own guards that. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libsqlite3.so\nrace:tzset_internal\n";
}
#endif
#endif

static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char file[600];

    while (folder && (entry = readdir(folder))) {
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(file);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct aibox_error err = {0};
    const char *tmp = getenv("TMPDIR");

    if (!fixture)
        return -1;
    log_set_level(LOG_LEVEL_ERROR);
    snprintf(fixture->path, sizeof fixture->path, "%s/aibox-store-XXXXXX", tmp ? tmp : "/tmp");
    fixture->capacity = 100;
    if (!mkdtemp(fixture->path))
        return -1;
    *state = fixture;
    if (store_open(fixture->path, fixture->capacity, &fixture->store, &err) == AIBOX_OK)
        return 0;
    print_error("%s\n", err.message);
    return -1;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    store_close(fixture->store);
    remove_folder(fixture->path);
    free(fixture);
    return 0;
}

void fixture_reopen(struct fixture *fixture)
{
    store_close(fixture->store);
    assert_int_equal(store_open(fixture->path, fixture->capacity, &fixture->store, NULL), AIBOX_OK);
}

static sqlite3 *open_database(const struct fixture *fixture, const char *database)
{
    char path[300];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/%s.db", fixture->path, strcmp(database, "main") == 0 ? "aibox" : database);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    return db;
}

int64_t fixture_query(const struct fixture *fixture, const char *database, const char *sql)
{
    sqlite3 *db = open_database(fixture, database);
    sqlite3_stmt *stmt;
    int64_t value = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(stmt) == SQLITE_ROW)
        value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

void fixture_exec(const struct fixture *fixture, const char *database, const char *sql)
{
    sqlite3 *db = open_database(fixture, database);

    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static bool file_has(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    bool found = false;
    char *content = NULL;

    if (!file)
        return false;
    fseek(file, 0, SEEK_END);
    size_t length = (size_t)ftell(file);
    rewind(file);
    content = malloc(length + 1);
    if (content && fread(content, 1, length, file) == length)
        found = memmem(content, length, bytes, size) != NULL;
    free(content);
    fclose(file);
    return found;
}

size_t fixture_files_with(const struct fixture *fixture, const void *bytes, size_t size)
{
    DIR *folder = opendir(fixture->path);
    struct dirent *entry;
    char file[600];
    size_t n = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        snprintf(file, sizeof file, "%s/%s", fixture->path, entry->d_name);
        if (entry->d_name[0] != '.' && file_has(file, bytes, size))
            n++;
    }
    closedir(folder);
    return n;
}

void fixture_check_invariants(const struct fixture *fixture)
{
    static const char *const same[][2] = {
        {"SELECT value FROM counter WHERE name = 'people'", "SELECT count(*) FROM person"},
        {"SELECT value FROM counter WHERE name = 'faces'",
         "SELECT count(DISTINCT hex(face_id) || person_id) FROM face"},
        {"SELECT value FROM counter WHERE name = 'events'", "SELECT count(*) FROM event"},
        {"SELECT value FROM counter WHERE name = 'event_picture_bytes'",
         "SELECT coalesce(sum(size), 0) FROM image WHERE kind = 1"},
        {"SELECT sum(members) FROM label", "SELECT count(*) FROM member"},
        {"SELECT coalesce(sum(length(groups) + length(permissions)), 0) / 4 FROM person",
         "SELECT count(*) FROM member"},
        {"SELECT coalesce(sum(length(faces)), 0) / 48 FROM person",
         "SELECT count(DISTINCT hex(face_id) || person_id) FROM face"},
        {"SELECT value FROM counter WHERE name = 'strangers'", "SELECT count(*) FROM stranger"},
        {"SELECT count(*) FROM stranger_event WHERE seq NOT IN (SELECT seq FROM event)", "SELECT 0"},
        {"SELECT count(*) FROM member m JOIN person p ON p.person_id = m.person_id AND p.identity_id = m.identity_id",
         "SELECT count(*) FROM member"},
        {"SELECT count(*) FROM label l WHERE members <> (SELECT count(*) FROM member m WHERE m.label_id = l.label_id)",
         "SELECT 0"},
        {"SELECT count(*) FROM event_feature WHERE seq NOT IN (SELECT seq FROM event)", "SELECT 0"},
    };
    char path[300], attach[400];

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        if (fixture_query(fixture, "main", same[i][0]) != fixture_query(fixture, "main", same[i][1]))
            fail_msg("%s\n%s", same[i][0], same[i][1]);

    sqlite3 *db = open_database(fixture, "main");
    snprintf(path, sizeof path, "%s/pictures.db", fixture->path);
    snprintf(attach, sizeof attach, "ATTACH '%s' AS pictures", path);
    assert_int_equal(sqlite3_exec(db, attach, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT count(*) FROM image WHERE sha256 NOT IN"
                                        " (SELECT sha256 FROM pictures.picture)",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(stmt, 0), 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static int64_t count_orphans(const struct fixture *fixture)
{
    char sql[400];

    snprintf(sql, sizeof sql, "ATTACH '%s/aibox.db' AS m", fixture->path);
    sqlite3 *db = open_database(fixture, "pictures");
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT count(*) FROM picture WHERE sha256 NOT IN (SELECT sha256 FROM m.image)",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return n;
}

void fixture_wait_for_sweep(const struct fixture *fixture)
{
    int64_t deadline = clock_monotonic_ms() + 5000;

    while (count_orphans(fixture) > 0) {
        assert_true(clock_monotonic_ms() < deadline);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

void fill_feature(float feature[STORE_DIMENSION], unsigned seed)
{
    uint32_t x = seed * 2654435761U + 1;

    for (size_t i = 0; i < STORE_DIMENSION; i++) {
        x = x * 1664525U + 1013904223U;
        feature[i] = (float)(x >> 8) / (float)(1U << 24) - 0.5F;
    }
}

enum aibox_status save_person(struct store *store, enum store_person_mode mode, const char *identity_id,
                              const char *name, unsigned seed, struct store_person *out, struct aibox_error *err)
{
    float feature[STORE_DIMENSION];
    char info[400], photo[64];

    fill_feature(feature, seed);
    snprintf(info, sizeof info, "{\"name\":\"%s\"}", name);
    snprintf(photo, sizeof photo, "photo of %s, %u", identity_id, seed);
    struct store_new_face face = {.feature = feature,
                                  .model_set = MODEL_SET,
                                  .norm = 10.0F,
                                  .quality = 0.5F,
                                  .photo = (const uint8_t *)photo,
                                  .photo_size = strlen(photo)};
    struct store_person_change change = {.mode = mode,
                                         .identity_id = identity_id,
                                         .info = info,
                                         .faces_mode = STORE_FACES_ADD,
                                         .faces = &face,
                                         .n_faces = 1};
    return store_person_save(store, &change, out, NULL, err);
}

bool hear_person(void *ctx, const struct store_template *state)
{
    struct heard_people *heard = ctx;

    heard->calls++;
    heard->n_faces = state->n_faces;
    for (size_t i = 0; i < state->n_faces; i++)
        heard->first[i] = state->features[i * STORE_DIMENSION];
    return true;
}
