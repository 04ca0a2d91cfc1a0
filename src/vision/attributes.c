/* Age and sex, by face-api's network: the detector's box, its aspect kept, centred on a black square. */
#include <math.h>
#include <string.h>

#include "vision/sampling.h"
#include "vision/worker.h"

/* Columns (or rows) first..last of `side` that show the box when it takes `part` of `whole`, centred. */
static void shown_range(float part, float whole, int side, int *first, int *last)
{
    float half = 0.5f * (float)side * (1.0f - part / whole);
    *first = (int)lroundf(half);
    *last = (int)lroundf((float)side - half) - 1;
}

enum aibox_status vision_estimate_age_sex(struct vision_worker *worker, const struct image *image,
                                          const struct vision_face *face, float *age, float *male,
                                          struct aibox_error *err)
{
    const struct model_channels *channels = &worker->vision->set.age_gender.channels;
    struct nn_session *session = worker->age_gender;
    const float *box = face->box;
    float width = box[2] - box[0];
    float height = box[3] - box[1];
    if (!(width > 0.0f && height > 0.0f)) {
        return error_set(err, AIBOX_PARAM, "the face's box is empty");
    }
    struct image_sampling how = {.replicate = true, .bgr = channels->bgr};
    memcpy(how.mean, channels->mean, sizeof how.mean);
    memcpy(how.scale, channels->scale, sizeof how.scale);
    float square = fmaxf(width, height);
    const int side = AGE_GENDER_SIDE;
    sampling_of_rectangle(0.5f * (box[0] + box[2] - square), 0.5f * (box[1] + box[3] - square), square, square, side,
                          side, how.matrix);
    float *pixels = nn_session_input(session);
    enum aibox_status status = sample_smoothly(image, &how, SAMPLE_COLOUR, side, side, pixels, err);
    if (status != AIBOX_OK) {
        return status;
    }
    int left = 0;
    int right = 0;
    int top = 0;
    int bottom = 0;
    shown_range(width, square, side, &left, &right);
    shown_range(height, square, side, &top, &bottom);
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
            if (x < left || x > right || y < top || y > bottom) {
                for (int c = 0; c < 3; c++) {
                    pixels[(y * side + x) * 3 + c] = -how.mean[c] * how.scale[c];
                }
            }
        }
    }
    if ((status = nn_run(session, err)) != AIBOX_OK) {
        return status;
    }
    *age = nn_session_output(session, AGE_GENDER_AGE)[0];
    *male = nn_session_output(session, AGE_GENDER_PROBABILITY)[0];
    if (!isfinite(*age) || !isfinite(*male)) {
        return error_set(err, AIBOX_PROCESS_FAILED, "the age network gave no number");
    }
    return AIBOX_OK;
}
