/* One change of one person: info, groups, permissions and faces together, or nothing of it. */
#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/id.h"
#include "store/inbox.h"
#include "store/person.h"
#include "store/seal_rows.h"

/* What is prepared on the caller's thread, to keep the writer's work short. */
struct prepared_face {
    const struct store_new_face *given;
    struct store_face face;
    uint8_t sha256[SHA256_SIZE];
};

struct save_job {
    const struct store_person_change *change;
    json_t *info;
    struct prepared_face faces[STORE_MAX_FACES];
    size_t n_faces;
    int64_t now_ms;
    struct store_person *out;
    bool created;
};

static enum aibox_status check_feature(const float *feature, const char *model_set, struct aibox_error *err)
{
    if (!feature || !model_set || !model_set[0])
        return error_set(err, AIBOX_PARAM, "a face lacks its feature or model set");
    for (size_t i = 0; i < STORE_DIMENSION; i++)
        if (!isfinite(feature[i]))
            return error_set(err, AIBOX_BAD_FEATURE, "the feature has a value that is not finite");
    return AIBOX_OK;
}

static enum aibox_status check_face(const struct store_new_face *face, struct aibox_error *err)
{
    enum aibox_status status = check_feature(face->feature, face->model_set, err);

    if (status == AIBOX_OK && face->next_feature)
        status = check_feature(face->next_feature, face->next_model_set, err);
    return status;
}

static enum aibox_status prepare(struct save_job *job, struct aibox_error *err)
{
    const struct store_person_change *change = job->change;
    enum aibox_status status = text_check("identity_id", change->identity_id, false, STORE_MAX_IDENTITY, err);

    if (status == AIBOX_OK)
        status = inbox_check_progress(change->progress, err);
    if (status == AIBOX_OK && change->info)
        status = info_parse(change->info, &job->info, err);
    if (status != AIBOX_OK || change->faces_mode == STORE_FACES_KEEP)
        return status;
    /* Of more faces than a person may have, the last ones stay. */
    size_t first = change->n_faces > STORE_MAX_FACES ? change->n_faces - STORE_MAX_FACES : 0;
    for (size_t i = first; i < change->n_faces && status == AIBOX_OK; i++) {
        struct prepared_face *prepared = &job->faces[job->n_faces++];
        prepared->given = &change->faces[i];
        status = check_face(prepared->given, err);
        id_uuid(prepared->face.face_id);
        prepared->face.norm = prepared->given->norm;
        prepared->face.quality = prepared->given->quality;
        prepared->face.created_ms = job->now_ms;
        if (prepared->given->photo) {
            id_uuid(prepared->face.image_id);
            crypto_hash_sha256(prepared->sha256, prepared->given->photo, prepared->given->photo_size);
        }
    }
    return status;
}

static enum aibox_status apply_groups(struct batch *batch, const struct store_person_change *change,
                                      struct label_set *groups, struct aibox_error *err)
{
    struct label_set given = {0};

    for (size_t i = 0; i < change->n_groups; i++) {
        uint32_t label_id;
        enum aibox_status status = label_lookup(&batch->main, STORE_GROUP, change->groups[i], &label_id, err);
        if (status != AIBOX_OK)
            return status;
        if (label_id == 0)
            return error_set(err, AIBOX_NOT_FOUND, "no group %s", change->groups[i]);
        label_set_insert(&given, label_id); /* room for all there are */
    }
    if (given.count > 0 && change->groups_replace)
        groups->count = 0;
    for (size_t i = 0; i < given.count; i++)
        label_set_insert(groups, given.ids[i]);
    return AIBOX_OK;
}

static enum aibox_status apply_permissions(struct batch *batch, const struct store_person_change *change,
                                           struct label_set *permissions, struct aibox_error *err)
{
    if (!change->permissions_set)
        return AIBOX_OK;
    permissions->count = 0;
    for (size_t i = 0; i < change->n_permissions; i++) {
        const char *name = change->permissions[i];
        uint32_t label_id;
        enum aibox_status status = label_lookup(&batch->main, STORE_PERMISSION, name, &label_id, err);
        if (status == AIBOX_OK && label_id == 0 && !change->permissions_create)
            status = error_set(err, AIBOX_NOT_FOUND, "no permission group %s", name);
        else if (status == AIBOX_OK && label_id == 0)
            status = label_insert(batch, STORE_PERMISSION, name, name, "", "{}", &label_id, err);
        if (status != AIBOX_OK)
            return status;
        label_set_append(permissions, label_id);
    }
    /* "0" is for those who are given none: it doesn't stand beside others. */
    if (permissions->count > 1)
        label_set_remove(permissions, LABEL_EVERYBODY);
    return AIBOX_OK;
}

/* Makes room for the new faces and lists them in the row. */
static enum aibox_status list_faces(struct batch *batch, const struct save_job *job, struct person_row *row,
                                    struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    size_t keep = STORE_MAX_FACES - job->n_faces;

    if (job->change->faces_mode == STORE_FACES_KEEP)
        return AIBOX_OK;
    if (job->change->faces_mode == STORE_FACES_REPLACE)
        keep = 0;
    while (row->n_faces > keep && status == AIBOX_OK)
        status = person_drop_face(batch, row, 0, err);
    for (size_t i = 0; i < job->n_faces && status == AIBOX_OK; i++)
        row->faces[row->n_faces++] = job->faces[i].face;
    return status;
}

