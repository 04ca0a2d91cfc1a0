/*
 * The writer thread: the one place that changes the databases.
 *
 * Invariants
 *  1. Changes take effect in the order they were queued. Each runs in a savepoint: it is applied as a whole or not at
 * all.
 *  2. Several changes share a transaction (a batch); a caller returns after the batch's COMMIT has reached the disk.
 * When that COMMIT fails, every change of the batch has failed and none has left a trace.
 *  3. pictures.db is committed before aibox.db, so that a committed row never names a missing picture. Pictures that
 *     nothing names any more are deleted after the commit that took their last name away; a crash in between leaves
 *     orphans, which the sweep after the next opening finds.
 *  4. Between COMMIT and the return of the callers, in this order: counters and label map are renewed, the listener is
 *     told. It is told the state as committed, in the order of the changes; it hears nothing of what was undone.
 *  5. The writer thread alone touches struct batch and struct upkeep. Beside it only the checkpointer writes to the
 *     files, and nothing but what was committed.
 *
 * States of the thread: idle (waits for a change or for the next upkeep) → batch open (batch_begin) → running changes →
 * committing (batch_commit) → telling (listener, callers) → upkeep (a bounded step) → idle.
 */
#ifndef AIBOX_STORE_WRITER_H
#define AIBOX_STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct store;
struct batch;
struct writer;

#define WRITER_QUEUE_MAX 256 /* further callers wait */

/* Runs on the writer thread in a savepoint. A failure undoes what it did. */
typedef enum aibox_status (*change_run)(struct batch *batch, void *arg, struct aibox_error *err);

enum change_kind {
    CHANGE_SHARED, /* may share its transaction with others */
    CHANGE_ALONE,  /* outside of any transaction, between batches */
};

enum aibox_status writer_open(struct store *store, struct writer **out, struct aibox_error *err);
void writer_close(struct writer *writer); /* runs what is queued, then ends */

/* Queues the change and waits until it is durable or undone. Never from the writer thread itself. */
enum aibox_status writer_do(struct writer *writer, enum change_kind kind, change_run run, void *arg,
                            struct aibox_error *err);
/* Wakes the thread for upkeep, e.g. after a change of retention. */
void writer_nudge(struct writer *writer);

struct writer_counters {
    uint64_t commits, changes, failed_changes;
    size_t queue;
};
void writer_count(struct writer *writer, struct writer_counters *out);
bool writer_is_writable(struct writer *writer, char *reason, size_t size);

#endif
