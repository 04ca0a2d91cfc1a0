/* ZIP archives as others make them, also wrong ones. */
#ifndef AIBOX_TESTS_FLOW_ZIPS_H
#define AIBOX_TESTS_FLOW_ZIPS_H

#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

#define ZIPS_UTF8      0x800u
#define ZIPS_ENCRYPTED 0x001u

struct zips_entry {
    const char *name; /* bytes as they are */
    unsigned flags;
    const char *content; /* NULL: `zeros` of them, deflated */
    size_t zeros;
    size_t announced; /* size that the headers claim; 0: the true one */
};

/* Appends an archive to `out` (buffer_init by the caller). */
void zips_make(struct buffer *out, const struct zips_entry *entries, size_t n);
/* The end of an archive that claims so many entries in a directory of so many bytes, in its 64-bit form. */
void zips_claim(struct buffer *out, uint64_t entries, uint64_t directory);

#endif
