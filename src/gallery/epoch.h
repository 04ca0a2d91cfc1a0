/*
 * When may memory that readers could still be looking at be written again? Epoch-based reclamation
 * (Fraser, Practical lock-freedom, 2004, 5.2.3) with counters instead of per-thread records, so that
 * any number of threads may read without registering. Private to the gallery.
 *
 * Readers are inside one of three counters, that of the epoch in which they entered. One writer at a
 * time moves the epoch on, and only when nobody is left in the epoch before the current one. Hence:
 *
 *   What no reader can find any more when the epoch is E, no reader is using when it is E + 2.
 *
 * For a reader who found it entered in E or earlier; E + 1 → E + 2 needed the counter of E to be
 * empty, and E → E + 1 that of E - 1.
 */
#ifndef AIBOX_GALLERY_EPOCH_H
#define AIBOX_GALLERY_EPOCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define EPOCH_COUNTERS 3

struct epoch {
    _Alignas(64) _Atomic uint64_t now;
    _Alignas(64) _Atomic uint64_t readers[EPOCH_COUNTERS];
};

/* Starts reading; returns what epoch_leave() wants. Goes round only when the epoch moved on in between. */
static inline unsigned epoch_enter(struct epoch *epoch)
{
    for (;;) {
        uint64_t now = atomic_load(&epoch->now);
        unsigned counter = (unsigned)(now % EPOCH_COUNTERS);
        atomic_fetch_add(&epoch->readers[counter], 1);
        if (atomic_load(&epoch->now) == now)
            return counter;
        atomic_fetch_sub(&epoch->readers[counter], 1);
    }
}

static inline void epoch_leave(struct epoch *epoch, unsigned counter)
{
    atomic_fetch_sub(&epoch->readers[counter], 1);
}

/* Moves the epoch on if it may; the caller is the only writer. */
static inline bool epoch_advance(struct epoch *epoch)
{
    uint64_t now = atomic_load(&epoch->now);
    if (atomic_load(&epoch->readers[(now + EPOCH_COUNTERS - 1) % EPOCH_COUNTERS]) != 0)
        return false;
    atomic_store(&epoch->now, now + 1);
    return true;
}

#endif
