#include "store/sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"

const char *sql_reason(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return "no space left on the data disk";
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return "the data disk can't be read or written";
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return "the data folder can't be written";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return "the database is damaged";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "the database is in use by another program";
    case SQLITE_NOMEM:
        return "out of memory";
    default:
        return "internal error of the database";
    }
}

enum aibox_status sql_fail(struct sql *sql, int code, struct aibox_error *err)
{
    sql->failure = code & 0xff;
    log_error("store", "database failed code=%d text=\"%s\" reason=\"%s\"", code,
              sql->db ? sqlite3_errmsg(sql->db) : sqlite3_errstr(code), sql_reason(code));
    return error_set(err, AIBOX_PROCESS_FAILED, "%s", sql_reason(code));
}

enum aibox_status sql_open(struct sql *sql, const char *path, enum sql_mode mode, int cache_kib,
                           struct aibox_error *err)
{
    enum aibox_status status;
    char text[64];
    int flags =
        SQLITE_OPEN_NOMUTEX | (mode == SQL_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);

    *sql = (struct sql){.path = path};
    int code = sqlite3_open_v2(path, &sql->db, flags, NULL);
    if (code != SQLITE_OK) {
        status = sql_fail(sql, code, err);
        goto out;
    }
    sqlite3_extended_result_codes(sql->db, 1);
    sqlite3_busy_timeout(sql->db, mode == SQL_WRITER ? 2000 : 5000);
    sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    status = sql_script(sql,
                        "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;"
                        "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 0;"
                        "PRAGMA trusted_schema = OFF;",
                        err);
    sqlite3_snprintf((int)sizeof text, text, "PRAGMA cache_size = -%d", cache_kib);
    if (status == AIBOX_OK)
        status = sql_script(sql, text, err);
out:
    if (status != AIBOX_OK)
        sql_close(sql);
    return status;
}

void sql_close(struct sql *sql)
{
    for (size_t i = 0; i < sql->n_cached; i++)
        sqlite3_finalize(sql->cache[i].stmt);
    sql->n_cached = 0;
    sqlite3_close_v2(sql->db);
    sql->db = NULL;
}

static sqlite3_stmt *prepare(struct sql *sql, const char *text, unsigned flags, struct aibox_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v3(sql->db, text, -1, flags, &stmt, NULL);

    if (code == SQLITE_OK)
        return stmt;
    sql_fail(sql, code, err);
    sqlite3_finalize(stmt);
    return NULL;
}

static sqlite3_stmt *cached(struct sql *sql, const char *text, struct aibox_error *err)
{
    for (size_t i = 0; i < sql->n_cached; i++)
        if (sql->cache[i].text == text)
            return sql->cache[i].stmt;
    if (sql->n_cached == SQL_CACHE) { /* a program that has more statements than SQL_CACHE is merely slower */
        sqlite3_finalize(sql->cache[0].stmt);
        sql->cache[0] = sql->cache[--sql->n_cached];
    }
    sqlite3_stmt *stmt = prepare(sql, text, SQLITE_PREPARE_PERSISTENT, err);
    if (stmt) {
        sql->cache[sql->n_cached].text = text;
        sql->cache[sql->n_cached++].stmt = stmt;
    }
    return stmt;
}

static int bind(sqlite3_stmt *stmt, int index, const struct sql_value *value)
{
    switch (value->type) {
    case SQL_INT:
        return sqlite3_bind_int64(stmt, index, value->integer);
    case SQL_REAL:
        return sqlite3_bind_double(stmt, index, value->real);
    case SQL_TEXT:
        return sqlite3_bind_text(stmt, index, value->bytes, -1, SQLITE_STATIC);
    case SQL_BLOB:
        /* An empty blob is not NULL. */
        if (value->bytes && value->size == 0)
            return sqlite3_bind_zeroblob(stmt, index, 0);
        return sqlite3_bind_blob64(stmt, index, value->bytes, value->size, SQLITE_STATIC);
    case SQL_NULL_VALUE:
    default:
        return sqlite3_bind_null(stmt, index);
    }
}

