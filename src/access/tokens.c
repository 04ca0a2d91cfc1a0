/* What stands for somebody: passwords that were checked, sessions, keys. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/internal.h"
#include "core/clock.h"
#include "core/id.h"
#include "core/log.h"
#include "store/callers.h"

#define SECRET_BYTES      32
#define SECRET_CHARACTERS 43 /* in base64 without padding */
#define VERIFIED_MS       300000
#define USED_MS           1000 /* a use is noted once in so long */
#define SESSIONS_OF_ONE   32   /* an account's; the one longest unused goes */

_Static_assert(sizeof ACCOUNTS_KEY_PREFIX + SECRET_CHARACTERS <= ACCOUNTS_TOKEN_SIZE, "room for a key");

/* ---- secrets ----------------------------------------------------------------------------------------------- */

void hash_secret(const void *secret, size_t size, uint8_t out[STORE_SECRET_HASH])
{
    crypto_generichash(out, STORE_SECRET_HASH, secret, size, NULL, 0);
}

void make_secret(const char *prefix, char out[ACCOUNTS_TOKEN_SIZE])
{
    uint8_t bytes[SECRET_BYTES];
    size_t size = strlen(prefix);

    id_random(bytes, sizeof bytes);
    memcpy(out, prefix, size + 1);
    (void)sodium_bin2base64(out + size, ACCOUNTS_TOKEN_SIZE - size, bytes, sizeof bytes,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
}

/* ---- lists, with `mu` held ----------------------------------------------------------------------------------- */

struct token *find_token(struct accounts *accounts, const uint8_t hash[STORE_SECRET_HASH],
                         enum store_credential_kind kind)
{
    for (size_t i = 0; i < accounts->tokens.count; i++) {
        struct token *token = &accounts->tokens.items[i];

        if (token->kind == kind && memcmp(token->hash, hash, STORE_SECRET_HASH) == 0)
            return token;
    }
    return NULL;
}

struct token *find_named_key(struct accounts *accounts, const char *name)
{
    for (size_t i = 0; i < accounts->tokens.count; i++) {
        struct token *token = &accounts->tokens.items[i];

        if (token->kind == STORE_API_KEY && strcmp(token->name, name) == 0)
            return token;
    }
    return NULL;
}

void forget_token(struct accounts *accounts, struct token *token)
{
    struct tokens *tokens = &accounts->tokens;
    size_t behind = tokens->count - (size_t)(token - tokens->items) - 1;

    memmove(token, token + 1, behind * sizeof *token);
    tokens->count--;
}

static size_t count_kind(const struct accounts *accounts, enum store_credential_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < accounts->tokens.count; i++)
        count += accounts->tokens.items[i].kind == kind;
    return count;
}

bool token_is_over(const struct accounts *accounts, const struct token *token, int64_t now_ms)
{
    int64_t idle_ms = settings_int(accounts->settings, "access.session_idle_minutes") * 60000;

    if (token->expires_ms != 0 && now_ms >= token->expires_ms)
        return true;
    return token->kind == STORE_SESSION && now_ms - token->used_ms >= idle_ms;
}

/* ---- passwords ------------------------------------------------------------------------------------------------ */

static void identify_account(const struct account *account, struct account_identity *out)
{
    *out = (struct account_identity){.role = account->role, .is_account = true};
    memcpy(out->name, account->name, sizeof out->name);
}

static void hash_pair(const struct accounts *accounts, const char *name, const char *password,
                      uint8_t out[STORE_SECRET_HASH])
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, accounts->key, sizeof accounts->key, STORE_SECRET_HASH);
    (void)crypto_generichash_update(&state, (const uint8_t *)name, strlen(name) + 1);
    (void)crypto_generichash_update(&state, (const uint8_t *)password, strlen(password));
    (void)crypto_generichash_final(&state, out, STORE_SECRET_HASH);
    sodium_memzero(&state, sizeof state);
}

void forget_verified(struct accounts *accounts)
{
    memset(accounts->verified, 0, sizeof accounts->verified);
}

