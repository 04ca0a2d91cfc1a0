/* The thread that ends what is over, and stores when sessions and keys were used: once a minute, not with each call. */
#include <stdlib.h>
#include <string.h>

#include "access/internal.h"
#include "core/clock.h"
#include "core/log.h"
#include "store/callers.h"

#define LOOK_MS 60000

struct work {
    uint8_t over[ACCOUNTS_MAX_SESSIONS][STORE_SECRET_HASH];
    size_t n_over;
    struct token used[ACCOUNTS_MAX_SESSIONS + ACCOUNTS_MAX_KEYS];
    struct store_credential stored[ACCOUNTS_MAX_SESSIONS + ACCOUNTS_MAX_KEYS];
    size_t n_used;
};

/* Keys stay when they are over, so that the list shows why they are refused. With `mu` held. */
static void collect(struct accounts *accounts, struct work *work)
{
    int64_t now_ms = clock_realtime_ms();

    work->n_over = work->n_used = 0;
    for (size_t i = 0; i < accounts->tokens.count; i++) {
        struct token *token = &accounts->tokens.items[i];

        if (token->kind == STORE_SESSION && token_is_over(accounts, token, now_ms)) {
            memcpy(work->over[work->n_over++], token->hash, sizeof work->over[0]);
        } else if (token->changed) {
            token->changed = false;
            work->used[work->n_used++] = *token;
        }
    }
}

/* With `changing` held, so that nothing comes back that somebody has just removed. */
static void look(struct accounts *accounts, struct work *work)
{
    struct aibox_error err = {0};
    enum aibox_status status;

    pthread_mutex_lock(&accounts->mu);
    collect(accounts, work);
    pthread_mutex_unlock(&accounts->mu);
    for (size_t i = 0; i < work->n_used; i++) {
        const struct token *token = &work->used[i];

        work->stored[i] = (struct store_credential){.kind = token->kind,
                                                    .name = token->name,
                                                    .role = (int)token->role,
                                                    .created_ms = token->created_ms,
                                                    .expires_ms = token->expires_ms,
                                                    .used_ms = token->used_ms};
        memcpy(work->stored[i].hash, token->hash, sizeof token->hash);
    }
    status = store_credentials_put(accounts->store, work->stored, work->n_used, &err);
    if (status == AIBOX_OK)
        status = store_credentials_delete(accounts->store, work->over[0], work->n_over, &err);
    if (status != AIBOX_OK)
        log_warn("access", "the use of sessions could not be stored reason=\"%s\"", err.message);
    pthread_mutex_lock(&accounts->mu);
    for (size_t i = 0; i < work->n_over && status == AIBOX_OK; i++) {
        struct token *token = find_token(accounts, work->over[i], STORE_SESSION);

        if (token)
            forget_token(accounts, token);
    }
    pthread_mutex_unlock(&accounts->mu);
}

static void *run(void *arg)
{
    struct accounts *accounts = arg;
    struct work *work = calloc(1, sizeof *work);
    bool going_on = work != NULL;

    while (going_on) {
        struct timespec until = clock_deadline(LOOK_MS);

        pthread_mutex_lock(&accounts->mu);
        while (!accounts->closing && pthread_cond_timedwait(&accounts->wake, &accounts->mu, &until) == 0)
            ;
        going_on = !accounts->closing;
        pthread_mutex_unlock(&accounts->mu);
        pthread_mutex_lock(&accounts->changing);
        look(accounts, work);
        pthread_mutex_unlock(&accounts->changing);
    }
    free(work);
    return NULL;
}

enum aibox_status keeper_start(struct accounts *accounts, struct aibox_error *err)
{
    accounts->running = pthread_create(&accounts->keeper, NULL, run, accounts) == 0;
    return accounts->running ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "a thread can't be started");
}

void keeper_stop(struct accounts *accounts)
{
    if (!accounts->running)
        return;
    pthread_mutex_lock(&accounts->mu);
    accounts->closing = true;
    (void)pthread_cond_signal(&accounts->wake);
    pthread_mutex_unlock(&accounts->mu);
    (void)pthread_join(accounts->keeper, NULL);
    accounts->running = false;
}
