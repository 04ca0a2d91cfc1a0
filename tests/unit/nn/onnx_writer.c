#include "onnx_writer.h"

#include <string.h>

static void put_varint(struct buffer *out, uint64_t value)
{
    uint8_t byte;

    for (; value >= 0x80; value >>= 7) {
        byte = (uint8_t)(value | 0x80);
        buffer_append(out, &byte, 1);
    }
    byte = (uint8_t)value;
    buffer_append(out, &byte, 1);
}

static void put_number(struct buffer *out, uint32_t field, int64_t value)
{
    put_varint(out, (uint64_t)field << 3);
    put_varint(out, (uint64_t)value);
}

static void put_bytes(struct buffer *out, uint32_t field, const void *bytes, size_t size)
{
    put_varint(out, (uint64_t)field << 3 | 2);
    put_varint(out, size);
    buffer_append(out, bytes, size);
}

static void put_text(struct buffer *out, uint32_t field, const char *text)
{
    put_bytes(out, field, text, strlen(text));
}

/* A message inside another; it is freed. */
static void put_message(struct buffer *out, uint32_t field, struct buffer *message)
{
    put_bytes(out, field, message->data, message->size);
    buffer_free(message);
}

static struct buffer message(void)
{
    struct buffer buf;

    buffer_init(&buf, 1 << 20);
    return buf;
}

void onnx_put_int(struct buffer *attributes, const char *name, int64_t value)
{
    struct buffer attribute = message();

    put_text(&attribute, 1, name);
    put_number(&attribute, 3, value);
    put_message(attributes, 5, &attribute);
}

void onnx_put_float(struct buffer *attributes, const char *name, float value)
{
    const uint8_t key = 2 << 3 | 5;
    struct buffer attribute = message();

    put_text(&attribute, 1, name);
    buffer_append(&attribute, &key, 1);
    buffer_append(&attribute, &value, sizeof value);
    put_message(attributes, 5, &attribute);
}

void onnx_put_text(struct buffer *attributes, const char *name, const char *value)
{
    struct buffer attribute = message();

    put_text(&attribute, 1, name);
    put_text(&attribute, 4, value);
    put_message(attributes, 5, &attribute);
}

void onnx_put_ints(struct buffer *attributes, const char *name, size_t count, const int64_t *values)
{
    struct buffer attribute = message();

    put_text(&attribute, 1, name);
    for (size_t i = 0; i < count; i++)
        put_number(&attribute, 8, values[i]);
    put_message(attributes, 5, &attribute);
}

static void put_names(struct buffer *node, uint32_t field, const char *names)
{
    while (*names) {
        size_t length = strcspn(names, " ");
        put_bytes(node, field, names, length);
        names += length;
        names += *names == ' ';
    }
}

void onnx_put_node(struct buffer *graph, const char *op, const char *in, const char *out, struct buffer *attributes)
{
    struct buffer node = message();

    put_names(&node, 1, in);
    put_names(&node, 2, out);
    put_text(&node, 4, op);
    if (attributes && attributes->size > 0)
        buffer_append(&node, attributes->data, attributes->size);
    if (attributes)
        buffer_clear(attributes);
    put_message(graph, 1, &node);
}

void onnx_put_floats(struct buffer *graph, const char *name, size_t rank, const int64_t *dim, const float *data)
{
    struct buffer tensor = message();
    size_t count = 1;

    for (size_t i = 0; i < rank; i++) {
        put_number(&tensor, 1, dim[i]);
        count *= (size_t)dim[i];
    }
    put_number(&tensor, 2, 1);
    put_text(&tensor, 8, name);
    put_bytes(&tensor, 9, data, count * sizeof *data);
    put_message(graph, 5, &tensor);
}

void onnx_put_integers(struct buffer *graph, const char *name, size_t count, const int64_t *data)
{
    struct buffer tensor = message();
    struct buffer packed = message();

    put_number(&tensor, 1, (int64_t)count);
    put_number(&tensor, 2, 7);
    put_text(&tensor, 8, name);
    for (size_t i = 0; i < count; i++)
        put_varint(&packed, (uint64_t)data[i]);
    put_message(&tensor, 7, &packed);
    put_message(graph, 5, &tensor);
}

