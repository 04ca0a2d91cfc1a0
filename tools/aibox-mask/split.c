#include "split.h"

#include <stdint.h>

/* FNV-1a. */
static uint64_t hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) {
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return h ^ (h >> 29);
}

bool split_held_out(const char *name)
{
    return hash(name) % 5 == 0;
}

unsigned split_fold(const char *name)
{
    return (unsigned)(hash(name) / 5 % SPLIT_FOLDS);
}
