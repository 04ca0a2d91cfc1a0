/* The outbox: messages that must arrive, by lane, until they have. Who sends them is the business of others. */
#include "store/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"

enum aibox_status outbox_check(const struct store_message *messages, size_t n, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < n && status == AIBOX_OK; i++) {
        status = text_check("lane", messages[i].lane, false, STORE_MAX_LANE, err);
        if (status == AIBOX_OK && messages[i].size > STORE_MAX_OUTBOX_BYTES)
            status = error_set(err, AIBOX_PARAM, "a message is longer than %zu bytes", STORE_MAX_OUTBOX_BYTES);
    }
    return status;
}

/* A lane's rows are counted by its index; to stop counting at the limit keeps that cheap. */
static enum aibox_status check_room(struct batch *batch, const char *lane, struct aibox_error *err)
{
    int64_t count = 0;
    enum aibox_status status =
        sql_get(&batch->main, "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE lane = ? LIMIT ?)", &count, NULL, err,
                sql_text(lane), sql_int(STORE_MAX_OUTBOX));

    if (status == AIBOX_OK && count >= STORE_MAX_OUTBOX)
        status = error_set(err, AIBOX_TOO_MANY_REQUESTS,
                           "%d messages wait for that destination already, the most that "
                           "are kept",
                           STORE_MAX_OUTBOX);
    return status;
}

enum aibox_status outbox_put(struct batch *batch, const struct store_message *messages, size_t n,
                             struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    int64_t now_ms = clock_realtime_ms();

    for (size_t i = 0; i < n && status == AIBOX_OK; i++) {
        status = check_room(batch, messages[i].lane, err);
        if (status == AIBOX_OK)
            status =
                sql_run(&batch->main, "INSERT INTO outbox (lane, created_ms, payload) VALUES (?, ?, ?)", err,
                        sql_text(messages[i].lane), sql_int(now_ms), sql_blob(messages[i].payload, messages[i].size));
        batch->outbox_added = true;
    }
    return status;
}

enum aibox_status outbox_put_along(struct batch *batch, const struct store_messages *messages, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    size_t left_out = 0;

    for (size_t i = 0; messages && i < messages->count && status == AIBOX_OK; i++) {
        status = outbox_put(batch, &messages->items[i], 1, err);
        if (status == AIBOX_TOO_MANY_REQUESTS) {
            left_out++;
            status = AIBOX_OK;
        }
    }
    if (left_out > 0)
        log_warn("store", "messages are lost: too many wait for their destination lane=%s count=%zu",
                 messages->items[0].lane, left_out);
    return status;
}

struct add_job {
    const struct store_message *messages;
    size_t n;
};

static enum aibox_status run_add(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct add_job *job = arg;

    return outbox_put(batch, job->messages, job->n, err);
}

enum aibox_status store_outbox_add(struct store *store, const struct store_message *messages, size_t n,
                                   struct aibox_error *err)
{
    struct add_job job = {messages, n};
    enum aibox_status status = outbox_check(messages, n, err);

    return status == AIBOX_OK && n > 0 ? writer_do(store->writer, CHANGE_SHARED, run_add, &job, err) : status;
}

/* ---- reading ------------------------------------------------------------------------------------------ */

static enum aibox_status read_message(sqlite3_stmt *stmt, struct store_outbox_message *out, struct aibox_error *err)
{
    const void *bytes = sqlite3_column_blob(stmt, 2);

    out->size = (size_t)sqlite3_column_bytes(stmt, 2);
    out->payload = malloc(out->size + 1);
    if (!out->payload)
        return out_of_memory(err);
    if (out->size > 0)
        memcpy(out->payload, bytes, out->size);
    out->payload[out->size] = '\0';
    out->outbox_id = sqlite3_column_int64(stmt, 0);
    out->created_ms = sqlite3_column_int64(stmt, 1);
    return AIBOX_OK;
}

