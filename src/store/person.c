/* Rows of person: read, write, delete; and the simple lookups. */
#include "store/person.h"

#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/log.h"
#include "store/commands.h"
#include "store/inbox.h"

#define FACE_RECORD    48
#define PERSON_COLUMNS "person_id, identity_id, name, type, created_ms, updated_ms, groups, permissions, faces, info"

static const uint8_t no_image[UUID_BYTES];

static void face_read(const uint8_t *record, struct store_face *face)
{
    uuid_print(record, face->face_id);
    face->image_id[0] = '\0';
    if (memcmp(record + 16, no_image, UUID_BYTES) != 0)
        uuid_print(record + 16, face->image_id);
    memcpy(&face->norm, record + 32, sizeof face->norm);
    memcpy(&face->quality, record + 36, sizeof face->quality);
    memcpy(&face->created_ms, record + 40, sizeof face->created_ms);
}

static void face_write(const struct store_face *face, uint8_t *record)
{
    uuid_pack(face->face_id, record);
    if (face->image_id[0])
        uuid_pack(face->image_id, record + 16);
    else
        memset(record + 16, 0, UUID_BYTES);
    memcpy(record + 32, &face->norm, sizeof face->norm);
    memcpy(record + 36, &face->quality, sizeof face->quality);
    memcpy(record + 40, &face->created_ms, sizeof face->created_ms);
}

static void blob_to_set(sqlite3_stmt *stmt, int column, struct label_set *set)
{
    const void *bytes = sqlite3_column_blob(stmt, column);

    label_set_read(set, bytes, (size_t)sqlite3_column_bytes(stmt, column));
}

/* Reads the row that `stmt` (PERSON_COLUMNS) yields. */
static enum aibox_status row_read(struct sql *sql, sqlite3_stmt *stmt, struct person_row *row, struct aibox_error *err)
{
    bool found;

    row->identity_id = row->name = row->info = NULL;
    if (!stmt)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = sql_step(sql, stmt, &found, err);
    if (status != AIBOX_OK)
        return status;
    if (!found)
        return AIBOX_ID_NOT_FOUND;
    row->person_id = sqlite3_column_int64(stmt, 0);
    row->identity_id = sql_column_copy(stmt, 1);
    row->name = sql_column_copy(stmt, 2);
    row->type = sqlite3_column_int(stmt, 3);
    row->created_ms = sqlite3_column_int64(stmt, 4);
    row->updated_ms = sqlite3_column_int64(stmt, 5);
    blob_to_set(stmt, 6, &row->groups);
    blob_to_set(stmt, 7, &row->permissions);
    const uint8_t *faces = sqlite3_column_blob(stmt, 8);
    row->n_faces = (size_t)sqlite3_column_bytes(stmt, 8) / FACE_RECORD;
    if (row->n_faces > STORE_MAX_FACES)
        row->n_faces = STORE_MAX_FACES;
    for (size_t i = 0; i < row->n_faces; i++)
        face_read(faces + i * FACE_RECORD, &row->faces[i]);
    row->info = sql_column_copy(stmt, 9);
    return row->identity_id && row->name && row->info ? AIBOX_OK : out_of_memory(err);
}

enum aibox_status person_row_load(struct sql *sql, int64_t person_id, struct person_row *row, struct aibox_error *err)
{
    sqlite3_stmt *stmt =
        sql_begin(sql, "SELECT " PERSON_COLUMNS " FROM person WHERE person_id = ?", err, sql_int(person_id));
    enum aibox_status status = row_read(sql, stmt, row, err);

    sql_end(stmt);
    return status;
}

enum aibox_status person_row_find(struct sql *sql, const char *identity_id, struct person_row *row,
                                  struct aibox_error *err)
{
    sqlite3_stmt *stmt =
        sql_begin(sql, "SELECT " PERSON_COLUMNS " FROM person WHERE identity_id = ?", err, sql_text(identity_id));
    enum aibox_status status = row_read(sql, stmt, row, err);

