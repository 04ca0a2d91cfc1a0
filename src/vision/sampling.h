/* Parts of a picture as network input: crops in box coordinates, and reduction without aliasing. */
#ifndef AIBOX_VISION_SAMPLING_H
#define AIBOX_VISION_SAMPLING_H

#include "vision/image.h"

/*
 * The map from pixel centres of an out_w × out_h picture to the rectangle's part of the source (both with pixel centres
 * at integers, rectangle edges between them), for image_sampling.matrix.
 */
void sampling_of_rectangle(float x, float y, float width, float height, int out_w, int out_h, float matrix[6]);

enum sample_kind { SAMPLE_COLOUR, SAMPLE_GREY };

/*
 * image_sample() / image_sample_grey() for any reduction: where the source steps by two pixels or more per output
 * pixel, the part that is needed is first averaged down by whole numbers, because bilinear samples alone would skip
 * pixels. Allocates then only. Any thread.
 */
enum aibox_status sample_smoothly(const struct image *image, const struct image_sampling *how, enum sample_kind kind,
                                  int out_w, int out_h, float *out, struct aibox_error *err);

#endif
