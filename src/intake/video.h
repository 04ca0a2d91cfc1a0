/*
 * One video connection: RTSP (H.264, H.265, JPEG) or JPEG over HTTP, to decoded frames. Everything that comes from the
 * network is limited: protocols, containers, codecs, dimensions, and the time anything may take. libav's own messages,
 * which hold URLs, are silenced.
 *
 * A struct video belongs to one thread at a time. Private to the room.
 */
#ifndef AIBOX_INTAKE_VIDEO_H
#define AIBOX_INTAKE_VIDEO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct AVFrame;
struct video;

/* Longest silence of a camera that is connected, and longest time without a frame that can be decoded. */
#define VIDEO_SILENCE_MS 10000
/* Frames of more pixels are refused before they are decoded (a little more than 4K). */
#define VIDEO_MAX_PIXELS (4096 * 2304)

/* X(name, what is wrong) */
#define VIDEO_TROUBLES(X)                                                                                              \
    X(VIDEO_OK, "no error")                                                                                            \
    X(VIDEO_STOPPED, "stopped")                                                                                        \
    X(VIDEO_URL, "the URL can't be used")                                                                              \
    X(VIDEO_HOST, "the host name is unknown")                                                                          \
    X(VIDEO_REFUSED, "the connection was refused")                                                                     \
    X(VIDEO_UNREACHABLE, "the address can't be reached")                                                               \
    X(VIDEO_UNAUTHORIZED, "the camera does not accept user and password (401)")                                        \
    X(VIDEO_FORBIDDEN, "the camera forbids it (403)")                                                                  \
    X(VIDEO_NOT_FOUND, "the camera knows no such path (404)")                                                          \
    X(VIDEO_TRANSPORT, "the camera offers no transport that can be used")                                              \
    X(VIDEO_PROTOCOL, "what answers does not speak the protocol")                                                      \
    X(VIDEO_NO_VIDEO, "the stream has no video")                                                                       \
    X(VIDEO_CODEC, "the video is neither H.264 nor H.265 nor JPEG")                                                    \
    X(VIDEO_TIMEOUT, "no answer in time")                                                                              \
    X(VIDEO_SILENT, "no video came in time")                                                                           \
    X(VIDEO_BROKEN, "the video can't be decoded")                                                                      \
    X(VIDEO_ENDED, "the camera ended the stream")                                                                      \
    X(VIDEO_MEMORY, "out of memory")

enum video_trouble {
#define X(name, text) name,
    VIDEO_TROUBLES(X)
#undef X
};
const char *video_trouble_text(enum video_trouble trouble); /* static; names no address and no credential */

struct video_options {
    const char *url;          /* rtsp://, rtsps://, http:// or https://, with credentials; not kept */
    const char *host;         /* of the URL */
    bool udp;                 /* RTSP: RTP over UDP instead of within the connection */
    const _Atomic bool *stop; /* true ends every wait within a moment; outlives the video */
    int64_t deadline_ms;      /* monotonic: connected by then */
};

/* Connects and begins to play. */
enum video_trouble video_open(const struct video_options *options, struct video **out);
void video_close(struct video *video); /* NULL is allowed */

/* What is worth decoding. */
enum video_effort {
    VIDEO_ALL,        /* every frame */
    VIDEO_REFERENCES, /* not those that no other frame needs */
    VIDEO_KEYS        /* only frames that need no other */
};

/*
 * Waits for the next frame; *skipped counts those left out on the way. The frame is borrowed until the next call;
 * av_frame_ref() keeps it. Damaged frames are left out. *lag_ms: by how much the stream is behind what it was at its
 * best, as its own clock tells. `deadline_ms`: monotonic, VIDEO_SILENT when passed.
 */
enum video_trouble video_next(struct video *video, enum video_effort effort, int64_t deadline_ms,
                              const struct AVFrame **frame, unsigned *skipped, int64_t *lag_ms);

/* "h264 1920x1080" of the last frame, "" before. */
void video_describe(const struct video *video, char *out, size_t size);

#endif
