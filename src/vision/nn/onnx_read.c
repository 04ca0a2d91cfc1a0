#include <stdlib.h>
#include <string.h>

#include "vision/nn/onnx.h"

struct onnx_block {
    struct onnx_block *before;
    _Alignas(16) unsigned char data[];
};

void *onnx_alloc(struct onnx_heap *heap, size_t count, size_t size)
{
    struct onnx_block *block;
    size_t bytes;

    if (count > ONNX_MAX_HEAP / size)
        return NULL;
    bytes = count * size + sizeof *block;
    if (bytes > ONNX_MAX_HEAP - heap->used)
        return NULL;
    block = calloc(1, bytes);
    if (!block)
        return NULL;
    block->before = heap->last;
    heap->last = block;
    heap->used += bytes;
    return block->data;
}

void onnx_heap_free(struct onnx_heap *heap)
{
    while (heap->last) {
        struct onnx_block *block = heap->last;
        heap->last = block->before;
        free(block);
    }
    heap->used = 0;
}

bool onnx_is(struct pb_span name, const char *text)
{
    size_t size = strlen(text);

    return name.size == size && (size == 0 || memcmp(name.data, text, size) == 0);
}

const char *onnx_print(struct pb_span name, char out[ONNX_NAME_PRINT])
{
    size_t n = 0;

    for (; n < name.size && n < ONNX_NAME_PRINT - 1; n++)
        out[n] = name.data[n] > ' ' && name.data[n] < 0x7f ? (char)name.data[n] : '?';
    out[n] = '\0';
    return out;
}

/* Fields of the messages that are read; numbers from onnx.proto. */
enum {
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    OPSET_DOMAIN = 1,
    OPSET_VERSION = 2,
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_SPARSE_INITIALIZER = 15,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7,
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_F = 2,
    ATTRIBUTE_I = 3,
    ATTRIBUTE_S = 4,
    ATTRIBUTE_T = 5,
    ATTRIBUTE_FLOATS = 7,
    ATTRIBUTE_INTS = 8,
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_FLOATS = 4,
    TENSOR_INT32S = 5,
    TENSOR_INT64S = 7,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9,
    TENSOR_DOUBLES = 10,
    TENSOR_LOCATION = 14,
    VALUE_NAME = 1,
    VALUE_TYPE = 2,
    TYPE_TENSOR = 1,
    TENSOR_TYPE_ELEMENT = 1,
    TENSOR_TYPE_SHAPE = 2,
    SHAPE_DIM = 1,
    DIM_VALUE = 1,
};

enum { TYPE_FLOAT = 1, TYPE_INT32 = 6, TYPE_INT64 = 7, TYPE_DOUBLE = 11 };

struct reader {
    struct onnx_heap *heap;
    struct aibox_error *err;
};

static bool fail(struct reader *r, const char *what)
{
    error_set(r->err, AIBOX_PROCESS_FAILED, "not an ONNX model that can be read: %s", what);
    return false;
}

static float as_float(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float value;

    memcpy(&value, &low, sizeof value);
    return value;
}

