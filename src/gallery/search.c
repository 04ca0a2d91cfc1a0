/*
 * 1:N search in two stages. Sign bits first: for two unit vectors at angle θ about θ/π of 512 signs differ (Charikar,
 * Similarity estimation techniques from rounding algorithms, 2002), so that the best match by cosine is nearly always
 * among the few hundred rows of least Hamming distance; those are then scored by their half-precision values.
 *
 * A search reads 64 bytes per row, and stops caring about distances as the limit sinks: rows below the limit are
 * collected, and whenever enough have come the limit is set to what the best of them reach. Rows at equal distance are
 * kept together, so that which rows are scored does not depend on where they lie. Up to CUT_FACTOR × KEEP_MIN rows are
 * all scored: small galleries, and small groups in large ones, are searched exactly.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gallery/rows.h"
#include "gallery/template.h"

#define KEEP_MIN       512  /* rows to be scored, at least: 8 per result that can be asked for */
#define KEEP_MAX       4096 /* ... and at most */
#define ROWS_PER_KEEP  256  /* between the two, one row in so many is scored */
#define RUN_BLOCKS     8    /* blocks that stay in the first-level cache while all probes look at them */
#define RUN_ROWS       (RUN_BLOCKS * KERNEL_BLOCK_ROWS)
#define CUT_FACTOR     3 /* the worst keys are thrown out when there are so many times as many as will be scored */
#define COLLECT_MAX    (CUT_FACTOR * KEEP_MAX + RUN_ROWS)
#define DISTANCES      (GALLERY_DIMENSION + 1)
#define ROWS_AHEAD     3
#define CACHE_LINE     64
#define PROBES_AT_ONCE 16 /* in one pass over the rows */

/* One probe's search on its way. */
struct collector {
    uint64_t bits[KERNEL_WORDS];
    float unit[GALLERY_DIMENSION];
    size_t keep;    /* so many rows are to be scored */
    uint32_t limit; /* distances below it are still of interest */
    size_t n_keys;
    uint64_t keys[COLLECT_MAX]; /* KERNEL_KEY(distance, slot) */
};

/* What the filter makes of label sets. `pass` NULL: no filter. */
struct judged {
    uint8_t *pass; /* n_sets + 1; the last, 0, stands for sets newer than the view */
    uint32_t n_sets;
    size_t people;
};

static enum aibox_status judge_sets(const struct gallery *gallery, const struct gallery_filter *filter,
                                    struct judged *judged, struct aibox_error *err)
{
    *judged = (struct judged){.people = gallery_count(gallery)};
    if (!label_filter_needed(filter))
        return AIBOX_OK;
    struct label_filter ready;
    label_filter_init(&ready, filter);
    judged->n_sets = atomic_load_explicit(&gallery->labels.top, memory_order_acquire);
    judged->pass = malloc((size_t)judged->n_sets + 1);
    if (judged->pass == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "no memory for a filtered search");
    judged->people = 0;
    for (uint32_t set = 0; set < judged->n_sets; set++) {
        bool passes = label_filter_passes(&ready, &gallery->labels, set);
        judged->pass[set] = passes;
        if (passes)
            judged->people += atomic_load_explicit(&gallery->labels.live[set], memory_order_relaxed);
    }
    judged->pass[judged->n_sets] = 0;
    return AIBOX_OK;
}

static uint64_t set_passes(const struct judged *judged, uint32_t set)
{
    return judged->pass[set < judged->n_sets ? set : judged->n_sets];
}

/* The rows of a block that may be read and pass the filter. */
static uint64_t filter_block(const struct gallery *gallery, const struct judged *judged, size_t block, uint64_t stable)
{
    const uint32_t *set = gallery->set + block * KERNEL_BLOCK_ROWS;
    uint64_t want = 0;
    if (stable == UINT64_MAX) {
        for (unsigned row = 0; row < KERNEL_BLOCK_ROWS; row++)
            want |= set_passes(judged, set[row]) << row;
        return want;
    }
    for (uint64_t left = stable; left != 0; left &= left - 1) {
        unsigned row = (unsigned)__builtin_ctzll(left);
        want |= set_passes(judged, set[row]) << row;
    }
    return want;
}

/* The bits of whole groups only: kernels read a group as a whole, and a row that is not stable may not be read. */
static uint64_t whole_groups(uint64_t stable)
{
    uint64_t all = stable & stable >> 4;
    all &= all >> 2;
    all &= all >> 1;
    return (all & UINT64_C(0x0101010101010101)) * 0xff;
}

