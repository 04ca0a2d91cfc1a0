/*
 * Draws masks on faces, and what resembles them: the pictures by which the box learns to tell who wears one, since no
 * collection of people with masks may be taken along. Everything that is left to chance comes out of a seed, so that
 * the same call draws the same pixels everywhere. Pure functions, any thread.
 */
#ifndef AIBOX_MASK_DRAW_H
#define AIBOX_MASK_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "vision/vision.h"

enum mask_shape {
    MASK_SURGICAL, /* flat, three pleats, from the bridge of the nose to below the chin */
    MASK_BEAK,     /* FFP2: a ridge down the middle, stands off the chin */
    MASK_CLOTH,    /* sewn, round, seam down the middle */
    MASK_SCARF,    /* tied behind the head, hangs down to the neck */
    MASK_SHAPES
};
extern const char *const mask_shape_names[MASK_SHAPES];

enum mask_pattern { MASK_PLAIN, MASK_STRIPES, MASK_CHECKS, MASK_DOTS, MASK_FLOWERS, MASK_CAMOUFLAGE, MASK_PATTERNS };
extern const char *const mask_pattern_names[MASK_PATTERNS];

struct mask_style {
    enum mask_shape shape;
    enum mask_pattern pattern;
    bool below_nose;    /* worn wrongly: the nose is free */
    float colour[2][3]; /* ground and figure, RGB 0-255 */
    uint64_t seed;      /* of outline, light and weave */
};

/* A style by chance: any shape, any pattern, colours as they are sold (half of the plain ones white, blue or black). */
struct mask_style mask_style_random(uint64_t *random);

/* Draws it on the located face. False: no memory, or the landmarks have collapsed; the picture is untouched then. */
bool mask_draw(struct image *image, const struct vision_face *face, const struct mask_style *style);

/* What covers or darkens the lower face of people without mask. */
enum mask_decoy { DECOY_HAND, DECOY_BEARD, DECOY_SHADOW, MASK_DECOYS };
extern const char *const mask_decoy_names[MASK_DECOYS];

bool mask_draw_decoy(struct image *image, const struct vision_face *face, enum mask_decoy decoy, uint64_t seed);

#endif
