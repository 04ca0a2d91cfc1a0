/* From a located face to its embedding. */
#include <math.h>
#include <string.h>

#include "vision/align.h"
#include "vision/points.h"
#include "vision/sampling.h"
#include "vision/worker.h"

/* A face below this height is enlarged bicubically before it is aligned: bilinear samples alone blur it. */
#define SMALL_FACE 40.0f

/* The picture around a small face, enlarged, and how its pixels lie: pixel p of the picture is scale * (p - origin). */
struct close_up {
    struct image image; /* empty: the face is large enough */
    float scale;
    float origin[2];
};

/* The face's box and as much again on each side, because alignment reaches beyond it. */
static enum aibox_status enlarge(const struct image *image, const float box[4], struct close_up *out,
                                 struct aibox_error *err)
{
    float side = box[3] - box[1];
    *out = (struct close_up){.scale = 1.0f};
    if (!(side >= 1.0f && side < SMALL_FACE)) {
        return AIBOX_OK;
    }
    float left = fmaxf(floorf(0.5f * (box[0] + box[2]) - 1.5f * side), 0.0f);
    float top = fmaxf(floorf(0.5f * (box[1] + box[3]) - 1.5f * side), 0.0f);
    if (!(left < (float)image->width && top < (float)image->height)) {
        return AIBOX_OK; /* beyond the picture: nothing to enlarge */
    }
    int sides = (int)ceilf(3.0f * side);
    out->scale = ceilf((float)VISION_ALIGNED_SIDE / side);
    out->origin[0] = left;
    out->origin[1] = top;
    return image_enlarge(image, (int)left, (int)top, sides, sides, (double)out->scale, &out->image, err);
}

/* Makes a map to the picture one to its close-up; both have pixel centres at integers. */
static void to_close_up(const struct close_up *near, float matrix[6])
{
    for (size_t i = 0; i < 6; i++) {
        matrix[i] *= near->scale;
    }
    matrix[2] += (0.5f - near->origin[0]) * near->scale - 0.5f;
    matrix[5] += (0.5f - near->origin[1]) * near->scale - 0.5f;
}

/* One look at the face: aligned by `matrix` (to the picture), then the network's output is added to `sum`. */
static enum aibox_status add_view(struct vision_worker *worker, const struct image *image, const struct close_up *near,
                                  const float matrix[6], float sum[VISION_DIMENSION], struct aibox_error *err)
{
    const struct model_channels *channels = &worker->vision->set.feature.channels;
    struct nn_session *session = worker->sessions[NETWORK_FEATURE];
    struct image_sampling how = {.replicate = false, .bgr = channels->bgr};
    memcpy(how.matrix, matrix, sizeof how.matrix);
    memcpy(how.mean, channels->mean, sizeof how.mean);
    memcpy(how.scale, channels->scale, sizeof how.scale);
    if (near->image.pixels) {
        to_close_up(near, how.matrix);
        image = &near->image;
    }
    enum aibox_status status = sample_smoothly(image, &how, SAMPLE_COLOUR, VISION_ALIGNED_SIDE, VISION_ALIGNED_SIDE,
                                               nn_session_input(session), err);
    if (status != AIBOX_OK || (status = nn_run(session, err)) != AIBOX_OK) {
        return status;
    }
    const float *out = nn_session_output(session, 0);
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        sum[i] += out[i];
    }
    return AIBOX_OK;
}

/* By the points of the set's own network for them, if it has one: they are more exact than those of the 68. */
static enum aibox_status best_alignment(struct vision_worker *worker, const struct image *image,
                                        const struct vision_face *face, const float by_landmarks[6], float matrix[6],
                                        struct aibox_error *err)
{
    float points[5][2];
    if (!worker->points) {
        memcpy(matrix, by_landmarks, 6 * sizeof *matrix);
        return AIBOX_OK;
    }
    enum aibox_status status = points_find(worker, image, face->raw_box, points, err);
    if (status != AIBOX_OK) {
        return status;
    }
    return align_points_matrix((const float(*)[2])points, worker->vision->set.points.points, matrix, err);
}

enum aibox_status vision_embed(struct vision_worker *worker, const struct image *image, const struct vision_face *face,
                               enum vision_views views, float embedding[VISION_DIMENSION], float *norm,
                               struct aibox_error *err)
{
    float by_landmarks[6];
    float best[6];
    struct close_up near = {.scale = 1.0f};
    float sum[VISION_DIMENSION] = {0};
    enum aibox_status status = align_matrix(face, worker->vision->set.feature.points, by_landmarks, err);
    if (status != AIBOX_OK || (status = best_alignment(worker, image, face, by_landmarks, best, err)) != AIBOX_OK ||
        (status = enlarge(image, face->raw_box, &near, err)) != AIBOX_OK ||
        (status = add_view(worker, image, &near, best, sum, err)) != AIBOX_OK) {
        goto out;
    }
    bool twice = views == VISION_TWO_VIEWS && worker->vision->set.feature.views > 1;
    if (twice) {
        align_mirror(by_landmarks);
        if ((status = add_view(worker, image, &near, by_landmarks, sum, err)) != AIBOX_OK) {
            goto out;
        }
    }
    double square = 0;
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        sum[i] /= twice ? 2.0f : 1.0f;
        square += (double)sum[i] * (double)sum[i];
    }
    if (!isfinite(square) || square <= 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "the feature network gave no usable vector");
        goto out;
    }
    memcpy(embedding, sum, sizeof sum);
    *norm = (float)sqrt(square);

out:
    image_free(&near.image);
    return status;
}
