#include "store/template.h"

#include <string.h>

#include "core/log.h"
#include "store/internal.h"
#include "store/seal_rows.h"

/* Appends the feature of the current row: from `column` on key_id, nonce, feature, face_id. One that was changed
 * outside of the box is said, and left out: the others are to be recognised all the same. */
static enum aibox_status add_feature(const struct sql *sql, sqlite3_stmt *stmt, int column, float *features,
                                     struct store_template *state, struct aibox_error *err)
{
    const size_t feature_size = STORE_DIMENSION * sizeof(float);
    size_t size;

    if (state->n_faces == STORE_MAX_FACES)
        return AIBOX_OK;
    if (sqlite3_column_bytes(stmt, column + 3) != UUID_BYTES)
        return error_set(err, AIBOX_PROCESS_FAILED, "a stored face has no id");
    struct seal_place place = seal_place_face(state->person_id, sqlite3_column_blob(stmt, column + 3));
    enum aibox_status status = seal_column_read(sql->ring, stmt, column, &place,
                                                features + state->n_faces * STORE_DIMENSION, feature_size, &size, err);
    if (status != AIBOX_OK && seal_knows(sql->ring, sqlite3_column_int64(stmt, column))) {
        log_error("store", "a face was changed and is left out person=%lld", (long long)state->person_id);
        return AIBOX_OK;
    }
    if (status != AIBOX_OK)
        return status;
    if (size != feature_size)
        return error_set(err, AIBOX_PROCESS_FAILED, "a stored feature has %zu bytes", size);
    state->n_faces++;
    return AIBOX_OK;
}

static enum aibox_status set_masks(sqlite3_stmt *stmt, int groups, int permissions, struct sql *sql,
                                   const struct label_map *labels, struct person_template *out, struct aibox_error *err)
{
    struct label_set set;

    memset(out->groups, 0, sizeof out->groups);
    memset(out->permissions, 0, sizeof out->permissions);
    label_set_read(&set, sqlite3_column_blob(stmt, groups), (size_t)sqlite3_column_bytes(stmt, groups));
    enum aibox_status status = label_set_resolve(&set, labels, sql, NULL, NULL, out->groups, err);
    if (status != AIBOX_OK)
        return status;
    label_set_read(&set, sqlite3_column_blob(stmt, permissions), (size_t)sqlite3_column_bytes(stmt, permissions));
    return label_set_resolve(&set, labels, sql, NULL, NULL, out->permissions, err);
}

static void template_start(struct person_template *out, int64_t person_id, const float *features)
{
    out->state = (struct store_template){
        .person_id = person_id, .features = features, .groups = out->groups, .permissions = out->permissions};
}

enum aibox_status template_load(struct sql *sql, const struct label_map *labels, const char *model_set,
                                int64_t person_id, float *features, struct person_template *out,
                                struct aibox_error *err)
{
    bool row;

    *out = (struct person_template){0};
    template_start(out, person_id, features);
    sqlite3_stmt *stmt =
        sql_begin(sql, "SELECT groups, permissions FROM person WHERE person_id = ?", err, sql_int(person_id));
    if (!stmt)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = sql_step(sql, stmt, &row, err);
    if (status == AIBOX_OK && row)
        status = set_masks(stmt, 0, 1, sql, labels, out, err);
    sql_end(stmt);
    if (status != AIBOX_OK || !row)
        return status;

    stmt = sql_begin(
        sql,
        "SELECT f.key_id, f.nonce, f.feature, f.face_id FROM face f JOIN model_set m ON m.model_set_id = f.model_set_id"
        " WHERE f.person_id = ? AND (?2 IS NULL OR m.name = ?2) ORDER BY f.face_row",
        err, sql_int(person_id), sql_text(model_set));
    if (!stmt)
        return AIBOX_PROCESS_FAILED;
    while ((status = sql_step(sql, stmt, &row, err)) == AIBOX_OK && row)
        if ((status = add_feature(sql, stmt, 0, features, &out->state, err)) != AIBOX_OK)
            break;
    sql_end(stmt);
    return status;
}

static enum aibox_status scan_rows(sqlite3_stmt *stmt, struct reader *reader, const struct label_map *labels,
                                   bool (*each)(void *ctx, const struct store_template *state), void *ctx,
                                   struct aibox_error *err)
{
    float features[STORE_MAX_FACES * STORE_DIMENSION];
    struct person_template person;
    enum aibox_status status;
    bool row;

    template_start(&person, 0, features);
    while ((status = sql_step(&reader->main, stmt, &row, err)) == AIBOX_OK && row) {
        int64_t person_id = sqlite3_column_int64(stmt, 0);
        if (person_id != person.state.person_id) {
            if (person.state.n_faces > 0 && !each(ctx, &person.state))
                return AIBOX_OK;
            template_start(&person, person_id, features);
            status = set_masks(stmt, 5, 6, &reader->main, labels, &person, err);
        }
        if (status == AIBOX_OK)
            status = add_feature(&reader->main, stmt, 1, features, &person.state, err);
        if (status != AIBOX_OK)
            return status;
    }
    if (status == AIBOX_OK && person.state.n_faces > 0)
        each(ctx, &person.state);
    return status;
}

enum aibox_status store_templates_scan(struct store *store, const char *model_set,
                                       bool (*each)(void *ctx, const struct store_template *state), void *ctx,
                                       struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    enum aibox_status status = AIBOX_PROCESS_FAILED;

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    struct label_map *labels = label_map_take(store->labels);
    sqlite3_stmt *stmt =
        sql_begin(&reader->main,
                  "SELECT f.person_id, f.key_id, f.nonce, f.feature, f.face_id, p.groups, p.permissions"
                  " FROM face f JOIN person p ON p.person_id = f.person_id"
                  " WHERE f.model_set_id = (SELECT model_set_id FROM model_set WHERE name = ?)"
                  " ORDER BY f.person_id, f.face_row",
                  err, sql_text(model_set));
    if (stmt)
        status = scan_rows(stmt, reader, labels, each, ctx, err);
    sql_end(stmt);
    label_map_drop(labels);
    reader_return(store->readers, reader);
    return status;
}
