/* What the threads of a camera share. */
#ifndef AIBOX_INTAKE_CAMERA_INTERNAL_H
#define AIBOX_INTAKE_CAMERA_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "intake/camera.h"
#include "intake/frame.h"
#include "intake/video.h"

struct camera {
    const struct intake_context *context; /* not owned */
    char *key, *host;                     /* the URL, with credentials; never changes */
    enum device_type type;                /* likewise */
    pthread_t reader, looker;
    bool reader_started, looker_started;
    _Atomic bool stop;
    struct scene *scene;

    /* The rest is guarded by mu, a leaf. */
    pthread_mutex_t mu;
    pthread_cond_t changed; /* a frame is pending or is the newest, or it is to stop */
    const struct device *device;
    struct AVFrame *pending; /* for the looker; NULL: none */
    struct AVFrame *newest;  /* for live views, while somebody watches; NULL: none */
    uint64_t number;         /* of the newest frame, counted from 1 */
    int64_t watched_until_ms;
    int width, height; /* of the last frame; 0: none yet */
    bool connected;
    enum video_trouble trouble; /* why it is not connected, or VIDEO_OK before the first try */
    char video[48];             /* "h264 1920x1080" */
    int64_t lag_ms;
    int64_t counted_ms; /* since when frames looked at are counted */
    unsigned counted;
    double fps;
};

/* Threads; `arg` is the camera. */
void *camera_reader_main(void *arg);
void *camera_looker_main(void *arg);

/* The device of the moment, to be released. */
const struct device *camera_hold_device(struct camera *camera);
/* Waits, or less when it is to stop. */
void camera_wait(struct camera *camera, int64_t ms);

#endif
