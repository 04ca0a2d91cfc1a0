/* Video cameras: trying one, and what one sees now. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/resources.h"
#include "core/clock.h"
#include "flow/devices.h"
#include "intake/intake.h"

#define FRAME_WAIT_MS 3000 /* the first frame may have to be decoded first */
#define FRAME_WIDTH   16384

/* A live view: at most so many at a time, so wide, so often. */
#define LIVE_MOST        16
#define LIVE_WIDTH       1280
#define LIVE_INTERVAL_MS 200
#define LIVE_WAIT_MS     10000 /* a camera that is silent for longer ends the view */
#define LIVE_BOUNDARY    "aibox-frame"

/* ---- trying ---- */

static enum aibox_status test_camera(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    uint8_t *jpeg;
    size_t size;
    enum aibox_status status = intake_try(ctx->intake, api_text(req, "device_key"), &jpeg, &size, err);
    if (status != AIBOX_OK)
        return status;
    api_reply_bytes_take(res, "image/jpeg", jpeg, size);
    return AIBOX_OK;
}

/* ---- one frame ---- */

static enum aibox_status get_frame(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    uint8_t *jpeg;
    size_t size;
    uint64_t number = 0;
    enum aibox_status status = intake_frame(ctx->intake, api_text(req, "device_id"), (int)api_int(req, "width"),
                                            FRAME_WAIT_MS, &number, &jpeg, &size, err);
    if (status != AIBOX_OK)
        return status;
    api_reply_header(res, "Cache-Control", "no-store");
    api_reply_bytes_take(res, "image/jpeg", jpeg, size);
    return AIBOX_OK;
}

/* ---- who is seen ---- */

static void write_track(struct json_out *out, const struct scene_track *track)
{
    json_out_object_begin(out);
    json_out_key_int(out, "track_id", (int64_t)track->id);
    json_out_key(out, "bbox");
    json_out_array_begin(out);
    for (int i = 0; i < 4; i++)
        json_out_int(out, (int64_t)(track->box[i] + 0.5f));
    json_out_array_end(out);
    json_out_key_bool(out, "decided", track->decided);
    json_out_key_text(out, "reason", track->decided ? flow_reason_names[track->reason] : "");
    json_out_key_text(out, "verdict", track->decided ? flow_verdict_names[track->verdict] : "");
    json_out_key_float(out, "score", (double)track->score);
    json_out_key_text(out, "identity_id", track->identity_id);
    json_out_key_text(out, "name", track->name);
    json_out_object_end(out);
}

static enum aibox_status get_tracks(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    struct intake_tracks *tracks = malloc(sizeof *tracks);
    if (tracks == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = intake_tracks(ctx->intake, api_text(req, "device_id"), tracks, err);
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_object_begin(out);
        json_out_key_int(out, "time", clock_realtime_ms());
        json_out_key_bool(out, "connected", tracks->connected);
        json_out_key_int(out, "width", tracks->width);
        json_out_key_int(out, "height", tracks->height);
        json_out_key(out, "tracks");
        json_out_array_begin(out);
        for (size_t i = 0; i < tracks->count; i++)
            write_track(out, &tracks->items[i]);
        json_out_array_end(out);
        json_out_object_end(out);
        json_out_object_end(out);
    }
    free(tracks);
    return status;
}

/* ---- live ---- */

static _Atomic int viewers;

struct viewer {
    struct intake *intake;
    char device_id[STORE_MAX_NAME + 1];
    uint8_t *first; /* the frame that showed that there is video; owned */
    size_t first_size;
    uint64_t number;
};

static bool write_part(struct api_stream *stream, const uint8_t *jpeg, size_t size)
{
    char head[128];
    int length = snprintf(head, sizeof head,
                          "--" LIVE_BOUNDARY "\r\nContent-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n", size);
    return api_stream_write(stream, head, (size_t)length) && api_stream_write(stream, jpeg, size) &&
           api_stream_write(stream, "\r\n", 2);
}

static void sleep_until(int64_t at_ms)
{
    int64_t ms = at_ms - clock_monotonic_ms();
    struct timespec rest = {.tv_sec = 0, .tv_nsec = ms * 1000000};
    if (ms > 0 && ms <= LIVE_INTERVAL_MS)
        (void)nanosleep(&rest, NULL);
}

