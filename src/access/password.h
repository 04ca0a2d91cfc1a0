/* Passwords as Argon2id hashes (RFC 9106), one at a time: each takes 64 MiB and 2 passes. Any thread. */
#ifndef AIBOX_ACCESS_PASSWORD_H
#define AIBOX_ACCESS_PASSWORD_H

#include <pthread.h>
#include <stdbool.h>

#include "core/status.h"

#define PASSWORD_HASH_SIZE 128 /* text with NUL */
#define PASSWORD_WAITING   8   /* callers that wait for their turn at most */

struct password_desk {
    pthread_mutex_t mu; /* guards `waiting` */
    unsigned waiting;
    pthread_mutex_t turn; /* held while hashing */
};

/* False: out of resources. */
bool password_desk_init(struct password_desk *desk);
void password_desk_destroy(struct password_desk *desk);

/* PARAM naming `password` unless it has ACCOUNTS_MIN_PASSWORD characters and at most ACCOUNTS_MAX_PASSWORD bytes. */
enum aibox_status password_check_rules(const char *password, struct aibox_error *err);

/* TOO_MANY_REQUESTS: too many wait already. */
enum aibox_status password_hash(struct password_desk *desk, const char *password, char out[PASSWORD_HASH_SIZE],
                                struct aibox_error *err);
/* `hash` NULL: there is nothing to compare with, which takes as long. */
enum aibox_status password_verify(struct password_desk *desk, const char *hash, const char *password, bool *right,
                                  struct aibox_error *err);

#endif
