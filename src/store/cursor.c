/* The events in the order of commit, how far each receiver has confirmed them, and what it refused for too long. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "store/batch.h"
#include "store/event.h"

#define DAY_MS INT64_C(86400000)

/* ---- walking ------------------------------------------------------------------------------------------ */

static enum aibox_status read_after(struct sql *sql, int64_t seq, size_t limit, struct store_event_list *out,
                                    struct aibox_error *err)
{
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    bool row;
    sqlite3_stmt *stmt =
        sql_begin(sql, "SELECT " EVENT_BARE_COLUMNS " FROM event e WHERE e.seq > ? ORDER BY e.seq LIMIT ?", err,
                  sql_int(seq), sql_int((int64_t)limit));

    while (stmt && (status = sql_step(sql, stmt, &row, err)) == AIBOX_OK && row && out->count < limit) {
        status = event_read(sql, stmt, &out->items[out->count++], err);
        if (status != AIBOX_OK)
            break;
    }
    sql_end(stmt);
    return status;
}

enum aibox_status store_events_after(struct store *store, int64_t seq, size_t limit, struct store_event_list *out,
                                     struct aibox_error *err)
{
    struct reader *reader;

    *out = (struct store_event_list){0};
    if (limit < 1 || limit > 1000)
        return error_set(err, AIBOX_PARAM, "limit must be from 1 to 1000");
    out->items = calloc(limit, sizeof *out->items);
    if (!out->items)
        return out_of_memory(err);
    reader = reader_take(store->readers, err);
    enum aibox_status status = reader ? read_after(&reader->main, seq, limit, out, err) : AIBOX_PROCESS_FAILED;
    reader_return(store->readers, reader);
    if (status != AIBOX_OK)
        store_event_list_free(out);
    return status;
}

enum aibox_status store_event_find(struct store *store, const char *event_id, int64_t *seq, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);

    *seq = 0;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status =
        sql_get(&reader->main, "SELECT seq FROM event WHERE event_id <= ? ORDER BY event_id DESC LIMIT 1", seq, NULL,
                err, sql_text(event_id));
    reader_return(store->readers, reader);
    return status;
}

/* ---- cursors ------------------------------------------------------------------------------------------ */

struct activate_job {
    const struct store_cursor_wish *wishes;
    size_t n;
};

/* active 2 marks, within the transaction, those that were active before. */
static enum aibox_status run_activate(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct activate_job *job = arg;
    struct sql *sql = &batch->main;
    int64_t now_ms = clock_realtime_ms();
    int64_t newest = 0;

    enum aibox_status status = sql_run(sql, "DELETE FROM cursor WHERE NOT active AND updated_ms < ?", err,
                                       sql_int(now_ms - STORE_CURSOR_DAYS * DAY_MS));
    if (status == AIBOX_OK)
        status =
            sql_get_values(sql, "SELECT seq FROM sqlite_sequence WHERE name = 'event'", &newest, NULL, err, NULL, 0);
    if (status == AIBOX_OK)
        status = sql_exec(sql, "UPDATE cursor SET active = 2 WHERE active", err);
    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++)
        status = sql_run(sql,
                         "INSERT INTO cursor (url, seq, active, updated_ms) VALUES (?, ?, 1, ?)"
                         " ON CONFLICT (url) DO UPDATE SET active = 1",
                         err, sql_text(job->wishes[i].url), sql_int(job->wishes[i].from_oldest ? 0 : newest),
                         sql_int(now_ms));
    if (status == AIBOX_OK)
        status = sql_run(sql, "UPDATE cursor SET active = 0, updated_ms = ? WHERE active = 2", err, sql_int(now_ms));
    if (status == AIBOX_OK)
        status = sql_exec(sql, "DELETE FROM set_aside WHERE url NOT IN (SELECT url FROM cursor)", err);
    return status;
}

