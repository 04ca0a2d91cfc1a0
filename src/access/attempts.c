#include "access/attempts.h"

#include <sodium.h>
#include <string.h>

#include "core/id.h"

bool attempts_init(struct attempts *attempts)
{
    memset(attempts, 0, sizeof *attempts);
    attempts->failures_left_ms = (int64_t)ATTEMPTS_BURST * ATTEMPTS_EVERY_MS;
    id_random(attempts->key, sizeof attempts->key);
    return pthread_mutex_init(&attempts->mu, NULL) == 0;
}

void attempts_destroy(struct attempts *attempts)
{
    (void)pthread_mutex_destroy(&attempts->mu);
}

static void hash_pair(const struct attempts *attempts, const char *name, const struct address *address,
                      uint8_t out[ATTEMPTS_HASH])
{
    struct address from = *address;
    crypto_generichash_state state;

    if (!address_is_v4(&from))
        memset(from.bytes + 8, 0, 8);
    (void)crypto_generichash_init(&state, attempts->key, sizeof attempts->key, ATTEMPTS_HASH);
    (void)crypto_generichash_update(&state, from.bytes, sizeof from.bytes);
    (void)crypto_generichash_update(&state, (const uint8_t *)name, strlen(name));
    (void)crypto_generichash_final(&state, out, ATTEMPTS_HASH);
}

static struct attempts_pair *find(struct attempts *attempts, const uint8_t hash[ATTEMPTS_HASH])
{
    for (size_t i = 0; i < ATTEMPTS_PAIRS; i++)
        if (attempts->pairs[i].seen_ms && memcmp(attempts->pairs[i].hash, hash, ATTEMPTS_HASH) == 0)
            return &attempts->pairs[i];
    return NULL;
}

/* The place of a pair; a new one takes that of the one seen longest ago, of a trusted one only if all are. */
static struct attempts_pair *take(struct attempts *attempts, const uint8_t hash[ATTEMPTS_HASH])
{
    struct attempts_pair *pair = find(attempts, hash);
    struct attempts_pair *oldest = &attempts->pairs[0];

    if (pair)
        return pair;
    for (size_t i = 1; i < ATTEMPTS_PAIRS; i++) {
        struct attempts_pair *each = &attempts->pairs[i];

        if (each->trusted != oldest->trusted ? oldest->trusted : each->seen_ms < oldest->seen_ms)
            oldest = each;
    }
    *oldest = (struct attempts_pair){0};
    memcpy(oldest->hash, hash, ATTEMPTS_HASH);
    return oldest;
}

/* Lock held. */
static void fill_up(struct attempts *attempts, int64_t now_ms)
{
    const int64_t most = (int64_t)ATTEMPTS_BURST * ATTEMPTS_EVERY_MS;
    int64_t passed = attempts->filled_ms ? now_ms - attempts->filled_ms : 0;

    attempts->filled_ms = now_ms;
    attempts->failures_left_ms =
        passed >= most - attempts->failures_left_ms ? most : attempts->failures_left_ms + passed;
}

static unsigned seconds(int64_t ms)
{
    return ms > 0 ? (unsigned)((ms + 999) / 1000) : 0;
}

unsigned attempts_wait_s(struct attempts *attempts, const char *name, const struct address *address, int64_t now_ms)
{
    uint8_t hash[ATTEMPTS_HASH];
    const struct attempts_pair *pair;
    unsigned wait_s = 0;

    hash_pair(attempts, name, address, hash);
    pthread_mutex_lock(&attempts->mu);
    fill_up(attempts, now_ms);
    pair = find(attempts, hash);
    if (pair && pair->until_ms > now_ms)
        wait_s = seconds(pair->until_ms - now_ms);
    else if (!(pair && pair->trusted) && attempts->failures_left_ms < ATTEMPTS_EVERY_MS)
        wait_s = seconds(ATTEMPTS_EVERY_MS - attempts->failures_left_ms);
    pthread_mutex_unlock(&attempts->mu);
    return wait_s;
}

void attempts_failed(struct attempts *attempts, const char *name, const struct address *address, int64_t now_ms)
{
    uint8_t hash[ATTEMPTS_HASH];
    struct attempts_pair *pair;

    hash_pair(attempts, name, address, hash);
    pthread_mutex_lock(&attempts->mu);
    fill_up(attempts, now_ms);
    attempts->failures_left_ms -=
        attempts->failures_left_ms < ATTEMPTS_EVERY_MS ? attempts->failures_left_ms : ATTEMPTS_EVERY_MS;
    pair = take(attempts, hash);
    pair->seen_ms = now_ms;
    if (pair->failures < ATTEMPTS_FREE + 16)
        pair->failures++;
    if (pair->failures > ATTEMPTS_FREE) {
        int64_t wait_s = (int64_t)ATTEMPTS_FIRST_S << (pair->failures - ATTEMPTS_FREE - 1);

        pair->until_ms = now_ms + (wait_s < ATTEMPTS_MOST_S ? wait_s : ATTEMPTS_MOST_S) * 1000;
    }
    pthread_mutex_unlock(&attempts->mu);
}

void attempts_succeeded(struct attempts *attempts, const char *name, const struct address *address, int64_t now_ms)
{
    uint8_t hash[ATTEMPTS_HASH];
    struct attempts_pair *pair;

    hash_pair(attempts, name, address, hash);
    pthread_mutex_lock(&attempts->mu);
    pair = take(attempts, hash);
    pair->seen_ms = now_ms;
    pair->until_ms = 0;
    pair->failures = 0;
    pair->trusted = true;
    pthread_mutex_unlock(&attempts->mu);
}
