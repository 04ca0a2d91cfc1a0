#include "gallery/memory.h"

#include <stdint.h>
#include <sys/mman.h>

void *memory_reserve(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes == 0 || bytes > PTRDIFF_MAX)
        return NULL;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

void memory_release(void *memory, size_t n, size_t size)
{
    if (memory != NULL)
        munmap(memory, n * size);
}
