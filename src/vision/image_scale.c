/*
 * Scaling to a size: each output pixel is a weighted sum of a run of source pixels along each axis. The weights of an
 * axis are worked out once; rows are summed up first (whole rows of bytes into a row of floats, which compilers
 * vectorise), then the few resulting rows are summed along x.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vision/image_internal.h"

/* Source pixels [first, first + count) with their weights, which sum up to 1. */
struct run {
    int first;
    int count;
    const float *weights;
};

struct axis {
    int length;       /* output pixels */
    struct run *runs; /* one for each */
    float *weights;   /* all runs' */
};

/* How a source position is turned into weights. */
enum filter { FILTER_AREA, FILTER_LINEAR };

/* The source pixels that the output pixel's area [start, end) covers, each by its covered share. */
static struct run fill_area(double start, double end, int limit, float *weights)
{
    int first = (int)floor(start);
    int last = (int)ceil(end) - 1;
    if (last > limit - 1)
        last = limit - 1;
    if (first > last)
        first = last;
    for (int i = first; i <= last; i++) {
        double covered = fmin(end, i + 1.0) - fmax(start, i);
        weights[i - first] = (float)(fmax(covered, 0) / (end - start));
    }
    return (struct run){.first = first, .count = last - first + 1, .weights = weights};
}

/* Linear interpolation at a position (pixel centres at integers); beyond the edge the edge goes on. */
static struct run fill_linear(double position, int limit, float *weights)
{
    double inside = fmin(fmax(position, 0), limit - 1);
    int first = (int)inside;
    int count = first + 1 < limit ? 2 : 1;
    weights[0] = (float)(1 - (inside - first));
    if (count == 2)
        weights[1] = (float)(inside - first);
    return (struct run){.first = first, .count = count, .weights = weights};
}

static void axis_free(struct axis *axis)
{
    free(axis->runs);
    free(axis->weights);
    *axis = (struct axis){0};
}

/*
 * `length` output pixels, each `step` source pixels wide, from source position `start` on (pixel edges at integers).
 * False: no memory.
 */
static bool axis_make(enum filter filter, int length, double start, double step, int limit, struct axis *out)
{
    size_t most = filter == FILTER_AREA ? (size_t)ceil(step) + 2 : 2;
    *out = (struct axis){.length = length};
    out->runs = calloc((size_t)length, sizeof(*out->runs));
    out->weights = calloc((size_t)length * most, sizeof(*out->weights));
    if (out->runs == NULL || out->weights == NULL) {
        axis_free(out);
        return false;
    }
    for (int i = 0; i < length; i++) {
        float *weights = out->weights + (size_t)i * most;
        if (filter == FILTER_AREA)
            out->runs[i] = fill_area(start + i * step, start + (i + 1) * step, limit, weights);
        else
            out->runs[i] = fill_linear(start + (i + 0.5) * step - 0.5, limit, weights);
    }
    return true;
}

static void add_row(const uint8_t *restrict row, float weight, float *restrict sum, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += weight * (float)row[i];
}

static uint8_t to_byte(float value)
{
    return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)(value + 0.5f);
}

/* Columns [left, left + span) of the source are summed up; others are in no run. */
static enum aibox_status scale(const struct image *image, const struct axis *across, const struct axis *down,
                               struct image *out, struct aibox_error *err)
{
    const struct run *end = &across->runs[across->length - 1];
    int left = across->runs[0].first;
    size_t span = (size_t)(end->first + end->count - left) * 3;
    float *sum = malloc(span * sizeof(*sum));
    if (sum == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "no memory to scale a picture");
    enum aibox_status status = image_allocate(across->length, down->length, out, err);
    if (status != AIBOX_OK)
        goto out;
    for (int y = 0; y < down->length; y++) {
        const struct run *rows = &down->runs[y];
        memset(sum, 0, span * sizeof(*sum));
        for (int i = 0; i < rows->count; i++)
            add_row(image_at(image, left, rows->first + i), rows->weights[i], sum, span);
        uint8_t *to = image_at(out, 0, y);
        for (int x = 0; x < across->length; x++, to += 3) {
            const struct run *columns = &across->runs[x];
            const float *from = sum + (size_t)(columns->first - left) * 3;
            float rgb[3] = {0};
            for (int i = 0; i < columns->count; i++, from += 3) {
                rgb[0] += columns->weights[i] * from[0];
                rgb[1] += columns->weights[i] * from[1];
                rgb[2] += columns->weights[i] * from[2];
            }
            for (int c = 0; c < 3; c++)
                to[c] = to_byte(rgb[c]);
        }
    }
out:
    free(sum);
    return status;
}

static enum filter choose_filter(int from, int to)
{
    return to < from ? FILTER_AREA : FILTER_LINEAR;
}

enum aibox_status image_resize(const struct image *image, int width, int height, struct image *out,
                               struct aibox_error *err)
{
    *out = (struct image){0};
    struct axis across = {0};
    struct axis down = {0};
    enum aibox_status status =
        image_check_size(width < 0 ? 0 : (uint64_t)width, height < 0 ? 0 : (uint64_t)height, err);
    if (status != AIBOX_OK)
        return status;
    if (image->width < 1 || image->height < 1)
        return error_set(err, AIBOX_IMAGE, "the picture is empty");
    double step_x = (double)image->width / width;
    double step_y = (double)image->height / height;
    if (!axis_make(choose_filter(image->width, width), width, 0, step_x, image->width, &across) ||
        !axis_make(choose_filter(image->height, height), height, 0, step_y, image->height, &down))
        status = error_set(err, AIBOX_PROCESS_FAILED, "no memory to scale a picture");
    else
        status = scale(image, &across, &down, out, err);
    axis_free(&across);
    axis_free(&down);
    return status;
}
