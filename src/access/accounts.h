/*
 * Who may call the box: accounts with passwords, the sessions they open, API keys for programs, and the one-time token
 * with which the first administrator is made. In memory as the store has it; loaded when opened. Which call needs which
 * role is the business of the API.
 *
 * What is kept of a secret: an Argon2id hash of a password, a BLAKE2b hash of a token or key. Passwords are hashed one
 * at a time (64 MiB each); a few callers wait, more are sent away.
 *
 * Failed log-ins are counted by account and address and over all (attempts.h). All functions: any thread.
 */
#ifndef AIBOX_ACCESS_ACCOUNTS_H
#define AIBOX_ACCESS_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/address.h"
#include "core/settings.h"
#include "core/status.h"
#include "store/callers.h"
#include "store/store.h"

#define ACCOUNTS_MAX          100
#define ACCOUNTS_MAX_KEYS     256
#define ACCOUNTS_MAX_SESSIONS 512 /* the one longest unused goes */
#define ACCOUNTS_NAME_SIZE    65  /* bytes, with NUL */
#define ACCOUNTS_MIN_PASSWORD 12  /* characters */
#define ACCOUNTS_MAX_PASSWORD 256 /* bytes */
#define ACCOUNTS_TOKEN_SIZE   64  /* room for a token or key with NUL */
#define ACCOUNTS_KEY_PREFIX   "aibox_"

/* In the order of rights: each has those of the ones before it. */
enum account_role { ACCOUNT_NOBODY, ACCOUNT_VIEWER, ACCOUNT_OPERATOR, ACCOUNT_ADMIN };

/* "viewer", "operator", "admin"; "" for NOBODY. */
const char *account_role_name(enum account_role role);
/* NOBODY for a text that names no role. */
enum account_role account_role_of(const char *name);

struct accounts;

/* Who a credential stands for. */
struct account_identity {
    enum account_role role;
    char name[ACCOUNTS_NAME_SIZE]; /* of the account, or of the key */
    bool is_account;               /* else a key */
    bool is_session;
    uint8_t hash[STORE_SECRET_HASH]; /* of the session's token; zeros without */
};

/* `settings` and `store` must outlive it. Starts a thread that ends sessions and remembers when keys were used. */
enum aibox_status accounts_open(const struct settings *settings, struct store *store, struct accounts **out,
                                struct aibox_error *err);
void accounts_close(struct accounts *accounts); /* NULL is allowed */

/* ---- set-up ------------------------------------------------------------------------------------------------- */

/* Whether there is an administrator. */
bool accounts_set_up(struct accounts *accounts);
/* Makes a new token for accounts_begin(), in place of an earlier one; only its hash is kept, until the box stops.
 * False: the box is set up. */
bool accounts_make_setup_token(struct accounts *accounts, char token[ACCOUNTS_TOKEN_SIZE]);
/* Makes the first administrator. UNAUTHORIZED: not the token, TOO_MANY_REQUESTS: not again and again, until
 * *retry_after_s have passed; FORBIDDEN: the box is set up. PARAM as accounts_add(). */
enum aibox_status accounts_begin(struct accounts *accounts, const struct address *address, const char *token,
                                 const char *name, const char *password, unsigned *retry_after_s,
                                 struct aibox_error *err);

/* ---- credentials ------------------------------------------------------------------------------------------- */

/*
 * Checks a password; takes a tenth of a second or more, and waits for its turn. UNAUTHORIZED: wrong. TOO_MANY_REQUESTS:
 * too many failures from there, or too many callers; *retry_after_s (may be NULL) tells when to come back.
 */
enum aibox_status accounts_check_password(struct accounts *accounts, const struct address *address, const char *name,
                                          const char *password, struct account_identity *out, unsigned *retry_after_s,
                                          struct aibox_error *err);
/* The same from memory, for programs that send the password with each call: true when these were right within the last
 * minutes, and nothing has changed since. Doesn't wait. */
bool accounts_knows_password(struct accounts *accounts, const char *name, const char *password,
                             struct account_identity *out);

/* Opens a session of an account; `token` is the only copy of its secret. */
enum aibox_status accounts_open_session(struct accounts *accounts, const char *name, char token[ACCOUNTS_TOKEN_SIZE],
                                        struct aibox_error *err);
/* No error when there is none. */
enum aibox_status accounts_end_session(struct accounts *accounts, const uint8_t hash[STORE_SECRET_HASH],
                                       struct aibox_error *err);

/* Who token[0..size) stands for: a session's token, a key. False: nobody, or no longer. */
bool accounts_find_session(struct accounts *accounts, const char *token, size_t size, struct account_identity *out);
bool accounts_find_key(struct accounts *accounts, const char *key, size_t size, struct account_identity *out);
/* Whether what `identity` was found by still counts, with a role not below `role`; for answers that take long. */
bool accounts_still_valid(struct accounts *accounts, const struct account_identity *identity, enum account_role role);

/* ---- accounts ---------------------------------------------------------------------------------------------- */

struct account_view {
    char name[ACCOUNTS_NAME_SIZE];
    enum account_role role;
    int64_t created_ms;
    int64_t used_ms; /* of its sessions, the newest; 0: has none */
};
/* By name; *items is freed by the caller with free(). */
enum aibox_status accounts_list(struct accounts *accounts, struct account_view **items, size_t *count,
                                struct aibox_error *err);
/* PARAM naming `name`, `password` or `role` when it won't do, or GROUP_NAME when the name is taken; NOT_FOUND: no such
 * account. */
enum aibox_status accounts_add(struct accounts *accounts, const char *name, enum account_role role,
                               const char *password, struct aibox_error *err);
/* `role` NOBODY, `password` NULL: stay. A new password ends the account's sessions but `keep` (may be NULL). PARAM: it
 * is the last administrator that would become something else. */
enum aibox_status accounts_change(struct accounts *accounts, const char *name, enum account_role role,
                                  const char *password, const uint8_t keep[STORE_SECRET_HASH], struct aibox_error *err);
/* PARAM: it is the last administrator. Its sessions end. */
enum aibox_status accounts_remove(struct accounts *accounts, const char *name, struct aibox_error *err);

/* ---- keys -------------------------------------------------------------------------------------------------- */

struct account_key_view {
    char name[ACCOUNTS_NAME_SIZE];
    enum account_role role;
    int64_t created_ms, expires_ms /* 0: never */, used_ms /* 0: not yet */;
};
/* Oldest first; freed by the caller with free(). */
enum aibox_status accounts_list_keys(struct accounts *accounts, struct account_key_view **items, size_t *count,
                                     struct aibox_error *err);
/* `key`: its only copy. PARAM naming the field; GROUP_NAME: the name is taken. */
enum aibox_status accounts_add_key(struct accounts *accounts, const char *name, enum account_role role,
                                   int64_t expires_ms, char key[ACCOUNTS_TOKEN_SIZE], struct aibox_error *err);
enum aibox_status accounts_remove_key(struct accounts *accounts, const char *name, struct aibox_error *err);

#endif
