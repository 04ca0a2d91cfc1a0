#include "vision/align.h"

#include <math.h>
#include <stdlib.h>

#include "vision/geometry.h"
#include "vision/sampling.h"

const float align_arcface_points[5][2] = {
    {38.2946f, 51.6963f}, {73.5318f, 51.5014f}, {56.0252f, 71.7366f}, {41.5493f, 92.3655f}, {70.7299f, 92.2041f}};

enum aibox_status align_points_matrix(const float (*from)[2], const float (*to)[2], float matrix[6],
                                      struct aibox_error *err)
{
    float forward[6];
    if (!similarity_fit(from, to, 5, forward) || !affine_invert(forward, matrix)) {
        return error_set(err, AIBOX_LOW_QUALITY, "eyes, nose and mouth could not be told apart");
    }
    return AIBOX_OK;
}

enum aibox_status align_matrix(const struct vision_face *face, const float (*points)[2], float matrix[6],
                               struct aibox_error *err)
{
    if (!face->located) {
        return error_set(err, AIBOX_PARAM, "the face is not located yet");
    }
    return align_points_matrix((const float(*)[2])face->points, points, matrix, err);
}

void align_mirror(float matrix[6])
{
    for (size_t row = 0; row < 6; row += 3) {
        matrix[row + 2] += matrix[row] * (float)(VISION_ALIGNED_SIDE - 1);
        matrix[row] = -matrix[row];
    }
}

enum aibox_status vision_align(const struct image *image, const struct vision_face *face, struct image *out,
                               struct aibox_error *err)
{
    const size_t values = (size_t)VISION_ALIGNED_SIDE * VISION_ALIGNED_SIDE * 3;
    struct image_sampling how = {.replicate = false, .scale = {1.0f, 1.0f, 1.0f}};
    enum aibox_status status = align_matrix(face, align_arcface_points, how.matrix, err);
    if (status != AIBOX_OK) {
        return status;
    }
    float *pixels = malloc(values * sizeof *pixels);
    if (!pixels) {
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    status = sample_smoothly(image, &how, SAMPLE_COLOUR, VISION_ALIGNED_SIDE, VISION_ALIGNED_SIDE, pixels, err);
    if (status != AIBOX_OK || (status = image_new(VISION_ALIGNED_SIDE, VISION_ALIGNED_SIDE, out, err)) != AIBOX_OK) {
        goto out;
    }
    for (size_t i = 0; i < values; i++) {
        out->pixels[i] = (uint8_t)(fminf(fmaxf(pixels[i], 0.0f), 255.0f) + 0.5f);
    }

out:
    free(pixels);
    return status;
}