static void put_port(struct buffer *graph, uint32_t field, const char *name, size_t rank, const int64_t *dim)
{
    struct buffer port = message(), type = message(), tensor = message(), shape = message();

    for (size_t i = 0; i < rank; i++) {
        struct buffer side = message();
        if (dim[i] >= 0)
            put_number(&side, 1, dim[i]);
        else
            put_text(&side, 2, "n");
        put_message(&shape, 1, &side);
    }
    put_number(&tensor, 1, 1);
    put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_text(&port, 1, name);
    put_message(&port, 2, &type);
    put_message(graph, field, &port);
}

void onnx_put_input(struct buffer *graph, const char *name, size_t rank, const int64_t *dim)
{
    put_port(graph, 11, name, rank, dim);
}

void onnx_put_output(struct buffer *graph, const char *name)
{
    put_port(graph, 12, name, 0, NULL);
}

void onnx_put_model(struct buffer *model, struct buffer *graph, int64_t opset)
{
    struct buffer import = message();

    put_number(&import, 2, opset);
    put_number(model, 1, 7);
    put_bytes(model, 7, graph->data, graph->size);
    put_message(model, 8, &import);
    buffer_clear(graph);
}

#define INTS(...)                                                                                                      \
    (sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])                                      \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static float pattern[4096];

/* Small numbers of both signs, always the same. */
static const float *numbers(void)
{
    for (size_t i = 0; i < sizeof pattern / sizeof pattern[0]; i++)
        pattern[i] = (float)((i * 37 + 11) % 64) / 64 - 0.4F;
    return pattern;
}

/* Conv, BatchNormalization, PRelu, depthwise Conv, pools, Flatten, Gemm. */
static void sample_classifier(struct buffer *graph, struct buffer *attr)
{
    const float positive[4] = {1, 2, 0.5F, 4};

    onnx_put_input(graph, "x", INTS(-1, 3, 8, 8));
    onnx_put_floats(graph, "w1", INTS(4, 3, 3, 3), numbers());
    onnx_put_floats(graph, "b1", INTS(4), numbers() + 7);
    onnx_put_floats(graph, "four", INTS(4), positive);
    onnx_put_floats(graph, "slope", INTS(4, 1, 1), numbers() + 3);
    onnx_put_floats(graph, "w2", INTS(4, 1, 3, 3), numbers() + 20);
    onnx_put_floats(graph, "w3", INTS(5, 16), numbers() + 9);
    onnx_put_ints(attr, "pads", INTS(1, 1, 1, 1));
    onnx_put_node(graph, "Conv", "x w1 b1", "c1", attr);
    onnx_put_float(attr, "epsilon", 1e-3F);
    onnx_put_node(graph, "BatchNormalization", "c1 four b1 b1 four", "n1", attr);
    onnx_put_node(graph, "PRelu", "n1 slope", "p1", NULL);
    onnx_put_int(attr, "group", 4);
    onnx_put_text(attr, "auto_pad", "SAME_UPPER");
    onnx_put_ints(attr, "strides", INTS(2, 2));
    onnx_put_node(graph, "Conv", "p1 w2", "c2", attr);
    onnx_put_node(graph, "Relu", "c2", "r2", NULL);
    onnx_put_ints(attr, "kernel_shape", INTS(2, 2));
    onnx_put_ints(attr, "strides", INTS(2, 2));
    onnx_put_node(graph, "MaxPool", "r2", "m2", attr);
    onnx_put_node(graph, "Flatten", "m2", "f", NULL);
    onnx_put_int(attr, "transB", 1);
    onnx_put_float(attr, "alpha", 0.5F);
    onnx_put_node(graph, "Gemm", "f w3", "g", attr);
    onnx_put_node(graph, "Softmax", "g", "y", NULL);
    onnx_put_output(graph, "y");
}

