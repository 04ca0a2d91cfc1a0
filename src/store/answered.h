/*
 * What is remembered of executed commands, so that the same command has no second effect and gets the same result:
 * for STORE_ANSWERED_DAYS, STORE_ANSWERED_MAX at most.
 *
 * A result names people. So that a record of it doesn't outlive them in a form that can be read, nothing is kept in the
 * clear:
 *   fingerprints  of command and message id: BLAKE2b keyed with a random key of the box
 *   results       XChaCha20-Poly1305 under a key that is BLAKE2b of the command, keyed with another random key of the
 *                 box: only who has the command itself can open its result. A wipe of people destroys that second key
 *                 and the sealed results; the fingerprints stay, because what was wiped must not come back with a
 *                 command that the broker delivers twice.
 */
#ifndef AIBOX_STORE_ANSWERED_H
#define AIBOX_STORE_ANSWERED_H

#include "store/batch.h"
#include "store/commands.h"

/* A command's key: SHA-256 of its message id (and its length) and body. */
void answered_command_key(const char *message_id, const void *body, size_t size, uint8_t key[SHA256_SIZE]);

/* Within a batch. Remembers the command with its result (NULL: none), and drops what is too old or too much. */
enum aibox_status answered_add(struct batch *batch, const uint8_t key[SHA256_SIZE], const char *message_id,
                               const struct store_message *result, struct aibox_error *err);

/* Within a batch. Was it executed, among the `newest` last ones (0: any)? Then its result goes into the outbox again.
 * TOO_MANY_REQUESTS: there is no room for it. */
enum aibox_status answered_again(struct batch *batch, const uint8_t key[SHA256_SIZE], int64_t newest, bool *answered,
                                 struct aibox_error *err);

/* Within a batch. Was another command with this message id executed? */
enum aibox_status answered_message(struct batch *batch, const char *message_id, bool *found, struct aibox_error *err);

/* Upkeep: drops what is too old, in bounded steps. */
enum aibox_status answered_expire(struct batch *batch, struct aibox_error *err);

/* Within a wipe of people. */
enum aibox_status answered_forget_results(struct sql *sql, struct aibox_error *err);

#endif
