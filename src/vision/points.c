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

void points_mirror(int pixels, float matrix[6])
{
    for (size_t row = 0; row < 6; row += 3) {
        matrix[row + 2] += matrix[row + 1] * (float)(pixels - 1);
        matrix[row + 1] = -matrix[row + 1];
    }
}

/* What the network says of a square: the points in picture pixels, and the box as corners in shares of the square. */
struct found {
    float points[POINTS][2];
    float box[4];
};

static enum aibox_status look(struct vision_worker *worker, const struct image *image,
                              const struct points_square *square, bool mirrored, struct found *out,
                              struct aibox_error *err)
{
    /* The left eye of a mirrored face is the right one. */
    static const size_t straight[POINTS] = {0, 1, 2, 3, 4};
    static const size_t exchanged[POINTS] = {1, 0, 2, 4, 3};
    const size_t *which = mirrored ? exchanged : straight;
    const struct model_channels *channels = &worker->vision->set.points.channels;
    struct image_sampling how = {.replicate = true, .bgr = channels->bgr};
    memcpy(how.mean, channels->mean, sizeof how.mean);
    memcpy(how.scale, channels->scale, sizeof how.scale);
    points_matrix(square, ONET_SIDE, how.matrix);
    if (mirrored) {
        points_mirror(ONET_SIDE, how.matrix);
    }
    enum aibox_status status =
        sample_smoothly(image, &how, SAMPLE_COLOUR, ONET_SIDE, ONET_SIDE, nn_session_input(worker->points), err);
    if (status != AIBOX_OK || (status = nn_run(worker->points, err)) != AIBOX_OK) {
        return status;
    }
    const float *offsets = nn_session_output(worker->points, ONET_BOX);
    const float *shares = nn_session_output(worker->points, ONET_POINTS);
    for (size_t i = 0; i < 4; i++) {
        out->box[i] = offsets[i] + (i < 2 ? 0.0f : 1.0f);
    }
    for (size_t i = 0; i < POINTS; i++) {
        float across = shares[which[i]];
        points_place(square, mirrored ? 1 - across : across, shares[POINTS + which[i]], out->points[i]);
        if (!isfinite(out->points[i][0]) || !isfinite(out->points[i][1])) {
            return error_set(err, AIBOX_PROCESS_FAILED, "the points' network gave no number");
        }
    }
    return AIBOX_OK;
}

/* Mirrored, other mistakes are made: the mean of both is nearer to the truth, and the difference tells how far off it
 * may be. */
static enum aibox_status average_with_mirrored(struct vision_worker *worker, const struct image *image,
                                               const struct points_square *square, float points[POINTS][2],
                                               float *disagreement, struct aibox_error *err)
{
    struct found other;
    float squares = 0.0f;
    enum aibox_status status = look(worker, image, square, true, &other, err);
    if (status != AIBOX_OK) {
        return status;
    }
    for (size_t i = 0; i < POINTS; i++) {
        for (size_t axis = 0; axis < 2; axis++) {
            float apart = points[i][axis] - other.points[i][axis];
            squares += apart * apart;
            points[i][axis] = 0.5f * (points[i][axis] + other.points[i][axis]);
        }
    }
    *disagreement = sqrtf(squares / POINTS);
    return AIBOX_OK;
}

/* The square of the box that was found in the one before, turned upright. False: there is no such box, or the points
 * coincide. */
static bool next_square(const struct model_set *set, const struct found *found, struct points_square *square)
{
    float upright[6];
    float centre[2];
    if (!similarity_fit((const float(*)[2])found->points, (const float(*)[2])set->points.points, POINTS, upright)) {
        return false;
    }
    points_place(square, 0.5f * (found->box[0] + found->box[2]), 0.5f * (found->box[1] + found->box[3]), centre);
    float side = fmaxf(found->box[2] - found->box[0], found->box[3] - found->box[1]) * square->side * set->points.box;
    if (!(side > 0.0f) || !isfinite(side) || !isfinite(centre[0]) || !isfinite(centre[1])) {
        return false;
    }
    *square = (struct points_square){centre[0], centre[1], side, atan2f(-upright[3], upright[0])};
    return true;
}

enum aibox_status points_find(struct vision_worker *worker, const struct image *image, const float box[4],
                              float points[POINTS][2], float *disagreement, struct aibox_error *err)
{
    const struct model_set *set = &worker->vision->set;
    struct points_square square = {0.5f * (box[0] + box[2]), 0.5f * (box[1] + box[3]),
                                   (box[3] - box[1]) * set->points.box, 0.0f};
    struct found found;
    if (!(square.side > 0.0f) || !isfinite(square.x) || !isfinite(square.y) || !isfinite(square.side)) {
        return error_set(err, AIBOX_PARAM, "the face's box is empty");
    }
    enum aibox_status status = look(worker, image, &square, false, &found, err);
    for (unsigned i = 1; status == AIBOX_OK && i < set->points.looks && next_square(set, &found, &square); i++) {
        status = look(worker, image, &square, false, &found, err);
    }
    if (status != AIBOX_OK) {
        return status;
    }
    memcpy(points, found.points, sizeof found.points);
    *disagreement = 0.0f;
    return set->points.mirrored ? average_with_mirrored(worker, image, &square, points, disagreement, err) : AIBOX_OK;
}
