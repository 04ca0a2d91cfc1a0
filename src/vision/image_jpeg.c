/*
 * JPEG by libjpeg-turbo's libjpeg interface and not by its TurboJPEG one, because only the former tells which warning
 * it gives (the latter keeps the first text alone, behind which the one that matters can hide), hands out rows (a CMYK
 * picture needs no second full-size buffer), knows whether an Adobe marker was there, and takes a limit of memory.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

/* jpeglib.h needs stdio.h first */
#include <jerror.h>
#include <jpeglib.h>

#include "vision/image_internal.h"

/* Real progressive files have about 10 scans (libjpeg's own script: 10, and 18 with four components). */
#define MAX_SCANS 100
/* And as decoding time is scans × pixels: as much as 20 scans of the largest picture. */
#define MAX_SCANNED_PIXELS (20ull * IMAGE_MAX_PIXELS)
/* Coefficients of a progressive picture are kept for the whole of it: 300 MB at 50 megapixels without subsampling. */
#define MAX_MEMORY (320l * 1000 * 1000)

struct jpeg_reader {
    struct jpeg_decompress_struct codec;
    struct jpeg_error_mgr errors;
    jmp_buf escape;
    struct image_jpeg_layout layout;
    int min_side;
    int reduction;
    struct image *out;
    enum aibox_status status;
    struct aibox_error *err;
};

/* Leaves libjpeg; the message is in the reader's error. */
static _Noreturn void escape(struct jpeg_reader *reader, enum aibox_status status)
{
    reader->status = status;
    longjmp(reader->escape, 1);
}

static _Noreturn void fail(j_common_ptr codec)
{
    struct jpeg_reader *reader = codec->client_data;
    char text[JMSG_LENGTH_MAX];
    enum aibox_status status;
    codec->err->format_message(codec, text);
    switch (codec->err->msg_code) {
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
        status = AIBOX_UNSUPPORTED_IMAGE;
        break;
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
    case JERR_NO_BACKING_STORE: /* MAX_MEMORY */
        status = AIBOX_IMAGE_TOO_LARGE;
        break;
    case JERR_OUT_OF_MEMORY:
        status = AIBOX_PROCESS_FAILED;
        break;
    default:
        status = AIBOX_IMAGE;
    }
    escape(reader, error_set(reader->err, status, "not a usable JPEG: %s", text));
}

/*
 * level < 0: a warning. What leaves the pixels whole is let pass, since cameras do write such files; all others mean
 * that a part of the picture is missing or garbage.
 */
static void judge_message(j_common_ptr codec, int level)
{
    if (level >= 0)
        return;
    switch (codec->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA: /* padding between segments, or after a scan's last block */
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL: /* a baseline scan's unused progressive parameters */
        codec->err->num_warnings++;
        return;
    default:
        fail(codec);
    }
}

static void keep_silent(j_common_ptr codec)
{
    (void)codec;
}

/* The largest reduction that leaves both sides >= min_side. libjpeg rounds the sides up. */
static int choose_reduction(int width, int height, int min_side)
{
    if (min_side <= 0)
        return 1;
    int side = width < height ? width : height;
    for (int reduction = 8; reduction > 1; reduction /= 2) {
        if ((side + reduction - 1) / reduction >= min_side)
            return reduction;
    }
    return 1;
}

/* Size, coding and cost, all before the first pixel. */
static void check_header(struct jpeg_reader *reader)
{
    const struct jpeg_decompress_struct *codec = &reader->codec;
    enum aibox_status status = image_check_size(codec->image_width, codec->image_height, reader->err);
    if (status != AIBOX_OK)
        escape(reader, status);
    if (codec->arith_code)
        escape(reader, error_set(reader->err, AIBOX_UNSUPPORTED_IMAGE, "arithmetic-coded JPEGs are not taken"));
    uint64_t pixels = (uint64_t)codec->image_width * codec->image_height;
    if (reader->layout.scans > MAX_SCANS || pixels * (uint64_t)reader->layout.scans > MAX_SCANNED_PIXELS)
        escape(reader, error_set(reader->err, AIBOX_IMAGE, "the JPEG has too many scans (%d)", reader->layout.scans));
}