    sql_end(stmt);
    return status;
}

void person_row_free(struct person_row *row)
{
    free(row->identity_id);
    free(row->name);
    free(row->info);
    row->identity_id = row->name = row->info = NULL;
}

enum aibox_status person_from_row(struct person_row *row, const struct label_map *labels, struct sql *sql,
                                  struct store_person *out, struct aibox_error *err)
{
    *out = (struct store_person){.person_id = row->person_id,
                                 .identity_id = row->identity_id,
                                 .name = row->name,
                                 .type = row->type,
                                 .info = row->info,
                                 .n_faces = row->n_faces,
                                 .created_ms = row->created_ms,
                                 .updated_ms = row->updated_ms};
    row->identity_id = row->name = row->info = NULL;
    memcpy(out->faces, row->faces, row->n_faces * sizeof row->faces[0]);
    enum aibox_status status = label_set_resolve(&row->groups, labels, sql, NULL, &out->group_names, NULL, err);
    if (status == AIBOX_OK)
        status = label_set_resolve(&row->permissions, labels, sql, &out->permission_ids, &out->permission_names,
                                   out->permissions, err);
    if (status != AIBOX_OK)
        store_person_free(out);
    return status;
}

void store_person_free(struct store_person *person)
{
    if (!person)
        return;
    free(person->identity_id);
    free(person->name);
    free(person->info);
    store_text_list_free(&person->group_names);
    store_text_list_free(&person->permission_ids);
    store_text_list_free(&person->permission_names);
    *person = (struct store_person){0};
}

/* Rows of member that `now` has and `before` lacks, and the other way round. */
static enum aibox_status members_write(struct batch *batch, const struct person_row *row,
                                       const struct label_set *before, const struct label_set *now,
                                       struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < now->count && status == AIBOX_OK; i++)
        if (!label_set_has(before, now->ids[i]))
            status = sql_run(&batch->main, "INSERT INTO member (label_id, identity_id, person_id) VALUES (?, ?, ?)",
                             err, sql_int(now->ids[i]), sql_text(row->identity_id), sql_int(row->person_id));
    for (size_t i = 0; i < before->count && status == AIBOX_OK; i++)
        if (!label_set_has(now, before->ids[i]))
            status = sql_run(&batch->main, "DELETE FROM member WHERE label_id = ? AND identity_id = ?", err,
                             sql_int(before->ids[i]), sql_text(row->identity_id));
    return status;
}

/* info.ext_info.visit_card_number as text, in SQL; SQLite refuses JSON that is nested very deep, which jansson takes.
 */
#define CARD_OF_INFO                                                                                                   \
    "coalesce(CASE WHEN json_valid(?9) THEN CAST(json_extract(?9, '$.ext_info.visit_card_number') AS TEXT) END, '')"

