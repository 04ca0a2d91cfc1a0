/* The kernels for AVX2 with FMA and F16C (Intel Haswell, AMD Zen and later). Compiled with those options. */
#include <immintrin.h>

#include "gallery/kernel.h"

/* Ones in each byte, by a table of 16 (Muła, Kurz, Lemire: Faster population counts using AVX2 instructions, 2016). */
static inline __m256i count_bytes(const uint64_t *words, __m256i probe)
{
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2,
                                           2, 3, 2, 3, 3, 4);
    const __m256i nibble = _mm256_set1_epi8(0x0f);
    __m256i x = _mm256_xor_si256(_mm256_load_si256((const __m256i *)(const void *)words), probe);
    __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, nibble));
    __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble));
    return _mm256_add_epi8(low, high);
}

/* Distances of four neighbouring rows: a byte sums at most 8 × 8, so that adding up the bytes can wait till the end. */
static inline __m256i distances_of_four(const uint64_t *words, const uint64_t *probe)
{
    __m256i sum = _mm256_setzero_si256();
    for (size_t w = 0; w < KERNEL_WORDS; w++)
        sum = _mm256_add_epi8(sum, count_bytes(words + w * KERNEL_GROUP_ROWS, _mm256_set1_epi64x((long long)probe[w])));
    return _mm256_sad_epu8(sum, _mm256_setzero_si256());
}

static inline unsigned below(__m256i distances, __m256i limits)
{
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(limits, distances)));
}

static size_t scan(const uint64_t *blocks, const uint64_t *want, size_t n_blocks, const uint64_t *probe, uint32_t limit,
                   uint32_t first_row, uint64_t *out)
{
    const __m256i limits = _mm256_set1_epi64x((long long)limit);
    size_t n = 0;
    for (size_t b = 0; b < n_blocks; b++) {
        uint64_t left = want[b];
        const uint64_t *group = blocks + b * KERNEL_BLOCK_WORDS;
        uint32_t row = first_row + (uint32_t)(b * KERNEL_BLOCK_ROWS);
        for (; left != 0; left >>= 8, group += KERNEL_GROUP_WORDS, row += KERNEL_GROUP_ROWS) {
            unsigned wanted = (unsigned)(left & 0xff);
            if (wanted == 0)
                continue;
            __m256i first = distances_of_four(group, probe);
            __m256i second = distances_of_four(group + 4, probe);
            unsigned found = (below(first, limits) | below(second, limits) << 4) & wanted;
            if (found == 0)
                continue;
            uint64_t lanes[KERNEL_GROUP_ROWS];
            _mm256_storeu_si256((__m256i *)(void *)lanes, first);
            _mm256_storeu_si256((__m256i *)(void *)(lanes + 4), second);
            for (; found != 0; found &= found - 1) {
                unsigned r = (unsigned)__builtin_ctz(found);
                out[n++] = KERNEL_KEY(lanes[r], row + r);
            }
        }
    }
    return n;
}

static inline __m256 load_halves(const uint16_t *row)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)row));
}

static float sum_lanes(__m256 x)
{
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

static float dot_one(const uint16_t *row, const float *probe)
{
    __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    for (size_t i = 0; i < GALLERY_DIMENSION; i += 32) {
        for (size_t j = 0; j < 4; j++)
            sum[j] = _mm256_fmadd_ps(load_halves(row + i + j * 8), _mm256_loadu_ps(probe + i + j * 8), sum[j]);
    }
    return sum_lanes(_mm256_add_ps(_mm256_add_ps(sum[0], sum[1]), _mm256_add_ps(sum[2], sum[3])));
}

static void dots(const uint16_t *row, const float *probes, size_t n, float *out)
{
    size_t p = 0;
    for (; p + 4 <= n; p += 4) { /* four at a time share the conversion */
        const float *probe = probes + p * GALLERY_DIMENSION;
        __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
        for (size_t i = 0; i < GALLERY_DIMENSION; i += 8) {
            __m256 values = load_halves(row + i);
            for (size_t j = 0; j < 4; j++)
                sum[j] = _mm256_fmadd_ps(values, _mm256_loadu_ps(probe + j * GALLERY_DIMENSION + i), sum[j]);
        }
        for (size_t j = 0; j < 4; j++)
            out[p + j] = sum_lanes(sum[j]);
    }
    for (; p < n; p++)
        out[p] = dot_one(row, probes + p * GALLERY_DIMENSION);
}

static void to_half(const float *in, uint16_t *out)
{
    for (size_t i = 0; i < GALLERY_DIMENSION; i += 8)
        _mm_storeu_si128((__m128i *)(void *)(out + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static void from_half(const uint16_t *in, float *out)
{
    for (size_t i = 0; i < GALLERY_DIMENSION; i += 8)
        _mm256_storeu_ps(out + i, load_halves(in + i));
}

const struct gallery_kernel gallery_kernel_avx2 = {
    .name = "avx2",
    .scan = scan,
    .dots = dots,
    .to_half = to_half,
    .from_half = from_half,
};
