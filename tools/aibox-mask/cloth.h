/* What a mask is made of: colours, patterns, folds and how the light falls on them. */
#ifndef AIBOX_MASK_CLOTH_H
#define AIBOX_MASK_CLOTH_H

#include "canvas.h"

/* A canvas_paint; ctx is a struct mask_style. */
void cloth_paint(const void *ctx, const struct canvas *canvas, const float at[2], const float place[2], float rgb[3],
                 float *alpha);

/* Two colours as they are sold. */
void cloth_colours(uint64_t *random, bool plain, float colour[2][3]);

#endif
