/* People without a mask whose lower face does not look like that of others: a hand before the mouth, a beard, a hard
 * shadow. */
#include <math.h>
#include <string.h>

#include "canvas.h"

const char *const mask_decoy_names[MASK_DECOYS] = {"hand", "beard", "shadow"};

struct decoy {
    uint64_t seed;
    float colour[3];
};

/* --- a hand: four fingers of the cheek's colour --- */

static void paint_skin(const void *ctx, const struct canvas *canvas, const float at[2], const float place[2],
                       float rgb[3], float *alpha)
{
    const struct decoy *decoy = ctx;
    float light = 0.9f + 0.25f * hash_smooth(decoy->seed, 3.0f * place[0], 3.0f * place[1]);
    (void)canvas;
    (void)at;
    for (size_t c = 0; c < 3; c++) {
        rgb[c] = decoy->colour[c] * light;
    }
    *alpha = 1.0f;
}

static void paint_gap(const void *ctx, const struct canvas *canvas, const float at[2], const float place[2],
                      float rgb[3], float *alpha)
{
    const struct decoy *decoy = ctx;
    (void)canvas;
    (void)at;
    (void)place;
    for (size_t c = 0; c < 3; c++) {
        rgb[c] = 0.55f * decoy->colour[c];
    }
    *alpha = 0.7f;
}

static void sample_cheek(const struct canvas *canvas, float out[3])
{
    float at[2];
    canvas_from_face(canvas, 0.5f, -0.15f, at);
    int x = at[0] < (float)canvas->x0 ? canvas->x0 : at[0] >= (float)canvas->x1 ? canvas->x1 - 1 : (int)at[0];
    int y = at[1] < (float)canvas->y0 ? canvas->y0 : at[1] >= (float)canvas->y1 ? canvas->y1 - 1 : (int)at[1];
    const uint8_t *pixel = canvas->image->pixels + 3 * ((size_t)y * (size_t)canvas->image->width + (size_t)x);
    for (size_t c = 0; c < 3; c++) {
        out[c] = (float)pixel[c];
    }
}

static bool draw_hand(struct canvas *canvas, struct decoy *decoy)
{
    static const float corners[][2] = {{-0.55f, 0.1f}, {-0.1f, 0.0f}, {0.35f, 0.05f}, {0.5f, 0.3f},
                                       {0.4f, 0.75f},  {0.3f, 1.6f},  {-0.5f, 1.6f},  {-0.6f, 0.6f}};
    float turn = 1.2f * (hash_unit(decoy->seed, 30, 0) - 0.5f);
    float shift = 0.5f * (hash_unit(decoy->seed, 30, 1) - 0.5f);
    float lower = 0.5f * hash_unit(decoy->seed, 30, 2);
    struct outline outline = {0};
    bool ok = true;
    sample_cheek(canvas, decoy->colour);
    for (size_t i = 0; i < sizeof corners / sizeof corners[0]; i++) {
        float at[2];
        float x = corners[i][0];
        float y = corners[i][1] + lower;
        canvas_from_face(canvas, shift + x * cosf(turn) - y * sinf(turn), x * sinf(turn) + y * cosf(turn), at);
        outline_add(&outline, at);
    }
    ok = canvas_fill(canvas, &outline, paint_skin, decoy);
    for (int i = 0; i < 3 && ok; i++) {
        float from[2];
        float to[2];
        float x = -0.3f + 0.27f * (float)i;
        float top = 0.05f + lower;
        float end = 0.75f + lower;
        canvas_from_face(canvas, shift + x * cosf(turn) - top * sinf(turn), x * sinf(turn) + top * cosf(turn), from);
        canvas_from_face(canvas, shift + x * cosf(turn) - end * sinf(turn), x * sinf(turn) + end * cosf(turn), to);
        ok = canvas_line(canvas, from, to, fmaxf(0.03f * canvas->unit, 1.0f), paint_gap, decoy);
    }
    return ok;
}

/* --- a beard: hair of one colour along the jaw and around the mouth --- */

