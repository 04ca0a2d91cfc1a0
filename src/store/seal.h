/*
 * Secrets at rest: face features, devices, documents and settings are sealed with XChaCha20-Poly1305 (libsodium), each
 * in its own row, to which it is bound: moved to another row it can't be opened.
 *
 * Rows are sealed with a key that lies in the database, sealed in its turn with the box's key, which lies in a file:
 * `seal.key` of the data folder, or wherever the operator keeps it apart from the disk. So a backup, encrypted as a
 * whole, can carry its key along, and is at home on another box.
 *
 * A ring is made when the store is opened and constant afterwards: any thread.
 */
#ifndef AIBOX_STORE_SEAL_H
#define AIBOX_STORE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define SEAL_KEY_SIZE   32
#define SEAL_NONCE_SIZE 24
#define SEAL_EXTRA      16 /* bytes by which sealed ones are more */
#define SEAL_MAX_KEYS   8

struct sql;

/* What a row is, and which: its kind, a number and bytes that never change in its life. */
enum seal_kind { SEAL_FACE = 1, SEAL_EVENT, SEAL_DEVICE, SEAL_DOCUMENT, SEAL_SETTING, SEAL_KEY, SEAL_STRANGER };
struct seal_place {
    enum seal_kind kind;
    int64_t number;
    const void *id; /* NULL: the number alone */
    size_t id_size;
};

struct seal_ring;

/*
 * Reads the box's key: file `key_file`; NULL: the systemd credential `aibox.key`, else `seal.key` of the data folder.
 * A file that is missing is made (mode 0600) while `main_path` holds nothing that is sealed; else, and when it is no
 * key, or others may read it: PROCESS_FAILED in one sentence.
 */
enum aibox_status seal_ring_open(const char *data_dir, const char *key_file, const char *main_path,
                                 struct seal_ring **out, struct aibox_error *err);
void seal_ring_close(struct seal_ring *ring); /* NULL is allowed */

/* Reads the keys of the database at `main_path`, makes the first one, and seals what is plain or sealed with an older
 * key. PROCESS_FAILED when the box's key is not the one that these are sealed with. */
enum aibox_status seal_ring_load(struct seal_ring *ring, const char *main_path, struct aibox_error *err);

/* For copies: replaces the sealing of the keys in `copy` by none, or back by that of the box's key. */
enum aibox_status seal_ring_expose(const struct seal_ring *ring, struct sql *copy, struct aibox_error *err);
enum aibox_status seal_ring_wrap(const struct seal_ring *ring, struct sql *copy, struct aibox_error *err);

/* ---- rows ---------------------------------------------------------------------------------------------------- */

/* Id of the key that seals new rows. */
int64_t seal_key_id(const struct seal_ring *ring);
bool seal_knows(const struct seal_ring *ring, int64_t key_id);
/* `out`: size + SEAL_EXTRA bytes. */
void seal_bytes(const struct seal_ring *ring, const struct seal_place *place, const void *plain, size_t size,
                uint8_t nonce[SEAL_NONCE_SIZE], uint8_t *out);
/* The reverse: `out` has room for size - SEAL_EXTRA bytes. PROCESS_FAILED: not sealed for this row, or changed since.
 */
enum aibox_status seal_open(const struct seal_ring *ring, int64_t key_id, const struct seal_place *place,
                            const uint8_t *nonce, size_t nonce_size, const void *sealed, size_t size, uint8_t *out,
                            struct aibox_error *err);

#endif
