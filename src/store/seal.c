#include "store/seal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/id.h"
#include "core/log.h"
#include "store/internal.h"
#include "store/seal_file.h"
#include "store/seal_rows.h"

#define PLACE_MAX 512 /* bytes of a row's description; what is longer is hashed */

_Static_assert(SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
                   SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
                   SEAL_EXTRA == crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "sizes of the cipher");

struct ring_key {
    int64_t id;
    uint8_t bytes[SEAL_KEY_SIZE];
};

struct seal_ring {
    struct ring_key box;                 /* from the file */
    struct ring_key keys[SEAL_MAX_KEYS]; /* of the database; the last one seals */
    size_t count;
};

/* A number by which a key is known, and that tells nothing about it. Not 0. */
static int64_t id_of_key(const uint8_t bytes[SEAL_KEY_SIZE])
{
    static const char purpose[] = "aibox seal key id";
    uint8_t hash[16];
    uint64_t id;

    crypto_generichash(hash, sizeof hash, (const uint8_t *)purpose, sizeof purpose, bytes, SEAL_KEY_SIZE);
    memcpy(&id, hash, sizeof id);
    return (int64_t)(id & INT64_MAX) | 1;
}

/* ---- bytes --------------------------------------------------------------------------------------------------- */

/* The row as bytes that go into the seal. */
static size_t describe(const struct seal_place *place, uint8_t out[PLACE_MAX])
{
    uint8_t kind = (uint8_t)place->kind;
    size_t size = 0;

    out[size++] = kind;
    for (int shift = 0; shift < 64; shift += 8)
        out[size++] = (uint8_t)((uint64_t)place->number >> shift);
    if (place->id_size > PLACE_MAX - size) {
        crypto_generichash(out + size, 32, place->id, place->id_size, NULL, 0);
        return size + 32;
    }
    if (place->id_size > 0)
        memcpy(out + size, place->id, place->id_size);
    return size + place->id_size;
}

static void seal_with(const struct ring_key *key, const struct seal_place *place, const void *plain, size_t size,
                      uint8_t nonce[SEAL_NONCE_SIZE], uint8_t *out)
{
    uint8_t description[PLACE_MAX];

    id_random(nonce, SEAL_NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plain, size, description, describe(place, description),
                                                     NULL, nonce, key->bytes);
}

static bool open_with(const struct ring_key *key, const struct seal_place *place, const uint8_t *nonce,
                      const void *sealed, size_t size, uint8_t *out)
{
    uint8_t description[PLACE_MAX];

    return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, size, description,
                                                      describe(place, description), nonce, key->bytes) == 0;
}

int64_t seal_key_id(const struct seal_ring *ring)
{
    return ring->keys[ring->count - 1].id;
}

void seal_bytes(const struct seal_ring *ring, const struct seal_place *place, const void *plain, size_t size,
                uint8_t nonce[SEAL_NONCE_SIZE], uint8_t *out)
{
    seal_with(&ring->keys[ring->count - 1], place, plain, size, nonce, out);
}

static const struct ring_key *find_key(const struct seal_ring *ring, int64_t key_id)
{
    for (size_t i = 0; ring && i < ring->count; i++)
        if (ring->keys[i].id == key_id)
            return &ring->keys[i];
    return NULL;
}

bool seal_knows(const struct seal_ring *ring, int64_t key_id)
{
    return find_key(ring, key_id) != NULL;
}

enum aibox_status seal_open(const struct seal_ring *ring, int64_t key_id, const struct seal_place *place,
                            const uint8_t *nonce, size_t nonce_size, const void *sealed, size_t size, uint8_t *out,
                            struct aibox_error *err)
{
    const struct ring_key *key = find_key(ring, key_id);

    if (!key)
        return error_set(err, AIBOX_PROCESS_FAILED,
                         "the data is encrypted with key %lld, which this program does not have", (long long)key_id);
    if (nonce_size != SEAL_NONCE_SIZE || size < SEAL_EXTRA || !open_with(key, place, nonce, sealed, size, out))
        return error_set(err, AIBOX_PROCESS_FAILED, "encrypted data was changed, or moved to where it doesn't belong");
    return AIBOX_OK;
}

/* ---- the keys of the database ---------------------------------------------------------------------------------- */

static struct seal_place place_of_key(int64_t key_id)
{
    return (struct seal_place){.kind = SEAL_KEY, .number = key_id};
}

/* Opens the key in the statement's row: key_id, wrapper, nonce, wrapped. */
static enum aibox_status read_key(const struct seal_ring *ring, sqlite3_stmt *stmt, struct ring_key *out,
                                  struct aibox_error *err)
{
    struct seal_place place = place_of_key(sqlite3_column_int64(stmt, 0));
    int64_t wrapper = sqlite3_column_int64(stmt, 1);
    const void *nonce = sqlite3_column_blob(stmt, 2);
    const void *wrapped = sqlite3_column_blob(stmt, 3);
    bool whole =
        sqlite3_column_bytes(stmt, 2) == SEAL_NONCE_SIZE && sqlite3_column_bytes(stmt, 3) == SEAL_KEY_SIZE + SEAL_EXTRA;

