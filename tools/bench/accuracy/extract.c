#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"

static void mirror(const struct image *image, struct image *out)
{
    for (int y = 0; y < image->height; y++) {
        const uint8_t *from = image->pixels + (size_t)y * (size_t)image->width * 3;
        uint8_t *to = out->pixels + (size_t)y * (size_t)image->width * 3;
        for (int x = 0; x < image->width; x++) {
            memcpy(to + 3 * x, from + 3 * (image->width - 1 - x), 3);
        }
    }
}

/* The pose that the same picture mirrored gives. */
static enum aibox_status mirrored_pose(struct vision_worker *worker, const struct image *image,
                                       struct vision_pose *pose, struct aibox_error *err)
{
    struct image flipped = {0};
    enum aibox_status status = image_new(image->width, image->height, &flipped, err);
    if (status != AIBOX_OK) {
        return status;
    }
    mirror(image, &flipped);
    struct vision_face face;
    if (find_central(worker, &flipped, &face, err, &status)) {
        status = vision_estimate_pose(worker, &flipped, &face, pose, err);
    }
    image_free(&flipped);
    return status;
}

/* Shrinks the picture so that the face just found is `height` px high; the face found again in the small one would be
 * another: its box and points are scaled with it. */
static enum aibox_status shrink(struct vision_worker *worker, struct image *image, struct vision_face *face, int height,
                                struct aibox_error *err)
{
    float scale = (float)height / (face->raw_box[3] - face->raw_box[1]);
    struct image small = {0};
    if (!(scale < 1.0f)) {
        return AIBOX_OK;
    }
    int width = (int)lroundf((float)image->width * scale);
    enum aibox_status status = image_resize(image, width, (int)lroundf((float)image->height * scale), &small, err);
    if (status != AIBOX_OK) {
        return status;
    }
    image_free(image);
    *image = small;
    for (size_t i = 0; i < 4; i++) {
        face->box[i] *= scale;
        face->raw_box[i] *= scale;
    }
    return vision_locate(worker, image, face, err);
}

static bool extract_one(void *ctx, struct vision_worker *worker, size_t index)
{
    struct dataset *data = ctx;
    struct picture *picture = &data->pictures[index];
    float *embedding = data->embeddings + index * VISION_DIMENSION;
    const struct vision_quality_limits limits = vision_quality_limits_of(QUALITY_HIGH);
    struct aibox_error err = {0};
    struct image image = {0};
    struct vision_strength strength = {0};
    if (!read_picture(picture->path, &image)) {
        return false;
    }
    enum aibox_status status = AIBOX_OK;
    picture->embedded = false;
    memset(embedding, 0, VISION_DIMENSION * sizeof *embedding);
    picture->found = find_central(worker, &image, &picture->face, &err, &status);
    if (picture->found && data->face > 0) {
        status = shrink(worker, &image, &picture->face, data->face, &err);
    }
    if (picture->found && status == AIBOX_OK) {
        status = vision_embed(worker, &image, &picture->face, data->views, embedding, &strength, &err);
        picture->trust = strength.trust;
        picture->embedded = status == AIBOX_OK;
    }
    if (picture->embedded) {
        for (size_t i = 0; i < VISION_DIMENSION; i++) {
            embedding[i] /= strength.norm;
        }
        status = vision_assess(worker, &image, &picture->face, &limits, &picture->quality, &err);
    }
    if (status == AIBOX_OK && picture->embedded && data->face == 0) {
        status = mirrored_pose(worker, &image, &picture->mirrored, &err);
    }
    image_free(&image);
    if (status != AIBOX_OK && status != AIBOX_LOW_QUALITY) {
        (void)fprintf(stderr, "bench-accuracy: %s: %s\n", picture->path, err.message);
        return false;
    }
    return true;
}

bool extract_faces(struct dataset *data, const struct vision *vision, size_t threads)
{
    return each_picture(vision, data->picture_count, threads, extract_one, data);
}
