#include "access/terminals.h"

#include <jansson.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"

#define DOCUMENT     "terminals"
#define HASH_SIZE    32
#define HASH_TEXT    (2 * HASH_SIZE + 1)
#define RANDOM_BYTES 24

struct terminal {
    uint8_t hash[HASH_SIZE]; /* of the token */
    char device_id[TERMINALS_DEVICE_SIZE];
};

struct code {
    char digits[TERMINALS_CODE_SIZE]; /* "": free */
    char device_id[TERMINALS_DEVICE_SIZE];
    int64_t made_ms; /* monotonic */
};

struct terminals {
    struct store *store;
    pthread_mutex_t mu;                   /* guards everything below */
    struct terminal items[TERMINALS_MAX]; /* oldest first */
    size_t count;
    struct code codes[TERMINALS_MAX_CODES];
    unsigned wrong; /* codes since the last right one */
};

static void hash_token(const char *token, size_t size, uint8_t out[HASH_SIZE])
{
    (void)crypto_generichash(out, HASH_SIZE, (const uint8_t *)token, size, NULL, 0);
}

/* ---- the document ------------------------------------------------------------------------------------------- */

static void take_entry(struct terminals *terminals, const json_t *entry)
{
    const char *device_id = json_string_value(json_object_get(entry, "device_id"));
    const char *hash = json_string_value(json_object_get(entry, "hash"));
    struct terminal *terminal = &terminals->items[terminals->count];
    size_t size;

    if (terminals->count == TERMINALS_MAX || !device_id || strlen(device_id) >= sizeof terminal->device_id || !hash ||
        sodium_hex2bin(terminal->hash, HASH_SIZE, hash, strlen(hash), NULL, &size, NULL) != 0 || size != HASH_SIZE)
        return;
    (void)snprintf(terminal->device_id, sizeof terminal->device_id, "%s", device_id);
    terminals->count++;
}

static enum aibox_status load(struct terminals *terminals, struct aibox_error *err)
{
    char *text;
    enum aibox_status status = store_document_get(terminals->store, DOCUMENT, &text, err);

    if (status != AIBOX_OK || !text)
        return status;
    json_t *list = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    for (size_t i = 0; i < json_array_size(list); i++)
        take_entry(terminals, json_array_get(list, i));
    if (terminals->count < json_array_size(list) || !list)
        log_warn("access", "some terminals can't be read and have to be paired again");
    json_decref(list);
    free(text);
    return AIBOX_OK;
}

/* `mu` is held: changes are stored in the order in which they are made. */
static enum aibox_status save(const struct terminals *terminals, struct aibox_error *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < terminals->count; i++) {
        char hash[HASH_TEXT];
        (void)sodium_bin2hex(hash, sizeof hash, terminals->items[i].hash, HASH_SIZE);
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:s}", "device_id", terminals->items[i].device_id, "hash", hash));
    }
    char *text = json_array_size(list) == terminals->count ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    if (!text)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = store_document_put(terminals->store, DOCUMENT, text, err);
    free(text);
    return status;
}

enum aibox_status terminals_open(struct store *store, struct terminals **out, struct aibox_error *err)
{
    struct terminals *terminals = calloc(1, sizeof *terminals);

    *out = NULL;
    if (!terminals)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    terminals->store = store;
    pthread_mutex_init(&terminals->mu, NULL);
    enum aibox_status status = load(terminals, err);
    if (status != AIBOX_OK) {
        terminals_close(terminals);
        return status;
    }
    *out = terminals;
    return AIBOX_OK;
}

void terminals_close(struct terminals *terminals)
{
    if (!terminals)
        return;
    pthread_mutex_destroy(&terminals->mu);
    sodium_memzero(terminals, sizeof *terminals);
    free(terminals);
}

/* ---- codes ---------------------------------------------------------------------------------------------------- */

static bool is_over(const struct code *code)
{
    return code->digits[0] == '\0' || clock_monotonic_ms() - code->made_ms > TERMINALS_CODE_MS;
}

static struct code *place_for_code(struct terminals *terminals)
{
    struct code *oldest = &terminals->codes[0];

    for (size_t i = 0; i < TERMINALS_MAX_CODES; i++) {
        if (is_over(&terminals->codes[i]))
            return &terminals->codes[i];
        if (terminals->codes[i].made_ms < oldest->made_ms)
            oldest = &terminals->codes[i];
    }
    return oldest;
}

enum aibox_status terminals_make_code(struct terminals *terminals, const char *device_id,
                                      char code[TERMINALS_CODE_SIZE], struct aibox_error *err)
{
    if (strlen(device_id) >= TERMINALS_DEVICE_SIZE)
        return error_set(err, AIBOX_PARAM, "device_id: too long");
    (void)snprintf(code, TERMINALS_CODE_SIZE, "%08u", randombytes_uniform(100000000));
    pthread_mutex_lock(&terminals->mu);
    struct code *place = place_for_code(terminals);
    memcpy(place->digits, code, TERMINALS_CODE_SIZE);
    (void)snprintf(place->device_id, sizeof place->device_id, "%s", device_id);
    place->made_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&terminals->mu);
    return AIBOX_OK;
}

