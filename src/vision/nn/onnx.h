/*
 * Private to vision/nn: an ONNX file (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), as far as
 * inference of a float32 network needs it. Everything lies on one heap that is freed as a whole; names
 * and strings point into the file's bytes.
 */
#ifndef AIBOX_VISION_NN_ONNX_H
#define AIBOX_VISION_NN_ONNX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "vision/nn/protobuf.h"

#define ONNX_MAX_BYTES  ((size_t)64 * 1024 * 1024)
#define ONNX_MAX_HEAP   ((size_t)256 * 1024 * 1024)
#define ONNX_MAX_NODES  4096
#define ONNX_MAX_RANK   6
#define ONNX_NAME_PRINT 64 /* a name made printable, with its NUL */

/* Memory that is freed all at once. */
struct onnx_heap {
    struct onnx_block *last;
    size_t used;
};

/* `count` zeroed elements, or NULL when memory or ONNX_MAX_HEAP is exceeded. count 0 gives a valid pointer. */
void *onnx_alloc(struct onnx_heap *heap, size_t count, size_t size);
void onnx_heap_free(struct onnx_heap *heap);

enum onnx_type { ONNX_OTHER, ONNX_FLOAT, ONNX_INT };

struct onnx_tensor {
    enum onnx_type type; /* ONNX_OTHER: no data */
    size_t rank;
    size_t dim[ONNX_MAX_RANK];
    size_t count;
    float *f;   /* ONNX_FLOAT: float and double */
    int64_t *i; /* ONNX_INT: int32 and int64 */
};

struct onnx_attribute {
    struct pb_span name;
    bool has_f, has_i;
    float f;
    int64_t i;
    struct pb_span s;
    struct onnx_tensor *t; /* or NULL */
    float *floats;
    size_t n_floats;
    int64_t *ints;
    size_t n_ints;
};

struct onnx_node {
    struct pb_span name, op, domain;
    struct pb_span *in;
    size_t n_in;
    struct pb_span *out;
    size_t n_out;
    struct onnx_attribute *attr;
    size_t n_attr;
};

struct onnx_initializer {
    struct pb_span name;
    struct onnx_tensor tensor;
};

/* A graph's input or output. */
struct onnx_port {
    struct pb_span name;
    int64_t element; /* TensorProto.DataType, 1: float */
    size_t rank;
    int64_t dim[ONNX_MAX_RANK]; /* -1: dynamic */
};

struct onnx_graph {
    int64_t opset;
    struct onnx_node *node;
    size_t n_nodes;
    struct onnx_initializer *initializer;
    size_t n_initializers;
    struct onnx_port *input;
    size_t n_inputs;
    struct onnx_port *output;
    size_t n_outputs;
};

/* The bytes must outlive the graph. */
enum aibox_status onnx_read(const void *bytes, size_t size, struct onnx_heap *heap, struct onnx_graph *graph,
                            struct aibox_error *err);

bool onnx_is(struct pb_span name, const char *text);
/* Printable ASCII, cut if need be; other bytes become '?'. Returns `out`. */
const char *onnx_print(struct pb_span name, char out[ONNX_NAME_PRINT]);

#endif
