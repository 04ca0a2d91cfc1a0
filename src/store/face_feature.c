/* Features of one face in several model sets: what lacks one, and adding it. */
#include <math.h>
#include <string.h>

#include "store/person.h"
#include "store/seal_rows.h"

/* A face that has a feature, but none of the set ?1. */
#define LACKING                                                                                                        \
    " FROM face f WHERE f.face_row = (SELECT min(g.face_row) FROM face g WHERE g.person_id = f.person_id AND"          \
    " g.face_id = f.face_id) AND NOT EXISTS (SELECT 1 FROM face g WHERE g.person_id = f.person_id AND"                 \
    " g.face_id = f.face_id AND g.model_set_id = (SELECT model_set_id FROM model_set WHERE name = ?1))"

enum aibox_status store_faces_lacking(struct store *store, const char *model_set, int64_t after, size_t limit,
                                      struct store_lacking_face *out, size_t *count, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row;

    *count = 0;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = sql_begin(&reader->main,
                                   "SELECT f.face_row, f.person_id, f.face_id" LACKING
                                   " AND f.face_row > ?2 ORDER BY f.face_row LIMIT ?3",
                                   err, sql_text(model_set), sql_int(after), sql_int((int64_t)limit));
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK && (status = sql_step(&reader->main, stmt, &row, err)) == AIBOX_OK && row) {
        struct store_lacking_face *face = &out[*count];
        face->face_row = sqlite3_column_int64(stmt, 0);
        face->person_id = sqlite3_column_int64(stmt, 1);
        face->face_id[0] = '\0';
        if (sqlite3_column_bytes(stmt, 2) == UUID_BYTES)
            uuid_print(sqlite3_column_blob(stmt, 2), face->face_id);
        if (++*count == limit)
            break;
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

enum aibox_status store_faces_lacking_count(struct store *store, const char *model_set, size_t *count,
                                            struct aibox_error *err)
{
    int64_t value = 0;
    struct reader *reader = reader_take(store->readers, err);

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status =
        sql_get(&reader->main, "SELECT count(*)" LACKING, &value, NULL, err, sql_text(model_set));
    reader_return(store->readers, reader);
    *count = (size_t)value;
    return status;
}

enum aibox_status store_faces_newest(struct store *store, int64_t *face_row, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status =
        sql_get_values(&reader->main, "SELECT coalesce(max(face_row), 0) FROM face", face_row, NULL, err, NULL, 0);
    reader_return(store->readers, reader);
    return status;
}

struct add_job {
    int64_t person_id;
    const char *face_id, *model_set;
    const float *feature;
};

enum aibox_status face_feature_insert(struct batch *batch, int64_t person_id, const uint8_t face_id[UUID_BYTES],
                                      const char *model_set, const float *feature, struct aibox_error *err)
{
    uint8_t nonce[SEAL_NONCE_SIZE], sealed[STORE_DIMENSION * sizeof(float) + SEAL_EXTRA];
    int64_t model_set_id;
    enum aibox_status status = batch_model_set(batch, model_set, &model_set_id, err);

    if (status != AIBOX_OK)
        return status;
    struct seal_place place = seal_place_face(person_id, face_id);
    seal_bytes(batch->main.ring, &place, feature, STORE_DIMENSION * sizeof(float), nonce, sealed);
    return sql_run(&batch->main,
                   "INSERT INTO face (person_id, model_set_id, face_id, key_id, nonce, feature)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   err, sql_int(person_id), sql_int(model_set_id), sql_blob(face_id, UUID_BYTES),
                   sql_int(seal_key_id(batch->main.ring)), sql_blob(nonce, sizeof nonce),
                   sql_blob(sealed, sizeof sealed));
}

static enum aibox_status run_add(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct add_job *job = arg;
    uint8_t face_id[UUID_BYTES];
    int64_t known;
    bool there, done;

    if (!uuid_parse(job->face_id, face_id))
        return error_set(err, AIBOX_PARAM, "face_id: no UUID");
    enum aibox_status status = sql_get(&batch->main, "SELECT 1 FROM face WHERE person_id = ? AND face_id = ?", &known,
                                       &there, err, sql_int(job->person_id), sql_blob(face_id, UUID_BYTES));
    if (status == AIBOX_OK && !there)
        return error_set(err, AIBOX_ID_NOT_FOUND, "the face was deleted meanwhile");
    if (status == AIBOX_OK)
        status = sql_get(&batch->main,
                         "SELECT 1 FROM face f JOIN model_set m ON m.model_set_id = f.model_set_id"
                         " WHERE f.person_id = ? AND f.face_id = ? AND m.name = ?",
                         &known, &done, err, sql_int(job->person_id), sql_blob(face_id, UUID_BYTES),
                         sql_text(job->model_set));
    if (status != AIBOX_OK || done)
        return status;
    status = face_feature_insert(batch, job->person_id, face_id, job->model_set, job->feature, err);
    return status == AIBOX_OK ? batch_note(batch, NOTE_PERSON, job->person_id, err) : status;
}

enum aibox_status store_face_feature_add(struct store *store, int64_t person_id, const char *face_id,
                                         const char *model_set, const float *feature, struct aibox_error *err)
{
    struct add_job job = {person_id, face_id, model_set, feature};

    for (size_t i = 0; i < STORE_DIMENSION; i++)
        if (!isfinite(feature[i]))
            return error_set(err, AIBOX_BAD_FEATURE, "the feature has a value that is not finite");
    return writer_do(store->writer, CHANGE_SHARED, run_add, &job, err);
}
