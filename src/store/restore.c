/*
 * Restoring. In folder `restore` of the data folder lie the two files and one of two marks:
 *
 *   (no mark)  the files are being written, or were given up: thrown away at the next opening
 *   `ready`    the files are complete. Opening brings them to the newest version and copies into them what stays of
 *              this box; the store's own files are untouched so far, and any failure ends with throwing the copies away
 *   `swap`     the files take the place of the store's, one after the other. From here there is only forward: a crash
 *              leaves those that have not moved yet, and the next opening moves them
 *
 * The marks are renamed and the folders synced, so that a mark on the disk means what it says.
 */
#include "store/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "store/snapshot.h"

#define READY         "ready"
#define SWAP          "swap"
#define WITH_ACCOUNTS "accounts"
#define PATH_SIZE     4096
#define MARK_SIZE     16

/* Paths of one store's restore. */
struct restore {
    struct store *store;
    char folder[PATH_SIZE];
    char main[PATH_SIZE], pictures[PATH_SIZE]; /* the copies */
    char ready[PATH_SIZE], swap[PATH_SIZE];    /* the marks */
};

static bool join(char *out, const char *folder, const char *name)
{
    int n = snprintf(out, PATH_SIZE, "%s/%s", folder, name);

    return n > 0 && n < PATH_SIZE;
}

static bool restore_init(struct restore *restore, struct store *store)
{
    restore->store = store;
    return join(restore->folder, store->path, STORE_RESTORE_FOLDER) &&
           join(restore->main, restore->folder, STORE_MAIN_FILE) &&
           join(restore->pictures, restore->folder, STORE_PICTURES_FILE) &&
           join(restore->ready, restore->folder, READY) && join(restore->swap, restore->folder, SWAP);
}

static enum aibox_status file_failed(const char *what, struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "%s: %s", what, strerror(errno));
}

static enum aibox_status sync_path(const char *path, struct aibox_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return synced ? AIBOX_OK : file_failed("a copy can't be made durable", err);
}

static bool exists(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0;
}

/* A database file and what SQLite keeps beside it. */
static void remove_database(const char *path)
{
    static const char *const beside[] = {"", "-wal", "-shm", "-journal"};
    char name[PATH_SIZE + 16];

    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, beside[i]);
        (void)unlink(name);
    }
}

static void throw_away(const struct restore *restore)
{
    (void)unlink(restore->ready);
    remove_database(restore->main);
    remove_database(restore->pictures);
    (void)unlink(restore->swap);
    if (rmdir(restore->folder) != 0 && errno != ENOENT)
        log_warn("store", "the folder of a restore can't be removed reason=\"%s\"", strerror(errno));
}

/* ---- asked for ---------------------------------------------------------------------------------------- */

static enum aibox_status write_mark(const char *path, const char *text, struct aibox_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return file_failed("the restore can't be prepared", err);
    bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fsync(fd) == 0;
    close(fd);
    return written ? AIBOX_OK : file_failed("the restore can't be prepared", err);
}

enum aibox_status store_restore_prepare(struct store *store, bool accounts, struct aibox_error *err)
{
    struct restore restore;
    char half_done[PATH_SIZE];

    if (!restore_init(&restore, store) || !join(half_done, restore.folder, READY ".new"))
        return error_set(err, AIBOX_PROCESS_FAILED, "the name of the data folder is too long");
    enum aibox_status status = sync_path(restore.main, err);
    if (status == AIBOX_OK)
        status = sync_path(restore.pictures, err);
    if (status == AIBOX_OK)
        status = write_mark(half_done, accounts ? WITH_ACCOUNTS : "", err);
    if (status == AIBOX_OK && rename(half_done, restore.ready) != 0)
        status = file_failed("the restore can't be prepared", err);
    if (status == AIBOX_OK)
        status = sync_path(restore.folder, err);
    if (status != AIBOX_OK)
        (void)unlink(half_done);
    return status == AIBOX_OK ? sync_path(store->path, err) : status;
}

/* ---- before the swap ------------------------------------------------------------------------------------ */