static bool bind_all(struct sql *sql, sqlite3_stmt *stmt, const struct sql_value *values, size_t n_values,
                     struct aibox_error *err)
{
    for (size_t i = 0; i < n_values; i++) {
        int code = bind(stmt, (int)i + 1, &values[i]);
        if (code != SQLITE_OK) {
            sql_fail(sql, code, err);
            return false;
        }
    }
    return true;
}

sqlite3_stmt *sql_begin_values(struct sql *sql, const char *text, struct aibox_error *err,
                               const struct sql_value *values, size_t n_values)
{
    sqlite3_stmt *stmt = cached(sql, text, err);

    if (stmt && !bind_all(sql, stmt, values, n_values, err)) {
        sql_end(stmt);
        return NULL;
    }
    return stmt;
}

sqlite3_stmt *sql_begin_text(struct sql *sql, const char *text, struct aibox_error *err, const struct sql_value *values,
                             size_t n_values)
{
    sqlite3_stmt *stmt = prepare(sql, text, 0, err);

    if (stmt && !bind_all(sql, stmt, values, n_values, err)) {
        sql_drop(stmt);
        return NULL;
    }
    return stmt;
}

enum aibox_status sql_step(struct sql *sql, sqlite3_stmt *stmt, bool *row, struct aibox_error *err)
{
    int code = sqlite3_step(stmt);

    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return AIBOX_OK;
    return sql_fail(sql, code, err);
}

void sql_end(sqlite3_stmt *stmt)
{
    if (!stmt)
        return;
    sqlite3_reset(stmt);          /* repeats the code of a failed step, which was reported there */
    sqlite3_clear_bindings(stmt); /* nothing may point at the caller's memory */
}

void sql_drop(sqlite3_stmt *stmt)
{
    sqlite3_finalize(stmt);
}

enum aibox_status sql_run_values(struct sql *sql, const char *text, struct aibox_error *err,
                                 const struct sql_value *values, size_t n_values)
{
    sqlite3_stmt *stmt = sql_begin_values(sql, text, err, values, n_values);
    enum aibox_status status = AIBOX_OK;
    bool row = true;

    if (!stmt)
        return AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK && row)
        status = sql_step(sql, stmt, &row, err);
    sql_end(stmt);
    return status;
}

enum aibox_status sql_script(struct sql *sql, const char *text, struct aibox_error *err)
{
    int code = sqlite3_exec(sql->db, text, NULL, NULL, NULL);

    return code == SQLITE_OK ? AIBOX_OK : sql_fail(sql, code, err);
}

enum aibox_status sql_get_values(struct sql *sql, const char *text, int64_t *out, bool *found, struct aibox_error *err,
                                 const struct sql_value *values, size_t n_values)
{
    sqlite3_stmt *stmt = sql_begin_values(sql, text, err, values, n_values);
    bool row = false;

    if (!stmt)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = sql_step(sql, stmt, &row, err);
    *out = row ? sqlite3_column_int64(stmt, 0) : 0;
    if (found)
        *found = row;
    sql_end(stmt);
    return status;
}

const char *sql_column_text(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    return text ? text : "";
}

char *sql_column_copy(sqlite3_stmt *stmt, int column)
{
    const char *text = sql_column_text(stmt, column);
    size_t size = (size_t)sqlite3_column_bytes(stmt, column) + 1;
    char *copy = malloc(size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

float sql_column_float(sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt, column) == SQLITE_NULL ? NAN : (float)sqlite3_column_double(stmt, column);
}

enum aibox_status sql_column_plain(sqlite3_stmt *stmt, int key_column, int column, const void **bytes, size_t *size,
                                   struct aibox_error *err)
{
    int64_t key_id = sqlite3_column_int64(stmt, key_column);

    if (key_id != 0)
        return error_set(err, AIBOX_PROCESS_FAILED,
                         "the data is encrypted with key %lld, which this program does not have", (long long)key_id);
    *bytes = sqlite3_column_blob(stmt, column);
    *size = (size_t)sqlite3_column_bytes(stmt, column);
    return AIBOX_OK;
}