static double as_double(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* One field of a repeated integer: a varint, or a packed list of them. Counts only while out is NULL. */
static bool take_ints(const struct pb_field *field, int64_t *out, size_t capacity, size_t *n)
{
    struct pb_cursor list = pb_open(field->bytes);
    uint64_t value;

    if (field->wire == PB_VARINT) {
        if (out && *n < capacity)
            out[*n] = (int64_t)field->value;
        *n += 1;
        return true;
    }
    if (field->wire != PB_BYTES)
        return false;
    while (pb_next_varint(&list, &value)) {
        if (out && *n < capacity)
            out[*n] = (int64_t)value;
        *n += 1;
    }
    return !list.malformed;
}

/* One field of a repeated float or double: a fixed number, or a packed list. Counts only while out is NULL. */
static bool take_floats(const struct pb_field *field, size_t width, float *out, size_t capacity, size_t *n)
{
    size_t count = field->bytes.size / width;

    if (field->wire == (width == 4 ? PB_FIXED32 : PB_FIXED64)) {
        if (out && *n < capacity)
            out[*n] = width == 4 ? as_float(field->value) : (float)as_double(field->value);
        *n += 1;
        return true;
    }
    if (field->wire != PB_BYTES || field->bytes.size % width != 0)
        return false;
    for (size_t i = 0; out && i < count && *n + i < capacity; i++) {
        uint64_t bits = 0;
        for (size_t j = 0; j < width; j++)
            bits |= (uint64_t)field->bytes.data[i * width + j] << (8 * j);
        out[*n + i] = width == 4 ? as_float(bits) : (float)as_double(bits);
    }
    *n += count;
    return true;
}

static bool read_dims(struct reader *r, struct pb_span message, struct onnx_tensor *tensor)
{
    struct pb_cursor cursor = pb_open(message);
    struct pb_field field;
    int64_t dim[ONNX_MAX_RANK] = {0};
    size_t rank = 0;

    while (pb_next(&cursor, &field)) {
        if (field.number == TENSOR_DIMS && !take_ints(&field, dim, ONNX_MAX_RANK, &rank))
            return fail(r, "a malformed tensor");
    }
    if (cursor.malformed || rank > ONNX_MAX_RANK)
        return fail(r, "a malformed tensor");
    tensor->rank = rank;
    tensor->count = 1;
    for (size_t i = 0; i < rank; i++) {
        /* Every element takes a byte at least, so the message bounds the count. */
        if (dim[i] < 0 || (dim[i] > 0 && (uint64_t)dim[i] > message.size / (tensor->count ? tensor->count : 1)))
            return fail(r, "a tensor with less data than its shape needs");
        tensor->dim[i] = (size_t)dim[i];
        tensor->count *= (size_t)dim[i];
    }
    return true;
}

/* raw_data: little-endian numbers, as packed lists of fixed ones are. */
static bool take_raw(struct onnx_tensor *tensor, int64_t type, struct pb_span raw, size_t *n)
{
    const struct pb_field field = {.wire = PB_BYTES, .bytes = raw};
    const size_t width = type == TYPE_INT64 || type == TYPE_DOUBLE ? 8 : 4;

    if (tensor->type == ONNX_FLOAT)
        return take_floats(&field, width, tensor->f, tensor->count, n);
    if (raw.size != tensor->count * width)
        return false;
    for (size_t i = 0; i < tensor->count; i++) {
        uint64_t bits = 0;
        for (size_t j = 0; j < width; j++)
            bits |= (uint64_t)raw.data[i * width + j] << (8 * j);
        tensor->i[i] = width == 8 ? (int64_t)bits : (int64_t)(int32_t)(uint32_t)bits;
    }
    *n += tensor->count;
    return true;
}

static bool take_data(struct onnx_tensor *tensor, int64_t type, const struct pb_field *field, size_t *n)
{
    switch (field->number) {
    case TENSOR_RAW:
        return field->wire == PB_BYTES && take_raw(tensor, type, field->bytes, n);
    case TENSOR_FLOATS:
        return type != TYPE_FLOAT || take_floats(field, 4, tensor->f, tensor->count, n);
    case TENSOR_DOUBLES:
        return type != TYPE_DOUBLE || take_floats(field, 8, tensor->f, tensor->count, n);
    case TENSOR_INT32S:
        return type != TYPE_INT32 || take_ints(field, tensor->i, tensor->count, n);
    case TENSOR_INT64S:
        return type != TYPE_INT64 || take_ints(field, tensor->i, tensor->count, n);
    case TENSOR_LOCATION:
        return field->wire == PB_VARINT && field->value == 0; /* data in another file: no */
    default:
        return true;
    }
}

static bool read_tensor(struct reader *r, struct pb_span message, struct onnx_tensor *tensor, struct pb_span *name)
{
    struct pb_cursor cursor = pb_open(message);
    struct pb_field field;
    int64_t type = 0;
    size_t n = 0;

    if (!read_dims(r, message, tensor))
        return false;
    while (pb_next(&cursor, &field)) {
        if (field.number == TENSOR_TYPE && field.wire == PB_VARINT)
            type = (int64_t)field.value;
        else if (field.number == TENSOR_NAME && field.wire == PB_BYTES)
            *name = field.bytes;
    }
    if (type == TYPE_FLOAT || type == TYPE_DOUBLE) {
        tensor->type = ONNX_FLOAT;
        tensor->f = onnx_alloc(r->heap, tensor->count, sizeof *tensor->f);
    } else if (type == TYPE_INT32 || type == TYPE_INT64) {
        tensor->type = ONNX_INT;
        tensor->i = onnx_alloc(r->heap, tensor->count, sizeof *tensor->i);
    } else {
        return true;
    }
    if (!tensor->f && !tensor->i)
        return fail(r, "too much memory needed");
    cursor = pb_open(message);
    while (pb_next(&cursor, &field)) {
        if (!take_data(tensor, type, &field, &n))
            return fail(r, "a malformed tensor");
    }
    if (n != tensor->count)
        return fail(r, "a tensor whose data does not have its shape");
    return true;
}

/* Lists: counted first, then taken. */
static bool read_lists(struct reader *r, struct pb_span message, struct onnx_attribute *attr)
{
    struct pb_cursor cursor = pb_open(message);
    struct pb_field field;

    while (pb_next(&cursor, &field)) {
        if (field.number == ATTRIBUTE_FLOATS && !take_floats(&field, 4, NULL, 0, &attr->n_floats))
            return fail(r, "a malformed attribute");
        if (field.number == ATTRIBUTE_INTS && !take_ints(&field, NULL, 0, &attr->n_ints))
            return fail(r, "a malformed attribute");
    }
    attr->floats = onnx_alloc(r->heap, attr->n_floats, sizeof *attr->floats);
    attr->ints = onnx_alloc(r->heap, attr->n_ints, sizeof *attr->ints);
    if (!attr->floats || !attr->ints)
        return fail(r, "too much memory needed");
    cursor = pb_open(message);
    for (size_t floats = 0, ints = 0; pb_next(&cursor, &field);) {
        if (field.number == ATTRIBUTE_FLOATS)
            take_floats(&field, 4, attr->floats, attr->n_floats, &floats);
        if (field.number == ATTRIBUTE_INTS)
            take_ints(&field, attr->ints, attr->n_ints, &ints);
    }
    return true;
}

static bool read_attribute(struct reader *r, struct pb_span message, struct onnx_attribute *attr)
{
    struct pb_cursor cursor = pb_open(message);
    struct pb_field field;
    struct pb_span unused;

    while (pb_next(&cursor, &field)) {
        if (field.number == ATTRIBUTE_NAME && field.wire == PB_BYTES) {
            attr->name = field.bytes;
        } else if (field.number == ATTRIBUTE_F && field.wire == PB_FIXED32) {
            attr->f = as_float(field.value);
            attr->has_f = true;
        } else if (field.number == ATTRIBUTE_I && field.wire == PB_VARINT) {
            attr->i = (int64_t)field.value;
            attr->has_i = true;
        } else if (field.number == ATTRIBUTE_S && field.wire == PB_BYTES) {
            attr->s = field.bytes;
        } else if (field.number == ATTRIBUTE_T && field.wire == PB_BYTES && !attr->t) {
            attr->t = onnx_alloc(r->heap, 1, sizeof *attr->t);
            if (!attr->t)
                return fail(r, "too much memory needed");
            if (!read_tensor(r, field.bytes, attr->t, &unused))
                return false;
        }
    }
    if (cursor.malformed)
        return fail(r, "a malformed attribute");
    return read_lists(r, message, attr);
}

/* Room for all elements of the repeated field `number`, or NULL with the error told. */
static void *reserve(struct reader *r, struct pb_span message, uint32_t number, size_t size)
{
    size_t count;
    void *memory;

    if (!pb_count(message, number, &count)) {
        fail(r, "malformed bytes");
        return NULL;
    }
    memory = onnx_alloc(r->heap, count, size);
    if (!memory)
        fail(r, "too much memory needed");
    return memory;
}

static bool read_node(struct reader *r, struct pb_span message, struct onnx_node *node)
{
    struct pb_cursor cursor = pb_open(message);
    struct pb_field field;

    node->in = reserve(r, message, NODE_INPUT, sizeof *node->in);
    node->out = reserve(r, message, NODE_OUTPUT, sizeof *node->out);
    node->attr = reserve(r, message, NODE_ATTRIBUTE, sizeof *node->attr);
    if (!node->in || !node->out || !node->attr)
        return false;
    while (pb_next(&cursor, &field)) {
        if (field.wire != PB_BYTES)
            continue;
        if (field.number == NODE_INPUT)
            node->in[node->n_in++] = field.bytes;
        else if (field.number == NODE_OUTPUT)
            node->out[node->n_out++] = field.bytes;
        else if (field.number == NODE_NAME)
            node->name = field.bytes;
        else if (field.number == NODE_OP)
            node->op = field.bytes;
        else if (field.number == NODE_DOMAIN)
            node->domain = field.bytes;
        else if (field.number == NODE_ATTRIBUTE && !read_attribute(r, field.bytes, &node->attr[node->n_attr++]))
            return false;
    }
    return true;
}

/* The first field `number` of a message, or an empty span. */
static struct pb_span find(struct pb_span message, uint32_t number)
{
    struct pb_cursor cursor = pb_open(message);
    struct pb_field field;

    while (pb_next(&cursor, &field)) {
        if (field.number == number && field.wire == PB_BYTES)
            return field.bytes;
    }
    return (struct pb_span){0};
}

static int64_t find_int(struct pb_span message, uint32_t number, int64_t otherwise)
{
    struct pb_cursor cursor = pb_open(message);
    struct pb_field field;

    while (pb_next(&cursor, &field)) {
        if (field.number == number && field.wire == PB_VARINT)
            return (int64_t)field.value;
    }
    return otherwise;
}

static bool read_port(struct reader *r, struct pb_span message, struct onnx_port *port)
{
    struct pb_span tensor = find(find(message, VALUE_TYPE), TYPE_TENSOR);
    struct pb_cursor cursor = pb_open(find(tensor, TENSOR_TYPE_SHAPE));
    struct pb_field field;

    port->name = find(message, VALUE_NAME);
    port->element = find_int(tensor, TENSOR_TYPE_ELEMENT, 0);
    while (pb_next(&cursor, &field)) {
        if (field.number != SHAPE_DIM || field.wire != PB_BYTES)
            continue;
        if (port->rank == ONNX_MAX_RANK)
            return fail(r, "an input or output of too many dimensions");
        port->dim[port->rank++] = find_int(field.bytes, DIM_VALUE, -1);
    }
    return !cursor.malformed || fail(r, "a malformed input or output");
}

static bool read_graph(struct reader *r, struct pb_span message, struct onnx_graph *graph)
{
    struct pb_cursor cursor = pb_open(message);
    struct pb_field field;
    size_t nodes;

    if (!pb_count(message, GRAPH_NODE, &nodes) || nodes > ONNX_MAX_NODES)
        return fail(r, "malformed, or too many nodes");
    graph->node = reserve(r, message, GRAPH_NODE, sizeof *graph->node);
    graph->initializer = reserve(r, message, GRAPH_INITIALIZER, sizeof *graph->initializer);
    graph->input = reserve(r, message, GRAPH_INPUT, sizeof *graph->input);
    graph->output = reserve(r, message, GRAPH_OUTPUT, sizeof *graph->output);
    if (!graph->node || !graph->initializer || !graph->input || !graph->output)
        return false;
    while (pb_next(&cursor, &field)) {
        struct onnx_initializer *initializer;
        if (field.wire != PB_BYTES)
            continue;
        switch (field.number) {
        case GRAPH_NODE:
            if (!read_node(r, field.bytes, &graph->node[graph->n_nodes++]))
                return false;
            break;
        case GRAPH_INITIALIZER:
            initializer = &graph->initializer[graph->n_initializers++];
            if (!read_tensor(r, field.bytes, &initializer->tensor, &initializer->name))
                return false;
            break;
        case GRAPH_INPUT:
            if (!read_port(r, field.bytes, &graph->input[graph->n_inputs++]))
                return false;
            break;
        case GRAPH_OUTPUT:
            if (!read_port(r, field.bytes, &graph->output[graph->n_outputs++]))
                return false;
            break;
        case GRAPH_SPARSE_INITIALIZER:
            return fail(r, "sparse weights");
        default:
            break;
        }
    }
    return true;
}

enum aibox_status onnx_read(const void *bytes, size_t size, struct onnx_heap *heap, struct onnx_graph *graph,
                            struct aibox_error *err)
{
    struct reader r = {.heap = heap, .err = err};
    struct pb_cursor cursor = pb_open((struct pb_span){.data = bytes, .size = size});
    struct pb_span message = {0};
    struct pb_field field;

    *graph = (struct onnx_graph){0};
    if (size > ONNX_MAX_BYTES)
        return error_set(err, AIBOX_PROCESS_FAILED, "a model of more than 64 MiB");
    while (pb_next(&cursor, &field)) {
        if (field.wire != PB_BYTES)
            continue;
        if (field.number == MODEL_GRAPH && message.size > 0) {
            fail(&r, "two graphs");
            return AIBOX_PROCESS_FAILED;
        }
        if (field.number == MODEL_GRAPH)
            message = field.bytes;
        else if (field.number == MODEL_OPSET && find(field.bytes, OPSET_DOMAIN).size == 0)
            graph->opset = find_int(field.bytes, OPSET_VERSION, 0);
    }
    if (cursor.malformed || message.size == 0) {
        fail(&r, "malformed bytes");
        return AIBOX_PROCESS_FAILED;
    }
    return read_graph(&r, message, graph) ? AIBOX_OK : AIBOX_PROCESS_FAILED;
}
