#include "seen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST 32 /* hex digits of a digest that are compared: 128 bits */
#define NONE   UINT32_MAX

struct entry {
    char key[DIGEST];
    char content[DIGEST]; /* that it had the first time */
    uint32_t next;        /* in its chain */
    uint32_t kept;        /* times that it was kept */
};

/* A hash table with chains, in an array that is used round and round: once it is full, the
 * oldest entry is where the next one goes. */
struct seen {
    size_t most;
    size_t buckets;
    /* guarded by `mu` */
    pthread_mutex_t mu;
    struct entry *entries;
    uint32_t *chains; /* first entry of each bucket, or NONE */
    size_t used;
    size_t at; /* where the next new entry goes */
    struct seen_counts counts;
};

const char *seen_verdict_name(enum seen_verdict verdict)
{
    static const char *const names[] = {
        [SEEN_NEW] = "no", [SEEN_RETRY] = "retry", [SEEN_DUPLICATE] = "same", [SEEN_DIFFERENT] = "different"};

    return names[verdict];
}

enum aibox_status seen_open(size_t most, struct seen **out, struct aibox_error *err)
{
    struct seen *seen = calloc(1, sizeof *seen);

    *out = NULL;
    if (!seen || pthread_mutex_init(&seen->mu, NULL) != 0) {
        free(seen);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    seen->most = most;
    seen->buckets = most;
    seen->entries = calloc(most, sizeof *seen->entries);
    seen->chains = malloc(most * sizeof *seen->chains);
    if (!seen->entries || !seen->chains) {
        seen_close(seen);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    for (size_t i = 0; i < seen->buckets; i++)
        seen->chains[i] = NONE;
    *out = seen;
    return AIBOX_OK;
}

void seen_close(struct seen *seen)
{
    if (!seen)
        return;
    free(seen->entries);
    free(seen->chains);
    (void)pthread_mutex_destroy(&seen->mu);
    free(seen);
}

/* The chain that a key is in: digests are evenly spread, a few of their digits do. */
static uint32_t *chain_of(struct seen *seen, const char *key)
{
    uint64_t number = 0;

    memcpy(&number, key, sizeof number);
    number *= UINT64_C(0x9e3779b97f4a7c15); /* the digits are all of 16 letters */
    return &seen->chains[(number >> 20) % seen->buckets];
}

static struct entry *find(struct seen *seen, const char *key)
{
    for (uint32_t at = *chain_of(seen, key); at != NONE; at = seen->entries[at].next)
        if (memcmp(seen->entries[at].key, key, DIGEST) == 0)
            return &seen->entries[at];
    return NULL;
}

static void forget(struct seen *seen, uint32_t which)
{
    uint32_t *link = chain_of(seen, seen->entries[which].key);

    while (*link != which)
        link = &seen->entries[*link].next;
    *link = seen->entries[which].next;
    seen->counts.forgotten++;
}

static struct entry *add(struct seen *seen, const struct seen_delivery *delivery)
{
    uint32_t at = (uint32_t)seen->at;
    struct entry *entry = &seen->entries[at];
    uint32_t *chain;

    if (seen->used == seen->most)
        forget(seen, at);
    else
        seen->used++;
    seen->at = (seen->at + 1) % seen->most;
    memcpy(entry->key, delivery->key, DIGEST);
    memcpy(entry->content, delivery->content, DIGEST);
    entry->kept = 0;
    chain = chain_of(seen, entry->key);
    entry->next = *chain;
    *chain = at;
    return entry;
}

static enum seen_verdict judge(const struct entry *entry, const struct seen_delivery *delivery)
{
    if (memcmp(entry->content, delivery->content, DIGEST) != 0)
        return SEEN_DIFFERENT;
    return entry->kept ? SEEN_DUPLICATE : SEEN_RETRY;
}

enum seen_verdict seen_note(struct seen *seen, const struct seen_delivery *delivery, bool kept)
{
    enum seen_verdict verdict = SEEN_NEW;
    struct entry *entry;

    pthread_mutex_lock(&seen->mu);
    entry = find(seen, delivery->key);
    if (entry)
        verdict = judge(entry, delivery);
    else
        entry = add(seen, delivery);
    if (verdict == SEEN_DIFFERENT)
        seen->counts.different++;
    if (kept && entry->kept++)
        seen->counts.duplicates++;
    else if (kept)
        seen->counts.distinct++;
    pthread_mutex_unlock(&seen->mu);
    return verdict;
}

void seen_take_back(struct seen *seen, const struct seen_delivery *delivery)
{
    struct entry *entry;

    pthread_mutex_lock(&seen->mu);
    entry = find(seen, delivery->key);
    if (entry && entry->kept) {
        if (--entry->kept)
            seen->counts.duplicates--;
        else
            seen->counts.distinct--;
    }
    pthread_mutex_unlock(&seen->mu);
}

void seen_count(struct seen *seen, struct seen_counts *out)
{
    pthread_mutex_lock(&seen->mu);
    *out = seen->counts;
    pthread_mutex_unlock(&seen->mu);
}
