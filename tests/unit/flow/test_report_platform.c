/* The platform's report addresses beside those of the blocks: merged, kept without tokens, renewed by each login. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../store/fixture.h"
#include "flow/report_config.h"

struct bench {
    struct fixture *store;
    struct report_config *config;
    struct report_platform *login;
    int changes;
};

static void on_change(void *ctx)
{
    ((struct bench *)ctx)->changes++;
}

static void open_config(struct bench *bench)
{
    assert_int_equal(report_config_open(bench->store->store, &bench->config, NULL), AIBOX_OK);
    report_config_listen(bench->config, on_change, bench);
}

static int setup(void **state)
{
    static struct bench bench;
    void *store = NULL;

    if (fixture_setup(&store) != 0)
        return -1;
    bench = (struct bench){.store = store, .login = calloc(1, sizeof *bench.login)};
    *state = &bench;
    open_config(&bench);
    return bench.login ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    void *store = bench->store;

    free(bench->login);
    report_config_close(bench->config);
    return fixture_teardown(&store);
}

static void set_address(struct report_address *address, const char *identity, const char *token)
{
    (void)snprintf(address->identity, sizeof address->identity, "%s", identity);
    (void)snprintf(address->url, sizeof address->url, "%s?token=%s", identity, token);
}

/* A login that names everything but the list of devices. */
static void log_in(struct bench *bench, const char *token)
{
    struct report_platform *login = bench->login;

    login->n_history = 2;
    set_address(&login->history[0], "http://p/one", token);
    set_address(&login->history[1], "http://p/two", token);
    login->history_period_s = 5;
    login->spot_pic = true;
    login->info = true;
    set_address(&login->device_info, "http://p/device", token);
    set_address(&login->monitor, "http://p/monitor", token);
    login->monitor_period_s = 30;
    report_config_set_platform(bench->config, login);
}

static void set_block(struct bench *bench, const char *first, const char *second)
{
    struct report_history block = {
        .encoding = REPORT_FORM_DATA, .period_s = 7, .reg_pic = true, .face_pic = true, .from = REPORT_FROM_NOW};
    const char *urls[] = {first, second};

    assert_int_equal(report_urls_read("urls", urls, second ? 2 : 1, &block.urls, NULL), AIBOX_OK);
    assert_int_equal(report_config_set_history(bench->config, &block, NULL), AIBOX_OK);
}

static void assert_history(struct bench *bench, size_t i, const char *identity, const char *url)
{
    struct report_target *target = malloc(sizeof *target), *found = malloc(sizeof *found);

    assert_true(report_config_history_target(bench->config, i, target));
    assert_string_equal(target->address.identity, identity);
    assert_string_equal(target->address.url, url);
    assert_true(report_config_find_history(bench->config, identity, found));
    assert_memory_equal(found->address.url, target->address.url, strlen(url) + 1);
    free(target);
    free(found);
}

static void assert_no_history(struct bench *bench, size_t i)
{
    struct report_target *target = malloc(sizeof *target);

    assert_false(report_config_history_target(bench->config, i, target));
    free(target);
}

static void test_both_are_sent_to(void **state)
{
    struct bench *bench = *state;
    struct report_target target;

    set_block(bench, "http://mine/", NULL);
    log_in(bench, "t1");
    assert_int_equal(bench->changes, 2);
    assert_history(bench, 0, "http://mine/", "http://mine/");
    assert_history(bench, 1, "http://p/one", "http://p/one?token=t1");
    assert_history(bench, 2, "http://p/two", "http://p/two?token=t1");
    assert_no_history(bench, 3);
    assert_true(report_config_find_history(bench->config, "http://mine/", &target));
    assert_int_equal(target.period_s, 7);
    assert_int_equal(target.encoding, REPORT_FORM_DATA);
    assert_true(target.reg_pic && !target.spot_pic && target.face_pic && !target.info);
    assert_int_equal(target.from, REPORT_FROM_NOW);
    assert_true(report_config_find_history(bench->config, "http://p/two", &target));
    assert_int_equal(target.period_s, 5);
    assert_int_equal(target.encoding, REPORT_JSON);
    assert_true(!target.reg_pic && target.spot_pic && !target.face_pic && target.info);
    assert_int_equal(target.from, REPORT_FROM_OLDEST);
}

static void test_an_address_that_both_name_is_one(void **state)
{
    struct bench *bench = *state;
    struct report_target target;
    struct report_monitor monitor = {.url = "http://p/monitor", .period_s = 3};

    set_block(bench, "http://p/two", "http://mine/");
    log_in(bench, "t1");
    assert_history(bench, 0, "http://p/two", "http://p/two?token=t1");
    assert_history(bench, 1, "http://mine/", "http://mine/");
    assert_history(bench, 2, "http://p/one", "http://p/one?token=t1");
    assert_no_history(bench, 3);
    assert_true(report_config_find_history(bench->config, "http://p/two", &target));
    assert_int_equal(target.period_s, 7);
    assert_true(target.reg_pic && target.info);
    assert_int_equal(report_config_set_monitor(bench->config, &monitor, NULL), AIBOX_OK);
    assert_true(report_config_monitor_target(bench->config, 0, &target));
    assert_string_equal(target.address.url, "http://p/monitor?token=t1");
    assert_int_equal(target.period_s, 3);
    assert_false(report_config_monitor_target(bench->config, 1, &target));
}

