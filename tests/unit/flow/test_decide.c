/* The decision table, branch by branch, and visiting times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "flow/flow_internal.h"

static struct decide_facts good(void)
{
    return (struct decide_facts){.quality_pass = true,
                                 .liveness_judged = true,
                                 .live = 0.9f,
                                 .live_threshold = 0.5f,
                                 .verdict = STORE_KNOWN,
                                 .person_type = 1,
                                 .permitted = true,
                                 .time_permitted = true};
}

static void test_verdict_bands(void **state)
{
    (void)state;
    assert_int_equal(decide_verdict(0.60f, 0.30f, 0.50f), STORE_KNOWN);
    assert_int_equal(decide_verdict(0.50f, 0.05f, 0.50f), STORE_KNOWN);
    assert_int_equal(decide_verdict(0.60f, 0.04f, 0.50f), STORE_UNCERTAIN);
    assert_int_equal(decide_verdict(0.46f, 0.30f, 0.50f), STORE_UNCERTAIN);
    assert_int_equal(decide_verdict(0.44f, 0.30f, 0.50f), STORE_UNKNOWN);
    assert_int_equal(decide_verdict(0, 0, 0.50f), STORE_UNKNOWN);
}

static void test_each_branch(void **state)
{
    (void)state;
    struct decide_facts facts = good();
    assert_int_equal(decide(&facts), FLOW_PASSED);
    facts.permitted = false;
    assert_int_equal(decide(&facts), FLOW_NO_PERMISSION);
    facts.passmode = DECIDE_ALLPASS;
    assert_int_equal(decide(&facts), FLOW_PASSED);
    facts = good();
    facts.time_permitted = false;
    assert_int_equal(decide(&facts), FLOW_NO_PERMISSION);
    facts = good();
    facts.passmode = DECIDE_ALLFORBIDDEN;
    assert_int_equal(decide(&facts), FLOW_NO_PERMISSION);
    facts = good();
    facts.person_type = 3;
    assert_int_equal(decide(&facts), FLOW_BLACKLISTED);
    facts.passmode = DECIDE_ALLPASS; /* nobody gets past the blacklist */
    assert_int_equal(decide(&facts), FLOW_BLACKLISTED);
    facts.verdict = STORE_UNCERTAIN;
    assert_int_equal(decide(&facts), FLOW_UNCERTAIN);
    facts.verdict = STORE_UNKNOWN;
    assert_int_equal(decide(&facts), FLOW_STRANGER);
    facts.live = 0.4f;
    assert_int_equal(decide(&facts), FLOW_LIVENESS);
    facts.quality_pass = false;
    assert_int_equal(decide(&facts), FLOW_LOW_QUALITY);
}

static void test_liveness_that_is_no_number_never_passes(void **state)
{
    (void)state;
    struct decide_facts facts = good();
    facts.live = __builtin_nanf("");
    assert_int_equal(decide(&facts), FLOW_LIVENESS);
    facts.liveness_judged = false;
    assert_int_equal(decide(&facts), FLOW_PASSED);
}

struct visit {
    const char *info;
    int64_t now_ms;
    bool valid, unreadable;
};

static void test_visiting_times(void **state)
{
    (void)state;
    setenv("TZ", "Asia/Shanghai", 1);
    tzset();
    /* 2026-03-01 09:00 in Shanghai is 01:00 UTC = 1772326800 s. */
    static const int64_t nine = INT64_C(1772326800000);
    static const struct visit visits[] = {
        {"{}", nine, true, false},
        {"{\"ext_info\":{\"startTime\":\"2026-03-01 09:00\",\"endTime\":\"2026-03-01 10:00:00\"}}", nine, true, false},
        {"{\"ext_info\":{\"startTime\":\"2026-03-01 09:00\"}}", nine - 1, false, false},
        {"{\"ext_info\":{\"endTime\":\"2026-03-01 09:00\"}}", nine, true, false},
        {"{\"ext_info\":{\"endTime\":\"2026-03-01 09:00\"}}", nine + 1, false, false},
        {"{\"startTime\":1772326800,\"endTime\":1772326801000}", nine + 500, true, false},
        {"{\"startTime\":\"1772326800\",\"endTime\":\"1772326801\"}", nine + 1001, false, false},
        {"{\"ext_info\":{\"startTime\":null}}", nine, true, false},
        {"{\"ext_info\":{\"startTime\":\"\"}}", nine, false, true},
        {"{\"ext_info\":{\"startTime\":\"tomorrow\"}}", nine, false, true},
        {"{\"ext_info\":{\"startTime\":\"2026-02-31 09:00\"}}", nine, false, true},
        {"{\"ext_info\":{\"startTime\":\"2026-03-01 09:00 or so\"}}", nine, false, true},
        {"{\"ext_info\":{\"startTime\":true}}", nine, false, true},
        {"{\"ext_info\":{\"startTime\":-5}}", nine, false, true},
        {"{\"ext_info\":{\"startTime\":\"99999999999999999999\"}}", nine, false, true},
    };
    for (size_t i = 0; i < sizeof visits / sizeof visits[0]; i++) {
        bool unreadable;
        bool valid = decide_visit_valid(visits[i].info, visits[i].now_ms, &unreadable);
        if (valid != visits[i].valid || unreadable != visits[i].unreadable)
            fail_msg("visit %zu: valid %d unreadable %d", i, valid, unreadable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict_bands),
        cmocka_unit_test(test_each_branch),
        cmocka_unit_test(test_liveness_that_is_no_number_never_passes),
        cmocka_unit_test(test_visiting_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
