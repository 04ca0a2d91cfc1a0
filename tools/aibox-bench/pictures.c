#include "pictures.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/buffer.h"
#include "vision/image.h"

#define FRAME_WIDTH   640
#define FRAME_HEIGHT  480
#define FRAME_QUALITY 90
#define FRAME_GREY    128

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

static enum aibox_status add(struct pictures *pictures, const char *path, struct aibox_error *err)
{
    struct buffer bytes;
    struct image image = {0}, frame = {0};
    struct picture *picture = &pictures->items[pictures->count];
    uint8_t *jpeg = NULL;
    size_t jpeg_size = 0;
    buffer_init(&bytes, IMAGE_MAX_BYTES);
    enum aibox_status status =
        read_file(path, &bytes) ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "%s can't be read", path);
    if (status == AIBOX_OK)
        status = image_decode(bytes.data, bytes.size, 0, &image, NULL, err);
    if (status == AIBOX_OK)
        status = make_frame(&image, &frame, err);
    if (status == AIBOX_OK)
        status = image_encode_jpeg(&frame, FRAME_QUALITY, &jpeg, &jpeg_size, err);
    if (status == AIBOX_OK) {
        *picture = (struct picture){to_base64(bytes.data, bytes.size), to_base64(jpeg, jpeg_size)};
        pictures->count++;
        if (picture->original == NULL || picture->frame == NULL)
            status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    free(jpeg);
    image_free(&image);
    image_free(&frame);
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

/* `format`: the path of a picture from the folder and (one or two times) an entry's name. */
static enum aibox_status load_folder(const char *folder, bool per_person, size_t max, struct pictures *out,
                                     struct aibox_error *err)
{
    struct dirent **names = NULL;
    enum aibox_status status = AIBOX_OK;
    int n = scandir(folder, &names, per_person ? is_visible : is_jpeg, alphasort);
    size_t all = n < 0 ? 0 : (size_t)n, wanted = all < max ? all : max;
    for (size_t i = 0; i < wanted && status == AIBOX_OK; i++) {
        char path[PATH_MAX];
        const char *name = names[i * all / wanted]->d_name;
        int length = per_person ? snprintf(path, sizeof path, "%s/%s/%s_0001.jpg", folder, name, name)
                                : snprintf(path, sizeof path, "%s/%s", folder, name);
        if (length < 0 || (size_t)length >= sizeof path)
            continue;
        /* Not everybody's first picture is there. */
        status = add(out, path, err);
        if (per_person && status == AIBOX_PROCESS_FAILED)
            status = AIBOX_OK;
    }
    for (size_t i = 0; i < all; i++)
        free(names[i]);
    free(names);
    return status;
}

enum aibox_status pictures_load(const char *faces, const char *samples, size_t max, struct pictures *out,
                                struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    char lfw[PATH_MAX];
    *out = (struct pictures){.source = "LFW"};
    if (max > PICTURES_MAX)
        max = PICTURES_MAX;
    if (snprintf(lfw, sizeof lfw, "%s/lfw", faces) < (int)sizeof lfw)
        status = load_folder(lfw, true, max, out, err);
    if (status == AIBOX_OK && out->count == 0) {
        out->source = "sample pictures";
        status = load_folder(samples, false, max, out, err);
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
