/* Passive liveness from one picture: the face with much of what is around it (a screen's or print's edge gives it
 * away). */
#include <math.h>
#include <string.h>

#include "vision/sampling.h"
#include "vision/worker.h"

/*
 * The crop: `factor` times the box, around its centre; as large as the picture allows with the box's aspect kept, then
 * shifted inside the picture.
 */
static void choose_crop(const struct image *image, const float box[4], float factor, float crop[4])
{
    float width = box[2] - box[0];
    float height = box[3] - box[1];
    float limit = fminf(((float)image->width - 1.0f) / width, ((float)image->height - 1.0f) / height);
    float grow = fmaxf(fminf(factor, limit), 0.01f);
    width *= grow;
    height *= grow;
    float x = 0.5f * (box[0] + box[2]) - 0.5f * width;
    float y = 0.5f * (box[1] + box[3]) - 0.5f * height;
    crop[0] = fmaxf(fminf(x, (float)image->width - width), 0.0f);
    crop[1] = fmaxf(fminf(y, (float)image->height - height), 0.0f);
    crop[2] = width;
    crop[3] = height;
}

enum aibox_status vision_estimate_liveness(struct vision_worker *worker, const struct image *image,
                                           const struct vision_face *face, float *live, struct aibox_error *err)
{
    const struct vision *vision = worker->vision;
    const struct model_set *set = &vision->set;
    struct nn_session *session = worker->sessions[NETWORK_LIVENESS];
    struct nn_shape input = nn_model_input_shape(vision->models[NETWORK_LIVENESS]);
    const float *box = face->raw_box;
    if (!(box[2] > box[0] && box[3] > box[1])) {
        return error_set(err, AIBOX_PARAM, "the face's box is empty");
    }
    float crop[4];
    choose_crop(image, box, set->liveness.box, crop);
    struct image_sampling how = {.replicate = true, .bgr = set->liveness.channels.bgr};
    memcpy(how.mean, set->liveness.channels.mean, sizeof how.mean);
    memcpy(how.scale, set->liveness.channels.scale, sizeof how.scale);
    int out_h = (int)input.dim[1];
    int out_w = (int)input.dim[2];
    sampling_of_rectangle(crop[0], crop[1], crop[2], crop[3], out_w, out_h, how.matrix);
    enum aibox_status status =
        sample_smoothly(image, &how, SAMPLE_COLOUR, out_w, out_h, nn_session_input(session), err);
    if (status != AIBOX_OK || (status = nn_run(session, err)) != AIBOX_OK) {
        return status;
    }
    struct nn_shape shape = nn_model_output_shape(vision->models[NETWORK_LIVENESS], 0);
    size_t classes = shape.dim[shape.rank - 1];
    const float *logits = nn_session_output(session, 0);
    /* Softmax of the live class, written so that nothing overflows. */
    float others = 0.0f;
    for (size_t i = 0; i < classes; i++) {
        if (i != set->liveness.live) {
            others += expf(logits[i] - logits[set->liveness.live]);
        }
    }
    *live = 1.0f / (1.0f + others);
    return AIBOX_OK;
}
