/*
 * A camera that may send anything: a server of our own on loopback plays the input by RTSP or HTTP, and the box's own
 * code connects, decodes and converts. libav is not instrumented, so that the seeds matter more than what is learnt.
 *
 * Input: a byte, even for RTSP. RTSP: the description (SDP) up to a NUL; then payloads of RTP, each after two bytes:
 * the highest bit says that a picture ends with it, the others its length (what is missing is left out). HTTP: what
 * follows the head.
 */
#include <arpa/inet.h>
#include <libavutil/frame.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "intake/frame.h"
#include "intake/video.h"

#define MOST_BYTES      65536 /* of an input */
#define MOST_REQUEST    8192
#define MOST_FRAMES     40
#define CONVERTED       4 /* of them */
#define CONNECT_MS      2000
#define FRAME_MS        2000
#define TICKS_PER_FRAME 3600 /* of RTP's clock of 90 kHz: 25 frames a second */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);

/*
 * libavformat 59 forgets a few bytes of a description that names the format of one stream twice. What is opened and not
 * closed by the box is still found: it allocates the context itself. Whole stacks are needed to tell these apart.
 */
const char *__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0";
}

const char *__lsan_default_suppressions(void)
{
    return "leak:avformat_open_input\n";
}

static const _Atomic bool never = false;

static struct {
    int socket, port;
    pthread_mutex_t mu; /* guards what is played to who connects next */
    size_t size;
    uint8_t data[MOST_BYTES];
} camera = {.mu = PTHREAD_MUTEX_INITIALIZER};

/* Independent of NDEBUG. */
static void require(bool condition)
{
    if (!condition)
        __builtin_trap();
}

/* ---- the camera ---- */

