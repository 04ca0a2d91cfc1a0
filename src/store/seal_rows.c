#include "store/seal_rows.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "store/internal.h"

#define STEP_ROWS 1000

/* ---- places ------------------------------------------------------------------------------------------------------ */

struct seal_place seal_place_face(int64_t person_id, const void *face_id)
{
    return (struct seal_place){.kind = SEAL_FACE, .number = person_id, .id = face_id, .id_size = UUID_BYTES};
}

struct seal_place seal_place_event(int64_t seq)
{
    return (struct seal_place){.kind = SEAL_EVENT, .number = seq};
}

struct seal_place seal_place_stranger(int64_t stranger_id)
{
    return (struct seal_place){.kind = SEAL_STRANGER, .number = stranger_id};
}

struct seal_place seal_place_named(enum seal_kind kind, const char *name)
{
    return (struct seal_place){.kind = kind, .id = name, .id_size = strlen(name)};
}

/* ---- reading and writing ----------------------------------------------------------------------------------------- */

enum aibox_status seal_column_read(const struct seal_ring *ring, sqlite3_stmt *stmt, int column,
                                   const struct seal_place *place, void *out, size_t room, size_t *size,
                                   struct aibox_error *err)
{
    int64_t key_id = sqlite3_column_int64(stmt, column);
    const void *nonce = sqlite3_column_blob(stmt, column + 1);
    size_t nonce_size = (size_t)sqlite3_column_bytes(stmt, column + 1);
    const void *bytes = sqlite3_column_blob(stmt, column + 2);
    size_t stored = (size_t)sqlite3_column_bytes(stmt, column + 2);

    *size = key_id == 0 || stored < SEAL_EXTRA ? stored : stored - SEAL_EXTRA;
    if (*size > room)
        return error_set(err, AIBOX_PROCESS_FAILED, "stored bytes are more than they can be: %zu", *size);
    if (key_id != 0)
        return seal_open(ring, key_id, place, nonce, nonce_size, bytes, stored, out, err);
    if (stored > 0)
        memcpy(out, bytes, stored);
    return AIBOX_OK;
}

char *seal_column_text(const struct seal_ring *ring, sqlite3_stmt *stmt, int column, const struct seal_place *place,
                       struct aibox_error *err)
{
    size_t room = (size_t)sqlite3_column_bytes(stmt, column + 2);
    char *text = malloc(room + 1);
    size_t size;

    if (!text) {
        (void)out_of_memory(err);
        return NULL;
    }
    if (seal_column_read(ring, stmt, column, place, text, room, &size, err) != AIBOX_OK) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

enum aibox_status seal_text(const struct seal_ring *ring, const struct seal_place *place, const char *text,
                            struct sealed_text *out, struct aibox_error *err)
{
    size_t size = strlen(text);