/* Until the client leaves, the camera is silent or gone, or the box stops. A slow client gets fewer frames. */
static bool show(void *arg, struct api_stream *stream)
{
    struct viewer *viewer = arg;
    bool going_on = write_part(stream, viewer->first, viewer->first_size);
    while (going_on) {
        uint8_t *jpeg;
        size_t size;
        sleep_until(clock_monotonic_ms() + LIVE_INTERVAL_MS);
        if (!api_stream_is_wanted(stream) || intake_frame(viewer->intake, viewer->device_id, LIVE_WIDTH, LIVE_WAIT_MS,
                                                          &viewer->number, &jpeg, &size, NULL) != AIBOX_OK)
            break;
        going_on = write_part(stream, jpeg, size);
        free(jpeg);
    }
    return true;
}

static void free_viewer(void *arg)
{
    struct viewer *viewer = arg;
    atomic_fetch_sub(&viewers, 1);
    free(viewer->first);
    free(viewer);
}

static enum aibox_status get_live(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                  struct aibox_error *err)
{
    const char *device_id = api_text(req, "device_id");
    if (strlen(device_id) > STORE_MAX_NAME)
        return error_set(err, AIBOX_NOT_FOUND, "device_id: no device has that id");
    struct viewer *viewer = calloc(1, sizeof *viewer);
    if (viewer == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    viewer->intake = ctx->intake;
    memcpy(viewer->device_id, device_id, strlen(device_id) + 1);
    enum aibox_status status = AIBOX_OK;
    if (atomic_fetch_add(&viewers, 1) >= LIVE_MOST)
        status = error_set(err, AIBOX_TOO_MANY_REQUESTS, "%d live views are open already", LIVE_MOST);
    if (status == AIBOX_OK)
        status = intake_frame(ctx->intake, device_id, LIVE_WIDTH, FRAME_WAIT_MS, &viewer->number, &viewer->first,
                              &viewer->first_size, err);
    if (status != AIBOX_OK) {
        free_viewer(viewer);
        return status;
    }
    api_reply_header(res, "Cache-Control", "no-store");
    api_reply_header(res, "X-Accel-Buffering", "no"); /* proxies are to hand on at once */
    api_reply_stream_take(res, "multipart/x-mixed-replace; boundary=" LIVE_BOUNDARY, show, viewer, free_viewer);
    return AIBOX_OK;
}

/* ---- the table ---- */

static const struct api_field test_fields[] = {
    {.name = "device_key",
     .type = API_TEXT,
     .flags = API_REQUIRED | API_NOT_EMPTY,
     .max = 2048,
     .help = "URL of the stream, rtsp:// or http://user:password@host:port/path; also as a device shows it."},
};
#define DEVICE_ID                                                                                                      \
    {                                                                                                                  \
        .name = "device_id", .type = API_TEXT, .max = 1024, .help = "The video camera."                                \
    }
static const struct api_field device_fields[] = {DEVICE_ID};
static const struct api_field frame_fields[] = {
    DEVICE_ID,
    {.name = "width",
     .type = API_INT,
     .default_text = "1280",
     .min = 16,
     .max = FRAME_WIDTH,
     .help = "Largest width in pixels; a frame is never enlarged."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_cameras_endpoints[] = {
    {"POST", "/api/devices/test", API_BODY_JSON, API_OPERATOR, false, FIELDS(test_fields), test_camera, "devices",
     "Connect to a video camera: one frame as JPEG, or what failed",
     "{\"device_key\": \"rtsp://admin:secret@192.168.1.60/ch1\"}"},
    {"GET", "/api/devices/{device_id}/frame", API_QUERY, API_VIEWER, false, FIELDS(frame_fields), get_frame, "devices",
     "Newest frame of a video camera as JPEG", NULL},
    {"GET", "/api/devices/{device_id}/tracks", API_QUERY, API_VIEWER, true, FIELDS(device_fields), get_tracks,
     "devices", "Who is seen by a video camera now: boxes in pixels of its full frame, and names", NULL},
    {"GET", "/api/devices/{device_id}/live", API_QUERY, API_VIEWER, false, FIELDS(device_fields), get_live, "devices",
     "A video camera live, as multipart/x-mixed-replace of JPEGs, at most 5 a second", NULL},
};
const size_t api_cameras_count = sizeof api_cameras_endpoints / sizeof api_cameras_endpoints[0];
