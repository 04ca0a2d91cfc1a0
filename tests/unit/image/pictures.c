#include "pictures.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>
#include <zlib.h>

/* jpeglib.h needs stdio.h first */
#include <jpeglib.h>

static void need(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "test pictures: %s failed\n", what);
    exit(2);
}

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    bytes_insert(bytes, bytes->size, data, size);
}

void bytes_insert(struct bytes *bytes, size_t at, const void *data, size_t size)
{
    uint8_t *grown = realloc(bytes->data, bytes->size + size + 1);
    need(grown != NULL && at <= bytes->size, "insertion");
    memmove(grown + at + size, grown + at, bytes->size - at);
    if (size > 0)
        memcpy(grown + at, data, size);
    bytes->data = grown;
    bytes->size += size;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

uint8_t noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint8_t)(*state >> 24);
}

static struct image make(int width, int height)
{
    struct image image;
    need(image_new(width, height, &image, NULL) == AIBOX_OK, "image_new");
    return image;
}

struct image picture_smooth(int width, int height)
{
    struct image image = make(width, height);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            for (int c = 0; c < 3; c++)
                image.pixels[(y * width + x) * 3 + c] =
                    (uint8_t)lround(128 + 90 * sin(0.02 * x * (c + 1) + c) * cos(0.03 * y + 0.5 * c));
        }
    }
    return image;
}

struct image picture_noise(int width, int height, uint32_t seed)
{
    struct image image = make(width, height);
    for (int i = 0; i < width * height * 3; i++)
        image.pixels[i] = noise(&seed);
    return image;
}

double picture_mean_difference(const struct image *a, const struct image *b)
{
    need(a->width == b->width && a->height == b->height, "comparison of pictures of the same size");
    double sum = 0;
    int count = a->width * a->height * 3;
    for (int i = 0; i < count; i++)
        sum += abs(a->pixels[i] - b->pixels[i]);
    return sum / count;
}

struct image picture_stored(const struct image *upright, int orientation)
{
    int w = upright->width;
    int h = upright->height;
    bool turned = orientation >= 5;
    struct image stored = make(turned ? h : w, turned ? w : h);
    for (int r = 0; r < stored.height; r++) {
        for (int c = 0; c < stored.width; c++) {
            const int x[9] = {0, c, w - 1 - c, w - 1 - c, c, r, w - 1 - r, w - 1 - r, r};
            const int y[9] = {0, r, r, h - 1 - r, h - 1 - r, c, c, h - 1 - c, h - 1 - c};
            memcpy(stored.pixels + (r * stored.width + c) * 3,
                   upright->pixels + (y[orientation] * w + x[orientation]) * 3, 3);
        }
    }
    return stored;
}

static void add_uint(struct bytes *bytes, uint64_t value, int count, bool big_endian)
{
    for (int i = 0; i < count; i++) {
        int shift = 8 * (big_endian ? count - 1 - i : i);
        uint8_t byte = (uint8_t)(value >> shift);
        bytes_add(bytes, &byte, 1);
    }
}

struct bytes exif_block(int orientation, bool big_endian)
{
    struct bytes block = {0};
    const uint32_t entries[3][4] = {
        {0x0100, 4, 1, 1}, {0x0112, 3, 1, (uint32_t)orientation}, {0x0128, 3, 1, 2}}; /* tag, type, count, value */
    bytes_add(&block, big_endian ? "MM" : "II", 2);
    add_uint(&block, 42, 2, big_endian);
    add_uint(&block, 8, 4, big_endian);
    add_uint(&block, 3, 2, big_endian);
    for (int i = 0; i < 3; i++) {
        int size = entries[i][1] == 3 ? 2 : 4;
        add_uint(&block, entries[i][0], 2, big_endian);
        add_uint(&block, entries[i][1], 2, big_endian);
        add_uint(&block, entries[i][2], 4, big_endian);
        add_uint(&block, entries[i][3], size, big_endian);
        add_uint(&block, 0, 4 - size, big_endian);
    }
    add_uint(&block, 0, 4, big_endian);
    return block;
}

void ink_of(const uint8_t rgb[3], uint8_t cmyk[4])
{
    int light = rgb[0] > rgb[1] ? rgb[0] : rgb[1];
    light = rgb[2] > light ? rgb[2] : light;
    for (int c = 0; c < 3; c++)
        cmyk[c] = (uint8_t)(light == 0 ? 0 : 255 - (rgb[c] * 255 + light / 2) / light);
    cmyk[3] = (uint8_t)(255 - light);
}

