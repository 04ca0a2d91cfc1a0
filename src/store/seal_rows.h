/* Rows that are sealed: reading, and bringing all of them under one key. */
#ifndef AIBOX_STORE_SEAL_ROWS_H
#define AIBOX_STORE_SEAL_ROWS_H

#include "store/seal.h"
#include "store/sql.h"

/*
 * Seals every row that is plain, or sealed with another key than the newest, anew, and forgets the other keys. In
 * steps: one that was interrupted goes on at the next opening. Costs a look at one counter when there is nothing to do.
 */
enum aibox_status seal_rows(const struct seal_ring *ring, struct sql *sql, struct aibox_error *err);

/*
 * The bytes of a row that may be sealed: columns `column` key_id, `column` + 1 nonce, `column` + 2 bytes. Opened into
 * out[0..room); *size: how many they are. PROCESS_FAILED: more than `room`, or as seal_open().
 */
enum aibox_status seal_column_read(const struct seal_ring *ring, sqlite3_stmt *stmt, int column,
                                   const struct seal_place *place, void *out, size_t room, size_t *size,
                                   struct aibox_error *err);
/* The same for a text of any length: malloc, with a NUL behind it. NULL when it fails. */
char *seal_column_text(const struct seal_ring *ring, sqlite3_stmt *stmt, int column, const struct seal_place *place,
                       struct aibox_error *err);

/* A text sealed for storing: `bytes` (malloc, owned) of `size`; NULL: out of memory. */
struct sealed_text {
    uint8_t nonce[SEAL_NONCE_SIZE];
    uint8_t *bytes;
    size_t size;
};
enum aibox_status seal_text(const struct seal_ring *ring, const struct seal_place *place, const char *text,
                            struct sealed_text *out, struct aibox_error *err);

/* What a row is, for the functions above. */
struct seal_place seal_place_face(int64_t person_id, const void *face_id /* UUID_BYTES */);
struct seal_place seal_place_event(int64_t seq);
struct seal_place seal_place_stranger(int64_t stranger_id);
struct seal_place seal_place_named(enum seal_kind kind, const char *name);

#endif
