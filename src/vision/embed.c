/* From a located face to its embedding. */
#include <math.h>
#include <string.h>

#include "vision/align.h"
#include "vision/points.h"
#include "vision/sampling.h"
#include "vision/worker.h"

/* A picture that is to be enlarged, or reduced by less than this, is sampled by a longer kernel, if the set wants it:
 * bilinear samples blur it. */
#define KERNEL_BELOW 1.5f

/* One look at the face: aligned by `matrix` (to the picture), then the network's output is added to `sum`. */
static enum aibox_status add_view(struct vision_worker *worker, const struct image *image, const float matrix[6],
                                  float sum[VISION_DIMENSION], struct aibox_error *err)
{
    const struct model_set *set = &worker->vision->set;
    const struct model_channels *channels = &set->feature.channels;
    struct nn_session *session = worker->sessions[NETWORK_FEATURE];
    struct image_sampling how = {.replicate = false, .bgr = channels->bgr};
    enum aibox_status status = AIBOX_OK;
    memcpy(how.matrix, matrix, sizeof how.matrix);
    memcpy(how.mean, channels->mean, sizeof how.mean);
    memcpy(how.scale, channels->scale, sizeof how.scale);
    if (set->feature.sampling != MODEL_LINEAR && hypotf(matrix[0], matrix[3]) < KERNEL_BELOW) {
        image_sample_kernel(image, &how, set->feature.sampling == MODEL_LANCZOS ? IMAGE_LANCZOS : IMAGE_CUBIC,
                            VISION_ALIGNED_SIDE, VISION_ALIGNED_SIDE, nn_session_input(session));
    } else {
        status = sample_smoothly(image, &how, SAMPLE_COLOUR, VISION_ALIGNED_SIDE, VISION_ALIGNED_SIDE,
                                 nn_session_input(session), err);
    }
    if (status != AIBOX_OK || (status = nn_run(session, err)) != AIBOX_OK) {
        return status;
    }
    const float *out = nn_session_output(session, 0);
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        sum[i] += out[i];
    }
    return AIBOX_OK;
}

/* By the points of the set's own network for them, if it has one: they are more exact than those of the 68.
 * *disagreement: of that network's looks, in pixels of the aligned face. */
static enum aibox_status best_alignment(struct vision_worker *worker, const struct image *image,
                                        const struct vision_face *face, const float by_landmarks[6], float matrix[6],
                                        float *disagreement, struct aibox_error *err)
{
    float points[5][2];
    *disagreement = 0.0f;
    if (!worker->points) {
        memcpy(matrix, by_landmarks, 6 * sizeof *matrix);
        return AIBOX_OK;
    }
    enum aibox_status status = points_find(worker, image, face->raw_box, points, disagreement, err);
    if (status == AIBOX_OK) {
        status = align_points_matrix((const float(*)[2])points, worker->vision->set.points.points, matrix, err);
    }
    if (status == AIBOX_OK) {
        *disagreement /= hypotf(matrix[0], matrix[3]);
    }
    return status;
}

enum aibox_status vision_embed(struct vision_worker *worker, const struct image *image, const struct vision_face *face,
                               enum vision_views views, float embedding[VISION_DIMENSION],
                               struct vision_strength *strength, struct aibox_error *err)
{
    float by_landmarks[6];
    float best[6];
    float sum[VISION_DIMENSION] = {0};
    float disagreement = 0.0f;
    enum aibox_status status = align_matrix(face, worker->vision->set.feature.points, by_landmarks, err);
    if (status != AIBOX_OK ||
        (status = best_alignment(worker, image, face, by_landmarks, best, &disagreement, err)) != AIBOX_OK ||
        (status = add_view(worker, image, best, sum, err)) != AIBOX_OK) {
        return status;
    }
    bool twice = views == VISION_TWO_VIEWS && worker->vision->set.feature.views > 1;
    if (twice) {
        float *second = worker->vision->set.feature.mirror_best ? best : by_landmarks;
        align_mirror(second);
        if ((status = add_view(worker, image, second, sum, err)) != AIBOX_OK) {
            return status;
        }
    }
    double square = 0;
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        sum[i] /= twice ? 2.0f : 1.0f;
        square += (double)sum[i] * (double)sum[i];
    }
    if (!isfinite(square) || square <= 0) {
        return error_set(err, AIBOX_PROCESS_FAILED, "the feature network gave no usable vector");
    }
    memcpy(embedding, sum, sizeof sum);
    strength->norm = (float)sqrt(square);
    strength->trust = strength->norm - worker->vision->set.feature.doubt * disagreement;
    return AIBOX_OK;
}