bool accounts_knows_password(struct accounts *accounts, const char *name, const char *password,
                             struct account_identity *out)
{
    int64_t now_ms = clock_monotonic_ms();
    uint8_t hash[STORE_SECRET_HASH];
    const struct account *account = NULL;

    hash_pair(accounts, name, password, hash);
    pthread_mutex_lock(&accounts->mu);
    for (size_t i = 0; i < VERIFIED_MAX && !account; i++)
        if (now_ms < accounts->verified[i].until_ms &&
            sodium_memcmp(accounts->verified[i].hash, hash, sizeof hash) == 0)
            account = find_account(accounts, accounts->verified[i].name);
    if (account)
        identify_account(account, out);
    pthread_mutex_unlock(&accounts->mu);
    return account != NULL;
}

/* The account had the password whose hash is `checked`; it counts if that is still so. */
static bool note_right(struct accounts *accounts, const char *name, const char *password, const char *checked,
                       struct account_identity *out)
{
    struct verified *oldest = &accounts->verified[0];
    const struct account *account;
    bool same;

    pthread_mutex_lock(&accounts->mu);
    account = find_account(accounts, name);
    same = account && strcmp(account->password, checked) == 0;
    if (same) {
        for (size_t i = 1; i < VERIFIED_MAX; i++)
            if (accounts->verified[i].until_ms < oldest->until_ms)
                oldest = &accounts->verified[i];
        hash_pair(accounts, name, password, oldest->hash);
        memcpy(oldest->name, account->name, sizeof oldest->name);
        oldest->until_ms = clock_monotonic_ms() + VERIFIED_MS;
        identify_account(account, out);
    }
    pthread_mutex_unlock(&accounts->mu);
    return same;
}

enum aibox_status accounts_check_password(struct accounts *accounts, const struct address *address, const char *name,
                                          const char *password, struct account_identity *out, unsigned *retry_after_s,
                                          struct aibox_error *err)
{
    char hash[PASSWORD_HASH_SIZE] = "";
    unsigned wait_s = attempts_wait_s(&accounts->attempts, name, address, clock_monotonic_ms());
    const struct account *account;
    bool right;

    if (retry_after_s)
        *retry_after_s = wait_s ? wait_s : 1;
    if (wait_s)
        return error_set(err, AIBOX_TOO_MANY_REQUESTS, "too many failed log-ins; try again in %u s", wait_s);
    pthread_mutex_lock(&accounts->mu);
    account = find_account(accounts, name);
    if (account)
        memcpy(hash, account->password, sizeof hash);
    pthread_mutex_unlock(&accounts->mu);
    enum aibox_status status = password_verify(&accounts->desk, hash[0] ? hash : NULL, password, &right, err);
    if (status != AIBOX_OK)
        return status;
    if (right && note_right(accounts, name, password, hash, out)) {
        attempts_succeeded(&accounts->attempts, name, address, clock_monotonic_ms());
        return AIBOX_OK;
    }
    attempts_failed(&accounts->attempts, name, address, clock_monotonic_ms());
    return error_set(err, AIBOX_UNAUTHORIZED, "wrong name or password");
}

/* ---- sessions ------------------------------------------------------------------------------------------------ */

static void to_stored(const struct token *token, struct store_credential *out)
{
    *out = (struct store_credential){.kind = token->kind,
                                     .name = token->name,
                                     .role = (int)token->role,
                                     .created_ms = token->created_ms,
                                     .expires_ms = token->expires_ms,
                                     .used_ms = token->used_ms};
    memcpy(out->hash, token->hash, sizeof out->hash);
}

static enum aibox_status store_token(struct accounts *accounts, const struct token *token, struct aibox_error *err)
{
    struct store_credential stored;

    to_stored(token, &stored);
    return store_credentials_put(accounts->store, &stored, 1, err);
}

/* The session longest unused, of `name` or (NULL) of all. */
static const struct token *find_stalest(const struct accounts *accounts, const char *name)
{
    const struct token *stalest = NULL;

    for (size_t i = 0; i < accounts->tokens.count; i++) {
        const struct token *token = &accounts->tokens.items[i];

        if (token->kind == STORE_SESSION && (!name || strcmp(token->name, name) == 0) &&
            (!stalest || token->used_ms < stalest->used_ms))
            stalest = token;
    }
    return stalest;
}

