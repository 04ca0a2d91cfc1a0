/* Strangers: coming with events, going, and being read. */
#include "store/stranger.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "store/seal_rows.h"
#include "store/strangers.h"

#define DAY_MS      INT64_C(86400000)
#define MAKE_ROOM   16 /* dropped for one that comes, at most: the rest is for upkeep */
#define HALF_SIZE   (STORE_DIMENSION * sizeof(uint16_t))
#define MAX_DEVICES 1000

void store_set_strangers(struct store *store, const struct store_stranger_rules *rules)
{
    size_t keep = rules->keep < STORE_MAX_STRANGERS ? rules->keep : STORE_MAX_STRANGERS;

    atomic_store(&store->stranger_days, rules->days > 0 ? rules->days : 1);
    atomic_store(&store->stranger_absent_ms, rules->absent_ms);
    atomic_store(&store->stranger_keep, keep);
    writer_nudge(store->writer);
}

int64_t store_stranger_reserve(struct store *store)
{
    return atomic_fetch_add(&store->last_stranger, 1) + 1;
}

/* ---- going ------------------------------------------------------------------------------------------------ */

/* Runs a "DELETE … RETURNING stranger_id" and has the listener told; the statement is ended. */
static enum aibox_status drop(struct batch *batch, sqlite3_stmt *stmt, size_t *dropped, struct aibox_error *err)
{
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    size_t n = 0;
    bool row;

    while (status == AIBOX_OK && (status = sql_step(&batch->main, stmt, &row, err)) == AIBOX_OK && row) {
        status = batch_note(batch, NOTE_STRANGER, sqlite3_column_int64(stmt, 0), err);
        n++;
    }
    sql_end(stmt);
    if (dropped)
        *dropped = n;
    return status;
}

static enum aibox_status count(struct batch *batch, int64_t *out, struct aibox_error *err)
{
    return sql_get_values(&batch->main, "SELECT value FROM counter WHERE name = 'strangers'", out, NULL, err, NULL, 0);
}

static enum aibox_status drop_longest_absent(struct batch *batch, size_t n, size_t *dropped, struct aibox_error *err)
{
    return drop(batch,
                sql_begin(&batch->main,
                          "DELETE FROM stranger WHERE stranger_id IN (SELECT stranger_id FROM stranger"
                          " ORDER BY last_ms, stranger_id LIMIT ?) RETURNING stranger_id",
                          err, sql_int((int64_t)n)),
                dropped, err);
}

enum aibox_status stranger_mistaken(struct batch *batch, const char *event_id, struct aibox_error *err)
{
    bool row = false;
    int64_t seq = 0, stranger_id = 0, opens = 0;
    sqlite3_stmt *stmt = sql_begin(&batch->main,
                                   "DELETE FROM stranger_event WHERE seq = (SELECT seq FROM event WHERE event_id = ?)"
                                   " RETURNING seq, stranger_id, opens",
                                   err, sql_text(event_id));
    enum aibox_status status = stmt ? sql_step(&batch->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;

    if (status == AIBOX_OK && row) {
        seq = sqlite3_column_int64(stmt, 0);
        stranger_id = sqlite3_column_int64(stmt, 1);
        opens = sqlite3_column_int64(stmt, 2);
    }
    sql_end(stmt);
    if (status != AIBOX_OK || stranger_id == 0)
        return status;
    status = sql_run(&batch->main, "UPDATE stranger SET visits = visits - ? WHERE stranger_id = ?", err, sql_int(opens),
                     sql_int(stranger_id));
    batch->deleted = true;
    if (status == AIBOX_OK)
        status = drop(batch,
                      sql_begin(&batch->main,
                                "DELETE FROM stranger WHERE stranger_id = ? AND (visits <= 0 OR face_seq = ?)"
                                " RETURNING stranger_id",
                                err, sql_int(stranger_id), sql_int(seq)),
                      NULL, err);
    return status;
}

enum aibox_status stranger_drop_face(struct batch *batch, int64_t seq, struct aibox_error *err)
{
    return drop(
        batch,
        sql_begin(&batch->main, "DELETE FROM stranger WHERE face_seq = ? RETURNING stranger_id", err, sql_int(seq)),
        NULL, err);
}

enum aibox_status stranger_expire(struct batch *batch, size_t most, bool *left, struct aibox_error *err)
{
    struct store *store = batch->store;
    int64_t keep = (int64_t)atomic_load(&store->stranger_keep);
    int64_t before_ms = clock_realtime_ms() - (int64_t)atomic_load(&store->stranger_days) * DAY_MS;
    int64_t there = 0;
    size_t expired = 0, beyond = 0;

