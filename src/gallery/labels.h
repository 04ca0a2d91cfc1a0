/*
 * Distinct sets of labels, each kept once. A row names its set by a 32-bit number, so that a search
 * judges each set once and then looks rows up in a table of bytes. Private to the gallery.
 *
 * Most people hold a handful of labels: a set of up to eight is 16 bytes of label codes; a larger
 * one refers to a bitset ("wide").
 *
 * Writers are serialised by the caller. Readers may look at any set at any time: all that they read
 * is atomic. What they make of a set that is being rewritten is not used, since a number is given to
 * another set only when no reader can see a row with it.
 */
#ifndef AIBOX_GALLERY_LABELS_H
#define AIBOX_GALLERY_LABELS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gallery/gallery.h"

/* Codes: a group's number, or GALLERY_MAX_LABELS plus a permission group's; that of people known by masked faces only;
 * LABEL_NONE, a multiple of 64, fills up. */
#define LABEL_MASKED     (2 * GALLERY_MAX_LABELS)
#define LABEL_NONE       (LABEL_MASKED + 64)
#define LABEL_WIDE_WORDS (LABEL_NONE / 64)

struct label_set {
    _Atomic uint64_t codes[2]; /* 4 × 16 bits each; or codes[0] = LABEL_WIDE_TAG | number of the bitset */
};

struct label_bits {
    _Atomic uint64_t words[LABEL_WIDE_WORDS]; /* bit = code */
};

struct label_sets {
    size_t max;
    struct label_set *sets;
    struct label_bits *wide;
    _Atomic uint32_t *live; /* people of that set */
    _Atomic uint32_t top;   /* sets[0..top) have been used */
    /* writer only */
    uint32_t *refs; /* rows that name the set, also those that only late readers see */
    uint32_t *hashes;
    uint32_t *links;     /* set + 1: next of the same bucket, or next free set */
    uint32_t *buckets;   /* set + 1 */
    size_t n_buckets;    /* a power of two */
    uint32_t free_set;   /* set + 1 */
    uint32_t *wide_link; /* bitset + 1: next free bitset */
    uint32_t free_wide;  /* bitset + 1 */
    uint32_t wide_top;
};

/* Reserves room for `max` sets. Returns false when the address space can't be had. */
bool label_sets_open(struct label_sets *sets, size_t max);
void label_sets_close(struct label_sets *sets);

/* The number of the set, with one more reference. There are never more sets than references, nor more than `max`. */
uint32_t label_sets_acquire(struct label_sets *sets, const struct gallery_labels *groups,
                            const struct gallery_labels *permissions, bool masked);
/* One more / one less reference to a set that has one. */
void label_sets_share(struct label_sets *sets, uint32_t set);
void label_sets_release(struct label_sets *sets, uint32_t set);

/* Whether people of the set are known by masked faces only. */
bool label_sets_masked(const struct label_sets *sets, uint32_t set);

/* Takes the code out of every set. */
void label_sets_drop(struct label_sets *sets, unsigned code);

/* A filter made ready: what each code contributes. */
struct label_filter {
    uint8_t start;                   /* bit 0: any group will do; bit 1: any permission */
    uint8_t gives[LABEL_NONE + 1];   /* per code: bit 0, a group asked for; bit 1, a permission; bit 2, unwanted */
    uint64_t bits[LABEL_WIDE_WORDS]; /* the codes asked for, and the unwanted one */
};

/* Whether the filter keeps anybody out at all; NULL: no. */
bool label_filter_needed(const struct gallery_filter *asked);
void label_filter_init(struct label_filter *filter, const struct gallery_filter *asked);
/* Whether people of the set pass. */
bool label_filter_passes(const struct label_filter *filter, const struct label_sets *sets, uint32_t set);

#endif
