#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "access/internal.h"
#include "core/clock.h"
#include "core/id.h"
#include "core/log.h"
#include "core/utf8.h"
#include "store/callers.h"

static const char *const role_names[] = {"", "viewer", "operator", "admin"};

const char *account_role_name(enum account_role role)
{
    return role_names[role];
}

enum account_role account_role_of(const char *name)
{
    for (int role = ACCOUNT_VIEWER; role <= ACCOUNT_ADMIN; role++)
        if (strcmp(name, role_names[role]) == 0)
            return (enum account_role)role;
    return ACCOUNT_NOBODY;
}

static void copy_name(char out[ACCOUNTS_NAME_SIZE], const char *name)
{
    size_t size = strnlen(name, ACCOUNTS_NAME_SIZE - 1);

    memcpy(out, name, size);
    out[size] = '\0';
}

/* ---- opening ----------------------------------------------------------------------------------------------- */

static void load_account(void *ctx, const struct store_account *stored)
{
    struct accounts *accounts = ctx;
    struct account *account = &accounts->items[accounts->count];

    if (accounts->count == ACCOUNTS_MAX || strlen(stored->name) >= sizeof account->name ||
        strlen(stored->password) >= sizeof account->password || stored->role < ACCOUNT_VIEWER ||
        stored->role > ACCOUNT_ADMIN) {
        log_error("access", "a stored account can't be used");
        return;
    }
    *account = (struct account){
        .role = (enum account_role)stored->role, .created_ms = stored->created_ms, .changed_ms = stored->changed_ms};
    copy_name(account->name, stored->name);
    memcpy(account->password, stored->password, strlen(stored->password) + 1);
    accounts->count++;
}

static void load_token(void *ctx, const struct store_credential *stored)
{
    struct accounts *accounts = ctx;
    struct tokens *tokens = &accounts->tokens;
    struct token *token = &tokens->items[tokens->count];

    if (tokens->count == ACCOUNTS_MAX_SESSIONS + ACCOUNTS_MAX_KEYS || strlen(stored->name) >= sizeof token->name ||
        stored->role < ACCOUNT_NOBODY || stored->role > ACCOUNT_ADMIN) {
        log_error("access", "a stored session or key can't be used");
        return;
    }
    *token = (struct token){.kind = stored->kind,
                            .role = (enum account_role)stored->role,
                            .created_ms = stored->created_ms,
                            .expires_ms = stored->expires_ms,
                            .used_ms = stored->used_ms};
    memcpy(token->hash, stored->hash, sizeof token->hash);
    copy_name(token->name, stored->name);
    tokens->count++;
}

static bool make_locks(struct accounts *accounts)
{
    if (!password_desk_init(&accounts->desk))
        return false;
    if (!attempts_init(&accounts->attempts))
        goto no_attempts;
    if (pthread_mutex_init(&accounts->changing, NULL) != 0)
        goto no_changing;
    if (pthread_mutex_init(&accounts->mu, NULL) != 0)
        goto no_mutex;
    if (clock_cond_init(&accounts->wake))
        return true;
    (void)pthread_mutex_destroy(&accounts->mu);
no_mutex:
    (void)pthread_mutex_destroy(&accounts->changing);
no_changing:
    attempts_destroy(&accounts->attempts);
no_attempts:
    password_desk_destroy(&accounts->desk);
    return false;
}

enum aibox_status accounts_open(const struct settings *settings, struct store *store, struct accounts **out,
                                struct aibox_error *err)
{
    struct accounts *accounts = calloc(1, sizeof *accounts);
    enum aibox_status status;

