/*
 * One thread of this file starts and ends the cameras, so that nobody who changes devices waits for one. Cameras are
 * held: who uses one keeps it from being closed, not from being stopped.
 */
#include "intake/cameras.h"

#include <libavutil/frame.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "intake/camera.h"
#include "intake/frame.h"
#include "intake/try.h"

#define FRAME_JPEG_QUALITY 80
#define RETRY_MS           5000 /* when a camera could not be started */

/* Of one camera. The place is the manager's alone, who takes it out of the list before it closes the camera. */
struct place {
    struct camera *camera;
    size_t holders; /* guarded by mu */
};

struct cameras {
    const struct intake_context *context; /* not owned */
    struct trier *trier;
    pthread_t manager;
    bool manager_started;
    _Atomic bool stop, ended;
    pthread_mutex_t mu;
    pthread_cond_t changed; /* the list has changed, a holder has left, or it is to stop */
    bool list_changed;      /* guarded by mu, like the following */
    struct place *places[CAMERAS_MAX];
    size_t count;
};

/* ---- the manager's thread ---- */

static bool is_watched(const struct device *device)
{
    return device->type == DEVICE_IPC_STATIC || device->type == DEVICE_IPC_DYNAMIC;
}

static const struct device *find_listed(const struct device_list *list, const char *device_id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->device_id, device_id) == 0 && is_watched(list->items[i]))
            return list->items[i];
    return NULL;
}

/* Takes the place out, waits for those who hold it, closes. */
static void close_place(struct cameras *cameras, size_t at)
{
    pthread_mutex_lock(&cameras->mu);
    struct place *place = cameras->places[at];
    cameras->places[at] = cameras->places[--cameras->count];
    pthread_mutex_unlock(&cameras->mu);
    camera_stop(place->camera);
    pthread_mutex_lock(&cameras->mu);
    while (place->holders > 0)
        pthread_cond_wait(&cameras->changed, &cameras->mu);
    pthread_mutex_unlock(&cameras->mu);
    camera_close(place->camera);
    free(place);
}

static struct place *find_place(const struct cameras *cameras, const char *device_id)
{
    for (size_t i = 0; i < cameras->count; i++)
        if (strcmp(camera_device(cameras->places[i]->camera)->device_id, device_id) == 0)
            return cameras->places[i];
    return NULL;
}

/* False: it is to be tried again. */
static bool begin_camera(struct cameras *cameras, const struct device *device)
{
    struct aibox_error err;
    if (cameras->count == CAMERAS_MAX) {
        log_warn("intake", "too many video cameras, one is not watched device_id=%s most=%d", device->device_id,
                 CAMERAS_MAX);
        return true;
    }
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return false;
    if (camera_open(cameras->context, device, &place->camera, &err) != AIBOX_OK) {
        log_error("intake", "a video camera can't be watched device_id=%s reason=\"%s\"", device->device_id,
                  err.message);
        free(place);
        return false;
    }
    pthread_mutex_lock(&cameras->mu);
    cameras->places[cameras->count++] = place;
    pthread_mutex_unlock(&cameras->mu);
    return true;
}

/* What runs is made equal to the list. Those to be ended are all told before the first is waited for. */
static bool follow(struct cameras *cameras, const struct device_list *list)
{
    bool done = true;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < cameras->count;) {
            struct camera *camera = cameras->places[i]->camera;
            const struct device *device = find_listed(list, camera_device(camera)->device_id);
            bool ends = device == NULL || camera_must_begin_anew(camera, device);
            if (ends && round == 0)
                camera_stop(camera);
            if (ends && round == 1) {
                close_place(cameras, i);
                continue;
            }
            if (!ends && round == 0 && device != camera_device(camera)) {
                pthread_mutex_lock(&cameras->mu); /* who looks for a device reads its id */
                camera_take_device(camera, device);
                pthread_mutex_unlock(&cameras->mu);
            }
            i++;
        }
    }
    for (size_t i = 0; i < list->count; i++)
        if (is_watched(list->items[i]) && find_place(cameras, list->items[i]->device_id) == NULL)
            done = begin_camera(cameras, list->items[i]) && done;
    return done;
}

