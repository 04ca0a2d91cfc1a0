/* Numbers for texts: each distinct one is kept once. One thread at a time, or readers alone. */
#ifndef AIBOX_STORE_TEXT_TABLE_H
#define AIBOX_STORE_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. */
struct text_table {
    char **items; /* by number, 0 and up; NUL-terminated, may hold NULs before that */
    uint32_t count, room;
    uint32_t *slots; /* number + 1 by hash, 0: free; a power of two of them, at most half of them taken */
    uint32_t n_slots;
};

/* The number of `size` bytes, which are copied when they are new. False: out of memory; the table is as it was. */
bool text_table_put(struct text_table *table, const char *bytes, size_t size, uint32_t *number);
void text_table_free(struct text_table *table); /* leaves it empty */

#endif
