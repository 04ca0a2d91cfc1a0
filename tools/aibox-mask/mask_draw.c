#include "mask_draw.h"

#include <math.h>
#include <string.h>

#include "cloth.h"

const char *const mask_shape_names[MASK_SHAPES] = {"surgical", "beak", "cloth", "scarf"};
const char *const mask_pattern_names[MASK_PATTERNS] = {"plain", "stripes", "checks", "dots", "flowers", "camouflage"};

/* Where an outline runs. Landmarks 0-16: the jaw from one ear to the other; 27-30 the bridge of the nose. */
struct cut {
    float ear;      /* upper corner: landmark on the left jaw, and share of the way to the next */
    size_t first;   /* lower line: the jaw from here to 16 - first */
    float bridge;   /* upper edge at the nose: 27 + this, at most 30 */
    float sag;      /* the upper edge between nose and ear hangs by this, in half faces */
    float stand[2]; /* the lower line stands off the jaw by a share of its distance from the nose: least, most */
    float drop[2];  /* the chin's part hangs lower by this, in half faces: least, most */
};

static const struct cut cuts[MASK_SHAPES] = {
    [MASK_SURGICAL] = {1.6f, 3, 1.2f, 0.10f, {0.00f, 0.07f}, {0.00f, 0.10f}},
    [MASK_BEAK] = {2.4f, 4, 0.9f, 0.04f, {0.00f, 0.08f}, {0.05f, 0.18f}},
    [MASK_CLOTH] = {1.5f, 3, 1.6f, 0.12f, {0.00f, 0.10f}, {0.00f, 0.15f}},
    [MASK_SCARF] = {0.8f, 2, 1.9f, 0.16f, {0.02f, 0.15f}, {0.20f, 0.80f}},
};

static uint64_t next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return *state;
}

struct mask_style mask_style_random(uint64_t *random)
{
    struct mask_style style = {.seed = next(random)};
    /* Scarves are rarer than masks, and half of everything has no pattern. */
    static const enum mask_shape shapes[] = {MASK_SURGICAL, MASK_SURGICAL, MASK_SURGICAL, MASK_BEAK,
                                             MASK_BEAK,     MASK_CLOTH,    MASK_CLOTH,    MASK_SCARF};
    size_t shape = (size_t)(hash_unit(style.seed, 1, 0) * 8.0f);
    bool plain = hash_unit(style.seed, 2, 0) < 0.5f;
    float pattern = hash_unit(style.seed, 3, 0) * (float)(MASK_PATTERNS - 1);
    style.shape = shapes[shape];
    style.pattern = plain ? MASK_PLAIN : (enum mask_pattern)(1 + (int)pattern);
    uint64_t colours = style.seed ^ UINT64_C(0x5bd1e995);
    cloth_colours(&colours, plain, style.colour);
    return style;
}

/* --- the outline --- */

static float between(uint64_t seed, int64_t what, const float range[2])
{
    return range[0] + (range[1] - range[0]) * hash_unit(seed, 20, what);
}

/* A point of the jaw, moved away from the nose and down. */
static void lower_point(const struct canvas *canvas, size_t jaw, float stand, float drop, float out[2])
{
    float place[2];
    const float *point = canvas_point(canvas, jaw);
    canvas_to_face(canvas, point[0], point[1], place);
    float chin = 1.0f - fabsf((float)jaw - 8.0f) / 5.0f; /* 1 at the chin, 0 where the jaw turns */
    canvas_from_face(canvas, place[0] * (1.0f + stand), place[1] * (1.0f + stand) + drop * fmaxf(chin, 0.0f), out);
}

