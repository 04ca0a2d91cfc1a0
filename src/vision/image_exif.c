/* EXIF orientation: finding it in hostile bytes, and applying it. */
#include <string.h>

#include "vision/image_internal.h"

#define TIFF_ENTRY_SIZE 12
#define TIFF_TYPE_SHORT 3
#define TAG_ORIENTATION 0x0112

struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
};

/* Bytes outside the block read as 0; callers check the bounds where 0 would be misread. */
static uint32_t read_uint(const struct tiff *tiff, size_t offset, size_t count)
{
    uint32_t value = 0;
    if (offset > tiff->size || tiff->size - offset < count)
        return 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = tiff->big_endian ? i : count - 1 - i;
        value = value << 8 | tiff->bytes[offset + at];
    }
    return value;
}

int image_exif_orientation(const uint8_t *bytes, size_t size)
{
    static const uint8_t prefix[6] = {'E', 'x', 'i', 'f', 0, 0};
    if (size >= sizeof(prefix) && memcmp(bytes, prefix, sizeof(prefix)) == 0) {
        bytes += sizeof(prefix);
        size -= sizeof(prefix);
    }
    struct tiff tiff = {.bytes = bytes, .size = size};
    if (size < 8)
        return 1;
    if (memcmp(bytes, "MM", 2) == 0)
        tiff.big_endian = true;
    else if (memcmp(bytes, "II", 2) != 0)
        return 1;
    if (read_uint(&tiff, 2, 2) != 42)
        return 1;
    size_t directory = read_uint(&tiff, 4, 4);
    if (directory < 8 || directory > size || size - directory < 2)
        return 1;
    size_t entries = read_uint(&tiff, directory, 2);
    size_t room = (size - directory - 2) / TIFF_ENTRY_SIZE;
    if (entries > room)
        entries = room;
    for (size_t i = 0; i < entries; i++) {
        size_t entry = directory + 2 + i * TIFF_ENTRY_SIZE;
        if (read_uint(&tiff, entry, 2) != TAG_ORIENTATION)
            continue;
        if (read_uint(&tiff, entry + 2, 2) != TIFF_TYPE_SHORT || read_uint(&tiff, entry + 4, 4) != 1)
            return 1;
        uint32_t value = read_uint(&tiff, entry + 8, 2);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

static void swap_pixels(uint8_t *a, uint8_t *b)
{
    for (int c = 0; c < 3; c++) {
        uint8_t kept = a[c];
        a[c] = b[c];
        b[c] = kept;
    }
}

static void mirror_rows(struct image *image)
{
    for (int y = 0; y < image->height; y++) {
        uint8_t *left = image_at(image, 0, y);
        uint8_t *right = image_at(image, image->width - 1, y);
        for (; left < right; left += 3, right -= 3)
            swap_pixels(left, right);
    }
}

static void flip_rows(struct image *image)
{
    for (int y = 0; y < image->height / 2; y++) {
        uint8_t *upper = image_at(image, 0, y);
        uint8_t *lower = image_at(image, 0, image->height - 1 - y);
        for (size_t i = 0; i < image_stride(image); i++) {
            uint8_t kept = upper[i];
            upper[i] = lower[i];
            lower[i] = kept;
        }
    }
}

/* Rows become columns. In tiles, so that neither picture is walked with a stride through the whole of memory. */
static enum aibox_status transpose(struct image *image, struct aibox_error *err)
{
    enum { TILE = 32 };
    struct image turned;
    enum aibox_status status = image_allocate(image->height, image->width, &turned, err);
    if (status != AIBOX_OK)
        return status;
    for (int top = 0; top < image->height; top += TILE) {
        int bottom = top + TILE < image->height ? top + TILE : image->height;
        for (int left = 0; left < image->width; left += TILE) {
            int right = left + TILE < image->width ? left + TILE : image->width;
            for (int x = left; x < right; x++) {
                uint8_t *to = image_at(&turned, top, x);
                for (int y = top; y < bottom; y++, to += 3)
                    memcpy(to, image_at(image, x, y), 3);
            }
        }
    }
    image_free(image);
    *image = turned;
    return AIBOX_OK;
}

enum aibox_status image_orient(struct image *image, int orientation, struct aibox_error *err)
{
    /* How the stored rows and columns lie in the upright picture. */
    static const struct {
        bool transpose, mirror, flip; /* in this order */
    } steps[9] = {
        [2] = {false, true, false}, /* row 0 is the top, column 0 the right */
        [3] = {false, true, true},  /* bottom, right */
        [4] = {false, false, true}, /* bottom, left */
        [5] = {true, false, false}, /* left, top */
        [6] = {true, true, false},  /* right, top */
        [7] = {true, true, true},   /* right, bottom */
        [8] = {true, false, true},  /* left, bottom */
    };
    if (orientation < 2 || orientation > 8)
        return AIBOX_OK;
    if (steps[orientation].transpose) {
        enum aibox_status status = transpose(image, err);
        if (status != AIBOX_OK)
            return status;
    }
    if (steps[orientation].mirror)
        mirror_rows(image);
    if (steps[orientation].flip)
        flip_rows(image);
    return AIBOX_OK;
}
