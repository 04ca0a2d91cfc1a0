#include "vision/points.h"

#include <math.h>
#include <string.h>

#include "vision/geometry.h"
#include "vision/nn/onet.h"
#include "vision/sampling.h"
#include "vision/worker.h"

#define POINTS 5

void points_matrix(const struct points_square *square, int pixels, float matrix[6])
{
    float step = square->side / (float)pixels;
    float along = step * cosf(square->angle);
    float aside = step * sinf(square->angle);
    float middle = 0.5f * (float)(pixels - 1);
    matrix[0] = -aside;
    matrix[1] = along;
    matrix[2] = square->x - 0.5f + middle * (aside - along);
    matrix[3] = along;
    matrix[4] = aside;
    matrix[5] = square->y - 0.5f - middle * (aside + along);
}

void points_place(const struct points_square *square, float across, float down, float out[2])
{
    float x = (across - 0.5f) * square->side;
    float y = (down - 0.5f) * square->side;
    out[0] = square->x + x * cosf(square->angle) - y * sinf(square->angle);
    out[1] = square->y + x * sinf(square->angle) + y * cosf(square->angle);
}

/* One look at a square: the points in picture pixels, and the box as corners in shares of the square. */
static enum aibox_status look(struct vision_worker *worker, const struct image *image,
                              const struct points_square *square, float points[POINTS][2], float box[4],
                              struct aibox_error *err)
{
    const struct model_channels *channels = &worker->vision->set.points.channels;
    struct image_sampling how = {.replicate = true, .bgr = channels->bgr};
    memcpy(how.mean, channels->mean, sizeof how.mean);
    memcpy(how.scale, channels->scale, sizeof how.scale);
    points_matrix(square, ONET_SIDE, how.matrix);
    enum aibox_status status =
        sample_smoothly(image, &how, SAMPLE_COLOUR, ONET_SIDE, ONET_SIDE, nn_session_input(worker->points), err);
    if (status != AIBOX_OK || (status = nn_run(worker->points, err)) != AIBOX_OK) {
        return status;
    }
    const float *offsets = nn_session_output(worker->points, ONET_BOX);
    const float *shares = nn_session_output(worker->points, ONET_POINTS);
    for (size_t i = 0; i < 4; i++) {
        box[i] = offsets[i] + (i < 2 ? 0.0f : 1.0f);
    }
    for (size_t i = 0; i < POINTS; i++) {
        points_place(square, shares[i], shares[POINTS + i], points[i]);
        if (!isfinite(points[i][0]) || !isfinite(points[i][1])) {
            return error_set(err, AIBOX_PROCESS_FAILED, "the points' network gave no number");
        }
    }
    return AIBOX_OK;
}

enum aibox_status points_find(struct vision_worker *worker, const struct image *image, const float box[4],
                              float points[POINTS][2], struct aibox_error *err)
{
    struct points_square square = {0.5f * (box[0] + box[2]), 0.5f * (box[1] + box[3]), box[3] - box[1], 0.0f};
    float found[4];
    float upright[6];
    if (!(square.side > 0.0f) || !isfinite(square.x) || !isfinite(square.y) || !isfinite(square.side)) {
        return error_set(err, AIBOX_PARAM, "the face's box is empty");
    }
    enum aibox_status status = look(worker, image, &square, points, found, err);
    if (status != AIBOX_OK) {
        return status;
    }
    const float(*wanted)[2] = (const float(*)[2])worker->vision->set.points.points;
    if (!similarity_fit((const float(*)[2])points, wanted, POINTS, upright)) {
        return error_set(err, AIBOX_LOW_QUALITY, "eyes, nose and mouth could not be told apart");
    }
    float centre[2];
    points_place(&square, 0.5f * (found[0] + found[2]), 0.5f * (found[1] + found[3]), centre);
    float side = fmaxf(found[2] - found[0], found[3] - found[1]) * square.side;
    if (!(side > 0.0f) || !isfinite(side) || !isfinite(centre[0]) || !isfinite(centre[1])) {
        return AIBOX_OK; /* no box to look at again: the first look's points stand */
    }
    square = (struct points_square){centre[0], centre[1], side, atan2f(-upright[3], upright[0])};
    return look(worker, image, &square, points, found, err);
}