enum aibox_status store_cursors_activate(struct store *store, const struct store_cursor_wish *wishes, size_t n,
                                         struct aibox_error *err)
{
    struct activate_job job = {wishes, n};

    return writer_do(store->writer, CHANGE_SHARED, run_activate, &job, err);
}

enum aibox_status store_cursor_get(struct store *store, const char *url, struct store_cursor *out,
                                   struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = false;

    *out = (struct store_cursor){0};
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt =
        sql_begin(&reader->main, "SELECT seq, refused_seq, refused_ms FROM cursor WHERE url = ?", err, sql_text(url));
    enum aibox_status status = stmt ? sql_step(&reader->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && row)
        *out = (struct store_cursor){.seq = sqlite3_column_int64(stmt, 0),
                                     .refused_seq = sqlite3_column_int64(stmt, 1),
                                     .refused_ms = sqlite3_column_int64(stmt, 2)};
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status == AIBOX_OK && !row ? error_set(err, AIBOX_NOT_FOUND, "there is no cursor of that address") : status;
}

struct cursor_job {
    const char *url;
    int64_t seq;
    int64_t since_ms;
    int answered;
};

static enum aibox_status run_confirm(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct cursor_job *job = arg;

    return sql_run(&batch->main,
                   "UPDATE cursor SET seq = ?1, updated_ms = ?2,"
                   " refused_ms = iif(refused_seq > ?1, refused_ms, 0),"
                   " refused_seq = iif(refused_seq > ?1, refused_seq, 0) WHERE url = ?3 AND seq < ?1",
                   err, sql_int(job->seq), sql_int(clock_realtime_ms()), sql_text(job->url));
}

enum aibox_status store_cursor_confirm(struct store *store, const char *url, int64_t seq, struct aibox_error *err)
{
    struct cursor_job job = {.url = url, .seq = seq};

    return writer_do(store->writer, CHANGE_SHARED, run_confirm, &job, err);
}

static enum aibox_status run_refuse(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct cursor_job *job = arg;

    return sql_run(&batch->main, "UPDATE cursor SET refused_seq = ?, refused_ms = ? WHERE url = ?", err,
                   sql_int(job->seq), sql_int(job->since_ms), sql_text(job->url));
}

enum aibox_status store_cursor_refuse(struct store *store, const char *url, int64_t seq, int64_t since_ms,
                                      struct aibox_error *err)
{
    struct cursor_job job = {.url = url, .seq = seq, .since_ms = since_ms};

    return writer_do(store->writer, CHANGE_SHARED, run_refuse, &job, err);
}

/* ---- set aside ---------------------------------------------------------------------------------------- */

static enum aibox_status run_set_aside(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct cursor_job *job = arg;
    enum aibox_status status =
        sql_run(&batch->main,
                "INSERT INTO set_aside (url, seq, answered, set_aside_ms) SELECT ?, seq, ?, ? FROM event WHERE seq = ?"
                " ON CONFLICT (url, seq) DO NOTHING",
                err, sql_text(job->url), sql_int(job->answered), sql_int(clock_realtime_ms()), sql_int(job->seq));

    return status == AIBOX_OK ? run_confirm(batch, job, err) : status;
}

enum aibox_status store_event_set_aside(struct store *store, const char *url, int64_t seq, int answered,
                                        struct aibox_error *err)
{
    struct cursor_job job = {.url = url, .seq = seq, .answered = answered};

    return writer_do(store->writer, CHANGE_SHARED, run_set_aside, &job, err);
}

