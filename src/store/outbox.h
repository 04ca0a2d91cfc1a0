/* Messages that leave with the change that makes them. */
#ifndef AIBOX_STORE_OUTBOX_H
#define AIBOX_STORE_OUTBOX_H

#include "store/batch.h"

/* PARAM: too long. */
enum aibox_status outbox_check(const struct store_message *messages, size_t n, struct aibox_error *err);
/* Within a batch. Errors as store_outbox_add(). */
enum aibox_status outbox_put(struct batch *batch, const struct store_message *messages, size_t n,
                             struct aibox_error *err);

/* The same for messages that accompany a change, which a full lane doesn't hinder: they are left out, and that is
 * said. NULL: none. */
enum aibox_status outbox_put_along(struct batch *batch, const struct store_messages *messages, struct aibox_error *err);

#endif
