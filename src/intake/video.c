#include "intake/video.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/resolve.h"

#define LOOKUP_SLICE_MS 250 /* between two looks at `stop` while a name is looked up */
#define MAX_STREAMS     "8"
#define MIN_SIDE        16 /* px */
/* No frame, decoded or not, is larger in one piece: whoever sends one without an end gets no more memory than this. */
#define MAX_PIECE ((size_t)32 * 1024 * 1024)

/*
 * Clocks of cameras go wrong by up to this, ms per s: the lag of a stream that runs for weeks must not grow by that
 * alone.
 */
#define CLOCK_DRIFT 1
/* A timestamp that jumps by more starts the reckoning anew. */
#define CLOCK_JUMP_MS 10000

struct video {
    const _Atomic bool *stop;
    int64_t deadline_ms; /* of what libav is at */
    AVFormatContext *format;
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
    int stream; /* index */
    bool await_key;
    /* The lag: the smallest difference of arrival and timestamp, forgotten slowly. */
    bool has_clock;
    int64_t best_ms, seen_ms;
};

static const char *const texts[] = {
#define X(name, text) text,
    VIDEO_TROUBLES(X)
#undef X
};

const char *video_trouble_text(enum video_trouble trouble)
{
    return texts[trouble];
}

/* ---- what libav is given ---- */

static void say_nothing(void *ctx, int level, const char *format, va_list args)
{
    (void)ctx;
    (void)level;
    (void)format;
    (void)args;
}

static void begin_libav(void)
{
    av_log_set_callback(say_nothing);
    av_max_alloc(MAX_PIECE); /* of libav as a whole, which nobody else here uses */
    (void)avformat_network_init();
}

/* libav asks every few hundred ms while it waits. */
static int is_over(void *ctx)
{
    const struct video *video = ctx;
    return atomic_load(video->stop) || clock_monotonic_ms() >= video->deadline_ms;
}