    out->size = size + SEAL_EXTRA;
    out->bytes = malloc(out->size);
    if (!out->bytes)
        return out_of_memory(err);
    seal_bytes(ring, place, text, size, out->nonce, out->bytes);
    return AIBOX_OK;
}

/* ---- all of them under one key ----------------------------------------------------------------------------------- */

/* A table with sealed rows. `select`: what the row goes by, its number, its id, key_id, nonce, bytes, for rows behind
 * ?1, in order; `update`: sets key_id, nonce, bytes of the row ?4. */
struct sealed_table {
    enum seal_kind kind;
    bool by_text;
    const char *select, *update;
};

static const struct sealed_table tables[] = {
    {SEAL_FACE, false,
     "SELECT face_row, person_id, face_id, key_id, nonce, feature FROM face WHERE face_row > ? ORDER BY face_row"
     " LIMIT 1000",
     "UPDATE face SET key_id = ?, nonce = ?, feature = ? WHERE face_row = ?"},
    {SEAL_EVENT, false,
     "SELECT seq, seq, NULL, key_id, nonce, feature FROM event_feature WHERE seq > ? ORDER BY seq LIMIT 1000",
     "UPDATE event_feature SET key_id = ?, nonce = ?, feature = ? WHERE seq = ?"},
    {SEAL_EVENT, false,
     "SELECT rejection_id, event_seq, NULL, key_id, nonce, feature FROM rejection WHERE rejection_id > ?"
     " ORDER BY rejection_id LIMIT 1000",
     "UPDATE rejection SET key_id = ?, nonce = ?, feature = ? WHERE rejection_id = ?"},
    {SEAL_STRANGER, false,
     "SELECT stranger_id, stranger_id, NULL, key_id, nonce, feature FROM stranger WHERE stranger_id > ?"
     " ORDER BY stranger_id LIMIT 1000",
     "UPDATE stranger SET key_id = ?, nonce = ?, feature = ? WHERE stranger_id = ?"},
    {SEAL_DEVICE, true,
     "SELECT device_id, 0, device_id, key_id, nonce, doc FROM device WHERE device_id > ? ORDER BY device_id LIMIT 1000",
     "UPDATE device SET key_id = ?, nonce = ?, doc = ? WHERE device_id = ?"},
    {SEAL_DOCUMENT, true,
     "SELECT name, 0, name, key_id, nonce, json FROM document WHERE name > ? ORDER BY name LIMIT 1000",
     "UPDATE document SET key_id = ?, nonce = ?, json = ? WHERE name = ?"},
    {SEAL_SETTING, true, "SELECT key, 0, key, key_id, nonce, value FROM setting WHERE key > ? ORDER BY key LIMIT 1000",
     "UPDATE setting SET key_id = ?, nonce = ?, value = ? WHERE key = ?"},
};

/* Where a table has been read up to. */
struct place_reached {
    int64_t number;
    char *text; /* owned */
};

/* Seals the statement's row with the newest key. */
static enum aibox_status seal_row(const struct seal_ring *ring, struct sql *sql, const struct sealed_table *table,
                                  sqlite3_stmt *stmt, struct aibox_error *err)
{
    struct seal_place place = {.kind = table->kind, .number = sqlite3_column_int64(stmt, 1)};
    size_t room = (size_t)sqlite3_column_bytes(stmt, 5), size;
    uint8_t nonce[SEAL_NONCE_SIZE];
    uint8_t *plain, *sealed;

    place.id = sqlite3_column_blob(stmt, 2);
    place.id_size = (size_t)sqlite3_column_bytes(stmt, 2);
    plain = malloc(room + 1);
    sealed = malloc(room + SEAL_EXTRA);
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    if (!plain || !sealed) {
        status = out_of_memory(err);
        goto out;
    }
    status = seal_column_read(ring, stmt, 3, &place, plain, room, &size, err);
    if (status == AIBOX_OK) {
        seal_bytes(ring, &place, plain, size, nonce, sealed);
        status = sql_run(sql, table->update, err, sql_int(seal_key_id(ring)), sql_blob(nonce, sizeof nonce),
                         sql_blob(sealed, size + SEAL_EXTRA),
                         table->by_text ? sql_text(sql_column_text(stmt, 0)) : sql_int(sqlite3_column_int64(stmt, 0)));
    }
out:
    free(sealed);
    free(plain);
    return status;
}

static enum aibox_status note_place(const struct sealed_table *table, sqlite3_stmt *stmt, struct place_reached *reached,
                                    struct aibox_error *err)
{
    if (!table->by_text) {
        reached->number = sqlite3_column_int64(stmt, 0);
        return AIBOX_OK;
    }
    free(reached->text);
    reached->text = sql_column_copy(stmt, 0);
    return reached->text ? AIBOX_OK : out_of_memory(err);
}

/* One step in a transaction of its own; *rows: how many were looked at. */
static enum aibox_status seal_step(const struct seal_ring *ring, struct sql *sql, const struct sealed_table *table,
                                   struct place_reached *reached, size_t *rows, size_t *sealed, struct aibox_error *err)
{
    bool row = true;
    /* The text is replaced while the statement runs: it gets a copy. */
    char *from = table->by_text ? strdup(reached->text ? reached->text : "") : NULL;
    sqlite3_stmt *stmt = NULL;
    enum aibox_status status = !table->by_text || from ? sql_script(sql, "BEGIN IMMEDIATE", err) : out_of_memory(err);

    *rows = 0;
    if (status == AIBOX_OK) {
        stmt = sql_begin(sql, table->select, err, table->by_text ? sql_text(from) : sql_int(reached->number));
        status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    }
    while (status == AIBOX_OK && (status = sql_step(sql, stmt, &row, err)) == AIBOX_OK && row) {
        (*rows)++;
        status = note_place(table, stmt, reached, err);
        if (status == AIBOX_OK && sqlite3_column_int64(stmt, 3) != seal_key_id(ring)) {
            status = seal_row(ring, sql, table, stmt, err);
            (*sealed)++;
        }
    }
    sql_end(stmt);
    if (status == AIBOX_OK)
        status = sql_script(sql, "COMMIT", err);
    if (!sqlite3_get_autocommit(sql->db))
        (void)sql_script(sql, "ROLLBACK", NULL);
    free(from);
    return status;
}

static enum aibox_status seal_table(const struct seal_ring *ring, struct sql *sql, const struct sealed_table *table,
                                    size_t *sealed, struct aibox_error *err)
{
    struct place_reached reached = {.number = INT64_MIN};
    size_t rows = STEP_ROWS;
    enum aibox_status status = AIBOX_OK;

    while (status == AIBOX_OK && rows == STEP_ROWS)
        status = seal_step(ring, sql, table, &reached, &rows, sealed, err);
    free(reached.text);
    return status;
}

enum aibox_status seal_rows(const struct seal_ring *ring, struct sql *sql, struct aibox_error *err)
{
    int64_t done = 0;
    size_t sealed = 0;
    enum aibox_status status =
        sql_get_values(sql, "SELECT value FROM counter WHERE name = 'sealed'", &done, NULL, err, NULL, 0);

    if (status != AIBOX_OK || done == seal_key_id(ring))
        return status;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && status == AIBOX_OK; i++)
        status = seal_table(ring, sql, &tables[i], &sealed, err);
    if (status == AIBOX_OK)
        status = sql_run(sql, "INSERT OR REPLACE INTO counter (name, value) VALUES ('sealed', ?)", err,
                         sql_int(seal_key_id(ring)));
    if (status == AIBOX_OK)
        status = sql_run(sql, "DELETE FROM seal_key WHERE key_id <> ?", err, sql_int(seal_key_id(ring)));
    /* The pages of before are in the file no more (secure_delete); nor are they to be in the WAL. */
    if (status == AIBOX_OK)
        status = sql_script(sql, "PRAGMA wal_checkpoint(TRUNCATE)", err);
    if (status == AIBOX_OK && sealed > 0)
        log_info("store", "stored secrets were encrypted rows=%zu", sealed);
    return status;
}