/* `mu` is held. NULL: no such code. */
static struct code *find_code(struct terminals *terminals, const char *digits)
{
    struct code *found = NULL;

    if (strlen(digits) != TERMINALS_CODE_SIZE - 1)
        return NULL;
    for (size_t i = 0; i < TERMINALS_MAX_CODES; i++)
        if (!is_over(&terminals->codes[i]) &&
            sodium_memcmp(terminals->codes[i].digits, digits, TERMINALS_CODE_SIZE) == 0)
            found = &terminals->codes[i];
    return found;
}

static enum aibox_status refuse_code(struct terminals *terminals, struct aibox_error *err)
{
    if (++terminals->wrong >= TERMINALS_WRONG_CODES) {
        memset(terminals->codes, 0, sizeof terminals->codes);
        terminals->wrong = 0;
        log_warn("access", "all codes for terminals are forgotten after wrong ones count=%d", TERMINALS_WRONG_CODES);
    }
    return error_set(err, AIBOX_UNAUTHORIZED, "code: there is no such code, or its time is over; ask for a new one");
}

static void add(struct terminals *terminals, const char *device_id, const uint8_t hash[HASH_SIZE])
{
    if (terminals->count == TERMINALS_MAX) {
        memmove(terminals->items, terminals->items + 1, (TERMINALS_MAX - 1) * sizeof terminals->items[0]);
        terminals->count--;
    }
    struct terminal *terminal = &terminals->items[terminals->count++];
    memcpy(terminal->hash, hash, HASH_SIZE);
    (void)snprintf(terminal->device_id, sizeof terminal->device_id, "%s", device_id);
}

enum aibox_status terminals_pair(struct terminals *terminals, const char *code, char token[TERMINALS_TOKEN_SIZE],
                                 char device_id[TERMINALS_DEVICE_SIZE], struct aibox_error *err)
{
    uint8_t random[RANDOM_BYTES], hash[HASH_SIZE];
    enum aibox_status status;

    randombytes_buf(random, sizeof random);
    memcpy(token, TERMINALS_TOKEN_PREFIX, sizeof TERMINALS_TOKEN_PREFIX);
    (void)sodium_bin2hex(token + strlen(TERMINALS_TOKEN_PREFIX), TERMINALS_TOKEN_SIZE - strlen(TERMINALS_TOKEN_PREFIX),
                         random, sizeof random);
    sodium_memzero(random, sizeof random);
    hash_token(token, strlen(token), hash);
    pthread_mutex_lock(&terminals->mu);
    struct code *found = find_code(terminals, code);
    if (found) {
        memcpy(device_id, found->device_id, TERMINALS_DEVICE_SIZE);
        memset(found, 0, sizeof *found);
        terminals->wrong = 0;
        add(terminals, device_id, hash);
        status = save(terminals, err);
        if (status != AIBOX_OK)
            terminals->count--;
    } else {
        status = refuse_code(terminals, err);
    }
    pthread_mutex_unlock(&terminals->mu);
    if (status == AIBOX_OK)
        log_info("access", "a terminal was paired device=%s", device_id);
    return status;
}

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

bool terminals_find(struct terminals *terminals, const char *token, size_t size, char device_id[TERMINALS_DEVICE_SIZE])
{
    uint8_t hash[HASH_SIZE];
    bool found = false;

    if (size < strlen(TERMINALS_TOKEN_PREFIX) ||
        memcmp(token, TERMINALS_TOKEN_PREFIX, strlen(TERMINALS_TOKEN_PREFIX)) != 0)
        return false;
    hash_token(token, size, hash);
    pthread_mutex_lock(&terminals->mu);
    for (size_t i = 0; i < terminals->count && !found; i++) {
        found = sodium_memcmp(terminals->items[i].hash, hash, HASH_SIZE) == 0;
        if (found)
            memcpy(device_id, terminals->items[i].device_id, TERMINALS_DEVICE_SIZE);
    }
    pthread_mutex_unlock(&terminals->mu);
    return found;
}

size_t terminals_count(struct terminals *terminals, const char *device_id)
{
    size_t count = 0;

    pthread_mutex_lock(&terminals->mu);
    for (size_t i = 0; i < terminals->count; i++)
        count += strcmp(terminals->items[i].device_id, device_id) == 0;
    pthread_mutex_unlock(&terminals->mu);
    return count;
}

enum aibox_status terminals_forget(struct terminals *terminals, const char *device_id, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    size_t left = 0;

    pthread_mutex_lock(&terminals->mu);
    for (size_t i = 0; i < TERMINALS_MAX_CODES; i++)
        if (strcmp(terminals->codes[i].device_id, device_id) == 0)
            memset(&terminals->codes[i], 0, sizeof terminals->codes[i]);
    for (size_t i = 0; i < terminals->count; i++)
        if (strcmp(terminals->items[i].device_id, device_id) != 0)
            terminals->items[left++] = terminals->items[i];
    if (left != terminals->count) {
        terminals->count = left;
        status = save(terminals, err); /* not stored, they are gone until the next start at least */
    }
    pthread_mutex_unlock(&terminals->mu);
    return status;
}
