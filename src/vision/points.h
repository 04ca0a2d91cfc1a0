/* The five points of a face, found more exactly than by its 68: ONet, asked several times. */
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

/* Makes such a map one to the mirror image: left and right of the face are exchanged. */
void points_mirror(int pixels, float matrix[6]);

/* Shares of the square's side (0, 0: its first corner) to picture pixels. */
void points_place(const struct points_square *square, float across, float down, float out[2]);

/*
 * eye, eye, nose tip, mouth corner, mouth corner of the face in `box` (the detector's), picture pixels. First in a
 * square around the box's centre, then in the square that ONet makes of that, turned so that the face is upright, as
 * often as the model set says; the last square perhaps mirrored, too. *disagreement: how far apart the mirrored
 * square's points lie from the others, root mean square in picture pixels; 0 without a mirrored look. The worker's
 * model set must have the network (model_set_has()). PARAM: an empty box.
 */
enum aibox_status points_find(struct vision_worker *worker, const struct image *image, const float box[4],
                              float points[5][2], float *disagreement, struct aibox_error *err);

#endif