/* Makes room for one more session of `name`. With `changing` held. */
static enum aibox_status make_room(struct accounts *accounts, const char *name, struct aibox_error *err)
{
    uint8_t hash[STORE_SECRET_HASH];
    const struct token *goes = NULL;
    struct token *gone;
    size_t of_one = 0;

    pthread_mutex_lock(&accounts->mu);
    for (size_t i = 0; i < accounts->tokens.count; i++)
        of_one += accounts->tokens.items[i].kind == STORE_SESSION && strcmp(accounts->tokens.items[i].name, name) == 0;
    if (of_one >= SESSIONS_OF_ONE)
        goes = find_stalest(accounts, name);
    else if (count_kind(accounts, STORE_SESSION) >= ACCOUNTS_MAX_SESSIONS)
        goes = find_stalest(accounts, NULL);
    if (goes)
        memcpy(hash, goes->hash, sizeof hash);
    pthread_mutex_unlock(&accounts->mu);
    if (!goes)
        return AIBOX_OK;
    enum aibox_status status = store_credentials_delete(accounts->store, hash, 1, err);
    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&accounts->mu);
    gone = find_token(accounts, hash, STORE_SESSION);
    if (gone)
        forget_token(accounts, gone);
    pthread_mutex_unlock(&accounts->mu);
    return AIBOX_OK;
}

static enum aibox_status open_session(struct accounts *accounts, const char *name, const char *secret,
                                      struct aibox_error *err)
{
    int64_t now_ms = clock_realtime_ms();
    struct token token = {.kind = STORE_SESSION,
                          .created_ms = now_ms,
                          .used_ms = now_ms,
                          .expires_ms = now_ms + settings_int(accounts->settings, "access.session_days") * 86400000};
    const struct account *account;

    pthread_mutex_lock(&accounts->mu);
    account = find_account(accounts, name);
    if (account)
        memcpy(token.name, account->name, sizeof token.name);
    pthread_mutex_unlock(&accounts->mu);
    if (!account)
        return error_set(err, AIBOX_UNAUTHORIZED, "wrong name or password");
    hash_secret(secret, strlen(secret), token.hash);
    enum aibox_status status = make_room(accounts, token.name, err);
    if (status == AIBOX_OK)
        status = store_token(accounts, &token, err);
    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&accounts->mu);
    accounts->tokens.items[accounts->tokens.count++] = token;
    pthread_mutex_unlock(&accounts->mu);
    return AIBOX_OK;
}

enum aibox_status accounts_open_session(struct accounts *accounts, const char *name, char token[ACCOUNTS_TOKEN_SIZE],
                                        struct aibox_error *err)
{
    make_secret("", token);
    pthread_mutex_lock(&accounts->changing);
    enum aibox_status status = open_session(accounts, name, token, err);
    pthread_mutex_unlock(&accounts->changing);
    return status;
}

enum aibox_status accounts_end_session(struct accounts *accounts, const uint8_t hash[STORE_SECRET_HASH],
                                       struct aibox_error *err)
{
    struct token *token;

    pthread_mutex_lock(&accounts->changing);
    enum aibox_status status = store_credentials_delete(accounts->store, hash, 1, err);
    if (status == AIBOX_OK) {
        pthread_mutex_lock(&accounts->mu);
        token = find_token(accounts, hash, STORE_SESSION);
        if (token)
            forget_token(accounts, token);
        pthread_mutex_unlock(&accounts->mu);
    }
    pthread_mutex_unlock(&accounts->changing);
    return status;
}

static bool is_doomed(const struct token *token, const char *name, const uint8_t *keep)
{
    return token->kind == STORE_SESSION && strcmp(token->name, name) == 0 &&
           !(keep && memcmp(token->hash, keep, sizeof token->hash) == 0);
}

