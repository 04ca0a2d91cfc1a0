#include "zips.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void put(struct buffer *out, uint64_t value, unsigned size)
{
    for (; size > 0; size--, value >>= 8) {
        uint8_t byte = (uint8_t)value;

        buffer_append(out, &byte, 1);
    }
}

struct packed {
    uint8_t *bytes;
    size_t size;
    size_t announced;
    uint32_t crc;
    unsigned method;
};

static struct packed pack(const struct zips_entry *entry)
{
    size_t size = entry->content ? strlen(entry->content) : entry->zeros;
    uint8_t *plain = calloc(1, size + 1);
    struct packed packed = {.size = size, .bytes = plain};

    if (entry->content)
        memcpy(plain, entry->content, size);
    packed.crc = (uint32_t)crc32_z(0, plain, size);
    packed.announced = entry->announced ? entry->announced : size;
    if (!entry->content) {
        z_stream stream = {.next_in = plain, .avail_in = (uInt)size};
        int begun = deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);

        assert(begun == Z_OK);
        (void)begun;
        stream.avail_out = (uInt)deflateBound(&stream, size);
        packed.bytes = stream.next_out = malloc(stream.avail_out);
        deflate(&stream, Z_FINISH);
        packed.size = stream.total_out;
        packed.method = 8;
        deflateEnd(&stream);
        free(plain);
    }
    return packed;
}

static void put_common(struct buffer *out, const struct zips_entry *entry, const struct packed *packed)
{
    put(out, 20, 2);
    put(out, entry->flags, 2);
    put(out, packed->method, 2);
    put(out, 0, 4);
    put(out, packed->crc, 4);
    put(out, packed->size, 4);
    put(out, packed->announced, 4);
    put(out, strlen(entry->name), 2);
    put(out, 0, 2);
}

void zips_make(struct buffer *out, const struct zips_entry *entries, size_t n)
{
    struct buffer directory;
    size_t start = out->size, end;

    buffer_init(&directory, (size_t)64 << 20);
    for (size_t i = 0; i < n; i++) {
        struct packed packed = pack(&entries[i]);
        size_t at = out->size - start;

        put(out, 0x04034b50, 4);
        put_common(out, &entries[i], &packed);
        buffer_append_text(out, entries[i].name);
        buffer_append(out, packed.bytes, packed.size);
        put(&directory, 0x02014b50, 4);
        put(&directory, 20, 2);
        put_common(&directory, &entries[i], &packed);
        put(&directory, 0, 2 + 2 + 2 + 4);
        put(&directory, at, 4);
        buffer_append_text(&directory, entries[i].name);
        free(packed.bytes);
    }
    end = out->size - start;
    if (directory.size > 0)
        buffer_append(out, directory.data, directory.size);
    put(out, 0x06054b50, 4);
    put(out, 0, 4);
    put(out, n, 2);
    put(out, n, 2);
    put(out, directory.size, 4);
    put(out, end, 4);
    put(out, 0, 2);
    buffer_free(&directory);
}

void zips_claim(struct buffer *out, uint64_t entries, uint64_t directory)
{
    size_t at = out->size;

    put(out, 0x06064b50, 4);
    put(out, 44, 8);
    put(out, 45, 2);
    put(out, 45, 2);
    put(out, 0, 8);
    put(out, entries, 8);
    put(out, entries, 8);
    put(out, directory, 8);
    put(out, 0, 8);
    put(out, 0x07064b50, 4);
    put(out, 0, 4);
    put(out, at, 8);
    put(out, 1, 4);
    put(out, 0x06054b50, 4);
    put(out, 0, 4);
    put(out, 0xffff, 2);
    put(out, 0xffff, 2);
    put(out, 0xffffffff, 4);
    put(out, 0xffffffff, 4);
    put(out, 0, 2);
}