static void write_jpeg_rows(struct jpeg_compress_struct *codec, const struct image *image, bool inverted)
{
    uint8_t *ink = malloc((size_t)image->width * 4);
    need(ink != NULL, "malloc");
    while (codec->next_scanline < codec->image_height) {
        uint8_t *rgb = image->pixels + (size_t)codec->next_scanline * (size_t)image->width * 3;
        JSAMPROW row = rgb;
        if (codec->in_color_space == JCS_CMYK) {
            for (int x = 0; x < image->width; x++) {
                ink_of(rgb + x * 3, ink + x * 4);
                for (int c = 0; c < 4 && inverted; c++)
                    ink[x * 4 + c] = (uint8_t)(255 - ink[x * 4 + c]);
            }
            row = ink;
        }
        jpeg_write_scanlines(codec, &row, 1);
    }
    free(ink);
}

struct bytes jpeg_file(const struct image *image, const struct jpeg_options *options)
{
    static const J_COLOR_SPACE spaces[] = {[JPEG_YCBCR] = JCS_YCbCr,
                                           [JPEG_RGB] = JCS_RGB,
                                           [JPEG_GREY] = JCS_GRAYSCALE,
                                           [JPEG_CMYK] = JCS_CMYK,
                                           [JPEG_YCCK] = JCS_YCCK};
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    unsigned char *written = NULL;
    unsigned long size = 0;
    bool inks = options->space == JPEG_CMYK || options->space == JPEG_YCCK;
    codec.err = jpeg_std_error(&errors);
    jpeg_create_compress(&codec);
    jpeg_mem_dest(&codec, &written, &size);
    codec.image_width = (JDIMENSION)image->width;
    codec.image_height = (JDIMENSION)image->height;
    codec.input_components = inks ? 4 : 3;
    codec.in_color_space = inks ? JCS_CMYK : JCS_RGB;
    jpeg_set_defaults(&codec);
    jpeg_set_colorspace(&codec, spaces[options->space]);
    jpeg_set_quality(&codec, 95, TRUE);
    codec.restart_interval = options->restart_interval;
    if (inks && options->without_adobe)
        codec.write_Adobe_marker = FALSE;
    if (options->full_chroma)
        codec.comp_info[0].h_samp_factor = codec.comp_info[0].v_samp_factor = 1;
    if (options->progressive)
        jpeg_simple_progression(&codec);
    jpeg_start_compress(&codec, TRUE);
    if (options->exif != NULL) {
        struct bytes segment = {0};
        bytes_add(&segment, "Exif\0\0", 6);
        bytes_add(&segment, options->exif->data, options->exif->size);
        jpeg_write_marker(&codec, JPEG_APP0 + 1, segment.data, (unsigned)segment.size);
        bytes_free(&segment);
    }
    write_jpeg_rows(&codec, image, !options->without_adobe);
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    return (struct bytes){.data = written, .size = size};
}

static void append(png_structp codec, png_bytep data, size_t size)
{
    bytes_add(png_get_io_ptr(codec), data, size);
}

static void flush(png_structp codec)
{
    (void)codec;
}

void png_add_chunk(struct bytes *file, const char type[4], const void *data, size_t size)
{
    size_t start = file->size + 4;
    add_uint(file, (uint32_t)size, 4, true);
    bytes_add(file, type, 4);
    bytes_add(file, data, size);
    add_uint(file, (uint32_t)crc32(0, file->data + start, (uInt)(size + 4)), 4, true);
}

/* After IHDR, which ends at byte 33. */
static void insert_chunk(struct bytes *file, const char type[4], const void *data, size_t size)
{
    struct bytes chunk = {0};
    png_add_chunk(&chunk, type, data, size);
    bytes_insert(file, 33, chunk.data, chunk.size);
    bytes_free(&chunk);
}

static void insert_large_text(struct bytes *file)
{
    uLong size = 4u << 20;
    uLong packed_size = compressBound(size);
    uint8_t *text = calloc(size, 1);
    uint8_t *packed = malloc(packed_size + 6);
    need(text != NULL && packed != NULL, "malloc");
    memset(text, 'a', size);
    memcpy(packed, "text\0", 6); /* keyword, its end, compression method 0 */
    need(compress2(packed + 6, &packed_size, text, size, 9) == Z_OK, "compress2");
    insert_chunk(file, "zTXt", packed, packed_size + 6);
    free(text);
    free(packed);
}

