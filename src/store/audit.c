/*
 * The audit log: the newest entries of changes and of refused calls. People are in it as keyed hashes (BLAKE2b, 8
 * bytes): entries about one person can be told to be about the same one, and, by who knows the id, about whom, as long
 * as the key exists.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/id.h"
#include "store/batch.h"
#include "store/callers.h"

#define KEY_SIZE   32
#define HASH_SIZE  16 /* of what crypto_generichash makes the first PRINT_SIZE bytes are shown */
#define PRINT_SIZE 8
#define MOST_NAMED 20 /* people of one entry */

struct add_job {
    const struct store_audit *entry;
    const char *const *people;
    size_t n_people;
    int64_t audit_id; /* set when it was added */
};

#define PRUNE_EVERY 256 /* changes; looking for the oldest that stays takes a few milliseconds */

/* The key, made when there is none. */
static enum aibox_status take_key(struct sql *sql, uint8_t key[KEY_SIZE], struct aibox_error *err)
{
    bool row = false;
    sqlite3_stmt *stmt = sql_begin_values(sql, "SELECT key FROM audit_key", err, NULL, 0);
    enum aibox_status status = stmt ? sql_step(sql, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    bool usable = status == AIBOX_OK && row && sqlite3_column_bytes(stmt, 0) == KEY_SIZE;

    if (usable)
        memcpy(key, sqlite3_column_blob(stmt, 0), KEY_SIZE);
    sql_end(stmt);
    if (status != AIBOX_OK || usable)
        return status;
    id_random(key, KEY_SIZE);
    return sql_run(sql, "INSERT INTO audit_key (key) VALUES (?)", err, sql_blob(key, KEY_SIZE));
}

static enum aibox_status name_people(struct sql *sql, const struct add_job *job, struct buffer *what,
                                     struct aibox_error *err)
{
    uint8_t key[KEY_SIZE];
    enum aibox_status status = take_key(sql, key, err);

    for (size_t i = 0; i < job->n_people && i < MOST_NAMED && status == AIBOX_OK; i++) {
        uint8_t hash[HASH_SIZE];
        char text[2 * PRINT_SIZE + 1];
        const char *before = i > 0 ? "," : what->size > 0 ? " people=" : "people=";

        crypto_generichash(hash, sizeof hash, (const uint8_t *)job->people[i], strlen(job->people[i]), key, sizeof key);
        sodium_bin2hex(text, sizeof text, hash, PRINT_SIZE);
        (void)buffer_appendf(what, "%s%s", before, text);
    }
    if (job->n_people > MOST_NAMED)
        (void)buffer_appendf(what, " and %zu more", job->n_people - MOST_NAMED);
    sodium_memzero(key, sizeof key);
    return status;
}

/* Refused calls come as often as strangers like, so each kind has a limit of its own. */
static enum aibox_status prune(struct sql *sql, const struct store_audit *entry, int64_t audit_id,
                               struct aibox_error *err)
{
    if (entry->refused > 0)
        return sql_run(sql,
                       "DELETE FROM audit WHERE refused > 0 AND audit_id <= (SELECT audit_id FROM audit"
                       " WHERE refused > 0 ORDER BY audit_id DESC LIMIT 1 OFFSET ?)",
                       err, sql_int(STORE_MAX_REFUSALS));
    if (audit_id <= STORE_MAX_AUDIT || audit_id % PRUNE_EVERY != 0)
        return AIBOX_OK;
    return sql_run(sql,
                   "DELETE FROM audit WHERE refused = 0 AND audit_id <= (SELECT audit_id FROM audit"
                   " WHERE refused = 0 ORDER BY audit_id DESC LIMIT 1 OFFSET ?)",
                   err, sql_int(STORE_MAX_AUDIT));
}

static enum aibox_status insert(struct sql *sql, const struct store_audit *entry, const char *what, int64_t *audit_id,
                                struct aibox_error *err)
{
    enum aibox_status status =
        sql_run(sql,
                "INSERT INTO audit (time_ms, who, role, address, method, path, what, status, refused)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                err, sql_int(entry->time_ms), sql_text(entry->who), sql_text(entry->role), sql_text(entry->address),
                sql_text(entry->method), sql_text(entry->path), sql_text(what), sql_int(entry->status),
                sql_int((int64_t)entry->refused));

