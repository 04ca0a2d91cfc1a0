/*
 * The thread that carries what was committed from the WALs into the database files, so that the writer thread doesn't
 * wait for that. It has connections of its own, on which nothing but checkpoints happens.
 *
 * A WAL is used again from its beginning only when all of it was carried over, which never comes about by itself while
 * commits follow one another. So the writer does the last bit itself: when the WAL is long (checkpointer_tell says so)
 * and what is left is short.
 */
#ifndef AIBOX_STORE_CHECKPOINTER_H
#define AIBOX_STORE_CHECKPOINTER_H

#include <stdbool.h>

#include "core/status.h"

struct checkpointer;

enum checkpointer_file { CHECKPOINT_MAIN, CHECKPOINT_PICTURES, CHECKPOINT_FILES };

/* The paths must outlive it. */
enum aibox_status checkpointer_open(const char *main_path, const char *pictures_path, struct checkpointer **out,
                                    struct aibox_error *err);
void checkpointer_close(struct checkpointer *checkpointer); /* NULL is allowed */

/* After a commit: so many pages are in the WAL. Returns at once. True: now is the time for the writer to carry over
 * what is left. Writer thread only. */
bool checkpointer_tell(struct checkpointer *checkpointer, enum checkpointer_file file, int wal_pages);

/* Between the two it leaves the files alone; waits for a checkpoint that is under way. */
void checkpointer_hold(struct checkpointer *checkpointer);
void checkpointer_release(struct checkpointer *checkpointer);

/* Primary result code of its last failure since the last call, SQLITE_OK: none. Any thread. */
int checkpointer_take_failure(struct checkpointer *checkpointer);

#endif
