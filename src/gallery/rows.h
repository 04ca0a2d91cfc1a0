/*
 * The rows of a gallery: where they lie, how they come and go while searches run. Private to the room.
 *
 * States of a slot, and who moves it on (the writer, holding `writer`):
 *
 *   FREE ──row_publish──► LIVE ──row_retire──► DEAD ──(grace)──► HIDDEN ──(grace)──► FREE
 *
 *   LIVE    its `stable` bit is set, died = ROW_ALIVE, it is in the person index
 *   DEAD    the same, but died is the version that ended it: readers of older versions still see it
 *   HIDDEN  no reader needs it: bit cleared, out of the index; readers that fetched the bit or a link earlier may still
 *           be reading the row
 *   FREE    nobody reads it: may be written. Below `top` it is a bit in `holes`
 *
 * A grace is two steps of the epoch (epoch.h).
 *
 * Invariants
 * 1. A row's words are written only while it is FREE, and read only by those who saw its bit in `stable` (acquire) or
 *    came by the person index. So no reader ever sees a half-written row, and no plain access races.
 * 2. A change gets the next version V: new rows are published with born = V, ended rows get died = V, and then
 * `version` becomes V (release). A reader takes the version once (acquire), inside the epoch, and sees exactly the rows
 * with born <= version < died. So every change, also of several rows, is seen as a whole or not at all: of a replaced
 *    person exactly one row is seen, and a search that starts after a put returned sees the new one.
 * 3. At most one row of a person is LIVE; rows of a person never have overlapping [born, died).
 * 4. Whatever is visible to some reader lies below `top`, which sinks only over FREE slots.
 * 5. A row's label set is released when the row becomes FREE: no reader sees a row whose set number means another set.
 *
 * Readers never wait and never retry but for entering the epoch. A writer waits only when all spare slots are DEAD or
 * HIDDEN, that is while some reader holds up thousands of replacements.
 *
 * Holes are filled by moving the topmost row down (a change like any other), so that scans read what lives and no more.
 */
#ifndef AIBOX_GALLERY_ROWS_H
#define AIBOX_GALLERY_ROWS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gallery/epoch.h"
#include "gallery/gallery.h"
#include "gallery/kernel.h"
#include "gallery/labels.h"

#define ROW_NONE  UINT32_MAX
#define ROW_ALIVE UINT64_MAX

struct row_life {
    _Atomic uint64_t born; /* first version that has the row */
    _Atomic uint64_t died; /* first version that has not */
};

/* What readers and writers share. Reached through a pointer, since readers count themselves in a const gallery. */
struct gallery_shared {
    struct epoch epoch;
    _Alignas(64) _Atomic uint64_t version;
    _Atomic uint32_t top;    /* slots 0..top) are or were in use */
    _Atomic uint32_t people; /* LIVE rows */
};

struct gallery {
    size_t capacity;
    size_t slots; /* capacity and spare ones for rows on their way out; a multiple of 64 */
    const struct gallery_kernel *kernel;
    struct gallery_shared *shared;

    uint64_t *bits;           /* the scanned stream, laid out as kernel.h says */
    _Atomic uint64_t *stable; /* a bit per slot, a word per block: may be read */
    uint32_t *set;            /* label set of each slot */
    struct row_life *life;
    uint16_t *half; /* slots × 512 */
    int64_t *person;
    _Atomic uint32_t *links;   /* slot + 1 of the next row in the bucket */
    _Atomic uint32_t *buckets; /* slot + 1, by hash of the person id */
    size_t n_buckets;          /* a power of two */
    struct label_sets labels;

    /* Guarded by `writer`. */
    pthread_mutex_t writer;
    uint64_t *holes; /* a bit per slot */
    uint32_t n_holes;
    uint32_t first_hole;             /* no hole in a word of `holes` before this one */
    uint32_t *bag_links;             /* slot + 1 of the next in the bag */
    uint32_t dead[EPOCH_COUNTERS];   /* bags: slot + 1, by the epoch in which the rows died */
    uint32_t hidden[EPOCH_COUNTERS]; /* ... were hidden */
};

/* One person's row before it has a slot. */
struct row {
    int64_t person_id;
    uint64_t bits[KERNEL_WORDS];
    uint16_t half[GALLERY_DIMENSION];
};

/* What a reader sees: the version, and the slots to look at. */
struct view {
    uint64_t version;
    uint32_t n_blocks;
    unsigned counter;
};

static inline struct view view_open(const struct gallery *gallery)
{
    struct view view;
    view.counter = epoch_enter(&gallery->shared->epoch);
    view.version = atomic_load_explicit(&gallery->shared->version, memory_order_acquire);
    uint32_t top = atomic_load_explicit(&gallery->shared->top, memory_order_acquire);
    view.n_blocks = (top + KERNEL_BLOCK_ROWS - 1) / KERNEL_BLOCK_ROWS;
    return view;
}

static inline void view_close(const struct gallery *gallery, const struct view *view)
{
    epoch_leave(&gallery->shared->epoch, view->counter);
}

/* Of a slot whose `stable` bit was seen, or that came by the index. */
static inline bool view_has(const struct gallery *gallery, const struct view *view, uint32_t slot)
{
    const struct row_life *life = &gallery->life[slot];
    return atomic_load_explicit(&life->born, memory_order_relaxed) <= view->version &&
           view->version < atomic_load_explicit(&life->died, memory_order_relaxed);
}

static inline uint64_t rows_stable(const struct gallery *gallery, size_t block)
{
    return atomic_load_explicit(&gallery->stable[block], memory_order_acquire);
}

static inline const uint16_t *row_half(const struct gallery *gallery, uint32_t slot)
{
    return gallery->half + (size_t)slot * GALLERY_DIMENSION;
}

/* The first word of a slot's bits; the next ones follow every KERNEL_GROUP_ROWS words. */
static inline uint64_t *row_bits(const struct gallery *gallery, uint32_t slot)
{
    return gallery->bits + (size_t)slot / KERNEL_GROUP_ROWS * KERNEL_GROUP_WORDS + slot % KERNEL_GROUP_ROWS;
}

/* The slot of the person's row in this view; ROW_NONE. */
uint32_t rows_find(const struct gallery *gallery, const struct view *view, int64_t person_id);

/* The writer's side; all but open and close with `writer` held. */

bool rows_open(struct gallery *gallery);
void rows_close(struct gallery *gallery);

/* The person's LIVE slot; ROW_NONE. */
uint32_t rows_find_live(const struct gallery *gallery, int64_t person_id);

/* Puts the row, with the person's labels, in place of `old` (or ROW_NONE). Waits for readers when there is no FREE
 * slot. */
void rows_put(struct gallery *gallery, const struct row *row, const struct gallery_person *person, uint32_t old);
void rows_remove(struct gallery *gallery, uint32_t slot);
void rows_clear(struct gallery *gallery);

#endif
