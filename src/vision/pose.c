/* Head pose by a network with three classifiers over angle bins (Ruiz et al. 2018, "Hopenet"). */
#include <math.h>
#include <string.h>

#include "vision/sampling.h"
#include "vision/worker.h"

#define BINS          66
#define BIN_DEGREES   3.0f
#define FIRST_DEGREES -99.0f

/* The expected angle over the softmax of the bins. */
static float expected_angle(const float *logits)
{
    float highest = logits[0];
    for (size_t i = 1; i < BINS; i++) {
        highest = fmaxf(highest, logits[i]);
    }
    float sum = 0.0f;
    float weighted = 0.0f;
    for (size_t i = 0; i < BINS; i++) {
        float p = expf(logits[i] - highest);
        sum += p;
        weighted += p * (float)i;
    }
    return weighted / sum * BIN_DEGREES + FIRST_DEGREES;
}

enum aibox_status vision_estimate_pose(struct vision_worker *worker, const struct image *image,
                                       const struct vision_face *face, struct vision_pose *pose,
                                       struct aibox_error *err)
{
    const struct vision *vision = worker->vision;
    struct nn_session *session = worker->sessions[NETWORK_POSE];
    struct nn_shape input = nn_model_input_shape(vision->models[NETWORK_POSE]);
    const struct model_channels *channels = &vision->set.pose.channels;
    const float *box = face->raw_box;
    float margin_x = (box[2] - box[0]) * vision->set.pose.margin;
    float margin_y = (box[3] - box[1]) * vision->set.pose.margin;
    struct image_sampling how = {.replicate = false, .bgr = channels->bgr};
    memcpy(how.mean, channels->mean, sizeof how.mean);
    memcpy(how.scale, channels->scale, sizeof how.scale);
    int out_h = (int)input.dim[1];
    int out_w = (int)input.dim[2];
    sampling_of_rectangle(box[0] - margin_x, box[1] - margin_y, box[2] - box[0] + 2 * margin_x,
                          box[3] - box[1] + 2 * margin_y, out_w, out_h, how.matrix);
    enum aibox_status status =
        sample_smoothly(image, &how, SAMPLE_COLOUR, out_w, out_h, nn_session_input(session), err);
    if (status != AIBOX_OK || (status = nn_run(session, err)) != AIBOX_OK) {
        return status;
    }
    pose->yaw = expected_angle(nn_session_output(session, 0));
    pose->pitch = expected_angle(nn_session_output(session, 1));
    pose->roll = expected_angle(nn_session_output(session, 2));
    return AIBOX_OK;
}