struct bytes png_file(int width, int height, const uint8_t *rows, size_t row_bytes, const struct png_options *options)
{
    struct bytes file = {0};
    png_structp codec = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(codec);
    need(codec != NULL && info != NULL, "png_create_write_struct");
    if (setjmp(png_jmpbuf(codec)) != 0)
        need(false, "libpng");
    png_set_write_fn(codec, &file, append, flush);
    png_set_IHDR(codec, info, (png_uint_32)width, (png_uint_32)height, options->bit_depth, options->color_type,
                 options->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (options->palette != NULL) {
        png_color colors[256];
        for (int i = 0; i < options->palette_size; i++)
            colors[i] = (png_color){options->palette[3 * i], options->palette[3 * i + 1], options->palette[3 * i + 2]};
        png_set_PLTE(codec, info, colors, options->palette_size);
    }
    if (options->palette_alpha != NULL)
        png_set_tRNS(codec, info, options->palette_alpha, options->palette_alpha_size, NULL);
    if (options->transparent_grey > 0) {
        png_color_16 grey = {.gray = (png_uint_16)(options->transparent_grey - 1)};
        png_set_tRNS(codec, info, NULL, 0, &grey);
    }
    png_write_info(codec, info);
    int passes = png_set_interlace_handling(codec);
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < height; y++)
            png_write_row(codec, rows + (size_t)y * row_bytes);
    }
    png_write_end(codec, NULL);
    png_destroy_write_struct(&codec, &info);
    if (options->exif != NULL)
        insert_chunk(&file, "eXIf", options->exif->data, options->exif->size);
    if (options->animated)
        insert_chunk(&file, "acTL", "\0\0\0\2\0\0\0\0", 8);
    if (options->text)
        insert_large_text(&file);
    return file;
}

struct bytes webp_file(int width, int height, const uint8_t *rgba, bool lossless)
{
    uint8_t *written = NULL;
    size_t size = lossless ? WebPEncodeLosslessRGBA(rgba, width, height, width * 4, &written)
                           : WebPEncodeRGBA(rgba, width, height, width * 4, 95, &written);
    need(size > 0, "libwebp");
    struct bytes file = {0};
    bytes_add(&file, written, size);
    WebPFree(written);
    return file;
}

static void add_riff_chunk(struct bytes *file, const char type[4], const void *data, size_t size)
{
    bytes_add(file, type, 4);
    add_uint(file, (uint32_t)size, 4, false);
    bytes_add(file, data, size);
    if (size % 2 != 0)
        bytes_add(file, "", 1);
}

static struct bytes start_extended(int width, int height, uint8_t flags)
{
    struct bytes file = {0};
    struct bytes header = {0};
    bytes_add(&header, &flags, 1);
    add_uint(&header, 0, 3, false);
    add_uint(&header, (uint32_t)(width - 1), 3, false);
    add_uint(&header, (uint32_t)(height - 1), 3, false);
    bytes_add(&file, "RIFF\0\0\0\0WEBP", 12);
    add_riff_chunk(&file, "VP8X", header.data, header.size);
    bytes_free(&header);
    return file;
}

static void finish_riff(struct bytes *file)
{
    for (int i = 0; i < 4; i++)
        file->data[4 + i] = (uint8_t)((file->size - 8) >> (8 * i));
}

struct bytes webp_extended(int width, int height, const struct bytes *plain, const struct bytes *exif, bool alpha)
{
    struct bytes file = start_extended(width, height, (uint8_t)(0x08 | (alpha ? 0x10 : 0)));
    bytes_add(&file, plain->data + 12, plain->size - 12);
    add_riff_chunk(&file, "EXIF", exif->data, exif->size);
    finish_riff(&file);
    return file;
}

struct bytes webp_animation(int width, int height, const struct bytes *plain)
{
    struct bytes file = start_extended(width, height, 0x02);
    struct bytes frame = {0};
    add_riff_chunk(&file, "ANIM", "\0\0\0\0\0\0", 6);
    add_uint(&frame, 0, 6, false);
    add_uint(&frame, (uint32_t)(width - 1), 3, false);
    add_uint(&frame, (uint32_t)(height - 1), 3, false);
    add_uint(&frame, 100, 4, false); /* duration and flags */
    bytes_add(&frame, plain->data + 12, plain->size - 12);
    add_riff_chunk(&file, "ANMF", frame.data, frame.size);
    finish_riff(&file);
    bytes_free(&frame);
    return file;
}
