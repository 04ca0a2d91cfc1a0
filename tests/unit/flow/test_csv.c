#include "check.h"

#include "flow/csv.h"

static void test_quoting(void **state)
{
    static const char *const fields[] = {"plain", "", NULL, "a,b", "say \"hi\"", "two\nlines", "小赵"};
    struct buffer out;
    (void)state;
    buffer_init(&out, 1024);
    csv_add_line(&out, fields, sizeof fields / sizeof fields[0]);
    assert_string_equal((const char *)out.data, "plain,,,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",小赵\n");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quoting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