enum aibox_status store_set_aside_each(struct store *store, const char *url, size_t limit,
                                       bool (*each)(void *ctx, const struct store_set_aside *item), void *ctx,
                                       struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = true;

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt =
        sql_begin(&reader->main,
                  "SELECT a.set_aside_id, a.url, e.event_id, a.seq, a.answered, a.set_aside_ms, a.resend"
                  " FROM set_aside a JOIN event e ON e.seq = a.seq WHERE ?1 IS NULL OR a.url = ?1"
                  " ORDER BY a.set_aside_id LIMIT ?2",
                  err, sql_text(url), sql_int((int64_t)limit));
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK && row) {
        status = sql_step(&reader->main, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        struct store_set_aside item = {.set_aside_id = sqlite3_column_int64(stmt, 0),
                                       .url = sql_column_text(stmt, 1),
                                       .event_id = sql_column_text(stmt, 2),
                                       .seq = sqlite3_column_int64(stmt, 3),
                                       .answered = sqlite3_column_int(stmt, 4),
                                       .set_aside_ms = sqlite3_column_int64(stmt, 5),
                                       .resend = sqlite3_column_int(stmt, 6) != 0};
        row = each(ctx, &item);
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

enum aibox_status store_set_aside_count(struct store *store, const char *url, size_t *count, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    int64_t value = 0;

    *count = 0;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status =
        sql_get(&reader->main, "SELECT count(*) FROM set_aside WHERE url = ?", &value, NULL, err, sql_text(url));
    reader_return(store->readers, reader);
    *count = (size_t)value;
    return status;
}

struct resend_job {
    const char *url, *event_id;
    size_t count;
};

static enum aibox_status run_resend(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct resend_job *job = arg;
    enum aibox_status status = sql_run(&batch->main,
                                       "UPDATE set_aside SET resend = 1 WHERE (?1 IS NULL OR url = ?1)"
                                       " AND (?2 IS NULL OR seq = (SELECT seq FROM event WHERE event_id = ?2))",
                                       err, sql_text(job->url), sql_text(job->event_id));

    job->count = status == AIBOX_OK ? (size_t)sqlite3_changes(batch->main.db) : 0;
    return status;
}

enum aibox_status store_set_aside_resend(struct store *store, const char *url, const char *event_id, size_t *count,
                                         struct aibox_error *err)
{
    struct resend_job job = {.url = url, .event_id = event_id};
    enum aibox_status status = writer_do(store->writer, CHANGE_SHARED, run_resend, &job, err);

    *count = job.count;
    return status;
}

enum aibox_status store_set_aside_next(struct store *store, const char *url, int64_t *set_aside_id,
                                       struct store_event *event, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = false;
    int64_t seq = 0;

    *set_aside_id = 0;
    *event = (struct store_event){0};
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = sql_begin(&reader->main,
                                   "SELECT set_aside_id, seq FROM set_aside WHERE url = ? AND resend"
                                   " ORDER BY set_aside_id LIMIT 1",
                                   err, sql_text(url));
    enum aibox_status status = stmt ? sql_step(&reader->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && row) {
        *set_aside_id = sqlite3_column_int64(stmt, 0);
        seq = sqlite3_column_int64(stmt, 1);
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    if (status != AIBOX_OK || *set_aside_id == 0)
        return status;
    status = store_event_get_by_seq(store, seq, event, err);
    if (status == AIBOX_NOT_FOUND) { /* dropped a moment ago, and what was set aside with it */
        *set_aside_id = 0;
        status = AIBOX_OK;
    }
    return status;
}

struct done_job {
    int64_t set_aside_id;
    int answered;
};

static enum aibox_status run_set_aside_done(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct done_job *job = arg;

    if (job->answered == 0)
        return sql_run(&batch->main, "DELETE FROM set_aside WHERE set_aside_id = ?", err, sql_int(job->set_aside_id));
    return sql_run(&batch->main, "UPDATE set_aside SET resend = 0, answered = ? WHERE set_aside_id = ?", err,
                   sql_int(job->answered), sql_int(job->set_aside_id));
}

enum aibox_status store_set_aside_done(struct store *store, int64_t set_aside_id, int answered, struct aibox_error *err)
{
    struct done_job job = {set_aside_id, answered};

    return writer_do(store->writer, CHANGE_SHARED, run_set_aside_done, &job, err);
}
