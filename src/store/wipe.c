/*
 * Wiping. The steps, on the writer thread with all readers kept out:
 *   1. Is there room to write what remains twice (VACUUM's copy and the WAL)? If not, nothing is done.
 *   2. One transaction deletes the rows and sets the mark 'wipe'.
 *   3. Pictures that nothing names are deleted.
 *   4. VACUUM writes both files anew from what remains, a checkpoint empties the WALs: no page of old is left.
 *   5. The mark is taken away. A crash between 2 and 5 leaves it, and the next opening does 3 to 5 again.
 */
#include "store/wipe.h"

#include <string.h>
#include <sys/statvfs.h>

#include "core/log.h"
#include "store/answered.h"
#include "store/batch.h"
#include "store/catalogue.h"
#include "store/commands.h"
#include "store/inbox.h"

#define SPARE_BYTES (INT64_C(4) << 20)

struct wipe_job {
    bool people, events;
    const struct store_answer *answer;
};

/* ---- room ------------------------------------------------------------------------------------------ */

/* A generous estimate of the bytes that remain in one file. */
static enum aibox_status kept_main(struct sql *sql, const struct wipe_job *job, int64_t *kept, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    int64_t people = 0, events = 0, messages = 0;

    if (!job->people)
        status = sql_get_values(sql,
                                "SELECT (SELECT coalesce(sum(length(info) + 1000), 0) FROM person)"
                                " + (SELECT count(*) * 3000 FROM face) + (SELECT count(*) * 200 FROM member)"
                                " + (SELECT count(*) * 250 FROM image WHERE kind = 0)",
                                &people, NULL, err, NULL, 0);
    if (status == AIBOX_OK && !job->events)
        status = sql_get_values(sql,
                                "SELECT (SELECT coalesce(sum(length(grab_fiqa_info) + length(box_fiqa_info) + 1200), 0)"
                                " FROM event) + (SELECT count(*) * 1300 FROM event_feature)"
                                " + (SELECT count(*) * 250 FROM image WHERE kind = 1)",
                                &events, NULL, err, NULL, 0);
    if (status == AIBOX_OK)
        status = sql_get_values(sql,
                                "SELECT (SELECT coalesce(sum(size), 0) FROM inbox)"
                                " + (SELECT coalesce(sum(length(payload)), 0) FROM outbox)"
                                " + (SELECT coalesce(sum(length(sealed)), 0) + count(*) * 200 FROM answered)",
                                &messages, NULL, err, NULL, 0);
    *kept = people + events + messages;
    return status;
}

static enum aibox_status kept_pictures(struct sql *sql, const struct wipe_job *job, int64_t *kept,
                                       struct aibox_error *err)
{
    return sql_get(sql,
                   "SELECT coalesce(sum(size + size / 8 + 500), 0) FROM image WHERE (kind = 0 AND NOT ?1) OR"
                   " (kind = 1 AND NOT ?2)",
                   kept, NULL, err, sql_int(job->people), sql_int(job->events));
}

static enum aibox_status check_room(struct batch *batch, const struct wipe_job *job, struct aibox_error *err)
{
    int64_t main_kept = 0, pictures_kept = 0;
    struct statvfs disk;

    enum aibox_status status = kept_main(&batch->main, job, &main_kept, err);
    if (status == AIBOX_OK)
        status = kept_pictures(&batch->main, job, &pictures_kept, err);
    if (status != AIBOX_OK)
        return status;
    if (statvfs(batch->store->path, &disk) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the free space of the data disk can't be told");
    /* The files are rewritten one after the other. */
    int64_t needed = 2 * (main_kept > pictures_kept ? main_kept : pictures_kept) + SPARE_BYTES;
    uint64_t available = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (available >= (uint64_t)needed)
        return AIBOX_OK;
    return error_set(err, AIBOX_PROCESS_FAILED,
                     "too little space on the data disk to rewrite the database: %lld bytes are needed, %llu are free",
                     (long long)needed, (unsigned long long)available);
}

/* ---- rows ------------------------------------------------------------------------------------------ */

/* Without triggers and foreign keys a table is emptied at once; what they would keep is set by hand. */
static void set_bulk(struct sql *sql, bool bulk)
{
    sqlite3_db_config(sql->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, !bulk, NULL);
    sqlite3_db_config(sql->db, SQLITE_DBCONFIG_ENABLE_FKEY, !bulk, NULL);
    /* What is deleted is not overwritten page by page (that would fill the WAL), but with the file as a whole. */
    (void)sql_script(sql, bulk ? "PRAGMA secure_delete = OFF" : "PRAGMA secure_delete = ON", NULL);
}

static enum aibox_status delete_events(struct sql *sql, struct aibox_error *err)
{
    return sql_script(
        sql,
        "DELETE FROM event_feature; DELETE FROM event; DELETE FROM tally; DELETE FROM image WHERE kind = 1;"
        "DELETE FROM set_aside; DELETE FROM cursor WHERE NOT active;"
        "UPDATE cursor SET refused_seq = 0, refused_ms = 0,"
        " seq = coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0);"
        "UPDATE counter SET value = 0 WHERE name IN ('events', 'event_picture_bytes');",
        err);
}

/* With or without triggers and foreign keys. */
static enum aibox_status clear_strangers(struct sql *sql, struct aibox_error *err)
{
    return sql_script(sql,
                      "DELETE FROM stranger_event; DELETE FROM stranger;"
                      "UPDATE counter SET value = 0 WHERE name = 'strangers';",
                      err);
}

static enum aibox_status delete_strangers(struct batch *batch, struct aibox_error *err)
{
    bool row = true;
    sqlite3_stmt *stmt = sql_begin_values(&batch->main, "SELECT stranger_id FROM stranger", err, NULL, 0);
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;