enum aibox_status end_sessions(struct accounts *accounts, const char *name, const uint8_t *keep,
                               struct aibox_error *err)
{
    uint8_t *hashes = calloc(ACCOUNTS_MAX_SESSIONS + ACCOUNTS_MAX_KEYS, STORE_SECRET_HASH);
    enum aibox_status status;
    size_t n = 0;

    if (!hashes)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    pthread_mutex_lock(&accounts->mu);
    for (size_t i = 0; i < accounts->tokens.count; i++)
        if (is_doomed(&accounts->tokens.items[i], name, keep))
            memcpy(hashes + n++ * STORE_SECRET_HASH, accounts->tokens.items[i].hash, STORE_SECRET_HASH);
    pthread_mutex_unlock(&accounts->mu);
    status = store_credentials_delete(accounts->store, hashes, n, err);
    if (status == AIBOX_OK) {
        pthread_mutex_lock(&accounts->mu);
        for (size_t i = accounts->tokens.count; i-- > 0;)
            if (is_doomed(&accounts->tokens.items[i], name, keep))
                forget_token(accounts, &accounts->tokens.items[i]);
        pthread_mutex_unlock(&accounts->mu);
    }
    free(hashes);
    return status;
}

/* ---- finding -------------------------------------------------------------------------------------------------- */

/* Who a token stands for now; notes the use. With `mu` held. */
static bool use_token(struct accounts *accounts, struct token *token, struct account_identity *out)
{
    int64_t now_ms = clock_realtime_ms();
    const struct account *account;

    if (token_is_over(accounts, token, now_ms))
        return false;
    if (token->kind == STORE_SESSION) {
        account = find_account(accounts, token->name);
        if (!account)
            return false;
        identify_account(account, out);
        out->is_session = true;
    } else {
        *out = (struct account_identity){.role = token->role};
        memcpy(out->name, token->name, sizeof out->name);
    }
    memcpy(out->hash, token->hash, sizeof out->hash);
    if (now_ms - token->used_ms >= USED_MS) {
        token->used_ms = now_ms;
        token->changed = true;
    }
    return true;
}

static bool find_secret(struct accounts *accounts, const char *secret, size_t size, enum store_credential_kind kind,
                        struct account_identity *out)
{
    uint8_t hash[STORE_SECRET_HASH];
    struct token *token;
    bool found;

    hash_secret(secret, size, hash);
    pthread_mutex_lock(&accounts->mu);
    token = find_token(accounts, hash, kind);
    found = token && use_token(accounts, token, out);
    pthread_mutex_unlock(&accounts->mu);
    return found;
}

bool accounts_find_session(struct accounts *accounts, const char *token, size_t size, struct account_identity *out)
{
    return size == SECRET_CHARACTERS && find_secret(accounts, token, size, STORE_SESSION, out);
}

bool accounts_find_key(struct accounts *accounts, const char *key, size_t size, struct account_identity *out)
{
    return size == strlen(ACCOUNTS_KEY_PREFIX) + SECRET_CHARACTERS &&
           find_secret(accounts, key, size, STORE_API_KEY, out);
}

bool accounts_still_valid(struct accounts *accounts, const struct account_identity *identity, enum account_role role)
{
    int64_t now_ms = clock_realtime_ms();
    const struct account *account;
    const struct token *token;
    bool valid;

    pthread_mutex_lock(&accounts->mu);
    account = identity->is_account ? find_account(accounts, identity->name) : NULL;
    token = !identity->is_account  ? find_token(accounts, identity->hash, STORE_API_KEY)
            : identity->is_session ? find_token(accounts, identity->hash, STORE_SESSION)
                                   : NULL;
    if (identity->is_account)
        valid = account && account->role >= role && (!identity->is_session || token);
    else
        valid = token && token->role >= role;
    /* A session is not idle while what it asked for is being answered. */
    valid = valid && !(token && token->expires_ms != 0 && now_ms >= token->expires_ms);
    pthread_mutex_unlock(&accounts->mu);
    return valid;
}

/* ---- keys ----------------------------------------------------------------------------------------------------- */