    *left = false;
    if (atomic_load(&store->stranger_days) == 0)
        return AIBOX_OK;
    enum aibox_status status = drop(batch,
                                    sql_begin(&batch->main,
                                              "DELETE FROM stranger WHERE stranger_id IN (SELECT stranger_id FROM"
                                              " stranger WHERE last_ms < ? ORDER BY last_ms LIMIT ?)"
                                              " RETURNING stranger_id",
                                              err, sql_int(before_ms), sql_int((int64_t)most)),
                                    &expired, err);

    if (status == AIBOX_OK)
        status = count(batch, &there, err);
    if (status == AIBOX_OK && there > keep && expired < most) {
        size_t n = (size_t)(there - keep) < most - expired ? (size_t)(there - keep) : most - expired;
        status = drop_longest_absent(batch, n, &beyond, err);
    }
    if (expired + beyond > 0)
        batch->expired = true;
    *left = expired + beyond == most;
    return status;
}

static enum aibox_status run_delete(struct batch *batch, void *arg, struct aibox_error *err)
{
    const int64_t *stranger_id = arg;
    size_t n = 0;
    enum aibox_status status =
        drop(batch,
             sql_begin(&batch->main, "DELETE FROM stranger WHERE stranger_id = ? RETURNING stranger_id", err,
                       sql_int(*stranger_id)),
             &n, err);

    if (status == AIBOX_OK && n == 0)
        return error_set(err, AIBOX_NOT_FOUND, "there is no stranger %lld", (long long)*stranger_id);
    batch->deleted = true;
    return status;
}

enum aibox_status store_stranger_delete(struct store *store, int64_t stranger_id, struct aibox_error *err)
{
    return writer_do(store->writer, CHANGE_SHARED, run_delete, &stranger_id, err);
}

struct delete_job {
    const char *but_model_set; /* NULL: all */
    size_t deleted;
};

static enum aibox_status run_delete_all(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct delete_job *job = arg;
    enum aibox_status status = drop(batch,
                                    sql_begin(&batch->main,
                                              "DELETE FROM stranger WHERE ?1 IS NULL OR model_set_id NOT IN"
                                              " (SELECT model_set_id FROM model_set WHERE name = ?1)"
                                              " RETURNING stranger_id",
                                              err, sql_text(job->but_model_set)),
                                    &job->deleted, err);

    batch->deleted = batch->deleted || job->deleted > 0;
    return status;
}

static enum aibox_status delete_all(struct store *store, const char *but_model_set, size_t *deleted,
                                    struct aibox_error *err)
{
    struct delete_job job = {.but_model_set = but_model_set};
    enum aibox_status status = writer_do(store->writer, CHANGE_SHARED, run_delete_all, &job, err);

    if (deleted)
        *deleted = status == AIBOX_OK ? job.deleted : 0;
    return status;
}

enum aibox_status store_strangers_delete_all(struct store *store, size_t *deleted, struct aibox_error *err)
{
    return delete_all(store, NULL, deleted, err);
}

enum aibox_status store_strangers_delete_others(struct store *store, const char *model_set, size_t *deleted,
                                                struct aibox_error *err)
{
    return delete_all(store, model_set, deleted, err);
}

/* ---- coming ----------------------------------------------------------------------------------------------- */

static enum aibox_status insert(struct batch *batch, const struct store_event *event, int64_t seq, int64_t seen_ms,
                                struct aibox_error *err)
{
    struct seal_place place = seal_place_stranger(event->stranger.stranger_id);
    uint8_t nonce[SEAL_NONCE_SIZE], sealed[HALF_SIZE + SEAL_EXTRA];
    uint16_t half[STORE_DIMENSION];
    int64_t model_set_id = 0, there = 0, keep = (int64_t)atomic_load(&batch->store->stranger_keep);
    enum aibox_status status = count(batch, &there, err);

