/* The pure parts of quality assessment, apart for their tests. */
#ifndef AIBOX_VISION_QUALITY_H
#define AIBOX_VISION_QUALITY_H

#include "vision/vision.h"

/* log10(1 + variance of the 4-neighbour Laplacian) of a side × side grey picture (0–255), its outermost pixels left
 * out. */
float quality_clarity(const float *grey, size_t side);

/* Share of the pixels with luma in 40..235 inside the ellipse that the face takes in the aligned picture. */
float quality_brightness(const float *grey, size_t side);

/* Share of the detector's box that lies outside the picture. */
float quality_outside(const float raw[4], const float clipped[4]);

/* Smallest of the items' own scores. `outside`: quality_outside(). */
float quality_score(const struct vision_quality *quality, float outside);

/* Fills judged, failed and pass from the measures. */
void quality_judge(struct vision_quality *quality, const struct vision_quality_limits *limits);

#endif
