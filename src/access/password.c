#include "access/password.h"

#include <sodium.h>
#include <string.h>

#include "access/accounts.h"

#define PASSES 2
#define MEMORY ((size_t)64 << 20) /* bytes */

_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_argon2id_STRBYTES, "room for a hash");

bool password_desk_init(struct password_desk *desk)
{
    desk->waiting = 0;
    if (pthread_mutex_init(&desk->mu, NULL) != 0)
        return false;
    if (pthread_mutex_init(&desk->turn, NULL) == 0)
        return true;
    (void)pthread_mutex_destroy(&desk->mu);
    return false;
}

void password_desk_destroy(struct password_desk *desk)
{
    (void)pthread_mutex_destroy(&desk->turn);
    (void)pthread_mutex_destroy(&desk->mu);
}

static size_t count_characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

enum aibox_status password_check_rules(const char *password, struct aibox_error *err)
{
    if (strlen(password) > ACCOUNTS_MAX_PASSWORD)
        return error_set(err, AIBOX_PARAM, "password: at most %d bytes", ACCOUNTS_MAX_PASSWORD);
    if (count_characters(password) < ACCOUNTS_MIN_PASSWORD)
        return error_set(err, AIBOX_PARAM, "password: at least %d characters are expected", ACCOUNTS_MIN_PASSWORD);
    return AIBOX_OK;
}

static enum aibox_status take_turn(struct password_desk *desk, struct aibox_error *err)
{
    bool room;

    pthread_mutex_lock(&desk->mu);
    room = desk->waiting < PASSWORD_WAITING;
    desk->waiting += room;
    pthread_mutex_unlock(&desk->mu);
    if (!room)
        return error_set(err, AIBOX_TOO_MANY_REQUESTS, "too many are logging in; try again in a moment");
    pthread_mutex_lock(&desk->turn);
    return AIBOX_OK;
}

static void end_turn(struct password_desk *desk)
{
    pthread_mutex_unlock(&desk->turn);
    pthread_mutex_lock(&desk->mu);
    desk->waiting--;
    pthread_mutex_unlock(&desk->mu);
}

enum aibox_status password_hash(struct password_desk *desk, const char *password, char out[PASSWORD_HASH_SIZE],
                                struct aibox_error *err)
{
    enum aibox_status status = take_turn(desk, err);

    if (status != AIBOX_OK)
        return status;
    memset(out, 0, PASSWORD_HASH_SIZE);
    if (crypto_pwhash_argon2id_str(out, password, strlen(password), PASSES, MEMORY) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    end_turn(desk);
    return status;
}

enum aibox_status password_verify(struct password_desk *desk, const char *hash, const char *password, bool *right,
                                  struct aibox_error *err)
{
    char unused[PASSWORD_HASH_SIZE] = {0};
    enum aibox_status status;

    *right = false;
    if (strlen(password) > ACCOUNTS_MAX_PASSWORD)
        return AIBOX_OK;
    status = take_turn(desk, err);
    if (status != AIBOX_OK)
        return status;
    if (hash)
        *right = crypto_pwhash_argon2id_str_verify(hash, password, strlen(password)) == 0;
    else if (crypto_pwhash_argon2id_str(unused, password, strlen(password), PASSES, MEMORY) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    end_turn(desk);
    return status;
}