    if (status == AIBOX_OK && there >= keep) {
        int64_t n = there - keep + 1;
        status = drop_longest_absent(batch, n < MAKE_ROOM ? (size_t)n : MAKE_ROOM, NULL, err);
        batch->expired = true;
    }
    if (status == AIBOX_OK)
        status = batch_model_set(batch, event->model_set, &model_set_id, err);
    if (status != AIBOX_OK)
        return status;
    half_from_float(event->feature, half, STORE_DIMENSION);
    seal_bytes(batch->main.ring, &place, half, sizeof half, nonce, sealed);
    status =
        sql_run(&batch->main,
                "INSERT INTO stranger (stranger_id, first_ms, last_ms, visits, face_seq, model_set_id, key_id,"
                " nonce, feature) VALUES (?1, ?2, ?2, 1, ?3, ?4, ?5, ?6, ?7)",
                err, sql_int(event->stranger.stranger_id), sql_int(seen_ms), sql_int(seq), sql_int(model_set_id),
                sql_int(seal_key_id(batch->main.ring)), sql_blob(nonce, sizeof nonce), sql_blob(sealed, sizeof sealed));
    return status == AIBOX_OK ? batch_note(batch, NOTE_STRANGER, event->stranger.stranger_id, err) : status;
}

/* What is known of the event's stranger; *found false: nothing. */
static enum aibox_status look_up(struct batch *batch, struct store_stranger_mark *mark, int64_t *last_ms, bool *found,
                                 struct aibox_error *err)
{
    sqlite3_stmt *stmt = sql_begin(&batch->main, "SELECT first_ms, last_ms, visits FROM stranger WHERE stranger_id = ?",
                                   err, sql_int(mark->stranger_id));
    enum aibox_status status = stmt ? sql_step(&batch->main, stmt, found, err) : AIBOX_PROCESS_FAILED;

    if (status == AIBOX_OK && *found) {
        mark->first_ms = sqlite3_column_int64(stmt, 0);
        *last_ms = sqlite3_column_int64(stmt, 1);
        mark->visit = sqlite3_column_int64(stmt, 2);
    }
    sql_end(stmt);
    return status;
}

static enum aibox_status see_again(struct batch *batch, struct store_stranger_mark *mark, int64_t last_ms,
                                   int64_t seen_ms, bool *opens, struct aibox_error *err)
{
    int64_t between_ms = seen_ms > last_ms ? seen_ms - last_ms : last_ms - seen_ms;

    *opens = between_ms >= atomic_load(&batch->store->stranger_absent_ms);
    mark->visit += *opens;
    if (seen_ms < mark->first_ms) /* pictures may come late */
        mark->first_ms = seen_ms;
    return sql_run(&batch->main,
                   "UPDATE stranger SET visits = ?, first_ms = ?, last_ms = max(last_ms, ?) WHERE stranger_id = ?", err,
                   sql_int(mark->visit), sql_int(mark->first_ms), sql_int(seen_ms), sql_int(mark->stranger_id));
}

enum aibox_status stranger_seen(struct batch *batch, struct store_event *event, int64_t seq, struct aibox_error *err)
{
    struct store_stranger_mark *mark = &event->stranger;
    int64_t now_ms = clock_realtime_ms(), last_ms = 0;
    /* A camera's clock that is ahead must not keep anybody for longer. */
    int64_t seen_ms = event->timestamp_ms < now_ms ? event->timestamp_ms : now_ms;
    bool found = false, opens = true;

