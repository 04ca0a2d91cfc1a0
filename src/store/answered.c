#include "store/answered.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/id.h"
#include "store/commands.h"
#include "store/outbox.h"

#define PRINT_SIZE  16
#define SECRET_SIZE 32
#define NONCE_SIZE  crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE    crypto_aead_xchacha20poly1305_ietf_ABYTES
#define DAY_MS      INT64_C(86400000)
#define EXPIRE_STEP 256

/* Names of the box's keys in the table `secret`. */
#define PRINT_KEY  "command_prints"
#define RESULT_KEY "command_results"

_Static_assert(SECRET_SIZE == crypto_generichash_KEYBYTES, "keys of BLAKE2b");
_Static_assert(SECRET_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "keys of XChaCha20-Poly1305");

void answered_command_key(const char *message_id, const void *body, size_t size, uint8_t key[SHA256_SIZE])
{
    crypto_hash_sha256_state state;
    uint64_t id_size = strlen(message_id);

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const unsigned char *)&id_size, sizeof id_size);
    crypto_hash_sha256_update(&state, (const unsigned char *)message_id, id_size);
    crypto_hash_sha256_update(&state, body, size);
    crypto_hash_sha256_final(&state, key);
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

/* The box's key of that name, made when there is none yet. */
static enum aibox_status secret_get(struct sql *sql, const char *name, uint8_t key[SECRET_SIZE],
                                    struct aibox_error *err)
{
    bool row = false;
    sqlite3_stmt *stmt = sql_begin(sql, "SELECT value FROM secret WHERE name = ?", err, sql_text(name));
    enum aibox_status status = stmt ? sql_step(sql, stmt, &row, err) : AIBOX_PROCESS_FAILED;

    if (status == AIBOX_OK && row) {
        if (sqlite3_column_bytes(stmt, 0) == SECRET_SIZE)
            memcpy(key, sqlite3_column_blob(stmt, 0), SECRET_SIZE);
        else
            status = error_set(err, AIBOX_PROCESS_FAILED, "a key of the box is damaged");
    }
    sql_end(stmt);
    if (status != AIBOX_OK || row)
        return status;
    id_random(key, SECRET_SIZE);
    return sql_run(sql, "INSERT INTO secret (name, value) VALUES (?, ?)", err, sql_text(name),
                   sql_blob(key, SECRET_SIZE));
}

/* BLAKE2b of `bytes` under the box's key of that name. */
static enum aibox_status keyed_hash(struct sql *sql, const char *name, const void *bytes, size_t size, uint8_t *out,
                                    size_t out_size, struct aibox_error *err)
{
    uint8_t secret[SECRET_SIZE];
    enum aibox_status status = secret_get(sql, name, secret, err);

    if (status == AIBOX_OK)
        (void)crypto_generichash(out, out_size, bytes, size, secret, sizeof secret);
    sodium_memzero(secret, sizeof secret);
    return status;
}

static enum aibox_status print_message(struct batch *batch, const char *message_id, uint8_t print[PRINT_SIZE],
                                       struct aibox_error *err)
{
    return keyed_hash(&batch->main, PRINT_KEY, message_id, strlen(message_id), print, PRINT_SIZE, err);
}

static enum aibox_status print_command(struct batch *batch, const uint8_t key[SHA256_SIZE], uint8_t print[PRINT_SIZE],
                                       struct aibox_error *err)
{
    return keyed_hash(&batch->main, PRINT_KEY, key, SHA256_SIZE, print, PRINT_SIZE, err);
}

/* ---- remembering ----------------------------------------------------------------------------------------- */

/* `sealed` has room for the result and TAG_SIZE. */
static enum aibox_status seal(struct batch *batch, const uint8_t key[SHA256_SIZE], const struct store_message *result,
                              uint8_t nonce[NONCE_SIZE], uint8_t *sealed, struct aibox_error *err)
{
    uint8_t secret[SECRET_SIZE];
    enum aibox_status status = keyed_hash(&batch->main, RESULT_KEY, key, SHA256_SIZE, secret, sizeof secret, err);

    id_random(nonce, NONCE_SIZE);
    if (status == AIBOX_OK)
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, result->payload, result->size, NULL, 0, NULL,
                                                         nonce, secret);
    sodium_memzero(secret, sizeof secret);
    return status;
}

enum aibox_status answered_expire(struct batch *batch, struct aibox_error *err)
{
    enum aibox_status status =
        sql_run(&batch->main,
                "DELETE FROM answered WHERE answered_ms < ?1 AND answered_id IN"
                " (SELECT answered_id FROM answered ORDER BY answered_id LIMIT ?2)",
                err, sql_int(clock_realtime_ms() - STORE_ANSWERED_DAYS * DAY_MS), sql_int(EXPIRE_STEP));

    return status;
}

