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
enum filter { FILTER_AREA, FILTER_LINEAR, FILTER_CUBIC };

static double keys_weight(double distance)
{
    const double a = -0.5;
    double d = fabs(distance);
    if (d >= 2)
        return 0;
    if (d >= 1)
        return a * (((d - 5) * d + 8) * d - 4);
    return ((a + 2) * d - (a + 3)) * d * d + 1;
}

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

/* Interpolation at a position (pixel centres at integers); weights of pixels beyond the edge go to the edge. */
static struct run fill_interpolation(double position, int reach, int limit, float *weights)
{
    int base = (int)floor(position) - reach + 1;
    int first = base < 0 ? 0 : base > limit - 1 ? limit - 1 : base;
    int last = base + 2 * reach - 1;
    last = last < 0 ? 0 : last > limit - 1 ? limit - 1 : last;
    memset(weights, 0, sizeof(*weights) * (size_t)(last - first + 1));
    for (int i = base; i < base + 2 * reach; i++) {
        double distance = position - i;
        double weight = reach == 1 ? fmax(0, 1 - fabs(distance)) : keys_weight(distance);
        int at = i < first ? first : i > last ? last : i;
        weights[at - first] += (float)weight;
    }
    return (struct run){.first = first, .count = last - first + 1, .weights = weights};
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
    size_t most = filter == FILTER_AREA ? (size_t)ceil(step) + 2 : filter == FILTER_LINEAR ? 2 : 4;
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
            out->runs[i] =
                fill_interpolation(start + (i + 0.5) * step - 0.5, filter == FILTER_LINEAR ? 1 : 2, limit, weights);
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

enum aibox_status image_enlarge(const struct image *image, int x, int y, int width, int height, double factor,
                                struct image *out, struct aibox_error *err)
{
    *out = (struct image){0};
    struct axis across = {0};
    struct axis down = {0};
    if (!(factor >= 1 && factor <= IMAGE_MAX_SIDE))
        return error_set(err, AIBOX_IMAGE, "a picture can't be enlarged by %g", factor);
    enum aibox_status status = image_clip(image, &x, &y, &width, &height, err);
    if (status != AIBOX_OK)
        return status;
    double out_width = round(width * factor);
    double out_height = round(height * factor);
    status = image_check_size((uint64_t)out_width, (uint64_t)out_height, err);
    if (status != AIBOX_OK)
        return status;
    if (!axis_make(FILTER_CUBIC, (int)out_width, x, width / out_width, image->width, &across) ||
        !axis_make(FILTER_CUBIC, (int)out_height, y, height / out_height, image->height, &down))
        status = error_set(err, AIBOX_PROCESS_FAILED, "no memory to scale a picture");
    else
        status = scale(image, &across, &down, out, err);
    axis_free(&across);
    axis_free(&down);
    return status;
}
