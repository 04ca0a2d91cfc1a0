/* A table on stdout: columns as wide as their widest cell. */
#ifndef AIBOXCTL_TABLE_H
#define AIBOXCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_MAX_COLUMNS 8

struct table {
    const char *headers[TABLE_MAX_COLUMNS];
    bool right[TABLE_MAX_COLUMNS]; /* numbers stand on the right */
    size_t widths[TABLE_MAX_COLUMNS];
    size_t n_columns;
    size_t widest; /* columns of a terminal that a cell may take; longer ones are cut */
    char **cells;  /* owned */
    size_t n_cells, room;
    bool failed; /* memory ran out */
};

/* `headers`: names, static; one that begins with '>' is the header of a column that stands on the right. */
void table_init(struct table *table, const char *const *headers, size_t n_columns);
/* Copies `n_columns` texts; NULL is an empty cell. */
void table_add(struct table *table, const char *const *cells);
/* Prints and frees. False: memory had run out, nothing was printed. */
bool table_print_take(struct table *table, FILE *to);

#endif