enum aibox_status person_row_write(struct batch *batch, struct person_row *row, const struct label_set *old_groups,
                                   const struct label_set *old_permissions, struct aibox_error *err)
{
    uint8_t faces[STORE_MAX_FACES * FACE_RECORD];

    for (size_t i = 0; i < row->n_faces; i++)
        face_write(&row->faces[i], faces + i * FACE_RECORD);
    struct sql_value values[] = {
        sql_text(row->identity_id),
        sql_text(row->name),
        sql_int(row->type),
        sql_int(row->created_ms),
        sql_int(row->updated_ms),
        sql_blob(row->groups.ids, row->groups.count * sizeof row->groups.ids[0]),
        sql_blob(row->permissions.ids, row->permissions.count * sizeof row->permissions.ids[0]),
        sql_blob(faces, row->n_faces * FACE_RECORD),
        sql_text(row->info),
        sql_int(row->person_id),
    };
    size_t n = sizeof values / sizeof values[0];
    enum aibox_status status;

    if (row->person_id == 0) {
        status = sql_run_values(&batch->main,
                                "INSERT INTO person (identity_id, name, type, created_ms, updated_ms, groups,"
                                " permissions, faces, info, card) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                                " " CARD_OF_INFO ")",
                                err, values, n - 1);
        row->person_id = sqlite3_last_insert_rowid(batch->main.db);
    } else {
        status =
            sql_run_values(&batch->main,
                           "UPDATE person SET name = ?2, type = ?3, updated_ms = ?5, groups = ?6,"
                           " permissions = ?7, faces = ?8, info = ?9, card = " CARD_OF_INFO " WHERE person_id = ?10",
                           err, values, n);
    }
    if (status == AIBOX_OK)
        status = members_write(batch, row, old_groups, &row->groups, err);
    if (status == AIBOX_OK)
        status = members_write(batch, row, old_permissions, &row->permissions, err);
    if (status == AIBOX_OK)
        status = batch_note(batch, NOTE_PERSON, row->person_id, err);
    return status;
}

enum aibox_status person_drop_photo(struct batch *batch, const struct store_face *face, struct aibox_error *err)
{
    uint8_t image_id[UUID_BYTES];

    if (!face->image_id[0])
        return AIBOX_OK;
    uuid_pack(face->image_id, image_id);
    return batch_drop_image(batch, image_id, err);
}

enum aibox_status person_row_delete(struct batch *batch, const struct person_row *row, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < row->n_faces && status == AIBOX_OK; i++)
        status = person_drop_photo(batch, &row->faces[i], err);
    if (status == AIBOX_OK) /* faces and memberships go with it */
        status = sql_run(&batch->main, "DELETE FROM person WHERE person_id = ?", err, sql_int(row->person_id));
    if (status == AIBOX_OK)
        status = batch_note(batch, NOTE_PERSON, row->person_id, err);
    batch->deleted = true;
    batch->release_at_once = true;
    return status;
}

enum aibox_status people_missing(const char *const *ids, const bool *missing, size_t n, struct aibox_error *err)
{
    struct buffer text;
    size_t named = 0;

    buffer_init(&text, 4096);
    for (size_t i = 0; i < n; i++) {
        if (!missing[i])
            continue;
        if (named == 10) {
            buffer_append_text(&text, ", …");
            break;
        }
        buffer_appendf(&text, "%s%s", named++ ? ", " : "", ids[i]);
    }
    error_set(err, AIBOX_ID_NOT_FOUND, "identity_id not found: %s", text.data ? (const char *)text.data : "");
    buffer_free(&text);
    return AIBOX_ID_NOT_FOUND;
}

/* ---- lookups ------------------------------------------------------------------------------------ */

static enum aibox_status get(struct store *store, const char *identity_id, int64_t person_id, struct store_person *out,
                             struct aibox_error *err)
{
    struct person_row row;
    struct reader *reader = reader_take(store->readers, err);

    *out = (struct store_person){0};
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    struct label_map *labels = label_map_take(store->labels);
    enum aibox_status status = identity_id ? person_row_find(&reader->main, identity_id, &row, err)
                                           : person_row_load(&reader->main, person_id, &row, err);
    if (status == AIBOX_OK)
        status = person_from_row(&row, labels, &reader->main, out, err);
    person_row_free(&row);
    label_map_drop(labels);
    reader_return(store->readers, reader);
    return status;
}

enum aibox_status store_person_get(struct store *store, const char *identity_id, struct store_person *out,
                                   struct aibox_error *err)
{
    enum aibox_status status = get(store, identity_id, 0, out, err);

    return status == AIBOX_ID_NOT_FOUND ? error_set(err, status, "identity_id not found: %s", identity_id) : status;
}

enum aibox_status store_person_get_by_id(struct store *store, int64_t person_id, struct store_person *out,
                                         struct aibox_error *err)
{
    enum aibox_status status = get(store, NULL, person_id, out, err);

