/* One face of a person at a time: taken away, or made the one that stands for the person. */
#include <string.h>

#include "core/clock.h"
#include "store/person.h"

enum aibox_status person_drop_face(struct batch *batch, struct person_row *row, size_t at, struct aibox_error *err)
{
    uint8_t face_id[UUID_BYTES];

    uuid_pack(row->faces[at].face_id, face_id);
    enum aibox_status status = sql_run(&batch->main, "DELETE FROM face WHERE person_id = ? AND face_id = ?", err,
                                       sql_int(row->person_id), sql_blob(face_id, UUID_BYTES));
    if (status == AIBOX_OK)
        status = person_drop_photo(batch, &row->faces[at], err);
    memmove(&row->faces[at], &row->faces[at + 1], (row->n_faces - at - 1) * sizeof row->faces[0]);
    row->n_faces--;
    batch->deleted = true;
    batch->release_at_once = true;
    return status;
}

struct face_job {
    const char *identity_id, *face_id;
    /* What is done with the face of row->faces[at]. */
    enum aibox_status (*change)(struct batch *batch, struct person_row *row, size_t at, struct aibox_error *err);
    bool keep_last;
    int64_t now_ms;
    struct store_person *out;
};

static enum aibox_status prefer_face(struct batch *batch, struct person_row *row, size_t at, struct aibox_error *err)
{
    struct store_face face = row->faces[at];

    (void)batch;
    (void)err;
    memmove(&row->faces[at], &row->faces[at + 1], (row->n_faces - at - 1) * sizeof row->faces[0]);
    row->faces[row->n_faces - 1] = face;
    return AIBOX_OK;
}

static enum aibox_status change_face(struct batch *batch, const struct face_job *job, struct person_row *row,
                                     struct aibox_error *err)
{
    struct label_set groups = row->groups, permissions = row->permissions;
    size_t at = 0;

    while (at < row->n_faces && strcmp(row->faces[at].face_id, job->face_id) != 0)
        at++;
    if (at == row->n_faces)
        return error_set(err, AIBOX_NOT_FOUND, "face_id: %s has no such face", job->identity_id);
    if (job->keep_last && row->n_faces == 1)
        return error_set(err, AIBOX_PARAM,
                         "face_id: the only face of %s, who can't be recognised without it; allow_last takes it away "
                         "all the same",
                         job->identity_id);
    row->updated_ms = job->now_ms;
    enum aibox_status status = job->change(batch, row, at, err);
    return status == AIBOX_OK ? person_row_write(batch, row, &groups, &permissions, err) : status;
}

static enum aibox_status run_change(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct face_job *job = arg;
    struct person_row row;
    enum aibox_status status = person_row_find(&batch->main, job->identity_id, &row, err);

    if (status == AIBOX_ID_NOT_FOUND)
        status = error_set(err, AIBOX_ID_NOT_FOUND, "identity_id not found: %s", job->identity_id);
    else if (status == AIBOX_OK)
        status = change_face(batch, job, &row, err);
    if (status == AIBOX_OK && job->out)
        status = person_from_row(&row, batch_labels(batch), &batch->main, job->out, err);
    person_row_free(&row);
    return status;
}

static enum aibox_status run(struct store *store, struct face_job *job, struct aibox_error *err)
{
    if (job->out)
        *job->out = (struct store_person){0};
    enum aibox_status status = writer_do(store->writer, CHANGE_SHARED, run_change, job, err);
    if (status != AIBOX_OK)
        store_person_free(job->out); /* filled when the commit failed after it */
    return status;
}

enum aibox_status store_face_remove(struct store *store, const char *identity_id, const char *face_id, bool allow_last,
                                    struct store_person *out, struct aibox_error *err)
{
    struct face_job job = {.identity_id = identity_id,
                           .face_id = face_id,
                           .change = person_drop_face,
                           .keep_last = !allow_last,
                           .now_ms = clock_realtime_ms(),
                           .out = out};

    return run(store, &job, err);
}

enum aibox_status store_face_prefer(struct store *store, const char *identity_id, const char *face_id,
                                    struct store_person *out, struct aibox_error *err)
{
    struct face_job job = {.identity_id = identity_id,
                           .face_id = face_id,
                           .change = prefer_face,
                           .now_ms = clock_realtime_ms(),
                           .out = out};

    return run(store, &job, err);
}