enum aibox_status store_outbox_after(struct store *store, const char *lane, int64_t outbox_id,
                                     struct store_outbox_message *out, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = false;

    *out = (struct store_outbox_message){0};
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = sql_begin(&reader->main,
                                   "SELECT outbox_id, created_ms, payload FROM outbox WHERE lane = ? AND outbox_id > ?"
                                   " ORDER BY outbox_id LIMIT 1",
                                   err, sql_text(lane), sql_int(outbox_id));
    enum aibox_status status = stmt ? sql_step(&reader->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && row)
        status = read_message(stmt, out, err);
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

enum aibox_status store_outbox_next(struct store *store, const char *lane, struct store_outbox_message *out,
                                    struct aibox_error *err)
{
    return store_outbox_after(store, lane, 0, out, err);
}

void store_outbox_message_free(struct store_outbox_message *message)
{
    free(message->payload);
    *message = (struct store_outbox_message){0};
}

enum aibox_status store_outbox_count(struct store *store, const char *lane, size_t *count, int64_t *oldest_ms,
                                     struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = false;

    *count = 0;
    *oldest_ms = 0;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt =
        sql_begin(&reader->main, "SELECT count(*), min(created_ms) FROM outbox WHERE lane = ?", err, sql_text(lane));
    enum aibox_status status = stmt ? sql_step(&reader->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && row) {
        *count = (size_t)sqlite3_column_int64(stmt, 0);
        *oldest_ms = sqlite3_column_int64(stmt, 1);
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

/* The first lane behind *name, which is replaced by it (NULL: there is none). */
static enum aibox_status next_lane(struct sql *sql, char **name, const char *end, struct aibox_error *err)
{
    char *next = NULL;
    bool row = false;
    sqlite3_stmt *stmt = sql_begin(sql, "SELECT lane FROM outbox WHERE lane > ? AND lane < ? ORDER BY lane LIMIT 1",
                                   err, sql_text(*name), sql_text(end));
    enum aibox_status status = stmt ? sql_step(sql, stmt, &row, err) : AIBOX_PROCESS_FAILED;

    if (status == AIBOX_OK && row && !(next = strdup(sql_column_text(stmt, 0))))
        status = out_of_memory(err);
    sql_end(stmt);
    free(*name);
    *name = next;
    return status;
}

enum aibox_status store_outbox_lanes(struct store *store, const char *prefix, size_t limit, struct store_text_list *out,
                                     struct aibox_error *err)
{
    char *name = strdup(prefix), *end = strdup(prefix);
    enum aibox_status status = AIBOX_OK;
    struct reader *reader = NULL;

    *out = (struct store_text_list){.items = calloc(limit + 1, sizeof(char *))};
    if (!name || !end || !out->items)
        status = out_of_memory(err);
    else if (!(reader = reader_take(store->readers, err)))
        status = AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && end)
        end[strlen(end) - 1]++; /* the first name that doesn't begin so */
    /* From lane to lane by the index, however many messages each holds. */
    while (status == AIBOX_OK && out->count < limit) {
        status = next_lane(&reader->main, &name, end, err);
        if (!name)
            break;
        out->items[out->count] = strdup(name);
        if (!out->items[out->count])
            status = out_of_memory(err);
        else
            out->count++;
    }
    reader_return(store->readers, reader);
    free(end);
    free(name);
    if (status != AIBOX_OK)
        store_text_list_free(out);
    return status;
}

/* ---- taking out --------------------------------------------------------------------------------------- */

struct done_job {
    const int64_t *ids;
    size_t n;
};

static enum aibox_status run_done(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct done_job *job = arg;
    enum aibox_status status = AIBOX_OK;

    batch->deleted = true; /* their text is nobody's business any more */
    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++)
        status = sql_run(&batch->main, "DELETE FROM outbox WHERE outbox_id = ?", err, sql_int(job->ids[i]));
    return status;
}

enum aibox_status store_outbox_done_all(struct store *store, const int64_t *outbox_ids, size_t n,
                                        struct aibox_error *err)
{
    struct done_job job = {outbox_ids, n};

    return writer_do(store->writer, CHANGE_SHARED, run_done, &job, err);
}

enum aibox_status store_outbox_done(struct store *store, int64_t outbox_id, struct aibox_error *err)
{
    return store_outbox_done_all(store, &outbox_id, 1, err);
}

static enum aibox_status run_clear(struct batch *batch, void *arg, struct aibox_error *err)
{
    batch->deleted = true;
    return sql_run(&batch->main, "DELETE FROM outbox WHERE lane = ?", err, sql_text(arg));
}

enum aibox_status store_outbox_clear(struct store *store, const char *lane, struct aibox_error *err)
{
    return writer_do(store->writer, CHANGE_SHARED, run_clear, (void *)lane, err);
}
