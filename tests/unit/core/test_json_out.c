#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/json_out.h"

#define MOST 65536

static int begin(void **state)
{
    static struct json_out out;

    json_out_init(&out, MOST);
    *state = &out;
    return 0;
}

static int end(void **state)
{
    json_out_free(*state);
    return 0;
}

static void check(const struct json_out *out, const char *expected)
{
    assert_true(json_out_complete(out));
    assert_string_equal((const char *)out->buffer.data, expected);
}

static void commas_are_put_between_values(void **state)
{
    struct json_out *out = *state;

    json_out_object_begin(out);
    json_out_key(out, "a");
    json_out_array_begin(out);
    json_out_int(out, 1);
    json_out_text(out, "x");
    json_out_object_begin(out);
    json_out_object_end(out);
    json_out_null(out);
    json_out_array_end(out);
    json_out_key_bool(out, "b", true);
    json_out_key_text(out, "c", NULL);
    json_out_key(out, "d");
    json_out_raw(out, "{\"raw\":[]}");
    json_out_key(out, "e");
    json_out_array_begin(out);
    json_out_array_end(out);
    json_out_key_int(out, "f", INT64_MIN);
    json_out_key_float(out, "g", 0.5);
    json_out_object_end(out);
    check(out, "{\"a\":[1,\"x\",{},null],\"b\":true,\"c\":null,\"d\":{\"raw\":[]},\"e\":[],"
               "\"f\":-9223372036854775808,\"g\":0.5}");
}

static void members_join_an_object(void **state)
{
    struct json_out *out = *state;

    json_out_object_begin(out);
    json_out_members(out, "{}");
    json_out_members(out, " { \"a\": 1, \"b\": {} } ");
    json_out_members(out, "{ }");
    json_out_key_int(out, "c", 2);
    json_out_members(out, "{\"d\":3}");
    json_out_object_end(out);
    check(out, "{\"a\": 1, \"b\": {} ,\"c\":2,\"d\":3}");
}

static void members_need_an_object(void **state)
{
    struct json_out *out = *state;

    json_out_array_begin(out);
    json_out_members(out, "{\"a\":1}");
    json_out_array_end(out);
    assert_false(json_out_complete(out));
}

static void text_is_escaped(void **state)
{
    struct json_out *out = *state;

    json_out_text(out, "\"\\/\b\f\n\r\t\x01\x1f\x7f 小赵 \xf0\x9f\x98\x80");
    check(out, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f 小赵 \xf0\x9f\x98\x80\"");
}