/* Feature and photo of a face that the row lists already. */
static enum aibox_status insert_face(struct batch *batch, const struct prepared_face *face, int64_t person_id,
                                     struct aibox_error *err)
{
    const struct store_new_face *given = face->given;
    uint8_t id[UUID_BYTES];

    uuid_pack(face->face.face_id, id);
    enum aibox_status status = face_feature_insert(batch, person_id, id, given->model_set, given->feature, err);
    if (status == AIBOX_OK && given->next_feature)
        status = face_feature_insert(batch, person_id, id, given->next_model_set, given->next_feature, err);
    if (status != AIBOX_OK || !given->photo)
        return status;
    status = batch_put_picture(batch, face->sha256, given->photo, given->photo_size, err);
    uuid_pack(face->face.image_id, id);
    if (status == AIBOX_OK)
        status = batch_add_image(batch, id, face->sha256, false, given->photo_size, err);
    return status;
}

static enum aibox_status check_capacity(struct batch *batch, struct aibox_error *err)
{
    int64_t people;
    size_t capacity = atomic_load(&batch->store->capacity);
    enum aibox_status status =
        sql_get_values(&batch->main, "SELECT value FROM counter WHERE name = 'people'", &people, NULL, err, NULL, 0);

    if (status == AIBOX_OK && (size_t)people >= capacity)
        return error_set(err, AIBOX_GALLERY_FULL, "the gallery is full: %zu people", capacity);
    return status;
}

/* Existence against the mode. A new person starts out in `row`. */
static enum aibox_status check_mode(struct batch *batch, struct save_job *job, bool exists, struct person_row *row,
                                    struct aibox_error *err)
{
    const struct store_person_change *change = job->change;

    if (exists && change->mode == STORE_CREATE)
        return error_set(err, AIBOX_IDENTITY_EXISTS, "identity_id exists already: %s", change->identity_id);
    if (exists)
        return AIBOX_OK;
    if (change->mode == STORE_UPDATE)
        return error_set(err, AIBOX_ID_NOT_FOUND, "identity_id not found: %s", change->identity_id);
    job->created = true;
    if (row->groups.count == 0)
        label_set_insert(&row->groups, LABEL_DEFAULT_GROUP);
    row->created_ms = job->now_ms;
    row->identity_id = strdup(change->identity_id);
    return row->identity_id ? check_capacity(batch, err) : out_of_memory(err);
}

static enum aibox_status apply(struct batch *batch, struct save_job *job, bool exists, struct person_row *row,
                               struct aibox_error *err)
{
    struct label_set old_groups = row->groups, old_permissions = row->permissions;
    char *info = NULL, *name = NULL;

    enum aibox_status status = apply_groups(batch, job->change, &row->groups, err);
    if (status == AIBOX_OK)
        status = apply_permissions(batch, job->change, &row->permissions, err);
    if (status == AIBOX_OK)
        status = check_mode(batch, job, exists, row, err);
    if (status == AIBOX_OK)
        status = info_merge(row->info, job->info, job->change->replace_info, &info, &name, &row->type, err);
    if (status != AIBOX_OK)
        goto out;
    if (row->permissions.count == 0)
        label_set_append(&row->permissions, LABEL_EVERYBODY);
    free(row->info);
    free(row->name);
    row->info = info;
    row->name = name;
    info = name = NULL;
    row->updated_ms = job->now_ms;

    status = list_faces(batch, job, row, err);
    if (status == AIBOX_OK)
        status = person_row_write(batch, row, &old_groups, &old_permissions, err);
    for (size_t i = 0; i < job->n_faces && status == AIBOX_OK; i++)
        status = insert_face(batch, &job->faces[i], row->person_id, err);
out:
    free(info);
    free(name);
    return status;
}

static enum aibox_status run_save(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct save_job *job = arg;
    struct person_row row;
    enum aibox_status status = person_row_find(&batch->main, job->change->identity_id, &row, err);
    bool exists = status == AIBOX_OK;

    job->created = false;
    if (status == AIBOX_ID_NOT_FOUND)
        row = (struct person_row){0};
    if (exists || status == AIBOX_ID_NOT_FOUND)
        status = apply(batch, job, exists, &row, err);
    if (status == AIBOX_OK)
        status = inbox_put_progress(batch, job->change->progress, err);
    if (status == AIBOX_OK && job->out)
        status = person_from_row(&row, batch_labels(batch), &batch->main, job->out, err);
    person_row_free(&row);
    return status;
}

enum aibox_status store_person_save(struct store *store, const struct store_person_change *change,
                                    struct store_person *out, bool *created, struct aibox_error *err)
{
    struct save_job job = {.change = change, .now_ms = clock_realtime_ms(), .out = out};

    if (out)
        *out = (struct store_person){0};
    enum aibox_status status = prepare(&job, err);
    if (status == AIBOX_OK)
        status = writer_do(store->writer, CHANGE_SHARED, run_save, &job, err);
    if (status != AIBOX_OK)
        store_person_free(out); /* filled when the commit failed after it */
    if (created)
        *created = status == AIBOX_OK && job.created;
    json_decref(job.info);
    return status;
}
