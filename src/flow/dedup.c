#include "flow/dedup.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"

enum entry_state { ENTRY_FREE, ENTRY_PENDING, ENTRY_DONE };

struct entry {
    enum entry_state state;
    uint64_t device; /* hash of the device id */
    int64_t person_id;
    int outcome;
    int64_t made_ms;
    char event_id[ID_ULID_SIZE];
};

/* All guarded by `mu`. Scanning a few thousand entries takes microseconds and happens once per decision. */
struct dedup {
    pthread_mutex_t mu;
    pthread_cond_t settled; /* an entry left PENDING */
    struct entry entries[DEDUP_ENTRIES];
    size_t next;
};

struct dedup *dedup_new(void)
{
    struct dedup *dedup = calloc(1, sizeof *dedup);
    if (dedup == NULL)
        return NULL;
    pthread_mutex_init(&dedup->mu, NULL);
    pthread_cond_init(&dedup->settled, NULL);
    return dedup;
}

void dedup_free(struct dedup *dedup)
{
    if (dedup == NULL)
        return;
    pthread_cond_destroy(&dedup->settled);
    pthread_mutex_destroy(&dedup->mu);
    free(dedup);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < 255 && text[i] != '\0'; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static struct entry *find(struct dedup *dedup, uint64_t device, int64_t person_id, int outcome, int64_t after_ms)
{
    for (size_t i = 0; i < DEDUP_ENTRIES; i++) {
        struct entry *e = &dedup->entries[i];
        if (e->state != ENTRY_FREE && e->device == device && e->person_id == person_id && e->outcome == outcome &&
            e->made_ms > after_ms)
            return e;
    }
    return NULL;
}

/* The next slot that no caller waits for; pending ones are short-lived and few, so there is always one. */
static struct entry *take_slot(struct dedup *dedup)
{
    for (size_t tries = 0; tries < DEDUP_ENTRIES; tries++) {
        struct entry *e = &dedup->entries[dedup->next];
        dedup->next = (dedup->next + 1) % DEDUP_ENTRIES;
        if (e->state != ENTRY_PENDING)
            return e;
    }
    return NULL;
}

bool dedup_claim(struct dedup *dedup, const char *device_id, int64_t person_id, int outcome, int64_t now_ms,
                 int64_t window_ms, char *event_id)
{
    uint64_t device = hash_text(device_id);
    bool first = true;
    pthread_mutex_lock(&dedup->mu);
    struct entry *e;
    while ((e = find(dedup, device, person_id, outcome, now_ms - window_ms)) != NULL) {
        if (e->state == ENTRY_DONE) {
            memcpy(event_id, e->event_id, sizeof e->event_id);
            first = false;
            break;
        }
        pthread_cond_wait(&dedup->settled, &dedup->mu);
    }
    if (first && (e = take_slot(dedup)) != NULL) {
        e->state = ENTRY_PENDING;
        e->device = device;
        e->person_id = person_id;
        e->outcome = outcome;
        e->made_ms = now_ms;
        memcpy(e->event_id, event_id, sizeof e->event_id);
    }
    pthread_mutex_unlock(&dedup->mu);
    return first;
}

static void settle(struct dedup *dedup, const char *event_id, enum entry_state state)
{
    pthread_mutex_lock(&dedup->mu);
    for (size_t i = 0; i < DEDUP_ENTRIES; i++) {
        struct entry *e = &dedup->entries[i];
        if (e->state == ENTRY_PENDING && memcmp(e->event_id, event_id, sizeof e->event_id) == 0)
            e->state = state;
    }
    pthread_cond_broadcast(&dedup->settled);
    pthread_mutex_unlock(&dedup->mu);
}

void dedup_done(struct dedup *dedup, const char *event_id)
{
    settle(dedup, event_id, ENTRY_DONE);
}

void dedup_fail(struct dedup *dedup, const char *event_id)
{
    settle(dedup, event_id, ENTRY_FREE);
}

void dedup_forget(struct dedup *dedup)
{
    pthread_mutex_lock(&dedup->mu);
    for (size_t i = 0; i < DEDUP_ENTRIES; i++)
        dedup->entries[i].made_ms = INT64_MIN; /* older than any window */
    pthread_cond_broadcast(&dedup->settled);
    pthread_mutex_unlock(&dedup->mu);
}