    *out = NULL;
    if (!accounts)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (!make_locks(accounts)) {
        free(accounts);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    accounts->settings = settings;
    accounts->store = store;
    id_random(accounts->key, sizeof accounts->key);
    status = store_accounts_each(store, load_account, accounts, err);
    if (status == AIBOX_OK)
        status = store_credentials_each(store, load_token, accounts, err);
    if (status == AIBOX_OK)
        status = keeper_start(accounts, err);
    if (status != AIBOX_OK) {
        accounts_close(accounts);
        return status;
    }
    *out = accounts;
    return AIBOX_OK;
}

void accounts_close(struct accounts *accounts)
{
    if (!accounts)
        return;
    keeper_stop(accounts);
    (void)pthread_cond_destroy(&accounts->wake);
    (void)pthread_mutex_destroy(&accounts->mu);
    (void)pthread_mutex_destroy(&accounts->changing);
    attempts_destroy(&accounts->attempts);
    password_desk_destroy(&accounts->desk);
    sodium_memzero(accounts, sizeof *accounts);
    free(accounts);
}

/* ---- looking ------------------------------------------------------------------------------------------------ */

struct account *find_account(struct accounts *accounts, const char *name)
{
    for (size_t i = 0; i < accounts->count; i++)
        if (strcmp(accounts->items[i].name, name) == 0)
            return &accounts->items[i];
    return NULL;
}

size_t count_admins(const struct accounts *accounts)
{
    size_t count = 0;

    for (size_t i = 0; i < accounts->count; i++)
        count += accounts->items[i].role == ACCOUNT_ADMIN;
    return count;
}

enum aibox_status check_name(const char *name, struct aibox_error *err)
{
    size_t size = strlen(name);
    bool plain =
        size > 0 && size < ACCOUNTS_NAME_SIZE && utf8_valid(name, size) && name[0] != ' ' && name[size - 1] != ' ';

    for (const char *at = name; *at && plain; at++)
        plain = (unsigned char)*at >= ' ' && *at != 0x7f && *at != ':';
    if (plain)
        return AIBOX_OK;
    return error_set(err, AIBOX_PARAM,
                     "name: 1 to %d bytes are expected, no ':', no control characters, no blank at either end",
                     ACCOUNTS_NAME_SIZE - 1);
}

/* A copy of the account; false: there is none. */
static bool copy_account(struct accounts *accounts, const char *name, struct account *out)
{
    const struct account *account;

    pthread_mutex_lock(&accounts->mu);
    account = find_account(accounts, name);
    if (account)
        *out = *account;
    pthread_mutex_unlock(&accounts->mu);
    return account != NULL;
}

bool accounts_set_up(struct accounts *accounts)
{
    bool set_up;

    pthread_mutex_lock(&accounts->mu);
    set_up = count_admins(accounts) > 0;
    pthread_mutex_unlock(&accounts->mu);
    return set_up;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct account_view *)a)->name, ((const struct account_view *)b)->name);
}

enum aibox_status accounts_list(struct accounts *accounts, struct account_view **items, size_t *count,
                                struct aibox_error *err)
{
    struct account_view *views = calloc(ACCOUNTS_MAX, sizeof *views);

    *items = views;
    *count = 0;
    if (!views)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    pthread_mutex_lock(&accounts->mu);
    *count = accounts->count;
    for (size_t i = 0; i < accounts->count; i++) {
        const struct account *account = &accounts->items[i];

        views[i].role = account->role;
        views[i].created_ms = account->created_ms;
        copy_name(views[i].name, account->name);
        for (size_t k = 0; k < accounts->tokens.count; k++) {
            const struct token *token = &accounts->tokens.items[k];

            if (token->kind == STORE_SESSION && strcmp(token->name, account->name) == 0 &&
                token->used_ms > views[i].used_ms)
                views[i].used_ms = token->used_ms;
        }
    }
    pthread_mutex_unlock(&accounts->mu);
    qsort(views, *count, sizeof *views, by_name);
    return AIBOX_OK;
}

/* ---- changing ---------------------------------------------------------------------------------------------- */

/* Stores an account and puts it into memory, where it has its place or there is one free. With `changing` held. */
static enum aibox_status save(struct accounts *accounts, const struct account *account, struct aibox_error *err)
{
    const struct store_account stored = {.name = account->name,
                                         .role = (int)account->role,
                                         .password = account->password,
                                         .created_ms = account->created_ms,
                                         .changed_ms = account->changed_ms};
    enum aibox_status status = store_account_put(accounts->store, &stored, err);
    struct account *place;

    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&accounts->mu);
    place = find_account(accounts, account->name);
    if (!place)
        place = &accounts->items[accounts->count++];
    *place = *account;
    forget_verified(accounts);
    pthread_mutex_unlock(&accounts->mu);
    return AIBOX_OK;
}

