/* Who can be recognised with which model set, and dropping the features of one. */
#include "store/batch.h"
#include "store/readers.h"

#define ID_OF(name) "(SELECT model_set_id FROM model_set WHERE name = " name ")"
/* People with a feature of set ?1 and none of set ?2. Both from the index face_model_set alone. */
#define LACKING                                                                                                        \
    " FROM (SELECT DISTINCT person_id FROM face WHERE model_set_id = " ID_OF(                                          \
        "?1") ") p"                                                                                                    \
              " WHERE NOT EXISTS (SELECT 1 FROM face f WHERE f.model_set_id = " ID_OF(                                 \
                  "?2") " AND f.person_id = p.person_id)"

enum aibox_status store_people_lacking_count(struct store *store, const char *model_set, const char *other,
                                             size_t *people, size_t *lacking, struct aibox_error *err)
{
    int64_t all = 0, without = 0;
    struct reader *reader = reader_take(store->readers, err);

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status =
        sql_get(&reader->main,
                "SELECT count(*) FROM (SELECT DISTINCT person_id FROM face WHERE model_set_id = " ID_OF("?1") ")", &all,
                NULL, err, sql_text(model_set));
    if (status == AIBOX_OK)
        status = sql_get(&reader->main, "SELECT count(*)" LACKING, &without, NULL, err, sql_text(model_set),
                         sql_text(other));
    reader_return(store->readers, reader);
    *people = (size_t)all;
    *lacking = (size_t)without;
    return status;
}

enum aibox_status store_people_lacking(struct store *store, const char *model_set, const char *other, size_t skip,
                                       size_t limit, int64_t *person_ids, size_t *count, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row;

    *count = 0;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt =
        sql_begin(&reader->main, "SELECT p.person_id" LACKING " ORDER BY p.person_id LIMIT ?3 OFFSET ?4", err,
                  sql_text(model_set), sql_text(other), sql_int((int64_t)limit), sql_int((int64_t)skip));
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK && (status = sql_step(&reader->main, stmt, &row, err)) == AIBOX_OK && row)
        person_ids[(*count)++] = sqlite3_column_int64(stmt, 0);
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

enum aibox_status store_model_set_count(struct store *store, const char *model_set, size_t *features,
                                        struct aibox_error *err)
{
    int64_t value = 0;
    struct reader *reader = reader_take(store->readers, err);

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = sql_get(&reader->main, "SELECT count(*) FROM face WHERE model_set_id = " ID_OF("?1"),
                                       &value, NULL, err, sql_text(model_set));
    reader_return(store->readers, reader);
    *features = (size_t)value;
    return status;
}

struct drop_job {
    const char *model_set, *kept;
    size_t limit, *dropped;
};

static enum aibox_status run_drop(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct drop_job *job = arg;
    enum aibox_status status =
        sql_run(&batch->main,
                "DELETE FROM face WHERE face_row IN (SELECT f.face_row FROM face f WHERE f.model_set_id = " ID_OF(
                    "?1") " AND EXISTS (SELECT 1 FROM face g WHERE g.person_id = f.person_id AND g.face_id = f.face_id"
                          " AND g.model_set_id = " ID_OF("?2") ") LIMIT ?3)",
                err, sql_text(job->model_set), sql_text(job->kept), sql_int((int64_t)job->limit));

    *job->dropped = status == AIBOX_OK ? (size_t)sqlite3_changes(batch->main.db) : 0;
    if (*job->dropped > 0)
        batch->deleted = true;
    return status;
}

enum aibox_status store_model_set_drop(struct store *store, const char *model_set, const char *kept, size_t limit,
                                       size_t *dropped, struct aibox_error *err)
{
    struct drop_job job = {model_set, kept, limit, dropped};

    return writer_do(store->writer, CHANGE_SHARED, run_drop, &job, err);
}
