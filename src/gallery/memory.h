/*
 * Address space for arrays that grow up to a known size without ever moving: reserved at once, given
 * pages by the kernel when first written, zero until then. Private to the gallery.
 */
#ifndef AIBOX_GALLERY_MEMORY_H
#define AIBOX_GALLERY_MEMORY_H

#include <stddef.h>

/* `n` elements of `size` bytes, aligned to a page. NULL on overflow or when there is no room. */
void *memory_reserve(size_t n, size_t size);
/* The same `n` and `size`; NULL is allowed. */
void memory_release(void *memory, size_t n, size_t size);

#endif
