#include "core/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

void buffer_init(struct buffer *buf, size_t maximum)
{
    /* One byte is kept for the NUL, so that `maximum + 1` never overflows. */
    *buf = (struct buffer){.maximum = maximum < SIZE_MAX ? maximum : SIZE_MAX - 1};
}

static bool fail(struct buffer *buf)
{
    buf->failed = true;
    return false;
}

bool buffer_reserve(struct buffer *buf, size_t extra)
{
    size_t needed;
    size_t capacity;
    uint8_t *data;

    if (buf->failed)
        return false;
    if (extra > buf->maximum - buf->size)
        return fail(buf);
    needed = buf->size + extra + 1;
    if (needed <= buf->capacity)
        return true;
    capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity = capacity <= SIZE_MAX / 2 ? capacity * 2 : SIZE_MAX;
    if (capacity > buf->maximum + 1)
        capacity = buf->maximum + 1;
    data = realloc(buf->data, capacity);
    if (!data)
        return fail(buf);
    data[buf->size] = '\0';
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

bool buffer_append(struct buffer *buf, const void *bytes, size_t size)
{
    if (!buffer_reserve(buf, size))
        return false;
    if (size)
        memcpy(buf->data + buf->size, bytes, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
    return true;
}

bool buffer_append_text(struct buffer *buf, const char *text)
{
    return buffer_append(buf, text, strlen(text));
}

bool buffer_appendf(struct buffer *buf, const char *format, ...)
{
    va_list args;
    int wanted;
    size_t size;

    va_start(args, format);
    wanted = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (wanted < 0)
        return fail(buf);
    size = (size_t)wanted;
    if (!buffer_reserve(buf, size))
        return false;
    va_start(args, format);
    (void)vsnprintf((char *)buf->data + buf->size, size + 1, format, args);
    va_end(args);
    buf->size += size;
    return true;
}

uint8_t *buffer_give(struct buffer *buf, size_t *size)
{
    uint8_t *data = NULL;

    *size = 0;
    if (!buf->failed) {
        data = buf->data;
        *size = buf->size;
        buf->data = NULL;
    }
    buffer_free(buf);
    return data;
}

void buffer_clear(struct buffer *buf)
{
    buf->size = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

void buffer_free(struct buffer *buf)
{
    free(buf->data);
    buffer_init(buf, buf->maximum);
}
