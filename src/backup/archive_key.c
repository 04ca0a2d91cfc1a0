#include "backup/archive_key.h"

#include <sodium.h>
#include <string.h>

#define OPERATIONS_AT 8
#define MEMORY_AT     16
#define SALT_AT       24

static const uint8_t magic[8] = {'A', 'I', 'B', 'O', 'X', 'B', 'K', '1'};

_Static_assert(ARCHIVE_KEY_SIZE == crypto_secretstream_xchacha20poly1305_KEYBYTES, "key of the stream");
_Static_assert(SALT_AT + crypto_pwhash_SALTBYTES == ARCHIVE_STREAM_AT, "salt before the stream's header");
_Static_assert(ARCHIVE_STREAM_AT + crypto_secretstream_xchacha20poly1305_HEADERBYTES == ARCHIVE_HEAD, "the whole head");

void archive_put_u64(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

uint64_t archive_get_u64(const uint8_t *in)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value |= (uint64_t)in[i] << (8 * i);
    return value;
}

static enum aibox_status derive(const uint8_t head[ARCHIVE_HEAD], const char *password, uint8_t key[ARCHIVE_KEY_SIZE],
                                struct aibox_error *err)
{
    if (sodium_init() >= 0 &&
        crypto_pwhash(key, ARCHIVE_KEY_SIZE, password, strlen(password), head + SALT_AT,
                      archive_get_u64(head + OPERATIONS_AT), (size_t)archive_get_u64(head + MEMORY_AT),
                      crypto_pwhash_ALG_ARGON2ID13) == 0)
        return AIBOX_OK;
    return error_set(err, AIBOX_PROCESS_FAILED, "there is too little memory for the password");
}

enum aibox_status archive_key_make(uint8_t head[ARCHIVE_HEAD], const char *password, uint8_t key[ARCHIVE_KEY_SIZE],
                                   struct aibox_error *err)
{
    memcpy(head, magic, sizeof magic);
    archive_put_u64(head + OPERATIONS_AT, ARCHIVE_OPERATIONS);
    archive_put_u64(head + MEMORY_AT, ARCHIVE_MEMORY);
    randombytes_buf(head + SALT_AT, crypto_pwhash_SALTBYTES);
    return derive(head, password, key, err);
}

enum aibox_status archive_key_read(const uint8_t head[ARCHIVE_HEAD], const char *password,
                                   uint8_t key[ARCHIVE_KEY_SIZE], struct aibox_error *err)
{
    uint64_t operations = archive_get_u64(head + OPERATIONS_AT), memory = archive_get_u64(head + MEMORY_AT);

    if (memcmp(head, magic, sizeof magic) != 0)
        return error_set(err, AIBOX_PARAM, "this is no backup of this program");
    if (operations < crypto_pwhash_OPSLIMIT_MIN || operations > ARCHIVE_OPERATIONS_MAX ||
        memory < crypto_pwhash_MEMLIMIT_MIN || memory > ARCHIVE_MEMORY_MAX)
        return error_set(err, AIBOX_PARAM, "the head of the backup is damaged");
    return derive(head, password, key, err);
}
