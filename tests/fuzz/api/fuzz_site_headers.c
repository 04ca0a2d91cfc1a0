/* Accept-Encoding and If-None-Match, and pages with marks. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header = malloc(size + 1);
    uint8_t *page;
    size_t page_size;

    if (!header)
        return 0;
    memcpy(header, data, size);
    header[size] = '\0';
    require(site_coding_of(header) == SITE_PLAIN || strpbrk(header, "bBgG"));
    require(!site_etag_matches(header, "\"tag\"") || strchr(header, '"') || strchr(header, '*'));
    page = site_put_nonce(data, size, "0123456789", &page_size);
    require(page && page_size <= size);
    require(!memmem(page, page_size, SITE_NONCE_MARK, strlen(SITE_NONCE_MARK)) || page_size < size);
    free(page);
    free(header);
    return 0;
}
