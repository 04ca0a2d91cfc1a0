#include "check.h"

#include "metrics.h"

static const char text[] = "# HELP aibox_threshold Score.\n"
                           "# TYPE aibox_threshold gauge\n"
                           "aibox_threshold 0.4625\n"
                           "aibox_info{version=\"0.1.0\",model_set=\"fr-1/0123\"} 1\n"
                           "lat_bucket{stage=\"a\",le=\"0.01\"} 10\n"
                           "lat_bucket{stage=\"a\",le=\"0.02\"} 30\n"
                           "lat_bucket{stage=\"a\",le=\"+Inf\"} 40\n"
                           "lat_sum{stage=\"a\"} 1.5\n"
                           "lat_count{stage=\"a\"} 40\n"
                           "lat_bucket{stage=\"b\",le=\"0.01\"} 0\n"
                           "lat_bucket{stage=\"b\",le=\"+Inf\"} 0\n"
                           "lat_count{stage=\"b\"} 0\n";

static void test_value(void **state)
{
    double value;
    (void)state;
    assert_true(metrics_value(text, "aibox_threshold", "", &value));
    assert_float_equal(value, 0.4625, 1e-9);
    assert_true(metrics_value(text, "lat_sum", "stage=\"a\"", &value));
    assert_float_equal(value, 1.5, 1e-9);
    assert_false(metrics_value(text, "aibox_thresh", "", &value));
    assert_false(metrics_value(text, "threshold", "", &value));
    assert_false(metrics_value("", "a", "", &value));
}

static void test_quantile(void **state)
{
    double value;
    (void)state;
    assert_true(metrics_quantile(text, "lat", "stage=\"a\"", 0.125, &value)); /* 5 of 10 */
    assert_float_equal(value, 0.005, 1e-9);
    assert_true(metrics_quantile(text, "lat", "stage=\"a\"", 0.5, &value)); /* the 20th: half way */
    assert_float_equal(value, 0.015, 1e-9);
    assert_true(metrics_quantile(text, "lat", "stage=\"a\"", 0.99, &value)); /* beyond the last limit */
    assert_float_equal(value, 0.02, 1e-9);
    assert_false(metrics_quantile(text, "lat", "stage=\"b\"", 0.5, &value));
    assert_false(metrics_quantile(text, "lat", "stage=\"c\"", 0.5, &value));
}

static void test_label(void **state)
{
    char value[16], tiny[4];
    (void)state;
    assert_true(metrics_label(text, "model_set", value, sizeof value));
    assert_string_equal(value, "fr-1/0123");
    assert_false(metrics_label(text, "model_set", tiny, sizeof tiny));
    assert_false(metrics_label(text, "absent", value, sizeof value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_value), cmocka_unit_test(test_quantile),
                                       cmocka_unit_test(test_label)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
