/*
 * De-duplication of events: the same person, place and outcome within a while make one event.
 *
 * An entry is *pending* from dedup_claim() until its event is durable (dedup_done) or has failed (dedup_fail); callers
 * that meet a pending entry wait for that, so that an answer never names an event that isn't stored.
 */
#ifndef AIBOX_FLOW_DEDUP_H
#define AIBOX_FLOW_DEDUP_H

#include <stdbool.h>
#include <stdint.h>

#define DEDUP_ENTRIES 4096 /* the oldest are forgotten beyond */

struct dedup;

struct dedup *dedup_new(void); /* NULL: no memory */
void dedup_free(struct dedup *dedup);

/*
 * True: the caller is the first and stores the event `event_id`; it must call dedup_done or dedup_fail with the
 * same key. False: an event exists, its id is written to `event_id` (27 bytes). `now_ms`: monotonic clock. `device_id`
 * at most 255 bytes count.
 */
bool dedup_claim(struct dedup *dedup, const char *device_id, int64_t person_id, int outcome, int64_t now_ms,
                 int64_t window_ms, char *event_id);
void dedup_done(struct dedup *dedup, const char *event_id);
void dedup_fail(struct dedup *dedup, const char *event_id);
/* The events known so far, pending ones included, are merged into no more: they may be deleted. */
void dedup_forget(struct dedup *dedup);

#endif
