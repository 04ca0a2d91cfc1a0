/*
 * The inner loops of the gallery, one implementation per instruction set, chosen when a gallery is
 * opened. Private to the room.
 *
 * Sign bits lie in groups of 8 rows, word by word: word w of row r of a group is groups[w * 8 + r].
 * A vector of eight words then holds the same word of eight rows, so that a Hamming distance is a
 * sum down the lanes and no horizontal addition is needed. Eight groups (64 rows, 4 KB) are a block.
 */
#ifndef AIBOX_GALLERY_KERNEL_H
#define AIBOX_GALLERY_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "gallery/gallery.h"

#define KERNEL_WORDS       (GALLERY_DIMENSION / 64) /* of sign bits per row */
#define KERNEL_GROUP_ROWS  8
#define KERNEL_GROUP_WORDS (KERNEL_GROUP_ROWS * KERNEL_WORDS)
#define KERNEL_BLOCK_ROWS  64
#define KERNEL_BLOCK_WORDS (KERNEL_BLOCK_ROWS * KERNEL_WORDS)

/* What a scan finds: the distance above, the row's number below, so that keys order by distance. */
#define KERNEL_KEY(distance, row) ((uint64_t)(distance) << 32 | (uint32_t)(row))

struct gallery_kernel {
    const char *name;

    /*
     * Hamming distances of the rows in `n_blocks` blocks to `probe` (8 words). Bit r of want[b] asks for row r of
     * block b; a group of which no row is wanted is not read, of any other all rows are read. Writes the key of each
     * wanted row whose distance is below `limit` to `out` (room for 64 × n_blocks), in row order; the first row's
     * number is `first_row`. Returns how many. `blocks` is aligned to 64 bytes.
     */
    size_t (*scan)(const uint64_t *blocks, const uint64_t *want, size_t n_blocks, const uint64_t *probe, uint32_t limit,
                   uint32_t first_row, uint64_t *out);

    /* Dot products of one row of 512 halves with `n` probes of 512 floats, row after row. */
    void (*dots)(const uint16_t *row, const float *probes, size_t n, float *out);

    /* 512 floats to IEEE 754 binary16, to nearest, ties to even; and back (exact). */
    void (*to_half)(const float *in, uint16_t *out);
    void (*from_half)(const uint16_t *in, float *out);
};

extern const struct gallery_kernel gallery_kernel_scalar;
#if defined(__x86_64__)
extern const struct gallery_kernel gallery_kernel_avx2;   /* AVX2, FMA, F16C */
extern const struct gallery_kernel gallery_kernel_avx512; /* AVX-512 F and VPOPCNTDQ */
#elif defined(__aarch64__)
extern const struct gallery_kernel gallery_kernel_neon; /* any AArch64 */
#endif

/* Fills `out` (room for 4) with the kernels this CPU can run, fastest first; returns how many. */
size_t gallery_kernels(const struct gallery_kernel **out);

/*
 * The fastest kernel, or the one that the environment variable AIBOX_GALLERY_KERNEL names; NULL when it names one that
 * this CPU can't run.
 */
const struct gallery_kernel *gallery_kernel_choose(void);

#endif