    *audit_id = sqlite3_last_insert_rowid(sql->db);
    return status == AIBOX_OK ? prune(sql, entry, *audit_id, err) : status;
}

static enum aibox_status run_add(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct add_job *job = arg;
    enum aibox_status status = AIBOX_OK;
    struct buffer what;

    buffer_init(&what, 2 * STORE_MAX_DESCRIPTION);
    (void)buffer_append_text(&what, job->entry->what);
    if (job->n_people > 0)
        status = name_people(&batch->main, job, &what, err);
    if (status == AIBOX_OK && what.failed)
        status = out_of_memory(err);
    if (status == AIBOX_OK)
        status = insert(&batch->main, job->entry, what.data ? (const char *)what.data : "", &job->audit_id, err);
    buffer_free(&what);
    return status;
}

enum aibox_status store_audit_add(struct store *store, const struct store_audit *entry, const char *const *people,
                                  size_t n_people, struct aibox_error *err)
{
    struct add_job job = {.entry = entry, .people = people, .n_people = n_people};
    enum aibox_status status = text_check("what", entry->what, true, STORE_MAX_DESCRIPTION, err);

    return status == AIBOX_OK ? writer_do(store->writer, CHANGE_SHARED, run_add, &job, err) : status;
}

enum aibox_status store_audit_add_refused(struct store *store, const struct store_audit *entry, int64_t *audit_id,
                                          struct aibox_error *err)
{
    struct add_job job = {.entry = entry};
    enum aibox_status status = writer_do(store->writer, CHANGE_SHARED, run_add, &job, err);

    *audit_id = status == AIBOX_OK ? job.audit_id : 0;
    return status;
}

struct recount_job {
    int64_t audit_id;
    uint64_t refused;
};

static enum aibox_status run_recount(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct recount_job *job = arg;

    return sql_run(&batch->main, "UPDATE audit SET refused = ? WHERE audit_id = ?", err, sql_int((int64_t)job->refused),
                   sql_int(job->audit_id));
}

enum aibox_status store_audit_recount(struct store *store, int64_t audit_id, uint64_t refused, struct aibox_error *err)
{
    struct recount_job job = {audit_id, refused};

    return writer_do(store->writer, CHANGE_SHARED, run_recount, &job, err);
}

#define COLUMNS "SELECT time_ms, who, role, address, method, path, what, status, refused FROM audit"
#define PAGE    " ORDER BY audit_id DESC LIMIT ? OFFSET ?"

static const struct {
    const char *count, *page;
} by_kind[] = {
    [STORE_AUDIT_ALL] = {"SELECT count(*) FROM audit", COLUMNS PAGE},
    [STORE_AUDIT_CHANGES] = {"SELECT (SELECT count(*) FROM audit) - (SELECT count(*) FROM audit WHERE refused > 0)",
                             COLUMNS " WHERE refused = 0" PAGE},
    [STORE_AUDIT_REFUSALS] = {"SELECT count(*) FROM audit WHERE refused > 0", COLUMNS " WHERE refused > 0" PAGE},
};

enum aibox_status store_audit_each(struct store *store, enum store_audit_kind kind, size_t skip, size_t limit,
                                   void (*each)(void *ctx, const struct store_audit *entry), void *ctx, size_t *total,
                                   struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    int64_t count = 0;
    bool row = true;

    *total = 0;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = sql_get_values(&reader->main, by_kind[kind].count, &count, NULL, err, NULL, 0);
    sqlite3_stmt *stmt = NULL;
    if (status == AIBOX_OK) {
        stmt = sql_begin(&reader->main, by_kind[kind].page, err, sql_int((int64_t)limit), sql_int((int64_t)skip));
        status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    }
    while (status == AIBOX_OK && row) {
        status = sql_step(&reader->main, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        struct store_audit entry = {.time_ms = sqlite3_column_int64(stmt, 0),
                                    .who = sql_column_text(stmt, 1),
                                    .role = sql_column_text(stmt, 2),
                                    .address = sql_column_text(stmt, 3),
                                    .method = sql_column_text(stmt, 4),
                                    .path = sql_column_text(stmt, 5),
                                    .what = sql_column_text(stmt, 6),
                                    .status = sqlite3_column_int(stmt, 7),
                                    .refused = (uint64_t)sqlite3_column_int64(stmt, 8)};
        each(ctx, &entry);
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    *total = (size_t)count;
    return status;
}
