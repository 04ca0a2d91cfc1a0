#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/form.h"
#include "api/header_value.h"

struct parsed {
    struct arena arena;
    struct form form;
    char *text;
    enum aibox_status status;
    struct aibox_error err;
};

/* Parses a copy of `text`; `boundary` NULL: urlencoded. */
static struct parsed *parse_bytes(const char *text, size_t size, const char *boundary)
{
    struct parsed *parsed = calloc(1, sizeof *parsed);

    assert_non_null(parsed);
    arena_init(&parsed->arena);
    parsed->text = malloc(size + 1);
    assert_non_null(parsed->text);
    memcpy(parsed->text, text, size);
    parsed->text[size] = '\0';
    parsed->status =
        boundary ? form_parse_multipart(&parsed->arena, parsed->text, size, boundary, &parsed->form, &parsed->err)
                 : form_parse_urlencoded(&parsed->arena, parsed->text, size, &parsed->form, &parsed->err);
    return parsed;
}

static struct parsed *parse(const char *text, const char *boundary)
{
    return parse_bytes(text, strlen(text), boundary);
}

static void done(struct parsed *parsed)
{
    arena_free(&parsed->arena);
    free(parsed->text);
    free(parsed);
}

static void check_part(const struct parsed *parsed, size_t index, const char *name, const char *value)
{
    if (parsed->status != AIBOX_OK)
        fail_msg("refused: %s", parsed->err.message);
    assert_true(index < parsed->form.count);
    assert_string_equal(parsed->form.parts[index].name, name);
    assert_int_equal(parsed->form.parts[index].size, strlen(value));
    assert_memory_equal(parsed->form.parts[index].value, value, strlen(value) + 1);
}

static void check_refused(struct parsed *parsed, const char *part_of_message)
{
    assert_int_equal(parsed->status, AIBOX_BAD_REQUEST);
    if (!strstr(parsed->err.message, part_of_message))
        fail_msg("%s", parsed->err.message);
    done(parsed);
}

static void urlencoded_pairs_are_decoded(void **state)
{
    struct parsed *parsed = parse("a=1&b+c=%E5%B0%8F+%2B&empty=&bare&&=x&a=2&eq=a=b", NULL);

    (void)state;
    assert_int_equal(parsed->form.count, 7);
    check_part(parsed, 0, "a", "1");
    check_part(parsed, 1, "b c", "小 +");
    check_part(parsed, 2, "empty", "");
    check_part(parsed, 3, "bare", "");
    check_part(parsed, 4, "", "x");
    check_part(parsed, 5, "a", "2");
    check_part(parsed, 6, "eq", "a=b");
    assert_int_equal(parsed->form.parts[1].raw_size, 13);
    done(parsed);
    parsed = parse("", NULL);
    assert_int_equal(parsed->status, AIBOX_OK);
    assert_int_equal(parsed->form.count, 0);
    done(parsed);
}

static void urlencoded_faults_are_refused(void **state)
{
    char long_name[400];
    char many[3000];

    (void)state;
    check_refused(parse("a=%", NULL), "two hexadecimal digits");
    check_refused(parse("a=%4", NULL), "two hexadecimal digits");
    check_refused(parse("a=%zz", NULL), "two hexadecimal digits");
    check_refused(parse("%=1", NULL), "two hexadecimal digits");
    check_refused(parse("a=%00", NULL), "NUL");
    check_refused(parse("a=%ff", NULL), "UTF-8");
    check_refused(parse("a=\xff", NULL), "UTF-8");
    memset(long_name, 'n', sizeof long_name);
    memcpy(long_name + 257, "=1", 3);
    check_refused(parse(long_name, NULL), "longer than 256");
    memcpy(long_name + 256, "=1", 3);
    done(parse(long_name, NULL));
    memset(many, '&', 1000);
    many[1000] = '\0';
    check_refused(parse(many, NULL), "more than 1000");
}

#define NAMED(name) "Content-Disposition: form-data; name=\"" name "\"\r\n"

