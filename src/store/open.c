/* Opening and closing the data folder: lock, migration, readers, writer; and the counters in memory. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/id.h"
#include "core/log.h"
#include "store/batch.h"
#include "store/catalogue.h"
#include "store/restore.h"
#include "store/schema.h"
#include "store/snapshot.h"
#include "store/wipe.h"

#define PAGE_SIZE "8192" /* three features of 2 KiB a page, instead of one in 4 KiB */

static pthread_once_t sqlite_once = PTHREAD_ONCE_INIT;

/* Without statistics SQLite's allocator takes no global lock. Too late (and harmless) if SQLite is in use already. */
static void configure_sqlite(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static char *path_join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);

    if (path)
        sqlite3_snprintf((int)size, path, "%s/%s", folder, name);
    return path;
}

/* ---- the folder ----------------------------------------------------------------------------------- */

static enum aibox_status folder_take(struct store *store, struct aibox_error *err)
{
    struct stat info;

    if (mkdir(store->path, 0700) != 0 && errno != EEXIST)
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder can't be made: %s", strerror(errno));
    int folder_fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder can't be opened: %s", strerror(errno));
    if (fstat(folder_fd, &info) == 0 && (info.st_mode & 07777) != 0700 && fchmod(folder_fd, 0700) != 0) {
        close(folder_fd);
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder must be private (mode 0700): %s", strerror(errno));
    }
    store->lock_fd = openat(folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    close(folder_fd);
    if (store->lock_fd < 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder can't be written: %s", strerror(errno));
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "another aiboxd uses this data folder");
    return AIBOX_OK;
}

/* SQLite gives WAL and index the mode of the database file. */
static enum aibox_status file_make(const char *path, struct aibox_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "a database file can't be made: %s", strerror(errno));
    close(fd);
    return AIBOX_OK;
}

/* ---- migration ------------------------------------------------------------------------------------ */

static enum aibox_status migrate_one(struct sql *sql, const char *script, int version, struct aibox_error *err)
{
    char text[64];
    enum aibox_status status = sql_script(sql, "BEGIN EXCLUSIVE", err);

    if (status != AIBOX_OK)
        return status;
    status = sql_script(sql, script, err);
    sqlite3_snprintf((int)sizeof text, text, "PRAGMA user_version = %d", version);
    if (status == AIBOX_OK)
        status = sql_script(sql, text, err);
    if (status == AIBOX_OK)
        status = sql_script(sql, "COMMIT", err);
    if (status != AIBOX_OK && !sqlite3_get_autocommit(sql->db))
        (void)sql_script(sql, "ROLLBACK", NULL);
    return status;
}

/* Brings one file to the newest version; the settings that a file keeps are made before its first page. */
static enum aibox_status migrate(const char *path, const char *const *scripts, int newest, struct aibox_error *err)
{
    struct sql sql;
    int64_t version = 0;

    enum aibox_status status = file_make(path, err);
    if (status == AIBOX_OK)
        status = sql_open(&sql, path, SQL_WRITER, 1024, err);
    if (status != AIBOX_OK)
        return status;
    status = sql_get_values(&sql, "PRAGMA user_version", &version, NULL, err, NULL, 0);
    if (status == AIBOX_OK && version > newest)
        status = error_set(err, AIBOX_PROCESS_FAILED,
                           "the database was written by a newer version of this program (schema %lld, known up to %d)",
                           (long long)version, newest);
    if (status == AIBOX_OK)
        status = sql_script(
            &sql, "PRAGMA page_size = " PAGE_SIZE "; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL", err);
    for (int next = (int)version; status == AIBOX_OK && next < newest; next++) {
        status = migrate_one(&sql, scripts[next], next + 1, err);
        if (status == AIBOX_OK)
            log_info("store", "database migrated from=%d to=%d", next, next + 1);
    }
    sql_close(&sql);
    return status;
}

enum aibox_status store_migrate(const char *main_path, const char *pictures_path, struct aibox_error *err)
{
    enum aibox_status status = migrate(main_path, schema_main, schema_main_version, err);

    return status == AIBOX_OK ? migrate(pictures_path, schema_pictures, schema_pictures_version, err) : status;
}