static void invalid_utf8_is_replaced(void **state)
{
    struct json_out *out = *state;

    /* A lone continuation, an overlong slash, a surrogate, a character cut short. */
    json_out_text(out, "a\x80"
                       "b\xc0\xaf"
                       "c\xed\xa0\x80"
                       "d\xe5\xb0");
    check(out, "\"a\xef\xbf\xbd"
               "b\xef\xbf\xbd\xef\xbf\xbd"
               "c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
               "d\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void base64_is_written_in_place(void **state)
{
    struct json_out *out = *state;

    json_out_array_begin(out);
    json_out_base64(out, (const uint8_t *)"", 0);
    json_out_base64(out, (const uint8_t *)"f", 1);
    json_out_base64(out, (const uint8_t *)"foobar", 6);
    json_out_array_end(out);
    check(out, "[\"\",\"Zg==\",\"Zm9vYmFy\"]");
}

static void check_float(double value, const char *expected)
{
    struct json_out out;

    json_out_init(&out, MOST);
    json_out_float(&out, value);
    check(&out, expected);
    json_out_free(&out);
}

static void floats_are_short(void **state)
{
    (void)state;
    check_float(0, "0");
    check_float(-0.0, "0");
    check_float(1, "1");
    check_float(-3, "-3");
    check_float((double)0.1F, "0.1");
    check_float(0.1, "0.1");
    check_float((double)0.623F, "0.623");
    check_float((double)-0.05F, "-0.05");
    check_float((double)0.001F, "0.001");
    check_float((double)0.00025F, "0.00025");
    check_float((double)16777216.0F, "16777216");
    check_float(1566016554020.0, "1566016554020");
    check_float((double)123.456F, "123.456");
    check_float((double)99999.95F, "99999.95");
    check_float(250.5, "250.5");
    check_float(1e-10, "1e-10");
    check_float(1e300, "1.0000000000000001e+300");
    check_float((double)NAN, "null");
    check_float((double)INFINITY, "null");
    check_float((double)-INFINITY, "null");
}

/* Fixed pseudo-random numbers (xorshift). */
static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* As few significant digits as "%.*g" needs for the same float. */
static int digits_needed(float value)
{
    char text[40];

    for (int precision = 1; precision < 9; precision++) {
        (void)snprintf(text, sizeof text, "%.*g", precision, (double)value);
        if (strtof(text, NULL) == value)
            return precision;
    }
    return 9;
}

static int significant_digits(const char *text)
{
    int digits = 0;
    int zeros = 0;

    for (; *text && *text != 'e'; text++) {
        if (*text == '0') {
            zeros += digits > 0;
        } else if (*text >= '1' && *text <= '9') {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    return digits;
}

static void floats_read_back(void **state)
{
    uint32_t seed = 2463534242U;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct json_out out;
        float value;
        uint32_t bits = next(&seed);

        if (i % 2)
            value = (float)((double)next(&seed) / 4294967296.0 * (i % 4 == 1 ? 1 : 200));
        else
            memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || value == 0)
            continue;
        json_out_init(&out, MOST);
        json_out_float(&out, (double)value);
        assert_true(json_out_complete(&out));
        if (strtof((const char *)out.buffer.data, NULL) != value)
            fail_msg("%.9g printed as %s", (double)value, (const char *)out.buffer.data);
        if (fabsf(value) < 1e6F && significant_digits((const char *)out.buffer.data) > digits_needed(value))
            fail_msg("%.9g printed as %s", (double)value, (const char *)out.buffer.data);
        json_out_free(&out);
    }
}

static void unbalanced_calls_make_no_document(void **state)
{
    struct json_out out;

    (void)state;
    json_out_init(&out, MOST);
    assert_false(json_out_complete(&out)); /* empty */
    json_out_object_begin(&out);
    assert_false(json_out_complete(&out)); /* open */
    json_out_array_end(&out);
    json_out_object_end(&out);
    assert_false(json_out_complete(&out)); /* closed by the wrong bracket */
    json_out_free(&out);

    json_out_init(&out, MOST);
    json_out_object_begin(&out);
    json_out_int(&out, 1);
    json_out_object_end(&out);
    assert_false(json_out_complete(&out)); /* a value without key */
    json_out_free(&out);

    json_out_init(&out, MOST);
    json_out_object_begin(&out);
    json_out_key(&out, "a");
    json_out_object_end(&out);
    assert_false(json_out_complete(&out)); /* a key without value */
    json_out_free(&out);

    json_out_init(&out, MOST);
    json_out_array_begin(&out);
    json_out_key(&out, "a");
    json_out_int(&out, 1);
    json_out_array_end(&out);
    assert_false(json_out_complete(&out)); /* a key in an array */
    json_out_free(&out);

    json_out_init(&out, MOST);
    json_out_int(&out, 1);
    json_out_int(&out, 2);
    assert_false(json_out_complete(&out)); /* two documents */
    json_out_free(&out);

    json_out_init(&out, MOST);
    for (int i = 0; i < 2 * JSON_OUT_MAX_DEPTH; i++)
        json_out_array_begin(&out);
    for (int i = 0; i < 2 * JSON_OUT_MAX_DEPTH; i++)
        json_out_array_end(&out);
    assert_false(json_out_complete(&out)); /* too deep */
    json_out_free(&out);
}

static void what_does_not_fit_makes_no_document(void **state)
{
    struct json_out out;

    (void)state;
    json_out_init(&out, 10);
    json_out_text(&out, "12345678");
    assert_true(json_out_complete(&out));
    json_out_free(&out);

    json_out_init(&out, 10);
    json_out_text(&out, "123456789");
    assert_false(json_out_complete(&out));
    json_out_free(&out);

    json_out_init(&out, 10);
    json_out_base64(&out, (const uint8_t *)"1234567", 7);
    assert_false(json_out_complete(&out));
    json_out_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commas_are_put_between_values, begin, end),
        cmocka_unit_test_setup_teardown(members_join_an_object, begin, end),
        cmocka_unit_test_setup_teardown(members_need_an_object, begin, end),
        cmocka_unit_test_setup_teardown(text_is_escaped, begin, end),
        cmocka_unit_test_setup_teardown(invalid_utf8_is_replaced, begin, end),
        cmocka_unit_test_setup_teardown(base64_is_written_in_place, begin, end),
        cmocka_unit_test(floats_are_short),
        cmocka_unit_test(floats_read_back),
        cmocka_unit_test(unbalanced_calls_make_no_document),
        cmocka_unit_test(what_does_not_fit_makes_no_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
