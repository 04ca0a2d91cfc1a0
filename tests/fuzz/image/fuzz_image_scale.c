/* Any rectangles, sizes and matrices, applied to a small picture. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vision/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        __builtin_trap();
}

struct input {
    int rectangle[4];
    int width, height; /* of the result */
    float matrix[6];
    uint8_t from_w, from_h, to_w, to_h;
    uint8_t flags;
};

static void sample(const struct image *image, const struct input *input)
{
    struct image_sampling how = {
        .replicate = (input->flags & 1) != 0, .bgr = (input->flags & 2) != 0, .scale = {1, 1, 1}};
    memcpy(how.matrix, input->matrix, sizeof(how.matrix));
    int width = 1 + input->to_w;
    int height = 1 + input->to_h % 32;
    size_t count = (size_t)width * (size_t)height;
    float *out = malloc(count * 3 * sizeof(*out)); /* of exact size */
    require(out != NULL);
    image_sample(image, &how, width, height, out);
    for (size_t i = 0; i < count * 3; i++)
        require(out[i] >= -0.001f && out[i] <= 255.001f);
    image_sample_kernel(image, &how, IMAGE_CUBIC, width, height, out);
    image_sample_kernel(image, &how, IMAGE_LANCZOS, width, height, out);
    for (size_t i = 0; i < count * 3; i++)
        require(out[i] >= 0 && out[i] <= 255);
    free(out);
    float *grey = malloc(count * sizeof(*grey));
    require(grey != NULL);
    image_sample_grey(image, &how, width, height, grey);
    for (size_t i = 0; i < count; i++)
        require(grey[i] >= -0.001f && grey[i] <= 255.001f);
    free(grey);
    struct image warped;
    require(image_warp(image, &how, width, height, &warped, NULL) == AIBOX_OK);
    image_free(&warped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {0};
    memcpy(&input, data, size < sizeof(input) ? size : sizeof(input));
    struct image image;
    struct image out;
    require(image_new(1 + input.from_w % 40, 1 + input.from_h % 40, &image, NULL) == AIBOX_OK);
    size_t bytes = (size_t)image.width * (size_t)image.height * 3;
    for (size_t i = 0; i < bytes; i++)
        image.pixels[i] = size > 0 ? (uint8_t)(data[i % size] * 7 + i) : 0;

    const int *r = input.rectangle;
    if (image_crop(&image, r[0], r[1], r[2], r[3], &out, NULL) == AIBOX_OK)
        require(out.width <= image.width && out.height <= image.height);
    image_free(&out);
    if (image_resize(&image, input.width % 1000, input.height % 1000, &out, NULL) == AIBOX_OK)
        require(out.width == input.width % 1000 && out.height == input.height % 1000);
    image_free(&out);
    sample(&image, &input);
    image_free(&image);
    return 0;
}