/* Drops what the view does not have from the keys that came since `from`. */
static void keep_visible(const struct gallery *gallery, const struct view *view, struct collector *collector,
                         size_t from)
{
    size_t n = from;
    for (size_t i = from; i < collector->n_keys; i++) {
        uint64_t key = collector->keys[i];
        collector->keys[n] = key;
        n += view_has(gallery, view, (uint32_t)key);
    }
    collector->n_keys = n;
}

/* Throws out all but the best `keep`, and what ties with the last of them. */
static void cut(struct collector *collector)
{
    uint32_t counts[DISTANCES] = {0};
    uint32_t last = 0; /* the distance of the keep-th best */
    size_t below = 0;  /* keys nearer than that */
    size_t n = 0;
    size_t keep = collector->keep;
    for (size_t i = 0; i < collector->n_keys; i++)
        counts[collector->keys[i] >> 32]++;
    while (below + counts[last] < keep)
        below += counts[last++];
    size_t ties = counts[last];
    if (below + ties > CUT_FACTOR * keep) { /* over a thousand equal rows: some must do */
        ties = keep - below;
        collector->limit = last;
    } else {
        collector->limit = last + 1;
    }
    for (size_t i = 0; i < collector->n_keys; i++) {
        uint32_t distance = (uint32_t)(collector->keys[i] >> 32);
        collector->keys[n] = collector->keys[i];
        if (distance < last) {
            n++;
        } else if (distance == last && ties > 0) {
            n++;
            ties--;
        }
    }
    collector->n_keys = n;
}

/* The few rows of groups that are not whole, for which kernels must not be used: at the end, and around holes. */
static void collect_singles(const struct gallery *gallery, struct collector *collector, uint32_t first_slot,
                            uint64_t want)
{
    for (; want != 0; want &= want - 1) {
        uint32_t slot = first_slot + (uint32_t)__builtin_ctzll(want);
        const uint64_t *bits = row_bits(gallery, slot);
        uint32_t distance = 0;
        for (size_t w = 0; w < KERNEL_WORDS; w++)
            distance += (uint32_t)__builtin_popcountll(bits[w * KERNEL_GROUP_ROWS] ^ collector->bits[w]);
        if (distance < collector->limit)
            collector->keys[collector->n_keys++] = KERNEL_KEY(distance, slot);
    }
}

/* One run of blocks for every probe. */
static void collect_run(const struct gallery *gallery, const struct view *view, const struct judged *judged,
                        size_t first_block, struct collector *collectors, size_t n_probes)
{
    uint64_t whole[RUN_BLOCKS];
    uint64_t singles[RUN_BLOCKS];
    uint64_t any_single = 0;
    size_t n_blocks = view->n_blocks - first_block < RUN_BLOCKS ? view->n_blocks - first_block : RUN_BLOCKS;
    for (size_t b = 0; b < n_blocks; b++) {
        uint64_t stable = rows_stable(gallery, first_block + b);
        uint64_t want = judged->pass != NULL ? filter_block(gallery, judged, first_block + b, stable) : stable;
        whole[b] = want & whole_groups(stable);
        singles[b] = want & ~whole[b];
        any_single |= singles[b];
    }
    uint32_t first_slot = (uint32_t)(first_block * KERNEL_BLOCK_ROWS);
    const uint64_t *bits = gallery->bits + first_block * KERNEL_BLOCK_WORDS;
    for (size_t p = 0; p < n_probes; p++) {
        struct collector *collector = &collectors[p];
        size_t from = collector->n_keys;
        collector->n_keys += gallery->kernel->scan(bits, whole, n_blocks, collector->bits, collector->limit, first_slot,
                                                   collector->keys + from);
        for (size_t b = 0; any_single != 0 && b < n_blocks; b++)
            collect_singles(gallery, collector, first_slot + (uint32_t)(b * KERNEL_BLOCK_ROWS), singles[b]);
        if (collector->n_keys == from)
            continue;
        keep_visible(gallery, view, collector, from);
        if (collector->n_keys > CUT_FACTOR * collector->keep)
            cut(collector);
    }
}

static bool is_better(struct gallery_match a, struct gallery_match b)
{
    return a.score > b.score || (a.score == b.score && a.person_id < b.person_id);
}

/* Rows to be scored lie anywhere: asking for them early hides most of the way to memory. (In the scan it only harms.)
 */
static void fetch_ahead(const uint16_t *row)
{
    for (size_t i = 0; i < GALLERY_DIMENSION; i += CACHE_LINE / sizeof(*row))
        __builtin_prefetch(row + i);
}

