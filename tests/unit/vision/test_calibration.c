/* Between, on and beyond the points of the calibration table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "vision/calibration.h"

static struct calibration table(void)
{
    struct calibration c = {.impostor_points = 3,
                            .log_fmr = {-2, -3, -5},
                            .threshold = {0.25, 0.35, 0.45},
                            .genuine_points = 2,
                            .score = {0.7, 0.4}};
    c.logit_tpr[0] = calibration_logit(0.5);
    c.logit_tpr[1] = calibration_logit(0.99);
    return c;
}

static void test_threshold(void **state)
{
    (void)state;
    struct calibration c = table();
    assert_float_equal(calibration_threshold(&c, 1e-2), 0.25, 1e-6);
    assert_float_equal(calibration_threshold(&c, 1e-3), 0.35, 1e-6);
    assert_float_equal(calibration_threshold(&c, 1e-4), 0.40, 1e-6); /* between */
    assert_float_equal(calibration_threshold(&c, 1e-1), 0.15, 1e-6); /* continued to the left */
    assert_float_equal(calibration_threshold(&c, 1e-7), 0.55, 1e-6); /* and to the right */
    assert_float_equal(calibration_threshold(&c, 0.0), 0.95, 1e-6);  /* 1e-15 is the least */
    assert_true(calibration_threshold(&c, 2.0) <= 0.05 + 1e-6);
}

static void test_fmr_is_inverse(void **state)
{
    (void)state;
    struct calibration c = table();
    for (int exponent = -18; exponent <= -2; exponent++) {
        double rate = pow(10.0, 0.5 * exponent);
        double back = calibration_fmr(&c, calibration_threshold(&c, rate));
        assert_true(fabs(log10(back) - log10(rate)) < 1e-6);
    }
    assert_float_equal(calibration_fmr(&c, -1.0), 1.0, 1e-9);
    assert_true(calibration_fmr(&c, 1.0) < 1e-12);
}

static void test_genuine(void **state)
{
    (void)state;
    struct calibration c = table();
    assert_float_equal(calibration_genuine_score(&c, 0.5), 0.7, 1e-6);
    assert_float_equal(calibration_genuine_score(&c, 0.99), 0.4, 1e-6);
    double last = 2;
    for (int percent = 1; percent < 100; percent++) {
        double score = calibration_genuine_score(&c, 0.01 * percent);
        assert_true(score <= last);
        last = score;
    }
    assert_true(calibration_genuine_score(&c, 1.0) >= -1.0);
    assert_true(calibration_genuine_score(&c, 0.0) <= 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_fmr_is_inverse),
        cmocka_unit_test(test_genuine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
