/* Picture bytes by image id: the name is in aibox.db, the bytes in pictures.db. */
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

static enum aibox_status find_sha256(struct reader *reader, const uint8_t id[UUID_BYTES], uint8_t sha256[SHA256_SIZE],
                                     struct aibox_error *err)
{
    bool row;
    sqlite3_stmt *stmt =
        sql_begin(&reader->main, "SELECT sha256 FROM image WHERE image_id = ?", err, sql_blob(id, UUID_BYTES));
    enum aibox_status status = stmt ? sql_step(&reader->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;

    if (status == AIBOX_OK && (!row || sqlite3_column_bytes(stmt, 0) != SHA256_SIZE))
        status = AIBOX_ID_NOT_FOUND;
    if (status == AIBOX_OK)
        memcpy(sha256, sqlite3_column_blob(stmt, 0), SHA256_SIZE);
    sql_end(stmt);
    return status;
}

static enum aibox_status read_bytes(struct reader *reader, const uint8_t sha256[SHA256_SIZE], uint8_t **bytes,
                                    size_t *size, struct aibox_error *err)
{
    const void *stored;
    bool row;
    struct sql *sql = reader_pictures(reader, err);

    if (!sql)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt =
        sql_begin(sql, "SELECT key_id, bytes FROM picture WHERE sha256 = ?", err, sql_blob(sha256, SHA256_SIZE));
    enum aibox_status status = stmt ? sql_step(sql, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && !row)
        status = AIBOX_ID_NOT_FOUND; /* deleted since its name was read */
    if (status == AIBOX_OK)
        status = sql_column_plain(stmt, 0, 1, &stored, size, err);
    if (status == AIBOX_OK) {
        *bytes = malloc(*size + 1);
        if (!*bytes)
            status = out_of_memory(err);
        else if (*size > 0)
            memcpy(*bytes, stored, *size);
    }
    sql_end(stmt);
    return status;
}

enum aibox_status store_picture_get(struct store *store, const char *image_id, uint8_t **bytes, size_t *size,
                                    struct aibox_error *err)
{
    uint8_t id[UUID_BYTES], sha256[SHA256_SIZE];
    struct reader *reader = NULL;
    enum aibox_status status = AIBOX_ID_NOT_FOUND;

    *bytes = NULL;
    *size = 0;
    if (uuid_parse(image_id, id)) {
        reader = reader_take(store->readers, err);
        status = reader ? find_sha256(reader, id, sha256, err) : AIBOX_PROCESS_FAILED;
    }
    if (status == AIBOX_OK)
        status = read_bytes(reader, sha256, bytes, size, err);
    if (status == AIBOX_ID_NOT_FOUND)
        error_set(err, status, "no picture %.64s", image_id);
    reader_return(store->readers, reader);
    return status;
}
