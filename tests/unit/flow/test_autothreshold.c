/* From a false-accept target to a threshold. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/autothreshold.h"

static void test_fmr_and_fpir_are_inverse(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 30, 500, 50000, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        double fmr = autothreshold_fmr(0.01, sizes[i]);
        assert_true(fmr > 0 && fmr <= 0.01);
        assert_float_equal(autothreshold_fpir(fmr, sizes[i]), 0.01, 1e-9);
    }
    assert_float_equal(autothreshold_fmr(0.01, 1), 0.01, 1e-12);
    assert_float_equal(autothreshold_fmr(0.01, 0), 0.01, 1e-12);
    /* small ones are about FPIR / N */
    assert_float_equal(autothreshold_fmr(0.01, 50000) * 50000, 0.01005, 1e-5);
}

/* Scores of a normal distribution, counted as the gallery counts them. From the top down, and what is rounded is
 * carried on, since else the tail would end where a bin holds less than half a score. */
static uint64_t fill_normal(uint64_t *bins, double mean, double deviation, uint64_t pairs)
{
    uint64_t total = 0;
    for (size_t i = AUTOTHRESHOLD_BINS; i-- > 0;) {
        double low = -1 + 2.0 * (double)i / AUTOTHRESHOLD_BINS;
        double above = 0.5 * erfc((low - mean) / deviation / M_SQRT2) * (double)pairs;
        bins[i] = (uint64_t)(above + 0.5) - total;
        total += bins[i];
    }
    return total;
}

static void test_quantile_of_a_normal_distribution(void **state)
{
    (void)state;
    uint64_t *bins = calloc(AUTOTHRESHOLD_BINS, sizeof *bins);
    uint64_t pairs = fill_normal(bins, 0.01, 0.1, 10000000);
    /* z for 1e-2, 1e-3, 1e-4 */
    assert_float_equal(autothreshold_quantile(bins, pairs, 1e-2), 0.2426f, 2e-3f);
    assert_float_equal(autothreshold_quantile(bins, pairs, 1e-3), 0.3190f, 2e-3f);
    assert_float_equal(autothreshold_quantile(bins, pairs, 1e-4), 0.3819f, 2e-3f);
    assert_float_equal(autothreshold_survival(bins, pairs, 0.01f + 0.3090f), 1e-3, 1e-4);
    assert_float_equal(autothreshold_survival(bins, pairs, -0.99f), 1, 1e-6);
    free(bins);
}

/* The fewer scores lie above a threshold, the less sure is their share; beyond the last one even less. */
static void test_the_spread_grows_to_the_tail(void **state)
{
    (void)state;
    uint64_t *bins = calloc(AUTOTHRESHOLD_BINS, sizeof *bins);
    uint64_t pairs = fill_normal(bins, 0.01, 0.1, 1000000);
    double middle = autothreshold_spread(bins, pairs, 0.2426f), far = autothreshold_spread(bins, pairs, 0.3819f);
    double beyond = autothreshold_spread(bins, pairs, 0.55f);
    /* 10,000 and 100 scores: factors of exp(1.96 * 2 / 100) and exp(1.96 * 2 / 10) */
    assert_float_equal(middle, 1.04, 0.01);
    assert_float_equal(far, 1.48, 0.05);
    assert_true(beyond > 2 * far);
    assert_float_equal(autothreshold_spread(bins, 0, 0.3f), AUTOTHRESHOLD_TABLE_SPREAD, 0);
    free(bins);
}

static void test_the_tail_is_continued_on_the_safe_side(void **state)
{
    (void)state;
    uint64_t *bins = calloc(AUTOTHRESHOLD_BINS, sizeof *bins);
    uint64_t pairs = fill_normal(bins, 0.01, 0.1, 200000);
    /* 1e-7 is far beyond 200,000 pairs; the true quantile is 0.01 + 0.520. */
    float threshold = autothreshold_quantile(bins, pairs, 1e-7);
    assert_true(threshold >= 0.53f && threshold < 0.65f);
    assert_float_equal(log(autothreshold_survival(bins, pairs, threshold)), log(1e-7), 0.1);
    free(bins);
}

static void test_a_few_people_enrolled_twice_do_not_move_the_threshold(void **state)
{
    (void)state;
    uint64_t *bins = calloc(AUTOTHRESHOLD_BINS, sizeof *bins);
    uint64_t pairs = fill_normal(bins, 0.01, 0.1, 1000000);
    float before = autothreshold_quantile(bins, pairs, 1e-4);
    for (int i = 0; i < 5; i++)
        bins[AUTOTHRESHOLD_BINS * 85 / 100]++; /* five pairs at 0.7 */
    float after = autothreshold_quantile(bins, pairs + 5, 1e-4);
    assert_float_equal(after, before, 0.01f);
    free(bins);
}

static void test_too_few_scores_give_no_answer(void **state)
{
    (void)state;
    uint64_t *bins = calloc(AUTOTHRESHOLD_BINS, sizeof *bins);
    assert_true(isnan(autothreshold_quantile(bins, 0, 1e-3)));
    bins[1200] = 20;
    assert_true(isnan(autothreshold_quantile(bins, 20, 1e-3)));
    assert_true(isnan(autothreshold_survival(bins, 20, 0.5f)));
    free(bins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fmr_and_fpir_are_inverse),
        cmocka_unit_test(test_quantile_of_a_normal_distribution),
        cmocka_unit_test(test_the_spread_grows_to_the_tail),
        cmocka_unit_test(test_the_tail_is_continued_on_the_safe_side),
        cmocka_unit_test(test_a_few_people_enrolled_twice_do_not_move_the_threshold),
        cmocka_unit_test(test_too_few_scores_give_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