static void paint_hair(const void *ctx, const struct canvas *canvas, const float at[2], const float place[2],
                       float rgb[3], float *alpha)
{
    const struct decoy *decoy = ctx;
    float strand = hash_smooth(decoy->seed, 30.0f * place[0], 7.0f * place[1]);
    float lips = hypotf(place[0] / 0.36f, (place[1] - 0.42f) / 0.14f);
    (void)canvas;
    (void)at;
    for (size_t c = 0; c < 3; c++) {
        rgb[c] = decoy->colour[c] * (0.6f + 0.8f * strand);
    }
    *alpha = lips < 1.0f ? 0.0f : fminf((lips - 1.0f) * 4.0f, 1.0f) * (0.45f + 0.5f * strand);
}

static bool draw_beard(struct canvas *canvas, struct decoy *decoy)
{
    static const float hair[][3] = {{24, 20, 18}, {52, 38, 28}, {96, 70, 48}, {150, 146, 142}, {210, 208, 204}};
    const float *colour = hair[(size_t)(hash_unit(decoy->seed, 31, 0) * 5.0f)];
    float length = 0.25f * hash_unit(decoy->seed, 31, 1);
    struct outline outline = {0};
    float mouth[2];
    memcpy(decoy->colour, colour, sizeof decoy->colour);
    for (size_t jaw = 2; jaw <= 14; jaw += 2) {
        float place[2];
        float at[2];
        canvas_to_face(canvas, canvas_point(canvas, jaw)[0], canvas_point(canvas, jaw)[1], place);
        canvas_from_face(canvas, place[0], place[1] + length * (1.0f - fabsf(place[0])), at);
        outline_add(&outline, at);
    }
    canvas_between(canvas, 13, 54, 0.6f, mouth);
    outline_add(&outline, mouth);
    canvas_between(canvas, 33, 51, 0.2f, mouth);
    outline_add(&outline, mouth);
    canvas_between(canvas, 3, 48, 0.6f, mouth);
    outline_add(&outline, mouth);
    return canvas_fill(canvas, &outline, paint_hair, decoy);
}

/* --- a shadow: everything below a line, or beside it --- */

static void paint_dark(const void *ctx, const struct canvas *canvas, const float at[2], const float place[2],
                       float rgb[3], float *alpha)
{
    const struct decoy *decoy = ctx;
    (void)canvas;
    (void)at;
    memset(rgb, 0, 3 * sizeof *rgb);
    *alpha = (0.3f + 0.4f * hash_unit(decoy->seed, 32, 0)) * fminf(fmaxf((place[1] + 0.35f) / 0.15f, 0.0f), 1.0f);
}

static bool draw_shadow(struct canvas *canvas, struct decoy *decoy)
{
    float turn = 0.8f * (hash_unit(decoy->seed, 32, 1) - 0.5f);
    static const float corners[][2] = {{-2.0f, -0.3f}, {0.0f, -0.3f}, {2.0f, -0.3f}, {2.0f, 2.2f}, {-2.0f, 2.2f}};
    struct outline outline = {0};
    for (size_t i = 0; i < sizeof corners / sizeof corners[0]; i++) {
        float at[2];
        canvas_from_face(canvas, corners[i][0] * cosf(turn) - corners[i][1] * sinf(turn),
                         corners[i][0] * sinf(turn) + corners[i][1] * cosf(turn), at);
        outline_add(&outline, at);
    }
    return canvas_fill(canvas, &outline, paint_dark, decoy);
}

bool mask_draw_decoy(struct image *image, const struct vision_face *face, enum mask_decoy decoy, uint64_t seed)
{
    struct canvas canvas;
    struct decoy how = {.seed = seed};
    bool ok = false;
    if (!canvas_open(image, face, &canvas)) {
        return false;
    }
    switch (decoy) {
    case DECOY_HAND:
        ok = draw_hand(&canvas, &how);
        break;
    case DECOY_BEARD:
        ok = draw_beard(&canvas, &how);
        break;
    case DECOY_SHADOW:
        ok = draw_shadow(&canvas, &how);
        break;
    case MASK_DECOYS:
        break;
    }
    canvas_close(&canvas);
    return ok;
}
