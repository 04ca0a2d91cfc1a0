#include "vision/nn/protobuf.h"

struct pb_cursor pb_open(struct pb_span message)
{
    return (struct pb_cursor){.rest = message};
}

static bool malformed(struct pb_cursor *cursor)
{
    cursor->malformed = true;
    cursor->rest.size = 0;
    return false;
}

static void skip(struct pb_cursor *cursor, size_t size)
{
    cursor->rest.data += size;
    cursor->rest.size -= size;
}

bool pb_next_varint(struct pb_cursor *cursor, uint64_t *value)
{
    uint64_t result = 0;

    if (cursor->malformed || cursor->rest.size == 0)
        return false;
    for (size_t i = 0; i < cursor->rest.size && i < 10; i++) {
        uint8_t byte = cursor->rest.data[i];
        if (i == 9 && byte > 1) /* more than 64 bits */
            return malformed(cursor);
        result |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            skip(cursor, i + 1);
            *value = result;
            return true;
        }
    }
    return malformed(cursor);
}

static bool fixed(struct pb_cursor *cursor, size_t size, uint64_t *value)
{
    uint64_t result = 0;

    if (cursor->rest.size < size)
        return malformed(cursor);
    for (size_t i = 0; i < size; i++)
        result |= (uint64_t)cursor->rest.data[i] << (8 * i);
    skip(cursor, size);
    *value = result;
    return true;
}

bool pb_next(struct pb_cursor *cursor, struct pb_field *field)
{
    uint64_t key;
    uint64_t size;

    if (!pb_next_varint(cursor, &key))
        return false;
    if (key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return malformed(cursor);
    *field = (struct pb_field){.number = (uint32_t)(key >> 3)};
    switch (key & 7) {
    case PB_VARINT:
        field->wire = PB_VARINT;
        return pb_next_varint(cursor, &field->value) || malformed(cursor);
    case PB_FIXED64:
        field->wire = PB_FIXED64;
        return fixed(cursor, 8, &field->value);
    case PB_FIXED32:
        field->wire = PB_FIXED32;
        return fixed(cursor, 4, &field->value);
    case PB_BYTES:
        field->wire = PB_BYTES;
        if (!pb_next_varint(cursor, &size) || size > cursor->rest.size)
            return malformed(cursor);
        field->bytes = (struct pb_span){.data = cursor->rest.data, .size = (size_t)size};
        skip(cursor, (size_t)size);
        return true;
    default:
        return malformed(cursor);
    }
}

bool pb_count(struct pb_span message, uint32_t number, size_t *count)
{
    struct pb_cursor cursor = pb_open(message);
    struct pb_field field;

    *count = 0;
    while (pb_next(&cursor, &field)) {
        if (field.number == number)
            *count += 1;
    }
    return !cursor.malformed;
}