/* New event ids are to sort after all that are stored, also when the clock was set back. */
static enum aibox_status find_newest(struct store *store, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    bool row;

    if (!reader)
        return status;
    sqlite3_stmt *stmt =
        sql_begin_values(&reader->main,
                         "SELECT max(event_id), (SELECT seq FROM sqlite_sequence WHERE name = 'event'),"
                         " (SELECT seq FROM sqlite_sequence WHERE name = 'stranger') FROM event",
                         err, NULL, 0);
    if (stmt)
        status = sql_step(&reader->main, stmt, &row, err);
    if (status == AIBOX_OK && row) {
        id_ulid_seen(sql_column_text(stmt, 0));
        atomic_store(&store->newest_event, sqlite3_column_int64(stmt, 1));
        atomic_store(&store->last_stranger, sqlite3_column_int64(stmt, 2));
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

/* Until somebody says how many events are kept, none is dropped. (Ten times as many are a number, too.) */
#define KEEP_ALL (SIZE_MAX / 16)

/* ---- opening -------------------------------------------------------------------------------------- */

enum aibox_status store_open(const char *data_dir, size_t capacity, struct store **out, struct aibox_error *err)
{
    return store_open_keyed(data_dir, NULL, capacity, out, err);
}

enum aibox_status store_open_keyed(const char *data_dir, const char *key_file, size_t capacity, struct store **out,
                                   struct aibox_error *err)
{
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    struct store *store = calloc(1, sizeof *store);

    *out = NULL;
    if (!store)
        return out_of_memory(err);
    pthread_once(&sqlite_once, configure_sqlite);
    store->lock_fd = -1;
    atomic_init(&store->capacity, capacity);
    atomic_init(&store->retention_keep, KEEP_ALL);
    store->path = strdup(data_dir);
    store->main_path = path_join(data_dir, STORE_MAIN_FILE);
    store->pictures_path = path_join(data_dir, STORE_PICTURES_FILE);
    if (!store->path || !store->main_path || !store->pictures_path) {
        status = out_of_memory(err);
        goto out;
    }
    status = folder_take(store, err);
    if (status == AIBOX_OK)
        status = seal_ring_open(store->path, key_file, store->main_path, &store->ring, err);
    if (status == AIBOX_OK)
        status = restore_finish(store, err);
    if (status == AIBOX_OK)
        status = store_migrate(store->main_path, store->pictures_path, err);
    if (status == AIBOX_OK)
        status = wipe_resume(store, err);
    if (status == AIBOX_OK)
        status = seal_ring_load(store->ring, store->main_path, err);
    if (status == AIBOX_OK)
        status = label_slot_open(&store->labels, err);
    if (status == AIBOX_OK)
        status = readers_open(store->main_path, store->pictures_path, store->ring, &store->readers, err);
    if (status == AIBOX_OK)
        status = find_newest(store, err);
    if (status == AIBOX_OK && (store->catalogue = catalogue_open()) == NULL)
        status = out_of_memory(err);
    if (status == AIBOX_OK)
        status = writer_open(store, &store->writer, err);
out:
    if (status != AIBOX_OK) {
        store_close(store);
        return status;
    }
    *out = store;
    return AIBOX_OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    writer_close(store->writer);
    readers_close(store->readers);
    catalogue_close(store->catalogue);
    label_slot_close(store->labels);
    seal_ring_close(store->ring);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    free(store->pictures_path);
    free(store->main_path);
    free(store->path);
    free(store);
}

/* ---- listeners to events and outbox ------------------------------------------------------------------ */

/* Puts `to` into the place of the listener that is `from`. */
struct exchange_job {
    bool of_outbox; /* else of events */
    struct commit_listener from, to;
};

static enum aibox_status run_exchange_listener(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct exchange_job *job = arg;
    struct commit_listener *listeners = job->of_outbox ? batch->outbox_listeners : batch->events_listeners;
    size_t n = job->of_outbox ? sizeof batch->outbox_listeners / sizeof batch->outbox_listeners[0]
                              : sizeof batch->events_listeners / sizeof batch->events_listeners[0];

    (void)err;
    for (size_t i = 0; i < n; i++) {
        if (listeners[i].heard == job->from.heard && listeners[i].ctx == job->from.ctx) {
            listeners[i] = job->to;
            return AIBOX_OK;
        }
    }
    assert(!job->to.heard); /* no room */
    return AIBOX_OK;
}

static void exchange_listener(struct store *store, struct exchange_job *job)
{
    struct aibox_error err = {0};

    if (writer_do(store->writer, CHANGE_ALONE, run_exchange_listener, job, &err) != AIBOX_OK)
        log_error("store", "a listener was not set reason=\"%s\"", err.message);
}

void store_events_listen(struct store *store, void (*heard)(void *ctx), void *ctx)
{
    exchange_listener(store, &(struct exchange_job){.to = {heard, ctx}});
}

void store_events_unlisten(struct store *store, void (*heard)(void *ctx), void *ctx)
{
    exchange_listener(store, &(struct exchange_job){.from = {heard, ctx}});
}

void store_outbox_listen(struct store *store, void (*heard)(void *ctx), void *ctx)
{
    exchange_listener(store, &(struct exchange_job){.of_outbox = true, .to = {heard, ctx}});
}

void store_outbox_unlisten(struct store *store, void (*heard)(void *ctx), void *ctx)
{
    exchange_listener(store, &(struct exchange_job){.of_outbox = true, .from = {heard, ctx}});
}

int64_t store_event_newest(struct store *store)
{
    return atomic_load(&store->newest_event);
}

/* ---- counters -------------------------------------------------------------------------------------- */

enum aibox_status store_counters_load(struct store *store, struct sql *sql, struct aibox_error *err)
{
    bool row;
    sqlite3_stmt *stmt = sql_begin_values(
        sql,
        "SELECT max(CASE name WHEN 'people' THEN value END), max(CASE name WHEN 'faces' THEN value END),"
        " max(CASE name WHEN 'events' THEN value END), max(CASE name WHEN 'events_total' THEN value END),"
        " max(CASE name WHEN 'events_dropped_undelivered' THEN value END),"
        " max(CASE name WHEN 'event_picture_bytes' THEN value END)"
        " FROM counter WHERE name IN"
        " ('people', 'faces', 'events', 'events_total', 'events_dropped_undelivered', 'event_picture_bytes')",
        err, NULL, 0);
    enum aibox_status status = stmt ? sql_step(sql, stmt, &row, err) : AIBOX_PROCESS_FAILED;

    if (status == AIBOX_OK) {
        atomic_store(&store->people, (size_t)sqlite3_column_int64(stmt, 0));
        atomic_store(&store->faces, (size_t)sqlite3_column_int64(stmt, 1));
        atomic_store(&store->events, (size_t)sqlite3_column_int64(stmt, 2));
        atomic_store(&store->events_total, (uint64_t)sqlite3_column_int64(stmt, 3));
        atomic_store(&store->events_lost, (uint64_t)sqlite3_column_int64(stmt, 4));
        atomic_store(&store->event_bytes, sqlite3_column_int64(stmt, 5));
    }
    sql_end(stmt);
    return status;
}

size_t store_person_count(struct store *store)
{
    return atomic_load(&store->people);
}

void store_count(struct store *store, struct store_counters *out)
{
    struct writer_counters writer;
    struct label_map *labels = label_map_take(store->labels);

    writer_count(store->writer, &writer);
    *out = (struct store_counters){
        .commits = writer.commits,
        .changes = writer.changes,
        .failed_changes = writer.failed_changes,
        .events_total = atomic_load(&store->events_total),
        .events_lost = atomic_load(&store->events_lost),
        .people = atomic_load(&store->people),
        .faces = atomic_load(&store->faces),
        .events = atomic_load(&store->events),
        .event_picture_bytes = (uint64_t)atomic_load(&store->event_bytes),
        .queue = writer.queue,
    };
    for (size_t i = 0; labels && i < labels->count; i++)
        out->groups += labels->items[i].kind == STORE_GROUP;
    label_map_drop(labels);
}

bool store_writable(struct store *store, char *reason, size_t size)
{
    return writer_is_writable(store->writer, reason, size);
}

void store_set_retention(struct store *store, size_t keep, unsigned keep_days)
{
    atomic_store(&store->retention_keep, keep);
    atomic_store(&store->retention_days, keep_days);
    writer_nudge(store->writer);
}

void store_set_disk_share(struct store *store, double share)
{
    struct statvfs disk;
    int64_t most = 0;

    if (share > 0 && statvfs(store->path, &disk) == 0)
        most = (int64_t)(share * (double)disk.f_blocks * (double)disk.f_frsize);
    else if (share > 0)
        log_warn("store", "the size of the data disk can't be told: pictures of events may fill it");
    atomic_store(&store->retention_bytes, most);
    writer_nudge(store->writer);
}

void store_set_capacity(struct store *store, size_t capacity)
{
    atomic_store(&store->capacity, capacity);
}
