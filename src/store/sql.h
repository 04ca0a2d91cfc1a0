/*
 * Connections and statements: the only file of the room that prepares, binds and steps. A connection is used by one
 * thread at a time. Failures are logged here with SQLite's words and handed up without them.
 */
#ifndef AIBOX_STORE_SQL_H
#define AIBOX_STORE_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct seal_ring;

#define SQL_CACHE 112

struct sql {
    sqlite3 *db;
    const char *path;
    const struct seal_ring *ring; /* opens sealed rows; NULL until somebody sets it */
    int failure; /* primary result code of the last failure, SQLITE_OK: none since it was last cleared */
    size_t n_cached;
    struct {
        const char *text; /* compared by address: statements are string literals with one home */
        sqlite3_stmt *stmt;
    } cache[SQL_CACHE];
};

enum sql_mode { SQL_READER, SQL_WRITER };

/* `path` must outlive the connection. Sets every pragma that does not persist. A writer's file is created when missing.
 */
enum aibox_status sql_open(struct sql *sql, const char *path, enum sql_mode mode, int cache_kib,
                           struct aibox_error *err);
void sql_close(struct sql *sql);

/* A value to bind. Text and blobs must stay valid until sql_end. */
struct sql_value {
    enum { SQL_NULL_VALUE, SQL_INT, SQL_REAL, SQL_TEXT, SQL_BLOB } type;
    int64_t integer;
    double real;
    const void *bytes;
    size_t size;
};

static inline struct sql_value sql_null(void)
{
    return (struct sql_value){.type = SQL_NULL_VALUE};
}
static inline struct sql_value sql_int(int64_t value)
{
    return (struct sql_value){.type = SQL_INT, .integer = value};
}
static inline struct sql_value sql_real(double value) /* NAN becomes NULL */
{
    return (struct sql_value){.type = SQL_REAL, .real = value};
}
static inline struct sql_value sql_text(const char *text) /* NULL becomes NULL */
{
    return (struct sql_value){.type = SQL_TEXT, .bytes = text};
}
static inline struct sql_value sql_blob(const void *bytes, size_t size) /* NULL becomes NULL */
{
    return (struct sql_value){.type = SQL_BLOB, .bytes = bytes, .size = size};
}

#define SQL_VALUES(...)                                                                                                \
    (const struct sql_value[]){__VA_ARGS__}, sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value)

/*
 * Starts a statement: prepared once per connection (`text` must be a literal with one home, and not in use already),
 * bound to the values. NULL with `err` filled when that fails. Ended by sql_end.
 */
sqlite3_stmt *sql_begin_values(struct sql *sql, const char *text, struct aibox_error *err,
                               const struct sql_value *values, size_t n_values);
#define sql_begin(sql, text, err, ...) sql_begin_values(sql, text, err, SQL_VALUES(__VA_ARGS__))
/* The same for text made at run time: prepared afresh, and freed by sql_drop instead of sql_end. */
sqlite3_stmt *sql_begin_text(struct sql *sql, const char *text, struct aibox_error *err, const struct sql_value *values,
                             size_t n_values);

/* Next row into *row. */
enum aibox_status sql_step(struct sql *sql, sqlite3_stmt *stmt, bool *row, struct aibox_error *err);
void sql_end(sqlite3_stmt *stmt);  /* NULL allowed */
void sql_drop(sqlite3_stmt *stmt); /* NULL allowed */

/* Runs a statement to its end, ignoring rows. */
enum aibox_status sql_run_values(struct sql *sql, const char *text, struct aibox_error *err,
                                 const struct sql_value *values, size_t n_values);
#define sql_run(sql, text, err, ...) sql_run_values(sql, text, err, SQL_VALUES(__VA_ARGS__))
static inline enum aibox_status sql_exec(struct sql *sql, const char *text, struct aibox_error *err)
{
    return sql_run_values(sql, text, err, NULL, 0);
}
/* Several statements of text, not cached. */
enum aibox_status sql_script(struct sql *sql, const char *text, struct aibox_error *err);

/* First column of the first row as an integer; *found (may be NULL) tells whether there was a row. */
enum aibox_status sql_get_values(struct sql *sql, const char *text, int64_t *out, bool *found, struct aibox_error *err,
                                 const struct sql_value *values, size_t n_values);
#define sql_get(sql, text, out, found, err, ...) sql_get_values(sql, text, out, found, err, SQL_VALUES(__VA_ARGS__))

/* Fills `err` from SQLite's primary or extended code and logs it. Returns PROCESS_FAILED. */
enum aibox_status sql_fail(struct sql *sql, int code, struct aibox_error *err);
/* Text for people: "no space left on the data disk". */
const char *sql_reason(int code);

/* Columns. Text is never NULL; a copy is owned by the caller (NULL: out of memory). */
const char *sql_column_text(sqlite3_stmt *stmt, int column);
char *sql_column_copy(sqlite3_stmt *stmt, int column);
float sql_column_float(sqlite3_stmt *stmt, int column); /* NULL is NAN */
/* Bytes of a picture, which are plain (key 0): another key is an error. What is sealed: seal_rows.h. Valid until the
 * next step. */
enum aibox_status sql_column_plain(sqlite3_stmt *stmt, int key_column, int column, const void **bytes, size_t *size,
                                   struct aibox_error *err);

#endif
