/*
 * WebP by libwebp; the RIFF chunks are walked for the EXIF block alone. Source: WebP container specification (RFC
 * 9649).
 */
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

#include "vision/image_internal.h"

static size_t read_length(const uint8_t *bytes)
{
    return (size_t)bytes[3] << 24 | (size_t)bytes[2] << 16 | (size_t)bytes[1] << 8 | bytes[0];
}

/* `size` is that of the RIFF container, from its very start. */
static int find_orientation(const uint8_t *bytes, size_t size)
{
    size_t at = 12;
    while (size - at >= 8) {
        size_t length = read_length(bytes + at + 4);
        if (length > size - at - 8)
            return 1;
        if (memcmp(bytes + at, "EXIF", 4) == 0)
            return image_exif_orientation(bytes + at + 8, length);
        at += 8 + length;
        if (length % 2 != 0 && at < size)
            at++;
    }
    return 1;
}

static enum aibox_status name_failure(VP8StatusCode code, struct aibox_error *err)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return error_set(err, AIBOX_PROCESS_FAILED, "no memory to decode a WebP");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return error_set(err, AIBOX_IMAGE, "the WebP is truncated");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return error_set(err, AIBOX_UNSUPPORTED_IMAGE, "the WebP has an unsupported feature");
    default:
        return error_set(err, AIBOX_IMAGE, "not a usable WebP");
    }
}

/* With alpha, RGBA is decoded into a buffer of four bytes a pixel, which is then flattened in place and cut. */
static enum aibox_status decode(const uint8_t *bytes, size_t size, WebPDecoderConfig *config, struct image *out,
                                struct aibox_error *err)
{
    size_t channels = config->input.has_alpha ? 4 : 3;
    size_t pixels = (size_t)config->input.width * (size_t)config->input.height;
    uint8_t *buffer = malloc(pixels * channels);
    if (buffer == NULL)
        return name_failure(VP8_STATUS_OUT_OF_MEMORY, err);
    config->output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
    config->output.is_external_memory = 1;
    config->output.u.RGBA.rgba = buffer;
    config->output.u.RGBA.stride = config->input.width * (int)channels;
    config->output.u.RGBA.size = pixels * channels;
    VP8StatusCode code = WebPDecode(bytes, size, config);
    WebPFreeDecBuffer(&config->output);
    if (code != VP8_STATUS_OK) {
        free(buffer);
        return name_failure(code, err);
    }
    if (channels == 4) {
        image_flatten(buffer, buffer, pixels);
        uint8_t *cut = realloc(buffer, pixels * 3);
        if (cut != NULL)
            buffer = cut;
    }
    *out = (struct image){.width = config->input.width, .height = config->input.height, .pixels = buffer};
    return AIBOX_OK;
}

enum aibox_status image_decode_webp(const uint8_t *bytes, size_t size, struct image *out, int *orientation,
                                    struct aibox_error *err)
{
    WebPDecoderConfig config;
    *out = (struct image){0};
    if (size < 20 || read_length(bytes + 4) > size - 8)
        return error_set(err, AIBOX_IMAGE, "the WebP is truncated");
    size = read_length(bytes + 4) + 8;
    if (size < 20 || WebPInitDecoderConfig(&config) == 0)
        return error_set(err, AIBOX_IMAGE, "not a usable WebP");
    VP8StatusCode code = WebPGetFeatures(bytes, size, &config.input);
    if (code != VP8_STATUS_OK)
        return name_failure(code, err);
    if (config.input.has_animation)
        return error_set(err, AIBOX_UNSUPPORTED_IMAGE, "animated WebPs are not taken");
    enum aibox_status status = image_check_size((uint64_t)config.input.width, (uint64_t)config.input.height, err);
    if (status != AIBOX_OK)
        return status;
    *orientation = find_orientation(bytes, size);
    return decode(bytes, size, &config, out, err);
}
