#include "store/retention.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "store/catalogue.h"

#define UNDELIVERED_FACTOR 10 /* an event that was not delivered yet is kept until there are so many times `keep` */
#define DAY_MS             INT64_C(86400000)

bool retention_is_due(const struct batch *batch)
{
    const struct store *store = batch->store;

    int64_t most_bytes = atomic_load(&store->retention_bytes);

    return atomic_load(&store->events) + batch->events_added > atomic_load(&store->retention_keep) ||
           (most_bytes > 0 && atomic_load(&store->event_bytes) + batch->event_bytes_added > most_bytes);
}

enum aibox_status event_drop(struct batch *batch, int64_t seq, bool *dropped, struct aibox_error *err)
{
    uint8_t pictures[2][UUID_BYTES];
    size_t n = 0;
    bool row;
    sqlite3_stmt *stmt = sql_begin(
        &batch->main, "DELETE FROM event WHERE seq = ? RETURNING spot_id, face_id, timestamp_ms", err, sql_int(seq));
    enum aibox_status status = stmt ? sql_step(&batch->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;

    if (dropped)
        *dropped = status == AIBOX_OK && row;
    if (status == AIBOX_OK && row) {
        for (int column = 0; column < 2; column++)
            if (sqlite3_column_bytes(stmt, column) == UUID_BYTES)
                memcpy(pictures[n++], sqlite3_column_blob(stmt, column), UUID_BYTES);
        catalogue_note_dropped(batch->store->catalogue, seq, sqlite3_column_int64(stmt, 2));
        status = sql_step(&batch->main, stmt, &row, err);
    }
    sql_end(stmt);
    for (size_t i = 0; i < n && status == AIBOX_OK; i++)
        status = batch_drop_image(batch, pictures[i], err);
    return status;
}

/* One step: what it may still drop, and what it has lost. */
struct step {
    struct batch *batch;
    size_t most;
    int64_t delivered; /* events up to here have been confirmed by every active cursor */
    size_t lost;       /* dropped events behind it */
};

/* Drops what `stmt` names; the list is read before the first is dropped. */
static enum aibox_status drop_listed(struct step *step, sqlite3_stmt *stmt, struct aibox_error *err)
{
    struct batch *batch = step->batch;
    int64_t seqs[256];
    size_t n = 0, limit = step->most < 256 ? step->most : 256;
    bool row = true;
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;

    while (status == AIBOX_OK && n < limit) {
        status = sql_step(&batch->main, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        seqs[n++] = sqlite3_column_int64(stmt, 0);
    }
    sql_end(stmt);
    for (size_t i = 0; i < n && status == AIBOX_OK; i++) {
        status = event_drop(batch, seqs[i], NULL, err);
        step->lost += seqs[i] > step->delivered;
    }
    step->most -= n;
    if (n > 0)
        batch->expired = true;
    return status;
}

/* The oldest `n`, as far as the step allows and not behind `up_to_seq`; *count is lowered by as many. */
static enum aibox_status drop_oldest(struct step *step, size_t n, int64_t up_to_seq, size_t *count,
                                     struct aibox_error *err)
{
    size_t before = step->most, held_back = n < step->most ? step->most - n : 0;

    if (n == 0 || step->most == 0)
        return AIBOX_OK;
    step->most -= held_back;
    enum aibox_status status = drop_listed(
        step,
        sql_begin(&step->batch->main, "SELECT seq FROM event WHERE seq <= ? ORDER BY seq", err, sql_int(up_to_seq)),
        err);
    step->most += held_back;
    *count -= before - step->most;
    return status;
}

/* By number: delivered ones while there are too many, others when there are far too many. */
static enum aibox_status step_by_number(struct step *step, bool *left, struct aibox_error *err)
{
    size_t keep = atomic_load(&step->batch->store->retention_keep);
    size_t far_too_many = keep * UNDELIVERED_FACTOR;
    int64_t value = 0;
    enum aibox_status status = sql_get_values(&step->batch->main, "SELECT value FROM counter WHERE name = 'events'",
                                              &value, NULL, err, NULL, 0);
    size_t count = (size_t)value;

