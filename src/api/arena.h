/* Memory that lives as long as its request: handed out piece by piece, released at once. */
#ifndef AIBOX_API_ARENA_H
#define AIBOX_API_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_FIRST 2048 /* bytes that need no malloc: the arguments of a usual call */

struct arena_block;

/* Not thread-safe. Not to be moved once something was allocated from it. */
struct arena {
    struct arena_block *blocks; /* newest first; owned */
    uint8_t *at;                /* free bytes of the current block */
    size_t left;
    _Alignas(16) uint8_t first[ARENA_FIRST];
};

void arena_init(struct arena *arena);
/* Everything that came from it is gone; usable again. */
void arena_free(struct arena *arena);

/* `size` bytes aligned for any type, not cleared; NULL when memory runs out. A size of 0 is a valid
 * pointer. */
void *arena_alloc(struct arena *arena, size_t size);
/* `count` objects of `size` bytes, cleared. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* A copy with a NUL behind it. */
char *arena_text(struct arena *arena, const char *text, size_t size);

#endif
