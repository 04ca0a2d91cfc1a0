/* The kernels for AVX-512 with VPOPCNTDQ (Intel Ice Lake, AMD Zen 4 and later). Compiled with those options. */
#include <immintrin.h>

#include "gallery/kernel.h"

static inline __m512i distance_part(const uint64_t *words, __m512i probe)
{
    return _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_load_si512(words), probe));
}

/* Keys of the rows in `found` of one group; rare, so a loop over bits is the cheap way. */
static size_t put_keys(__m512i distances, __mmask8 found, uint32_t first_row, uint64_t *out)
{
    uint64_t lanes[KERNEL_GROUP_ROWS];
    size_t n = 0;
    _mm512_storeu_si512(lanes, distances);
    for (unsigned left = found; left != 0; left &= left - 1) {
        unsigned row = (unsigned)__builtin_ctz(left);
        out[n++] = KERNEL_KEY(lanes[row], first_row + row);
    }
    return n;
}

static size_t scan(const uint64_t *blocks, const uint64_t *want, size_t n_blocks, const uint64_t *probe, uint32_t limit,
                   uint32_t first_row, uint64_t *out)
{
    const __m512i limits = _mm512_set1_epi64((long long)limit);
    __m512i p[KERNEL_WORDS];
    size_t n = 0;
    for (size_t w = 0; w < KERNEL_WORDS; w++)
        p[w] = _mm512_set1_epi64((long long)probe[w]);
    for (size_t b = 0; b < n_blocks; b++) {
        uint64_t left = want[b];
        const uint64_t *group = blocks + b * KERNEL_BLOCK_WORDS;
        uint32_t row = first_row + (uint32_t)(b * KERNEL_BLOCK_ROWS);
        for (; left != 0; left >>= 8, group += KERNEL_GROUP_WORDS, row += KERNEL_GROUP_ROWS) {
            __mmask8 wanted = (__mmask8)(left & 0xff);
            if (wanted == 0)
                continue;
            __m512i even = distance_part(group, p[0]);
            __m512i odd = distance_part(group + 8, p[1]);
            for (size_t w = 2; w < KERNEL_WORDS; w += 2) {
                even = _mm512_add_epi64(even, distance_part(group + w * 8, p[w]));
                odd = _mm512_add_epi64(odd, distance_part(group + w * 8 + 8, p[w + 1]));
            }
            __m512i distances = _mm512_add_epi64(even, odd);
            __mmask8 found = _mm512_mask_cmplt_epu64_mask(wanted, distances, limits);
            if (found != 0)
                n += put_keys(distances, found, row, out + n);
        }
    }
    return n;
}

static inline __m512 load_halves(const uint16_t *row)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)row));
}

static float dot_one(const uint16_t *row, const float *probe)
{
    __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    for (size_t i = 0; i < GALLERY_DIMENSION; i += 64) {
        for (size_t j = 0; j < 4; j++)
            sum[j] = _mm512_fmadd_ps(load_halves(row + i + j * 16), _mm512_loadu_ps(probe + i + j * 16), sum[j]);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3])));
}

static void dots(const uint16_t *row, const float *probes, size_t n, float *out)
{
    size_t p = 0;
    for (; p + 4 <= n; p += 4) { /* four at a time share the conversion */
        const float *probe = probes + p * GALLERY_DIMENSION;
        __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
        for (size_t i = 0; i < GALLERY_DIMENSION; i += 16) {
            __m512 values = load_halves(row + i);
            for (size_t j = 0; j < 4; j++)
                sum[j] = _mm512_fmadd_ps(values, _mm512_loadu_ps(probe + j * GALLERY_DIMENSION + i), sum[j]);
        }
        for (size_t j = 0; j < 4; j++)
            out[p + j] = _mm512_reduce_add_ps(sum[j]);
    }
    for (; p < n; p++)
        out[p] = dot_one(row, probes + p * GALLERY_DIMENSION);
}

static void to_half(const float *in, uint16_t *out)
{
    for (size_t i = 0; i < GALLERY_DIMENSION; i += 16)
        _mm256_storeu_si256((__m256i *)(void *)(out + i),
                            _mm512_cvtps_ph(_mm512_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static void from_half(const uint16_t *in, float *out)
{
    for (size_t i = 0; i < GALLERY_DIMENSION; i += 16)
        _mm512_storeu_ps(out + i, load_halves(in + i));
}

const struct gallery_kernel gallery_kernel_avx512 = {
    .name = "avx512",
    .scan = scan,
    .dots = dots,
    .to_half = to_half,
    .from_half = from_half,
};
