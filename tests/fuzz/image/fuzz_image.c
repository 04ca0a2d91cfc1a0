/*
 * Any bytes as a picture file. What is decoded must be whole and within the limits, and can be worked with. A PNG is
 * tried a second time with its chunks' CRCs put right, since mutations hardly ever get past them otherwise.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "vision/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        __builtin_trap();
}

/* Reads every pixel, so that the sanitizers see what was allocated. */
static void use(const struct image *image)
{
    volatile uint8_t sum = 0;
    require(image->width >= 1 && image->width <= IMAGE_MAX_SIDE);
    require(image->height >= 1 && image->height <= IMAGE_MAX_SIDE);
    size_t bytes = (size_t)image->width * (size_t)image->height * 3;
    require(bytes <= (size_t)3 * IMAGE_MAX_PIXELS);
    for (size_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum ^ image->pixels[i]);

    struct image part;
    require(image_crop(image, image->width / 3, image->height / 3, image->width, image->height, &part, NULL) ==
            AIBOX_OK);
    image_free(&part);
    require(image_resize(image, 16, 12, &part, NULL) == AIBOX_OK);
    image_free(&part);
}

static void decode(const uint8_t *data, size_t size, int min_side)
{
    struct image image;
    struct aibox_error err = {0};
    int scale = 0;
    enum aibox_status status = image_decode(data, size, min_side, &image, &scale, &err);
    if (status == AIBOX_OK) {
        require(scale == 1 || (min_side > 0 && (scale == 2 || scale == 4 || scale == 8)));
        require(scale == 1 || (image.width >= min_side && image.height >= min_side));
        use(&image);
        image_free(&image);
        return;
    }
    require(status == AIBOX_IMAGE || status == AIBOX_UNSUPPORTED_IMAGE || status == AIBOX_IMAGE_TOO_LARGE);
    require(image.pixels == NULL && err.status == status && err.message[0] != '\0');
}

static void correct_checksums(uint8_t *png, size_t size)
{
    size_t at = 8;
    while (at < size && size - at >= 12) {
        size_t length = (size_t)png[at] << 24 | (size_t)png[at + 1] << 16 | (size_t)png[at + 2] << 8 | png[at + 3];
        if (length > size - at - 12)
            return;
        uint32_t sum = (uint32_t)crc32(0, png + at + 4, (uInt)(length + 4));
        for (int i = 0; i < 4; i++)
            png[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += 12 + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode(data, size, 0);
    switch (image_sniff(data, size)) {
    case IMAGE_JPEG:
        decode(data, size, 1 + data[size - 1] % 64);
        break;
    case IMAGE_PNG: {
        uint8_t *copy = malloc(size);
        require(copy != NULL);
        memcpy(copy, data, size);
        correct_checksums(copy, size);
        decode(copy, size, 0);
        free(copy);
        break;
    }
    default:
        break;
    }
    return 0;
}