static void multipart_parts_are_found(void **state)
{
    struct parsed *parsed =
        parse("preamble\r\n--B\r\n" NAMED(
                  "a") "\r\none\r\n"
                       "--B \t\r\n" NAMED("b") "Content-Type: text/plain; charset=UTF-8\r\n\r\n\r\n"
                                               "--B\r\n" NAMED("c") "\r\nline 1\r\nline 2\r\n--Bx\r\n--b\r\nx--B\r\n"
                                                                    "--B\r\n" NAMED(
                                                                        "a") "\r\n\r\ntwo\r\n\r\n--B--\r\nepilogue --B",
              "B");

    (void)state;
    assert_int_equal(parsed->form.count, 4);
    check_part(parsed, 0, "a", "one");
    check_part(parsed, 1, "b", "");
    check_part(parsed, 2, "c", "line 1\r\nline 2\r\n--Bx\r\n--b\r\nx--B");
    check_part(parsed, 3, "a", "\r\ntwo\r\n");
    done(parsed);
    parsed = parse("--B--", "B");
    assert_int_equal(parsed->status, AIBOX_OK);
    assert_int_equal(parsed->form.count, 0);
    done(parsed);
}

static void lines_may_end_in_lf(void **state)
{
    struct parsed *parsed = parse("--B\ncontent-disposition:form-data;name=a\n\none\n--B\r\n"
                                  "CONTENT-DISPOSITION : Form-Data ; filename=\"x\" ; NAME=\"b\" \n\r\ntwo\n--B--",
                                  "B");

    (void)state;
    assert_int_equal(parsed->form.count, 2);
    check_part(parsed, 0, "a", "one");
    check_part(parsed, 1, "b", "two");
    assert_false(parsed->form.parts[0].file);
    assert_true(parsed->form.parts[1].file);
    done(parsed);
}

static void a_value_may_lack_its_line_break(void **state)
{
    struct parsed *parsed = parse("--B\r\n" NAMED("a") "\r\n--B\r\n" NAMED("b") "\r\n\r\n--B--", "B");

    (void)state;
    assert_int_equal(parsed->form.count, 2);
    check_part(parsed, 0, "a", "");
    check_part(parsed, 1, "b", "");
    done(parsed);
}

static void files_may_hold_any_byte(void **state)
{
    static const char text[] = "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\r\n"
                               "\0\xff\r\n-\r\n--\r\n--B--";
    struct parsed *parsed = parse_bytes(text, sizeof text - 1, "B");

    (void)state;
    assert_int_equal(parsed->form.count, 1);
    assert_true(parsed->form.parts[0].file);
    assert_int_equal(parsed->form.parts[0].size, 9);
    assert_memory_equal(parsed->form.parts[0].value, "\0\xff\r\n-\r\n--", 9);
    done(parsed);
    parsed = parse("--B\r\n" NAMED("f") "content-type: IMAGE/jpeg\r\n\r\n\xff\xd8\r\n--B--", "B");
    assert_true(parsed->form.parts[0].file);
    done(parsed);
    parsed = parse("--B\r\nContent-Disposition: form-data; name=f; filename*=UTF-8''x.jpg\r\n\r\n\xff\r\n--B--", "B");
    assert_true(parsed->form.parts[0].file);
    done(parsed);
}

static void many_parts_are_kept_in_order(void **state)
{
    char *text = malloc(1002 * 64);
    size_t size = 0;
    struct parsed *parsed;

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < 1000; i++)
        size += (size_t)snprintf(text + size, 64,
                                 "--B\n"
                                 "Content-Disposition: form-data; name=n%d\n\n%d\n",
                                 i, i);
    (void)snprintf(text + size, 64, "--B--");
    parsed = parse(text, "B");
    assert_int_equal(parsed->form.count, 1000);
    check_part(parsed, 0, "n0", "0");
    check_part(parsed, 999, "n999", "999");
    done(parsed);
    (void)snprintf(text + size, 64, "--B\nContent-Disposition: form-data; name=x\n\n\n--B--");
    check_refused(parse(text, "B"), "more than 1000");
    free(text);
}