enum aibox_status accounts_list_keys(struct accounts *accounts, struct account_key_view **items, size_t *count,
                                     struct aibox_error *err)
{
    struct account_key_view *views = calloc(ACCOUNTS_MAX_SESSIONS + ACCOUNTS_MAX_KEYS, sizeof *views);
    size_t n = 0;

    *items = views;
    *count = 0;
    if (!views)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    pthread_mutex_lock(&accounts->mu);
    for (size_t i = 0; i < accounts->tokens.count; i++) {
        const struct token *token = &accounts->tokens.items[i];

        if (token->kind != STORE_API_KEY)
            continue;
        views[n] = (struct account_key_view){.role = token->role,
                                             .created_ms = token->created_ms,
                                             .expires_ms = token->expires_ms,
                                             .used_ms = token->used_ms};
        memcpy(views[n++].name, token->name, sizeof token->name);
    }
    pthread_mutex_unlock(&accounts->mu);
    *count = n;
    return AIBOX_OK;
}

static enum aibox_status check_key(struct accounts *accounts, const struct token *token, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    if (token->role == ACCOUNT_NOBODY)
        return error_set(err, AIBOX_PARAM, "role: admin, operator or viewer is expected");
    if (token->expires_ms != 0 && token->expires_ms <= token->created_ms)
        return error_set(err, AIBOX_PARAM, "expires_at: a time to come is expected, or 0");
    pthread_mutex_lock(&accounts->mu);
    if (find_named_key(accounts, token->name))
        status = error_set(err, AIBOX_GROUP_NAME, "name: there is a key %s already", token->name);
    else if (count_kind(accounts, STORE_API_KEY) >= ACCOUNTS_MAX_KEYS)
        status = error_set(err, AIBOX_PARAM, "there are %d keys already, the most there can be", ACCOUNTS_MAX_KEYS);
    pthread_mutex_unlock(&accounts->mu);
    return status;
}

enum aibox_status accounts_add_key(struct accounts *accounts, const char *name, enum account_role role,
                                   int64_t expires_ms, char key[ACCOUNTS_TOKEN_SIZE], struct aibox_error *err)
{
    struct token token = {
        .kind = STORE_API_KEY, .role = role, .created_ms = clock_realtime_ms(), .expires_ms = expires_ms};
    enum aibox_status status = check_name(name, err);

    if (status != AIBOX_OK)
        return status;
    memcpy(token.name, name, strlen(name) + 1);
    make_secret(ACCOUNTS_KEY_PREFIX, key);
    hash_secret(key, strlen(key), token.hash);
    pthread_mutex_lock(&accounts->changing);
    status = check_key(accounts, &token, err);
    if (status == AIBOX_OK)
        status = store_token(accounts, &token, err);
    if (status == AIBOX_OK) {
        pthread_mutex_lock(&accounts->mu);
        accounts->tokens.items[accounts->tokens.count++] = token;
        pthread_mutex_unlock(&accounts->mu);
        log_info("access", "key made name=%s role=%s", name, account_role_name(role));
    }
    pthread_mutex_unlock(&accounts->changing);
    return status;
}

enum aibox_status accounts_remove_key(struct accounts *accounts, const char *name, struct aibox_error *err)
{
    uint8_t hash[STORE_SECRET_HASH];
    const struct token *found;
    struct token *token;

    pthread_mutex_lock(&accounts->changing);
    pthread_mutex_lock(&accounts->mu);
    found = find_named_key(accounts, name);
    if (found)
        memcpy(hash, found->hash, sizeof hash);
    pthread_mutex_unlock(&accounts->mu);
    enum aibox_status status = found ? store_credentials_delete(accounts->store, hash, 1, err)
                                     : error_set(err, AIBOX_NOT_FOUND, "name: there is no key %.64s", name);
    if (status == AIBOX_OK) {
        pthread_mutex_lock(&accounts->mu);
        token = find_token(accounts, hash, STORE_API_KEY);
        if (token)
            forget_token(accounts, token);
        pthread_mutex_unlock(&accounts->mu);
    }
    pthread_mutex_unlock(&accounts->changing);
    return status;
}
