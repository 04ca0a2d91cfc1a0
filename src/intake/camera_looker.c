/* The thread that has a camera's newest frames looked at. */
#include <libavutil/frame.h>

#include "core/clock.h"
#include "core/log.h"
#include "intake/camera_internal.h"

#define REST_MS  200  /* longest sleep: tracks end in time */
#define COUNT_MS 2000 /* over which the frames looked at are counted */

struct looking {
    struct camera *camera;
    struct frame_scaler scaler;
    struct image image;
    bool complained; /* of frames that can't be looked at, since the last that could */
};

/* The newest frame that nobody has looked at; NULL: none came for a while, or it is to stop. */
static AVFrame *take_pending(struct camera *camera)
{
    struct timespec deadline = clock_deadline(REST_MS);
    int result = 0;
    pthread_mutex_lock(&camera->mu);
    while (camera->pending == NULL && !atomic_load(&camera->stop) && result == 0)
        result = pthread_cond_timedwait(&camera->changed, &camera->mu, &deadline);
    AVFrame *frame = camera->pending;
    camera->pending = NULL;
    pthread_mutex_unlock(&camera->mu);
    return frame;
}

static void count_frame(struct camera *camera, bool looked_at)
{
    int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&camera->mu);
    if (looked_at)
        camera->counted++;
    if (now_ms - camera->counted_ms >= COUNT_MS) {
        camera->fps = 1000.0 * camera->counted / (double)(now_ms - camera->counted_ms);
        camera->counted_ms = now_ms;
        camera->counted = 0;
    }
    pthread_mutex_unlock(&camera->mu);
}

struct reaction {
    const struct intake_context *context;
    const struct device *device;
};

static const char *react(void *ctx, const struct flow_decision *decision)
{
    const struct reaction *reaction = ctx;
    return reaction->context->react(reaction->context->react_ctx, reaction->device, decision);
}

/* Takes the frame; NULL: time goes by. */
static enum aibox_status look(struct looking *looking, const struct device *device, AVFrame *frame,
                              struct aibox_error *err)
{
    struct camera *camera = looking->camera;
    const struct intake_context *context = camera->context;
    struct flow_place place;
    char ep_id[DEVICE_EP_ID_SIZE];
    size_t faces = 0;
    struct reaction reaction = {.context = context, .device = device};
    struct scene_place scene_place = {
        .place = &place, .decided = context->react == NULL ? NULL : react, .decided_ctx = &reaction};
    devices_place(flow_devices(context->flow), device, ep_id, &place);
    if (frame == NULL) {
        scene_rest(camera->scene, &scene_place, clock_monotonic_ms());
        return AIBOX_OK;
    }
    int width = frame->width;
    enum aibox_status status =
        frame_to_image(&looking->scaler, frame, FRAME_MAX_WIDTH, FRAME_MAX_HEIGHT, &looking->image, err);
    av_frame_free(&frame); /* the decoder wants it back */
    if (status != AIBOX_OK)
        return status;
    struct scene_frame scene_frame = {.image = &looking->image,
                                      .scale = (float)width / (float)looking->image.width,
                                      .now_ms = clock_monotonic_ms(),
                                      .timestamp_ms = clock_realtime_ms()};
    status = scene_look(camera->scene, &scene_place, &scene_frame, &faces, err);
    if (status == AIBOX_OK)
        device_count_frame(device, faces);
    return status;
}

void *camera_looker_main(void *arg)
{
    struct looking looking = {.camera = arg};
    struct camera *camera = arg;
    (void)pthread_setname_np(pthread_self(), "camera-look");
    while (!atomic_load(&camera->stop)) {
        struct aibox_error err;
        AVFrame *frame = take_pending(camera);
        bool has_frame = frame != NULL;
        if (!flow_ready(camera->context->flow)) {
            av_frame_free(&frame);
            continue;
        }
        const struct device *device = camera_hold_device(camera);
        enum aibox_status status = look(&looking, device, frame, &err);
        if (status != AIBOX_OK && !looking.complained)
            log_warn("intake", "a camera's frames can't be looked at device_id=%s reason=\"%s\"", device->device_id,
                     err.message);
        looking.complained = status != AIBOX_OK;
        device_release(device);
        count_frame(camera, has_frame && status == AIBOX_OK);
    }
    image_free(&looking.image);
    frame_scaler_free(&looking.scaler);
    return NULL;
}
