#include "api/arena.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT  ((size_t)16)
#define BLOCK_SIZE ((size_t)16384)

struct arena_block {
    struct arena_block *next;
    _Alignas(16) uint8_t bytes[];
};

void arena_init(struct arena *arena)
{
    arena->blocks = NULL;
    arena->at = arena->first;
    arena->left = sizeof arena->first;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;

        free(arena->blocks);
        arena->blocks = next;
    }
    arena_init(arena);
}

static uint8_t *new_block(struct arena *arena, size_t size)
{
    struct arena_block *block = malloc(sizeof *block + size);

    if (!block)
        return NULL;
    block->next = arena->blocks;
    arena->blocks = block;
    return block->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    uint8_t *bytes;
    size_t rounded;

    if (size > SIZE_MAX / 2)
        return NULL;
    rounded = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (rounded > arena->left) {
        /* Something large gets a block of its own, and the current one stays in use. */
        if (rounded > BLOCK_SIZE / 4)
            return new_block(arena, rounded);
        bytes = new_block(arena, BLOCK_SIZE);
        if (!bytes)
            return NULL;
        arena->at = bytes;
        arena->left = BLOCK_SIZE;
    }
    bytes = arena->at;
    arena->at += rounded;
    arena->left -= rounded;
    return bytes;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    void *memory;

    if (size && count > SIZE_MAX / 2 / size)
        return NULL;
    memory = arena_alloc(arena, count * size);
    if (memory)
        memset(memory, 0, count * size);
    return memory;
}

char *arena_text(struct arena *arena, const char *text, size_t size)
{
    char *copy = size < SIZE_MAX ? arena_alloc(arena, size + 1) : NULL;

    if (copy) {
        if (size)
            memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}
