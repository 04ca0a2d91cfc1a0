/* Documents: small JSON texts by name. What they mean is the business of who keeps them. */
#include <jansson.h>
#include <stdlib.h>

#include "store/batch.h"
#include "store/seal_rows.h"

static enum aibox_status check_json(const char *name, const char *json, struct aibox_error *err)
{
    enum aibox_status status = text_check(name, json, false, STORE_MAX_DOCUMENT, err);

    if (status != AIBOX_OK)
        return status;
    json_t *value = json_loads(json, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    bool valid = value != NULL;
    json_decref(value);
    return valid ? AIBOX_OK : error_set(err, AIBOX_PARAM, "%s must be JSON", name);
}

enum aibox_status store_document_get(struct store *store, const char *name, char **json, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = false;

    *json = NULL;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt =
        sql_begin(&reader->main, "SELECT key_id, nonce, json FROM document WHERE name = ?", err, sql_text(name));
    enum aibox_status status = stmt ? sql_step(&reader->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    struct seal_place place = seal_place_named(SEAL_DOCUMENT, name);
    if (status == AIBOX_OK && row && !(*json = seal_column_text(reader->main.ring, stmt, 0, &place, err)))
        status = AIBOX_PROCESS_FAILED;
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

struct document_job {
    const char *name, *json;
};

static enum aibox_status run_put(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct document_job *job = arg;

    batch->deleted = true; /* what was there may hold a secret */
    if (!job->json)
        return sql_run(&batch->main, "DELETE FROM document WHERE name = ?", err, sql_text(job->name));
    struct seal_place place = seal_place_named(SEAL_DOCUMENT, job->name);
    struct sealed_text sealed;
    enum aibox_status status = seal_text(batch->main.ring, &place, job->json, &sealed, err);
    if (status == AIBOX_OK)
        status =
            sql_run(&batch->main, "INSERT OR REPLACE INTO document (name, key_id, nonce, json) VALUES (?, ?, ?, ?)",
                    err, sql_text(job->name), sql_int(seal_key_id(batch->main.ring)),
                    sql_blob(sealed.nonce, sizeof sealed.nonce), sql_blob(sealed.bytes, sealed.size));
    free(sealed.bytes);
    return status;
}

enum aibox_status store_document_put(struct store *store, const char *name, const char *json, struct aibox_error *err)
{
    struct document_job job = {name, json};
    enum aibox_status status = text_check("name", name, false, STORE_MAX_NAME, err);

    if (status == AIBOX_OK && json)
        status = check_json(name, json, err);
    return status == AIBOX_OK ? writer_do(store->writer, CHANGE_SHARED, run_put, &job, err) : status;
}