    while (status == AIBOX_OK && (status = sql_step(&batch->main, stmt, &row, err)) == AIBOX_OK && row)
        status = batch_note(batch, NOTE_STRANGER, sqlite3_column_int64(stmt, 0), err);
    sql_end(stmt);
    return status == AIBOX_OK ? clear_strangers(&batch->main, err) : status;
}

static enum aibox_status delete_rows(struct batch *batch, const struct wipe_job *job, struct aibox_error *err)
{
    struct sql *sql = &batch->main;
    enum aibox_status status = sql_script(sql,
                                          "BEGIN IMMEDIATE;"
                                          "INSERT OR REPLACE INTO counter (name, value) VALUES ('wipe', 1);",
                                          err);

    if (status == AIBOX_OK && job->people)
        status =
            sql_script(sql,
                       "DELETE FROM face; DELETE FROM member; DELETE FROM person; DELETE FROM image WHERE kind = 0;"
                       "DELETE FROM label WHERE label_id > 2; UPDATE label SET members = 0;"
                       "UPDATE counter SET value = 0 WHERE name IN ('people', 'faces');"
                       "UPDATE dead_command SET excerpt = ''; DELETE FROM audit_key;",
                       err);
    if (status == AIBOX_OK && job->people)
        status = answered_forget_results(sql, err);
    if (status == AIBOX_OK && job->events)
        status = delete_events(sql, err);
    if (status == AIBOX_OK) /* faces of events and people at once */
        status = sql_exec(sql, "DELETE FROM rejection", err);
    if (status == AIBOX_OK) /* faces of events, of whoever people may have been */
        status = delete_strangers(batch, err);
    if (status == AIBOX_OK)
        status = inbox_answer(batch, job->answer, err);
    if (status == AIBOX_OK)
        status = sql_script(sql, "COMMIT", err);
    if (status != AIBOX_OK && !sqlite3_get_autocommit(sql->db))
        (void)sql_script(sql, "ROLLBACK", NULL);
    return status;
}

/* ---- bytes ----------------------------------------------------------------------------------------- */

static enum aibox_status delete_unnamed(struct sql *main, struct sql *pictures, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    int64_t picture_id = 0;
    bool row = true;

    while (status == AIBOX_OK && row) {
        uint8_t sha256[SHA256_SIZE] = {0};
        int64_t one;
        bool named = true;
        sqlite3_stmt *stmt = sql_begin(pictures,
                                       "SELECT picture_id, sha256 FROM picture WHERE picture_id > ? ORDER BY picture_id"
                                       " LIMIT 1",
                                       err, sql_int(picture_id));
        status = stmt ? sql_step(pictures, stmt, &row, err) : AIBOX_PROCESS_FAILED;
        if (status == AIBOX_OK && row) {
            picture_id = sqlite3_column_int64(stmt, 0);
            memcpy(sha256, sqlite3_column_blob(stmt, 1), SHA256_SIZE);
        }
        sql_end(stmt);
        if (status == AIBOX_OK && row)
            status =
                sql_get(main, "SELECT 1 FROM image WHERE sha256 = ?", &one, &named, err, sql_blob(sha256, SHA256_SIZE));
        if (status == AIBOX_OK && !named)
            status = sql_run(pictures, "DELETE FROM picture WHERE picture_id = ?", err, sql_int(picture_id));
    }
    return status;
}

static enum aibox_status delete_pictures(struct sql *main, struct sql *pictures, struct aibox_error *err)
{
    int64_t one;
    bool any;
    enum aibox_status status = sql_get_values(main, "SELECT 1 FROM image LIMIT 1", &one, &any, err, NULL, 0);

    if (status == AIBOX_OK)
        status = sql_exec(pictures, "BEGIN IMMEDIATE", err);
    if (status == AIBOX_OK)
        status = any ? delete_unnamed(main, pictures, err) : sql_exec(pictures, "DELETE FROM picture", err);
    if (status == AIBOX_OK)
        status = sql_exec(pictures, "COMMIT", err);
    if (status != AIBOX_OK && !sqlite3_get_autocommit(pictures->db))
        (void)sql_exec(pictures, "ROLLBACK", NULL);
    return status;
}

static enum aibox_status truncate_wal(struct sql *sql, struct aibox_error *err)
{
    int code = sqlite3_wal_checkpoint_v2(sql->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

    return code == SQLITE_OK ? AIBOX_OK : sql_fail(sql, code, err);
}

static enum aibox_status rewrite(struct sql *sql, struct aibox_error *err)
{
    /* VACUUM's copy goes to a (nameless) file: what remains may be far more than fits into memory. */
    enum aibox_status status = sql_script(sql, "PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY", err);