static bool send_bytes(int client, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t n = send(client, at, size, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* Up to its empty line; false at the end of the connection. */
static bool read_request(int client, char request[MOST_REQUEST])
{
    size_t used = 0;
    while (used + 1 < MOST_REQUEST) {
        if (recv(client, request + used, 1, 0) != 1)
            return false;
        request[++used] = '\0';
        if (used >= 4 && memcmp(request + used - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

static bool send_packets(int client, const uint8_t *data, size_t size)
{
    uint32_t time = 0;
    for (uint16_t sequence = 0; size > 2; sequence++) {
        bool last = (data[0] & 0x80) != 0;
        size_t length = (size_t)(data[0] & 0x7f) << 8 | data[1];
        data += 2;
        size -= 2;
        length = length < size ? length : size;
        size_t framed = length + 12;
        uint8_t head[16] = {'$', 0, (uint8_t)(framed >> 8), (uint8_t)framed, 0x80, (uint8_t)(last ? 0x80 | 96 : 96)};
        head[6] = (uint8_t)(sequence >> 8);
        head[7] = (uint8_t)sequence;
        for (int i = 0; i < 4; i++)
            head[8 + i] = (uint8_t)(time >> (24 - 8 * i));
        head[15] = 1;
        if (!send_bytes(client, head, sizeof head) || !send_bytes(client, data, length))
            return false;
        time += last ? TICKS_PER_FRAME : 0;
        data += length;
        size -= length;
    }
    return true;
}

static void play_rtsp(int client, const uint8_t *data, size_t size)
{
    char request[MOST_REQUEST], answer[512];
    const uint8_t *end = memchr(data, 0, size);
    size_t described = end == NULL ? size : (size_t)(end - data);
    bool playing = false;
    while (!playing && read_request(client, request)) {
        const char *sequence = strstr(request, "CSeq:");
        bool describes = strncmp(request, "DESCRIBE", 8) == 0;
        playing = strncmp(request, "PLAY", 4) == 0;
        int n = snprintf(answer, sizeof answer,
                         "RTSP/1.0 200 OK\r\nCSeq: %ld\r\nSession: 1\r\n%s%sContent-Length: %zu\r\n\r\n",
                         sequence == NULL ? 0 : strtol(sequence + 5, NULL, 10),
                         strncmp(request, "SETUP", 5) == 0 ? "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n" : "",
                         describes ? "Content-Type: application/sdp\r\n" : "", describes ? described : 0);
        require(n > 0 && (size_t)n < sizeof answer);
        if (!send_bytes(client, answer, (size_t)n) || (describes && !send_bytes(client, data, described)))
            return;
    }
    if (playing && end != NULL)
        (void)send_packets(client, end + 1, size - described - 1);
}

static void play_http(int client, const uint8_t *data, size_t size)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=ffmpeg\r\n\r\n";
    char request[MOST_REQUEST];
    if (read_request(client, request) && send_bytes(client, head, sizeof head - 1))
        (void)send_bytes(client, data, size);
}

/* Plays a copy: the box may have left before the end, and be at the next input. */
static void *serve(void *arg)
{
    static uint8_t data[MOST_BYTES];
    const int one = 1;
    (void)arg;
    for (;;) {
        char rest[1024];
        int client = accept(camera.socket, NULL, NULL);
        if (client < 0)
            continue;
        pthread_mutex_lock(&camera.mu);
        size_t size = camera.size;
        memcpy(data, camera.data, size);
        pthread_mutex_unlock(&camera.mu);
        (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (data[0] % 2 == 0)
            play_rtsp(client, data + 1, size - 1);
        else
            play_http(client, data + 1, size - 1);
        shutdown(client, SHUT_WR);
        while (recv(client, rest, sizeof rest, 0) > 0)
            continue;
        close(client);
    }
    return NULL;
}

static void open_camera(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    pthread_t thread;
    camera.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(camera.socket >= 0 && bind(camera.socket, (struct sockaddr *)&address, size) == 0 &&
            listen(camera.socket, 8) == 0 && getsockname(camera.socket, (struct sockaddr *)&address, &size) == 0);
    camera.port = ntohs(address.sin_port);
    require(pthread_create(&thread, NULL, serve, NULL) == 0);
}

/* ---- the box ---- */

static void check_frame(const struct video *video, const AVFrame *frame, int64_t lag_ms, bool convert)
{
    struct frame_scaler scaler = {0};
    struct image image = {0};
    struct aibox_error err = {.message = ""};
    char what[48];
    require(frame->width > 0 && frame->height > 0 && (int64_t)frame->width * frame->height <= VIDEO_MAX_PIXELS);
    require(lag_ms >= 0);
    video_describe(video, what, sizeof what);
    require(strncmp(what, "h264 ", 5) == 0 || strncmp(what, "hevc ", 5) == 0 || strncmp(what, "mjpeg ", 6) == 0);
    if (!convert)
        return;
    if (frame_to_image(&scaler, frame, FRAME_MAX_WIDTH, FRAME_MAX_HEIGHT, &image, &err) == AIBOX_OK)
        require(image.pixels != NULL && image.width > 0 && image.width <= FRAME_MAX_WIDTH && image.height > 0 &&
                image.height <= FRAME_MAX_HEIGHT);
    else
        require(err.message[0] != '\0');
    image_free(&image);
    frame_scaler_free(&scaler);
}

static void watch(struct video *video)
{
    const AVFrame *frame;
    unsigned skipped;
    int64_t lag_ms;
    for (int i = 0; i < MOST_FRAMES; i++) {
        enum video_effort effort = i % 8 < 6 ? VIDEO_ALL : i % 8 == 6 ? VIDEO_REFERENCES : VIDEO_KEYS;
        enum video_trouble trouble =
            video_next(video, effort, clock_monotonic_ms() + FRAME_MS, &frame, &skipped, &lag_ms);
        require(trouble != VIDEO_STOPPED && video_trouble_text(trouble)[0] != '\0');
        if (trouble != VIDEO_OK)
            return;
        check_frame(video, frame, lag_ms, i < CONVERTED);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char url[64];
    struct video *video = NULL;
    if (camera.port == 0)
        open_camera();
    if (size < 2 || size > MOST_BYTES)
        return 0;
    pthread_mutex_lock(&camera.mu);
    memcpy(camera.data, data, size);
    camera.size = size;
    pthread_mutex_unlock(&camera.mu);
    (void)snprintf(url, sizeof url, "%s://127.0.0.1:%d/", data[0] % 2 == 0 ? "rtsp" : "http", camera.port);
    struct video_options options = {
        .url = url, .host = "127.0.0.1", .stop = &never, .deadline_ms = clock_monotonic_ms() + CONNECT_MS};
    enum video_trouble trouble = video_open(&options, &video);
    require((trouble == VIDEO_OK) == (video != NULL) && trouble != VIDEO_STOPPED);
    if (trouble == VIDEO_OK)
        watch(video);
    video_close(video);
    return 0;
}
