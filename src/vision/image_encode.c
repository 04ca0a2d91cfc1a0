/* JPEG bytes of a picture. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

/* jpeglib.h needs stdio.h first */
#include <jerror.h>
#include <jpeglib.h>

#include "vision/image_internal.h"

#define FIRST_SIZE ((size_t)64 * 1024)

struct jpeg_writer {
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf escape;
    uint8_t *bytes;
    size_t capacity;
};

static _Noreturn void fail(j_common_ptr codec)
{
    struct jpeg_writer *writer = codec->client_data;
    longjmp(writer->escape, 1);
}

static void keep_silent(j_common_ptr codec)
{
    (void)codec;
}

static void ignore_message(j_common_ptr codec, int level)
{
    (void)codec;
    (void)level;
}

/*
 * The destination is our own because jpeg_mem_dest() leaves a dangling pointer with its caller when it fails after it
 * has grown its buffer.
 */
static boolean grow(j_compress_ptr codec)
{
    struct jpeg_writer *writer = codec->client_data;
    size_t used = writer->capacity; /* libjpeg calls when the buffer is full, and its own count is not valid then */
    size_t capacity = used == 0 ? FIRST_SIZE : used * 2;
    uint8_t *bytes = realloc(writer->bytes, capacity);
    if (bytes == NULL)
        ERREXIT1(codec, JERR_OUT_OF_MEMORY, 0);
    writer->bytes = bytes;
    writer->capacity = capacity;
    writer->destination.next_output_byte = bytes + used;
    writer->destination.free_in_buffer = capacity - used;
    return TRUE;
}

static void start(j_compress_ptr codec)
{
    grow(codec);
}

static void finish(j_compress_ptr codec)
{
    (void)codec;
}

/* Everything that may leave by longjmp(). All that outlives the jump is in *writer. */
static bool encode(struct jpeg_writer *writer, const struct image *image, int quality)
{
    struct jpeg_compress_struct *codec = &writer->codec;
    if (setjmp(writer->escape) != 0)
        return false;
    jpeg_create_compress(codec);
    codec->dest = &writer->destination;
    codec->image_width = (JDIMENSION)image->width;
    codec->image_height = (JDIMENSION)image->height;
    codec->input_components = 3;
    codec->in_color_space = JCS_RGB;
    jpeg_set_defaults(codec); /* YCbCr, 4:2:0 */
    jpeg_set_quality(codec, quality < 1 ? 1 : quality > 100 ? 100 : quality, TRUE);
    jpeg_start_compress(codec, TRUE);
    while (codec->next_scanline < codec->image_height) {
        JSAMPROW row = image_at(image, 0, (int)codec->next_scanline);
        jpeg_write_scanlines(codec, &row, 1);
    }
    jpeg_finish_compress(codec);
    return true;
}

enum aibox_status image_encode_jpeg(const struct image *image, int quality, uint8_t **bytes, size_t *size,
                                    struct aibox_error *err)
{
    struct jpeg_writer writer = {
        .destination = {.init_destination = start, .empty_output_buffer = grow, .term_destination = finish}};
    *bytes = NULL;
    *size = 0;
    enum aibox_status status = image_check_size((uint64_t)image->width, (uint64_t)image->height, err);
    if (status != AIBOX_OK)
        return status;
    writer.codec.err = jpeg_std_error(&writer.errors);
    writer.errors.error_exit = fail;
    writer.errors.emit_message = ignore_message;
    writer.errors.output_message = keep_silent;
    writer.codec.client_data = &writer;

    bool encoded = encode(&writer, image, quality);
    jpeg_destroy_compress(&writer.codec);
    if (!encoded) {
        free(writer.bytes);
        return error_set(err, AIBOX_PROCESS_FAILED, "no memory to encode a JPEG");
    }
    *bytes = writer.bytes;
    *size = writer.capacity - writer.destination.free_in_buffer;
    return AIBOX_OK;
}
