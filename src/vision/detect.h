/* From the detector's conv heads to boxes (RFB-320: SSD anchors; Liu et al. 2016, "SSD: Single Shot MultiBox
 * Detector"). */
#ifndef AIBOX_VISION_DETECT_H
#define AIBOX_VISION_DETECT_H

#include <stddef.h>

#include "vision/geometry.h"

#define DETECT_MAX_ANCHORS    3    /* per cell */
#define DETECT_MAX_CANDIDATES 8192 /* above the least score, one pass */
#define DETECT_MAX_MERGED     2048 /* after suppression, all passes */

/* One stride: cells and the sides of the square anchors at each cell's centre, as shares of the input's width, height.
 */
struct detect_map {
    size_t rows, cols, anchors;
    float width[DETECT_MAX_ANCHORS];
    float height[DETECT_MAX_ANCHORS];
};

/*
 * Fills the geometry of stride `index` (0..3) for a head of rows × cols cells of a network whose input is input_w ×
 * input_h pixels.
 */
void detect_map_init(size_t index, size_t rows, size_t cols, size_t input_w, size_t input_h, struct detect_map *map);

/*
 * Appends the anchors of one map whose score is at least `min_score`. scores: rows × cols × anchors × 2 logits
 * (background, face), boxes: rows × cols × anchors × 4 (offset of the centre in tenths of the anchor, log size in
 * fifths). Boxes come as shares of the input, 0..1, not clipped. Stops at `capacity`.
 */
void detect_decode(const struct detect_map *map, const float *scores, const float *boxes, float min_score,
                   struct candidate *list, size_t capacity, size_t *count);

#endif