/* Adobe's programs store CMYK inverted (255: no ink) and say so by their marker; see libjpeg.txt, "CMYK". */
static void convert_cmyk(const uint8_t *cmyk, uint8_t *rgb, int width, bool inverted)
{
    uint8_t flip = inverted ? 0 : 255;
    for (int x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        unsigned light = cmyk[3] ^ flip;
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(((unsigned)(cmyk[c] ^ flip) * light + 127u) / 255u);
    }
}

static void read_rows(struct jpeg_reader *reader)
{
    struct jpeg_decompress_struct *codec = &reader->codec;
    bool cmyk = codec->out_color_space == JCS_CMYK;
    JSAMPARRAY ink = NULL;
    if (cmyk)
        ink = codec->mem->alloc_sarray((j_common_ptr)codec, JPOOL_IMAGE, codec->output_width * 4, 1);
    while (codec->output_scanline < codec->output_height) {
        JSAMPROW row = image_at(reader->out, 0, (int)codec->output_scanline);
        jpeg_read_scanlines(codec, cmyk ? ink : &row, 1);
        if (cmyk)
            convert_cmyk(ink[0], row, reader->out->width, codec->saw_Adobe_marker);
    }
}

/* Everything that may leave by longjmp(). All that outlives the jump is in *reader. */
static enum aibox_status decode(struct jpeg_reader *reader, const uint8_t *bytes, size_t size)
{
    struct jpeg_decompress_struct *codec = &reader->codec;
    if (setjmp(reader->escape) != 0)
        return reader->status;
    jpeg_create_decompress(codec);
    codec->mem->max_memory_to_use = MAX_MEMORY;
    jpeg_mem_src(codec, bytes, (unsigned long)size);
    jpeg_read_header(codec, TRUE);
    check_header(reader);

    reader->reduction = choose_reduction((int)codec->image_width, (int)codec->image_height, reader->min_side);
    codec->scale_num = 1;
    codec->scale_denom = (unsigned)reader->reduction;
    codec->dct_method = JDCT_ISLOW;
    codec->do_block_smoothing = FALSE; /* for scans that are still to come, of which there are none here */
    bool four_inks = codec->jpeg_color_space == JCS_CMYK || codec->jpeg_color_space == JCS_YCCK;
    codec->out_color_space = four_inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(codec);
    enum aibox_status status =
        image_allocate((int)codec->output_width, (int)codec->output_height, reader->out, reader->err);
    if (status != AIBOX_OK)
        return status;
    read_rows(reader);
    jpeg_finish_decompress(codec);
    return AIBOX_OK;
}

enum aibox_status image_decode_jpeg(const uint8_t *bytes, size_t size, int min_side, struct image *out, int *scale,
                                    int *orientation, struct aibox_error *err)
{
    struct jpeg_reader reader = {.min_side = min_side, .reduction = 1, .out = out, .err = err};
    *out = (struct image){0};
    image_jpeg_walk(bytes, size, &reader.layout);
    if (!reader.layout.complete)
        return error_set(err, AIBOX_IMAGE, "the JPEG is truncated");
    reader.codec.err = jpeg_std_error(&reader.errors);
    reader.errors.error_exit = fail;
    reader.errors.emit_message = judge_message;
    reader.errors.output_message = keep_silent;
    reader.codec.client_data = &reader;

    enum aibox_status status = decode(&reader, bytes, size);
    jpeg_destroy_decompress(&reader.codec);
    if (status != AIBOX_OK) {
        image_free(out);
        return status;
    }
    *scale = reader.reduction;
    *orientation = reader.layout.orientation;
    return AIBOX_OK;
}
