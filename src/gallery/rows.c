#include "gallery/rows.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "gallery/memory.h"

#define SPARE_SLOTS_MIN  1024
#define WAIT_NS          50000 /* between looks whether the readers have gone */
#define STEPS_PER_CHANGE 4     /* two graces */
#define MOVES_PER_CHANGE 4     /* so that holes vanish faster than they come */

bool rows_open(struct gallery *gallery)
{
    size_t spare = gallery->capacity / 8 > SPARE_SLOTS_MIN ? gallery->capacity / 8 : SPARE_SLOTS_MIN;
    gallery->slots = (gallery->capacity + spare + KERNEL_BLOCK_ROWS - 1) / KERNEL_BLOCK_ROWS * KERNEL_BLOCK_ROWS;
    gallery->n_buckets = 1024;
    while (gallery->n_buckets < gallery->slots)
        gallery->n_buckets *= 2;
    size_t slots = gallery->slots;
    gallery->shared = memory_reserve(1, sizeof(*gallery->shared));
    gallery->bits = memory_reserve(slots, KERNEL_WORDS * sizeof(*gallery->bits));
    gallery->stable = memory_reserve(slots / KERNEL_BLOCK_ROWS, sizeof(*gallery->stable));
    gallery->set = memory_reserve(slots, sizeof(*gallery->set));
    gallery->life = memory_reserve(slots, sizeof(*gallery->life));
    gallery->half = memory_reserve(slots, GALLERY_DIMENSION * sizeof(*gallery->half));
    gallery->person = memory_reserve(slots, sizeof(*gallery->person));
    gallery->links = memory_reserve(slots, sizeof(*gallery->links));
    gallery->buckets = memory_reserve(gallery->n_buckets, sizeof(*gallery->buckets));
    gallery->holes = memory_reserve(slots / 64, sizeof(*gallery->holes));
    gallery->bag_links = memory_reserve(slots, sizeof(*gallery->bag_links));
    if (gallery->shared == NULL || gallery->bits == NULL || gallery->stable == NULL || gallery->set == NULL ||
        gallery->life == NULL || gallery->half == NULL || gallery->person == NULL || gallery->links == NULL ||
        gallery->buckets == NULL || gallery->holes == NULL || gallery->bag_links == NULL ||
        !label_sets_open(&gallery->labels, slots)) {
        rows_close(gallery);
        return false;
    }
    /* The stream that every search reads whole: fewer TLB misses. A refusal costs only speed. */
    (void)madvise(gallery->bits, slots * KERNEL_WORDS * sizeof(*gallery->bits), MADV_HUGEPAGE);
    return true;
}

void rows_close(struct gallery *gallery)
{
    size_t slots = gallery->slots;
    memory_release(gallery->shared, 1, sizeof(*gallery->shared));
    memory_release(gallery->bits, slots, KERNEL_WORDS * sizeof(*gallery->bits));
    memory_release(gallery->stable, slots / KERNEL_BLOCK_ROWS, sizeof(*gallery->stable));
    memory_release(gallery->set, slots, sizeof(*gallery->set));
    memory_release(gallery->life, slots, sizeof(*gallery->life));
    memory_release(gallery->half, slots, GALLERY_DIMENSION * sizeof(*gallery->half));
    memory_release(gallery->person, slots, sizeof(*gallery->person));
    memory_release(gallery->links, slots, sizeof(*gallery->links));
    memory_release(gallery->buckets, gallery->n_buckets, sizeof(*gallery->buckets));
    memory_release(gallery->holes, slots / 64, sizeof(*gallery->holes));
    memory_release(gallery->bag_links, slots, sizeof(*gallery->bag_links));
    label_sets_close(&gallery->labels);
}

/* The person index: chains that readers may walk while the writer links and unlinks. */

static _Atomic uint32_t *bucket_of(const struct gallery *gallery, int64_t person_id)
{
    uint64_t hash = (uint64_t)person_id * UINT64_C(0x9e3779b97f4a7c15);
    return &gallery->buckets[(hash >> 32) & (gallery->n_buckets - 1)];
}

static uint32_t follow(const _Atomic uint32_t *link)
{
    return atomic_load_explicit(link, memory_order_acquire) - 1; /* 0, the end, becomes ROW_NONE */
}

uint32_t rows_find(const struct gallery *gallery, const struct view *view, int64_t person_id)
{
    uint32_t slot = follow(bucket_of(gallery, person_id));
    while (slot != ROW_NONE && (gallery->person[slot] != person_id || !view_has(gallery, view, slot)))
        slot = follow(&gallery->links[slot]);
    return slot;
}

static bool is_live(const struct gallery *gallery, uint32_t slot)
{
    return atomic_load_explicit(&gallery->life[slot].died, memory_order_relaxed) == ROW_ALIVE;
}

uint32_t rows_find_live(const struct gallery *gallery, int64_t person_id)
{
    uint32_t slot = follow(bucket_of(gallery, person_id));
    while (slot != ROW_NONE && (gallery->person[slot] != person_id || !is_live(gallery, slot)))
        slot = follow(&gallery->links[slot]);
    return slot;
}

