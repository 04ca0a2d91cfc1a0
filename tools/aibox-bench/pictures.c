#include "pictures.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/buffer.h"
#include "vision/image.h"
#include "vision/vision.h"

#define FRAME_WIDTH      640
#define FRAME_HEIGHT     480
#define FRAME_QUALITY    90
#define FRAME_GREY       128
#define FACE_MARGIN      0.5f   /* on each side, in boxes: little enough to leave neighbours out */
#define FACE_MIN         130.0f /* px; what is smaller on the samples is no face */
#define FACES_PER_SAMPLE 8

static bool read_file(const char *path, struct buffer *out)
{
    char chunk[65536];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0 && buffer_append(out, chunk, n)) {
    }
    bool whole = !ferror(file) && !out->failed && out->size > 0;
    fclose(file);
    return whole;
}

static char *to_base64(const uint8_t *bytes, size_t size)
{
    char *text = malloc(base64_encoded_size(size) + 1);
    if (text != NULL)
        base64_encode(bytes, size, text);
    return text;
}

/* The picture as large as it fits, in the middle of a grey frame. */
static enum aibox_status make_frame(const struct image *image, struct image *frame, struct aibox_error *err)
{
    struct image scaled = {0};
    int width = FRAME_WIDTH, height = image->height * FRAME_WIDTH / image->width;
    if (height > FRAME_HEIGHT) {
        height = FRAME_HEIGHT;
        width = image->width * FRAME_HEIGHT / image->height;
    }
    enum aibox_status status = image_resize(image, width, height, &scaled, err);
    if (status == AIBOX_OK)
        status = image_new(FRAME_WIDTH, FRAME_HEIGHT, frame, err);
    if (status == AIBOX_OK) {
        size_t row = 3 * (size_t)width, frame_row = 3 * (size_t)FRAME_WIDTH;
        size_t left = 3 * (size_t)((FRAME_WIDTH - width) / 2), top = (size_t)((FRAME_HEIGHT - height) / 2);
        memset(frame->pixels, FRAME_GREY, frame_row * FRAME_HEIGHT);
        for (size_t y = 0; y < (size_t)height; y++)
            memcpy(frame->pixels + (top + y) * frame_row + left, scaled.pixels + y * row, row);
    }
    image_free(&scaled);
    return status;
}