static enum aibox_status check_free(struct accounts *accounts, const char *name, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    pthread_mutex_lock(&accounts->mu);
    if (find_account(accounts, name))
        status = error_set(err, AIBOX_GROUP_NAME, "name: there is an account %s already", name);
    else if (accounts->count == ACCOUNTS_MAX)
        status = error_set(err, AIBOX_PARAM, "there are %d accounts already, the most there can be", ACCOUNTS_MAX);
    pthread_mutex_unlock(&accounts->mu);
    return status;
}

/* Makes an account of checked parts. With `changing` held. */
static enum aibox_status create(struct accounts *accounts, const char *name, enum account_role role,
                                const char *password, struct aibox_error *err)
{
    struct account account = {.role = role, .created_ms = clock_realtime_ms()};
    enum aibox_status status = check_free(accounts, name, err);

    if (status == AIBOX_OK)
        status = password_hash(&accounts->desk, password, account.password, err);
    if (status != AIBOX_OK)
        return status;
    account.changed_ms = account.created_ms;
    copy_name(account.name, name);
    return save(accounts, &account, err);
}

enum aibox_status accounts_add(struct accounts *accounts, const char *name, enum account_role role,
                               const char *password, struct aibox_error *err)
{
    enum aibox_status status = check_name(name, err);

    if (status == AIBOX_OK)
        status = password_check_rules(password, err);
    if (status == AIBOX_OK && role == ACCOUNT_NOBODY)
        status = error_set(err, AIBOX_PARAM, "role: admin, operator or viewer is expected");
    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&accounts->changing);
    status = create(accounts, name, role, password, err);
    pthread_mutex_unlock(&accounts->changing);
    if (status == AIBOX_OK)
        log_info("access", "account made name=%s role=%s", name, account_role_name(role));
    return status;
}

/* With `changing` held, under which no other administrator can go. */
static enum aibox_status check_not_last(struct accounts *accounts, const struct account *account,
                                        struct aibox_error *err)
{
    size_t admins;

    pthread_mutex_lock(&accounts->mu);
    admins = count_admins(accounts);
    pthread_mutex_unlock(&accounts->mu);
    if (account->role != ACCOUNT_ADMIN || admins > 1)
        return AIBOX_OK;
    return error_set(err, AIBOX_PARAM, "name: %s is the last administrator, and has to stay one", account->name);
}

static enum aibox_status no_such_account(const char *name, struct aibox_error *err)
{
    return error_set(err, AIBOX_NOT_FOUND, "name: there is no account %.64s", name);
}

static enum aibox_status change(struct accounts *accounts, const char *name, enum account_role role,
                                const char *password, const uint8_t *keep, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    struct account account;

    if (!copy_account(accounts, name, &account))
        return no_such_account(name, err);
    if (role != ACCOUNT_NOBODY && role != ACCOUNT_ADMIN)
        status = check_not_last(accounts, &account, err);
    if (status == AIBOX_OK && password)
        status = password_hash(&accounts->desk, password, account.password, err);
    if (status != AIBOX_OK)
        return status;
    if (role != ACCOUNT_NOBODY)
        account.role = role;
    account.changed_ms = clock_realtime_ms();
    /* First the sessions: should the second step fail, somebody has to log in again, and nobody stays who shouldn't. */
    if (password)
        status = end_sessions(accounts, name, keep, err);
    return status == AIBOX_OK ? save(accounts, &account, err) : status;
}

enum aibox_status accounts_change(struct accounts *accounts, const char *name, enum account_role role,
                                  const char *password, const uint8_t keep[STORE_SECRET_HASH], struct aibox_error *err)
{
    enum aibox_status status = password ? password_check_rules(password, err) : AIBOX_OK;

    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&accounts->changing);
    status = change(accounts, name, role, password, keep, err);
    pthread_mutex_unlock(&accounts->changing);
    return status;
}

