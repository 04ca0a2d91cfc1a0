/* The thread that stays connected to a camera and decodes. */
#include <libavutil/frame.h>

#include "core/clock.h"
#include "core/log.h"
#include "intake/camera_internal.h"

/*
 * A camera that comes back is seen within 10 s: the longest pause and the longest attempt, which may begin a moment
 * before, together.
 */
#define CONNECT_MS     5000
#define FIRST_PAUSE_MS 1000
#define MOST_PAUSE_MS  4000

/* A stream that is late by that much isn't decoded in full any more, until it has caught up. */
#define LATE_MS      400
#define VERY_LATE_MS 1500
#define IN_TIME_MS   150

struct reading {
    struct camera *camera;
    struct video *video;
    enum video_effort effort;
    int64_t due_ms; /* of the next frame to look at, monotonic */
    uint64_t frames;
};

/* ---- one frame ---- */

static enum video_effort choose_effort(enum video_effort effort, int64_t lag_ms)
{
    if (lag_ms > VERY_LATE_MS)
        return VIDEO_KEYS;
    if (lag_ms > LATE_MS)
        return effort == VIDEO_KEYS ? VIDEO_KEYS : VIDEO_REFERENCES;
    return lag_ms < IN_TIME_MS ? VIDEO_ALL : effort;
}

/* Whether the setting leaves room for another one to be looked at. */
static bool is_due(struct reading *reading, int64_t now_ms)
{
    int64_t interval_ms = 1000 / settings_int(reading->camera->context->settings, "intake.stream_fps");
    if (now_ms < reading->due_ms)
        return false;
    reading->due_ms += interval_ms;
    if (reading->due_ms < now_ms)
        reading->due_ms = now_ms;
    return true;
}

/* With mu held: gives up what was there. */
static void replace(AVFrame **place, const AVFrame *frame)
{
    av_frame_free(place);
    if (frame != NULL)
        *place = av_frame_clone(frame);
}

static void hand_over(struct reading *reading, const AVFrame *frame, unsigned skipped, int64_t lag_ms)
{
    struct camera *camera = reading->camera;
    int64_t now_ms = clock_monotonic_ms();
    bool due = is_due(reading, now_ms);
    pthread_mutex_lock(&camera->mu);
    camera->number++;
    camera->width = frame->width;
    camera->height = frame->height;
    camera->lag_ms = lag_ms;
    replace(&camera->newest, now_ms < camera->watched_until_ms ? frame : NULL);
    device_touch(camera->device);
    for (unsigned i = 0; i < skipped; i++)
        device_count_drop(camera->device);
    if (due) {
        if (camera->pending != NULL)
            device_count_drop(camera->device);
        replace(&camera->pending, frame);
    }
    pthread_cond_broadcast(&camera->changed);
    pthread_mutex_unlock(&camera->mu);
}

/* ---- one connection ---- */

static enum video_trouble connect_camera(struct camera *camera, bool udp, struct video **video)
{
    struct video_options options = {.url = camera->key,
                                    .host = camera->host,
                                    .udp = udp,
                                    .stop = &camera->stop,
                                    .deadline_ms = clock_monotonic_ms() + CONNECT_MS};
    return video_open(&options, video);
}

/* The first frame says that the camera is there. */
static void note_connected(struct reading *reading, bool again, bool udp)
{
    struct camera *camera = reading->camera;
    char video[sizeof camera->video];
    video_describe(reading->video, video, sizeof video);
    pthread_mutex_lock(&camera->mu);
    camera->connected = true;
    camera->trouble = VIDEO_OK;
    memcpy(camera->video, video, sizeof camera->video);
    if (again)
        device_count_reconnect(camera->device);
    log_info("intake", "a video camera is there device_id=%s video=\"%s\" transport=%s", camera->device->device_id,
             video, udp ? "udp" : "tcp");
    pthread_mutex_unlock(&camera->mu);
}

/* Until something goes wrong. */
static enum video_trouble play(struct reading *reading, bool again, bool udp)
{
    const AVFrame *frame;
    unsigned skipped;
    int64_t lag_ms;
    for (;;) {
        enum video_trouble trouble = video_next(reading->video, reading->effort,
                                                clock_monotonic_ms() + VIDEO_SILENCE_MS, &frame, &skipped, &lag_ms);
        if (trouble != VIDEO_OK)
            return trouble;
        if (reading->frames++ == 0)
            note_connected(reading, again, udp);
        reading->effort = choose_effort(reading->effort, lag_ms);
        hand_over(reading, frame, skipped, lag_ms);
    }
}

static void note_trouble(struct camera *camera, enum video_trouble trouble)
{
    pthread_mutex_lock(&camera->mu);
    if (camera->connected || camera->trouble != trouble)
        log_warn("intake", "a video camera is not there device_id=%s reason=\"%s\"", camera->device->device_id,
                 video_trouble_text(trouble));
    camera->connected = false;
    camera->trouble = trouble;
    camera->lag_ms = 0;
    replace(&camera->newest, NULL);
    pthread_mutex_unlock(&camera->mu);
}

/* What may be different with RTP in datagrams. */
static bool may_be_the_transport(enum video_trouble trouble)
{
    return trouble == VIDEO_TRANSPORT || trouble == VIDEO_PROTOCOL || trouble == VIDEO_SILENT;
}

void *camera_reader_main(void *arg)
{
    struct camera *camera = arg;
    int64_t pause_ms = FIRST_PAUSE_MS;
    bool udp = false, was_there = false;
    (void)pthread_setname_np(pthread_self(), "camera-read");
    while (!atomic_load(&camera->stop)) {
        struct reading reading = {.camera = camera, .due_ms = clock_monotonic_ms()};
        enum video_trouble trouble = connect_camera(camera, udp, &reading.video);
        if (trouble == VIDEO_OK)
            trouble = play(&reading, was_there, udp);
        video_close(reading.video);
        if (atomic_load(&camera->stop))
            break;
        note_trouble(camera, trouble);
        if (reading.frames > 0) {
            was_there = true;
            pause_ms = FIRST_PAUSE_MS;
        } else if (may_be_the_transport(trouble)) {
            udp = !udp;
        }
        camera_wait(camera, pause_ms);
        pause_ms = pause_ms * 2 < MOST_PAUSE_MS ? pause_ms * 2 : MOST_PAUSE_MS;
    }
    return NULL;
}