static void test_the_status_has_two_receivers_at_most(void **state)
{
    struct bench *bench = *state;
    struct report_monitor monitor = {.url = "http://mine/", .period_s = 3};
    struct report_target target;

    assert_false(report_config_monitor_target(bench->config, 0, &target));
    log_in(bench, "t1");
    assert_true(report_config_monitor_target(bench->config, 0, &target));
    assert_string_equal(target.address.identity, "http://p/monitor");
    assert_int_equal(target.period_s, 30);
    assert_int_equal(report_config_set_monitor(bench->config, &monitor, NULL), AIBOX_OK);
    assert_true(report_config_monitor_target(bench->config, 0, &target));
    assert_string_equal(target.address.url, "http://mine/");
    assert_true(report_config_monitor_target(bench->config, 1, &target));
    assert_false(report_config_monitor_target(bench->config, 2, &target));
    assert_true(report_config_find_monitor(bench->config, "http://p/monitor", &target));
    assert_false(report_config_find_monitor(bench->config, "http://other/", &target));
}

static void test_a_login_renews_the_token_alone(void **state)
{
    struct bench *bench = *state;
    struct report_address address;
    bool list;

    log_in(bench, "t1");
    log_in(bench, "t2");
    assert_int_equal(bench->changes, 2);
    assert_history(bench, 0, "http://p/one", "http://p/one?token=t2");
    assert_no_history(bench, 2);
    assert_true(report_config_devices(bench->config, &address, &list));
    assert_string_equal(address.url, "http://p/device?token=t2");
    assert_false(list);
    set_address(&bench->login->device_list, "http://p/list", "t3");
    log_in(bench, "t3");
    assert_true(report_config_devices(bench->config, &address, &list));
    assert_string_equal(address.identity, "http://p/list");
    assert_true(list);
}

static void test_identities_are_kept_without_tokens(void **state)
{
    struct bench *bench = *state;
    struct report_address address;
    struct report_target target;
    bool list;

    log_in(bench, "SECRET");
    report_config_close(bench->config);
    fixture_reopen(bench->store);
    assert_int_equal(fixture_files_with(bench->store, "SECRET", 6), 0);
    open_config(bench);
    assert_history(bench, 0, "http://p/one", "");
    assert_history(bench, 1, "http://p/two", "");
    assert_true(report_config_devices(bench->config, &address, &list));
    assert_string_equal(address.identity, "http://p/device");
    assert_string_equal(address.url, "");
    /* The status is of the moment: nothing waits for the next login. */
    assert_false(report_config_monitor_target(bench->config, 0, &target));
    /* An address of the block doesn't wait either. */
    set_block(bench, "http://p/one", NULL);
    assert_history(bench, 0, "http://p/one", "http://p/one");
    log_in(bench, "t2");
    assert_history(bench, 1, "http://p/two", "http://p/two?token=t2");
    report_config_set_platform(bench->config, NULL);
    assert_no_history(bench, 1);
    assert_false(report_config_devices(bench->config, &address, &list));
    report_config_close(bench->config);
    fixture_reopen(bench->store);
    open_config(bench);
    assert_no_history(bench, 1);
}

static void test_what_was_kept_may_be_broken(void **state)
{
    static const char *const broken[] = {"{}", "[]", "{\"history\": [7], \"device_info\": \"\", \"device_list\": \"\"}",
                                         "{\"history\": [\"http://p/\"], \"device_info\": \"\", \"device_list\": 7}"};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        assert_int_equal(store_document_put(bench->store->store, "report.platform", broken[i], NULL), AIBOX_OK);
        report_config_close(bench->config);
        open_config(bench);
        assert_no_history(bench, 0);
    }
}

static void test_doubles_and_wild_periods(void **state)
{
    struct bench *bench = *state;
    struct report_target target;

    bench->login->n_history = 3;
    set_address(&bench->login->history[0], "http://p/one", "t");
    set_address(&bench->login->history[1], "http://p/one", "t");
    set_address(&bench->login->history[2], "http://p/two", "t");
    bench->login->history_period_s = -3;
    set_address(&bench->login->monitor, "http://p/monitor", "t");
    bench->login->monitor_period_s = 1 << 30;
    report_config_set_platform(bench->config, bench->login);
    assert_history(bench, 1, "http://p/two", "http://p/two?token=t");
    assert_no_history(bench, 2);
    assert_true(report_config_history_target(bench->config, 0, &target));
    assert_int_equal(target.period_s, 1);
    assert_true(report_config_monitor_target(bench->config, 0, &target));
    assert_int_equal(target.period_s, REPORT_MAX_PERIOD_S);
}

#define WITH_CONFIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONFIG(test_both_are_sent_to),
        WITH_CONFIG(test_an_address_that_both_name_is_one),
        WITH_CONFIG(test_the_status_has_two_receivers_at_most),
        WITH_CONFIG(test_a_login_renews_the_token_alone),
        WITH_CONFIG(test_identities_are_kept_without_tokens),
        WITH_CONFIG(test_what_was_kept_may_be_broken),
        WITH_CONFIG(test_doubles_and_wild_periods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
