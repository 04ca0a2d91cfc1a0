/* What counts as a web address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/url.h"

static void test_good_urls(void **state)
{
    static const char *const good[] = {
        "http://a",
        "http://10.0.0.7:9528/RealTimeEvent",
        "https://box.example/a/b?c=d&e=%20f",
        "HTTP://Box.Example",
        "http://[fe80::1]:80/x",
        "http://user:password@host/x",
        "http://主机.example/路径",
        "http://host:65535",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(url_check("url", good[i], NULL), AIBOX_OK);
}

static void test_wrong_urls(void **state)
{
    static const char *const wrong[] = {
        "",           "host",           "//host/x",     "http:/host",      "http:host",        "http:///host",
        "http://",    "http://:80/",    "http://?x",    "ftp://host/x",    "file:///etc/x",    "http://host:65536",
        "http://h#f", "http://h/#",     "http://a b/",  "http://host/a b", " http://host",     "http://host ",
        "http://h\n", "http://h/a\x7f", "javascript:x", "http://[::1",     "http://host:port", "http://user@",
    };
    struct aibox_error err;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (url_check("some_url", wrong[i], &err) != AIBOX_PARAM)
            fail_msg("taken: \"%s\"", wrong[i]);
        assert_non_null(strstr(err.message, "some_url"));
    }
}

static void test_length(void **state)
{
    char url[URL_MAX + 2];

    (void)state;
    memset(url, 'a', sizeof url);
    memcpy(url, "http://h/", strlen("http://h/"));
    url[URL_MAX + 1] = '\0';
    assert_int_equal(url_check("url", url, NULL), AIBOX_PARAM);
    url[URL_MAX] = '\0';
    assert_int_equal(url_check("url", url, NULL), AIBOX_OK);
}

static void test_a_password_is_not_repeated(void **state)
{
    struct aibox_error err;

    (void)state;
    assert_int_equal(url_check("url", "http://user:geheim@host/#x", &err), AIBOX_PARAM);
    assert_null(strstr(err.message, "geheim"));
}

static void test_what_is_shown_hides_the_password(void **state)
{
    static const char *const pairs[][2] = {
        {"http://user:geheim@host:8080/p?q=a@b", "http://***@host:8080/p?q=a@b"},
        {"http://host/p@q?r=s@t", "http://host/p@q?r=s@t"},
        {"http://a@b@host", "http://***@host"},
        {"http://host?a@b", "http://host?a@b"},
        {"nonsense", "nonsense"},
    };
    char shown[64];

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        url_show(pairs[i][0], shown, sizeof shown);
        assert_string_equal(shown, pairs[i][1]);
    }
    url_show("http://user:geheim@host/", shown, 8);
    assert_string_equal(shown, "http://");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_urls),
        cmocka_unit_test(test_wrong_urls),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_a_password_is_not_repeated),
        cmocka_unit_test(test_what_is_shown_hides_the_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
