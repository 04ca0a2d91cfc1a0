/* Strangers inside transactions, for the files of the room. Writer thread only. */
#ifndef AIBOX_STORE_STRANGER_H
#define AIBOX_STORE_STRANGER_H

#include "store/batch.h"

/* The stranger of an event that was just inserted as `seq`, with its feature: remembered, or seen again. Fills
 * event->stranger, all 0 when nobody is remembered. */
enum aibox_status stranger_seen(struct batch *batch, struct store_event *event, int64_t seq, struct aibox_error *err);
/* Event `event_id` is superseded: it was no stranger, or another. */
enum aibox_status stranger_mistaken(struct batch *batch, const char *event_id, struct aibox_error *err);
/* Event `seq` is deleted on purpose: so is the stranger whose face is of it. */
enum aibox_status stranger_drop_face(struct batch *batch, int64_t seq, struct aibox_error *err);
/* Upkeep: at most `most` of those who are not to be kept any longer; *left: there are more. */
enum aibox_status stranger_expire(struct batch *batch, size_t most, bool *left, struct aibox_error *err);
/* The face of one, of that model set; *there false: there is none. */
enum aibox_status stranger_feature(struct batch *batch, int64_t stranger_id, const char *model_set,
                                   float feature[STORE_DIMENSION], bool *there, struct aibox_error *err);

#endif
