/* Commands that could not be executed: a bounded record for whoever looks for the reason. */
#include "store/dead_command.h"

#include "core/clock.h"
#include "store/commands.h"

#define DAY_MS INT64_C(86400000)

static enum aibox_status run_add(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct store_dead_command *dead = arg;
    enum aibox_status status = sql_run(
        &batch->main, "INSERT INTO dead_command (time_ms, method, message_id, reason, excerpt) VALUES (?, ?, ?, ?, ?)",
        err, sql_int(clock_realtime_ms()), sql_text(dead->method), sql_text(dead->message_id), sql_text(dead->reason),
        sql_text(dead->excerpt));

    if (status == AIBOX_OK)
        status = sql_run(&batch->main, "DELETE FROM dead_command WHERE dead_id <= ?", err,
                         sql_int(sqlite3_last_insert_rowid(batch->main.db) - STORE_DEAD_MAX));
    return status;
}

enum aibox_status store_dead_command_add(struct store *store, const struct store_dead_command *dead,
                                         struct aibox_error *err)
{
    struct store_dead_command job = *dead;
    enum aibox_status status = text_check("method", dead->method, true, STORE_MAX_NAME, err);

    if (status == AIBOX_OK)
        status = text_check("messageId", dead->message_id, true, STORE_MAX_MESSAGE_ID, err);
    if (status == AIBOX_OK)
        status = text_check("reason", dead->reason, true, STORE_MAX_DEAD_TEXT, err);
    if (status == AIBOX_OK)
        status = text_check("excerpt", dead->excerpt, true, STORE_MAX_DEAD_TEXT, err);
    return status == AIBOX_OK ? writer_do(store->writer, CHANGE_SHARED, run_add, &job, err) : status;
}

enum aibox_status store_dead_command_each(struct store *store, size_t skip, size_t limit,
                                          bool (*each)(void *ctx, const struct store_dead_command *dead), void *ctx,
                                          size_t *total, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    int64_t count = 0;
    bool row = true;

    *total = 0;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status =
        sql_get_values(&reader->main, "SELECT count(*) FROM dead_command", &count, NULL, err, NULL, 0);
    sqlite3_stmt *stmt = NULL;
    if (status == AIBOX_OK) {
        stmt = sql_begin(&reader->main,
                         "SELECT dead_id, time_ms, method, message_id, reason, excerpt FROM dead_command"
                         " ORDER BY dead_id DESC LIMIT ? OFFSET ?",
                         err, sql_int((int64_t)limit), sql_int((int64_t)skip));
        status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    }
    while (status == AIBOX_OK && (status = sql_step(&reader->main, stmt, &row, err)) == AIBOX_OK && row) {
        struct store_dead_command dead = {.dead_id = sqlite3_column_int64(stmt, 0),
                                          .time_ms = sqlite3_column_int64(stmt, 1),
                                          .method = sql_column_text(stmt, 2),
                                          .message_id = sql_column_text(stmt, 3),
                                          .reason = sql_column_text(stmt, 4),
                                          .excerpt = sql_column_text(stmt, 5)};
        if (!each(ctx, &dead))
            break;
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    *total = (size_t)count;
    return status;
}

enum aibox_status dead_command_expire(struct batch *batch, struct aibox_error *err)
{
    enum aibox_status status =
        sql_run(&batch->main, "UPDATE dead_command SET excerpt = '' WHERE time_ms < ? AND excerpt <> ''", err,
                sql_int(clock_realtime_ms() - STORE_DEAD_EXCERPT_DAYS * DAY_MS));

    if (status == AIBOX_OK && sqlite3_changes(batch->main.db) > 0)
        batch->expired = true; /* they name people: old copies are to leave the WAL */
    return status;
}
