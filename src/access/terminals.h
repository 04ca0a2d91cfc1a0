/*
 * Browser terminals: tablets that act as a gate or door terminal of the box. A terminal is brought to its device by a
 * code that is good for a few minutes and once, and then has a token of its own, with which it can do one thing: have
 * pictures recognised at that device. In memory as the store's document has it; loaded when opened.
 *
 * Of a token only a hash is kept. Codes are kept in memory only; after TERMINALS_WRONG_CODES wrong ones all are
 * forgotten, so that they can't be guessed. All functions: any thread.
 */
#ifndef AIBOX_ACCESS_TERMINALS_H
#define AIBOX_ACCESS_TERMINALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "store/store.h"

#define TERMINALS_MAX          256 /* the oldest goes */
#define TERMINALS_MAX_CODES    16  /* that wait; the oldest goes */
#define TERMINALS_CODE_SIZE    9   /* eight digits and NUL */
#define TERMINALS_CODE_MS      (INT64_C(10) * 60 * 1000)
#define TERMINALS_WRONG_CODES  10
#define TERMINALS_TOKEN_SIZE   64 /* room for a token with NUL */
#define TERMINALS_TOKEN_PREFIX "pad_"
#define TERMINALS_DEVICE_SIZE  (STORE_MAX_NAME + 1)

struct terminals;

/* `store` must outlive it. */
enum aibox_status terminals_open(struct store *store, struct terminals **out, struct aibox_error *err);
void terminals_close(struct terminals *terminals); /* NULL is allowed */

/* A code for a terminal of this device. */
enum aibox_status terminals_make_code(struct terminals *terminals, const char *device_id,
                                      char code[TERMINALS_CODE_SIZE], struct aibox_error *err);
/* Takes a code in exchange for a token, durable at return; `token` is its only copy. UNAUTHORIZED: there is no such
 * code, or its time is over. */
enum aibox_status terminals_pair(struct terminals *terminals, const char *code, char token[TERMINALS_TOKEN_SIZE],
                                 char device_id[TERMINALS_DEVICE_SIZE], struct aibox_error *err);
/* Which device token[0..size) stands for. False: none. */
bool terminals_find(struct terminals *terminals, const char *token, size_t size, char device_id[TERMINALS_DEVICE_SIZE]);
size_t terminals_count(struct terminals *terminals, const char *device_id);
/* All tokens and codes of this device. */
enum aibox_status terminals_forget(struct terminals *terminals, const char *device_id, struct aibox_error *err);

#endif