static void index_add(struct gallery *gallery, uint32_t slot)
{
    _Atomic uint32_t *bucket = bucket_of(gallery, gallery->person[slot]);
    atomic_store_explicit(&gallery->links[slot], atomic_load_explicit(bucket, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(bucket, slot + 1, memory_order_release);
}

/* The row's own link stays: a reader who stands on the row goes on by it. */
static void index_remove(struct gallery *gallery, uint32_t slot)
{
    _Atomic uint32_t *link = bucket_of(gallery, gallery->person[slot]);
    while (follow(link) != slot)
        link = &gallery->links[follow(link)];
    atomic_store_explicit(link, atomic_load_explicit(&gallery->links[slot], memory_order_relaxed),
                          memory_order_release);
}

/* States */

static uint32_t get_top(const struct gallery *gallery)
{
    return atomic_load_explicit(&gallery->shared->top, memory_order_relaxed);
}

static void set_top(struct gallery *gallery, uint32_t top)
{
    atomic_store_explicit(&gallery->shared->top, top, memory_order_release);
}

static void count_people(struct gallery *gallery, uint32_t set, uint32_t change)
{
    /* Only the writer changes these, so that no locked instruction is needed. */
    _Atomic uint32_t *live = &gallery->labels.live[set];
    atomic_store_explicit(live, atomic_load_explicit(live, memory_order_relaxed) + change, memory_order_relaxed);
    _Atomic uint32_t *people = &gallery->shared->people;
    atomic_store_explicit(people, atomic_load_explicit(people, memory_order_relaxed) + change, memory_order_relaxed);
}

static uint64_t next_version(const struct gallery *gallery)
{
    return atomic_load_explicit(&gallery->shared->version, memory_order_relaxed) + 1;
}

/* FREE → LIVE, seen from the next version on. The row's words and label set are in place. */
static void row_publish(struct gallery *gallery, uint32_t slot)
{
    struct row_life *life = &gallery->life[slot];
    _Atomic uint64_t *stable = &gallery->stable[slot / KERNEL_BLOCK_ROWS];
    atomic_store_explicit(&life->born, next_version(gallery), memory_order_relaxed);
    atomic_store_explicit(&life->died, ROW_ALIVE, memory_order_relaxed);
    index_add(gallery, slot);
    atomic_store_explicit(
        stable, atomic_load_explicit(stable, memory_order_relaxed) | UINT64_C(1) << (slot % KERNEL_BLOCK_ROWS),
        memory_order_release);
    count_people(gallery, gallery->set[slot], 1);
}

static void bag_add(struct gallery *gallery, uint32_t *bags, uint32_t slot)
{
    uint64_t now = atomic_load_explicit(&gallery->shared->epoch.now, memory_order_relaxed);
    uint32_t *bag = &bags[now % EPOCH_COUNTERS];
    gallery->bag_links[slot] = *bag;
    *bag = slot + 1;
}

/* LIVE → DEAD from the next version on. To be called before that version is stored, and the epoch not moved between. */
static void row_retire(struct gallery *gallery, uint32_t slot)
{
    atomic_store_explicit(&gallery->life[slot].died, next_version(gallery), memory_order_relaxed);
    count_people(gallery, gallery->set[slot], (uint32_t)-1);
    bag_add(gallery, gallery->dead, slot);
}

static void commit(struct gallery *gallery)
{
    atomic_store_explicit(&gallery->shared->version, next_version(gallery), memory_order_release);
}

/* DEAD → HIDDEN */
static void row_hide(struct gallery *gallery, uint32_t slot)
{
    _Atomic uint64_t *stable = &gallery->stable[slot / KERNEL_BLOCK_ROWS];
    atomic_store_explicit(
        stable, atomic_load_explicit(stable, memory_order_relaxed) & ~(UINT64_C(1) << (slot % KERNEL_BLOCK_ROWS)),
        memory_order_release);
    index_remove(gallery, slot);
    bag_add(gallery, gallery->hidden, slot);
}

static bool is_hole(const struct gallery *gallery, uint32_t slot)
{
    return (gallery->holes[slot / 64] >> (slot % 64) & 1) != 0;
}

static void remove_hole(struct gallery *gallery, uint32_t slot)
{
    gallery->holes[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    gallery->n_holes--;
}

/* HIDDEN → FREE */
static void row_free(struct gallery *gallery, uint32_t slot)
{
    label_sets_release(&gallery->labels, gallery->set[slot]);
    gallery->holes[slot / 64] |= UINT64_C(1) << (slot % 64);
    gallery->n_holes++;
    if (slot / 64 < gallery->first_hole)
        gallery->first_hole = slot / 64;
}

static void sink_top(struct gallery *gallery)
{
    uint32_t top = get_top(gallery);
    while (top > 0 && is_hole(gallery, top - 1))
        remove_hole(gallery, --top);
    set_top(gallery, top);
}

/* Moves the epoch on, if readers let it, and with it the rows whose grace is over. */
static bool step(struct gallery *gallery)
{
    struct epoch *epoch = &gallery->shared->epoch;
    if (!epoch_advance(epoch))
        return false;
    size_t ripe = (atomic_load_explicit(&epoch->now, memory_order_relaxed) + 1) % EPOCH_COUNTERS; /* now - 2 */
    for (uint32_t link = gallery->hidden[ripe]; link != 0; link = gallery->bag_links[link - 1])
        row_free(gallery, link - 1);
    gallery->hidden[ripe] = 0;
    for (uint32_t link = gallery->dead[ripe], next; link != 0; link = next) {
        next = gallery->bag_links[link - 1];
        row_hide(gallery, link - 1);
    }
    gallery->dead[ripe] = 0;
    sink_top(gallery);
    return true;
}

static bool bags_empty(const struct gallery *gallery)
{
    for (size_t i = 0; i < EPOCH_COUNTERS; i++) {
        if (gallery->dead[i] != 0 || gallery->hidden[i] != 0)
            return false;
    }
    return true;
}

/* Takes a FREE slot: the lowest hole, else a new one at the top. */
static uint32_t take_slot(struct gallery *gallery)
{
    if (gallery->n_holes > 0) {
        while (gallery->holes[gallery->first_hole] == 0)
            gallery->first_hole++;
        uint32_t slot = gallery->first_hole * 64 + (uint32_t)__builtin_ctzll(gallery->holes[gallery->first_hole]);
        remove_hole(gallery, slot);
        return slot;
    }
    uint32_t top = get_top(gallery);
    if (top == gallery->slots)
        return ROW_NONE;
    set_top(gallery, top + 1);
    return top;
}

static uint32_t wait_for_slot(struct gallery *gallery)
{
    const struct timespec pause = {.tv_nsec = WAIT_NS};
    for (;;) {
        uint32_t slot = take_slot(gallery);
        if (slot != ROW_NONE)
            return slot;
        if (!step(gallery))
            nanosleep(&pause, NULL);
    }
}

static void fill_lowest_hole(struct gallery *gallery, uint32_t from)
{
    uint32_t to = take_slot(gallery);
    uint64_t *bits = row_bits(gallery, to);
    const uint64_t *from_bits = row_bits(gallery, from);
    for (size_t w = 0; w < KERNEL_WORDS; w++)
        bits[w * KERNEL_GROUP_ROWS] = from_bits[w * KERNEL_GROUP_ROWS];
    memcpy(gallery->half + (size_t)to * GALLERY_DIMENSION, row_half(gallery, from),
           GALLERY_DIMENSION * sizeof(*gallery->half));
    gallery->person[to] = gallery->person[from];
    gallery->set[to] = gallery->set[from];
    label_sets_share(&gallery->labels, gallery->set[to]);
    row_publish(gallery, to);
    row_retire(gallery, from);
    commit(gallery);
}

/* After a change: frees what may be freed, and fills holes from the top. */
static void settle(struct gallery *gallery)
{
    for (int i = 0; i < STEPS_PER_CHANGE && !bags_empty(gallery) && step(gallery); i++)
        continue;
    for (int i = 0; i < MOVES_PER_CHANGE && gallery->n_holes > 0; i++) {
        uint32_t last = get_top(gallery) - 1; /* not a hole, see sink_top() */
        if (!is_live(gallery, last))
            break;
        fill_lowest_hole(gallery, last);
        for (int j = 0; j < STEPS_PER_CHANGE && step(gallery); j++)
            continue;
    }
}

void rows_put(struct gallery *gallery, const struct row *row, const struct gallery_person *person, uint32_t old)
{
    uint32_t slot = wait_for_slot(gallery);
    uint64_t *bits = row_bits(gallery, slot);
    for (size_t w = 0; w < KERNEL_WORDS; w++)
        bits[w * KERNEL_GROUP_ROWS] = row->bits[w];
    memcpy(gallery->half + (size_t)slot * GALLERY_DIMENSION, row->half, sizeof(row->half));
    gallery->person[slot] = row->person_id;
    gallery->set[slot] = label_sets_acquire(&gallery->labels, &person->groups, &person->permissions, person->masked);
    row_publish(gallery, slot);
    if (old != ROW_NONE)
        row_retire(gallery, old);
    commit(gallery);
    settle(gallery);
}

void rows_remove(struct gallery *gallery, uint32_t slot)
{
    row_retire(gallery, slot);
    commit(gallery);
    settle(gallery);
}

void rows_clear(struct gallery *gallery)
{
    uint32_t top = get_top(gallery);
    for (uint32_t block = 0; block * KERNEL_BLOCK_ROWS < top; block++) {
        uint64_t left = atomic_load_explicit(&gallery->stable[block], memory_order_relaxed);
        for (; left != 0; left &= left - 1) {
            uint32_t slot = block * KERNEL_BLOCK_ROWS + (uint32_t)__builtin_ctzll(left);
            if (is_live(gallery, slot))
                row_retire(gallery, slot);
        }
    }
    commit(gallery);
    settle(gallery);
}
