#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define WIDEST_CELL    48
#define CELL_MAX_BYTES 512
#define GAP            2

void table_init(struct table *table, const char *const *headers, size_t n_columns)
{
    *table = (struct table){.n_columns = n_columns, .widest = WIDEST_CELL};
    for (size_t i = 0; i < n_columns; i++) {
        table->right[i] = headers[i][0] == '>';
        table->headers[i] = headers[i] + (table->right[i] ? 1 : 0);
        table->widths[i] = text_width(table->headers[i]);
    }
}

static char *add_cell(struct table *table, const char *text)
{
    char clean[CELL_MAX_BYTES];
    if (table->n_cells == table->room) {
        size_t room = table->room == 0 ? 256 : table->room * 2;
        char **longer = realloc(table->cells, room * sizeof *longer);
        if (longer == NULL)
            return NULL;
        table->cells = longer;
        table->room = room;
    }
    text_fit(text, table->widest, clean, sizeof clean);
    char *copy = strdup(clean);
    if (copy != NULL)
        table->cells[table->n_cells++] = copy;
    return copy;
}

void table_add(struct table *table, const char *const *cells)
{
    for (size_t i = 0; i < table->n_columns && !table->failed; i++) {
        const char *cell = add_cell(table, cells[i] == NULL ? "" : cells[i]);
        table->failed = cell == NULL;
        size_t width = cell == NULL ? 0 : text_width(cell);
        if (width > table->widths[i])
            table->widths[i] = width;
    }
}

static void pad(size_t columns, FILE *to)
{
    while (columns-- > 0)
        putc(' ', to);
}

static void print_row(const struct table *table, const char *const *cells, FILE *to)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        size_t space = table->widths[i] - text_width(cells[i]);
        if (table->right[i])
            pad(space, to);
        fputs(cells[i], to);
        if (i + 1 < table->n_columns)
            pad(GAP + (table->right[i] ? 0 : space), to);
    }
    putc('\n', to);
}

bool table_print_take(struct table *table, FILE *to)
{
    bool whole = !table->failed;
    if (whole) {
        fputs(text_colour(TEXT_STRONG, to), to);
        print_row(table, table->headers, to);
        fputs(text_colour(TEXT_PLAIN, to), to);
        for (size_t i = 0; i < table->n_cells; i += table->n_columns)
            print_row(table, (const char *const *)&table->cells[i], to);
    }
    for (size_t i = 0; i < table->n_cells; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
    return whole;
}