/* Scores what was collected, into `result`. */
static void rank(const struct gallery *gallery, struct collector *collector, size_t k, struct gallery_result *result)
{
    if (collector->limit < DISTANCES && collector->n_keys > collector->keep)
        cut(collector);
    result->count = 0;
    for (size_t i = 0; i < collector->n_keys; i++) {
        uint32_t slot = (uint32_t)collector->keys[i];
        if (i + ROWS_AHEAD < collector->n_keys)
            fetch_ahead(row_half(gallery, (uint32_t)collector->keys[i + ROWS_AHEAD]));
        struct gallery_match match = {.person_id = gallery->person[slot]};
        gallery->kernel->dots(row_half(gallery, slot), collector->unit, 1, &match.score);
        match.score = fmaxf(-1, fminf(1, match.score));
        if (result->count == k && !is_better(match, result->best[k - 1]))
            continue;
        size_t at = result->count < k ? result->count++ : k - 1;
        for (; at > 0 && is_better(match, result->best[at - 1]); at--)
            result->best[at] = result->best[at - 1];
        result->best[at] = match;
    }
}

static size_t rows_to_score(size_t people)
{
    size_t keep = people / ROWS_PER_KEEP;
    keep = keep < KEEP_MIN ? KEEP_MIN : keep;
    return keep < KEEP_MAX ? keep : KEEP_MAX;
}

static enum aibox_status start(struct collector *collector, const float *probe, struct aibox_error *err)
{
    if (!template_normalise(probe, collector->unit))
        return error_set(err, AIBOX_BAD_FEATURE, "a feature vector is not finite or has no length");
    template_sign_bits(collector->unit, collector->bits);
    collector->limit = DISTANCES;
    collector->n_keys = 0;
    return AIBOX_OK;
}

/* One pass over the rows, in one view of them, for at most PROBES_AT_ONCE probes. */
static enum aibox_status search_pass(const struct gallery *gallery, const float *probes, size_t n,
                                     const struct gallery_filter *filter, size_t k, struct collector *collectors,
                                     struct gallery_result *results, struct aibox_error *err)
{
    struct judged judged;
    enum aibox_status status = AIBOX_OK;
    for (size_t p = 0; status == AIBOX_OK && p < n; p++)
        status = start(&collectors[p], probes + p * GALLERY_DIMENSION, err);
    if (status != AIBOX_OK)
        return status;
    struct view view = view_open(gallery);
    status = judge_sets(gallery, filter, &judged, err);
    if (status != AIBOX_OK)
        goto out;
    for (size_t p = 0; p < n; p++)
        collectors[p].keep = rows_to_score(judged.people);
    for (size_t block = 0; block < view.n_blocks; block += RUN_BLOCKS)
        collect_run(gallery, &view, &judged, block, collectors, n);
    for (size_t p = 0; p < n; p++) {
        results[p].candidates = judged.people;
        rank(gallery, &collectors[p], k, &results[p]);
    }
    free(judged.pass);
out:
    view_close(gallery, &view);
    return status;
}

enum aibox_status gallery_search_batch(const struct gallery *gallery, const float *probes, size_t n,
                                       const struct gallery_filter *filter, size_t k, struct gallery_result *results,
                                       struct aibox_error *err)
{
    if (k < 1 || k > GALLERY_MAX_RESULTS)
        return error_set(err, AIBOX_PARAM, "1 to %d results can be asked for", GALLERY_MAX_RESULTS);
    if (n == 0)
        return AIBOX_OK;
    enum aibox_status status = AIBOX_OK;
    struct collector *collectors = malloc((n < PROBES_AT_ONCE ? n : PROBES_AT_ONCE) * sizeof(*collectors));
    if (collectors == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "no memory for a search of %zu probes", n);
    for (size_t first = 0; status == AIBOX_OK && first < n; first += PROBES_AT_ONCE) {
        size_t some = n - first < PROBES_AT_ONCE ? n - first : PROBES_AT_ONCE;
        status =
            search_pass(gallery, probes + first * GALLERY_DIMENSION, some, filter, k, collectors, results + first, err);
    }
    free(collectors);
    return status;
}

enum aibox_status gallery_search(const struct gallery *gallery, const float *probe, const struct gallery_filter *filter,
                                 size_t k, struct gallery_result *result, struct aibox_error *err)
{
    return gallery_search_batch(gallery, probe, 1, filter, k, result, err);
}
