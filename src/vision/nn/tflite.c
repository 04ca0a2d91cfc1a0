#include "vision/nn/tflite.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the fields of the schema's tables. */
enum { MODEL_SUBGRAPHS = 2, MODEL_BUFFERS = 4 };
enum { SUBGRAPH_TENSORS = 0 };
enum { TENSOR_SHAPE = 0, TENSOR_TYPE = 1, TENSOR_BUFFER = 2, TENSOR_NAME = 3 };
enum { BUFFER_DATA = 0 };

#define TYPE_FLOAT32  0
#define IDENTIFIER    "TFL3"
#define LEAST_SIZE    8
#define OFFSET_SIZE   4
#define VTABLE_HEADER 4

/* Reading is sticky: after a step out of the file everything is 0, and `broken` tells. */
struct cursor {
    const unsigned char *bytes;
    size_t size;
    bool broken;
};

static bool inside(struct cursor *c, size_t at, size_t length)
{
    if (c->broken || at > c->size || length > c->size - at)
        c->broken = true;
    return !c->broken;
}

static uint32_t number(struct cursor *c, size_t at, size_t width)
{
    uint32_t value = 0;

    for (size_t i = 0; inside(c, at, width) && i < width; i++)
        value |= (uint32_t)c->bytes[at + i] << (8 * i);
    return value;
}

/* Where the offset at `at` leads: always forwards. */
static size_t follow(struct cursor *c, size_t at)
{
    const uint32_t offset = number(c, at, OFFSET_SIZE);

    return inside(c, at, offset) ? at + offset : 0;
}

/* Where a table has a field; 0: it has not. The table begins with the distance back to its vtable, which lists the
 * fields' places. */
static size_t field(struct cursor *c, size_t table, size_t index)
{
    const int64_t vtable = (int64_t)table - (int32_t)number(c, table, OFFSET_SIZE);
    const size_t entry = VTABLE_HEADER + 2 * index;
    size_t place;

    if (c->broken || vtable < 0 || (size_t)vtable > c->size) {
        c->broken = true;
        return 0;
    }
    if (entry + 2 > number(c, (size_t)vtable, 2))
        return 0;
    place = number(c, (size_t)vtable + entry, 2);
    return place == 0 || !inside(c, table, place) ? 0 : table + place;
}

/* First element of a table's vector; *count 0 when there is none. `width`: of an element. */
static size_t vector(struct cursor *c, size_t table, size_t index, size_t width, size_t *count)
{
    const size_t place = field(c, table, index);
    const size_t at = place == 0 ? 0 : follow(c, place);

    *count = at == 0 ? 0 : number(c, at, OFFSET_SIZE);
    if (*count > c->size / width || !inside(c, at, OFFSET_SIZE + *count * width)) {
        *count = 0;
        c->broken = true;
    }
    return at + OFFSET_SIZE;
}

/* The table that element `index` of a vector of tables leads to. */
static size_t table_of(struct cursor *c, size_t first, size_t index)
{
    return follow(c, first + index * OFFSET_SIZE);
}

enum aibox_status tflite_open(const void *bytes, size_t size, struct tflite *out, struct aibox_error *err)
{
    struct cursor c = {.bytes = bytes, .size = size};
    size_t root, subgraphs, n_subgraphs;

    *out = (struct tflite){.bytes = bytes, .size = size};
    if (size > TFLITE_MAX_BYTES)
        return error_set(err, AIBOX_PROCESS_FAILED, "the file is too large");
    if (size < LEAST_SIZE || memcmp(out->bytes + OFFSET_SIZE, IDENTIFIER, strlen(IDENTIFIER)) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "not a TensorFlow Lite file");
    root = follow(&c, 0);
    out->buffers = vector(&c, root, MODEL_BUFFERS, OFFSET_SIZE, &out->n_buffers);
    subgraphs = vector(&c, root, MODEL_SUBGRAPHS, OFFSET_SIZE, &n_subgraphs);
    if (n_subgraphs > 0)
        out->tensors = vector(&c, table_of(&c, subgraphs, 0), SUBGRAPH_TENSORS, OFFSET_SIZE, &out->n_tensors);
    if (c.broken || out->n_tensors > TFLITE_MAX_TENSORS)
        return error_set(err, AIBOX_PROCESS_FAILED, "a damaged TensorFlow Lite file");
    return AIBOX_OK;
}

/* The tensor's table; 0: there is none of that name. */
static size_t find(struct cursor *c, const struct tflite *file, const char *name)
{
    const size_t length = strlen(name);

    for (size_t i = 0; i < file->n_tensors; i++) {
        const size_t tensor = table_of(c, file->tensors, i);
        size_t n;
        const size_t text = vector(c, tensor, TENSOR_NAME, 1, &n);
        if (c->broken)
            return 0;
        if (n == length && memcmp(c->bytes + text, name, n) == 0)
            return tensor;
    }
    return 0;
}

static bool has_shape(struct cursor *c, size_t tensor, const size_t *shape, size_t rank)
{
    size_t n;
    const size_t sides = vector(c, tensor, TENSOR_SHAPE, sizeof(int32_t), &n);

    if (n != rank)
        return false;
    for (size_t i = 0; i < rank; i++) {
        if (number(c, sides + i * sizeof(int32_t), sizeof(int32_t)) != shape[i])
            return false;
    }
    return true;
}

/* The bytes of a tensor's numbers; *count 0 when they are not in the file. */
static size_t data_of(struct cursor *c, const struct tflite *file, size_t tensor, size_t *count)
{
    const size_t place = field(c, tensor, TENSOR_BUFFER);
    const size_t buffer = place == 0 ? 0 : number(c, place, sizeof(uint32_t));

    *count = 0;
    return buffer >= file->n_buffers ? 0 : vector(c, table_of(c, file->buffers, buffer), BUFFER_DATA, 1, count);
}

static bool is_float(struct cursor *c, size_t tensor)
{
    const size_t place = field(c, tensor, TENSOR_TYPE);

    return place == 0 || number(c, place, 1) == TYPE_FLOAT32;
}

enum aibox_status tflite_floats(const struct tflite *file, const char *name, const size_t *shape, size_t rank,
                                float **out, struct aibox_error *err)
{
    struct cursor c = {.bytes = file->bytes, .size = file->size};
    const size_t tensor = find(&c, file, name);
    size_t count = 1, bytes, at;
    float *data;

    if (tensor == 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "a tensor is missing: %.80s", name);
    for (size_t i = 0; i < rank; i++)
        count *= shape[i];
    if (!is_float(&c, tensor) || !has_shape(&c, tensor, shape, rank))
        return error_set(err, AIBOX_PROCESS_FAILED, "a tensor of another shape or type: %.80s", name);
    at = data_of(&c, file, tensor, &bytes);
    if (c.broken || bytes != count * sizeof *data)
        return error_set(err, AIBOX_PROCESS_FAILED, "a tensor without its numbers: %.80s", name);
    data = calloc(count, sizeof *data);
    if (!data)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = number(&c, at + i * sizeof *data, sizeof *data);
        memcpy(&data[i], &bits, sizeof bits);
        if (!isfinite(data[i])) {
            free(data);
            return error_set(err, AIBOX_PROCESS_FAILED, "a tensor with a number that is none: %.80s", name);
        }
    }
    *out = data;
    return AIBOX_OK;
}
