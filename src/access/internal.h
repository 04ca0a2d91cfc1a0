/* What the files of this room share. Nobody else includes it. */
#ifndef AIBOX_ACCESS_INTERNAL_H
#define AIBOX_ACCESS_INTERNAL_H

#include <pthread.h>

#include "access/accounts.h"
#include "access/attempts.h"
#include "access/password.h"
#include "store/callers.h"

#define VERIFIED_MAX 64 /* passwords that were right lately */

struct account {
    char name[ACCOUNTS_NAME_SIZE];
    enum account_role role;
    char password[PASSWORD_HASH_SIZE];
    int64_t created_ms, changed_ms;
};

/* A session or key. */
struct token {
    uint8_t hash[STORE_SECRET_HASH];
    enum store_credential_kind kind;
    char name[ACCOUNTS_NAME_SIZE];
    enum account_role role; /* of a key */
    int64_t created_ms, expires_ms, used_ms;
    bool changed; /* used_ms is newer than in the store */
};

struct verified {
    uint8_t hash[STORE_SECRET_HASH]; /* of name and password, keyed */
    char name[ACCOUNTS_NAME_SIZE];
    int64_t until_ms; /* monotonic; 0: not in use */
};

/* Kept in the order in which they came. */
struct tokens {
    struct token items[ACCOUNTS_MAX_SESSIONS + ACCOUNTS_MAX_KEYS];
    size_t count;
};

struct accounts {
    const struct settings *settings;
    struct store *store;
    struct password_desk desk;
    struct attempts attempts;
    uint8_t key[32]; /* of the hashes in `verified` */

    pthread_mutex_t changing; /* held over a change from check to memory: changes happen one after the other */
    pthread_mutex_t mu;       /* guards what follows; a leaf */
    pthread_cond_t wake;
    struct account items[ACCOUNTS_MAX]; /* by name */
    size_t count;
    struct tokens tokens;
    struct verified verified[VERIFIED_MAX];
    uint8_t setup_hash[STORE_SECRET_HASH];
    bool has_setup_token;
    bool closing;
    bool running; /* the thread; set when opened */
    pthread_t keeper;
};

/* All with `mu` held. */
struct account *find_account(struct accounts *accounts, const char *name);
size_t count_admins(const struct accounts *accounts);
struct token *find_token(struct accounts *accounts, const uint8_t hash[STORE_SECRET_HASH],
                         enum store_credential_kind kind);
struct token *find_named_key(struct accounts *accounts, const char *name);
void forget_token(struct accounts *accounts, struct token *token);
void forget_verified(struct accounts *accounts);
bool token_is_over(const struct accounts *accounts, const struct token *token, int64_t now_ms);

/* PARAM naming `name`: 1 to 64 bytes, UTF-8 without control characters and ':' . */
enum aibox_status check_name(const char *name, struct aibox_error *err);
/* BLAKE2b of a secret. */
void hash_secret(const void *secret, size_t size, uint8_t out[STORE_SECRET_HASH]);
/* A new secret: prefix and 256 random bits. */
void make_secret(const char *prefix, char out[ACCOUNTS_TOKEN_SIZE]);
/* Ends the sessions of `name` but `keep` (NULL: none is kept), in store and memory. With `changing` held. */
enum aibox_status end_sessions(struct accounts *accounts, const char *name, const uint8_t *keep,
                               struct aibox_error *err);

/* keeper.c: the thread that ends what is over and stores what was used. */
enum aibox_status keeper_start(struct accounts *accounts, struct aibox_error *err);
void keeper_stop(struct accounts *accounts);

#endif
