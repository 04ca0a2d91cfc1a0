#include "store/tally.h"

#include "core/clock.h"
#include "store/readers.h"

#define DAY_MS INT64_C(86400000)

enum aibox_status tally_expire(struct batch *batch, struct aibox_error *err)
{
    return sql_run(&batch->main, "DELETE FROM tally WHERE quarter < ?", err,
                   sql_int((clock_realtime_ms() - STORE_TALLY_DAYS * DAY_MS) / STORE_TALLY_MS));
}

enum aibox_status store_tally_each(struct store *store, int64_t from_ms, int64_t to_ms,
                                   void (*each)(void *ctx, const struct store_tally *tally), void *ctx,
                                   struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = NULL;
    bool row = true;

    if (!reader)
        return status;
    stmt = sql_begin(&reader->main,
                     "SELECT quarter, kind, count FROM tally WHERE quarter >= ? AND quarter < ? AND count > 0"
                     " ORDER BY quarter, kind",
                     err, sql_int(from_ms / STORE_TALLY_MS), sql_int((to_ms + STORE_TALLY_MS - 1) / STORE_TALLY_MS));
    status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK) {
        status = sql_step(&reader->main, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        struct store_tally tally = {.start_ms = sqlite3_column_int64(stmt, 0) * STORE_TALLY_MS,
                                    .kind = sql_column_text(stmt, 1),
                                    .count = sqlite3_column_int64(stmt, 2)};
        each(ctx, &tally);
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}
