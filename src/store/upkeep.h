/*
 * What the writer thread does between batches, in bounded steps: retention, the sweep for pictures that nothing names,
 * the end of checkpoints (store/checkpointer.h does the rest), moving deleted bytes out of the WAL, giving freed pages
 * back, probing a disk that failed.
 */
#ifndef AIBOX_STORE_UPKEEP_H
#define AIBOX_STORE_UPKEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "store/batch.h"

struct upkeep {
    int64_t scrub_due_ms;     /* monotonic; 0: nothing to scrub */
    int64_t retention_due_ms; /* next look at the events' ages */
    int64_t probe_due_ms;     /* while the disk can't be written; 0: it can */
    int64_t sweep_next;       /* picture_id the sweep goes on with; < 0: done */
    int64_t shrink_due_ms;    /* 0: no pages to give back */
};

void upkeep_start(struct upkeep *upkeep);
/* After each batch, with the callers gone. */
void upkeep_after_batch(struct upkeep *upkeep, struct batch *batch);
/* Milliseconds until upkeep_step has something to do, 0: now. */
int64_t upkeep_wait_ms(const struct upkeep *upkeep, const struct batch *batch);
/* One bounded step. True: it found that a disk that had failed takes changes again. */
bool upkeep_step(struct upkeep *upkeep, struct batch *batch);
/* A probe of the disk is to be made soon. */
void upkeep_disk_failed(struct upkeep *upkeep);
/* Truncates both WALs: after it the files hold no deleted bytes. False: a reader was in the way. */
bool upkeep_truncate_wal(struct batch *batch);

#endif
