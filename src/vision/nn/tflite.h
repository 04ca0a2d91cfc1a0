/*
 * The weights of a TensorFlow Lite file: constant float tensors by name. The file is a FlatBuffer (tables that refer to
 * each other by offsets); of its schema (tensorflow/lite/schema, version 3) only the tensors of the first subgraph and
 * the buffers are looked at, the operators are not. Hostile input is expected: every offset is checked before it is
 * followed, and following is not recursive.
 */
#ifndef AIBOX_VISION_NN_TFLITE_H
#define AIBOX_VISION_NN_TFLITE_H

#include <stddef.h>

#include "core/status.h"

#define TFLITE_MAX_BYTES   ((size_t)64 * 1024 * 1024)
#define TFLITE_MAX_TENSORS 4096

struct tflite {
    const unsigned char *bytes; /* not owned */
    size_t size;
    size_t tensors, n_tensors; /* where the vectors' first elements are, and how many there are */
    size_t buffers, n_buffers;
};

/* `bytes` must live as long as *out is used. PROCESS_FAILED: not such a file, too large, or damaged. */
enum aibox_status tflite_open(const void *bytes, size_t size, struct tflite *out, struct aibox_error *err);

/*
 * The numbers of the float tensor `name` (row-major), to be freed. Its shape must be the `rank` (1..4) sides given.
 * PROCESS_FAILED with a message that names the tensor when it is missing, of another shape or type, or damaged.
 */
enum aibox_status tflite_floats(const struct tflite *file, const char *name, const size_t *shape, size_t rank,
                                float **out, struct aibox_error *err);

#endif