    out->id = place.number;
    if (wrapper == 0 && sqlite3_column_bytes(stmt, 3) == SEAL_KEY_SIZE)
        memcpy(out->bytes, wrapped, SEAL_KEY_SIZE);
    else if (wrapper != ring->box.id)
        return error_set(err, AIBOX_PROCESS_FAILED,
                         "the key file is not the one that the stored data was encrypted with");
    else if (!whole || !open_with(&ring->box, &place, nonce, wrapped, SEAL_KEY_SIZE + SEAL_EXTRA, out->bytes))
        return error_set(err, AIBOX_PROCESS_FAILED, "the key of the stored data was changed, and is of no use");
    if (id_of_key(out->bytes) != out->id)
        return error_set(err, AIBOX_PROCESS_FAILED, "the key of the stored data was changed, and is of no use");
    return AIBOX_OK;
}

static enum aibox_status read_keys(const struct seal_ring *ring, struct sql *sql, struct ring_key keys[SEAL_MAX_KEYS],
                                   size_t *count, struct aibox_error *err)
{
    sqlite3_stmt *stmt = sql_begin_values(
        sql, "SELECT key_id, wrapper, nonce, wrapped FROM seal_key ORDER BY created_ms, key_id", err, NULL, 0);
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    bool row = true;

    *count = 0;
    while (status == AIBOX_OK && (status = sql_step(sql, stmt, &row, err)) == AIBOX_OK && row) {
        if (*count == SEAL_MAX_KEYS)
            status = error_set(err, AIBOX_PROCESS_FAILED, "the database holds too many keys");
        else
            status = read_key(ring, stmt, &keys[(*count)++], err);
    }
    sql_end(stmt);
    return status;
}

/* Stores a key sealed with the box's, or (`plain`) as it is. */
static enum aibox_status put_key(const struct seal_ring *ring, struct sql *sql, const struct ring_key *key, bool plain,
                                 struct aibox_error *err)
{
    struct seal_place place = place_of_key(key->id);
    uint8_t nonce[SEAL_NONCE_SIZE] = {0}, wrapped[SEAL_KEY_SIZE + SEAL_EXTRA];
    size_t size = sizeof wrapped;

    if (plain) {
        memcpy(wrapped, key->bytes, SEAL_KEY_SIZE);
        size = SEAL_KEY_SIZE;
    } else {
        seal_with(&ring->box, &place, key->bytes, SEAL_KEY_SIZE, nonce, wrapped);
    }
    enum aibox_status status =
        sql_run(sql,
                "INSERT INTO seal_key (key_id, wrapper, nonce, wrapped, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)"
                " ON CONFLICT (key_id) DO UPDATE SET wrapper = ?2, nonce = ?3, wrapped = ?4",
                err, sql_int(key->id), sql_int(plain ? 0 : ring->box.id), sql_blob(nonce, sizeof nonce),
                sql_blob(wrapped, size), sql_int(clock_realtime_ms()));
    sodium_memzero(wrapped, sizeof wrapped);
    return status;
}

static enum aibox_status rewrap(const struct seal_ring *ring, struct sql *copy, bool plain, struct aibox_error *err)
{
    struct ring_key keys[SEAL_MAX_KEYS];
    size_t count;
    enum aibox_status status = read_keys(ring, copy, keys, &count, err);

    for (size_t i = 0; i < count && status == AIBOX_OK; i++)
        status = put_key(ring, copy, &keys[i], plain, err);
    sodium_memzero(keys, sizeof keys);
    return status;
}

enum aibox_status seal_ring_expose(const struct seal_ring *ring, struct sql *copy, struct aibox_error *err)
{
    return rewrap(ring, copy, true, err);
}

enum aibox_status seal_ring_wrap(const struct seal_ring *ring, struct sql *copy, struct aibox_error *err)
{
    return rewrap(ring, copy, false, err);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

enum aibox_status seal_ring_open(const char *data_dir, const char *key_file, const char *main_path,
                                 struct seal_ring **out, struct aibox_error *err)
{
    struct seal_ring *ring = calloc(1, sizeof *ring);

    *out = NULL;
    if (!ring)
        return out_of_memory(err);
    if (sodium_init() < 0) {
        free(ring);
        return error_set(err, AIBOX_PROCESS_FAILED, "no cryptography");
    }
    enum aibox_status status = seal_file_read(data_dir, key_file, main_path, ring->box.bytes, err);
    if (status != AIBOX_OK) {
        free(ring);
        return status;
    }
    ring->box.id = id_of_key(ring->box.bytes);
    *out = ring;
    return AIBOX_OK;
}

void seal_ring_close(struct seal_ring *ring)
{
    if (!ring)
        return;
    sodium_memzero(ring, sizeof *ring);
    free(ring);
}

enum aibox_status seal_ring_load(struct seal_ring *ring, const char *main_path, struct aibox_error *err)
{
    struct sql sql;
    enum aibox_status status = sql_open(&sql, main_path, SQL_WRITER, 4096, err);

    if (status != AIBOX_OK)
        return status;
    status = read_keys(ring, &sql, ring->keys, &ring->count, err);
    if (status == AIBOX_OK && ring->count == 0) {
        struct ring_key *first = &ring->keys[ring->count++];

        id_random(first->bytes, sizeof first->bytes);
        first->id = id_of_key(first->bytes);
        status = put_key(ring, &sql, first, false, err);
    }
    if (status == AIBOX_OK)
        status = seal_rows(ring, &sql, err);
    sql_close(&sql);
    return status;
}