static void *manage(void *arg)
{
    struct cameras *cameras = arg;
    (void)pthread_setname_np(pthread_self(), "cameras");
    while (!atomic_load(&cameras->stop)) {
        struct device_list list;
        bool done = devices_list(flow_devices(cameras->context->flow), &list, NULL) == AIBOX_OK;
        done = done && follow(cameras, &list);
        device_list_free(&list);
        struct timespec deadline = clock_deadline(RETRY_MS);
        int result = 0;
        pthread_mutex_lock(&cameras->mu);
        while (!cameras->list_changed && !atomic_load(&cameras->stop) && result == 0)
            result = done ? pthread_cond_wait(&cameras->changed, &cameras->mu)
                          : pthread_cond_timedwait(&cameras->changed, &cameras->mu, &deadline);
        cameras->list_changed = false;
        pthread_mutex_unlock(&cameras->mu);
    }
    for (size_t i = 0; i < cameras->count; i++)
        camera_stop(cameras->places[i]->camera);
    while (cameras->count > 0)
        close_place(cameras, 0);
    return NULL;
}

/* ---- opening and closing ---- */

enum aibox_status cameras_open(const struct intake_context *context, struct cameras **out, struct aibox_error *err)
{
    struct cameras *cameras = calloc(1, sizeof *cameras);
    sigset_t all, before;
    *out = NULL;
    if (cameras == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    cameras->context = context;
    pthread_mutex_init(&cameras->mu, NULL);
    (void)clock_cond_init(&cameras->changed);
    enum aibox_status status = trier_open(&cameras->ended, &cameras->trier, err);
    if (status == AIBOX_OK) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        cameras->manager_started = pthread_create(&cameras->manager, NULL, manage, cameras) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!cameras->manager_started)
            status = error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
    }
    if (status != AIBOX_OK) {
        cameras_close(cameras);
        return status;
    }
    *out = cameras;
    return AIBOX_OK;
}

void cameras_wake(struct cameras *cameras)
{
    pthread_mutex_lock(&cameras->mu);
    cameras->list_changed = true;
    pthread_cond_broadcast(&cameras->changed);
    pthread_mutex_unlock(&cameras->mu);
}

void cameras_end(struct cameras *cameras)
{
    atomic_store(&cameras->ended, true);
}

void cameras_close(struct cameras *cameras)
{
    if (cameras == NULL)
        return;
    cameras_end(cameras);
    atomic_store(&cameras->stop, true);
    cameras_wake(cameras);
    if (cameras->manager_started)
        pthread_join(cameras->manager, NULL);
    trier_close(cameras->trier);
    pthread_cond_destroy(&cameras->changed);
    pthread_mutex_destroy(&cameras->mu);
    free(cameras);
}

/* ---- using one ---- */

/* NULL: there is none. To be ended by let_go(). A device that is deleted is gone at once, its camera a moment later. */
static struct place *hold(struct cameras *cameras, const char *device_id)
{
    const struct device *device = devices_find(flow_devices(cameras->context->flow), device_id);
    if (device == NULL)
        return NULL;
    device_release(device);
    pthread_mutex_lock(&cameras->mu);
    struct place *place = find_place(cameras, device_id);
    if (place != NULL)
        place->holders++;
    pthread_mutex_unlock(&cameras->mu);
    return place;
}

static void let_go(struct cameras *cameras, struct place *place)
{
    pthread_mutex_lock(&cameras->mu);
    place->holders--;
    pthread_cond_broadcast(&cameras->changed);
    pthread_mutex_unlock(&cameras->mu);
}

void cameras_print(struct cameras *cameras, const struct device *device, struct json_out *out)
{
    struct place *place = hold(cameras, device->device_id);
    if (place == NULL)
        return;
    camera_print(place->camera, out);
    let_go(cameras, place);
}