static bool has_scheme(const char *url, const char *scheme)
{
    return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

/* What a URL may lead to: nothing but the network, whatever the camera redirects to. */
static bool set_limits(AVDictionary **options, const struct video_options *how, bool *rtsp)
{
    *rtsp = has_scheme(how->url, "rtsp://") || has_scheme(how->url, "rtsps://");
    if (!*rtsp && !has_scheme(how->url, "http://") && !has_scheme(how->url, "https://"))
        return false;
    (void)av_dict_set(options, "protocol_whitelist", *rtsp ? "tcp,udp,rtp,tls" : "http,https,tcp,tls", 0);
    (void)av_dict_set(options, "format_whitelist", *rtsp ? "rtsp" : "mpjpeg,mjpeg", 0);
    (void)av_dict_set(options, "codec_whitelist", "h264,hevc,mjpeg", 0);
    (void)av_dict_set(options, "max_streams", MAX_STREAMS, 0);
    (void)av_dict_set(options, "fflags", "nobuffer", 0);
    if (*rtsp) {
        (void)av_dict_set(options, "rtsp_transport", how->udp ? "udp" : "tcp", 0);
        (void)av_dict_set(options, "allowed_media_types", "video", 0);
    } else {
        (void)av_dict_set(options, "max_redirects", "2", 0);
        (void)av_dict_set(options, "probesize", "65536", 0);
    }
    return true;
}

static enum video_trouble trouble_of(const struct video *video, int error, enum video_trouble in_time)
{
    if (atomic_load(video->stop))
        return VIDEO_STOPPED;
    switch (error) {
    case AVERROR_EXIT:
    case AVERROR(ETIMEDOUT):
    case AVERROR(EAGAIN):
        return in_time;
    case AVERROR_HTTP_UNAUTHORIZED:
        return VIDEO_UNAUTHORIZED;
    case AVERROR_HTTP_FORBIDDEN:
        return VIDEO_FORBIDDEN;
    case AVERROR_HTTP_NOT_FOUND:
    case AVERROR_STREAM_NOT_FOUND:
        return VIDEO_NOT_FOUND;
    case AVERROR_HTTP_OTHER_4XX:
    case AVERROR_PROTOCOL_NOT_FOUND:
    case AVERROR(EPROTONOSUPPORT):
        return VIDEO_TRANSPORT;
    case AVERROR(ECONNREFUSED):
        return VIDEO_REFUSED;
    case AVERROR(EHOSTUNREACH):
    case AVERROR(ENETUNREACH):
    case AVERROR(EADDRNOTAVAIL):
        return VIDEO_UNREACHABLE;
    case AVERROR(ENOMEM):
        return VIDEO_MEMORY;
    case AVERROR_EOF:
    case AVERROR(ECONNRESET):
    case AVERROR(EPIPE):
        return VIDEO_ENDED;
    default: /* libav doesn't always say that it was interrupted */
        return clock_monotonic_ms() >= video->deadline_ms ? in_time : VIDEO_PROTOCOL;
    }
}

/* ---- connecting ---- */

/* libav looks names up in a call that can't be ended: it is only let at names that a quick look-up knows. */
static enum video_trouble look_up(const struct video_options *how)
{
    struct resolver resolver = {0};
    struct address_list addresses;
    enum aibox_status status = AIBOX_REMOTE_FAILED;
    while (status != AIBOX_OK && !atomic_load(how->stop)) {
        int64_t now_ms = clock_monotonic_ms();
        if (now_ms >= how->deadline_ms)
            break;
        int64_t until_ms = now_ms + LOOKUP_SLICE_MS;
        status = resolver_find(&resolver, how->host, 0, until_ms, &addresses, NULL);
        if (status != AIBOX_OK && clock_monotonic_ms() < until_ms && resolver.under_way == NULL)
            break; /* an answer: there is none */
    }
    resolver_leave(&resolver);
    if (atomic_load(how->stop))
        return VIDEO_STOPPED;
    return status == AIBOX_OK ? VIDEO_OK : VIDEO_HOST;
}

static enum video_trouble open_format(struct video *video, const struct video_options *how)
{
    AVDictionary *options = NULL;
    bool rtsp;
    if (!set_limits(&options, how, &rtsp))
        return VIDEO_URL;
    video->format = avformat_alloc_context();
    if (video->format == NULL) {
        av_dict_free(&options);
        return VIDEO_MEMORY;
    }
    video->format->interrupt_callback = (AVIOInterruptCB){.callback = is_over, .opaque = video};
    /* Frees the context when it fails. */
    int error = avformat_open_input(&video->format, how->url, rtsp ? av_find_input_format("rtsp") : NULL, &options);
    av_dict_free(&options);
    return error == 0 ? VIDEO_OK : trouble_of(video, error, VIDEO_TIMEOUT);
}

static enum video_trouble open_codec(struct video *video)
{
    video->stream = -1;
    for (unsigned i = 0; i < video->format->nb_streams; i++) {
        AVStream *stream = video->format->streams[i];
        if (video->stream < 0 && stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO)
            video->stream = (int)i;
        else
            stream->discard = AVDISCARD_ALL;
    }
    if (video->stream < 0)
        return VIDEO_NO_VIDEO;
    const AVCodecParameters *parameters = video->format->streams[video->stream]->codecpar;
    if (parameters->codec_id != AV_CODEC_ID_H264 && parameters->codec_id != AV_CODEC_ID_HEVC &&
        parameters->codec_id != AV_CODEC_ID_MJPEG)
        return VIDEO_CODEC;
    const AVCodec *codec = avcodec_find_decoder(parameters->codec_id);
    if (codec == NULL)
        return VIDEO_CODEC;
    video->codec = avcodec_alloc_context3(codec);
    if (video->codec == NULL || avcodec_parameters_to_context(video->codec, parameters) < 0)
        return VIDEO_MEMORY;
    /* More threads would decode sooner, and hold a frame more each. */
    video->codec->thread_count = 1;
    video->codec->flags |= AV_CODEC_FLAG_LOW_DELAY;
    video->codec->max_pixels = VIDEO_MAX_PIXELS;
    return avcodec_open2(video->codec, codec, NULL) == 0 ? VIDEO_OK : VIDEO_BROKEN;
}

enum video_trouble video_open(const struct video_options *options, struct video **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin_libav);
    *out = NULL;
    struct video *video = calloc(1, sizeof *video);
    if (video == NULL)
        return VIDEO_MEMORY;
    video->stop = options->stop;
    video->deadline_ms = options->deadline_ms;
    video->await_key = true;
    video->packet = av_packet_alloc();
    video->frame = av_frame_alloc();
    enum video_trouble trouble = video->packet == NULL || video->frame == NULL ? VIDEO_MEMORY : look_up(options);
    if (trouble == VIDEO_OK)
        trouble = open_format(video, options);
    if (trouble == VIDEO_OK)
        trouble = open_codec(video);
    if (trouble != VIDEO_OK) {
        video_close(video);
        return trouble;
    }
    *out = video;
    return VIDEO_OK;
}

