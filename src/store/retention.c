#include "store/retention.h"

#include <string.h>

#include "core/clock.h"
#include "core/log.h"

#define UNDELIVERED_FACTOR 10 /* an event that was not delivered yet is kept until there are so many times `keep` */
#define DAY_MS             INT64_C(86400000)

bool retention_is_due(const struct batch *batch)
{
    const struct store *store = batch->store;

    return atomic_load(&store->events) + batch->events_added > atomic_load(&store->retention_keep);
}

enum aibox_status event_drop(struct batch *batch, int64_t seq, bool *dropped, struct aibox_error *err)
{
    uint8_t pictures[2][UUID_BYTES];
    size_t n = 0;
    bool row;
    sqlite3_stmt *stmt =
        sql_begin(&batch->main, "DELETE FROM event WHERE seq = ? RETURNING spot_id, face_id", err, sql_int(seq));
    enum aibox_status status = stmt ? sql_step(&batch->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;

    if (dropped)
        *dropped = status == AIBOX_OK && row;
    if (status == AIBOX_OK && row) {
        for (int column = 0; column < 2; column++)
            if (sqlite3_column_bytes(stmt, column) == UUID_BYTES)
                memcpy(pictures[n++], sqlite3_column_blob(stmt, column), UUID_BYTES);
        status = sql_step(&batch->main, stmt, &row, err);
    }
    sql_end(stmt);
    for (size_t i = 0; i < n && status == AIBOX_OK; i++)
        status = batch_drop_image(batch, pictures[i], err);
    return status;
}

/* Drops what `stmt` names; the list is read before the first is dropped. */
static enum aibox_status drop_listed(struct batch *batch, sqlite3_stmt *stmt, size_t *most, struct aibox_error *err)
{
    int64_t seqs[256];
    size_t n = 0, limit = *most < 256 ? *most : 256;
    bool row = true;
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;

    while (status == AIBOX_OK && n < limit) {
        status = sql_step(&batch->main, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        seqs[n++] = sqlite3_column_int64(stmt, 0);
    }
    sql_end(stmt);
    for (size_t i = 0; i < n && status == AIBOX_OK; i++)
        status = event_drop(batch, seqs[i], NULL, err);
    *most -= n;
    if (n > 0)
        batch->expired = true;
    return status;
}

static enum aibox_status drop_oldest(struct batch *batch, size_t n, int64_t up_to_seq, size_t *most,
                                     struct aibox_error *err)
{
    size_t allowed = n < *most ? n : *most;
    size_t left = allowed;
    sqlite3_stmt *stmt;

    if (allowed == 0)
        return AIBOX_OK;
    stmt = sql_begin(&batch->main, "SELECT seq FROM event WHERE seq <= ? ORDER BY seq", err, sql_int(up_to_seq));
    enum aibox_status status = drop_listed(batch, stmt, &left, err);
    *most -= allowed - left;
    return status;
}

static enum aibox_status count_undelivered(struct batch *batch, size_t dropped, struct aibox_error *err)
{
    if (dropped == 0)
        return AIBOX_OK;
    log_warn("store", "events dropped before they were delivered count=%zu", dropped);
    return sql_run(&batch->main,
                   "INSERT INTO counter (name, value) VALUES ('events_dropped_undelivered', ?1)"
                   " ON CONFLICT (name) DO UPDATE SET value = value + ?1",
                   err, sql_int((int64_t)dropped));
}

/* By number: delivered ones while there are too many, others when there are far too many. */
static enum aibox_status step_by_number(struct batch *batch, size_t *most, bool *left, struct aibox_error *err)
{
    size_t keep = atomic_load(&batch->store->retention_keep);
    int64_t count = 0, delivered = 0;
    bool cursors = false;
    enum aibox_status status =
        sql_get_values(&batch->main, "SELECT value FROM counter WHERE name = 'events'", &count, NULL, err, NULL, 0);

    if (status == AIBOX_OK)
        status = sql_get_values(&batch->main, "SELECT seq FROM cursor WHERE active ORDER BY seq LIMIT 1", &delivered,
                                &cursors, err, NULL, 0);
    if (status != AIBOX_OK || (size_t)count <= keep)
        return status;
    size_t excess = (size_t)count - keep;
    size_t before = *most;
    status = drop_oldest(batch, excess, cursors ? delivered : INT64_MAX, most, err);
    excess -= before - *most;

    size_t far_too_many = keep * UNDELIVERED_FACTOR;
    size_t now = keep + excess;
    if (status == AIBOX_OK && *most > 0 && cursors && now > far_too_many) {
        before = *most;
        status = drop_oldest(batch, now - far_too_many, INT64_MAX, most, err);
        if (status == AIBOX_OK)
            status = count_undelivered(batch, before - *most, err);
    }
    *left = *most == 0; /* perhaps: the next step will tell */
    return status;
}

enum aibox_status retention_step(struct batch *batch, size_t most, bool *left, struct aibox_error *err)
{
    unsigned days = atomic_load(&batch->store->retention_days);

    *left = false;
    enum aibox_status status = step_by_number(batch, &most, left, err);
    if (status != AIBOX_OK || days == 0 || most == 0)
        return status;
    sqlite3_stmt *stmt = sql_begin(&batch->main, "SELECT seq FROM event WHERE timestamp_ms < ? ORDER BY timestamp_ms",
                                   err, sql_int(clock_realtime_ms() - (int64_t)days * DAY_MS));
    status = drop_listed(batch, stmt, &most, err);
    *left = *left || most == 0;
    return status;
}
