/* Lists of events by what a client asks for; deleting and picture search by the same conditions. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "store/batch.h"
#include "store/catalogue.h"
#include "store/event.h"
#include "store/retention.h"
#include "store/seal_rows.h"
#include "store/stranger.h"

#define MAX_ANY   1000 /* values in one "any of" list */
#define MAX_SQL   32768
#define MAX_LIMIT 1000
#define DROP_STEP 500 /* events deleted in one transaction */

static const char event_by_seq[] = "SELECT " EVENT_COLUMNS " FROM " EVENT_TABLES " WHERE e.seq = ?";

/* A query as SQL: " WHERE …" on the table alias e, and its values. */
struct filter {
    struct buffer where;
    struct sql_value *values; /* with room for two more */
    size_t n_values;
    char *pattern;
    bool all; /* no condition at all */
};

static void add_plain(struct filter *filter, const char *condition)
{
    buffer_append_text(&filter->where, filter->all ? " WHERE " : " AND ");
    buffer_append_text(&filter->where, condition);
    filter->all = false;
}

static void add(struct filter *filter, const char *condition, struct sql_value value)
{
    add_plain(filter, condition);
    filter->values[filter->n_values++] = value;
}

static void add_any(struct filter *filter, const char *column, const char *const *texts, size_t n)
{
    if (n == 0)
        return;
    buffer_append_text(&filter->where, filter->all ? " WHERE " : " AND ");
    buffer_appendf(&filter->where, "%s IN (", column);
    for (size_t i = 0; i < n; i++) {
        buffer_append_text(&filter->where, i ? ",?" : "?");
        filter->values[filter->n_values++] = sql_text(texts[i]);
    }
    buffer_append_text(&filter->where, ")");
    filter->all = false;
}

static void add_devices(struct filter *filter, const char *const *ids, size_t n)
{
    if (n == 0)
        return;
    buffer_append_text(&filter->where, filter->all ? " WHERE (" : " AND (");
    for (int column = 0; column < 2; column++) {
        buffer_append_text(&filter->where, column ? " OR e.ep_id IN (" : "e.device_id IN (");
        for (size_t i = 0; i < n; i++) {
            buffer_append_text(&filter->where, i ? ",?" : "?");
            filter->values[filter->n_values++] = sql_text(ids[i]);
        }
        buffer_append_text(&filter->where, ")");
    }
    buffer_append_text(&filter->where, ")");
    filter->all = false;
}

static enum aibox_status check_lengths(const struct store_event_query *query, struct aibox_error *err)
{
    if (query->n_groups > MAX_ANY || query->n_ep_ids > MAX_ANY || query->n_devices > MAX_ANY)
        return error_set(err, AIBOX_PARAM, "at most %d groups, streams and devices can be asked for", MAX_ANY);
    return AIBOX_OK;
}

static enum aibox_status filter_make(struct filter *filter, const struct store_event_query *query,
                                     struct aibox_error *err)
{
    *filter = (struct filter){.all = true};
    buffer_init(&filter->where, MAX_SQL);
    buffer_append_text(&filter->where, "");
    enum aibox_status status = check_lengths(query, err);
    if (status != AIBOX_OK)
        return status;
    filter->values = calloc(query->n_groups + query->n_ep_ids + 2 * query->n_devices + 16, sizeof *filter->values);
    if (!filter->values)
        return out_of_memory(err);
    if (query->from_ms)
        add(filter, "e.timestamp_ms >= ?", sql_int(query->from_ms));
    if (query->to_ms)
        add(filter, "e.timestamp_ms <= ?", sql_int(query->to_ms));
    if (query->identity_id)
        add(filter, "e.identity_id = ?", sql_text(query->identity_id));
    if (query->room)
        add(filter, "e.room = ?", sql_text(query->room));
    if (!isnan(query->score_min))
        add(filter, "e.score >= ?", sql_real(query->score_min));
    if (!isnan(query->score_max))
        add(filter, "e.score <= ?", sql_real(query->score_max));
    if (query->person_type)
        add(filter, "e.person_type = ?", sql_int(query->person_type));
    if (query->reason)
        add(filter, "e.reason = ?", sql_text(query->reason));
    if (query->stranger_id)
        add(filter, "e.seq IN (SELECT seq FROM stranger_event WHERE stranger_id = ?)", sql_int(query->stranger_id));
    if (query->strangers_back_only)
        add_plain(filter, "e.seq IN (SELECT seq FROM stranger_event WHERE visit > 1)");
    add_any(filter, "e.group_name", query->groups, query->n_groups);
    add_any(filter, "e.ep_id", query->ep_ids, query->n_ep_ids);
    add_devices(filter, query->devices, query->n_devices);
    if (query->name_part) {
        filter->pattern = text_like_pattern(query->name_part);
        if (!filter->pattern)
            return out_of_memory(err);
        add(filter, "e.identity_name LIKE ? ESCAPE '\\'", sql_text(filter->pattern));
    }
    return filter->where.failed ? out_of_memory(err) : AIBOX_OK;
}

