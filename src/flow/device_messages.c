/* Messages about devices added and deleted, on their way into the outbox together with the change. */
#include <stdlib.h>

#include "flow/devices_internal.h"

static enum aibox_status out_of_memory(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

/* *made: there is a message. */
static enum aibox_status make_one(const struct devices *devices, enum device_operation operation,
                                  const struct device *device, struct store_message *out, bool *made,
                                  struct aibox_error *err)
{
    struct buffer text;

    buffer_init(&text, STORE_MAX_OUTBOX_BYTES);
    *made = devices->reporter.describe(devices->reporter.ctx, operation, device, &text);
    if (!*made || text.failed) {
        bool failed = *made;
        *made = false;
        buffer_free(&text);
        return failed ? out_of_memory(err) : AIBOX_OK;
    }
    out->lane = devices->reporter.lane;
    out->payload = buffer_give(&text, &out->size);
    return AIBOX_OK;
}

enum aibox_status device_messages_make(const struct devices *devices, enum device_operation operation,
                                       const struct device *(*device_at)(const void *list, size_t i), const void *list,
                                       size_t n, struct device_messages *out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    *out = (struct device_messages){0};
    if (devices->reporter.describe == NULL || n == 0)
        return AIBOX_OK;
    struct store_message *items = calloc(n, sizeof *items);
    if (items == NULL)
        return out_of_memory(err);
    out->list.items = items;
    for (size_t i = 0; i < n && status == AIBOX_OK; i++) {
        bool made;
        status = make_one(devices, operation, device_at(list, i), &items[out->list.count], &made, err);
        out->list.count += made;
    }
    if (status != AIBOX_OK)
        device_messages_free(out);
    return status;
}

void device_messages_free(struct device_messages *messages)
{
    for (size_t i = 0; i < messages->list.count; i++)
        free((void *)messages->list.items[i].payload);
    free((void *)messages->list.items);
    *messages = (struct device_messages){0};
}

void devices_set_reporter(struct devices *devices, const struct devices_reporter *reporter)
{
    pthread_mutex_lock(&devices->change_mu);
    devices->reporter = reporter != NULL ? *reporter : (struct devices_reporter){0};
    pthread_mutex_unlock(&devices->change_mu);
}
