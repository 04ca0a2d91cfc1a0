#include "check.h"

#include "table.h"
#include "text.h"

static void test_columns(void **state)
{
    static const char *const headers[] = {"NAME", ">FACES", "GROUP"};
    static const char *const rows[][3] = {{"小赵", "1", "staff"}, {"Bartholomew", "12", NULL}};
    struct table table;
    char text[512] = "";
    FILE *memory = fmemopen(text, sizeof text, "w");
    (void)state;
    assert_non_null(memory);
    table_init(&table, headers, 3);
    for (size_t i = 0; i < 2; i++)
        table_add(&table, rows[i]);
    assert_true(table_print_take(&table, memory));
    fclose(memory);
    assert_string_equal(text, "NAME         FACES  GROUP\n"
                              "小赵             1  staff\n"
                              "Bartholomew     12  \n");
}

static void test_cells_are_cut_and_cleaned(void **state)
{
    static const char *const headers[] = {"A", "B"};
    static const char *const cells[] = {"\x1b[2J", "0123456789"};
    struct table table;
    char text[256] = "";
    FILE *memory = fmemopen(text, sizeof text, "w");
    (void)state;
    assert_non_null(memory);
    table_init(&table, headers, 2);
    table.widest = 6;
    table_add(&table, cells);
    assert_true(table_print_take(&table, memory));
    fclose(memory);
    assert_string_equal(text, "A     B\n"
                              "?[2J  01234…\n");
}

static int set_up(void **state)
{
    (void)state;
    text_set_up();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns),
                                       cmocka_unit_test(test_cells_are_cut_and_cleaned)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