    return status == AIBOX_OK ? truncate_wal(sql, err) : status;
}

/* Steps 3 to 5. */
static enum aibox_status finish(struct store *store, struct sql *main, struct sql *pictures, struct aibox_error *err)
{
    set_bulk(pictures, true);
    /* Only this connection uses temporary files, so that nobody else looks at this variable. */
    sqlite3_temp_directory = sqlite3_mprintf("%s", store->path);
    enum aibox_status status = delete_pictures(main, pictures, err);
    if (status == AIBOX_OK)
        status = rewrite(pictures, err);
    if (status == AIBOX_OK)
        status = rewrite(main, err);
    if (status == AIBOX_OK)
        status = sql_exec(main, "DELETE FROM counter WHERE name = 'wipe'", err);
    if (status == AIBOX_OK)
        status = truncate_wal(main, err);
    sqlite3_free(sqlite3_temp_directory);
    sqlite3_temp_directory = NULL;
    set_bulk(pictures, false);
    return status;
}

static enum aibox_status run_wipe(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct wipe_job *job = arg;

    readers_pause(batch->store->readers);
    enum aibox_status status = check_room(batch, job, err);
    if (status != AIBOX_OK)
        goto out;
    set_bulk(&batch->main, true);
    batch->outbox_added = false;
    status = delete_rows(batch, job, err);
    if (status == AIBOX_OK) {
        batch->labels_changed = true;
        if (job->events)
            catalogue_clear(batch->store->catalogue);
        if (job->people)
            (void)batch_note(batch, NOTE_PEOPLE_CLEARED, 0, NULL);
        batch_renew(batch);
        batch_tell_of_outbox(batch);
        checkpointer_hold(batch->checkpointer);
        status = finish(batch->store, &batch->main, &batch->pictures, err);
        checkpointer_release(batch->checkpointer);
        if (status != AIBOX_OK)
            error_prefix(err, "the data is deleted, its bytes are removed at the next start");
    }
    set_bulk(&batch->main, false);
out:
    readers_resume(batch->store->readers);
    return status;
}

enum aibox_status store_wipe(struct store *store, bool people, bool events, struct aibox_error *err)
{
    return store_wipe_answering(store, people, events, NULL, err);
}

enum aibox_status store_wipe_answering(struct store *store, bool people, bool events, const struct store_answer *answer,
                                       struct aibox_error *err)
{
    struct wipe_job job = {people, events, answer};

    if (!people && !events && !answer)
        return AIBOX_OK;
    enum aibox_status status = writer_do(store->writer, CHANGE_ALONE, run_wipe, &job, err);
    if (status == AIBOX_OK)
        log_info("store", "wiped people=%d events=%d", people, events);
    return status;
}

enum aibox_status wipe_copy(struct sql *main, struct sql *pictures, struct aibox_error *err)
{
    /* Unlike set_bulk(), what is deleted is overwritten: nothing rewrites the file as a whole behind this. */
    sqlite3_db_config(main->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(main->db, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
    enum aibox_status status = sql_script(main, "BEGIN IMMEDIATE", err);
    if (status == AIBOX_OK)
        status = delete_events(main, err);
    if (status == AIBOX_OK)
        status = sql_script(main, "COMMIT; PRAGMA incremental_vacuum", err);
    if (status == AIBOX_OK)
        status = delete_pictures(main, pictures, err);
    return status == AIBOX_OK ? sql_script(pictures, "PRAGMA incremental_vacuum", err) : status;
}

enum aibox_status wipe_copy_strangers(struct sql *main, struct aibox_error *err)
{
    enum aibox_status status = sql_script(main, "BEGIN IMMEDIATE", err);
    if (status == AIBOX_OK)
        status = clear_strangers(main, err);
    return status == AIBOX_OK ? sql_script(main, "COMMIT; PRAGMA incremental_vacuum", err) : status;
}

enum aibox_status wipe_resume(struct store *store, struct aibox_error *err)
{
    struct sql main = {0}, pictures = {0};
    int64_t mark;
    bool pending = false;

    enum aibox_status status = sql_open(&main, store->main_path, SQL_WRITER, 1024, err);
    if (status == AIBOX_OK)
        status = sql_get_values(&main, "SELECT value FROM counter WHERE name = 'wipe'", &mark, &pending, err, NULL, 0);
    if (status == AIBOX_OK && pending) {
        log_warn("store", "an interrupted wipe is finished");
        status = sql_open(&pictures, store->pictures_path, SQL_WRITER, 1024, err);
        set_bulk(&main, true);
        if (status == AIBOX_OK)
            status = finish(store, &main, &pictures, err);
    }
    sql_close(&pictures);
    sql_close(&main);
    return status;
}
