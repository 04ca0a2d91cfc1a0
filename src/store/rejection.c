/* Rejections: faces of events of which an operator said that they are not a certain person's. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "store/batch.h"
#include "store/seal_rows.h"

struct add_job {
    const char *event_id, *identity_id;
    int64_t now_ms;
    int64_t rejection_id;
};

static enum aibox_status find_pair(struct batch *batch, const struct add_job *job, int64_t *seq, int64_t *person_id,
                                   struct aibox_error *err)
{
    bool found;
    enum aibox_status status =
        sql_get(&batch->main, "SELECT seq FROM event WHERE event_id = ?", seq, &found, err, sql_text(job->event_id));

    if (status == AIBOX_OK && !found)
        return error_set(err, AIBOX_NOT_FOUND, "event_id: there is no event '%.64s'", job->event_id);
    if (status == AIBOX_OK)
        status = sql_get(&batch->main, "SELECT person_id FROM person WHERE identity_id = ?", person_id, &found, err,
                         sql_text(job->identity_id));
    if (status == AIBOX_OK && !found)
        return error_set(err, AIBOX_ID_NOT_FOUND, "identity_id: there is no '%.64s'", job->identity_id);
    return status;
}

static enum aibox_status check_room(struct batch *batch, struct aibox_error *err)
{
    int64_t count = 0;
    enum aibox_status status =
        sql_get_values(&batch->main, "SELECT count(*) FROM rejection", &count, NULL, err, NULL, 0);

    if (status == AIBOX_OK && count >= STORE_MAX_REJECTIONS)
        return error_set(err, AIBOX_TOO_MANY_REQUESTS, "%d rejections are kept, the most there may be: take some back",
                         STORE_MAX_REJECTIONS);
    return status;
}

static enum aibox_status insert(struct batch *batch, struct add_job *job, int64_t seq, int64_t person_id,
                                struct aibox_error *err)
{
    enum aibox_status status = sql_run(
        &batch->main,
        "INSERT INTO rejection (person_id, event_seq, event_id, created_ms, model_set_id, key_id, nonce, feature)"
        " SELECT ?1, seq, ?2, ?3, model_set_id, key_id, nonce, feature FROM event_feature WHERE seq = ?4",
        err, sql_int(person_id), sql_text(job->event_id), sql_int(job->now_ms), sql_int(seq));

    if (status == AIBOX_OK && sqlite3_changes(batch->main.db) == 0)
        return error_set(err, AIBOX_PARAM, "event_id: no face is kept with that event");
    job->rejection_id = sqlite3_last_insert_rowid(batch->main.db);
    if (status == AIBOX_OK)
        status = sql_run(&batch->main,
                         "DELETE FROM rejection WHERE person_id = ?1 AND rejection_id NOT IN (SELECT rejection_id FROM"
                         " rejection WHERE person_id = ?1 ORDER BY rejection_id DESC LIMIT ?2)",
                         err, sql_int(person_id), sql_int(STORE_REJECTIONS_PER_PERSON));
    return status;
}

static enum aibox_status run_add(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct add_job *job = arg;
    int64_t seq = 0, person_id = 0;
    bool known = false;
    enum aibox_status status = find_pair(batch, job, &seq, &person_id, err);

    if (status == AIBOX_OK)
        status = sql_get(&batch->main, "SELECT rejection_id FROM rejection WHERE person_id = ? AND event_seq = ?",
                         &job->rejection_id, &known, err, sql_int(person_id), sql_int(seq));
    if (status != AIBOX_OK || known)
        return status;
    status = check_room(batch, err);
    return status == AIBOX_OK ? insert(batch, job, seq, person_id, err) : status;
}

enum aibox_status store_rejection_add(struct store *store, const char *event_id, const char *identity_id,
                                      int64_t *rejection_id, struct aibox_error *err)
{
    struct add_job job = {.event_id = event_id, .identity_id = identity_id, .now_ms = clock_realtime_ms()};
    enum aibox_status status = writer_do(store->writer, CHANGE_SHARED, run_add, &job, err);

    if (status == AIBOX_OK)
        *rejection_id = job.rejection_id;
    return status;
}

static enum aibox_status run_delete(struct batch *batch, void *arg, struct aibox_error *err)
{
    const int64_t *rejection_id = arg;
    enum aibox_status status =
        sql_run(&batch->main, "DELETE FROM rejection WHERE rejection_id = ?", err, sql_int(*rejection_id));

    if (status == AIBOX_OK && sqlite3_changes(batch->main.db) == 0)
        return error_set(err, AIBOX_NOT_FOUND, "there is no rejection %lld", (long long)*rejection_id);
    batch->deleted = true;
    return status;
}

enum aibox_status store_rejection_delete(struct store *store, int64_t rejection_id, struct aibox_error *err)
{
    return writer_do(store->writer, CHANGE_SHARED, run_delete, &rejection_id, err);
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

static enum aibox_status list(struct sql *sql, const char *identity_id, size_t skip, size_t limit,
                              void (*each)(void *ctx, const struct store_rejection *rejection), void *ctx,
                              struct aibox_error *err)
{
    bool row;
    sqlite3_stmt *stmt = sql_begin(
        sql,
        "SELECT r.rejection_id, p.identity_id, p.name, r.event_id, r.created_ms FROM rejection r JOIN person p"
        " ON p.person_id = r.person_id WHERE ?1 IS NULL OR p.identity_id = ?1"
        " ORDER BY r.rejection_id DESC LIMIT ?2 OFFSET ?3",
        err, sql_text(identity_id), sql_int((int64_t)limit), sql_int((int64_t)skip));
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;

    while (status == AIBOX_OK && (status = sql_step(sql, stmt, &row, err)) == AIBOX_OK && row) {
        struct store_rejection rejection = {.rejection_id = sqlite3_column_int64(stmt, 0),
                                            .identity_id = sql_column_text(stmt, 1),
                                            .name = sql_column_text(stmt, 2),
                                            .event_id = sql_column_text(stmt, 3),
                                            .created_ms = sqlite3_column_int64(stmt, 4)};
        each(ctx, &rejection);
    }
    sql_end(stmt);
    return status;
}

enum aibox_status store_rejection_list(struct store *store, const char *identity_id, size_t skip, size_t limit,
                                       void (*each)(void *ctx, const struct store_rejection *rejection), void *ctx,
                                       size_t *total, struct aibox_error *err)
{
    int64_t count = 0;
    struct reader *reader = reader_take(store->readers, err);

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = sql_get(&reader->main,
                                       "SELECT count(*) FROM rejection WHERE ?1 IS NULL OR person_id ="
                                       " (SELECT person_id FROM person WHERE identity_id = ?1)",
                                       &count, NULL, err, sql_text(identity_id));
    if (status == AIBOX_OK)
        status = list(&reader->main, identity_id, skip, limit, each, ctx, err);
    reader_return(store->readers, reader);
    *total = (size_t)count;
    return status;
}

static enum aibox_status tell_features(struct sql *sql, sqlite3_stmt *stmt,
                                       bool (*each)(void *ctx, int64_t person_id, const float *feature), void *ctx,
                                       struct aibox_error *err)
{
    uint16_t half[STORE_DIMENSION];
    float feature[STORE_DIMENSION];
    enum aibox_status status;
    bool row;

    while ((status = sql_step(sql, stmt, &row, err)) == AIBOX_OK && row) {
        struct seal_place place = seal_place_event(sqlite3_column_int64(stmt, 1)); /* copied from there as it was */
        size_t size;
        status = seal_column_read(sql->ring, stmt, 2, &place, half, sizeof half, &size, err);
        if (status != AIBOX_OK && seal_knows(sql->ring, sqlite3_column_int64(stmt, 2))) {
            log_error("store", "a rejected face was changed and is left out event=%lld", (long long)place.number);
            continue;
        }
        if (status != AIBOX_OK)
            break;
        if (size != sizeof half)
            return error_set(err, AIBOX_PROCESS_FAILED, "a stored feature has %zu bytes", size);
        half_to_float(half, feature, STORE_DIMENSION);
        if (!each(ctx, sqlite3_column_int64(stmt, 0), feature))
            break;
    }
    return status;
}

enum aibox_status store_rejection_features(struct store *store, const char *model_set,
                                           bool (*each)(void *ctx, int64_t person_id, const float *feature), void *ctx,
                                           struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt =
        sql_begin(&reader->main,
                  "SELECT r.person_id, r.event_seq, r.key_id, r.nonce, r.feature FROM rejection r JOIN model_set m"
                  " ON m.model_set_id = r.model_set_id WHERE m.name = ? ORDER BY r.person_id, r.rejection_id",
                  err, sql_text(model_set));
    enum aibox_status status =
        stmt ? tell_features(&reader->main, stmt, each, ctx, err) : (enum aibox_status)AIBOX_PROCESS_FAILED;
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}
