/* The room as a whole: follows the device list and hands each kind of camera to those who take its pictures. */
#include "intake/intake.h"

#include <stdlib.h>
#include <string.h>

#include "intake/cameras.h"
#include "intake/ftp.h"

struct intake {
    struct intake_context context;
    struct ftp *ftp;
    char *data_dir; /* owned; what context.data_dir points to */
    struct cameras *cameras;
};

/* On the changing thread: only wakes those whose business it is. */
static void on_devices_changed(void *ctx)
{
    struct intake *intake = ctx;
    cameras_wake(intake->cameras);
    ftp_devices_changed(intake->ftp);
}

enum aibox_status intake_open(const struct intake_context *context, struct intake **out, struct aibox_error *err)
{
    struct intake *intake = calloc(1, sizeof *intake);
    *out = NULL;
    if (intake == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    intake->context = *context;
    intake->data_dir = strdup(context->data_dir);
    if (intake->data_dir == NULL) {
        free(intake);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    intake->context.data_dir = intake->data_dir;
    enum aibox_status status = cameras_open(&intake->context, &intake->cameras, err);
    if (status == AIBOX_OK)
        status = ftp_open(&intake->context, &intake->ftp, err);
    if (status != AIBOX_OK) {
        cameras_close(intake->cameras);
        free(intake->data_dir);
        free(intake);
        return status;
    }
    devices_listen(flow_devices(context->flow), on_devices_changed, intake);
    on_devices_changed(intake); /* they may have begun before it */
    *out = intake;
    return AIBOX_OK;
}

void intake_end(struct intake *intake)
{
    if (intake != NULL)
        cameras_end(intake->cameras);
}

void intake_close(struct intake *intake)
{
    if (intake == NULL)
        return;
    devices_unlisten(flow_devices(intake->context.flow), on_devices_changed, intake);
    cameras_close(intake->cameras);
    ftp_close(intake->ftp);
    free(intake->data_dir);
    free(intake);
}

void intake_print(struct intake *intake, const struct device *device, struct json_out *out)
{
    switch (device->type) {
    case DEVICE_CAPTURE_CAMERA:
        ftp_print(intake->ftp, device, out);
        break;
    case DEVICE_IPC_STATIC:
    case DEVICE_IPC_DYNAMIC:
        cameras_print(intake->cameras, device, out);
        break;
    case DEVICE_GATE_PAD:
    case DEVICE_DOOR_PAD:
        break;
    }
}

void intake_metrics(struct intake *intake, struct buffer *out)
{
    static const char *const kinds[] = {
        [DEVICE_CAPTURE_CAMERA] = "ftp", [DEVICE_IPC_STATIC] = "rtsp_static", [DEVICE_IPC_DYNAMIC] = "rtsp_dynamic"};
    size_t counts[sizeof kinds / sizeof kinds[0]] = {0};
    struct device_list list;
    if (devices_list(flow_devices(intake->context.flow), &list, NULL) != AIBOX_OK)
        return;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i]->type < sizeof counts / sizeof counts[0])
            counts[list.items[i]->type]++;
    device_list_free(&list);
    buffer_append_text(out, "# HELP aibox_intake_cameras Cameras among the devices.\n"
                            "# TYPE aibox_intake_cameras gauge\n");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i] != NULL)
            buffer_appendf(out, "aibox_intake_cameras{kind=\"%s\"} %zu\n", kinds[i], counts[i]);
    cameras_metrics(intake->cameras, out);
    ftp_metrics(intake->ftp, out);
}

/* ---- video cameras ---- */

enum aibox_status intake_try(struct intake *intake, const char *device_key, uint8_t **jpeg, size_t *size,
                             struct aibox_error *err)
{
    return cameras_try(intake->cameras, device_key, jpeg, size, err);
}

enum aibox_status intake_frame(struct intake *intake, const char *device_id, int max_width, int64_t wait_ms,
                               uint64_t *number, uint8_t **jpeg, size_t *size, struct aibox_error *err)
{
    return cameras_frame(intake->cameras, device_id, max_width, wait_ms, number, jpeg, size, err);
}

enum aibox_status intake_tracks(struct intake *intake, const char *device_id, struct intake_tracks *out,
                                struct aibox_error *err)
{
    return cameras_tracks(intake->cameras, device_id, out, err);
}