void video_close(struct video *video)
{
    if (video == NULL)
        return;
    /* The farewell of RTSP doesn't wait for an answer, but for room to write to a dead camera. */
    video->deadline_ms = clock_monotonic_ms() + 200;
    avcodec_free_context(&video->codec);
    avformat_close_input(&video->format);
    av_packet_free(&video->packet);
    av_frame_free(&video->frame);
    free(video);
}

/* ---- frames ---- */

/* How far the stream is behind its best; timestamps that jump start anew. */
static int64_t reckon_lag(struct video *video, int64_t pts)
{
    if (pts == AV_NOPTS_VALUE)
        return 0;
    AVRational base = video->format->streams[video->stream]->time_base;
    int64_t now_ms = clock_monotonic_ms();
    int64_t offset_ms = now_ms - av_rescale_q(pts, base, (AVRational){1, 1000});
    if (!video->has_clock || offset_ms - video->best_ms > CLOCK_JUMP_MS || video->best_ms - offset_ms > CLOCK_JUMP_MS) {
        video->has_clock = true;
        video->best_ms = offset_ms;
        video->seen_ms = now_ms;
    }
    while (now_ms - video->seen_ms >= 1000) {
        video->best_ms += CLOCK_DRIFT;
        video->seen_ms += 1000;
    }
    if (offset_ms < video->best_ms)
        video->best_ms = offset_ms;
    return offset_ms - video->best_ms;
}

static bool is_whole(const AVFrame *frame)
{
    return frame->decode_error_flags == 0 && (frame->flags & AV_FRAME_FLAG_CORRUPT) == 0 && frame->width >= MIN_SIDE &&
           frame->height >= MIN_SIDE && (int64_t)frame->width * frame->height <= VIDEO_MAX_PIXELS;
}

/* One packet of the video to the decoder, or left out. */
static enum video_trouble feed_decoder(struct video *video, enum video_effort effort, int64_t deadline_ms,
                                       unsigned *skipped, int64_t *lag_ms)
{
    video->deadline_ms = deadline_ms;
    int error = av_read_frame(video->format, video->packet);
    if (error < 0)
        return trouble_of(video, error, VIDEO_SILENT);
    if (video->packet->stream_index == video->stream) {
        bool key = (video->packet->flags & AV_PKT_FLAG_KEY) != 0;
        *lag_ms = reckon_lag(video, video->packet->pts != AV_NOPTS_VALUE ? video->packet->pts : video->packet->dts);
        if (effort == VIDEO_KEYS && !key)
            video->await_key = true;
        else if (key)
            video->await_key = false;
        if (video->await_key) {
            (*skipped)++;
        } else {
            video->codec->skip_frame = effort == VIDEO_REFERENCES ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
            /* What it can't decode the decoder leaves out; a stream of nothing else ends at the deadline. */
            (void)avcodec_send_packet(video->codec, video->packet);
        }
    }
    av_packet_unref(video->packet);
    return VIDEO_OK;
}

enum video_trouble video_next(struct video *video, enum video_effort effort, int64_t deadline_ms,
                              const struct AVFrame **frame, unsigned *skipped, int64_t *lag_ms)
{
    bool fed = false;
    *skipped = 0;
    *lag_ms = 0;
    for (;;) {
        int error = avcodec_receive_frame(video->codec, video->frame);
        if (error == 0 && is_whole(video->frame)) {
            *frame = video->frame;
            return VIDEO_OK;
        }
        if (error == AVERROR(ENOMEM))
            return VIDEO_MEMORY;
        if (clock_monotonic_ms() >= deadline_ms)
            return fed ? VIDEO_BROKEN : VIDEO_SILENT;
        if (error == 0)
            continue;
        enum video_trouble trouble = feed_decoder(video, effort, deadline_ms, skipped, lag_ms);
        if (trouble != VIDEO_OK)
            return trouble == VIDEO_SILENT && fed ? VIDEO_BROKEN : trouble;
        fed = true;
    }
}

void video_describe(const struct video *video, char *out, size_t size)
{
    if (video->codec->width > 0)
        (void)snprintf(out, size, "%s %dx%d", avcodec_get_name(video->codec->codec_id), video->codec->width,
                       video->codec->height);
    else
        out[0] = '\0';
}
