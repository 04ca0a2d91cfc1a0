#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "door/template.h"

static const struct template_values values = {
    .host = "10.0.0.9", .port = 8080, .channel = 3, .seconds = 5, .action = "opendoor"};
static const struct template_values all = {.host = "h", .port = 1, .channel = 0, .seconds = 5, .action = "a"};

static void check(const char *text, enum template_kind kind, const char *expected, size_t size)
{
    struct buffer out;

    buffer_init(&out, TEMPLATE_RESULT_MAX);
    assert_int_equal(template_expand(text, kind, &values, &out, NULL), AIBOX_OK);
    assert_int_equal(out.size, size);
    if (size > 0)
        assert_memory_equal(out.data, expected, size);
    buffer_free(&out);
}

static void check_refused(const char *text, const struct template_values *with, size_t maximum, const char *reason)
{
    struct aibox_error err = {0};
    struct buffer out;

    buffer_init(&out, maximum);
    assert_int_equal(template_expand(text, TEMPLATE_BYTES, with, &out, &err), AIBOX_PARAM);
    if (!strstr(err.message, reason))
        fail_msg("%s: %s", text, err.message);
    buffer_free(&out);
}

#define CHECK_TEXT(text, expected)  check(text, TEMPLATE_TEXT, expected, sizeof(expected) - 1)
#define CHECK_BYTES(text, expected) check(text, TEMPLATE_BYTES, expected, sizeof(expected) - 1)

static void test_placeholders(void **state)
{
    (void)state;
    CHECK_TEXT("http://{host}:{port}/{channel}/{index}?s={seconds}&a={action}",
               "http://10.0.0.9:8080/3/2?s=5&a=opendoor");
    CHECK_TEXT("", "");
    CHECK_TEXT("plain", "plain");
    CHECK_TEXT("{channel}{channel}", "33");
}

static void test_other_braces(void **state)
{
    (void)state;
    CHECK_TEXT("{\"on\":true,\"relay\":{channel}}", "{\"on\":true,\"relay\":3}");
    CHECK_TEXT("{", "{");
    CHECK_TEXT("{}", "{}");
    CHECK_TEXT("{host", "{host");
    CHECK_TEXT("{Host}", "{Host}");
    CHECK_TEXT("{{host}}", "{10.0.0.9}");
    CHECK_TEXT("{host }", "{host }");
}

static void test_escapes(void **state)
{
    (void)state;
    CHECK_BYTES("AT+STACH{channel}=1,{seconds}\\r\\n", "AT+STACH3=1,5\r\n");
    CHECK_BYTES("\\\\\\t", "\\\t");
    CHECK_BYTES("\\x00\\xfF\\xA0", "\x00\xff\xa0");
    CHECK_BYTES("\\x7b{channel}", "{3");
    /* Only for bytes. */
    CHECK_TEXT("a\\r\\q", "a\\r\\q");
}

static void test_refusals(void **state)
{
    (void)state;
    check_refused("{chanel}", &values, 100, "{chanel}");
    check_refused("a{b}", &values, 100, "{b}");
    check_refused("\\q", &values, 100, "escape");
    check_refused("end\\", &values, 100, "escape");
    check_refused("\\x", &values, 100, "escape");
    check_refused("\\x1", &values, 100, "escape");
    check_refused("\\x1g", &values, 100, "escape");
    check_refused("{index}", &all, 100, "{index}");
    check_refused("{host}{host}", &values, 10, "10 bytes");
}

static void test_names_channel(void **state)
{
    (void)state;
    assert_true(template_names_channel("/relay/{index}"));
    assert_true(template_names_channel("{channel}"));
    assert_false(template_names_channel("{host}/index"));
    assert_false(template_names_channel(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placeholders), cmocka_unit_test(test_other_braces),  cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_refusals),     cmocka_unit_test(test_names_channel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
