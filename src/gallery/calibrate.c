/* Scores between different people of a gallery, from which the caller derives thresholds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gallery/rows.h"

#define TILE_ROWS 64 /* rows as floats: 128 KB, within a second-level cache */

/* Copies at most `n_max` visible rows, evenly spread, and so holds up writers no longer than a copy takes. */
static size_t take_sample(const struct gallery *gallery, size_t n_max, uint16_t **out)
{
    struct view view = view_open(gallery);
    size_t n_rows = 0; /* visible */
    size_t n = 0;      /* copied */
    uint32_t *slots = malloc(((size_t)view.n_blocks * KERNEL_BLOCK_ROWS + 1) * sizeof(*slots));
    *out = NULL;
    if (slots == NULL)
        goto out;
    for (uint32_t block = 0; block < view.n_blocks; block++) {
        for (uint64_t left = rows_stable(gallery, block); left != 0; left &= left - 1) {
            uint32_t slot = block * KERNEL_BLOCK_ROWS + (uint32_t)__builtin_ctzll(left);
            slots[n_rows] = slot;
            n_rows += view_has(gallery, &view, slot) && !label_sets_masked(&gallery->labels, gallery->set[slot]);
        }
    }
    size_t want = n_rows < n_max ? n_rows : n_max;
    *out = malloc((want + 1) * GALLERY_DIMENSION * sizeof(**out));
    if (*out == NULL)
        goto out;
    for (; n < want; n++) {
        /* n × n_rows / want, without overflow */
        size_t at = n_rows / want * n + n_rows % want * n / want;
        memcpy(*out + n * GALLERY_DIMENSION, row_half(gallery, slots[at]), GALLERY_DIMENSION * sizeof(**out));
    }
out:
    free(slots);
    view_close(gallery, &view);
    return n;
}

static void count_score(float score, uint64_t *bins, size_t n_bins)
{
    double place = ((double)score + 1) / 2 * (double)n_bins;
    size_t bin = place > 0 ? (size_t)place : 0;
    bins[bin < n_bins ? bin : n_bins - 1]++;
}

uint64_t gallery_impostor_histogram(const struct gallery *gallery, size_t n_people, uint64_t *bins, size_t n_bins,
                                    const atomic_bool *stop)
{
    uint64_t pairs = 0;
    uint16_t *sample = NULL;
    float *tile = malloc(TILE_ROWS * GALLERY_DIMENSION * sizeof(*tile));
    if (tile == NULL || n_bins == 0)
        goto out;
    size_t n = take_sample(gallery, n_people, &sample);
    for (size_t first = 0; first < n; first += TILE_ROWS) {
        size_t rows = n - first < TILE_ROWS ? n - first : TILE_ROWS;
        for (size_t i = 0; i < rows; i++)
            gallery->kernel->from_half(sample + (first + i) * GALLERY_DIMENSION, tile + i * GALLERY_DIMENSION);
        /* Each row against those of the tile that come before it. */
        for (size_t row = first + 1; row < n; row++) {
            float scores[TILE_ROWS];
            size_t before = row - first < rows ? row - first : rows;
            if (stop != NULL && atomic_load_explicit(stop, memory_order_relaxed))
                goto out;
            gallery->kernel->dots(sample + row * GALLERY_DIMENSION, tile, before, scores);
            for (size_t i = 0; i < before; i++)
                count_score(scores[i], bins, n_bins);
            pairs += before;
        }
    }
out:
    free(sample);
    free(tile);
    return pairs;
}
