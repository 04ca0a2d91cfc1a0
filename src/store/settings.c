/* Stored settings: keys and values as text; what they mean is the business of core/settings.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/settings.h"
#include <stdlib.h>

#include "store/batch.h"
#include "store/seal_rows.h"

static enum aibox_status tell(const struct sql *sql, sqlite3_stmt *stmt,
                              void (*each)(void *ctx, const char *key, const char *value), void *ctx,
                              struct aibox_error *err)
{
    struct seal_place place = seal_place_named(SEAL_SETTING, sql_column_text(stmt, 0));
    char *value = seal_column_text(sql->ring, stmt, 1, &place, err);

    if (!value)
        return AIBOX_PROCESS_FAILED;
    each(ctx, sql_column_text(stmt, 0), value);
    free(value);
    return AIBOX_OK;
}

enum aibox_status store_settings_each(struct store *store, void (*each)(void *ctx, const char *key, const char *value),
                                      void *ctx, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    bool row;

    if (!reader)
        return status;
    sqlite3_stmt *stmt =
        sql_begin_values(&reader->main, "SELECT key, key_id, nonce, value FROM setting ORDER BY key", err, NULL, 0);
    if (stmt)
        status = AIBOX_OK;
    while (status == AIBOX_OK && (status = sql_step(&reader->main, stmt, &row, err)) == AIBOX_OK && row)
        status = tell(&reader->main, stmt, each, ctx, err);
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

struct put_job {
    const char *const *keys, *const *values;
    size_t n;
};

static enum aibox_status put_one(struct batch *batch, const char *key, const char *value, struct aibox_error *err)
{
    struct seal_place place = seal_place_named(SEAL_SETTING, key);
    struct sealed_text sealed;
    enum aibox_status status = seal_text(batch->main.ring, &place, value, &sealed, err);

    if (status == AIBOX_OK)
        status = sql_run(&batch->main, "INSERT OR REPLACE INTO setting (key, key_id, nonce, value) VALUES (?, ?, ?, ?)",
                         err, sql_text(key), sql_int(seal_key_id(batch->main.ring)),
                         sql_blob(sealed.nonce, sizeof sealed.nonce), sql_blob(sealed.bytes, sealed.size));
    free(sealed.bytes);
    return status;
}

static enum aibox_status run_put(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct put_job *job = arg;
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++) {
        if (job->values[i])
            status = put_one(batch, job->keys[i], job->values[i], err);
        else
            status = sql_run(&batch->main, "DELETE FROM setting WHERE key = ?", err, sql_text(job->keys[i]));
    }
    batch->deleted = true; /* an old value may be a secret */
    return status;
}

enum aibox_status store_settings_put(struct store *store, const char *const *keys, const char *const *values, size_t n,
                                     struct aibox_error *err)
{
    struct put_job job = {keys, values, n};
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < n && status == AIBOX_OK; i++) {
        status = text_check("key", keys[i], false, STORE_MAX_NAME, err);
        if (status == AIBOX_OK && values[i])
            status = text_check(keys[i], values[i], true, STORE_MAX_INFO, err);
    }
    return status == AIBOX_OK && n > 0 ? writer_do(store->writer, CHANGE_SHARED, run_put, &job, err) : status;
}

/* Held over the write, so that no two changes overtake each other; nobody else takes it. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

enum aibox_status store_settings_apply(struct store *store, struct settings *settings, const char *const *keys,
                                       const char *const *values, size_t n, struct aibox_error *err)
{
    pthread_mutex_lock(&one_at_a_time);
    enum aibox_status status = store_settings_put(store, keys, values, n, err);
    for (size_t i = 0; i < n && status == AIBOX_OK; i++) {
        if (values[i])
            status = settings_put(settings, SETTINGS_STORED, keys[i], values[i], err);
        else
            settings_forget(settings, SETTINGS_STORED, keys[i]);
    }
    pthread_mutex_unlock(&one_at_a_time);
    return status;
}

static bool is_kept(const char *key, const char *const *kept)
{
    for (; *kept; kept++)
        if (strcmp(key, *kept) == 0)
            return true;
    return false;
}

enum aibox_status store_settings_reset(struct store *store, struct settings *settings, const char *const *kept,
                                       struct aibox_error *err)
{
    const char **keys = calloc(settings_count, sizeof *keys);
    const char **values = calloc(settings_count, sizeof *values); /* NULL: deleted */
    enum aibox_status status = AIBOX_OK;
    size_t n = 0;

    if (!keys || !values) {
        status = out_of_memory(err);
        goto out;
    }
    for (size_t i = 0; i < settings_count; i++)
        if (!is_kept(settings_table[i].key, kept))
            keys[n++] = settings_table[i].key;
    status = store_settings_apply(store, settings, keys, values, n, err);
out:
    free(keys);
    free(values);
    return status;
}
