/* The headers Authorization and Cookie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/credential.h"

static void test_schemes(void **state)
{
    struct credential out;

    (void)state;
    assert_int_equal(credential_read(NULL, &out), CREDENTIAL_NONE);
    assert_int_equal(credential_read("  ", &out), CREDENTIAL_NONE);
    assert_int_equal(credential_read("bearer  abc  ", &out), CREDENTIAL_BEARER);
    assert_int_equal(out.token_size, 3);
    assert_memory_equal(out.token, "abc", 3);
    assert_int_equal(credential_read("BASIC YTpiOmM=", &out), CREDENTIAL_BASIC);
    assert_string_equal(out.name, "a");
    assert_string_equal(out.password, "b:c");
    assert_int_equal(credential_read("Basic YTo", &out), CREDENTIAL_BASIC);
    assert_string_equal(out.password, "");
    assert_int_equal(credential_read("Basic YWJj", &out), CREDENTIAL_BAD);     /* no colon */
    assert_int_equal(credential_read("Basic YQA6Yg==", &out), CREDENTIAL_BAD); /* a NUL */
    assert_int_equal(credential_read("Basic !", &out), CREDENTIAL_BAD);
    assert_int_equal(credential_read("Bearer", &out), CREDENTIAL_BAD);
    assert_int_equal(credential_read("Digest x", &out), CREDENTIAL_BAD);
}

static void test_basic_is_bounded(void **state)
{
    struct credential out;
    char header[4096] = "Basic ";

    (void)state;
    memset(header + 6, 'Q', 3000);
    assert_int_equal(credential_read(header, &out), CREDENTIAL_BAD);
    header[6 + 1024] = '\0'; /* 768 bytes without a colon */
    assert_int_equal(credential_read(header, &out), CREDENTIAL_BAD);
}

static void check_cookie(const char *header, const char *expected)
{
    size_t size;
    const char *value = credential_find_cookie(header, "s", &size);

    if (!expected) {
        assert_null(value);
        return;
    }
    assert_non_null(value);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(value, expected, size);
}

static void test_cookies(void **state)
{
    (void)state;
    check_cookie(NULL, NULL);
    check_cookie("", NULL);
    check_cookie("s", NULL);
    check_cookie("ss=1; x=s=2", NULL);
    check_cookie("s=1", "1");
    check_cookie("a=b;s=12 ; s=3", "12");
    check_cookie(";;  s=", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_basic_is_bounded),
        cmocka_unit_test(test_cookies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
