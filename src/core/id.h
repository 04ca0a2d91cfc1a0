/* Identifiers and randomness. */
#ifndef AIBOX_CORE_ID_H
#define AIBOX_CORE_ID_H

#include <stddef.h>
#include <stdint.h>

#define ID_ULID_SIZE 27 /* 26 characters and NUL */
#define ID_UUID_SIZE 37

/* ULID (Crockford base32: 48 bits of Unix ms, 80 random bits). Within this process ids are strictly
 * increasing, also within a millisecond and when the clock steps back. Any thread.
 * `id_ulid_seen` raises the floor: ids made afterwards sort after `ulid` (used at start-up with the
 * newest stored event); text that is no ULID is ignored. */
void id_ulid(char out[ID_ULID_SIZE]);
void id_ulid_seen(const char *ulid);
/* When the ULID was made, Unix ms; 0 for text that is none. */
int64_t id_ulid_ms(const char *ulid);

/* UUID version 4, lower-case. */
void id_uuid(char out[ID_UUID_SIZE]);

/* Cryptographically secure random bytes (libsodium). */
void id_random(void *out, size_t size);

/* SHA-256 of `size` bytes as 64 lower-case hex digits and NUL. */
void id_sha256_hex(const void *bytes, size_t size, char out[65]);

#endif
