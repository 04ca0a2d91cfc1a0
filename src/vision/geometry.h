/* Boxes and plane transforms of the vision room. Pure functions, any thread. */
#ifndef AIBOX_VISION_GEOMETRY_H
#define AIBOX_VISION_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>

/* A detector's candidate: corners x1, y1, x2, y2 and its score. */
struct candidate {
    float box[4];
    float score;
    int pass;   /* which look at the picture found it (0: the whole picture) */
    float seen; /* area inside the picture; the detector's last step fills it in */
};

/* Intersection over union, and intersection over the smaller box; 0 for empty boxes. */
float box_iou(const float a[4], const float b[4]);
float box_overlap(const float a[4], const float b[4]);

/* Clips to 0..width, 0..height; false if nothing is left. */
bool box_clip(const float box[4], float width, float height, float out[4]);

/*
 * Greedy non-maximum suppression in place: best score first, a candidate goes when its IoU with a kept one is above
 * `iou`. Of two candidates of different passes also when one holds nearly all of the other (then the larger stays),
 * because a second look at the same face from nearer gives boxes of parts of it. Returns how many are left, best first.
 */
size_t candidates_suppress(struct candidate *list, size_t count, float iou);

/*
 * The similarity (rotation, one scale, shift) that maps `from` to `to` with the least sum of squared distances
 * (Umeyama 1991; in the plane a closed form: one complex factor). `matrix`: x' = m0 x + m1 y + m2, y' = m3 x + m4 y +
 * m5. False when the points of `from` coincide, or the result would be of scale 0.
 */
bool similarity_fit(const float (*from)[2], const float (*to)[2], size_t count, float matrix[6]);

/* Inverse of an affine map; false when it has none. */
bool affine_invert(const float matrix[6], float inverse[6]);

#endif
