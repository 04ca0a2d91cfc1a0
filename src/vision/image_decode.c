/* From bytes to an upright picture: which kind it is, which decoder, which way up. */
#include <string.h>

#include "vision/image.h"
#include "vision/image_internal.h"

struct magic {
    enum image_kind kind;
    size_t offset;
    size_t size;
    const char *bytes;
    const char *name;
};

#define MAGIC(kind, offset, bytes, name)                                                                               \
    {                                                                                                                  \
        kind, offset, sizeof(bytes) - 1, bytes, name                                                                   \
    }

/* The first that fits wins. */
static const struct magic magics[] = {
    MAGIC(IMAGE_JPEG, 0, "\xff\xd8\xff", "JPEG"),
    MAGIC(IMAGE_PNG, 0, "\x89PNG\r\n\x1a\n", "PNG"),
    MAGIC(IMAGE_WEBP, 8, "WEBP", "WebP"), /* after "RIFF" and a size, see find_magic() */
    MAGIC(IMAGE_UNSUPPORTED, 0, "GIF87a", "GIF"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "GIF89a", "GIF"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "II*\0", "TIFF"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "MM\0*", "TIFF"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "II+\0", "TIFF"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "MM\0+", "TIFF"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "\0\0\1\0", "ICO"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "\0\0\2\0", "CUR"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "%PDF-", "PDF"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "8BPS", "PSD"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "\x8aMNG\r\n\x1a\n", "MNG"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "\xff\x4f\xff\x51", "JPEG 2000"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    MAGIC(IMAGE_UNSUPPORTED, 0, "\xff\x0a", "JPEG XL"),
    MAGIC(IMAGE_UNSUPPORTED, 4, "ftypheic", "HEIC"),
    MAGIC(IMAGE_UNSUPPORTED, 4, "ftypheix", "HEIC"),
    MAGIC(IMAGE_UNSUPPORTED, 4, "ftypheim", "HEIC"),
    MAGIC(IMAGE_UNSUPPORTED, 4, "ftypheis", "HEIC"),
    MAGIC(IMAGE_UNSUPPORTED, 4, "ftyphevc", "HEIC"),
    MAGIC(IMAGE_UNSUPPORTED, 4, "ftyphevx", "HEIC"),
    MAGIC(IMAGE_UNSUPPORTED, 4, "ftypmif1", "HEIF"),
    MAGIC(IMAGE_UNSUPPORTED, 4, "ftypmsf1", "HEIF"),
    MAGIC(IMAGE_UNSUPPORTED, 4, "ftypavif", "AVIF"),
    MAGIC(IMAGE_UNSUPPORTED, 4, "ftypavis", "AVIF"),
    MAGIC(IMAGE_UNSUPPORTED, 6, "\0\0\0\0", "BMP"), /* after "BM" and a size, see find_magic() */
};

static const struct magic *find_magic(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        const struct magic *magic = &magics[i];
        if (size < magic->offset + magic->size || memcmp(bytes + magic->offset, magic->bytes, magic->size) != 0)
            continue;
        if (magic->kind == IMAGE_WEBP && memcmp(bytes, "RIFF", 4) != 0)
            continue;
        if (magic->offset == 6 && memcmp(bytes, "BM", 2) != 0)
            continue;
        return magic;
    }
    return NULL;
}

enum image_kind image_sniff(const uint8_t *bytes, size_t size)
{
    const struct magic *magic = find_magic(bytes, size);
    return magic == NULL ? IMAGE_UNKNOWN : magic->kind;
}

enum aibox_status image_decode(const uint8_t *bytes, size_t size, int min_side, struct image *out, int *scale,
                               struct aibox_error *err)
{
    *out = (struct image){0};
    int reduced_by = 1;
    int orientation = 1;
    enum aibox_status status;

    if (size > IMAGE_MAX_BYTES)
        return error_set(err, AIBOX_IMAGE_TOO_LARGE, "the picture file is larger than %u bytes", IMAGE_MAX_BYTES);
    const struct magic *magic = find_magic(bytes, size);
    switch (magic == NULL ? IMAGE_UNKNOWN : magic->kind) {
    case IMAGE_JPEG:
        status = image_decode_jpeg(bytes, size, min_side, out, &reduced_by, &orientation, err);
        break;
    case IMAGE_PNG:
        status = image_decode_png(bytes, size, out, &orientation, err);
        break;
    case IMAGE_WEBP:
        status = image_decode_webp(bytes, size, out, &orientation, err);
        break;
    case IMAGE_UNSUPPORTED:
        return error_set(err, AIBOX_UNSUPPORTED_IMAGE, "%s pictures are not taken", magic->name);
    case IMAGE_UNKNOWN:
    default:
        return error_set(err, AIBOX_IMAGE, "not a picture of any known kind");
    }
    if (status == AIBOX_OK)
        status = image_orient(out, orientation, err);
    if (status != AIBOX_OK) {
        image_free(out);
        return status;
    }
    if (scale != NULL)
        *scale = reduced_by;
    return AIBOX_OK;
}

void image_flatten(const uint8_t *rgba, uint8_t *rgb, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned alpha = rgba[4 * i + 3];
        for (size_t c = 0; c < 3; c++) /* a byte is read before any byte at or after it is overwritten */
            rgb[3 * i + c] = (uint8_t)((rgba[4 * i + c] * alpha + 255u * (255u - alpha) + 127u) / 255u);
    }
}
