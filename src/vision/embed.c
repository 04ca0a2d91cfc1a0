/* From a located face to its embedding. */
#include <math.h>
#include <string.h>

#include "vision/align.h"
#include "vision/points.h"
#include "vision/sampling.h"
#include "vision/worker.h"

/* By the points of the set's own network for them, if it has one: they are more exact than those of the 68. */
static enum aibox_status choose_alignment(struct vision_worker *worker, const struct image *image,
                                          const struct vision_face *face, float matrix[6], struct aibox_error *err)
{
    const struct model_set *set = &worker->vision->set;
    float points[5][2];
    enum aibox_status status = align_matrix(face, set->feature.points, matrix, err);
    if (status != AIBOX_OK || !worker->points ||
        (status = points_find(worker, image, face->raw_box, points, err)) != AIBOX_OK) {
        return status;
    }
    return align_points_matrix((const float(*)[2])points, set->points.points, matrix, err);
}

enum aibox_status vision_embed(struct vision_worker *worker, const struct image *image, const struct vision_face *face,
                               float embedding[VISION_DIMENSION], float *norm, struct aibox_error *err)
{
    const struct model_set *set = &worker->vision->set;
    struct nn_session *session = worker->sessions[NETWORK_FEATURE];
    struct image_sampling how = {.replicate = false, .bgr = set->feature.channels.bgr};
    memcpy(how.mean, set->feature.channels.mean, sizeof how.mean);
    memcpy(how.scale, set->feature.channels.scale, sizeof how.scale);
    enum aibox_status status = choose_alignment(worker, image, face, how.matrix, err);
    if (status != AIBOX_OK) {
        return status;
    }
    status = sample_smoothly(image, &how, SAMPLE_COLOUR, VISION_ALIGNED_SIDE, VISION_ALIGNED_SIDE,
                             nn_session_input(session), err);
    if (status != AIBOX_OK || (status = nn_run(session, err)) != AIBOX_OK) {
        return status;
    }
    const float *out = nn_session_output(session, 0);
    double square = 0;
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        square += (double)out[i] * (double)out[i];
    }
    if (!isfinite(square) || square <= 0) {
        return error_set(err, AIBOX_PROCESS_FAILED, "the feature network gave no usable vector");
    }
    memcpy(embedding, out, VISION_DIMENSION * sizeof *embedding);
    *norm = (float)sqrt(square);
    return AIBOX_OK;
}
