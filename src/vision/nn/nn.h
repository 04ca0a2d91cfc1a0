/*
 * Running small convolutional networks: an ONNX reader and an executor on XNNPACK's operator API.
 *
 * Two steps. A *model* is what was read: graph and weights, checked, BatchNorm and constants folded,
 * immutable, shareable by threads. A *session* is one thread's executor for it: XNNPACK operators and
 * one arena, everything allocated when it is opened; nn_run() allocates nothing and uses one thread.
 *
 * Tensors at the door are float32 in NHWC order (images: rows, columns, channels), batch 1, except
 * tensors of rank <= 2, which are plain row vectors.
 */
#ifndef AIBOX_VISION_NN_NN_H
#define AIBOX_VISION_NN_NN_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define NN_MAX_PORTS 16

struct nn_model;
struct nn_session;

struct nn_shape {
    size_t rank;   /* 1..4 */
    size_t dim[4]; /* NHWC for rank 4 */
};

/*
 * Reads an ONNX model from memory (copied; `bytes` may go afterwards). `outputs`: names of the
 * tensors wanted, in order, also inner ones (the detector's graph is cut at its conv heads), or
 * n_outputs 0 for the graph's own outputs; nodes that only feed others are dropped. Hostile input is
 * expected: sizes are bounded (64 MiB, 4,096 nodes, 256 MiB of weights and activations), every
 * shape is checked. PROCESS_FAILED with a message that names the node and operator when something is
 * unknown or malformed. Fixes a dynamic batch or spatial dimension to `input` when not NULL.
 */
enum aibox_status nn_model_read(const void *bytes, size_t size, const char *const *outputs, size_t n_outputs,
                                const struct nn_shape *input, struct nn_model **out, struct aibox_error *err);
void nn_model_free(struct nn_model *model);

size_t nn_model_outputs(const struct nn_model *model);
struct nn_shape nn_model_input_shape(const struct nn_model *model);
struct nn_shape nn_model_output_shape(const struct nn_model *model, size_t index);

/* `model` must outlive the session. */
enum aibox_status nn_session_open(const struct nn_model *model, struct nn_session **out, struct aibox_error *err);
void nn_session_close(struct nn_session *session);

/* The input tensor's memory, to be filled before nn_run(): NHWC floats, owned by the session. */
float *nn_session_input(struct nn_session *session);

/* Runs once on the calling thread. Afterwards nn_session_output() is valid until the next run. */
enum aibox_status nn_run(struct nn_session *session, struct aibox_error *err);
const float *nn_session_output(const struct nn_session *session, size_t index);

#endif
