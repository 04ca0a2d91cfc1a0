/* Every kernel that this CPU can run against plain arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gallery/kernel.h"
#include "synthetic.h"

#define BLOCKS 5

static float float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* What IEEE 754 says binary16 means, by arithmetic. */
static double half_value(uint16_t half)
{
    int exponent = half >> 10 & 0x1f;
    int fraction = half & 0x3ff;
    double magnitude = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31)
        magnitude = fraction == 0 ? INFINITY : NAN;
    return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

static void for_each_kernel(void (*check)(const struct gallery_kernel *))
{
    const struct gallery_kernel *kernels[4];
    size_t n = gallery_kernels(kernels);
    assert_true(n >= 1);
    for (size_t i = 0; i < n; i++) {
        print_message("kernel %s\n", kernels[i]->name);
        check(kernels[i]);
    }
}

static void check_scan(const struct gallery_kernel *kernel)
{
    _Alignas(64) static uint64_t blocks[BLOCKS * KERNEL_BLOCK_WORDS];
    static uint64_t out[BLOCKS * KERNEL_BLOCK_ROWS];
    const uint32_t limits[] = {0, 1, 230, 256, 300, GALLERY_DIMENSION, GALLERY_DIMENSION + 1};
    uint64_t state = 5;
    uint64_t probe[KERNEL_WORDS];
    uint64_t want[BLOCKS];
    for (int round = 0; round < 70; round++) {
        uint32_t limit = limits[round % 7];
        uint64_t sparse = synthetic_random(&state);
        for (size_t w = 0; w < KERNEL_WORDS; w++)
            probe[w] = synthetic_random(&state);
        for (size_t i = 0; i < BLOCKS * KERNEL_BLOCK_WORDS; i++)
            blocks[i] = synthetic_random(&state);
        for (size_t w = 0; w < KERNEL_WORDS; w++) { /* one row equal, one opposite */
            blocks[w * KERNEL_GROUP_ROWS + 3] = probe[w];
            blocks[KERNEL_BLOCK_WORDS + w * KERNEL_GROUP_ROWS] = ~probe[w];
        }
        for (size_t b = 0; b < BLOCKS; b++)
            want[b] = round < 7 ? UINT64_MAX : synthetic_random(&state) & sparse;
        want[BLOCKS - 1] &= ~UINT64_C(0xff00); /* a group nobody asks for */
        size_t n = kernel->scan(blocks, want, BLOCKS, probe, limit, 1000, out);
        size_t at = 0;
        for (uint32_t row = 0; row < BLOCKS * KERNEL_BLOCK_ROWS; row++) {
            const uint64_t *words = blocks + row / KERNEL_GROUP_ROWS * KERNEL_GROUP_WORDS + row % KERNEL_GROUP_ROWS;
            uint32_t distance = 0;
            for (size_t w = 0; w < KERNEL_WORDS; w++)
                distance += (uint32_t)__builtin_popcountll(words[w * KERNEL_GROUP_ROWS] ^ probe[w]);
            if ((want[row / KERNEL_BLOCK_ROWS] >> row % KERNEL_BLOCK_ROWS & 1) == 0 || distance >= limit)
                continue;
            assert_true(at < n);
            assert_true(out[at] == KERNEL_KEY(distance, 1000 + row));
            at++;
        }
        assert_int_equal(at, n);
    }
}

static void check_from_half(const struct gallery_kernel *kernel)
{
    uint16_t halves[GALLERY_DIMENSION];
    float values[GALLERY_DIMENSION];
    for (uint32_t first = 0; first < 65536; first += GALLERY_DIMENSION) {
        for (uint32_t i = 0; i < GALLERY_DIMENSION; i++)
            halves[i] = (uint16_t)(first + i);
        kernel->from_half(halves, values);
        for (uint32_t i = 0; i < GALLERY_DIMENSION; i++) {
            double expected = half_value(halves[i]);
            if (isnan(expected))
                assert_true(isnan(values[i]));
            else
                assert_true(values[i] == expected && !signbit(values[i]) == !signbit(expected));
        }
    }
}

/* The nearest half, found by looking at both neighbours. */
static void check_rounding(float value, uint16_t half)
{
    double got = half_value(half);
    double error = fabs(got - (double)value);
    if (isnan(value)) {
        assert_true(isnan(got));
        return;
    }
    assert_true((signbit(value) != 0) == ((half & 0x8000) != 0));
    if (fabsf(value) >= 65520) { /* halfway between the largest half and 65536 */
        assert_int_equal(half & 0x7fff, 0x7c00);
        return;
    }
    assert_true((half & 0x7c00) != 0x7c00);
    for (int step = -1; step <= 1; step += 2) {
        if ((half & 0x7fff) == 0 && step < 0)
            continue;
        uint16_t neighbour = (uint16_t)(half + step);
        if ((neighbour & 0x7fff) == 0x7c00)
            continue;
        double other = fabs(half_value(neighbour) - (double)value);
        assert_true(error < other || (error == other && (half & 1) == 0));
    }
}

