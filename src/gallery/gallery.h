/*
 * The faces in memory: 1:N search over one row per person.
 *
 * A person's row is their template: the mean of their faces' L2-normalised embeddings, normalised
 * again. Each row carries its 512 sign bits (64 bytes, scanned first by Hamming distance), and its
 * half-precision values, by which the best candidates are re-ranked. The score is the cosine of
 * probe and template.
 *
 * Readers never wait for writers and see each put or remove as a whole, at once. Writers are
 * serialised by the gallery, and wait for readers only when one search outlasts capacity / 8
 * (at least 1,024) changes. All functions: any thread.
 *
 * Up to 1,536 rows that pass the filter are all scored; of more, the 512 to 4,096 nearest by sign
 * bits are, among which the best by score is found in more than 999 of 1,000 searches for enrolled people
 * (tools/bench/gallery measures it).
 */
#ifndef AIBOX_GALLERY_GALLERY_H
#define AIBOX_GALLERY_GALLERY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define GALLERY_DIMENSION   512
#define GALLERY_MAX_LABELS  1024 /* groups at most, and permission groups at most */
#define GALLERY_MAX_FACES   5    /* per person */
#define GALLERY_MAX_RESULTS 64

struct gallery;

/*
 * A set of label numbers 0..GALLERY_MAX_LABELS-1. What a number stands for is the caller's business:
 * one numbering for groups, another for permission groups.
 */
struct gallery_labels {
    uint64_t bits[GALLERY_MAX_LABELS / 64];
};

static inline void gallery_labels_add(struct gallery_labels *labels, unsigned label)
{
    labels->bits[label / 64] |= UINT64_C(1) << (label % 64);
}

struct gallery_person {
    int64_t person_id;  /* > 0 */
    const float *faces; /* n_faces × 512 embeddings, row after row; need not be normalised */
    size_t n_faces;     /* 1..GALLERY_MAX_FACES */
    struct gallery_labels groups;
    struct gallery_labels permissions;
    bool masked; /* the faces all wear masks */
};

struct gallery_filter {
    const struct gallery_labels *groups;      /* person must be in one of these; NULL: any */
    const struct gallery_labels *permissions; /* and hold one of these; NULL: any */
    bool unmasked;                            /* and be known by a face without mask */
};

struct gallery_match {
    int64_t person_id;
    float score; /* cosine, -1..1, from the half-precision template */
};

struct gallery_result {
    struct gallery_match best[GALLERY_MAX_RESULTS]; /* best first; equal scores: smaller person_id first */
    size_t count;                                   /* <= k asked for */
    size_t candidates;                              /* people who pass the filter, counted as the search starts */
};

/* `capacity`: people at most (address space is reserved, memory grows as it fills). */
enum aibox_status gallery_open(size_t capacity, struct gallery **out, struct aibox_error *err);
void gallery_close(struct gallery *gallery);

/*
 * Adds the person or replaces their row and labels. GALLERY_FULL at capacity; BAD_FEATURE for values
 * that are not finite or a (mean) vector of norm <= 1e-6; nothing changed then. A search that starts after
 * the return sees the new row.
 */
enum aibox_status gallery_put(struct gallery *gallery, const struct gallery_person *person, struct aibox_error *err);

/* Removes the row. False: there was none. */
bool gallery_remove(struct gallery *gallery, int64_t person_id);

/*
 * Takes one group / permission number away from everybody (the group is gone, its number may be reused). A search
 * running meanwhile may find some with it and some without.
 */
void gallery_drop_group(struct gallery *gallery, unsigned label);
void gallery_drop_permission(struct gallery *gallery, unsigned label);

/* Removes everybody. */
void gallery_clear(struct gallery *gallery);

size_t gallery_count(const struct gallery *gallery);
/* Rows that pass the filter. */
size_t gallery_count_filtered(const struct gallery *gallery, const struct gallery_filter *filter);

/*
 * The best `k` (1..GALLERY_MAX_RESULTS) people for a probe of 512 floats (need not be normalised; must be finite and
 * not zero: BAD_FEATURE). `filter` may be NULL.
 */
enum aibox_status gallery_search(const struct gallery *gallery, const float *probe, const struct gallery_filter *filter,
                                 size_t k, struct gallery_result *result, struct aibox_error *err);

/* The same for `n` probes (row after row) in one pass over the rows: cheaper per probe than n searches. */
enum aibox_status gallery_search_batch(const struct gallery *gallery, const float *probes, size_t n,
                                       const struct gallery_filter *filter, size_t k, struct gallery_result *results,
                                       struct aibox_error *err);

/* Cosine of a probe with one person's template; NAN when the person has no row. */
float gallery_score(const struct gallery *gallery, const float *probe, int64_t person_id);

/* Whether the person has a row made of masked faces. */
bool gallery_masked(const struct gallery *gallery, int64_t person_id);

/*
 * Scores between different people, for calibration: for a sample of at most `n_people` rows spread over the gallery
 * (people known by masked faces only left out: masks make them alike),
 * (all when there are no more) the cosines of every pair, appended into a histogram of `n_bins` equal bins over -1..1.
 * Works on a copy of the sample (1 KB each), and stops early when *stop (NULL allowed) becomes true. Returns the number
 * of pairs counted; 0 also when there is no memory.
 */
uint64_t gallery_impostor_histogram(const struct gallery *gallery, size_t n_people, uint64_t *bins, size_t n_bins,
                                    const atomic_bool *stop);

/*
 * "avx512", "avx2", "neon", "scalar": the kernels that a gallery opened now would use. The environment variable
 * AIBOX_GALLERY_KERNEL, read by gallery_open(), forces one; gallery_open() fails with PARAM when this CPU can't run it.
 */
const char *gallery_kernel_name(void);

/* Cosine of two embeddings of 512 floats in double precision; 0 when either has norm <= 1e-6. */
float gallery_cosine(const float *a, const float *b);

#endif