static void add_upper_edge(const struct canvas *canvas, const struct mask_style *style, struct outline *outline,
                           float corners[2][2])
{
    const struct cut *cut = &cuts[style->shape];
    const float wobble[2] = {-0.35f, 0.35f};
    float ear = fmaxf(cut->ear + between(style->seed, 1, wobble) + (style->below_nose ? 1.2f : 0.0f), 0.0f);
    float share = ear - floorf(ear);
    size_t jaw = (size_t)ear;
    float bridge = fminf(fmaxf(cut->bridge + between(style->seed, 2, wobble), 0.0f), 2.9f);
    float nose[2];
    canvas_between(canvas, jaw, jaw + 1, share, corners[0]);
    canvas_between(canvas, 16 - jaw, 15 - jaw, share, corners[1]);
    if (style->below_nose) {
        canvas_between(canvas, 33, 51, 0.35f, nose);
    } else {
        size_t upper = 27 + (size_t)bridge;
        canvas_between(canvas, upper, upper + 1, bridge - floorf(bridge), nose);
    }
    outline_add(outline, corners[0]);
    for (int i = 0; i < 3; i++) {
        const float *corner = corners[i < 1 ? 0 : 1];
        float point[2];
        float place[2];
        float to = i == 1 ? 1.0f : 0.5f;
        for (size_t axis = 0; axis < 2; axis++) {
            point[axis] = (1.0f - to) * corner[axis] + to * nose[axis];
        }
        canvas_to_face(canvas, point[0], point[1], place);
        float sag = i == 1 ? 0.0f : cut->sag;
        canvas_from_face(canvas, place[0], place[1] + sag, point);
        outline_add(outline, point);
    }
    outline_add(outline, corners[1]);
}

static void make_outline(const struct canvas *canvas, const struct mask_style *style, struct outline *outline,
                         float corners[2][2])
{
    const struct cut *cut = &cuts[style->shape];
    float stand = between(style->seed, 3, cut->stand);
    float drop = between(style->seed, 4, cut->drop);
    *outline = (struct outline){0};
    add_upper_edge(canvas, style, outline, corners);
    size_t step = cut->first < 3 ? 2 : 1;
    for (size_t jaw = 16 - cut->first; jaw >= cut->first; jaw -= step) {
        float point[2];
        lower_point(canvas, jaw, stand, drop, point);
        outline_add(outline, point);
    }
}

/* --- the whole --- */

static void paint_band(const void *ctx, const struct canvas *canvas, const float at[2], const float place[2],
                       float rgb[3], float *alpha)
{
    const struct mask_style *style = ctx;
    float light = fminf(canvas->level / 150.0f, 1.3f);
    (void)at;
    (void)place;
    for (size_t c = 0; c < 3; c++) {
        rgb[c] = light * (0.5f * style->colour[0][c] + 110.0f);
    }
    *alpha = 0.9f;
}

/* The cloth's shadow on the skin around it. */
static void paint_shadow(const void *ctx, const struct canvas *canvas, const float at[2], const float place[2],
                         float rgb[3], float *alpha)
{
    (void)ctx;
    (void)canvas;
    (void)at;
    (void)place;
    memset(rgb, 0, 3 * sizeof *rgb);
    *alpha = 0.22f;
}

static bool draw_bands(struct canvas *canvas, const struct mask_style *style, float corners[2][2])
{
    bool ok = true;
    if (style->shape == MASK_SCARF) {
        return true;
    }
    for (size_t side = 0; side < 2 && ok; side++) {
        float place[2];
        float ear[2];
        canvas_to_face(canvas, corners[side][0], corners[side][1], place);
        canvas_from_face(canvas, side == 0 ? -1.12f : 1.12f, -0.45f, ear);
        ok = canvas_line(canvas, corners[side], ear, fmaxf(0.045f * canvas->unit, 1.0f), paint_band, style);
    }
    return ok;
}

bool mask_draw(struct image *image, const struct vision_face *face, const struct mask_style *style)
{
    struct canvas canvas;
    struct outline outline;
    struct outline shadow;
    float corners[2][2];
    if (!canvas_open(image, face, &canvas)) {
        return false;
    }
    make_outline(&canvas, style, &outline, corners);
    shadow = outline;
    for (size_t i = 0; i < shadow.count; i++) {
        shadow.corner[i][1] += (i < 5 ? -0.02f : 0.05f) * canvas.unit;
    }
    bool ok = draw_bands(&canvas, style, corners) && canvas_fill(&canvas, &shadow, paint_shadow, style) &&
              canvas_fill(&canvas, &outline, cloth_paint, style);
    canvas_close(&canvas);
    return ok;
}