void cameras_metrics(struct cameras *cameras, struct buffer *out)
{
    size_t connected = 0, count = 0;
    double fps = 0;
    int64_t lag_ms = 0;
    pthread_mutex_lock(&cameras->mu);
    for (; count < cameras->count; count++) {
        struct camera_figures figures;
        camera_figures_get(cameras->places[count]->camera, &figures);
        connected += figures.connected;
        fps += figures.analysed_fps;
        lag_ms = figures.lag_ms > lag_ms ? figures.lag_ms : lag_ms;
    }
    pthread_mutex_unlock(&cameras->mu);
    buffer_appendf(out,
                   "# HELP aibox_streams Video cameras that are watched.\n# TYPE aibox_streams gauge\n"
                   "aibox_streams{state=\"connected\"} %zu\naibox_streams{state=\"away\"} %zu\n"
                   "# HELP aibox_stream_analysed_fps Frames of video cameras analysed a second, of all together.\n"
                   "# TYPE aibox_stream_analysed_fps gauge\naibox_stream_analysed_fps %.2f\n"
                   "# HELP aibox_stream_lag_seconds How far the stream that is furthest behind is behind.\n"
                   "# TYPE aibox_stream_lag_seconds gauge\naibox_stream_lag_seconds %.3f\n",
                   connected, count - connected, fps, (double)lag_ms / 1e3);
}

/* ---- live views ---- */

static enum aibox_status no_camera(const struct cameras *cameras, const char *device_id, struct aibox_error *err)
{
    const struct device *device = devices_find(flow_devices(cameras->context->flow), device_id);
    if (device == NULL)
        return error_set(err, AIBOX_NOT_FOUND, "device_id: no device has the id '%s'", device_id);
    device_release(device);
    return error_set(err, AIBOX_NOT_FOUND, "device_id: '%s' is no video camera that is watched", device_id);
}

/* Waits in short steps, for nobody wakes it when the box stops. */
#define STEP_MS 250

enum aibox_status cameras_frame(struct cameras *cameras, const char *device_id, int max_width, int64_t wait_ms,
                                uint64_t *number, uint8_t **jpeg, size_t *size, struct aibox_error *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + wait_ms;
    struct AVFrame *frame = NULL;
    while (frame == NULL) {
        int64_t now_ms = clock_monotonic_ms();
        int64_t step_ms = now_ms + STEP_MS < deadline_ms ? now_ms + STEP_MS : deadline_ms;
        if (now_ms >= deadline_ms || atomic_load(&cameras->ended))
            return error_set(err, AIBOX_NOT_FOUND, "device_id: no video comes from '%s' now", device_id);
        struct place *place = hold(cameras, device_id);
        if (place == NULL)
            return no_camera(cameras, device_id, err);
        (void)camera_newest(place->camera, step_ms, number, &frame);
        let_go(cameras, place);
    }
    enum aibox_status status = frame_to_jpeg(frame, max_width, FRAME_JPEG_QUALITY, jpeg, size, err);
    av_frame_free(&frame);
    return status;
}

enum aibox_status cameras_tracks(struct cameras *cameras, const char *device_id, struct intake_tracks *out,
                                 struct aibox_error *err)
{
    struct place *place = hold(cameras, device_id);
    if (place == NULL)
        return no_camera(cameras, device_id, err);
    out->count = camera_tracks(place->camera, out->items, SCENE_MAX_TRACKS, &out->width, &out->height, &out->connected);
    let_go(cameras, place);
    return AIBOX_OK;
}

/* ---- trying a camera ---- */

/* What a client was shown in place of the key stands for it: passwords needn't be typed again to try a camera. */
static char *key_of(struct cameras *cameras, const char *given)
{
    struct device_list list;
    char *key = NULL;
    if (devices_list(flow_devices(cameras->context->flow), &list, NULL) == AIBOX_OK)
        for (size_t i = 0; i < list.count && key == NULL; i++)
            if (strcmp(list.items[i]->key_shown, given) == 0)
                key = strdup(list.items[i]->key);
    device_list_free(&list);
    return key != NULL ? key : strdup(given);
}

enum aibox_status cameras_try(struct cameras *cameras, const char *device_key, uint8_t **jpeg, size_t *size,
                              struct aibox_error *err)
{
    char *key = key_of(cameras, device_key);
    *jpeg = NULL;
    *size = 0;
    if (key == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = trier_try(cameras->trier, key, jpeg, size, err);
    free(key);
    return status;
}
