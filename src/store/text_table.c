#include "store/text_table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64
#define MOST        (UINT32_MAX / 4)

/* FNV-1a, 64 bits (Fowler, Noll, Vo), folded. */
static uint32_t hash_of(const char *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(hash ^ hash >> 32);
}

/* A text is stored behind its size and its hash. */
struct head {
    size_t size;
    uint32_t hash;
};

static struct head head_of(const char *item)
{
    struct head head;

    memcpy(&head, item - sizeof head, sizeof head);
    return head;
}

/* The slot that holds the text, or the free one where it belongs. */
static uint32_t find_slot(const struct text_table *table, const char *bytes, size_t size, uint32_t hash)
{
    uint32_t at = hash & (table->n_slots - 1);

    while (table->slots[at] != 0) {
        const char *item = table->items[table->slots[at] - 1];
        struct head head = head_of(item);
        if (head.hash == hash && head.size == size && memcmp(item, bytes, size) == 0)
            break;
        at = (at + 1) & (table->n_slots - 1);
    }
    return at;
}

static bool grow_slots(struct text_table *table)
{
    uint32_t n = table->n_slots ? table->n_slots * 2 : FIRST_SLOTS;
    uint32_t *slots = calloc(n, sizeof *slots);

    if (!slots)
        return false;
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t at = head_of(table->items[i]).hash & (n - 1);
        while (slots[at] != 0)
            at = (at + 1) & (n - 1);
        slots[at] = i + 1;
    }
    free(table->slots);
    table->slots = slots;
    table->n_slots = n;
    return true;
}

static bool grow_items(struct text_table *table)
{
    uint32_t room = table->room ? table->room * 2 : FIRST_SLOTS / 2;
    char **items = reallocarray(table->items, room, sizeof *items);

    if (!items)
        return false;
    table->items = items;
    table->room = room;
    return true;
}

static char *copy(const char *bytes, const struct head *head)
{
    char *memory = malloc(sizeof *head + head->size + 1);

    if (!memory)
        return NULL;
    memcpy(memory, head, sizeof *head);
    memcpy(memory + sizeof *head, bytes, head->size);
    memory[sizeof *head + head->size] = '\0';
    return memory + sizeof *head;
}

bool text_table_put(struct text_table *table, const char *bytes, size_t size, uint32_t *number)
{
    struct head head;

    memset(&head, 0, sizeof head); /* its padding is copied, too */
    head.size = size;
    head.hash = hash_of(bytes, size);
    if (table->count >= MOST || (table->count >= table->n_slots / 2 && !grow_slots(table)))
        return false;
    uint32_t at = find_slot(table, bytes, size, head.hash);
    if (table->slots[at] == 0) {
        if (table->count == table->room && !grow_items(table))
            return false;
        char *item = copy(bytes, &head);
        if (!item)
            return false;
        table->items[table->count++] = item;
        table->slots[at] = table->count;
    }
    *number = table->slots[at] - 1;
    return true;
}

void text_table_free(struct text_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        free(table->items[i] - sizeof(struct head));
    free(table->items);
    free(table->slots);
    *table = (struct text_table){0};
}
