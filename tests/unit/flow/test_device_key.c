/* Addresses and stream URLs: what is taken, what is shown of it, and passwords that come back as ***. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/device_key.h"

static void expect_text(char *text, const char *wanted)
{
    assert_non_null(text);
    assert_string_equal(text, wanted);
    free(text);
}

static void test_addresses(void **state)
{
    static const char *const good[][2] = {
        {"192.168.1.25", "192.168.1.25"}, {"127.0.0.1", "127.0.0.1"},         {"::ffff:10.0.0.1", "10.0.0.1"},
        {"fe80::1", "fe80::1"},           {"2001:DB8:0:0::1", "2001:db8::1"},
    };
    static const char *const bad[] = {"",      "10.0.0",          "10.0.0.256", "010.0.0.1", "0.0.0.0",
                                      "::",    "a.b.c.d",         "224.0.0.1",  "ff02::1",   " 10.0.0.1",
                                      "[::1]", "255.255.255.255", "10.0.0.1 "};
    char out[INET6_ADDRSTRLEN];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(device_address(good[i][0], out));
        assert_string_equal(out, good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(device_address(bad[i], out));
    assert_true(device_host_valid("relay-1.site_2.local"));
    assert_true(device_host_valid("fe80::1"));
    assert_false(device_host_valid(""));
    assert_false(device_host_valid("10.0.0"));
    assert_false(device_host_valid("a b"));
    assert_false(device_host_valid("-a"));
    assert_false(device_host_valid("a/b"));
}

struct row {
    const char *url, *shown, *public, *host;
};

static const struct row rows[] = {
    {"rtsp://10.0.0.1", "rtsp://10.0.0.1", "rtsp://10.0.0.1", "10.0.0.1"},
    {"rtsp://admin:pw@10.0.0.1:554/ch1?a=b", "rtsp://admin:***@10.0.0.1:554/ch1?a=b", "rtsp://10.0.0.1:554/ch1?a=b",
     "10.0.0.1"},
    {"rtsp://admin@10.0.0.1/", "rtsp://admin@10.0.0.1/", "rtsp://10.0.0.1/", "10.0.0.1"},
    {"rtsp://admin:@10.0.0.1/", "rtsp://admin:***@10.0.0.1/", "rtsp://10.0.0.1/", "10.0.0.1"},
    {"rtsps://u:p@ss:w@Cam.Local/s", "rtsps://u:***@Cam.Local/s", "rtsps://Cam.Local/s", "cam.local"},
    {"RTSP://u:p@[FE80::1]:8554/s", "RTSP://u:***@[FE80::1]:8554/s", "RTSP://[FE80::1]:8554/s", "fe80::1"},
    {"rtsp://[::ffff:10.0.0.1]/s", "rtsp://[::ffff:10.0.0.1]/s", "rtsp://[::ffff:10.0.0.1]/s", "10.0.0.1"},
    {"rtsp://h:554/user=admin_password=a_b_channel=1_stream=0.sdp",
     "rtsp://h:554/user=admin_password=***_channel=1_stream=0.sdp",
     "rtsp://h:554/user=admin_password=***_channel=1_stream=0.sdp", "h"},
    {"rtsp://h/live?user=a&PWD=x%40y&ch=2", "rtsp://h/live?user=a&PWD=***&ch=2", "rtsp://h/live?user=a&PWD=***&ch=2",
     "h"},
    {"rtsp://h/live?pass=&passwd=q", "rtsp://h/live?pass=&passwd=***", "rtsp://h/live?pass=&passwd=***", "h"},
    {"rtsp://h/compass=1/bypass=2", "rtsp://h/compass=1/bypass=2", "rtsp://h/compass=1/bypass=2", "h"},
};

static void test_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(device_url_check(rows[i].url, NULL), AIBOX_OK);
        expect_text(device_url_shown(rows[i].url), rows[i].shown);
        expect_text(device_url_public(rows[i].url), rows[i].public);
        expect_text(device_url_host(rows[i].url), rows[i].host);
    }
}

static void test_what_is_no_url(void **state)
{
    static const char *const bad[] = {"",
                                      "10.0.0.1",
                                      "ftp://10.0.0.1/",
                                      "file:///etc/passwd",
                                      "http:///video",
                                      "concat:http://10.0.0.1/",
                                      "rtsp://",
                                      "rtsp:///ch1",
                                      "rtsp://u:p@/ch1",
                                      "rtsp://10.0.0.1:0/",
                                      "rtsp://10.0.0.1:65536/",
                                      "rtsp://10.0.0.1:x/",
                                      "rtsp://10.0.0.1:/",
                                      "rtsp://10.0.0.999/",
                                      "rtsp://[10.0.0.1]/",
                                      "rtsp://[::1/",
                                      "rtsp://[::1]x/",
                                      "rtsp://fe80::1/",
                                      "rtsp://a b/",
                                      "rtsp://a/b c",
                                      "rtsp://a/\n",
                                      "rtsp://admin:12/34@10.0.0.1/"};
    struct aibox_error err;
    char url[DEVICE_URL_MAX + 2];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(device_url_check(bad[i], &err), AIBOX_PARAM);
        assert_null(strstr(err.message, "12/34"));
    }
    memset(url, 'a', sizeof url);
    memcpy(url, "rtsp://a/", 9);
    url[DEVICE_URL_MAX + 1] = '\0';
    assert_int_equal(device_url_check(url, &err), AIBOX_PARAM);
    url[DEVICE_URL_MAX] = '\0';
    assert_int_equal(device_url_check(url, &err), AIBOX_OK);
}

static void test_passwords_come_back(void **state)
{
    static const char stored[] = "rtsp://admin:s:e@cret@10.0.0.1:554/ch1";
    static const char in_path[] = "rtsp://u:one@10.0.0.1/user=u_password=two_channel=1";
    static const struct {
        const char *given, *stored, *wanted; /* wanted NULL: refused */
    } table[] = {
        {"rtsp://admin:***@10.0.0.1:554/ch1", stored, stored},
        {"rtsp://admin:***@10.0.0.1:554/ch2", stored, "rtsp://admin:s:e@cret@10.0.0.1:554/ch2"},
        {"rtsp://admin:new@10.0.0.1:554/ch1", stored, "rtsp://admin:new@10.0.0.1:554/ch1"},
        {"rtsp://10.0.0.1:554/ch1", stored, "rtsp://10.0.0.1:554/ch1"},
        {"rtsp://admin:***@10.0.0.2:554/ch1", stored, NULL},
        {"rtsp://admin:***@10.0.0.1:555/ch1", stored, NULL},
        {"rtsp://admin:***@10.0.0.1/ch1", stored, NULL},
        {"rtsp://root:***@10.0.0.1:554/ch1", stored, NULL},
        {"rtsp://admin:***@10.0.0.1:554/ch1", "rtsp://admin@10.0.0.1:554/ch1", NULL},
        {"rtsp://admin:***@10.0.0.1:554/ch1", NULL, NULL},
        {"rtsp://admin:***@10.0.0.1:554/ch1", "10.0.0.1", NULL},
        {"rtsp://u:***@10.0.0.1/user=u_password=***_channel=1", in_path, in_path},
        {"rtsp://u:***@10.0.0.1/user=u_password=***_channel=2", in_path, NULL},
        {"rtsp://u:***@10.0.0.1/user=u_password=new_channel=2", in_path,
         "rtsp://u:one@10.0.0.1/user=u_password=new_channel=2"},
        {"rtsp://x:y@10.0.0.1/user=u_password=***_channel=1", in_path,
         "rtsp://x:y@10.0.0.1/user=u_password=two_channel=1"},
        {"not a URL", stored, NULL},
    };
    struct aibox_error err;
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char *out;
        enum aibox_status status = device_url_restore(table[i].given, table[i].stored, &out, &err);
        assert_int_equal(status, table[i].wanted != NULL ? AIBOX_OK : AIBOX_PARAM);
        if (table[i].wanted != NULL)
            expect_text(out, table[i].wanted);
        else
            assert_null(out);
        assert_null(strstr(err.message, "cret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_what_is_no_url),
        cmocka_unit_test(test_passwords_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
