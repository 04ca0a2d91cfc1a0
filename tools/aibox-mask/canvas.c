#include "canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUBSAMPLES 4    /* per pixel and axis, of an edge */
#define MIN_UNIT   4.0f /* px: smaller faces show no mask */

/* --- chance --- */

float hash_unit(uint64_t seed, int64_t x, int64_t y)
{
    uint64_t z = seed ^ ((uint64_t)x * UINT64_C(0x9e3779b97f4a7c15)) ^ ((uint64_t)y * UINT64_C(0xc2b2ae3d27d4eb4f));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (float)((z ^ (z >> 31)) >> 40) / 16777216.0f;
}

float hash_smooth(uint64_t seed, float x, float y)
{
    float left = floorf(x);
    float top = floorf(y);
    float sx = x - left;
    float sy = y - top;
    sx = sx * sx * (3.0f - 2.0f * sx);
    sy = sy * sy * (3.0f - 2.0f * sy);
    int64_t i = (int64_t)left;
    int64_t j = (int64_t)top;
    float upper = hash_unit(seed, i, j) * (1.0f - sx) + hash_unit(seed, i + 1, j) * sx;
    float lower = hash_unit(seed, i, j + 1) * (1.0f - sx) + hash_unit(seed, i + 1, j + 1) * sx;
    return upper * (1.0f - sy) + lower * sy;
}

/* --- the face's coordinates --- */

const float *canvas_point(const struct canvas *canvas, size_t index)
{
    return canvas->face->landmarks[index];
}

void canvas_between(const struct canvas *canvas, size_t a, size_t b, float share, float out[2])
{
    for (size_t i = 0; i < 2; i++) {
        out[i] = canvas_point(canvas, a)[i] * (1.0f - share) + canvas_point(canvas, b)[i] * share;
    }
}

void canvas_to_face(const struct canvas *canvas, float x, float y, float out[2])
{
    float dx = (x - canvas->origin[0]) / (canvas->unit * canvas->unit);
    float dy = (y - canvas->origin[1]) / (canvas->unit * canvas->unit);
    out[0] = dx * canvas->right[0] + dy * canvas->right[1];
    out[1] = dy * canvas->right[0] - dx * canvas->right[1];
}

void canvas_from_face(const struct canvas *canvas, float x, float y, float out[2])
{
    out[0] = canvas->origin[0] + x * canvas->right[0] - y * canvas->right[1];
    out[1] = canvas->origin[1] + x * canvas->right[1] + y * canvas->right[0];
}

/* --- light --- */

static int clamp_int(float value, int low, int high)
{
    return value < (float)low ? low : value > (float)high ? high : (int)value;
}

static float luma_at(const struct image *image, int x, int y)
{
    const uint8_t *p = image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
    return 0.299f * (float)p[0] + 0.587f * (float)p[1] + 0.114f * (float)p[2];
}

/* Sums from the corner of the part, one row and column more than it has pixels. */
static void sum_luma(struct canvas *canvas)
{
    size_t width = (size_t)(canvas->x1 - canvas->x0) + 1;
    for (int y = canvas->y0; y < canvas->y1; y++) {
        float *above = canvas->luma + (size_t)(y - canvas->y0) * width;
        float *row = above + width;
        float sum = 0.0f;
        for (int x = canvas->x0; x < canvas->x1; x++) {
            size_t i = (size_t)(x - canvas->x0) + 1;
            sum += luma_at(canvas->image, x, y);
            row[i] = above[i] + sum;
        }
    }
}