    if (status == AIBOX_OK && count > keep)
        status = drop_oldest(step, count - keep, step->delivered, &count, err);
    if (status == AIBOX_OK && count > far_too_many)
        status = drop_oldest(step, count - far_too_many, INT64_MAX, &count, err);
    *left = step->most == 0; /* perhaps: the next step will tell */
    if (count < far_too_many - keep)
        step->batch->losing = false;
    return status;
}

static enum aibox_status read_counter(struct step *step, const char *name, int64_t *value, struct aibox_error *err)
{
    return sql_get(&step->batch->main, "SELECT value FROM counter WHERE name = ?", value, NULL, err, sql_text(name));
}

/* Said when it begins: the share can't be kept without losing what somebody waits for. */
static void judge_share(struct step *step, bool kept)
{
    if (!kept && !step->batch->crowded)
        log_warn("store",
                 "events' pictures take more of the disk than events.max_disk_share allows: those that are left "
                 "wait for history receivers");
    step->batch->crowded = !kept;
}

/* By the share of the disk: as many as are too much on average, until it fits. */
static enum aibox_status step_by_share(struct step *step, bool *left, struct aibox_error *err)
{
    int64_t most_bytes = atomic_load(&step->batch->store->retention_bytes), bytes = 0, events = 0;
    enum aibox_status status = AIBOX_OK;

    while (status == AIBOX_OK && most_bytes > 0) {
        status = read_counter(step, "event_picture_bytes", &bytes, err);
        if (status == AIBOX_OK)
            status = read_counter(step, "events", &events, err);
        if (status != AIBOX_OK || bytes <= most_bytes || events == 0 || step->most == 0)
            break;
        size_t before = step->most, count = (size_t)events;
        size_t n = (size_t)ceil((double)(bytes - most_bytes) / (double)bytes * (double)events);
        status = drop_oldest(step, n, step->delivered, &count, err);
        if (step->most == before) /* none of them may go */
            break;
    }
    if (status == AIBOX_OK && (step->most > 0 || bytes <= most_bytes))
        judge_share(step, bytes <= most_bytes || most_bytes == 0);
    *left = *left || step->most == 0;
    return status;
}

static enum aibox_status step_by_age(struct step *step, bool *left, struct aibox_error *err)
{
    unsigned days = atomic_load(&step->batch->store->retention_days);

    if (days == 0 || step->most == 0)
        return AIBOX_OK;
    sqlite3_stmt *stmt =
        sql_begin(&step->batch->main, "SELECT seq FROM event WHERE timestamp_ms < ? ORDER BY timestamp_ms", err,
                  sql_int(clock_realtime_ms() - (int64_t)days * DAY_MS));
    enum aibox_status status = drop_listed(step, stmt, err);
    *left = *left || step->most == 0;
    return status;
}

/* Counted always, said when it begins: a receiver that is away for a week would fill the log. */
static enum aibox_status count_lost(const struct step *step, struct aibox_error *err)
{
    if (step->lost == 0)
        return AIBOX_OK;
    if (!step->batch->losing)
        log_warn("store", "events are dropped that a history receiver has not confirmed first_count=%zu", step->lost);
    step->batch->losing = true;
    return sql_run(&step->batch->main,
                   "INSERT INTO counter (name, value) VALUES ('events_dropped_undelivered', ?1)"
                   " ON CONFLICT (name) DO UPDATE SET value = value + ?1",
                   err, sql_int((int64_t)step->lost));
}

enum aibox_status retention_step(struct batch *batch, size_t most, bool *left, struct aibox_error *err)
{
    struct step step = {.batch = batch, .most = most, .delivered = INT64_MAX};
    int64_t delivered;
    bool cursors = false;

    *left = false;
    enum aibox_status status = sql_get_values(&batch->main, "SELECT seq FROM cursor WHERE active ORDER BY seq LIMIT 1",
                                              &delivered, &cursors, err, NULL, 0);
    if (cursors)
        step.delivered = delivered;
    if (status == AIBOX_OK)
        status = step_by_number(&step, left, err);
    if (status == AIBOX_OK)
        status = step_by_share(&step, left, err);
    if (status == AIBOX_OK)
        status = step_by_age(&step, left, err);
    return status == AIBOX_OK ? count_lost(&step, err) : status;
}
