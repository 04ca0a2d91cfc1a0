/* The 68 points of a face (iBUG 300-W order) and the five that alignment uses. */
#include <math.h>
#include <string.h>

#include "vision/sampling.h"
#include "vision/worker.h"

#define POINTS 68

static void mean_of(const float (*landmarks)[2], const int *which, size_t count, float out[2])
{
    out[0] = 0.0f;
    out[1] = 0.0f;
    for (size_t i = 0; i < count; i++) {
        out[0] += landmarks[which[i]][0] / (float)count;
        out[1] += landmarks[which[i]][1] / (float)count;
    }
}

/* Eyes by their lids (the corners are less steady), the nose's tip, the mouth's corners by inner and outer rim. */
static void choose_points(struct vision_face *face)
{
    static const int left_eye[] = {37, 38, 40, 41};
    static const int right_eye[] = {43, 44, 46, 47};
    static const int nose[] = {30};
    static const int left_mouth[] = {48, 60};
    static const int right_mouth[] = {54, 64};
    const float(*landmarks)[2] = (const float(*)[2])face->landmarks;
    mean_of(landmarks, left_eye, 4, face->points[0]);
    mean_of(landmarks, right_eye, 4, face->points[1]);
    mean_of(landmarks, nose, 1, face->points[2]);
    mean_of(landmarks, left_mouth, 2, face->points[3]);
    mean_of(landmarks, right_mouth, 2, face->points[4]);
}

enum aibox_status vision_locate(struct vision_worker *worker, const struct image *image, struct vision_face *face,
                                struct aibox_error *err)
{
    const struct model_set *set = &worker->vision->set;
    struct nn_session *session = worker->sessions[NETWORK_LANDMARK];
    struct nn_shape input = nn_model_input_shape(worker->vision->models[NETWORK_LANDMARK]);
    int side_px = (int)input.dim[1];
    const float *box = face->raw_box;
    float side = (box[3] - box[1]) * set->landmark.box;
    float left = 0.5f * (box[0] + box[2]) - 0.5f * side;
    float top = 0.5f * (box[1] + box[3]) - 0.5f * side;
    if (!(side > 0.0f) || !isfinite(left) || !isfinite(top)) {
        return error_set(err, AIBOX_PARAM, "the face's box is empty");
    }
    struct image_sampling how = {.replicate = false};
    sampling_of_rectangle(left, top, side, side, side_px, side_px, how.matrix);
    float *grey = nn_session_input(session);
    enum aibox_status status = sample_smoothly(image, &how, SAMPLE_GREY, side_px, side_px, grey, err);
    if (status != AIBOX_OK) {
        return status;
    }
    for (int i = 0; i < side_px * side_px; i++) {
        grey[i] *= set->landmark.scale;
    }
    if ((status = nn_run(session, err)) != AIBOX_OK) {
        return status;
    }
    const float *out = nn_session_output(session, 0);
    for (size_t i = 0; i < POINTS; i++) {
        face->landmarks[i][0] = left + out[2 * i] * side;
        face->landmarks[i][1] = top + out[2 * i + 1] * side;
        if (!isfinite(face->landmarks[i][0]) || !isfinite(face->landmarks[i][1])) {
            return error_set(err, AIBOX_PROCESS_FAILED, "the landmark network gave no number");
        }
    }
    choose_points(face);
    face->located = true;
    return AIBOX_OK;
}
