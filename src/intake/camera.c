/* Beginning and ending a camera, what is told of it, live views. */
#include "intake/camera.h"

#include <libavutil/frame.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "intake/camera_internal.h"

/* So long after the last look at the newest frame it goes on being kept. */
#define WATCHED_MS 5000

/* Threads with all signals blocked: signals go to the thread that wants them. */
static bool start_thread(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, run, arg) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

enum aibox_status camera_open(const struct intake_context *context, const struct device *device, struct camera **out,
                              struct aibox_error *err)
{
    struct camera *camera = calloc(1, sizeof *camera);
    enum aibox_status status = AIBOX_OK;
    *out = NULL;
    if (camera == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    camera->context = context;
    camera->type = device->type;
    camera->counted_ms = clock_monotonic_ms();
    pthread_mutex_init(&camera->mu, NULL);
    (void)clock_cond_init(&camera->changed);
    camera->device = device_ref(device);
    camera->key = strdup(device->key);
    camera->host = strdup(device->ip);
    if (camera->key == NULL || camera->host == NULL)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (status == AIBOX_OK)
        status = scene_open(context->flow, device->type == DEVICE_IPC_STATIC ? SCENE_GATE : SCENE_CROWD, &camera->scene,
                            err);
    if (status == AIBOX_OK) {
        camera->reader_started = start_thread(&camera->reader, camera_reader_main, camera);
        camera->looker_started = start_thread(&camera->looker, camera_looker_main, camera);
        if (!camera->reader_started || !camera->looker_started)
            status = error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
    }
    if (status != AIBOX_OK) {
        camera_close(camera);
        return status;
    }
    *out = camera;
    return AIBOX_OK;
}

void camera_stop(struct camera *camera)
{
    atomic_store(&camera->stop, true);
    pthread_mutex_lock(&camera->mu);
    pthread_cond_broadcast(&camera->changed);
    pthread_mutex_unlock(&camera->mu);
}

void camera_close(struct camera *camera)
{
    camera_stop(camera);
    if (camera->reader_started)
        pthread_join(camera->reader, NULL);
    if (camera->looker_started)
        pthread_join(camera->looker, NULL);
    av_frame_free(&camera->pending);
    av_frame_free(&camera->newest);
    scene_close(camera->scene);
    device_release(camera->device);
    free(camera->key);
    free(camera->host);
    pthread_cond_destroy(&camera->changed);
    pthread_mutex_destroy(&camera->mu);
    free(camera);
}

/* ---- the device ---- */

const struct device *camera_device(const struct camera *camera)
{
    return camera->device;
}

bool camera_must_begin_anew(const struct camera *camera, const struct device *device)
{
    return camera->type != device->type || strcmp(camera->key, device->key) != 0;
}

void camera_take_device(struct camera *camera, const struct device *device)
{
    pthread_mutex_lock(&camera->mu);
    const struct device *old = camera->device;
    camera->device = device_ref(device);
    pthread_mutex_unlock(&camera->mu);
    device_release(old);
}

const struct device *camera_hold_device(struct camera *camera)
{
    pthread_mutex_lock(&camera->mu);
    const struct device *device = device_ref(camera->device);
    pthread_mutex_unlock(&camera->mu);
    return device;
}

void camera_wait(struct camera *camera, int64_t ms)
{
    struct timespec deadline = clock_deadline(ms);
    int result = 0;
    pthread_mutex_lock(&camera->mu);
    while (!atomic_load(&camera->stop) && result == 0)
        result = pthread_cond_timedwait(&camera->changed, &camera->mu, &deadline);
    pthread_mutex_unlock(&camera->mu);
}

/* ---- what is told of it ---- */

void camera_print(struct camera *camera, struct json_out *out)
{
    pthread_mutex_lock(&camera->mu);
    json_out_key_bool(out, "connected", camera->connected);
    json_out_key_text(out, "video", camera->video);
    json_out_key_float(out, "analysed_fps", camera->connected ? camera->fps : 0);
    json_out_key_text(out, "last_error", camera->trouble == VIDEO_OK ? "" : video_trouble_text(camera->trouble));
    pthread_mutex_unlock(&camera->mu);
}

void camera_figures_get(struct camera *camera, struct camera_figures *out)
{
    pthread_mutex_lock(&camera->mu);
    *out = (struct camera_figures){
        .connected = camera->connected, .analysed_fps = camera->connected ? camera->fps : 0, .lag_ms = camera->lag_ms};
    pthread_mutex_unlock(&camera->mu);
}

/* ---- live views ---- */

bool camera_newest(struct camera *camera, int64_t deadline_ms, uint64_t *number, struct AVFrame **out)
{
    struct timespec deadline = clock_deadline(deadline_ms - clock_monotonic_ms());
    int result = 0;
    *out = NULL;
    pthread_mutex_lock(&camera->mu);
    camera->watched_until_ms = clock_monotonic_ms() + WATCHED_MS;
    while ((camera->newest == NULL || camera->number == *number) && !atomic_load(&camera->stop) && result == 0)
        result = pthread_cond_timedwait(&camera->changed, &camera->mu, &deadline);
    if (camera->newest != NULL && camera->number != *number) {
        *out = av_frame_clone(camera->newest);
        *number = camera->number;
    }
    pthread_mutex_unlock(&camera->mu);
    return *out != NULL;
}

size_t camera_tracks(struct camera *camera, struct scene_track *out, size_t max, int *width, int *height,
                     bool *connected)
{
    pthread_mutex_lock(&camera->mu);
    *connected = camera->connected;
    *width = camera->width;
    *height = camera->height;
    pthread_mutex_unlock(&camera->mu);
    return scene_tracks(camera->scene, out, max);
}
