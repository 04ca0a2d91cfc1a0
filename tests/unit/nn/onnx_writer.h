/* Writes small ONNX models, for tests and as seeds for fuzzing. */
#ifndef AIBOX_TESTS_NN_ONNX_WRITER_H
#define AIBOX_TESTS_NN_ONNX_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

/* Attributes of the node that is written next; in the order of writing. */
void onnx_put_int(struct buffer *attributes, const char *name, int64_t value);
void onnx_put_float(struct buffer *attributes, const char *name, float value);
void onnx_put_text(struct buffer *attributes, const char *name, const char *value);
void onnx_put_ints(struct buffer *attributes, const char *name, size_t count, const int64_t *values);

/* Names are separated by single blanks; attributes may be NULL and are emptied. */
void onnx_put_node(struct buffer *graph, const char *op, const char *in, const char *out, struct buffer *attributes);
void onnx_put_floats(struct buffer *graph, const char *name, size_t rank, const int64_t *dim, const float *data);
void onnx_put_integers(struct buffer *graph, const char *name, size_t count, const int64_t *data);
/* A dimension -1 is written as a dynamic one. */
void onnx_put_input(struct buffer *graph, const char *name, size_t rank, const int64_t *dim);
void onnx_put_output(struct buffer *graph, const char *name);

/* The whole file; the graph is emptied. */
void onnx_put_model(struct buffer *model, struct buffer *graph, int64_t opset);

/* Models that together have every operator: 0, 1, ... ; false: there is no such. `model` must be empty. */
bool onnx_sample(size_t index, struct buffer *model);

#endif
