#include "check.h"

#include "flow/csv.h"
#include "flow/gbk.h"

static void test_quoting(void **state)
{
    static const char *const fields[] = {"plain",      "",     NULL,     "a,b",  "say \"hi\"",
                                         "two\nlines", "小赵", " blank", "tab\t"};
    struct buffer out;
    (void)state;
    buffer_init(&out, 1024);
    csv_add_line(&out, fields, sizeof fields / sizeof fields[0]);
    assert_string_equal((const char *)out.data,
                        "plain,,,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",小赵,\" blank\",\"tab\t\"\n");
    buffer_free(&out);
}

/* Reads all records: cells joined by '|', records by '/', broken ones as '!' and their message. */
static void check(const char *text, size_t size, const char *expected)
{
    struct csv_reader reader;
    struct csv_record record;
    struct buffer seen;
    struct aibox_error err = {0};
    enum csv_step step;
    if (csv_begin(&reader, text, size, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    csv_record_init(&record);
    buffer_init(&seen, 65536);
    buffer_append_text(&seen, "");
    while ((step = csv_next(&reader, &record, &err)) != CSV_END) {
        if (step == CSV_BROKEN)
            buffer_appendf(&seen, "!%s", err.message);
        for (size_t i = 0; step == CSV_RECORD && i < record.count; i++)
            buffer_appendf(&seen, "%s%s", i > 0 ? "|" : "", record.cells[i]);
        buffer_append_text(&seen, "/");
    }
    if (strcmp(seen.data ? (const char *)seen.data : "", expected) != 0)
        fail_msg("'%s' instead of '%s'", seen.data ? (const char *)seen.data : "", expected);
    buffer_free(&seen);
    csv_record_free(&record);
}

#define CHECK(text, expected) check(text, sizeof(text) - 1, expected)

static void test_records(void **state)
{
    (void)state;
    CHECK("", "");
    CHECK("\n\r\n\r", "");
    CHECK("a", "a/");
    CHECK("a,b\nc,d\n", "a|b/c|d/");
    CHECK("a,b\r\nc,d", "a|b/c|d/");
    CHECK("a,b\rc,d\r", "a|b/c|d/");
    CHECK("a,,\n,", "a||/|/");
    CHECK("\xef\xbb\xbf"
          "a,b\n",
          "a|b/");
    CHECK("\"a\",\"b,\"\"c\"\"\"\n\"x\r\ny\",\"\"\n", "a|b,\"c\"/x\r\ny|/");
    CHECK(" a\t, b c ,\" d \"\n", "a|b c| d /");
    CHECK("a\"b,c\"\n", "a\"b|c\"/");
}

static void test_separators(void **state)
{
    (void)state;
    CHECK("a;b;c\n1,5;2;3\n", "a|b|c/1,5|2|3/");
    CHECK("a\tb\tc\n\t;,\t3\n", "a|b|c/|;,|3/");
    CHECK("\"x;y;z\",b\n1,2\n", "x;y;z|b/1|2/");
    CHECK("a,b;c\n", "a|b;c/");
}

static void test_broken(void **state)
{
    (void)state;
    CHECK("a,b\n\"c\"x,d\ne,f\n", "a|b/!line 2: text behind a closing quote/e|f/");
    CHECK("a\n\"b\nc", "a/!line 2: a quote is not closed/");
    CHECK("a\n\"x\n\ny\"\nb\n\"c\"d\n", "a/x\n\ny/b/!line 6: text behind a closing quote/");
    CHECK("a\nb\0c\nd\n", "a/!line 2: a NUL byte/d/");
}

static void test_too_much(void **state)
{
    char commas[CSV_MAX_CELLS + 1];
    char *large = malloc(CSV_MAX_RECORD + 16);
    (void)state;
    assert_non_null(large);
    memset(commas, ',', sizeof commas - 1);
    commas[sizeof commas - 1] = '\0';
    check(commas, CSV_MAX_CELLS, "!line 1: too many columns/");
    memset(large, 'x', CSV_MAX_RECORD + 16);
    memcpy(large + CSV_MAX_RECORD + 13, "\nb\n", 3);
    check(large, CSV_MAX_RECORD + 16, "!line 1: it is too long, or not in the table's encoding/b/");
    free(large);
}

static void test_encodings(void **state)
{
    struct csv_reader reader;
    (void)state;
    CHECK("\xd0\xd5\xc3\xfb,id\n\"\xd0\xa1\xd5\xd4\",1\n", "姓名|id/小赵|1/");
    CHECK("\xd0\xa1|\x81\x30\x8b\x37,x\n", "小|\xc3\xbf|x/");
    assert_int_equal(csv_begin(&reader, "\xff\xfe", 2, NULL), AIBOX_PARAM);
    assert_int_equal(csv_begin(&reader, "\xfe\xff", 2, NULL), AIBOX_PARAM);
    assert_int_equal(csv_begin(&reader, "a\xff\xff", 3, NULL), AIBOX_PARAM);
    assert_int_equal(csv_begin(&reader, "a\xd0", 2, NULL), AIBOX_PARAM);
}

static void test_records_are_read_again(void **state)
{
    static const char text[] = "a\n\n\"b\nc\"\nd\n";
    struct csv_reader reader;
    struct csv_record record;
    (void)state;
    assert_int_equal(csv_begin(&reader, text, sizeof text - 1, NULL), AIBOX_OK);
    csv_record_init(&record);
    assert_int_equal(csv_next(&reader, &record, NULL), CSV_RECORD);
    assert_int_equal(csv_next(&reader, &record, NULL), CSV_RECORD);
    size_t at = record.at, line = record.line;
    assert_int_equal(line, 3);
    assert_int_equal(csv_next(&reader, &record, NULL), CSV_RECORD);
    assert_int_equal(record.line, 5);
    reader.at = at;
    reader.line = line;
    assert_int_equal(csv_next(&reader, &record, NULL), CSV_RECORD);
    assert_string_equal(record.cells[0], "b\nc");
    csv_record_free(&record);
}

static void test_gbk(void **state)
{
    size_t size;
    char *text = gbk_to_utf8("\xd0\xa1\0x", 4, &size);
    (void)state;
    assert_non_null(text);
    assert_int_equal(size, 5);
    assert_memory_equal(text, "小\0x", 6);
    free(text);
    assert_null(gbk_to_utf8("\xd0", 1, NULL));
    assert_null(gbk_to_utf8("\xff\xff", 2, NULL));
    text = gbk_to_utf8("", 0, &size);
    assert_string_equal(text, "");
    free(text);
    text = gbk_to_utf8("\xfe\x51\xfe\x51", 4, &size);
    assert_string_equal(text, "𠂇𠂇");
    free(text);
    assert_true(gbk_valid("\xd0\xa1", 2));
    assert_false(gbk_valid("\xd0\xa1\xd0", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoting),    cmocka_unit_test(test_records),
        cmocka_unit_test(test_separators), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_too_much),   cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_gbk),        cmocka_unit_test(test_records_are_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
