/* The kernels in plain C: what every other one is tested against, and the fallback. */
#include <string.h>

#include "gallery/kernel.h"

/* Population count without the instruction, which baseline x86-64 lacks (Warren, Hacker's Delight, 5-1). */
static inline uint64_t count_ones(uint64_t x)
{
    x -= (x >> 1) & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + ((x >> 2) & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (x * UINT64_C(0x0101010101010101)) >> 56;
}

static size_t scan(const uint64_t *blocks, const uint64_t *want, size_t n_blocks, const uint64_t *probe, uint32_t limit,
                   uint32_t first_row, uint64_t *out)
{
    size_t n = 0;
    for (size_t b = 0; b < n_blocks; b++) {
        for (uint64_t left = want[b]; left != 0; left &= left - 1) {
            size_t row = (size_t)__builtin_ctzll(left);
            const uint64_t *words = blocks + b * KERNEL_BLOCK_WORDS + row / KERNEL_GROUP_ROWS * KERNEL_GROUP_WORDS +
                                    row % KERNEL_GROUP_ROWS;
            uint64_t distance = 0;
            for (size_t w = 0; w < KERNEL_WORDS; w++)
                distance += count_ones(words[w * KERNEL_GROUP_ROWS] ^ probe[w]);
            out[n] = KERNEL_KEY(distance, first_row + b * KERNEL_BLOCK_ROWS + row);
            n += distance < limit;
        }
    }
    return n;
}

/* binary32 to binary16. Adding a power of two chosen by the exponent makes the FPU do the rounding of subnormals. */
static uint16_t half_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    uint32_t sign = (bits >> 16) & 0x8000;
    bits &= 0x7fffffff;
    if (bits > 0x7f800000) /* NaN stays NaN, quietly */
        return (uint16_t)(sign | 0x7e00 | ((bits >> 13) & 0x3ff));
    if (bits >= 0x47800000) /* 65536 and more: infinity */
        return (uint16_t)(sign | 0x7c00);
    if (bits < 0x38800000) { /* below 2^-14: subnormal in half precision, whose unit is 2^-24 = ulp(0.5) */
        float magnitude;
        memcpy(&magnitude, &bits, sizeof(magnitude));
        magnitude += 0.5F;
        memcpy(&bits, &magnitude, sizeof(bits));
        return (uint16_t)(sign | (bits - 0x3f000000));
    }
    uint32_t odd = (bits >> 13) & 1;
    bits -= UINT32_C(112) << 23; /* exponent bias 127 to 15 */
    bits += 0xfff + odd;         /* a carry out of the mantissa raises the exponent, up to infinity */
    return (uint16_t)(sign | (bits >> 13));
}

static float float_of(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
    float value;
    if (bits >= UINT32_C(0x7c00) << 13) { /* infinity, NaN: the exponent stays all ones */
        bits |= 0x7f800000;
        memcpy(&value, &bits, sizeof(value));
    } else { /* the wrong bias, subnormal or not, is a factor of 2^112 */
        memcpy(&value, &bits, sizeof(value));
        value *= 0x1p112F;
    }
    memcpy(&bits, &value, sizeof(bits));
    bits |= sign;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void to_half(const float *in, uint16_t *out)
{
    for (size_t i = 0; i < GALLERY_DIMENSION; i++)
        out[i] = half_of(in[i]);
}

static void from_half(const uint16_t *in, float *out)
{
    for (size_t i = 0; i < GALLERY_DIMENSION; i++)
        out[i] = float_of(in[i]);
}

static void dots(const uint16_t *row, const float *probes, size_t n, float *out)
{
    float values[GALLERY_DIMENSION];
    from_half(row, values);
    for (size_t p = 0; p < n; p++) {
        const float *probe = probes + p * GALLERY_DIMENSION;
        float sum[4] = {0};
        for (size_t i = 0; i < GALLERY_DIMENSION; i += 4) {
            for (size_t lane = 0; lane < 4; lane++)
                sum[lane] += values[i + lane] * probe[i + lane];
        }
        out[p] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}

const struct gallery_kernel gallery_kernel_scalar = {
    .name = "scalar",
    .scan = scan,
    .dots = dots,
    .to_half = to_half,
    .from_half = from_half,
};
