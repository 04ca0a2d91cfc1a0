/* Pictures in memory: making, freeing, cutting out. */
#include "vision/image.h"

#include <stdlib.h>
#include <string.h>

#include "vision/image_internal.h"

enum aibox_status image_check_size(uint64_t width, uint64_t height, struct aibox_error *err)
{
    if (width == 0 || height == 0)
        return error_set(err, AIBOX_IMAGE, "the picture is empty");
    if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE)
        return error_set(err, AIBOX_IMAGE_TOO_LARGE, "a side of the picture is longer than %d px", IMAGE_MAX_SIDE);
    if (width * height > IMAGE_MAX_PIXELS)
        return error_set(err, AIBOX_IMAGE_TOO_LARGE, "the picture has more than %u pixels", (unsigned)IMAGE_MAX_PIXELS);
    return AIBOX_OK;
}

static enum aibox_status make(int width, int height, bool zeroed, struct image *out, struct aibox_error *err)
{
    *out = (struct image){0};
    enum aibox_status status =
        image_check_size(width < 0 ? 0 : (uint64_t)width, height < 0 ? 0 : (uint64_t)height, err);
    if (status != AIBOX_OK)
        return status;
    size_t size = (size_t)width * (size_t)height * 3;
    uint8_t *pixels = zeroed ? calloc(size, 1) : malloc(size);
    if (pixels == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "no memory for a picture of %d x %d", width, height);
    *out = (struct image){.width = width, .height = height, .pixels = pixels};
    return AIBOX_OK;
}

enum aibox_status image_allocate(int width, int height, struct image *out, struct aibox_error *err)
{
    return make(width, height, false, out, err);
}

enum aibox_status image_new(int width, int height, struct image *out, struct aibox_error *err)
{
    return make(width, height, true, out, err);
}

void image_free(struct image *image)
{
    if (image == NULL)
        return;
    free(image->pixels);
    *image = (struct image){0};
}

static void clip_span(int *start, int *length, int limit)
{
    int64_t from = *start;
    int64_t to = from + *length;
    if (from < 0)
        from = 0;
    if (to > limit)
        to = limit;
    *start = (int)(from < to ? from : 0);
    *length = (int)(from < to ? to - from : 0);
}

enum aibox_status image_clip(const struct image *image, int *x, int *y, int *width, int *height,
                             struct aibox_error *err)
{
    clip_span(x, width, image->width);
    clip_span(y, height, image->height);
    if (*width == 0 || *height == 0)
        return error_set(err, AIBOX_IMAGE, "the rectangle is outside the picture");
    return AIBOX_OK;
}

enum aibox_status image_crop(const struct image *image, int x, int y, int width, int height, struct image *out,
                             struct aibox_error *err)
{
    *out = (struct image){0};
    enum aibox_status status = image_clip(image, &x, &y, &width, &height, err);
    if (status != AIBOX_OK)
        return status;
    status = image_allocate(width, height, out, err);
    if (status != AIBOX_OK)
        return status;
    for (int row = 0; row < height; row++)
        memcpy(image_at(out, 0, row), image_at(image, x, y + row), image_stride(out));
    return AIBOX_OK;
}
