/* Pictures worse than those that anything was chosen by: compressed harder, turned, dark, noisy. Each person's second
 * picture is spoilt and compared with the first one as it is, at the model set's own threshold for one in 10,000. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"

#define FMR 1e-4

static size_t byte_count(const struct image *image)
{
    return (size_t)image->width * (size_t)image->height * 3;
}

static bool leave(struct image *image, float amount, uint64_t *random)
{
    (void)image;
    (void)amount;
    (void)random;
    return true;
}

/* A JPEG of that quality and back. */
static bool compress(struct image *image, float quality, uint64_t *random)
{
    struct image out = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    (void)random;
    bool ok = image_encode_jpeg(image, (int)quality, &bytes, &size, NULL) == AIBOX_OK &&
              image_decode(bytes, size, 0, &out, NULL, NULL) == AIBOX_OK;
    free(bytes);
    if (ok) {
        image_free(image);
        *image = out;
    }
    return ok;
}

/* Around the middle, in degrees; the border is repeated where the picture has nothing. */
static bool turn(struct image *image, float degrees, uint64_t *random)
{
    struct image out = {0};
    float along = cosf(degrees * (float)M_PI / 180);
    float aside = sinf(degrees * (float)M_PI / 180);
    float x = 0.5f * (float)(image->width - 1);
    float y = 0.5f * (float)(image->height - 1);
    const struct image_sampling how = {
        .matrix = {along, aside, x - along * x - aside * y, -aside, along, y + aside * x - along * y},
        .replicate = true,
        .scale = {1, 1, 1}};
    (void)random;
    if (image_warp(image, &how, image->width, image->height, &out, NULL) != AIBOX_OK) {
        return false;
    }
    image_free(image);
    *image = out;
    return true;
}

static bool darken(struct image *image, float share, uint64_t *random)
{
    (void)random;
    for (size_t i = 0; i < byte_count(image); i++) {
        image->pixels[i] = (uint8_t)(share * (float)image->pixels[i] + 0.5f);
    }
    return true;
}

/* Normally distributed noise of that standard deviation on every value (Box and Muller). */
static bool add_noise(struct image *image, float deviation, uint64_t *random)
{
    for (size_t i = 0; i < byte_count(image); i++) {
        double first = ((double)(random_next(random) >> 11) + 1) / 9007199254740993.0;
        double second = (double)(random_next(random) >> 11) / 9007199254740992.0;
        double value = image->pixels[i] + (double)deviation * sqrt(-2 * log(first)) * cos(2 * M_PI * second);
        image->pixels[i] = (uint8_t)(fmin(fmax(value, 0), 255) + 0.5);
    }
    return true;
}

struct kind {
    const char *name;
    bool (*spoil)(struct image *image, float amount, uint64_t *random); /* in place */
    float amount;
};

static const struct kind kinds[] = {
    {"as_it_is", leave, 0},
    {"jpeg_quality_30", compress, 30},
    {"roll_20", turn, 20},
    {"roll_-20", turn, -20},
    {"roll_45", turn, 45},
    {"roll_90", turn, 90},
    {"light_15_percent", darken, 0.15f},
    {"noise_20", add_noise, 20},
};

struct counts {
    size_t probes, found, accepted, impostors, confused;
};

/* A spoilt picture's embedding, of length 1. False: no face, or nothing to be made of it. */
static bool embed_spoilt(const struct dataset *data, struct vision_worker *worker, const struct image *image,
                         float embedding[VISION_DIMENSION])
{
    struct vision_face faces[VISION_MAX_FACES];
    const struct vision_detect_options options = {0};
    struct vision_strength strength = {0};
    size_t count = 0;
    if (vision_detect(worker, image, &options, faces, VISION_MAX_FACES, &count, NULL) != AIBOX_OK || count == 0) {
        return false;
    }
    struct vision_face face = *central_face(image, faces, count);
    if (vision_locate(worker, image, &face, NULL) != AIBOX_OK ||
        vision_embed(worker, image, &face, data->views, embedding, &strength, NULL) != AIBOX_OK) {
        return false;
    }
    for (size_t i = 0; i < VISION_DIMENSION; i++) {
        embedding[i] /= strength.norm;
    }
    return true;
}

/* Against the first pictures of everybody. */
static void compare(const struct dataset *data, size_t person, const float *embedding, float threshold,
                    struct counts *counts)
{
    for (size_t p = 0; p < data->people_count; p++) {
        size_t first = data->people[p].first;
        if (!usable(data, first)) {
            continue;
        }
        bool same = dot(embedding, data->embeddings + first * VISION_DIMENSION) >= threshold;
        if (p == person) {
            counts->accepted += same;
        } else {
            counts->impostors++;
            counts->confused += same;
        }
    }
}

static bool measure_kind(const struct dataset *data, struct vision_worker *worker, const struct kind *kind,
                         float threshold, struct counts *counts)
{
    uint64_t random = 1;
    bool ok = true;
    for (size_t p = 0; p < data->people_count && ok; p++) {
        const struct person *person = &data->people[p];
        struct image image = {0};
        float embedding[VISION_DIMENSION];
        if (person->count < 2 || !usable(data, person->first)) {
            continue;
        }
        ok = read_picture(data->pictures[person->first + 1].path, &image) && kind->spoil(&image, kind->amount, &random);
        counts->probes++;
        if (ok && embed_spoilt(data, worker, &image, embedding)) {
            counts->found++;
            compare(data, p, embedding, threshold, counts);
        }
        image_free(&image);
    }
    return ok;
}

json_t *measure_spoilt(const struct dataset *data, const struct vision *vision)
{
    struct vision_worker *worker = NULL;
    float threshold = vision_threshold_for_fmr(vision, FMR);
    json_t *out = json_pack("{s:f}", "threshold", (double)threshold);
    bool ok = out && vision_worker_open(vision, &worker, NULL) == AIBOX_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && ok; i++) {
        struct counts counts = {0};
        ok = measure_kind(data, worker, &kinds[i], threshold, &counts) && counts.probes > 0 &&
             json_object_set_new(
                 out, kinds[i].name,
                 json_pack("{s:I, s:f, s:f, s:f}", "probes", (json_int_t)counts.probes, "found",
                           (double)counts.found / (double)counts.probes, "tar",
                           (double)counts.accepted / (double)counts.probes, "fmr",
                           counts.impostors > 0 ? (double)counts.confused / (double)counts.impostors : 0.0)) == 0;
    }
    vision_worker_close(worker);
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}
