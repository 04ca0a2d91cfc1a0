/* The room as a whole: follows the device list and hands each kind of camera to those who take its pictures. */
#include "intake/intake.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"

struct intake {
    struct intake_context context;
    char *data_dir; /* owned; what context.data_dir points to */
};

/* On the changing thread: only wakes those whose business it is. */
static void on_devices_changed(void *ctx)
{
    struct intake *intake = ctx;
    log_debug("intake", "the device list has changed data_dir=%s", intake->data_dir);
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
    devices_listen(flow_devices(context->flow), on_devices_changed, intake);
    *out = intake;
    return AIBOX_OK;
}

void intake_close(struct intake *intake)
{
    if (intake == NULL)
        return;
    devices_unlisten(flow_devices(intake->context.flow), on_devices_changed, intake);
    free(intake->data_dir);
    free(intake);
}

void intake_print(struct intake *intake, const struct device *device, struct json_out *out)
{
    (void)intake;
    (void)out;
    switch (device->type) {
    case DEVICE_CAPTURE_CAMERA:
    case DEVICE_IPC_STATIC:
    case DEVICE_IPC_DYNAMIC:
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
}