static enum aibox_status drop(struct accounts *accounts, const char *name, struct aibox_error *err)
{
    struct account account;
    struct account *place;

    if (!copy_account(accounts, name, &account))
        return no_such_account(name, err);
    enum aibox_status status = check_not_last(accounts, &account, err);
    if (status == AIBOX_OK)
        status = end_sessions(accounts, name, NULL, err);
    if (status == AIBOX_OK)
        status = store_account_delete(accounts->store, name, err);
    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&accounts->mu);
    place = find_account(accounts, name);
    *place = accounts->items[--accounts->count];
    sodium_memzero(&accounts->items[accounts->count], sizeof *place);
    forget_verified(accounts);
    pthread_mutex_unlock(&accounts->mu);
    return AIBOX_OK;
}

enum aibox_status accounts_remove(struct accounts *accounts, const char *name, struct aibox_error *err)
{
    pthread_mutex_lock(&accounts->changing);
    enum aibox_status status = drop(accounts, name, err);
    pthread_mutex_unlock(&accounts->changing);
    return status;
}

/* ---- set-up ------------------------------------------------------------------------------------------------- */

bool accounts_make_setup_token(struct accounts *accounts, char token[ACCOUNTS_TOKEN_SIZE])
{
    bool needed;

    make_secret("", token);
    pthread_mutex_lock(&accounts->mu);
    needed = count_admins(accounts) == 0;
    if (needed)
        hash_secret(token, strlen(token), accounts->setup_hash);
    accounts->has_setup_token = needed;
    pthread_mutex_unlock(&accounts->mu);
    return needed;
}

/* With `changing` held. */
static enum aibox_status check_setup_token(struct accounts *accounts, const char *token, struct aibox_error *err)
{
    uint8_t hash[STORE_SECRET_HASH];
    enum aibox_status status = AIBOX_OK;

    hash_secret(token, strlen(token), hash);
    pthread_mutex_lock(&accounts->mu);
    if (count_admins(accounts) > 0)
        status = error_set(err, AIBOX_FORBIDDEN, "the box is set up already");
    else if (!accounts->has_setup_token || sodium_memcmp(hash, accounts->setup_hash, sizeof hash) != 0)
        status = error_set(err, AIBOX_UNAUTHORIZED, "token: not that of the newest set-up link");
    pthread_mutex_unlock(&accounts->mu);
    return status;
}

/* With `changing` held. */
static enum aibox_status begin(struct accounts *accounts, const struct address *address, const char *token,
                               const char *name, const char *password, unsigned *retry_after_s, struct aibox_error *err)
{
    unsigned wait_s = attempts_wait_s(&accounts->attempts, "", address, clock_monotonic_ms());

    *retry_after_s = wait_s ? wait_s : 1;
    if (wait_s)
        return error_set(err, AIBOX_TOO_MANY_REQUESTS, "too many failed attempts; try again in %u s", wait_s);
    enum aibox_status status = check_setup_token(accounts, token, err);
    if (status == AIBOX_UNAUTHORIZED)
        attempts_failed(&accounts->attempts, "", address, clock_monotonic_ms());
    if (status == AIBOX_OK)
        status = check_name(name, err);
    if (status == AIBOX_OK)
        status = password_check_rules(password, err);
    return status == AIBOX_OK ? create(accounts, name, ACCOUNT_ADMIN, password, err) : status;
}

enum aibox_status accounts_begin(struct accounts *accounts, const struct address *address, const char *token,
                                 const char *name, const char *password, unsigned *retry_after_s,
                                 struct aibox_error *err)
{
    pthread_mutex_lock(&accounts->changing);
    enum aibox_status status = begin(accounts, address, token, name, password, retry_after_s, err);
    pthread_mutex_unlock(&accounts->changing);
    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&accounts->mu);
    accounts->has_setup_token = false;
    pthread_mutex_unlock(&accounts->mu);
    log_info("access", "the box is set up administrator=%s", name);
    return AIBOX_OK;
}
