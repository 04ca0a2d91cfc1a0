/*
 * Reading Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/) from
 * untrusted memory: a cursor over one message. Nothing is copied or allocated; spans point into the
 * bytes given. Groups (wire types 3 and 4, deprecated) are malformed here.
 */
#ifndef AIBOX_VISION_NN_PROTOBUF_H
#define AIBOX_VISION_NN_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pb_span {
    const uint8_t *data;
    size_t size;
};

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

struct pb_field {
    uint32_t number;
    enum pb_wire wire;
    uint64_t value;       /* PB_VARINT, PB_FIXED64, PB_FIXED32 */
    struct pb_span bytes; /* PB_BYTES */
};

struct pb_cursor {
    struct pb_span rest;
    bool malformed; /* sticky: a length or varint ran past the end, or an unknown wire type */
};

struct pb_cursor pb_open(struct pb_span message);

/* The next field, or false at the end and when malformed (tell them apart by `malformed`). */
bool pb_next(struct pb_cursor *cursor, struct pb_field *field);

/* One bare varint of a packed list, or false at the end and when malformed. */
bool pb_next_varint(struct pb_cursor *cursor, uint64_t *value);

/* How many fields `number` the message has; false when malformed. */
bool pb_count(struct pb_span message, uint32_t number, size_t *count);

#endif
