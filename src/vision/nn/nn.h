/*
 * Running small convolutional networks: an ONNX reader and an executor on XNNPACK's operator API.
 *
 * Two steps. A *model* is what was read: graph and weights, checked, BatchNorm and constants folded,
 * immutable, shareable by threads. A *session* is one thread's executor for it: XNNPACK operators and
 * one arena, everything allocated when it is opened; nn_run() allocates nothing and uses one thread.
 * A session packs the weights again into XNNPACK's layout: it takes about the model's size, plus the arena.
 *
 * Tensors at the door are float32, batch 1, without gaps. Their order by rank:
 *   4  pictures that ONNX has as {1, c, h, w}: {1, h, w, c} here, channels innermost. A tensor that the graph itself
 *      transposed to {1, h, w, c} is that, too.
 *   3  as in ONNX, row-major, e.g. {1, boxes, numbers of a box}
 *   2  as in ONNX, e.g. {1, numbers}; a picture that the graph flattened is in ONNX' order (channel by channel)
 *   1  a vector; also a single number, {1}
 * See vision/nn/builder.h for networks written in code.
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
 * Reads an ONNX model (operator sets 7 to 21) from memory (copied; `bytes` may go afterwards). `outputs`: names of
 * the tensors wanted, in order, also inner ones (the detector's graph is cut at its conv heads), or n_outputs 0 for the
 * graph's own outputs, NN_MAX_PORTS at most; nodes that only feed others are dropped. Hostile input is expected: sizes
 * are bounded (64 MiB of file, 4,096 nodes, 256 MiB of weights, 256 MiB of activations, 64 G multiplications per run),
 * every shape is checked. PROCESS_FAILED with a message that names the node and operator when something is unknown or
 * malformed.
 *
 * `input`, when not NULL, is the input's size {1, h, w, c}: it settles dynamic dimensions and replaces the rows and
 * columns that the file says (for a fully convolutional graph that is cut before constants of another size come in).
 * The channels must be the model's.
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

/* Runs once on the calling thread, with denormal numbers counting as zero. Afterwards nn_session_output() is valid
 * until the next run; the input is as it was. Different sessions run side by side, also those of one model. */
enum aibox_status nn_run(struct nn_session *session, struct aibox_error *err);
const float *nn_session_output(const struct nn_session *session, size_t index);

#endif
