/*
 * PNG by libpng. The chunks are walked first: the walk finds out whether the file is whole, animated (APNG) and which
 * way up it is, and libpng is then told to skip every chunk that pixels don't need, compressed texts and profiles above
 * all. Source: W3C PNG specification (third edition).
 */
#include <png.h>
#include <string.h>

#include "vision/image_internal.h"

#define SIGNATURE_SIZE 8

struct png_layout {
    bool complete; /* an IEND chunk was reached */
    bool animated; /* an acTL chunk before the first IDAT */
    int orientation;
};

struct png_reader {
    png_structp codec;
    png_infop info;
    const uint8_t *bytes;
    size_t size;
    size_t at;
    struct image *out;
    enum aibox_status status; /* of our own making, when not OK */
    struct aibox_error *err;
};

static size_t read_length(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static void walk(const uint8_t *bytes, size_t size, struct png_layout *out)
{
    *out = (struct png_layout){.orientation = 1};
    bool exif_seen = false;
    bool data_seen = false;
    size_t at = SIGNATURE_SIZE;
    while (size - at >= 12) {
        size_t length = read_length(bytes + at);
        const uint8_t *type = bytes + at + 4;
        const uint8_t *data = bytes + at + 8;
        if (length > size - at - 12)
            return;
        if (memcmp(type, "IEND", 4) == 0) {
            out->complete = true;
            return;
        }
        if (memcmp(type, "IDAT", 4) == 0) {
            data_seen = true;
        } else if (memcmp(type, "acTL", 4) == 0 && !data_seen) {
            out->animated = true;
        } else if (memcmp(type, "eXIf", 4) == 0 && !exif_seen) {
            exif_seen = true;
            out->orientation = image_exif_orientation(data, length);
        }
        at += 12 + length;
    }
}

static void read_bytes(png_structp codec, png_bytep to, size_t count)
{
    struct png_reader *reader = png_get_io_ptr(codec);
    if (count > reader->size - reader->at)
        png_error(codec, "truncated");
    memcpy(to, reader->bytes + reader->at, count);
    reader->at += count;
}

static _Noreturn void fail(png_structp codec, png_const_charp text)
{
    struct png_reader *reader = png_get_error_ptr(codec);
    if (reader->status == AIBOX_OK)
        reader->status = error_set(reader->err, AIBOX_IMAGE, "not a usable PNG: %s", text);
    png_longjmp(codec, 1);
}

static void keep_silent(png_structp codec, png_const_charp text)
{
    (void)codec;
    (void)text;
}

static void set_limits(png_structp codec)
{
    static const uint8_t skipped[] =
        "acTL\0bKGD\0cHRM\0cICP\0eXIf\0fcTL\0fdAT\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0"
        "sCAL\0sPLT\0sRGB\0sTER\0tEXt\0tIME\0zTXt"; /* names with a 0 after each */
    png_set_user_limits(codec, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    png_set_chunk_cache_max(codec, 8);
    png_set_chunk_malloc_max(codec, IMAGE_MAX_BYTES);
    png_set_keep_unknown_chunks(codec, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_keep_unknown_chunks(codec, PNG_HANDLE_CHUNK_NEVER, skipped, (int)(sizeof(skipped) / 5));
}

/* Whatever the file holds, rows of 8-bit RGB over white. */
static void set_transformations(png_structp codec, png_infop info)
{
    int kind = png_get_color_type(codec, info);
    int depth = png_get_bit_depth(codec, info);
    png_set_expand(codec); /* palette to RGB, fewer than 8 bits to 8, tRNS to alpha */
    if (depth == 16)
        png_set_scale_16(codec);
    if ((kind & PNG_COLOR_MASK_COLOR) == 0)
        png_set_gray_to_rgb(codec);
    if ((kind & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(codec, info, PNG_INFO_tRNS) != 0) {
        /* In 8 bits also for a depth of 16: libpng widens it when scale_16 is set. */
        png_color_16 background = {.red = 255, .green = 255, .blue = 255, .gray = 255};
        png_set_background_fixed(codec, &background, PNG_BACKGROUND_GAMMA_SCREEN, 0, PNG_FP_1);
    }
}

static void read_rows(struct png_reader *reader, int passes)
{
    if (png_get_rowbytes(reader->codec, reader->info) != image_stride(reader->out))
        png_error(reader->codec, "unexpected row format");
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < reader->out->height; y++)
            png_read_row(reader->codec, image_at(reader->out, 0, y), NULL);
    }
}

/* Everything that may leave by longjmp(). All that outlives the jump is in *reader. */
static enum aibox_status decode(struct png_reader *reader)
{
    png_structp codec = reader->codec;
    png_infop info = reader->info;
    if (setjmp(png_jmpbuf(codec)) != 0)
        return reader->status;
    set_limits(codec);
    png_set_read_fn(codec, reader, read_bytes);
    png_read_info(codec, info);
    png_uint_32 width = png_get_image_width(codec, info);
    png_uint_32 height = png_get_image_height(codec, info);
    set_transformations(codec, info);
    int passes = png_set_interlace_handling(codec);
    png_read_update_info(codec, info);
    enum aibox_status status = image_allocate((int)width, (int)height, reader->out, reader->err);
    if (status != AIBOX_OK)
        return status;
    read_rows(reader, passes);
    png_read_end(codec, NULL);
    return AIBOX_OK;
}

/* IHDR must be the first chunk; libpng checks everything else in it. */
static enum aibox_status check_header(const uint8_t *bytes, size_t size, struct aibox_error *err)
{
    static const uint8_t first[] = {0, 0, 0, 13, 'I', 'H', 'D', 'R'};
    if (size < SIGNATURE_SIZE + 12 + 13 || memcmp(bytes + SIGNATURE_SIZE, first, sizeof(first)) != 0)
        return error_set(err, AIBOX_IMAGE, "not a usable PNG: no header");
    const uint8_t *header = bytes + SIGNATURE_SIZE + sizeof(first);
    return image_check_size(read_length(header), read_length(header + 4), err);
}

enum aibox_status image_decode_png(const uint8_t *bytes, size_t size, struct image *out, int *orientation,
                                   struct aibox_error *err)
{
    struct png_reader reader = {.bytes = bytes, .size = size, .out = out, .err = err};
    struct png_layout layout;
    *out = (struct image){0};
    enum aibox_status status = check_header(bytes, size, err);
    if (status != AIBOX_OK)
        return status;
    walk(bytes, size, &layout);
    if (layout.animated)
        return error_set(err, AIBOX_UNSUPPORTED_IMAGE, "animated PNGs are not taken");
    if (!layout.complete)
        return error_set(err, AIBOX_IMAGE, "the PNG is truncated");

    reader.codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, fail, keep_silent);
    reader.info = reader.codec == NULL ? NULL : png_create_info_struct(reader.codec);
    if (reader.info == NULL)
        status = error_set(err, AIBOX_PROCESS_FAILED, "no memory to decode a PNG");
    else
        status = decode(&reader);
    png_destroy_read_struct(&reader.codec, &reader.info, NULL);
    if (status != AIBOX_OK) {
        image_free(out);
        return status;
    }
    *orientation = layout.orientation;
    return AIBOX_OK;
}