    return status == AIBOX_ID_NOT_FOUND ? error_set(err, status, "the person was deleted meanwhile") : status;
}

/* ---- deleting ----------------------------------------------------------------------------------- */

struct delete_job {
    const char *const *ids;
    size_t n;
    bool *missing;
    struct store_text_list *groups;
};

static enum aibox_status check_known(struct batch *batch, const struct delete_job *job, struct aibox_error *err)
{
    size_t n_missing = 0;

    for (size_t i = 0; i < job->n; i++) {
        int64_t person_id;
        bool found;
        enum aibox_status status = sql_get(&batch->main, "SELECT person_id FROM person WHERE identity_id = ?",
                                           &person_id, &found, err, sql_text(job->ids[i]));
        if (status != AIBOX_OK)
            return status;
        job->missing[i] = !found;
        n_missing += !found;
    }
    return n_missing ? people_missing(job->ids, job->missing, job->n, err) : AIBOX_OK;
}

static enum aibox_status run_delete(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct delete_job *job = arg;
    struct label_set groups = {0};
    enum aibox_status status = check_known(batch, job, err);

    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++) {
        struct person_row row;
        status = person_row_find(&batch->main, job->ids[i], &row, err);
        if (status == AIBOX_OK) {
            for (size_t k = 0; k < row.groups.count; k++)
                label_set_insert(&groups, row.groups.ids[k]);
            status = person_row_delete(batch, &row, err);
        } else if (status == AIBOX_ID_NOT_FOUND) { /* named twice */
            status = AIBOX_OK;
        }
        person_row_free(&row);
    }
    if (status == AIBOX_OK && job->groups)
        status = label_set_resolve(&groups, batch_labels(batch), &batch->main, NULL, job->groups, NULL, err);
    return status;
}

enum aibox_status store_people_delete(struct store *store, const char *const *identity_ids, size_t n,
                                      struct store_text_list *groups, struct aibox_error *err)
{
    struct delete_job job = {.ids = identity_ids, .n = n, .groups = groups};

    if (groups)
        *groups = (struct store_text_list){0};
    if (n == 0)
        return AIBOX_OK;
    job.missing = calloc(n, sizeof *job.missing);
    if (!job.missing)
        return out_of_memory(err);
    enum aibox_status status = writer_do(store->writer, CHANGE_SHARED, run_delete, &job, err);
    free(job.missing);
    if (status != AIBOX_OK)
        store_text_list_free(groups);
    return status;
}

struct delete_known_job {
    const char *const *ids;
    size_t n;
    bool *deleted;
    const struct store_answer *answer;
};

static enum aibox_status run_delete_known(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct delete_known_job *job = arg;
    enum aibox_status status = AIBOX_OK;

    /* All are looked up before the first is deleted: an id may be named twice. */
    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++) {
        int64_t person_id;
        status = sql_get(&batch->main, "SELECT person_id FROM person WHERE identity_id = ?", &person_id,
                         &job->deleted[i], err, sql_text(job->ids[i]));
    }
    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++) {
        struct person_row row;
        if (!job->deleted[i])
            continue;
        status = person_row_find(&batch->main, job->ids[i], &row, err);
        if (status == AIBOX_OK)
            status = person_row_delete(batch, &row, err);
        else if (status == AIBOX_ID_NOT_FOUND) /* named twice */
            status = AIBOX_OK;
        person_row_free(&row);
    }
    return status == AIBOX_OK ? inbox_answer(batch, job->answer, err) : status;
}

enum aibox_status store_people_delete_known(struct store *store, const char *const *identity_ids, size_t n,
                                            bool *deleted, const struct store_answer *answer, struct aibox_error *err)
{
    struct delete_known_job job = {identity_ids, n, deleted, answer};

    return writer_do(store->writer, CHANGE_SHARED, run_delete_known, &job, err);
}
