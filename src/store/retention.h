/* Which events go, to keep within `events.keep`, `events.keep_days` and `events.max_disk_share`. */
#ifndef AIBOX_STORE_RETENTION_H
#define AIBOX_STORE_RETENTION_H

#include "store/batch.h"

/*
 * Deletes up to `most` of the oldest events that are too many or too old, with their pictures; *left: there are more.
 * An event that an active cursor has not confirmed goes only when there are more than 10 × keep, or for its age; for
 * the share of the disk it does not.
 * Within a batch.
 */
enum aibox_status retention_step(struct batch *batch, size_t most, bool *left, struct aibox_error *err);
/* By numbers in memory: is a step worth while? Ages are not looked at. */
bool retention_is_due(const struct batch *batch);

/* Deletes one event with its pictures and feature; *dropped (may be NULL): it was there. */
enum aibox_status event_drop(struct batch *batch, int64_t seq, bool *dropped, struct aibox_error *err);

#endif