/* Channel shuffle and split, squeeze and excitation, Tanh, Clip, LeakyRelu, AveragePool, Pad. */
static void sample_shuffle(struct buffer *graph, struct buffer *attr)
{
    onnx_put_input(graph, "x", INTS(1, 4, 6, 6));
    onnx_put_integers(graph, "five", INTS(1, 2, 2, 6, 6));
    onnx_put_integers(graph, "four", INTS(1, -1, 6, 6));
    onnx_put_floats(graph, "w", INTS(2, 2, 1, 1), numbers());
    onnx_put_node(graph, "Reshape", "x five", "r1", NULL);
    onnx_put_ints(attr, "perm", INTS(0, 2, 1, 3, 4));
    onnx_put_node(graph, "Transpose", "r1", "t1", attr);
    onnx_put_node(graph, "Reshape", "t1 four", "s1", NULL);
    onnx_put_int(attr, "axis", 1);
    onnx_put_ints(attr, "split", INTS(2, 2));
    onnx_put_node(graph, "Split", "s1", "a b", attr);
    onnx_put_node(graph, "Conv", "b w", "c", NULL);
    onnx_put_node(graph, "Tanh", "c", "d", NULL);
    onnx_put_node(graph, "GlobalAveragePool", "d", "e", NULL);
    onnx_put_node(graph, "Sigmoid", "e", "f", NULL);
    onnx_put_node(graph, "Mul", "d f", "g", NULL);
    onnx_put_int(attr, "axis", 1);
    onnx_put_node(graph, "Concat", "a g", "h", attr);
    onnx_put_float(attr, "alpha", 0.2F);
    onnx_put_node(graph, "LeakyRelu", "h", "i", attr);
    onnx_put_float(attr, "max", 0.5F);
    onnx_put_node(graph, "Clip", "i", "j", attr);
    onnx_put_ints(attr, "pads", INTS(0, 0, 1, 0, 0, 0, 1, 2));
    onnx_put_node(graph, "Pad", "j", "k", attr);
    onnx_put_ints(attr, "kernel_shape", INTS(2, 2));
    onnx_put_node(graph, "AveragePool", "k", "l", attr);
    onnx_put_ints(attr, "axes", INTS(2, 3));
    onnx_put_int(attr, "keepdims", 0);
    onnx_put_node(graph, "ReduceMean", "l", "y", attr);
    onnx_put_output(graph, "y");
    onnx_put_output(graph, "l");
}

/* What a detector does behind its heads: arithmetic on shapes, slices, joining places, constants of full size. */
static void sample_detector(struct buffer *graph, struct buffer *attr)
{
    onnx_put_input(graph, "x", INTS(1, 4, 3, 2));
    onnx_put_integers(graph, "zero", INTS(0));
    onnx_put_integers(graph, "tail", INTS(-1, 2));
    onnx_put_floats(graph, "prior", INTS(1, 12, 2), numbers());
    onnx_put_floats(graph, "two", 0, NULL, (const float[]){2});
    onnx_put_ints(attr, "perm", INTS(0, 2, 3, 1));
    onnx_put_node(graph, "Transpose", "x", "t", attr);
    onnx_put_node(graph, "Shape", "t", "s", NULL);
    onnx_put_node(graph, "Gather", "s zero", "n", NULL);
    onnx_put_int(attr, "axis", 0);
    onnx_put_node(graph, "Concat", "n tail", "shape", attr);
    onnx_put_node(graph, "Reshape", "t shape", "r", NULL);
    onnx_put_node(graph, "Mul", "r prior", "m", NULL);
    onnx_put_node(graph, "Exp", "m", "e", NULL);
    onnx_put_int(attr, "axis", 1);
    onnx_put_node(graph, "Concat", "m e", "j", attr);
    onnx_put_ints(attr, "axes", INTS(2));
    onnx_put_ints(attr, "starts", INTS(1));
    onnx_put_ints(attr, "ends", INTS(INT64_MAX));
    onnx_put_node(graph, "Slice", "j", "c", attr);
    onnx_put_node(graph, "Div", "c two", "d", NULL);
    onnx_put_node(graph, "Sub", "j d", "u", NULL);
    onnx_put_node(graph, "Add", "u j", "y", NULL);
    onnx_put_output(graph, "y");
    onnx_put_output(graph, "d");
}

bool onnx_sample(size_t index, struct buffer *model)
{
    static void (*const samples[])(struct buffer *, struct buffer *) = {sample_classifier, sample_shuffle,
                                                                        sample_detector};
    struct buffer graph = message(), attributes = message();

    if (index >= sizeof samples / sizeof samples[0])
        return false;
    samples[index](&graph, &attributes);
    onnx_put_model(model, &graph, 9);
    buffer_free(&graph);
    buffer_free(&attributes);
    return true;
}
