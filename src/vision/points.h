/* The five points of a face, found more exactly than by its 68: ONet, asked twice. */
#ifndef AIBOX_VISION_POINTS_H
#define AIBOX_VISION_POINTS_H

#include "vision/vision.h"

/* A square of a picture, turned clockwise by `angle` (radians) around its centre; picture pixels, edges between them.
 */
struct points_square {
    float x, y, side, angle;
};

/* The map from the pixel centres of a `pixels` × `pixels` picture to the square's, with rows and columns of the small
 * picture exchanged (as ONet wants them), for image_sampling.matrix. */
void points_matrix(const struct points_square *square, int pixels, float matrix[6]);

/* Shares of the square's side (0, 0: its first corner) to picture pixels. */
void points_place(const struct points_square *square, float across, float down, float out[2]);

/*
 * eye, eye, nose tip, mouth corner, mouth corner of the face in `box` (the detector's), picture pixels. First in the
 * square of the box's height around its centre, then in the square that ONet makes of that, turned so that the face is
 * upright. The worker's model set must have the network (model_set_has()). PARAM: an empty box; LOW_QUALITY: the first
 * look's points coincide.
 */
enum aibox_status points_find(struct vision_worker *worker, const struct image *image, const float box[4],
                              float points[5][2], struct aibox_error *err);

#endif
