/*
 * The pool of read-only connections. A reader sees the last committed state; several statements between
 * reader_snapshot_begin and _end see one state.
 */
#ifndef AIBOX_STORE_READERS_H
#define AIBOX_STORE_READERS_H

#include "core/status.h"
#include "store/sql.h"

#define READERS_MAX 16

struct reader {
    struct sql main;
    struct sql pictures; /* opened when first needed: use reader_pictures() */
    const char *pictures_path;
    struct reader *next; /* in the free list */
};

struct readers;

/* `ring`: for sealed rows; must outlive the readers. */
enum aibox_status readers_open(const char *main_path, const char *pictures_path, const struct seal_ring *ring,
                               struct readers **out, struct aibox_error *err);
/* All readers must have been returned. */
void readers_close(struct readers *readers);

/* Waits while READERS_MAX are out or readers are paused. NULL with `err` filled: could not be opened. */
struct reader *reader_take(struct readers *readers, struct aibox_error *err);
void reader_return(struct readers *readers, struct reader *reader); /* NULL allowed */

struct sql *reader_pictures(struct reader *reader, struct aibox_error *err);

enum aibox_status reader_snapshot_begin(struct reader *reader, struct aibox_error *err);
void reader_snapshot_end(struct reader *reader);

/* Waits until no reader is out and keeps new ones waiting until resumed. Writer thread. */
void readers_pause(struct readers *readers);
void readers_resume(struct readers *readers);

#endif
