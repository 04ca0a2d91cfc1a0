#include "cloth.h"

#include <math.h>
#include <string.h>

/* Many masks are of these. */
static const float common[][3] = {{236, 238, 240}, {228, 230, 226}, {150, 190, 218}, {122, 174, 206}, {160, 205, 190},
                                  {28, 28, 32},    {44, 46, 52},    {60, 66, 84},    {120, 122, 126}, {226, 170, 178}};

static uint64_t next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return *state;
}

static float chance(uint64_t *state)
{
    return hash_unit(next(state), 1, 2);
}

void cloth_colours(uint64_t *random, bool plain, float colour[2][3])
{
    const size_t n_common = sizeof common / sizeof common[0];
    for (size_t i = 0; i < 2; i++) {
        bool usual = chance(random) < (plain ? 0.8f : 0.4f);
        size_t which = (size_t)(chance(random) * (float)n_common);
        for (size_t c = 0; c < 3; c++) {
            float any = 20.0f + 220.0f * chance(random);
            colour[i][c] = usual ? common[which][c] : any;
        }
    }
}

/* --- patterns: the share of the second colour, 0..1, at a place on the cloth --- */

static float edge(float distance, float softness)
{
    return fminf(fmaxf(0.5f - distance / softness, 0.0f), 1.0f);
}

static float stripes(float x, float width)
{
    return edge(fabsf(x - width * roundf(x / width)) - 0.25f * width, 0.2f * width);
}

static float dots(float x, float y, float width, float size)
{
    float row = roundf(y / width);
    float shift = fmodf(fabsf(row), 2.0f) * 0.5f * width;
    float dx = x + shift - width * roundf((x + shift) / width);
    float dy = y - width * row;
    return edge(hypotf(dx, dy) - size * width, 0.15f * width);
}

/* Five petals, turned by chance, in every cell. */
static float flowers(uint64_t seed, float x, float y, float width)
{
    float i = roundf(x / width);
    float j = roundf(y / width);
    float turn = 6.28f * hash_unit(seed, (int64_t)i, (int64_t)j);
    float dx = x - width * i - 0.15f * width * cosf(turn);
    float dy = y - width * j - 0.15f * width * sinf(turn);
    float radius = width * (0.22f + 0.12f * cosf(5.0f * (atan2f(dy, dx) + turn)));
    return edge(hypotf(dx, dy) - radius, 0.15f * width);
}

static float figure(const struct mask_style *style, float x, float y)
{
    float size = hash_unit(style->seed, 11, 0);
    switch (style->pattern) {
    case MASK_STRIPES: {
        float turn = 3.14f * hash_unit(style->seed, 11, 1);
        return stripes(x * cosf(turn) + y * sinf(turn), 0.14f + 0.25f * size);
    }
    case MASK_CHECKS: {
        float width = 0.16f + 0.24f * size;
        return 0.5f * (stripes(x, width) + stripes(y, width));
    }
    case MASK_DOTS:
        return dots(x, y, 0.14f + 0.2f * size, 0.22f + 0.1f * hash_unit(style->seed, 11, 2));
    case MASK_FLOWERS:
        return flowers(style->seed, x, y, 0.22f + 0.25f * size);
    case MASK_CAMOUFLAGE: {
        float scale = 3.0f + 4.0f * size;
        float noise = 0.6f * hash_smooth(style->seed, x * scale, y * scale) +
                      0.4f * hash_smooth(style->seed + 1, 2.3f * x * scale, 2.3f * y * scale);
        return edge(0.5f - noise, 0.08f);
    }
    case MASK_PLAIN:
    case MASK_PATTERNS:
        break;
    }
    return 0.0f;
}

/* --- folds: brightness --- */

static float fold(const struct mask_style *style, float x, float y)
{
    float light = 1.0f - 0.18f * x * x; /* the face is round */
    switch (style->shape) {
    case MASK_SURGICAL: /* three pleats, sagging at the sides */
        for (int i = 0; i < 3; i++) {
            float depth = y - (0.15f + 0.22f * (float)i) + 0.12f * x * x;
            light -= 0.14f * expf(-depth * depth / 0.0012f) - 0.06f * expf(-(depth - 0.05f) * (depth - 0.05f) / 0.002f);
        }
        break;
    case MASK_BEAK: { /* two planes meet in the middle */
        float side = hash_unit(style->seed, 12, 0) < 0.5f ? -1.0f : 1.0f;
        light += 0.13f * tanhf(8.0f * x * side) - 0.1f * expf(-x * x / 0.0008f);
        light -= 0.08f * expf(-(y - 0.25f) * (y - 0.25f) / 0.002f);
        break;
    }
    case MASK_CLOTH:
        light -= 0.15f * expf(-x * x / 0.0008f);
        light += 0.16f * (hash_smooth(style->seed + 2, 4.0f * x, 4.0f * y) - 0.5f);
        break;
    case MASK_SCARF:
        light += 0.4f * (hash_smooth(style->seed + 3, 1.5f * x, 7.0f * y + 2.0f * x * x) - 0.5f);
        break;
    case MASK_SHAPES:
        break;
    }
    return light;
}

void cloth_paint(const void *ctx, const struct canvas *canvas, const float at[2], const float place[2], float rgb[3],
                 float *alpha)
{
    const struct mask_style *style = ctx;
    float share = figure(style, place[0], place[1]);
    /* The light of the place in part, for the mouth below must not show; the darkness of the whole picture fully. */
    float local = powf(fminf(fmaxf(canvas_light(canvas, at[0], at[1]), 0.4f), 1.6f), 0.6f);
    float whole = powf(fminf(canvas->level / 150.0f, 1.3f), 0.7f);
    float side = 1.0f + 0.25f * (hash_unit(style->seed, 13, 0) - 0.5f) * place[0];
    float weave = 1.0f + 0.06f * (hash_unit(style->seed, (int64_t)at[0] + 1000, (int64_t)at[1] + 1000) - 0.5f);
    float light = local * whole * side * weave * fold(style, place[0], place[1]);
    for (size_t c = 0; c < 3; c++) {
        rgb[c] = light * (style->colour[0][c] * (1.0f - share) + style->colour[1][c] * share);
    }
    *alpha = 0.98f;
}
