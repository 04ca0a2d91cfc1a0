#include "vision/geometry.h"

#include <math.h>
#include <stdlib.h>

#define CONTAINED 0.6f /* share of the smaller box inside the larger one from which on they are one face */

static float box_area(const float b[4])
{
    return b[2] > b[0] && b[3] > b[1] ? (b[2] - b[0]) * (b[3] - b[1]) : 0.0f;
}

static float box_intersection(const float a[4], const float b[4])
{
    const float both[4] = {fmaxf(a[0], b[0]), fmaxf(a[1], b[1]), fminf(a[2], b[2]), fminf(a[3], b[3])};
    return box_area(both);
}

float box_iou(const float a[4], const float b[4])
{
    float common = box_intersection(a, b);
    return common > 0.0f ? common / (box_area(a) + box_area(b) - common) : 0.0f;
}

float box_overlap(const float a[4], const float b[4])
{
    float common = box_intersection(a, b);
    return common > 0.0f ? common / fminf(box_area(a), box_area(b)) : 0.0f;
}

bool box_clip(const float box[4], float width, float height, float out[4])
{
    out[0] = fmaxf(box[0], 0.0f);
    out[1] = fmaxf(box[1], 0.0f);
    out[2] = fminf(box[2], width);
    out[3] = fminf(box[3], height);
    return out[2] > out[0] && out[3] > out[1];
}

/* Best score first; ties in a fixed order, so that the same picture always gives the same answer. */
static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    if (a->score != b->score) {
        return a->score > b->score ? -1 : 1;
    }
    for (size_t i = 0; i < 4; i++) {
        if (a->box[i] != b->box[i]) {
            return a->box[i] < b->box[i] ? -1 : 1;
        }
    }
    return 0;
}

size_t candidates_suppress(struct candidate *list, size_t count, float iou)
{
    if (count == 0) {
        return 0;
    }
    qsort(list, count, sizeof *list, compare_candidates);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool keep = true;
        for (size_t k = 0; k < kept && keep; k++) {
            if (box_iou(list[i].box, list[k].box) > iou) {
                keep = false;
            } else if (list[i].pass != list[k].pass && box_overlap(list[i].box, list[k].box) > CONTAINED) {
                if (box_area(list[i].box) > box_area(list[k].box)) {
                    for (size_t c = 0; c < 4; c++) {
                        list[k].box[c] = list[i].box[c];
                    }
                    list[k].pass = list[i].pass;
                }
                keep = false;
            }
        }
        if (keep) {
            list[kept++] = list[i];
        }
    }
    return kept;
}

bool similarity_fit(const float (*from)[2], const float (*to)[2], size_t count, float matrix[6])
{
    if (count < 2) {
        return false;
    }
    double fx = 0;
    double fy = 0;
    double tx = 0;
    double ty = 0;
    for (size_t i = 0; i < count; i++) {
        fx += from[i][0];
        fy += from[i][1];
        tx += to[i][0];
        ty += to[i][1];
    }
    double n = (double)count;
    fx /= n;
    fy /= n;
    tx /= n;
    ty /= n;
    /* With points as complex numbers z, w around their means: factor a = sum(conj(z) w) / sum(|z|^2). */
    double re = 0;
    double im = 0;
    double square = 0;
    for (size_t i = 0; i < count; i++) {
        double zx = from[i][0] - fx;
        double zy = from[i][1] - fy;
        double wx = to[i][0] - tx;
        double wy = to[i][1] - ty;
        re += zx * wx + zy * wy;
        im += zx * wy - zy * wx;
        square += zx * zx + zy * zy;
    }
    if (!(square > 1e-9)) {
        return false;
    }
    re /= square;
    im /= square;
    if (!(re * re + im * im > 1e-12) || !isfinite(re) || !isfinite(im)) {
        return false;
    }
    matrix[0] = (float)re;
    matrix[1] = (float)-im;
    matrix[2] = (float)(tx - re * fx + im * fy);
    matrix[3] = (float)im;
    matrix[4] = (float)re;
    matrix[5] = (float)(ty - im * fx - re * fy);
    return true;
}

bool affine_invert(const float m[6], float inverse[6])
{
    double det = (double)m[0] * m[4] - (double)m[1] * m[3];
    if (!isfinite(det) || fabs(det) < 1e-12) {
        return false;
    }
    inverse[0] = (float)(m[4] / det);
    inverse[1] = (float)(-m[1] / det);
    inverse[3] = (float)(-m[3] / det);
    inverse[4] = (float)(m[0] / det);
    inverse[2] = (float)(-((double)inverse[0] * m[2] + (double)inverse[1] * m[5]));
    inverse[5] = (float)(-((double)inverse[3] * m[2] + (double)inverse[4] * m[5]));
    return true;
}