/* Mean luma of a square around a point. */
static float mean_luma(const struct canvas *canvas, float x, float y, float radius)
{
    size_t width = (size_t)(canvas->x1 - canvas->x0) + 1;
    size_t left = (size_t)(clamp_int(x - radius, canvas->x0, canvas->x1 - 1) - canvas->x0);
    size_t right = (size_t)(clamp_int(x + radius, canvas->x0, canvas->x1 - 1) - canvas->x0) + 1;
    size_t top = (size_t)(clamp_int(y - radius, canvas->y0, canvas->y1 - 1) - canvas->y0);
    size_t bottom = (size_t)(clamp_int(y + radius, canvas->y0, canvas->y1 - 1) - canvas->y0) + 1;
    const float *s = canvas->luma;
    float sum = s[bottom * width + right] - s[top * width + right] - s[bottom * width + left] + s[top * width + left];
    return sum / (float)((right - left) * (bottom - top));
}

float canvas_light(const struct canvas *canvas, float x, float y)
{
    return mean_luma(canvas, x, y, 0.3f * canvas->unit) / canvas->level;
}

/* --- opening --- */

bool canvas_open(struct image *image, const struct vision_face *face, struct canvas *out)
{
    *out = (struct canvas){.image = image, .face = face};
    const float *left = face->landmarks[0];
    const float *right = face->landmarks[16];
    for (size_t i = 0; i < 2; i++) {
        out->origin[i] = face->landmarks[33][i];
        out->right[i] = 0.5f * (right[i] - left[i]);
    }
    out->unit = hypotf(out->right[0], out->right[1]);
    if (!face->located || !(out->unit >= MIN_UNIT)) {
        return false;
    }
    float reach = 2.6f * out->unit;
    out->x0 = clamp_int(out->origin[0] - reach, 0, image->width);
    out->y0 = clamp_int(out->origin[1] - reach, 0, image->height);
    out->x1 = clamp_int(out->origin[0] + reach + 1.0f, 0, image->width);
    out->y1 = clamp_int(out->origin[1] + reach + 1.0f, 0, image->height);
    if (out->x1 - out->x0 < 2 || out->y1 - out->y0 < 2) {
        return false;
    }
    size_t pixels = ((size_t)(out->x1 - out->x0) + 1) * ((size_t)(out->y1 - out->y0) + 1);
    out->luma = calloc(pixels, sizeof *out->luma);
    out->cover = calloc(pixels, sizeof *out->cover);
    if (!out->luma || !out->cover) {
        canvas_close(out);
        return false;
    }
    sum_luma(out);
    float cheeks = 0.0f;
    for (int side = -1; side <= 1; side += 2) {
        float at[2];
        canvas_from_face(out, 0.55f * (float)side, -0.1f, at);
        cheeks += 0.5f * mean_luma(out, at[0], at[1], 0.2f * out->unit);
    }
    out->level = fmaxf(cheeks, 8.0f);
    return true;
}

void canvas_close(struct canvas *canvas)
{
    free(canvas->luma);
    free(canvas->cover);
    canvas->luma = NULL;
    canvas->cover = NULL;
}

/* --- areas --- */

void outline_add(struct outline *outline, const float point[2])
{
    if (outline->count < OUTLINE_CORNERS) {
        memcpy(outline->corner[outline->count++], point, sizeof outline->corner[0]);
    }
}

static float catmull_rom(float a, float b, float c, float d, float t)
{
    return 0.5f * (2.0f * b + (c - a) * t + (2.0f * a - 5.0f * b + 4.0f * c - d) * t * t +
                   (3.0f * b - a - 3.0f * c + d) * t * t * t);
}

static size_t smooth(const struct outline *outline, float (*points)[2])
{
    size_t n = outline->count;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t step = 0; step < OUTLINE_STEPS; step++, count++) {
            float t = (float)step / OUTLINE_STEPS;
            for (size_t axis = 0; axis < 2; axis++) {
                points[count][axis] =
                    catmull_rom(outline->corner[(i + n - 1) % n][axis], outline->corner[i][axis],
                                outline->corner[(i + 1) % n][axis], outline->corner[(i + 2) % n][axis], t);
            }
        }
    }
    return count;
}

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left;
    float b = *(const float *)right;
    return a < b ? -1 : a > b ? 1 : 0;
}

