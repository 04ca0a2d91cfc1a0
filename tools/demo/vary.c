/*
 * demo-vary IN OUT.jpg [--shift PERCENT] [--scale PERCENT] [--mirror] [--quality N]
 *
 * The same face as another camera might have taken it: moved within the frame, larger or smaller, mirrored,
 * compressed harder. For the guided tour.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "vision/image.h"

struct variation {
    long shift, scale, quality; /* percent, percent, JPEG's 1..100 */
    bool mirror;
};

static enum aibox_status read_picture(const char *path, struct image *out, struct aibox_error *err)
{
    struct buffer bytes;
    char chunk[65536];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set(err, AIBOX_NOT_FOUND, "%s: can't be read", path);
    buffer_init(&bytes, IMAGE_MAX_BYTES);
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
        buffer_append(&bytes, chunk, n);
    fclose(file);
    enum aibox_status status = bytes.failed ? error_set(err, AIBOX_IMAGE_TOO_LARGE, "%s: too large", path)
                                            : image_decode(bytes.data, bytes.size, 0, out, NULL, err);
    buffer_free(&bytes);
    return status;
}

static void mirror(struct image *image)
{
    size_t width = (size_t)image->width, height = (size_t)image->height;
    for (size_t y = 0; y < height; y++) {
        uint8_t *row = image->pixels + 3 * width * y;
        for (size_t x = 0; x < width / 2; x++) {
            uint8_t pixel[3];
            memcpy(pixel, row + 3 * x, 3);
            memcpy(row + 3 * x, row + 3 * (width - 1 - x), 3);
            memcpy(row + 3 * (width - 1 - x), pixel, 3);
        }
    }
}

/* *image is replaced by what a step made of it. */
static enum aibox_status vary(struct image *image, const struct variation *how, struct aibox_error *err)
{
    struct image shifted = {0};
    int x = (int)(image->width * how->shift / 100), y = (int)(image->height * how->shift / 100);
    enum aibox_status status = image_crop(image, x, y, image->width, image->height, &shifted, err);
    if (status != AIBOX_OK)
        return status;
    image_free(image);
    int width = (int)(shifted.width * how->scale / 100), height = (int)(shifted.height * how->scale / 100);
    status = image_resize(&shifted, width, height, image, err);
    image_free(&shifted);
    if (status == AIBOX_OK && how->mirror)
        mirror(image);
    return status;
}

static enum aibox_status write_picture(const char *path, const struct image *image, long quality,
                                       struct aibox_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum aibox_status status = image_encode_jpeg(image, (int)quality, &bytes, &size, err);
    FILE *file = status == AIBOX_OK ? fopen(path, "wb") : NULL;
    bool written = file != NULL && fwrite(bytes, 1, size, file) == size;
    if (file != NULL && fclose(file) != 0)
        written = false;
    free(bytes);
    return status == AIBOX_OK && !written ? error_set(err, AIBOX_PROCESS_FAILED, "%s: can't be written", path) : status;
}

static bool read_options(int argc, char **argv, struct variation *out)
{
    static const struct option options[] = {{"shift", required_argument, NULL, 's'},
                                            {"scale", required_argument, NULL, 'c'},
                                            {"quality", required_argument, NULL, 'q'},
                                            {"mirror", no_argument, NULL, 'm'},
                                            {NULL, 0, NULL, 0}};
    *out = (struct variation){.scale = 100, .quality = 92};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            out->shift = strtol(optarg, NULL, 10);
        else if (option == 'c')
            out->scale = strtol(optarg, NULL, 10);
        else if (option == 'q')
            out->quality = strtol(optarg, NULL, 10);
        else if (option == 'm')
            out->mirror = true;
        else
            return false;
    }
    return argc - optind == 2 && out->shift > -100 && out->shift < 100 && out->scale >= 1 && out->scale <= 1000 &&
           out->quality >= 1 && out->quality <= 100;
}

int main(int argc, char **argv)
{
    struct variation how;
    struct image image = {0};
    struct aibox_error err;
    if (!read_options(argc, argv, &how)) {
        fputs("Usage: demo-vary IN OUT.jpg [--shift PERCENT] [--scale PERCENT] [--mirror] [--quality N]\n", stderr);
        return 2;
    }
    enum aibox_status status = read_picture(argv[optind], &image, &err);
    if (status == AIBOX_OK)
        status = vary(&image, &how, &err);
    if (status == AIBOX_OK)
        status = write_picture(argv[optind + 1], &image, how.quality, &err);
    if (status != AIBOX_OK)
        fprintf(stderr, "demo-vary: %s\n", err.message);
    image_free(&image);
    return status == AIBOX_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
