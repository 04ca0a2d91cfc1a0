/*
 * States of a slot: free → new (a call was refused) → written (its entry is in the store) → free, a minute after its
 * first call. `calls` above `written` goes into the entry every REWRITE_MS, and at the end.
 */
#include "api/refusals.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "store/callers.h"

#define PERIOD_MS  60000
#define REWRITE_MS 5000
#define SLOTS      (REFUSALS_MOST + 1) /* the last: all others */
#define WHO_SIZE   (ACCOUNTS_NAME_SIZE + 8)

struct slot {
    bool used;
    const struct api_endpoint *endpoint; /* NULL: several */
    struct address address;
    char who[WHO_SIZE];
    const char *role;
    int http_status;
    int64_t first_ms;   /* Unix time */
    int64_t begun_ms;   /* monotonic, as below */
    int64_t rewrite_ms; /* not before */
    uint64_t calls, written;
    int64_t audit_id; /* 0: no entry yet */
};

struct refusals {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t mu;
    pthread_cond_t changed;
    struct slot slots[SLOTS]; /* guarded by mu, as below */
    bool stop;
    bool failing; /* and that was said; the thread's own */
};

/* ---- noting ------------------------------------------------------------------------------------------------- */

static bool is_same(const struct slot *slot, const struct slot *call)
{
    return slot->used && slot->endpoint == call->endpoint && slot->http_status == call->http_status &&
           strcmp(slot->who, call->who) == 0 && address_equal(&slot->address, &call->address);
}

/* The slot of the call, a free one for a new one, or that of all others. */
static struct slot *find_slot(struct refusals *refusals, struct slot *call)
{
    struct slot *found = NULL;

    for (size_t i = 0; i < REFUSALS_MOST; i++) {
        struct slot *slot = &refusals->slots[i];
        if (is_same(slot, call))
            return slot;
        if (!slot->used && !found)
            found = slot;
    }
    if (!found) {
        *call = (struct slot){.used = true, .role = "", .http_status = call->http_status};
        found = &refusals->slots[REFUSALS_MOST];
    }
    return found;
}

void refusals_note(struct refusals *refusals, const struct api_endpoint *endpoint, const struct access_grant *grant,
                   int http_status)
{
    struct slot call = {.used = true,
                        .endpoint = endpoint,
                        .address = grant->address,
                        .role = grant->way == ACCESS_NOBODY ? "" : account_role_name(grant->identity.role),
                        .http_status = http_status};

    if (!refusals)
        return;
    access_print_who(grant, call.who, sizeof call.who);
    pthread_mutex_lock(&refusals->mu);
    struct slot *slot = find_slot(refusals, &call);
    if (!slot->used) {
        *slot = call;
        slot->first_ms = clock_realtime_ms();
        slot->begun_ms = clock_monotonic_ms();
    }
    if (slot->calls++ == slot->written) /* the entry doesn't tell of this one yet */
        pthread_cond_signal(&refusals->changed);
    pthread_mutex_unlock(&refusals->mu);
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

/* Writes the slot's entry as it was copied. */
static enum aibox_status write_entry(const struct refusals *refusals, struct slot *slot, struct aibox_error *err)
{
    char address[ADDRESS_TEXT];

    if (slot->audit_id != 0)
        return store_audit_recount(refusals->store, slot->audit_id, slot->calls, err);
    address_print(&slot->address, address);
    struct store_audit entry = {.time_ms = slot->first_ms,
                                .who = slot->who,
                                .role = slot->role,
                                .address = slot->endpoint ? address : "",
                                .method = slot->endpoint ? slot->endpoint->method : "*",
                                .path = slot->endpoint ? slot->endpoint->path : "*",
                                .what = "",
                                .status = slot->http_status,
                                .refused = slot->calls};
    return store_audit_add_refused(refusals->store, &entry, &slot->audit_id, err);
}

/* Without the lock while the store works; nobody else frees or begins the slot meanwhile. */
static void write_slot(struct refusals *refusals, struct slot *slot)
{
    struct aibox_error err = {0};
    struct slot copy = *slot;

    pthread_mutex_unlock(&refusals->mu);
    bool well = write_entry(refusals, &copy, &err) == AIBOX_OK;
    if (!well && !refusals->failing)
        log_warn("api", "refused calls are missing in the audit log reason=\"%s\"", err.message);
    refusals->failing = !well;
    pthread_mutex_lock(&refusals->mu);
    slot->audit_id = copy.audit_id;
    slot->written = copy.calls;
    slot->rewrite_ms = clock_monotonic_ms() + REWRITE_MS;
}

/* When the slot wants to be looked at again. */
static int64_t due_ms(const struct slot *slot)
{
    int64_t end_ms = slot->begun_ms + PERIOD_MS;

    if (slot->written == 0)
        return slot->begun_ms;
    return slot->calls > slot->written && slot->rewrite_ms < end_ms ? slot->rewrite_ms : end_ms;
}

/* Writes what is due, frees what is over; `all`: everything. Returns when the next is due, a minute away at most. */
static int64_t look(struct refusals *refusals, bool all)
{
    int64_t next_ms = clock_monotonic_ms() + PERIOD_MS;

    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &refusals->slots[i];
        if (slot->used && (all || due_ms(slot) <= clock_monotonic_ms()) && slot->calls > slot->written)
            write_slot(refusals, slot);
        if (slot->used && slot->calls == slot->written && slot->begun_ms + PERIOD_MS <= clock_monotonic_ms())
            *slot = (struct slot){0};
        if (slot->used && due_ms(slot) < next_ms)
            next_ms = due_ms(slot);
    }
    return next_ms;
}

static void *work(void *arg)
{
    struct refusals *refusals = arg;

    pthread_setname_np(pthread_self(), "refusals");
    pthread_mutex_lock(&refusals->mu);
    while (!refusals->stop) {
        int64_t wait_ms = look(refusals, false) - clock_monotonic_ms();
        struct timespec until = clock_deadline(wait_ms > 0 ? wait_ms : 0);
        if (!refusals->stop && wait_ms > 0)
            (void)pthread_cond_timedwait(&refusals->changed, &refusals->mu, &until);
    }
    (void)look(refusals, true);
    pthread_mutex_unlock(&refusals->mu);
    return NULL;
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

enum aibox_status refusals_open(struct store *store, struct refusals **out, struct aibox_error *err)
{
    struct refusals *refusals = calloc(1, sizeof *refusals);

    *out = NULL;
    if (!refusals)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    refusals->store = store;
    if (!clock_cond_init(&refusals->changed)) {
        free(refusals);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    (void)pthread_mutex_init(&refusals->mu, NULL);
    if (pthread_create(&refusals->thread, NULL, work, refusals) != 0) {
        (void)pthread_mutex_destroy(&refusals->mu);
        (void)pthread_cond_destroy(&refusals->changed);
        free(refusals);
        return error_set(err, AIBOX_PROCESS_FAILED, "no thread for refused calls");
    }
    *out = refusals;
    return AIBOX_OK;
}

void refusals_close(struct refusals *refusals)
{
    if (!refusals)
        return;
    pthread_mutex_lock(&refusals->mu);
    refusals->stop = true;
    pthread_cond_signal(&refusals->changed);
    pthread_mutex_unlock(&refusals->mu);
    (void)pthread_join(refusals->thread, NULL);
    (void)pthread_cond_destroy(&refusals->changed);
    (void)pthread_mutex_destroy(&refusals->mu);
    free(refusals);
}