    mark->visit = mark->first_ms = 0;
    if (mark->stranger_id == 0 || !event->feature || atomic_load(&batch->store->stranger_keep) == 0) {
        mark->stranger_id = 0;
        return AIBOX_OK;
    }
    enum aibox_status status = look_up(batch, mark, &last_ms, &found, err);
    if (status == AIBOX_OK && found) {
        status = see_again(batch, mark, last_ms, seen_ms, &opens, err);
    } else if (status == AIBOX_OK) {
        /* One that was recognised and deleted meanwhile does not come back by its old number. */
        if (!mark->may_be_new)
            mark->stranger_id = store_stranger_reserve(batch->store);
        mark->visit = 1;
        mark->first_ms = seen_ms;
        status = insert(batch, event, seq, seen_ms, err);
    }
    if (status != AIBOX_OK)
        return status;
    return sql_run(
        &batch->main, "INSERT INTO stranger_event (seq, stranger_id, visit, opens, first_ms) VALUES (?, ?, ?, ?, ?)",
        err, sql_int(seq), sql_int(mark->stranger_id), sql_int(mark->visit), sql_int(opens), sql_int(mark->first_ms));
}

/* ---- faces ------------------------------------------------------------------------------------------------ */

/* Columns: stranger_id, key_id, nonce, feature. *there false: it was changed outside of the box. */
static enum aibox_status read_face(const struct sql *sql, sqlite3_stmt *stmt, float feature[STORE_DIMENSION],
                                   bool *there, struct aibox_error *err)
{
    struct seal_place place = seal_place_stranger(sqlite3_column_int64(stmt, 0));
    uint16_t half[STORE_DIMENSION];
    size_t size = 0;
    enum aibox_status status = seal_column_read(sql->ring, stmt, 1, &place, half, sizeof half, &size, err);

    *there = false;
    if (status != AIBOX_OK && seal_knows(sql->ring, sqlite3_column_int64(stmt, 1))) {
        log_error("store", "a stranger's face was changed and is left out stranger_id=%lld", (long long)place.number);
        return AIBOX_OK;
    }
    if (status == AIBOX_OK && size != sizeof half)
        status = error_set(err, AIBOX_PROCESS_FAILED, "a stored feature has %zu bytes", size);
    if (status != AIBOX_OK)
        return status;
    half_to_float(half, feature, STORE_DIMENSION);
    *there = true;
    return AIBOX_OK;
}

enum aibox_status stranger_feature(struct batch *batch, int64_t stranger_id, const char *model_set,
                                   float feature[STORE_DIMENSION], bool *there, struct aibox_error *err)
{
    bool row = false;
    sqlite3_stmt *stmt = sql_begin(&batch->main,
                                   "SELECT stranger_id, key_id, nonce, feature FROM stranger WHERE stranger_id = ?"
                                   " AND model_set_id = (SELECT model_set_id FROM model_set WHERE name = ?)",
                                   err, sql_int(stranger_id), sql_text(model_set));
    enum aibox_status status = stmt ? sql_step(&batch->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;

    *there = false;
    if (status == AIBOX_OK && row)
        status = read_face(&batch->main, stmt, feature, there, err);
    sql_end(stmt);
    return status;
}

enum aibox_status store_strangers_scan(struct store *store, const char *model_set,
                                       bool (*each)(void *ctx, int64_t stranger_id, const float *feature), void *ctx,
                                       struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    float feature[STORE_DIMENSION];
    bool row, there;

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = sql_begin(&reader->main,
                                   "SELECT stranger_id, key_id, nonce, feature FROM stranger WHERE model_set_id ="
                                   " (SELECT model_set_id FROM model_set WHERE name = ?)",
                                   err, sql_text(model_set));
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK && (status = sql_step(&reader->main, stmt, &row, err)) == AIBOX_OK && row) {
        status = read_face(&reader->main, stmt, feature, &there, err);
        if (status == AIBOX_OK && there && !each(ctx, sqlite3_column_int64(stmt, 0), feature))
            break;
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

#define CHOSEN                                                                                                         \
    " FROM stranger t WHERE (?1 = 0 OR t.stranger_id = ?1) AND t.visits >= ?2 AND (?3 = 0 OR t.last_ms >= ?3)"         \
    " AND (?4 = 0 OR t.last_ms <= ?4)"
#define CHOSEN_VALUES(query)                                                                                           \
    sql_int((query)->stranger_id), sql_int((query)->visits_min), sql_int((query)->from_ms), sql_int((query)->to_ms)

static void print_picture(sqlite3_stmt *stmt, int column, char out[37])
{
    out[0] = '\0';
    if (sqlite3_column_bytes(stmt, column) == UUID_BYTES)
        uuid_print(sqlite3_column_blob(stmt, column), out);
}

static enum aibox_status list(struct store *store, struct sql *sql, const struct store_stranger_query *query,
                              void (*each)(void *ctx, const struct store_stranger *stranger), void *ctx,
                              struct aibox_error *err)
{
    int64_t days_ms = (int64_t)atomic_load(&store->stranger_days) * DAY_MS;
    bool row;
    sqlite3_stmt *stmt = sql_begin(
        sql,
        "SELECT c.stranger_id, c.first_ms, c.last_ms, c.visits,"
        " (SELECT count(*) FROM stranger_event v WHERE v.stranger_id = c.stranger_id), e.event_id, e.device_id,"
        " (SELECT image_id FROM image WHERE image_id = e.face_id),"
        " (SELECT image_id FROM image WHERE image_id = e.spot_id)"
        " FROM (SELECT *" CHOSEN " ORDER BY t.last_ms DESC, t.stranger_id DESC LIMIT ?5 OFFSET ?6) c"
        " LEFT JOIN event e ON e.seq = (SELECT max(v.seq) FROM stranger_event v WHERE v.stranger_id = c.stranger_id)"
        " ORDER BY c.last_ms DESC, c.stranger_id DESC",
        err, CHOSEN_VALUES(query), sql_int((int64_t)query->limit), sql_int((int64_t)query->skip));
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;

    while (status == AIBOX_OK && (status = sql_step(sql, stmt, &row, err)) == AIBOX_OK && row) {
        struct store_stranger stranger = {.stranger_id = sqlite3_column_int64(stmt, 0),
                                          .first_ms = sqlite3_column_int64(stmt, 1),
                                          .last_ms = sqlite3_column_int64(stmt, 2),
                                          .visits = sqlite3_column_int64(stmt, 3),
                                          .events = sqlite3_column_int64(stmt, 4),
                                          .event_id = sql_column_text(stmt, 5),
                                          .device_id = sql_column_text(stmt, 6)};
        stranger.expires_ms = stranger.last_ms + days_ms;
        print_picture(stmt, 7, stranger.face_id);
        print_picture(stmt, 8, stranger.spot_id);
        each(ctx, &stranger);
    }
    sql_end(stmt);
    return status;
}

enum aibox_status store_stranger_list(struct store *store, const struct store_stranger_query *query,
                                      void (*each)(void *ctx, const struct store_stranger *stranger), void *ctx,
                                      size_t *total, struct aibox_error *err)
{
    int64_t value = 0;

    if (query->limit < 1 || query->limit > 1000)
        return error_set(err, AIBOX_PARAM, "limit must be from 1 to 1000");
    struct reader *reader = reader_take(store->readers, err);
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = AIBOX_OK;
    if (total)
        status = sql_get(&reader->main, "SELECT count(*)" CHOSEN, &value, NULL, err, CHOSEN_VALUES(query));
    if (status == AIBOX_OK)
        status = list(store, &reader->main, query, each, ctx, err);
    reader_return(store->readers, reader);
    if (total)
        *total = (size_t)value;
    return status;
}

enum aibox_status store_stranger_devices(struct store *store, int64_t stranger_id,
                                         void (*each)(void *ctx, const char *device_id, int64_t last_ms,
                                                      int64_t events),
                                         void *ctx, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row;

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = sql_begin(&reader->main,
                                   "SELECT e.device_id, max(e.timestamp_ms), count(*) FROM stranger_event v JOIN event"
                                   " e ON e.seq = v.seq WHERE v.stranger_id = ? GROUP BY e.device_id ORDER BY 2 DESC"
                                   " LIMIT ?",
                                   err, sql_int(stranger_id), sql_int(MAX_DEVICES));
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK && (status = sql_step(&reader->main, stmt, &row, err)) == AIBOX_OK && row)
        each(ctx, sql_column_text(stmt, 0), sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 2));
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}
