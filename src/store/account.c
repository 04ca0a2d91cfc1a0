/* Accounts, sessions and API keys as rows. What they allow is the business of access/accounts.h. */
#include <string.h>

#include "store/batch.h"
#include "store/callers.h"

/* ---- accounts ------------------------------------------------------------------------------------------- */

enum aibox_status store_accounts_each(struct store *store, void (*each)(void *ctx, const struct store_account *account),
                                      void *ctx, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = true;

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = sql_begin_values(
        &reader->main, "SELECT name, role, password, created_ms, changed_ms FROM account ORDER BY name", err, NULL, 0);
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK && row) {
        status = sql_step(&reader->main, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        struct store_account account = {.name = sql_column_text(stmt, 0),
                                        .role = sqlite3_column_int(stmt, 1),
                                        .password = sql_column_text(stmt, 2),
                                        .created_ms = sqlite3_column_int64(stmt, 3),
                                        .changed_ms = sqlite3_column_int64(stmt, 4)};
        each(ctx, &account);
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

static enum aibox_status run_put_account(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct store_account *account = arg;

    batch->deleted = true; /* an old password's hash is nobody's business any more */
    return sql_run(
        &batch->main,
        "INSERT OR REPLACE INTO account (name, role, password, created_ms, changed_ms) VALUES (?, ?, ?, ?, ?)", err,
        sql_text(account->name), sql_int(account->role), sql_text(account->password), sql_int(account->created_ms),
        sql_int(account->changed_ms));
}

enum aibox_status store_account_put(struct store *store, const struct store_account *account, struct aibox_error *err)
{
    enum aibox_status status = text_check("name", account->name, false, STORE_MAX_NAME, err);

    if (status == AIBOX_OK)
        status = text_check("password", account->password, false, STORE_MAX_NAME, err);
    return status == AIBOX_OK ? writer_do(store->writer, CHANGE_SHARED, run_put_account, (void *)account, err) : status;
}

static enum aibox_status run_delete_account(struct batch *batch, void *arg, struct aibox_error *err)
{
    const char *name = arg;
    enum aibox_status status = sql_run(&batch->main, "DELETE FROM account WHERE name = ?", err, sql_text(name));

    batch->deleted = true;
    if (status == AIBOX_OK)
        status = sql_run(&batch->main, "DELETE FROM credential WHERE kind = 0 AND name = ?", err, sql_text(name));
    return status;
}

enum aibox_status store_account_delete(struct store *store, const char *name, struct aibox_error *err)
{
    return writer_do(store->writer, CHANGE_SHARED, run_delete_account, (void *)name, err);
}

/* ---- sessions and keys ---------------------------------------------------------------------------------- */

enum aibox_status store_credentials_each(struct store *store,
                                         void (*each)(void *ctx, const struct store_credential *credential), void *ctx,
                                         struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = true;

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = sql_begin_values(
        &reader->main,
        "SELECT hash, kind, name, role, created_ms, expires_ms, used_ms FROM credential ORDER BY created_ms, hash", err,
        NULL, 0);
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK && row) {
        status = sql_step(&reader->main, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        struct store_credential credential = {.kind = sqlite3_column_int(stmt, 1) == STORE_API_KEY ? STORE_API_KEY
                                                                                                   : STORE_SESSION,
                                              .name = sql_column_text(stmt, 2),
                                              .role = sqlite3_column_int(stmt, 3),
                                              .created_ms = sqlite3_column_int64(stmt, 4),
                                              .expires_ms = sqlite3_column_int64(stmt, 5),
                                              .used_ms = sqlite3_column_int64(stmt, 6)};
        if (sqlite3_column_bytes(stmt, 0) != STORE_SECRET_HASH)
            continue; /* nothing hashes to it */
        memcpy(credential.hash, sqlite3_column_blob(stmt, 0), STORE_SECRET_HASH);
        each(ctx, &credential);
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

struct put_job {
    const struct store_credential *credentials;
    size_t n;
};

static enum aibox_status run_put(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct put_job *job = arg;
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++) {
        const struct store_credential *credential = &job->credentials[i];
        status = sql_run(&batch->main,
                         "INSERT OR REPLACE INTO credential (hash, kind, name, role, created_ms, expires_ms, used_ms)"
                         " VALUES (?, ?, ?, ?, ?, ?, ?)",
                         err, sql_blob(credential->hash, sizeof credential->hash), sql_int(credential->kind),
                         sql_text(credential->name), sql_int(credential->role), sql_int(credential->created_ms),
                         sql_int(credential->expires_ms), sql_int(credential->used_ms));
    }
    return status;
}

enum aibox_status store_credentials_put(struct store *store, const struct store_credential *credentials, size_t n,
                                        struct aibox_error *err)
{
    struct put_job job = {credentials, n};
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < n && status == AIBOX_OK; i++)
        status = text_check("name", credentials[i].name, false, STORE_MAX_NAME, err);
    return status == AIBOX_OK && n > 0 ? writer_do(store->writer, CHANGE_SHARED, run_put, &job, err) : status;
}

struct delete_job {
    const uint8_t *hashes;
    size_t n;
};

static enum aibox_status run_delete(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct delete_job *job = arg;
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++)
        status = sql_run(&batch->main, "DELETE FROM credential WHERE hash = ?", err,
                         sql_blob(job->hashes + i * STORE_SECRET_HASH, STORE_SECRET_HASH));
    return status;
}

enum aibox_status store_credentials_delete(struct store *store, const uint8_t *hashes, size_t n,
                                           struct aibox_error *err)
{
    struct delete_job job = {hashes, n};

    return n > 0 ? writer_do(store->writer, CHANGE_SHARED, run_delete, &job, err) : AIBOX_OK;
}