/* Where the polygon's sides cross a horizontal line, rising. */
static size_t crossings(const float (*points)[2], size_t count, float y, float *xs)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const float *a = points[i];
        const float *b = points[(i + 1) % count];
        if ((a[1] <= y) != (b[1] <= y)) {
            xs[found++] = a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
        }
    }
    qsort(xs, found, sizeof *xs, compare_floats);
    return found;
}

/* The share of each pixel of a row that lies between two x, a SUBSAMPLES-th of it for one line within the row. */
static void cover_span(const struct canvas *canvas, float *row, float from, float to)
{
    int first = clamp_int(floorf(from), canvas->x0, canvas->x1);
    int last = clamp_int(ceilf(to), canvas->x0, canvas->x1);
    for (int x = first; x < last; x++) {
        float part = fminf(to, (float)x + 1.0f) - fmaxf(from, (float)x);
        row[x - canvas->x0] += fmaxf(part, 0.0f) / SUBSAMPLES;
    }
}

static void paint_row(struct canvas *canvas, int y, const float *row, canvas_paint paint, const void *ctx)
{
    for (int x = canvas->x0; x < canvas->x1; x++) {
        float share = fminf(row[x - canvas->x0], 1.0f);
        if (share <= 0.0f) {
            continue;
        }
        float at[2] = {(float)x, (float)y};
        float place[2];
        float rgb[3] = {0};
        float alpha = 1.0f;
        canvas_to_face(canvas, at[0], at[1], place);
        paint(ctx, canvas, at, place, rgb, &alpha);
        share *= alpha;
        uint8_t *pixel = canvas->image->pixels + 3 * ((size_t)y * (size_t)canvas->image->width + (size_t)x);
        for (size_t c = 0; c < 3; c++) {
            float mixed = (1.0f - share) * (float)pixel[c] + share * rgb[c];
            pixel[c] = (uint8_t)lroundf(fminf(fmaxf(mixed, 0.0f), 255.0f));
        }
    }
}

static bool fill_polygon(struct canvas *canvas, const float (*points)[2], size_t count, canvas_paint paint,
                         const void *ctx)
{
    float xs[OUTLINE_CORNERS * OUTLINE_STEPS];
    size_t width = (size_t)(canvas->x1 - canvas->x0);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(points[i][0]) || !isfinite(points[i][1])) {
            return false;
        }
    }
    for (int y = canvas->y0; y < canvas->y1; y++) {
        memset(canvas->cover, 0, width * sizeof *canvas->cover);
        for (int line = 0; line < SUBSAMPLES; line++) {
            float at = (float)y + ((float)line + 0.5f) / SUBSAMPLES;
            size_t found = crossings(points, count, at, xs);
            for (size_t i = 0; i + 1 < found; i += 2) {
                cover_span(canvas, canvas->cover, xs[i], xs[i + 1]);
            }
        }
        paint_row(canvas, y, canvas->cover, paint, ctx);
    }
    return true;
}

bool canvas_fill(struct canvas *canvas, const struct outline *outline, canvas_paint paint, const void *ctx)
{
    float points[OUTLINE_CORNERS * OUTLINE_STEPS][2];
    size_t count = smooth(outline, points);
    return count > 0 && fill_polygon(canvas, (const float(*)[2])points, count, paint, ctx);
}

bool canvas_line(struct canvas *canvas, const float from[2], const float to[2], float width, canvas_paint paint,
                 const void *ctx)
{
    float dx = to[0] - from[0];
    float dy = to[1] - from[1];
    float length = fmaxf(hypotf(dx, dy), 1e-3f);
    float nx = -dy / length * width / 2.0f;
    float ny = dx / length * width / 2.0f;
    const float points[4][2] = {
        {from[0] + nx, from[1] + ny}, {to[0] + nx, to[1] + ny}, {to[0] - nx, to[1] - ny}, {from[0] - nx, from[1] - ny}};
    return fill_polygon(canvas, points, 4, paint, ctx);
}