static void filter_free(struct filter *filter)
{
    buffer_free(&filter->where);
    free(filter->values);
    free(filter->pattern);
}

/* A statement: the filter between two texts; `extra` values follow the filter's. */
static sqlite3_stmt *begin(struct sql *sql, const char *before, struct filter *filter, const char *after,
                           const struct sql_value *extra, size_t n_extra, struct aibox_error *err)
{
    struct buffer text;
    sqlite3_stmt *stmt = NULL;

    buffer_init(&text, (size_t)MAX_SQL * 2);
    buffer_append_text(&text, before);
    buffer_append_text(&text, (const char *)filter->where.data);
    buffer_append_text(&text, after);
    if (n_extra > 0)
        memcpy(filter->values + filter->n_values, extra, n_extra * sizeof *extra);
    if (text.failed)
        out_of_memory(err);
    else
        stmt = sql_begin_text(sql, (const char *)text.data, err, filter->values, filter->n_values + n_extra);
    buffer_free(&text);
    return stmt;
}

/* ---- lists ------------------------------------------------------------------------------------------ */

static enum aibox_status count(struct sql *sql, struct filter *filter, size_t *total, struct aibox_error *err)
{
    enum aibox_status status;
    int64_t value = 0;
    bool row;

    if (filter->all) {
        status = sql_get_values(sql, "SELECT value FROM counter WHERE name = 'events'", &value, NULL, err, NULL, 0);
    } else {
        sqlite3_stmt *stmt = begin(sql, "SELECT count(*) FROM event e", filter, "", NULL, 0, err);
        status = stmt ? sql_step(sql, stmt, &row, err) : AIBOX_PROCESS_FAILED;
        if (status == AIBOX_OK && row)
            value = sqlite3_column_int64(stmt, 0);
        sql_drop(stmt);
    }
    *total = (size_t)value;
    return status;
}

static enum aibox_status read_page(struct sql *sql, struct filter *filter, const struct store_event_query *query,
                                   struct store_event_list *out, struct aibox_error *err)
{
    /* The page is cut before features are joined, so that skipped rows cost little. */
    struct sql_value extra[] = {sql_int((int64_t)query->limit), sql_int((int64_t)query->skip)};
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    bool row;

    sqlite3_stmt *stmt = begin(
        sql, "SELECT " EVENT_COLUMNS " FROM (SELECT e.seq AS page_seq FROM event e", filter,
        query->oldest_first ? " ORDER BY e.timestamp_ms, e.seq LIMIT ? OFFSET ?) CROSS JOIN " EVENT_TABLES
                              " WHERE e.seq = page_seq ORDER BY e.timestamp_ms, e.seq"
                            : " ORDER BY e.timestamp_ms DESC, e.seq DESC LIMIT ? OFFSET ?) CROSS JOIN " EVENT_TABLES
                              " WHERE e.seq = page_seq ORDER BY e.timestamp_ms DESC, e.seq DESC",
        extra, 2, err);
    if (!stmt)
        return status;
    out->items = calloc(query->limit, sizeof *out->items);
    if (!out->items) {
        status = out_of_memory(err);
        goto out;
    }
    while ((status = sql_step(sql, stmt, &row, err)) == AIBOX_OK && row && out->count < query->limit) {
        status = event_read(sql, stmt, &out->items[out->count++], err);
        if (status != AIBOX_OK)
            break;
    }
out:
    sql_drop(stmt);
    return status;
}

/* Found by the database: in a snapshot of its own, so that count and page belong together. */
static enum aibox_status list_by_sql(struct store *store, const struct store_event_query *query,
                                     struct store_event_list *out, struct aibox_error *err)
{
    struct reader *reader = NULL;
    struct filter filter = {0};
    enum aibox_status status = filter_make(&filter, query, err);

    if (status != AIBOX_OK)
        goto out;
    reader = reader_take(store->readers, err);
    status = reader ? reader_snapshot_begin(reader, err) : AIBOX_PROCESS_FAILED;
    if (status != AIBOX_OK)
        goto out;
    status = count(&reader->main, &filter, &out->total, err);
    if (status == AIBOX_OK)
        status = read_page(&reader->main, &filter, query, out, err);
    reader_snapshot_end(reader);
out:
    reader_return(store->readers, reader);
    filter_free(&filter);
    return status;
}

