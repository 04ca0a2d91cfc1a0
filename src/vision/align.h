/* Alignment: where the pixels of the aligned face come from. */
#ifndef AIBOX_VISION_ALIGN_H
#define AIBOX_VISION_ALIGN_H

#include "vision/vision.h"

/* Five points of the aligned 112-px face as ArcFace (Deng et al. 2019) trains with; a model set may bring its own. */
extern const float align_arcface_points[5][2];

/*
 * The map from pixels of the aligned face to the picture, for image_sampling.matrix: the inverse of the similarity that
 * brings the face's five points nearest to `points`. LOW_QUALITY when the points have collapsed, PARAM when the face is
 * not located.
 */
enum aibox_status align_matrix(const struct vision_face *face, const float (*points)[2], float matrix[6],
                               struct aibox_error *err);

/* The same for any five points; LOW_QUALITY when they have collapsed. */
enum aibox_status align_points_matrix(const float (*from)[2], const float (*to)[2], float matrix[6],
                                      struct aibox_error *err);

/* The same map for the aligned face mirrored. */
void align_mirror(float matrix[6]);

#endif
