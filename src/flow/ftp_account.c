#include "flow/ftp_account.h"

#include <crypt.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"

/* Without 0 O 1 l I and other look-alikes. */
static const char readable[] = "23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
static const char salt_alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#define USER_PREFIX "cam"
#define SALT_CHARS  16

/* `n` characters of an alphabet, each as likely as the other; no NUL. */
static void fill_random(char *out, size_t n, const char *alphabet, size_t size)
{
    unsigned limit = 256 - 256 % (unsigned)size; /* above it a remainder would favour the first characters */
    for (size_t i = 0; i < n;) {
        unsigned char byte;
        id_random(&byte, sizeof byte);
        if (byte < limit)
            out[i++] = alphabet[byte % size];
    }
}

void ftp_user_make(char out[FTP_USER_SIZE])
{
    size_t prefix = strlen(USER_PREFIX), random = 10;
    memcpy(out, USER_PREFIX, prefix);
    fill_random(out + prefix, random, readable, 32); /* its digits and small letters */
    out[prefix + random] = '\0';
}

void ftp_password_make(char out[FTP_PASSWORD_SIZE])
{
    fill_random(out, 20, readable, strlen(readable));
    out[20] = '\0';
}

enum aibox_status ftp_password_hash(const char *password, char out[FTP_HASH_SIZE], struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    char setting[3 + SALT_CHARS + 1] = "$6$";
    struct crypt_data *data = calloc(1, sizeof *data);
    if (data == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    fill_random(setting + 3, SALT_CHARS, salt_alphabet, strlen(salt_alphabet));
    setting[3 + SALT_CHARS] = '\0';
    const char *hash = crypt_r(password, setting, data);
    size_t size = hash != NULL ? strlen(hash) : 0;
    if (size > 0 && hash[0] == '$' && size < FTP_HASH_SIZE)
        memcpy(out, hash, size + 1);
    else
        status = error_set(err, AIBOX_PROCESS_FAILED, "the FTP password can't be hashed");
    sodium_memzero(data, sizeof *data);
    free(data);
    return status;
}