enum aibox_status answered_add(struct batch *batch, const uint8_t key[SHA256_SIZE], const char *message_id,
                               const struct store_message *result, struct aibox_error *err)
{
    uint8_t command[PRINT_SIZE], message[PRINT_SIZE], nonce[NONCE_SIZE];
    uint8_t *sealed = result ? malloc(result->size + TAG_SIZE) : NULL;
    size_t sealed_size = result ? result->size + TAG_SIZE : 0;

    if (result && !sealed)
        return out_of_memory(err);
    enum aibox_status status = print_command(batch, key, command, err);
    if (status == AIBOX_OK && message_id[0])
        status = print_message(batch, message_id, message, err);
    if (status == AIBOX_OK && result)
        status = seal(batch, key, result, nonce, sealed, err);
    if (status == AIBOX_OK)
        status = sql_run(&batch->main,
                         "INSERT INTO answered (command_print, message_print, answered_ms, lane, nonce, sealed)"
                         " VALUES (?, ?, ?, ?, ?, ?)",
                         err, sql_blob(command, PRINT_SIZE), sql_blob(message_id[0] ? message : NULL, PRINT_SIZE),
                         sql_int(clock_realtime_ms()), sql_text(result ? result->lane : ""),
                         sql_blob(result ? nonce : NULL, NONCE_SIZE), sql_blob(sealed, sealed_size));
    if (status == AIBOX_OK)
        status = sql_run(&batch->main, "DELETE FROM answered WHERE answered_id <= ?", err,
                         sql_int(sqlite3_last_insert_rowid(batch->main.db) - STORE_ANSWERED_MAX));
    free(sealed);
    return status == AIBOX_OK ? answered_expire(batch, err) : status;
}

/* ---- answering again ------------------------------------------------------------------------------------- */

/* Opens the result of the row that `stmt` yields (lane, nonce, sealed) and puts it into the outbox. */
static enum aibox_status send_again(struct batch *batch, sqlite3_stmt *stmt, const uint8_t key[SHA256_SIZE],
                                    struct aibox_error *err)
{
    uint8_t secret[SECRET_SIZE];
    struct store_message message = {.lane = sql_column_text(stmt, 0)};
    const uint8_t *nonce = sqlite3_column_blob(stmt, 1);
    bool has_nonce = sqlite3_column_bytes(stmt, 1) == (int)NONCE_SIZE;
    const uint8_t *sealed = sqlite3_column_blob(stmt, 2);
    size_t size = (size_t)sqlite3_column_bytes(stmt, 2);

    if (!message.lane[0] || !sealed)
        return AIBOX_OK;
    if (!has_nonce || size < TAG_SIZE)
        return error_set(err, AIBOX_PROCESS_FAILED, "a stored result is damaged");
    uint8_t *payload = malloc(size);
    if (!payload)
        return out_of_memory(err);
    enum aibox_status status = keyed_hash(&batch->main, RESULT_KEY, key, SHA256_SIZE, secret, sizeof secret, err);
    if (status == AIBOX_OK &&
        crypto_aead_xchacha20poly1305_ietf_decrypt(payload, NULL, NULL, sealed, size, NULL, 0, nonce, secret) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "a stored result can't be opened");
    message.payload = payload;
    message.size = size - TAG_SIZE;
    if (status == AIBOX_OK)
        status = outbox_put(batch, &message, 1, err);
    sodium_memzero(secret, sizeof secret);
    free(payload);
    return status;
}

enum aibox_status answered_again(struct batch *batch, const uint8_t key[SHA256_SIZE], int64_t newest, bool *answered,
                                 struct aibox_error *err)
{
    uint8_t print[PRINT_SIZE];
    enum aibox_status status = print_command(batch, key, print, err);

    *answered = false;
    if (status != AIBOX_OK)
        return status;
    sqlite3_stmt *stmt = sql_begin(&batch->main,
                                   "SELECT lane, nonce, sealed FROM answered WHERE command_print = ?1 AND (?2 = 0 OR"
                                   " answered_id > (SELECT seq FROM sqlite_sequence WHERE name = 'answered') - ?2)"
                                   " ORDER BY answered_id DESC LIMIT 1",
                                   err, sql_blob(print, PRINT_SIZE), sql_int(newest));
    status = stmt ? sql_step(&batch->main, stmt, answered, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && *answered)
        status = send_again(batch, stmt, key, err);
    sql_end(stmt);
    return status;
}

enum aibox_status answered_message(struct batch *batch, const char *message_id, bool *found, struct aibox_error *err)
{
    uint8_t print[PRINT_SIZE];
    int64_t one;
    enum aibox_status status = print_message(batch, message_id, print, err);

    *found = false;
    if (status == AIBOX_OK)
        status = sql_get(&batch->main, "SELECT 1 FROM answered WHERE message_print = ? LIMIT 1", &one, found, err,
                         sql_blob(print, PRINT_SIZE));
    return status;
}

enum aibox_status answered_forget_results(struct sql *sql, struct aibox_error *err)
{
    enum aibox_status status =
        sql_exec(sql, "UPDATE answered SET nonce = NULL, sealed = NULL WHERE sealed IS NOT NULL", err);

    return status == AIBOX_OK ? sql_run(sql, "DELETE FROM secret WHERE name = ?", err, sql_text(RESULT_KEY)) : status;
}
