#include "core/id.h"

#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"

/* The 80 random bits of a ULID are kept as 16 + 64. */
struct ulid {
    uint64_t ms; /* 48 bits */
    uint64_t high;
    uint64_t low;
};

#define ULID_MS_MAX   ((UINT64_C(1) << 48) - 1)
#define ULID_HIGH_MAX UINT64_C(0xffff)

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static pthread_once_t sodium_once = PTHREAD_ONCE_INIT;

static pthread_mutex_t newest_mu = PTHREAD_MUTEX_INITIALIZER;
static struct ulid newest; /* the last one made or seen; guarded by newest_mu */

static void start_sodium(void)
{
    /* No secure randomness, no safe way to go on: tokens and ids would be guessable. */
    if (sodium_init() < 0) {
        log_error("core", "libsodium can't start");
        abort();
    }
}

void id_random(void *out, size_t size)
{
    pthread_once(&sodium_once, start_sodium);
    randombytes_buf(out, size);
}

/* The smallest ULID above `id`; the random part carries into the milliseconds. */
static struct ulid successor(struct ulid id)
{
    id.low++;
    if (id.low == 0)
        id.high++;
    if (id.high > ULID_HIGH_MAX) {
        id.high = 0;
        id.ms++;
    }
    return id;
}

static bool is_after(const struct ulid *a, const struct ulid *b)
{
    if (a->ms != b->ms)
        return a->ms > b->ms;
    if (a->high != b->high)
        return a->high > b->high;
    return a->low > b->low;
}

/* Writes the 128 bits as 26 digits of five bits, the first of which has only three. */
static void print_ulid(const struct ulid *id, char out[ID_ULID_SIZE])
{
    uint64_t top = id->ms << 16 | id->high;
    uint64_t low = id->low;

    for (size_t i = ID_ULID_SIZE - 1; i-- > 0;) {
        out[i] = crockford[low & 0x1f];
        low = low >> 5 | top << 59;
        top >>= 5;
    }
    out[ID_ULID_SIZE - 1] = '\0';
}

static bool parse_ulid(const char *text, struct ulid *id)
{
    uint64_t top = 0;
    uint64_t low = 0;

    /* Three bits only: a first digit past 7 would be more than 128 bits. */
    if (strlen(text) != ID_ULID_SIZE - 1 || text[0] < '0' || text[0] > '7')
        return false;
    for (size_t i = 0; i < ID_ULID_SIZE - 1; i++) {
        const char *digit = strchr(crockford, text[i]);

        if (!digit)
            return false;
        top = top << 5 | low >> 59;
        low = low << 5 | (uint64_t)(digit - crockford);
    }
    *id = (struct ulid){.ms = top >> 16, .high = top & ULID_HIGH_MAX, .low = low};
    return true;
}

void id_ulid(char out[ID_ULID_SIZE])
{
    struct ulid id;
    uint16_t high;

    id_random(&id.low, sizeof id.low);
    id_random(&high, sizeof high);
    id.high = high;
    pthread_mutex_lock(&newest_mu);
    id.ms = (uint64_t)clock_realtime_ms() & ULID_MS_MAX;
    /* In the same millisecond, or when the clock stepped back, count on from the newest. */
    if (id.ms <= newest.ms)
        id = successor(newest);
    newest = id;
    pthread_mutex_unlock(&newest_mu);
    print_ulid(&id, out);
}

void id_ulid_seen(const char *ulid)
{
    struct ulid seen;

    /* A time in the last millisecond there is (year 10889) would leave nothing to count on to. */
    if (!parse_ulid(ulid, &seen) || seen.ms == ULID_MS_MAX)
        return;
    pthread_mutex_lock(&newest_mu);
    if (is_after(&seen, &newest))
        newest = seen;
    pthread_mutex_unlock(&newest_mu);
}

int64_t id_ulid_ms(const char *ulid)
{
    struct ulid id;

    return parse_ulid(ulid, &id) ? (int64_t)id.ms : 0;
}

void id_uuid(char out[ID_UUID_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[16];
    size_t at = 0;

    id_random(bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* RFC 4122 variant */
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = hex[bytes[i] >> 4];
        out[at++] = hex[bytes[i] & 0x0f];
    }
    out[at] = '\0';
}

void id_sha256_hex(const void *bytes, size_t size, char out[65])
{
    unsigned char digest[crypto_hash_sha256_BYTES];

    pthread_once(&sodium_once, start_sodium);
    crypto_hash_sha256(digest, bytes, size);
    sodium_bin2hex(out, 65, digest, sizeof digest);
}
