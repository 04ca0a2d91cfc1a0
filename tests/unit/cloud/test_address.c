/* Addresses as the platform names them: where they lead, and which of them get to see the token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/address.h"

static const struct address_platform plain = {
    .login_url = "http://xxxx.com/login", .img_server = "", .dev_sno = "SE1", .token = "5c1e"};
static const struct address_platform pictures = {.login_url = "https://user:secret@Platform:9061/a/login?x=1",
                                                 .img_server = "http://img.example/pics/",
                                                 .dev_sno = "SE 1",
                                                 .token = "a+b&c"};

static void expect(const struct address_platform *platform, enum address_use use, const char *text, const char *url)
{
    char *out;
    struct aibox_error err;

    assert_int_equal(address_compose(platform, use, "path", text, &out, &err), AIBOX_OK);
    assert_string_equal(out, url);
    free(out);
}

static void expect_error(const char *text)
{
    char *out;
    struct aibox_error err;

    assert_int_equal(address_compose(&plain, ADDRESS_PLATFORM, "path", text, &out, &err), AIBOX_COMMAND_PARAM);
    assert_null(out);
    assert_non_null(strstr(err.message, "path"));
}

static void a_relative_address_is_put_behind_the_platforms_root(void **state)
{
    (void)state;
    expect(&plain, ADDRESS_PLATFORM, "/getRecord", "http://xxxx.com/getRecord?dev_sno=SE1&token=5c1e");
    expect(&plain, ADDRESS_PLATFORM, "getRecord", "http://xxxx.com/getRecord?dev_sno=SE1&token=5c1e");
    expect(&plain, ADDRESS_PLATFORM, "//getRecord", "http://xxxx.com/getRecord?dev_sno=SE1&token=5c1e");
    expect(&plain, ADDRESS_PLATFORM, " /getRecord \n", "http://xxxx.com/getRecord?dev_sno=SE1&token=5c1e");
    expect(&plain, ADDRESS_PLATFORM, "httpd/x", "http://xxxx.com/httpd/x?dev_sno=SE1&token=5c1e");
    /* port kept, path and query of login_url not, nor its credentials */
    expect(&pictures, ADDRESS_PLATFORM, "/getRecord", "https://Platform:9061/getRecord?dev_sno=SE%201&token=a%2Bb%26c");
}

static void an_absolute_address_is_taken_as_it_is(void **state)
{
    (void)state;
    expect(&plain, ADDRESS_PLATFORM, "https://backup.example/getRecord",
           "https://backup.example/getRecord?dev_sno=SE1&token=5c1e");
    expect(&plain, ADDRESS_PLATFORM, "HTTP://backup.example", "HTTP://backup.example?dev_sno=SE1&token=5c1e");
}

static void parameters_join_a_query_that_is_there(void **state)
{
    (void)state;
    expect(&plain, ADDRESS_PLATFORM, "/a?b=c", "http://xxxx.com/a?b=c&dev_sno=SE1&token=5c1e");
    expect(&plain, ADDRESS_PLATFORM, "/a?", "http://xxxx.com/a?dev_sno=SE1&token=5c1e");
    expect(&plain, ADDRESS_PLATFORM, "/a?b&", "http://xxxx.com/a?b&dev_sno=SE1&token=5c1e");
    expect(&plain, ADDRESS_PLATFORM, "/a#part", "http://xxxx.com/a?dev_sno=SE1&token=5c1e");
}

static void relative_pictures_are_put_behind_the_picture_server_with_its_path(void **state)
{
    (void)state;
    expect(&pictures, ADDRESS_RELATIVE_PICTURE, "/10087.jpg",
           "http://img.example/pics/10087.jpg?dev_sno=SE%201&token=a%2Bb%26c");
    expect(&plain, ADDRESS_RELATIVE_PICTURE, "10087.jpg", "http://xxxx.com/10087.jpg?dev_sno=SE1&token=5c1e");
    struct address_platform relative = plain;
    relative.img_server = "/pics";
    expect(&relative, ADDRESS_RELATIVE_PICTURE, "/1.jpg", "http://xxxx.com/pics/1.jpg?dev_sno=SE1&token=5c1e");
}

static void the_token_goes_to_hosts_of_the_platform_only(void **state)
{
    (void)state;
    expect(&plain, ADDRESS_PICTURE, "http://xxxx.com:80/a.jpg", "http://xxxx.com:80/a.jpg?dev_sno=SE1&token=5c1e");
    expect(&plain, ADDRESS_PICTURE, "http://XXXX.com/a.jpg", "http://XXXX.com/a.jpg?dev_sno=SE1&token=5c1e");
    expect(&plain, ADDRESS_PICTURE, "a.jpg", "http://xxxx.com/a.jpg?dev_sno=SE1&token=5c1e");
    expect(&pictures, ADDRESS_PICTURE, "http://img.example/x.jpg",
           "http://img.example/x.jpg?dev_sno=SE%201&token=a%2Bb%26c");
    /* elsewhere: another port, another scheme's port, another host, one that only looks alike */
    static const char *const elsewhere[] = {
        "http://xxxx.com:8080/a.jpg",     "https://xxxx.com/a.jpg",
        "http://xxxx.com.evil/a.jpg",     "http://xxxx.com@evil/a.jpg",
        "http://store/a.jpg?Signature=x", "http://xxxx.com:80@evil:80/a.jpg?u=http://xxxx.com",
    };
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
        expect(&plain, ADDRESS_PICTURE, elsewhere[i], elsewhere[i]);
        expect(&plain, ADDRESS_RELATIVE_PICTURE, elsewhere[i], elsewhere[i]);
    }
}

static void what_no_url_may_hold_is_encoded(void **state)
{
    (void)state;
    expect(&plain, ADDRESS_PICTURE, "http://store/a b/\xe5\xb0\x8f.jpg?k=%20",
           "http://store/a%20b/%E5%B0%8F.jpg?k=%20");
    expect(&plain, ADDRESS_RELATIVE_PICTURE, "/x\r\nHost: y",
           "http://xxxx.com/x%0D%0AHost:%20y?dev_sno=SE1&token=5c1e");
}

static void what_makes_no_url_is_refused(void **state)
{
    char *out;
    char *longest = calloc(1, ADDRESS_MAX + 8);

    (void)state;
    expect_error("");
    expect_error("  ");
    expect_error("http://");
    expect_error("http:///path");
    expect_error("http://host:99999/");
    memset(longest, 'a', ADDRESS_MAX + 1);
    expect_error(longest);
    free(longest);
    assert_int_equal(address_origin("ftp://host/", &out, NULL), AIBOX_COMMAND_PARAM);
    assert_null(out);
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    static const char *const pairs[][2] = {{"http://Host/a", "http://host:80"},
                                           {"HTTPS://host?x", "https://host:443"},
                                           {"http://u:p@host:81/", "http://host:81"},
                                           {"http://[::1]:5/x", "http://[::1]:5"}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char *out;
        assert_int_equal(address_origin(pairs[i][0], &out, NULL), AIBOX_OK);
        assert_string_equal(out, pairs[i][1]);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relative_address_is_put_behind_the_platforms_root),
        cmocka_unit_test(an_absolute_address_is_taken_as_it_is),
        cmocka_unit_test(parameters_join_a_query_that_is_there),
        cmocka_unit_test(relative_pictures_are_put_behind_the_picture_server_with_its_path),
        cmocka_unit_test(the_token_goes_to_hosts_of_the_platform_only),
        cmocka_unit_test(what_no_url_may_hold_is_encoded),
        cmocka_unit_test(what_makes_no_url_is_refused),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