static bool marked_with_accounts(const struct restore *restore)
{
    char text[MARK_SIZE] = "";
    int fd = open(restore->ready, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    return n > 0 && strcmp(text, WITH_ACCOUNTS) == 0;
}

#define KEEP(table) "DELETE FROM " table "; INSERT INTO " table " SELECT * FROM old." table ";"

/* What was told to this box, what it has still to answer, and by which address it is known. */
static const char keep_box[] = KEEP("inbox") KEEP("inbox_progress") KEEP("answered") KEEP("secret") KEEP("dead_command")
    KEEP("outbox") "DELETE FROM document WHERE name = 'hex_mac';"
                   "INSERT INTO document SELECT * FROM old.document WHERE name = 'hex_mac';"
                   /* With the keys of what is kept; opening seals all of it with one. */
                   "INSERT OR IGNORE INTO seal_key SELECT * FROM old.seal_key;"
                   "DELETE FROM counter WHERE name = 'sealed';";

static const char keep_accounts[] = KEEP("account") KEEP("credential") KEEP("audit")
    KEEP("audit_key") "DELETE FROM document WHERE name = 'terminals';"
                      "INSERT INTO document SELECT * FROM old.document WHERE name = 'terminals';";

/* A backup that somebody else has read must not bring back a session that was ended since. */
static const char end_sessions[] = "DELETE FROM credential WHERE kind = 0;";

static enum aibox_status keep_rows(const struct restore *restore, bool accounts, struct aibox_error *err)
{
    struct sql sql;
    bool attached = false;
    enum aibox_status status = sql_open(&sql, restore->main, SQL_WRITER, 1024, err);

    if (status != AIBOX_OK)
        return status;
    status = seal_ring_wrap(restore->store->ring, &sql, err);
    if (status == AIBOX_OK)
        status = sql_run(&sql, "ATTACH ? AS old", err, sql_text(restore->store->main_path));
    attached = status == AIBOX_OK;
    if (status == AIBOX_OK)
        status = sql_script(&sql, "BEGIN IMMEDIATE", err);
    if (status == AIBOX_OK)
        status = sql_script(&sql, keep_box, err);
    if (status == AIBOX_OK)
        status = sql_script(&sql, accounts ? end_sessions : keep_accounts, err);
    if (status == AIBOX_OK)
        status = sql_script(&sql, "COMMIT", err);
    if (!sqlite3_get_autocommit(sql.db))
        (void)sql_script(&sql, "ROLLBACK", NULL);
    if (attached)
        (void)sql_script(&sql, "DETACH old", NULL);
    sql_close(&sql);
    return status;
}

static enum aibox_status check(const char *path, struct aibox_error *err)
{
    struct sql sql;
    bool row;
    enum aibox_status status = sql_open(&sql, path, SQL_WRITER, 1024, err);

    if (status != AIBOX_OK)
        return status;
    sqlite3_stmt *stmt = sql_begin_values(&sql, "PRAGMA quick_check(1)", err, NULL, 0);
    status = stmt ? sql_step(&sql, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && (!row || strcmp(sql_column_text(stmt, 0), "ok") != 0))
        status = error_set(err, AIBOX_PROCESS_FAILED, "the copy is damaged");
    sql_end(stmt);
    sql_close(&sql);
    return status;
}

/* A closed database file, whole without a WAL. */
static enum aibox_status settle(const char *path, struct aibox_error *err)
{
    struct sql sql;
    enum aibox_status status = sql_open(&sql, path, SQL_WRITER, 1024, err);

    if (status != AIBOX_OK)
        return status;
    status = sql_script(&sql, "PRAGMA wal_checkpoint(TRUNCATE)", err);
    sql_close(&sql);
    return status == AIBOX_OK ? sync_path(path, err) : status;
}

static enum aibox_status make_ready(const struct restore *restore, struct aibox_error *err)
{
    struct store *store = restore->store;
    enum aibox_status status = check(restore->main, err);

    if (status == AIBOX_OK)
        status = check(restore->pictures, err);
    if (status == AIBOX_OK)
        status = store_migrate(restore->main, restore->pictures, err);
    if (status == AIBOX_OK) /* rows are copied between tables of the same version */
        status = store_migrate(store->main_path, store->pictures_path, err);
    if (status == AIBOX_OK)
        status = keep_rows(restore, marked_with_accounts(restore), err);
    if (status == AIBOX_OK)
        status = settle(restore->main, err);
    return status == AIBOX_OK ? settle(restore->pictures, err) : status;
}

/* ---- the swap --------------------------------------------------------------------------------------------- */

static enum aibox_status move(const char *from, const char *to, struct aibox_error *err)
{
    if (!exists(from))
        return AIBOX_OK; /* it was moved before a crash */
    remove_database(to); /* with its WAL, which is not the new file's */
    return rename(from, to) == 0 ? AIBOX_OK : file_failed("a restored file can't be put into its place", err);
}

static enum aibox_status swap(const struct restore *restore, struct aibox_error *err)
{
    struct store *store = restore->store;
    enum aibox_status status = move(restore->main, store->main_path, err);

    if (status == AIBOX_OK)
        status = move(restore->pictures, store->pictures_path, err);
    if (status == AIBOX_OK)
        status = sync_path(store->path, err);
    if (status != AIBOX_OK)
        return status;
    throw_away(restore);
    log_info("store", "restored from a copy");
    return sync_path(store->path, err);
}

enum aibox_status restore_finish(struct store *store, struct aibox_error *err)
{
    struct restore restore;
    struct aibox_error why = {0};

    if (!restore_init(&restore, store))
        return error_set(err, AIBOX_PROCESS_FAILED, "the name of the data folder is too long");
    if (exists(restore.swap))
        return swap(&restore, err);
    if (!exists(restore.ready)) {
        if (exists(restore.folder))
            throw_away(&restore);
        return AIBOX_OK;
    }
    enum aibox_status status = make_ready(&restore, &why);
    if (status == AIBOX_OK && rename(restore.ready, restore.swap) != 0)
        status = file_failed("the restore can't be begun", &why);
    if (status == AIBOX_OK)
        status = sync_path(restore.folder, &why);
    if (status != AIBOX_OK) {
        log_error("store", "a copy can't be restored; the box goes on as it was reason=\"%s\"", why.message);
        throw_away(&restore);
        return AIBOX_OK;
    }
    return swap(&restore, err);
}
