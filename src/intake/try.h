/* Tries a video camera that need not be a device yet. Private to the room. */
#ifndef AIBOX_INTAKE_TRY_H
#define AIBOX_INTAKE_TRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define TRY_MS   8000
#define TRY_MOST 2 /* at a time */

struct trier;

/* `ended` set ends every trial under way; outlives the trier. */
enum aibox_status trier_open(const _Atomic bool *ended, struct trier **out, struct aibox_error *err);
void trier_close(struct trier *trier); /* NULL is allowed; nobody may be at it */

/*
 * Connects to the URL `key` and returns one frame as JPEG (malloc), at most TRY_MS later. PARAM: what was wrong,
 * without credentials; TOO_MANY_REQUESTS. Any thread.
 */
enum aibox_status trier_try(struct trier *trier, const char *key, uint8_t **jpeg, size_t *size,
                            struct aibox_error *err);

#endif
