/* The blocks that say where reports go: defaults, checks, keeping them, reading while they change. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../store/fixture.h"
#include "flow/report_config.h"

struct bench {
    struct fixture *store;
    struct report_config *config;
};

static int setup(void **state)
{
    static struct bench bench;
    void *store = NULL;

    if (fixture_setup(&store) != 0)
        return -1;
    bench.store = store;
    *state = &bench;
    return report_config_open(bench.store->store, &bench.config, NULL) == AIBOX_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    void *store = bench->store;

    report_config_close(bench->config);
    return fixture_teardown(&store);
}

static void reopen(struct bench *bench)
{
    report_config_close(bench->config);
    fixture_reopen(bench->store);
    assert_int_equal(report_config_open(bench->store->store, &bench->config, NULL), AIBOX_OK);
}

static void read_urls(struct report_urls *urls, const char *first, const char *second)
{
    const char *items[] = {first, second};

    assert_int_equal(report_urls_read("urls", items, second ? 2 : 1, urls, NULL), AIBOX_OK);
}

static void assert_defaults(struct report_config *config)
{
    struct report_realtime realtime;
    struct report_history history;
    struct report_monitor monitor;

    report_config_realtime(config, &realtime);
    assert_int_equal(realtime.urls.count, 0);
    assert_int_equal(realtime.encoding, REPORT_JSON);
    assert_true(realtime.reg_pic && realtime.spot_pic && realtime.face_pic);
    assert_false(realtime.everybody);
    report_config_history(config, &history);
    assert_int_equal(history.urls.count, 0);
    assert_int_equal(history.period_s, 20);
    assert_true(history.reg_pic && history.spot_pic && history.face_pic);
    assert_int_equal(history.from, REPORT_FROM_NOW);
    report_config_monitor(config, &monitor);
    assert_string_equal(monitor.url, "");
    assert_int_equal(monitor.period_s, 20);
}

static void test_defaults(void **state)
{
    assert_defaults(((struct bench *)*state)->config);
}

static void set_all(struct bench *bench)
{
    struct report_realtime realtime = {.encoding = REPORT_FORM_DATA, .spot_pic = true, .everybody = true};
    struct report_history history = {.period_s = 7, .reg_pic = true, .from = REPORT_FROM_OLDEST};
    struct report_monitor monitor = {.url = "http://c/状态", .period_s = 1};

    read_urls(&realtime.urls, "http://a/1", "http://a/2");
    read_urls(&history.urls, "https://b:9528/x?y=z", NULL);
    assert_int_equal(report_config_set_realtime(bench->config, &realtime, NULL), AIBOX_OK);
    assert_int_equal(report_config_set_history(bench->config, &history, NULL), AIBOX_OK);
    assert_int_equal(report_config_set_monitor(bench->config, &monitor, NULL), AIBOX_OK);
}

static void assert_all_set(struct bench *bench)
{
    struct report_realtime realtime;
    struct report_history history;
    struct report_monitor monitor;

    report_config_realtime(bench->config, &realtime);
    assert_int_equal(realtime.urls.count, 2);
    assert_string_equal(realtime.urls.items[0], "http://a/1");
    assert_string_equal(realtime.urls.items[1], "http://a/2");
    assert_int_equal(realtime.encoding, REPORT_FORM_DATA);
    assert_true(!realtime.reg_pic && realtime.spot_pic && !realtime.face_pic && realtime.everybody);
    report_config_history(bench->config, &history);
    assert_int_equal(history.urls.count, 1);
    assert_string_equal(history.urls.items[0], "https://b:9528/x?y=z");
    assert_int_equal(history.encoding, REPORT_JSON);
    assert_int_equal(history.period_s, 7);
    assert_true(history.reg_pic && !history.spot_pic && !history.face_pic);
    assert_int_equal(history.from, REPORT_FROM_OLDEST);
    report_config_monitor(bench->config, &monitor);
    assert_string_equal(monitor.url, "http://c/状态");
    assert_int_equal(monitor.period_s, 1);
}

static void test_in_force_at_once_and_after_a_restart(void **state)
{
    struct bench *bench = *state;

    set_all(bench);
    assert_all_set(bench);
    reopen(bench);
    assert_all_set(bench);
}

static void test_reset_forgets_all(void **state)
{
    struct bench *bench = *state;

    set_all(bench);
    assert_int_equal(report_config_reset(bench->config, NULL), AIBOX_OK);
    assert_defaults(bench->config);
    reopen(bench);
    assert_defaults(bench->config);
}

static void test_lists_of_urls(void **state)
{
    const char *empty[] = {""}, *twice[] = {"http://a", "http://b", "http://a"}, *wrong[] = {"http://a", ""};
    const char *most[REPORT_MAX_URLS + 1];
    char urls_text[REPORT_MAX_URLS + 1][24];
    struct report_urls urls;
    struct aibox_error err;

    (void)state;
    assert_int_equal(report_urls_read("field", NULL, 0, &urls, NULL), AIBOX_OK);
    assert_int_equal(urls.count, 0);
    assert_int_equal(report_urls_read("field", empty, 1, &urls, NULL), AIBOX_OK);
    assert_int_equal(urls.count, 0);
    assert_int_equal(report_urls_read("field", twice, 3, &urls, NULL), AIBOX_OK);
    assert_int_equal(urls.count, 2);
    assert_string_equal(urls.items[1], "http://b");
    assert_int_equal(report_urls_read("field", wrong, 2, &urls, &err), AIBOX_PARAM);
    assert_non_null(strstr(err.message, "field[1]"));
    for (size_t i = 0; i <= REPORT_MAX_URLS; i++) {
        snprintf(urls_text[i], sizeof urls_text[i], "http://h/%zu", i);
        most[i] = urls_text[i];
    }
    assert_int_equal(report_urls_read("field", most, REPORT_MAX_URLS, &urls, NULL), AIBOX_OK);
    assert_int_equal(report_urls_read("field", most, REPORT_MAX_URLS + 1, &urls, &err), AIBOX_PARAM);
    assert_non_null(strstr(err.message, "field"));
}

static void test_a_broken_document_is_as_never_set(void **state)
{
    static const char *const broken[] = {
        "{}",
        "[]",
        "7",
        "{\"urls\": \"http://a\"}",
        "{\"url\": \"nonsense\", \"period_s\": 3}",
        "{\"url\": \"http://a\", \"period_s\": 0}",
        "{\"urls\": [\"ftp://a\"], \"encoding\": \"json\", \"reg_pic\": false, \"spot_pic\": false,"
        " \"face_pic\": false, \"everybody\": true}",
        "{\"urls\": [], \"encoding\": \"xml\", \"period_s\": 9, \"reg_pic\": false, \"spot_pic\": false,"
        " \"face_pic\": false, \"from\": \"oldest\"}",
    };
    static const char *const names[] = {"report.realtime", "report.history", "report.monitor"};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(store_document_put(bench->store->store, names[j], broken[i], NULL), AIBOX_OK);
        reopen(bench);
        assert_defaults(bench->config);
    }
}

struct reader {
    struct report_config *config;
    atomic_bool stop, torn;
};

static void *read_all_the_time(void *arg)
{
    struct reader *reader = arg;
    struct report_history history;

    do {
        report_config_history(reader->config, &history);
        /* Both blocks that are written below keep this. */
        if (history.urls.count > 0 && (history.period_s == 5) != (strcmp(history.urls.items[0], "http://five") == 0))
            atomic_store(&reader->torn, true);
    } while (!atomic_load(&reader->stop));
    return NULL;
}

static void test_readers_see_whole_blocks(void **state)
{
    struct bench *bench = *state;
    struct report_history five = {.period_s = 5}, six = {.period_s = 6};
    struct reader reader = {.config = bench->config};
    pthread_t thread;

    read_urls(&five.urls, "http://five", NULL);
    read_urls(&six.urls, "http://six", NULL);
    assert_int_equal(pthread_create(&thread, NULL, read_all_the_time, &reader), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(report_config_set_history(bench->config, i % 2 ? &six : &five, NULL), AIBOX_OK);
    atomic_store(&reader.stop, true);
    pthread_join(thread, NULL);
    assert_false(atomic_load(&reader.torn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_in_force_at_once_and_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset_forgets_all, setup, teardown),
        cmocka_unit_test(test_lists_of_urls),
        cmocka_unit_test_setup_teardown(test_a_broken_document_is_as_never_set, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readers_see_whole_blocks, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