static void check_to_half(const struct gallery_kernel *kernel)
{
    uint16_t halves[GALLERY_DIMENSION];
    float values[GALLERY_DIMENSION];
    uint64_t state = 11;
    for (int round = 0; round < 400; round++) {
        for (uint32_t i = 0; i < GALLERY_DIMENSION; i++) {
            uint32_t bits = (uint32_t)synthetic_random(&state);
            if (round % 4 != 0) /* in and around the range of halves, where rounding happens */
                bits = (bits & 0x807fffff) | (uint32_t)(100 + (bits >> 8) % 46) << 23;
            if (round % 4 == 2) /* halfway cases */
                bits = (bits & 0xffffe000) | 0x1000;
            values[i] = float_from_bits(bits);
        }
        values[0] = 0x1p-25F; /* halfway between 0 and the least half */
        values[1] = -0x1.8p-24F;
        values[2] = 65519.996F;
        values[3] = 65520;
        values[4] = -0.0F;
        values[5] = 1;
        kernel->to_half(values, halves);
        assert_int_equal(halves[0], 0);
        assert_int_equal(halves[1], 0x8002);
        assert_int_equal(halves[2], 0x7bff);
        assert_int_equal(halves[3], 0x7c00);
        assert_int_equal(halves[4], 0x8000);
        assert_int_equal(halves[5], 0x3c00);
        for (uint32_t i = 0; i < GALLERY_DIMENSION; i++)
            check_rounding(values[i], halves[i]);
    }
}

static void check_dots(const struct gallery_kernel *kernel)
{
    enum { PROBES = 11 };
    static float probes[PROBES][GALLERY_DIMENSION];
    static struct synthetic model;
    uint16_t row[GALLERY_DIMENSION];
    float face[GALLERY_DIMENSION];
    float scores[PROBES];
    synthetic_init(&model, 3);
    synthetic_face(&model, 0, 0, face);
    kernel->to_half(face, row);
    for (uint64_t p = 0; p < PROBES; p++)
        synthetic_face(&model, p, 1, probes[p]);
    for (size_t n = 1; n <= PROBES; n++) {
        kernel->dots(row, probes[0], n, scores);
        for (size_t p = 0; p < n; p++) {
            double sum = 0;
            for (size_t i = 0; i < GALLERY_DIMENSION; i++)
                sum += half_value(row[i]) * (double)probes[p][i];
            assert_true(fabs(sum - (double)scores[p]) < 1e-6);
        }
    }
}

static void test_scan(void **state)
{
    (void)state;
    for_each_kernel(check_scan);
}

static void test_from_half(void **state)
{
    (void)state;
    for_each_kernel(check_from_half);
}

static void test_to_half(void **state)
{
    (void)state;
    for_each_kernel(check_to_half);
}

static void test_dots(void **state)
{
    (void)state;
    for_each_kernel(check_dots);
}

static void test_choice(void **state)
{
    (void)state;
    const struct gallery_kernel *kernels[4];
    size_t n = gallery_kernels(kernels);
    char *before = getenv("AIBOX_GALLERY_KERNEL");
    char *saved = before != NULL ? strdup(before) : NULL;
    struct gallery *gallery = NULL;
    for (size_t i = 0; i < n; i++) {
        setenv("AIBOX_GALLERY_KERNEL", kernels[i]->name, 1);
        assert_ptr_equal(gallery_kernel_choose(), kernels[i]);
        assert_string_equal(gallery_kernel_name(), kernels[i]->name);
    }
    setenv("AIBOX_GALLERY_KERNEL", "abacus", 1);
    assert_null(gallery_kernel_choose());
    assert_int_equal(gallery_open(10, &gallery, NULL), AIBOX_PARAM);
    assert_null(gallery);
    unsetenv("AIBOX_GALLERY_KERNEL");
    assert_ptr_equal(gallery_kernel_choose(), kernels[0]);
    if (saved != NULL)
        setenv("AIBOX_GALLERY_KERNEL", saved, 1);
    free(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan), cmocka_unit_test(test_from_half), cmocka_unit_test(test_to_half),
        cmocka_unit_test(test_dots), cmocka_unit_test(test_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
