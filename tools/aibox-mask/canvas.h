/* The lower part of a face as something to draw on: its coordinates, the light that falls on it, and areas with soft
 * edges. */
#ifndef AIBOX_MASK_CANVAS_H
#define AIBOX_MASK_CANVAS_H

#include "mask_draw.h"

/* Points of a closed smooth outline. */
#define OUTLINE_CORNERS 16
#define OUTLINE_STEPS   6 /* straight pieces between two corners */

struct outline {
    size_t count;
    float corner[OUTLINE_CORNERS][2];
};

struct canvas {
    struct image *image;            /* not owned */
    const struct vision_face *face; /* not owned */
    float origin[2], right[2];      /* nose base; half the face's width to the right. Downwards is at right angles. */
    float unit;                     /* half the face's width, px */
    float level;                    /* median luma of the lower face */
    int x0, y0, x1, y1;             /* part of the picture that may be drawn on */
    float *luma;                    /* owned: sums of the luma above and left of each pixel of that part */
    float *cover;                   /* owned: for canvas_fill() */
};

/* False: no memory or no face to draw on. */
bool canvas_open(struct image *image, const struct vision_face *face, struct canvas *out);
void canvas_close(struct canvas *canvas);

/* Picture coordinates to the face's: (0, 0) the nose's base, x = ±1 the face's sides, y = 1 half its width below. */
void canvas_to_face(const struct canvas *canvas, float x, float y, float out[2]);
void canvas_from_face(const struct canvas *canvas, float x, float y, float out[2]);

/* Point `index` of the landmarks, or between two of them. */
const float *canvas_point(const struct canvas *canvas, size_t index);
void canvas_between(const struct canvas *canvas, size_t a, size_t b, float share, float out[2]);

/* How bright it is around a point, relative to the whole lower face (1 = as there). */
float canvas_light(const struct canvas *canvas, float x, float y);

void outline_add(struct outline *outline, const float point[2]);

/* Colour (RGB 0-255) of a point given in the face's coordinates; *alpha (1 before) may be lowered. */
typedef void (*canvas_paint)(const void *ctx, const struct canvas *canvas, const float at[2], const float place[2],
                             float rgb[3], float *alpha);

/* Paints what lies inside the outline (smooth: Catmull-Rom through its corners), edges antialiased. */
bool canvas_fill(struct canvas *canvas, const struct outline *outline, canvas_paint paint, const void *ctx);

/* A straight band of the given width, px. */
bool canvas_line(struct canvas *canvas, const float from[2], const float to[2], float width, canvas_paint paint,
                 const void *ctx);

/* 0..1, the same for the same three numbers everywhere. */
float hash_unit(uint64_t seed, int64_t x, int64_t y);
/* The same, smooth between whole numbers. */
float hash_smooth(uint64_t seed, float x, float y);

#endif