/* One after the other; those that were dropped meanwhile are left out. */
static enum aibox_status read_numbered(struct store *store, const int64_t *seqs, size_t n, struct store_event_list *out,
                                       struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    enum aibox_status status = reader ? AIBOX_OK : AIBOX_PROCESS_FAILED;

    out->items = calloc(n ? n : 1, sizeof *out->items);
    if (status == AIBOX_OK && !out->items)
        status = out_of_memory(err);
    for (size_t i = 0; i < n && status == AIBOX_OK; i++) {
        bool row = false;
        sqlite3_stmt *stmt = sql_begin(&reader->main, event_by_seq, err, sql_int(seqs[i]));
        status = stmt ? sql_step(&reader->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
        if (status == AIBOX_OK && row)
            status = event_read(&reader->main, stmt, &out->items[out->count++], err);
        sql_end(stmt);
    }
    reader_return(store->readers, reader);
    return status;
}

enum aibox_status store_event_list(struct store *store, const struct store_event_query *query,
                                   struct store_event_list *out, struct aibox_error *err)
{
    int64_t seqs[MAX_LIMIT];
    size_t n;

    *out = (struct store_event_list){0};
    if (query->limit < 1 || query->limit > MAX_LIMIT)
        return error_set(err, AIBOX_PARAM, "limit must be from 1 to %d", MAX_LIMIT);
    enum aibox_status status = check_lengths(query, err);
    if (status == AIBOX_OK)
        status = catalogue_find(store->catalogue, query, seqs, &n, &out->total)
                     ? read_numbered(store, seqs, n, out, err)
                     : list_by_sql(store, query, out, err);
    if (status != AIBOX_OK)
        store_event_list_free(out);
    return status;
}

void store_event_list_free(struct store_event_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        store_event_free(&list->items[i]);
    free(list->items);
    *list = (struct store_event_list){0};
}

/* The one event that `text` finds by `value`; `missing` when there is none. */
static enum aibox_status get_event(struct store *store, const char *text, struct sql_value value, const char *missing,
                                   struct store_event *out, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    bool row = false;

    *out = (struct store_event){0};
    if (!reader)
        return status;
    sqlite3_stmt *stmt = sql_begin(&reader->main, text, err, value);
    if (stmt)
        status = sql_step(&reader->main, stmt, &row, err);
    if (status == AIBOX_OK)
        status = row ? event_read(&reader->main, stmt, out, err)
                     : error_set(err, AIBOX_NOT_FOUND, "no event %.64s", missing);
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

enum aibox_status store_event_get(struct store *store, const char *event_id, struct store_event *out,
                                  struct aibox_error *err)
{
    return get_event(store, "SELECT " EVENT_COLUMNS " FROM " EVENT_TABLES " WHERE e.event_id = ?", sql_text(event_id),
                     event_id, out, err);
}

enum aibox_status store_event_get_by_seq(struct store *store, int64_t seq, struct store_event *out,
                                         struct aibox_error *err)
{
    char missing[24];

    (void)snprintf(missing, sizeof missing, "%lld", (long long)seq);
    return get_event(store, event_by_seq, sql_int(seq), missing, out, err);
}

/* ---- deleting ---------------------------------------------------------------------------------------- */

struct delete_job {
    const char *const *ids;
    size_t n_ids;
    struct filter *filter;
    size_t deleted;
    bool more;
};

static enum aibox_status find_event(struct batch *batch, const char *event_id, int64_t *seq, bool *found,
                                    struct aibox_error *err)
{
    return sql_get(&batch->main, "SELECT seq FROM event WHERE event_id = ?", seq, found, err, sql_text(event_id));
}

static enum aibox_status list_matching(struct batch *batch, struct filter *filter, int64_t *seqs, size_t *n,
                                       struct aibox_error *err)
{
    struct sql_value limit = sql_int(DROP_STEP);
    bool row;
    sqlite3_stmt *stmt = begin(&batch->main, "SELECT e.seq FROM event e", filter, " LIMIT ?", &limit, 1, err);
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;

    for (*n = 0; status == AIBOX_OK && *n < DROP_STEP;) {
        status = sql_step(&batch->main, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        seqs[(*n)++] = sqlite3_column_int64(stmt, 0);
    }
    sql_drop(stmt);
    return status;
}

static enum aibox_status run_delete(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct delete_job *job = arg;
    int64_t seqs[DROP_STEP];
    size_t n = 0;
    enum aibox_status status = AIBOX_OK;

    if (job->filter)
        status = list_matching(batch, job->filter, seqs, &n, err);
    for (size_t i = 0; i < job->n_ids && status == AIBOX_OK; i++) {
        bool found;
        status = find_event(batch, job->ids[i], &seqs[n], &found, err);
        n += found;
    }
    for (size_t i = 0; i < n && status == AIBOX_OK; i++) {
        bool dropped;
        status = event_drop(batch, seqs[i], &dropped, err);
        if (status == AIBOX_OK) /* a copy of the face; retention leaves it, who deletes an event means it */
            status = sql_run(&batch->main, "DELETE FROM rejection WHERE event_seq = ?", err, sql_int(seqs[i]));
        if (status == AIBOX_OK) /* likewise */
            status = stranger_drop_face(batch, seqs[i], err);
        job->deleted += dropped; /* an id may be named twice */
    }
    job->more = n == DROP_STEP;
    batch->deleted = true;
    batch->release_at_once = true;
    return status;
}

static enum aibox_status delete_step(struct store *store, struct delete_job *job, size_t *deleted,
                                     struct aibox_error *err)
{
    job->deleted = 0;
    enum aibox_status status = writer_do(store->writer, CHANGE_SHARED, run_delete, job, err);
    if (status == AIBOX_OK)
        *deleted += job->deleted;
    return status;
}

enum aibox_status store_events_delete(struct store *store, const char *const *ids, size_t n_ids,
                                      const struct store_event_query *query, size_t *deleted, struct aibox_error *err)
{
    struct delete_job job = {0};
    struct filter filter = {0};
    enum aibox_status status = AIBOX_OK;
    size_t n = 0;

    if (n_ids > 0) {
        for (size_t at = 0; at < n_ids && status == AIBOX_OK; at += job.n_ids) {
            job.ids = ids + at;
            job.n_ids = n_ids - at < DROP_STEP ? n_ids - at : DROP_STEP;
            status = delete_step(store, &job, &n, err);
        }
    } else if (query) {
        status = filter_make(&filter, query, err);
        job.filter = &filter;
        do {
            if (status == AIBOX_OK)
                status = delete_step(store, &job, &n, err);
        } while (status == AIBOX_OK && job.more);
        filter_free(&filter);
    }
    if (deleted)
        *deleted = n;
    return status;
}

/* ---- picture search ----------------------------------------------------------------------------------- */

enum aibox_status
store_event_features_scan(struct store *store, const struct store_event_query *query, const char *model_set,
                          bool (*each)(void *ctx, int64_t seq, int64_t timestamp_ms, const float *feature), void *ctx,
                          struct aibox_error *err)
{
    struct filter filter = {0};
    struct reader *reader = NULL;
    sqlite3_stmt *stmt = NULL;
    float feature[STORE_DIMENSION];
    uint16_t half[STORE_DIMENSION];
    bool row;

    enum aibox_status status = filter_make(&filter, query, err);
    if (status != AIBOX_OK)
        goto out;
    status = AIBOX_PROCESS_FAILED;
    reader = reader_take(store->readers, err);
    if (!reader)
        goto out;
    add(&filter, "f.model_set_id = (SELECT model_set_id FROM model_set WHERE name = ?)", sql_text(model_set));
    stmt = begin(
        &reader->main,
        "SELECT e.seq, e.timestamp_ms, f.key_id, f.nonce, f.feature FROM event e JOIN event_feature f ON f.seq = e.seq",
        &filter, query->oldest_first ? " ORDER BY e.timestamp_ms, e.seq" : " ORDER BY e.timestamp_ms DESC, e.seq DESC",
        NULL, 0, err);
    while (stmt && (status = sql_step(&reader->main, stmt, &row, err)) == AIBOX_OK && row) {
        struct seal_place place = seal_place_event(sqlite3_column_int64(stmt, 0));
        size_t size;
        status = seal_column_read(reader->main.ring, stmt, 2, &place, half, sizeof half, &size, err);
        if (status != AIBOX_OK && seal_knows(reader->main.ring, sqlite3_column_int64(stmt, 2)))
            continue; /* changed outside of the box: whoever reads the event is told */
        if (status != AIBOX_OK)
            break;
        if (size != sizeof half)
            continue;
        half_to_float(half, feature, STORE_DIMENSION);
        if (!each(ctx, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), feature))
            break;
    }
out:
    sql_drop(stmt);
    reader_return(store->readers, reader);
    filter_free(&filter);
    return status;
}