/* `original`: the picture's own bytes. */
static enum aibox_status add(struct pictures *pictures, const uint8_t *original, size_t size, const struct image *image,
                             struct aibox_error *err)
{
    struct image frame = {0};
    struct picture *picture = &pictures->items[pictures->count];
    uint8_t *jpeg = NULL;
    size_t jpeg_size = 0;
    enum aibox_status status = make_frame(image, &frame, err);
    if (status == AIBOX_OK)
        status = image_encode_jpeg(&frame, FRAME_QUALITY, &jpeg, &jpeg_size, err);
    if (status == AIBOX_OK) {
        *picture = (struct picture){to_base64(original, size), to_base64(jpeg, jpeg_size)};
        pictures->count++;
        if (picture->original == NULL || picture->frame == NULL)
            status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    free(jpeg);
    image_free(&frame);
    return status;
}

/* A square around the face: what somebody who stands before a PAD looks like. */
static enum aibox_status add_face(struct pictures *pictures, const struct image *image, const struct vision_face *face,
                                  struct aibox_error *err)
{
    struct image cut = {0};
    uint8_t *jpeg = NULL;
    size_t size = 0;
    float side = fmaxf(face->box[2] - face->box[0], face->box[3] - face->box[1]) * (1 + 2 * FACE_MARGIN);
    float x = (face->box[0] + face->box[2] - side) / 2, y = (face->box[1] + face->box[3] - side) / 2;
    enum aibox_status status = image_crop(image, (int)x, (int)y, (int)side, (int)side, &cut, err);
    if (status == AIBOX_OK)
        status = image_encode_jpeg(&cut, FRAME_QUALITY, &jpeg, &size, err);
    if (status == AIBOX_OK)
        status = add(pictures, jpeg, size, &cut, err);
    free(jpeg);
    image_free(&cut);
    return status;
}

/* With a worker: each face on the picture by itself; without: the picture as it is. */
static enum aibox_status add_file(struct pictures *pictures, const char *path, struct vision_worker *worker, size_t max,
                                  struct aibox_error *err)
{
    static const struct vision_detect_options options = {.min_face = FACE_MIN};
    struct vision_face faces[FACES_PER_SAMPLE];
    struct buffer bytes;
    struct image image = {0};
    size_t n = 0;
    buffer_init(&bytes, IMAGE_MAX_BYTES);
    enum aibox_status status =
        read_file(path, &bytes) ? AIBOX_OK : error_set(err, AIBOX_NOT_FOUND, "%s can't be read", path);
    if (status == AIBOX_OK)
        status = image_decode(bytes.data, bytes.size, 0, &image, NULL, err);
    if (status == AIBOX_OK && worker == NULL)
        status = add(pictures, bytes.data, bytes.size, &image, err);
    if (status == AIBOX_OK && worker != NULL)
        status = vision_detect(worker, &image, &options, faces, FACES_PER_SAMPLE, &n, err);
    for (size_t i = 0; i < n && status == AIBOX_OK && pictures->count < max; i++)
        status = add_face(pictures, &image, &faces[i], err);
    image_free(&image);
    buffer_free(&bytes);
    return status;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int is_jpeg(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return is_visible(entry) && length > 4 && strcmp(entry->d_name + length - 4, ".jpg") == 0;
}

/* The first picture of up to `max` people, spread over the alphabet; not everybody's first picture is there. */
static enum aibox_status load_people(const char *folder, size_t max, struct pictures *out, struct aibox_error *err)
{
    struct dirent **names = NULL;
    enum aibox_status status = AIBOX_OK;
    int n = scandir(folder, &names, is_visible, alphasort);
    size_t all = n < 0 ? 0 : (size_t)n, wanted = all < max ? all : max;
    for (size_t i = 0; i < wanted && status == AIBOX_OK; i++) {
        char path[PATH_MAX];
        const char *name = names[i * all / wanted]->d_name;
        int length = snprintf(path, sizeof path, "%s/%s/%s_0001.jpg", folder, name, name);
        if (length > 0 && (size_t)length < sizeof path)
            status = add_file(out, path, NULL, max, err);
        if (status == AIBOX_NOT_FOUND)
            status = AIBOX_OK;
    }
    for (size_t i = 0; i < all; i++)
        free(names[i]);
    free(names);
    return status;
}

static enum aibox_status load_samples(const char *folder, struct vision_worker *worker, size_t max,
                                      struct pictures *out, struct aibox_error *err)
{
    struct dirent **names = NULL;
    enum aibox_status status = AIBOX_OK;
    int n = scandir(folder, &names, is_jpeg, alphasort);
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (status == AIBOX_OK && out->count < max && length > 0 && (size_t)length < sizeof path)
            status = add_file(out, path, worker, max, err);
        free(names[i]);
    }
    free(names);
    return status;
}

static enum aibox_status cut_samples(const char *folder, const char *models, size_t max, struct pictures *out,
                                     struct aibox_error *err)
{
    struct vision *vision = NULL;
    struct vision_worker *worker = NULL;
    enum aibox_status status = vision_open(models, &vision, err);
    if (status == AIBOX_OK)
        status = vision_worker_open(vision, &worker, err);
    if (status == AIBOX_OK)
        status = load_samples(folder, worker, max, out, err);
    if (worker != NULL)
        vision_worker_close(worker);
    if (vision != NULL)
        vision_close(vision);
    return status;
}

enum aibox_status pictures_load(const char *faces, const char *samples, const char *models, size_t max,
                                struct pictures *out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    char lfw[PATH_MAX];
    *out = (struct pictures){.source = "LFW"};
    if (max > PICTURES_MAX)
        max = PICTURES_MAX;
    if (snprintf(lfw, sizeof lfw, "%s/lfw", faces) < (int)sizeof lfw)
        status = load_people(lfw, max, out, err);
    if (status == AIBOX_OK && out->count == 0) {
        out->source = "sample pictures";
        status = cut_samples(samples, models, max, out, err);
    }
    return status;
}

void pictures_free(struct pictures *pictures)
{
    for (size_t i = 0; i < pictures->count; i++) {
        free(pictures->items[i].original);
        free(pictures->items[i].frame);
    }
    *pictures = (struct pictures){0};
}
