/* The kernels for AArch64: Advanced SIMD and the conversions of half precision are part of every such CPU. */
#include <arm_neon.h>

#include "gallery/kernel.h"

/* Distances of two neighbouring rows: a byte sums at most 8 × 8, so that adding up the bytes can wait till the end. */
static inline uint64x2_t distances_of_two(const uint64_t *words, const uint64_t *probe)
{
    uint8x16_t sum = vdupq_n_u8(0);
    for (size_t w = 0; w < KERNEL_WORDS; w++) {
        uint64x2_t x = veorq_u64(vld1q_u64(words + w * KERNEL_GROUP_ROWS), vdupq_n_u64(probe[w]));
        sum = vaddq_u8(sum, vcntq_u8(vreinterpretq_u8_u64(x)));
    }
    return vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(sum)));
}

static size_t scan(const uint64_t *blocks, const uint64_t *want, size_t n_blocks, const uint64_t *probe, uint32_t limit,
                   uint32_t first_row, uint64_t *out)
{
    size_t n = 0;
    for (size_t b = 0; b < n_blocks; b++) {
        uint64_t left = want[b];
        const uint64_t *group = blocks + b * KERNEL_BLOCK_WORDS;
        uint32_t row = first_row + (uint32_t)(b * KERNEL_BLOCK_ROWS);
        for (; left != 0; left >>= 8, group += KERNEL_GROUP_WORDS, row += KERNEL_GROUP_ROWS) {
            if ((left & 0xff) == 0)
                continue;
            uint64_t lanes[KERNEL_GROUP_ROWS];
            for (size_t r = 0; r < KERNEL_GROUP_ROWS; r += 2)
                vst1q_u64(lanes + r, distances_of_two(group + r, probe));
            for (size_t r = 0; r < KERNEL_GROUP_ROWS; r++) {
                out[n] = KERNEL_KEY(lanes[r], row + r);
                n += (left >> r & 1) & (lanes[r] < limit);
            }
        }
    }
    return n;
}

static inline float16x8_t load_halves(const uint16_t *row)
{
    return vreinterpretq_f16_u16(vld1q_u16(row));
}

static void dots(const uint16_t *row, const float *probes, size_t n, float *out)
{
    for (size_t p = 0; p < n; p++) {
        const float *probe = probes + p * GALLERY_DIMENSION;
        float32x4_t sum[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)};
        for (size_t i = 0; i < GALLERY_DIMENSION; i += 16) {
            for (size_t j = 0; j < 2; j++) {
                float16x8_t halves = load_halves(row + i + j * 8);
                const float *at = probe + i + j * 8;
                sum[2 * j] = vfmaq_f32(sum[2 * j], vcvt_f32_f16(vget_low_f16(halves)), vld1q_f32(at));
                sum[2 * j + 1] = vfmaq_f32(sum[2 * j + 1], vcvt_high_f32_f16(halves), vld1q_f32(at + 4));
            }
        }
        out[p] = vaddvq_f32(vaddq_f32(vaddq_f32(sum[0], sum[1]), vaddq_f32(sum[2], sum[3])));
    }
}

static void to_half(const float *in, uint16_t *out)
{
    for (size_t i = 0; i < GALLERY_DIMENSION; i += 4)
        vst1_u16(out + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(in + i))));
}

static void from_half(const uint16_t *in, float *out)
{
    for (size_t i = 0; i < GALLERY_DIMENSION; i += 4)
        vst1q_f32(out + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(in + i))));
}

const struct gallery_kernel gallery_kernel_neon = {
    .name = "neon",
    .scan = scan,
    .dots = dots,
    .to_half = to_half,
    .from_half = from_half,
};
