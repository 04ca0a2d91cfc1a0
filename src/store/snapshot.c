/*
 * Copies of both databases as they were at one moment.
 *
 * A transaction that only reads sees the database as it was when it began, whatever is committed meanwhile. The two are
 * begun on the writer thread, between two batches, so that every picture that a row names is in the copy; copying then
 * goes on beside everything else. What it costs meanwhile is that the WALs grow.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/batch.h"
#include "store/snapshot.h"
#include "store/wipe.h"

#define STEP_PAGES  256
#define SPARE_BYTES (INT64_C(16) << 20)

struct snapshot {
    struct sql main, pictures; /* of the store, each in a transaction of its own */
    const struct store_snapshot_options *options;
    const struct seal_ring *ring;
    uint64_t copied, total; /* pages */
};

static enum aibox_status begin_reading(struct sql *sql, struct aibox_error *err)
{
    enum aibox_status status = sql_script(sql, "BEGIN", err);
    int64_t tables;

    /* It is the first read that fixes what is seen. */
    return status == AIBOX_OK ? sql_get_values(sql, "SELECT count(*) FROM sqlite_schema", &tables, NULL, err, NULL, 0)
                              : status;
}

static enum aibox_status run_begin(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct snapshot *snapshot = arg;
    enum aibox_status status = begin_reading(&snapshot->main, err);

    (void)batch;
    return status == AIBOX_OK ? begin_reading(&snapshot->pictures, err) : status;
}

static enum aibox_status check_room(struct store *store, struct snapshot *snapshot, struct aibox_error *err)
{
    int64_t main_bytes = 0, picture_bytes = 0;
    struct statvfs disk;
    static const char size[] = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    enum aibox_status status = sql_get_values(&snapshot->main, size, &main_bytes, NULL, err, NULL, 0);

    if (status == AIBOX_OK)
        status = sql_get_values(&snapshot->pictures, size, &picture_bytes, NULL, err, NULL, 0);
    if (status != AIBOX_OK)
        return status;
    if (statvfs(store->path, &disk) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the free space of the data disk can't be told");
    int64_t needed = (main_bytes + picture_bytes) * snapshot->options->copies + SPARE_BYTES;
    uint64_t available = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (available >= (uint64_t)needed)
        return AIBOX_OK;
    return error_set(err, AIBOX_PROCESS_FAILED,
                     "too little space on the data disk for a copy: %lld bytes are needed, %llu are free",
                     (long long)needed, (unsigned long long)available);
}

static enum aibox_status copy_pages(struct snapshot *snapshot, struct sql *to, sqlite3_backup *backup,
                                    struct aibox_error *err)
{
    const struct store_snapshot_options *options = snapshot->options;
    uint64_t before = snapshot->copied;
    int code = SQLITE_OK;

    while (code == SQLITE_OK) {
        if (options->go_on && !options->go_on(options->ctx, snapshot->copied, snapshot->total))
            return error_set(err, AIBOX_PROCESS_FAILED, "stopped");
        code = sqlite3_backup_step(backup, STEP_PAGES);
        snapshot->copied = before + (uint64_t)(sqlite3_backup_pagecount(backup) - sqlite3_backup_remaining(backup));
    }
    return code == SQLITE_DONE ? AIBOX_OK : sql_fail(to, code, err);
}

static enum aibox_status copy_file(struct snapshot *snapshot, struct sql *from, const char *path, struct sql *to,
                                   struct aibox_error *err)
{
    enum aibox_status status = sql_open(to, path, SQL_WRITER, 1024, err);

    if (status != AIBOX_OK)
        return status;
    if (chmod(path, 0600) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "a copy can't be made private");
    /* The copy is thrown away when anything happens to the machine before it is complete. */
    status = sql_script(to, "PRAGMA synchronous = OFF", err);
    sqlite3_backup *backup = status == AIBOX_OK ? sqlite3_backup_init(to->db, "main", from->db, "main") : NULL;
    if (status == AIBOX_OK && !backup)
        return sql_fail(to, sqlite3_errcode(to->db), err);
    if (status == AIBOX_OK)
        status = copy_pages(snapshot, to, backup, err);
    (void)sqlite3_backup_finish(backup);
    return status;
}

/* One file each, without a WAL beside it. */
static enum aibox_status close_copy(struct sql *sql, enum aibox_status status, struct aibox_error *err)
{
    if (sql->db && status == AIBOX_OK)
        status = sql_script(sql, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE", err);
    sql_close(sql);
    return status;
}

static enum aibox_status copy_both(struct snapshot *snapshot, const char *main_path, const char *pictures_path,
                                   struct aibox_error *err)
{
    struct sql main = {0}, pictures = {0};
    enum aibox_status status = copy_file(snapshot, &snapshot->main, main_path, &main, err);

    if (status == AIBOX_OK)
        status = copy_file(snapshot, &snapshot->pictures, pictures_path, &pictures, err);
    /* What leaves the box is encrypted as a whole, and has to be at home elsewhere. */
    if (status == AIBOX_OK)
        status = seal_ring_expose(snapshot->ring, &main, err);
    if (status == AIBOX_OK)
        status = wipe_copy_strangers(&main, err);
    if (status == AIBOX_OK && !snapshot->options->with_events)
        status = wipe_copy(&main, &pictures, err);
    status = close_copy(&pictures, status, err);
    return close_copy(&main, status, err);
}

static uint64_t pages_of(struct sql *sql)
{
    int64_t pages = 0;

    (void)sql_get_values(sql, "PRAGMA page_count", &pages, NULL, NULL, NULL, 0);
    return (uint64_t)pages;
}

enum aibox_status store_snapshot(struct store *store, const struct store_snapshot_options *options,
                                 struct aibox_error *err)
{
    struct snapshot snapshot = {.options = options, .ring = store->ring};
    char main_path[4096], pictures_path[4096];
    int n = snprintf(main_path, sizeof main_path, "%s/%s", options->folder, STORE_MAIN_FILE);
    int m = snprintf(pictures_path, sizeof pictures_path, "%s/%s", options->folder, STORE_PICTURES_FILE);

    if (n < 0 || (size_t)n >= sizeof main_path || m < 0 || (size_t)m >= sizeof pictures_path)
        return error_set(err, AIBOX_PARAM, "folder: too long");
    enum aibox_status status = sql_open(&snapshot.main, store->main_path, SQL_READER, 1024, err);
    if (status == AIBOX_OK)
        status = sql_open(&snapshot.pictures, store->pictures_path, SQL_READER, 1024, err);
    if (status == AIBOX_OK)
        status = check_room(store, &snapshot, err);
    if (status == AIBOX_OK)
        status = writer_do(store->writer, CHANGE_ALONE, run_begin, &snapshot, err);
    if (status == AIBOX_OK) {
        snapshot.total = pages_of(&snapshot.main) + pages_of(&snapshot.pictures);
        status = copy_both(&snapshot, main_path, pictures_path, err);
    }
    sql_close(&snapshot.pictures);
    sql_close(&snapshot.main);
    if (status != AIBOX_OK) {
        (void)unlink(main_path);
        (void)unlink(pictures_path);
    }
    return status;
}
