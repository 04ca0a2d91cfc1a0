/* Commands of the platform within a batch. */
#ifndef AIBOX_STORE_INBOX_H
#define AIBOX_STORE_INBOX_H

#include "store/batch.h"
#include "store/commands.h"

/* The command was executed: its row goes, the key and the result (NULL: none) are remembered, the result goes into the
 * outbox. NOT_FOUND: there is no such command; TOO_MANY_REQUESTS: no room in the outbox. */
enum aibox_status inbox_finish(struct batch *batch, int64_t inbox_id, const struct store_message *result,
                               struct aibox_error *err);
/* The same with the result that `answer` composes now. NULL: nothing is answered. */
enum aibox_status inbox_answer(struct batch *batch, const struct store_answer *answer, struct aibox_error *err);
/* Checked before a change is queued. NULL is allowed. */
enum aibox_status inbox_check_progress(const struct store_progress *progress, struct aibox_error *err);
/* NULL is allowed. */
enum aibox_status inbox_put_progress(struct batch *batch, const struct store_progress *progress,
                                     struct aibox_error *err);

#endif