static void multipart_faults_are_refused(void **state)
{
    static const char with_nul[] = "--B\nContent-Disposition: form-data; name=a\n\nx\0y\n--B--";
    char long_name[600];
    char *huge = malloc(10000);

    (void)state;
    check_refused(parse("", "B"), "does not hold its boundary");
    check_refused(parse("--C\r\n", "B"), "does not hold its boundary");
    check_refused(parse("x--B--", "B"), "does not hold its boundary");
    check_refused(parse("--B", "B"), "does not hold its boundary");
    check_refused(parse("--B\r\n", "B"), "within a part's headers");
    check_refused(parse("--B\r\n" NAMED("a"), "B"), "within a part's headers");
    check_refused(parse("--B\r\n" NAMED("a") "\r\nvalue", "B"), "final boundary");
    check_refused(parse("--B\r\n" NAMED("a") "\r\nvalue\r\n--B", "B"), "final boundary");
    check_refused(parse("--B\r\n" NAMED("a") "\r\nvalue\r\n--B\r\n", "B"), "within a part's headers");
    check_refused(parse("--B\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--", "B"), "no Content-Disposition");
    check_refused(parse("--B\r\n\r\nx\r\n--B--", "B"), "no Content-Disposition");
    check_refused(parse("--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--", "B"), "no name");
    check_refused(parse("--B\r\nContent-Disposition: form-data; filename=x\r\n\r\nx\r\n--B--", "B"), "no name");
    check_refused(parse("--B\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--B--", "B"), "not form-data");
    check_refused(parse("--B\r\n" NAMED("a") NAMED("a") "\r\nx\r\n--B--", "B"), "two Content-Disposition");
    check_refused(parse("--B\r\n" NAMED("a\xff") "\r\nx\r\n--B--", "B"), "UTF-8");
    check_refused(parse("--B\r\n" NAMED("a") "\r\n\xff\r\n--B--", "B"), "field a is not valid UTF-8");
    check_refused(parse("--B\r\n" NAMED("a") "Content-Transfer-Encoding: base64\r\n\r\nx\r\n--B--", "B"),
                  "Content-Transfer-Encoding");
    check_refused(parse_bytes(with_nul, sizeof with_nul - 1, "B"), "NUL");
    check_refused(parse("--B--", ""), "1 to 70");

    (void)snprintf(long_name, sizeof long_name, "--B\nContent-Disposition: form-data; name=%0257d\n\nx\n--B--", 1);
    check_refused(parse(long_name, "B"), "longer than 256");
    assert_non_null(huge);
    (void)snprintf(huge, 10000, "--B\n" NAMED("a") "X: %08500d\n\nx\n--B--", 1);
    check_refused(parse(huge, "B"), "longer than 8192");
    free(huge);
}

static void check_parameter(const char *value, const char *name, const char *expected)
{
    char out[16];
    enum header_parameter found = header_value_parameter(value, strlen(value), name, out, sizeof out);

    assert_int_equal(found, expected ? HEADER_PARAMETER_FOUND : HEADER_PARAMETER_ABSENT);
    if (expected)
        assert_string_equal(out, expected);
}

static void header_parameters_are_found(void **state)
{
    char out[16];

    (void)state;
    check_parameter("a/b; boundary=xyz", "boundary", "xyz");
    check_parameter("a/b;BOUNDARY=xyz ; c=d", "boundary", "xyz");
    check_parameter("a/b; x=\"; boundary=no\"; boundary=\"a;b\"", "boundary", "a;b");
    check_parameter("a/b; boundary=\"a\\\"b\\\\c\\d\"", "boundary", "a\"b\\c\\d");
    check_parameter("a/b; boundary=\"open", "boundary", "open");
    check_parameter("a/b; boundary=", "boundary", "");
    check_parameter("a/b; boundary", "boundary", NULL);
    check_parameter("a/b; xboundary=1", "boundary", NULL);
    check_parameter("a/b", "boundary", NULL);
    check_parameter("", "boundary", NULL);
    assert_int_equal(header_value_parameter("a; b=0123456789abcdef", 21, "b", out, sizeof out),
                     HEADER_PARAMETER_TOO_LONG);
    assert_true(header_value_is(" Application/JSON ; charset=utf-8", 33, "application/json"));
    assert_false(header_value_is("application/jsonx", 17, "application/json"));
    assert_false(header_value_is("", 0, "application/json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urlencoded_pairs_are_decoded),    cmocka_unit_test(urlencoded_faults_are_refused),
        cmocka_unit_test(multipart_parts_are_found),       cmocka_unit_test(lines_may_end_in_lf),
        cmocka_unit_test(a_value_may_lack_its_line_break), cmocka_unit_test(files_may_hold_any_byte),
        cmocka_unit_test(many_parts_are_kept_in_order),    cmocka_unit_test(multipart_faults_are_refused),
        cmocka_unit_test(header_parameters_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
