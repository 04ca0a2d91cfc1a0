#include "vision/sampling.h"

#include <math.h>

void sampling_of_rectangle(float x, float y, float width, float height, int out_w, int out_h, float matrix[6])
{
    float step_x = width / (float)out_w;
    float step_y = height / (float)out_h;
    matrix[0] = step_x;
    matrix[1] = 0.0f;
    matrix[2] = x + 0.5f * step_x - 0.5f;
    matrix[3] = 0.0f;
    matrix[4] = step_y;
    matrix[5] = y + 0.5f * step_y - 0.5f;
}

static void sample(const struct image *image, const struct image_sampling *how, enum sample_kind kind, int out_w,
                   int out_h, float *out)
{
    if (kind == SAMPLE_GREY) {
        image_sample_grey(image, how, out_w, out_h, out);
    } else {
        image_sample(image, how, out_w, out_h, out);
    }
}

/* Whole pixels of the picture that the samples can touch, `margin` more on each side: x, y, width, height. */
static bool touched_part(const struct image *image, const float m[6], int out_w, int out_h, int margin, int part[4])
{
    float low[2] = {INFINITY, INFINITY};
    float high[2] = {-INFINITY, -INFINITY};
    for (int corner = 0; corner < 4; corner++) {
        float x = corner & 1 ? (float)(out_w - 1) : 0.0f;
        float y = corner & 2 ? (float)(out_h - 1) : 0.0f;
        float at[2] = {m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]};
        for (int axis = 0; axis < 2; axis++) {
            low[axis] = fminf(low[axis], at[axis]);
            high[axis] = fmaxf(high[axis], at[axis]);
        }
    }
    int sides[2] = {image->width, image->height};
    for (int axis = 0; axis < 2; axis++) {
        float first = fmaxf(floorf(low[axis]) - (float)margin, 0.0f);
        float last = fminf(ceilf(high[axis]) + (float)margin, (float)(sides[axis] - 1));
        if (!(last >= first)) {
            return false;
        }
        part[axis] = (int)first;
        part[2 + axis] = (int)last - (int)first + 1;
    }
    return true;
}

enum aibox_status sample_smoothly(const struct image *image, const struct image_sampling *how, enum sample_kind kind,
                                  int out_w, int out_h, float *out, struct aibox_error *err)
{
    const float *m = how->matrix;
    int reduce_x = (int)fminf(fmaxf(fabsf(m[0]), fabsf(m[1])), 64.0f);
    int reduce_y = (int)fminf(fmaxf(fabsf(m[3]), fabsf(m[4])), 64.0f);
    int reduce = reduce_x < reduce_y ? reduce_x : reduce_y;
    int part[4];
    if (reduce < 2 || !touched_part(image, m, out_w, out_h, 2 * reduce, part)) {
        sample(image, how, kind, out_w, out_h, out);
        return AIBOX_OK;
    }
    struct image crop = {0};
    struct image small = {0};
    int small_w = (part[2] + reduce - 1) / reduce;
    int small_h = (part[3] + reduce - 1) / reduce;
    bool whole = part[2] == image->width && part[3] == image->height;
    enum aibox_status status = AIBOX_OK;
    if (!whole && (status = image_crop(image, part[0], part[1], part[2], part[3], &crop, err)) != AIBOX_OK) {
        goto out;
    }
    if ((status = image_resize(whole ? image : &crop, small_w, small_h, &small, err)) != AIBOX_OK) {
        goto out;
    }
    struct image_sampling scaled = *how;
    float ratio_x = (float)small_w / (float)part[2];
    float ratio_y = (float)small_h / (float)part[3];
    scaled.matrix[0] = m[0] * ratio_x;
    scaled.matrix[1] = m[1] * ratio_x;
    scaled.matrix[2] = (m[2] - (float)part[0] + 0.5f) * ratio_x - 0.5f;
    scaled.matrix[3] = m[3] * ratio_y;
    scaled.matrix[4] = m[4] * ratio_y;
    scaled.matrix[5] = (m[5] - (float)part[1] + 0.5f) * ratio_y - 0.5f;
    sample(&small, &scaled, kind, out_w, out_h, out);

out:
    image_free(&crop);
    image_free(&small);
    return status;
}
