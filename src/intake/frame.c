#include "intake/frame.h"

#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdlib.h>

#define HD_HEIGHT 720 /* from here on colours are BT.709 where the stream doesn't say */

void frame_scaler_free(struct frame_scaler *scaler)
{
    sws_freeContext(scaler->sws);
    scaler->sws = NULL;
}

/* The formats "of JPEG" are the plain ones with the full range of values. */
static enum AVPixelFormat plain_format(const AVFrame *frame, bool *full_range)
{
    *full_range = frame->color_range == AVCOL_RANGE_JPEG;
    switch (frame->format) {
    case AV_PIX_FMT_YUVJ420P:
        *full_range = true;
        return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
        *full_range = true;
        return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
        *full_range = true;
        return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
        *full_range = true;
        return AV_PIX_FMT_YUV440P;
    default:
        return frame->format;
    }
}

static int colours_of(const AVFrame *frame)
{
    switch (frame->colorspace) {
    case AVCOL_SPC_BT709:
        return SWS_CS_ITU709;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
        return SWS_CS_ITU601;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return SWS_CS_BT2020;
    default:
        return frame->height >= HD_HEIGHT && frame->color_range != AVCOL_RANGE_JPEG ? SWS_CS_ITU709 : SWS_CS_ITU601;
    }
}

static void fit(int width, int height, int max_width, int max_height, int *out_width, int *out_height)
{
    *out_width = width;
    *out_height = height;
    if (*out_width > max_width) {
        *out_height = (int)((int64_t)height * max_width / width);
        *out_width = max_width;
    }
    if (*out_height > max_height) {
        *out_width = (int)((int64_t)width * max_height / height);
        *out_height = max_height;
    }
    *out_width = *out_width > 0 ? *out_width : 1;
    *out_height = *out_height > 0 ? *out_height : 1;
}

/* The vector code of libswscale may write a little beyond the last row. */
#define SLACK 64

static enum aibox_status make_room(int width, int height, struct image *out, struct aibox_error *err)
{
    if (out->pixels != NULL && out->width == width && out->height == height)
        return AIBOX_OK;
    image_free(out);
    out->pixels = malloc((size_t)width * (size_t)height * 3 + SLACK);
    if (out->pixels == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    out->width = width;
    out->height = height;
    return AIBOX_OK;
}

enum aibox_status frame_to_image(struct frame_scaler *scaler, const struct AVFrame *frame, int max_width,
                                 int max_height, struct image *out, struct aibox_error *err)
{
    bool full_range;
    int width, height;
    enum AVPixelFormat format = plain_format(frame, &full_range);
    if (format == AV_PIX_FMT_NONE || !sws_isSupportedInput(format))
        return error_set(err, AIBOX_IMAGE, "a pixel format that can't be converted");
    fit(frame->width, frame->height, max_width, max_height, &width, &height);
    enum aibox_status status = make_room(width, height, out, err);
    if (status != AIBOX_OK)
        return status;
    scaler->sws = sws_getCachedContext(scaler->sws, frame->width, frame->height, format, width, height,
                                       AV_PIX_FMT_RGB24, SWS_AREA, NULL, NULL, NULL);
    if (scaler->sws == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    (void)sws_setColorspaceDetails(scaler->sws, sws_getCoefficients(colours_of(frame)), full_range,
                                   sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    uint8_t *rows[4] = {out->pixels};
    const int strides[4] = {3 * width};
    int done =
        sws_scale(scaler->sws, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height, rows, strides);
    return done == height ? AIBOX_OK : error_set(err, AIBOX_IMAGE, "the frame can't be converted");
}

enum aibox_status frame_to_jpeg(const struct AVFrame *frame, int max_width, int quality, uint8_t **jpeg, size_t *size,
                                struct aibox_error *err)
{
    struct frame_scaler scaler = {0};
    struct image image = {0};
    enum aibox_status status = frame_to_image(&scaler, frame, max_width, frame->height, &image, err);
    if (status == AIBOX_OK)
        status = image_encode_jpeg(&image, quality, jpeg, size, err);
    image_free(&image);
    frame_scaler_free(&scaler);
    return status;
}
