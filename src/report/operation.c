/* Device operation reports: what they say, and what their receivers answer. */
#include <jansson.h>

#include "flow/event_json.h"
#include "flow/flow.h"
#include "report/outbox.h"
#include "report/report_internal.h"

#define MAX_MESSAGE ((size_t)2 << 20)
#define MAX_LIST    ((size_t)64 << 20)

/* Written as one text, joined by ','. */
static void write_joined(struct json_out *out, const char *key, const char *const *items, size_t n)
{
    struct buffer text;

    buffer_init(&text, MAX_MESSAGE);
    buffer_append_text(&text, "");
    for (size_t i = 0; i < n; i++) {
        buffer_append_text(&text, i > 0 ? "," : "");
        buffer_append_text(&text, items[i]);
    }
    json_out_key_text(out, key, text.failed ? "" : (const char *)text.data);
    buffer_free(&text);
}

/* "1" online, "2" offline, "3" unknown: never heard of since the start. */
static const char *status_word(const struct device_state *state)
{
    return state->online ? "1" : state->last_seen_ms > 0 ? "2" : "3";
}

static void write_info(struct report *report, const struct device *device, const struct device_state *state,
                       struct json_out *out)
{
    static const char *const types[] = {"0", "1", "2", "3", "4"};
    char ep_id[DEVICE_EP_ID_SIZE], dev_sno[EVENT_JSON_DEV_SNO];
    bool is_stream = device->type == DEVICE_IPC_STATIC || device->type == DEVICE_IPC_DYNAMIC;

    devices_ep_id(flow_devices(report->flow), device, ep_id);
    settings_text(report->settings, "cloud.dev_sno", dev_sno, sizeof dev_sno);
    json_out_object_begin(out);
    json_out_key_text(out, "epId", ep_id);
    json_out_key_text(out, "devSno", dev_sno);
    json_out_key_int(out, "direction", device->direction);
    json_out_key_text(out, "epType", types[device->type]);
    json_out_key_text(out, "memo", device->memo);
    json_out_key_text(out, "epName", device->name);
    json_out_key_text(out, "epIp", device->ip);
    json_out_key_text(out, "epStatus", status_word(state));
    json_out_key_text(out, "epVersion", "");
    write_joined(out, "epGroupName", device->groups, device->n_groups);
    json_out_key_text(out, "epStreamUrl", is_stream ? device->key_public : "");
    json_out_key_int(out, "lastMonitorTime", state->last_seen_ms / 1000);
    json_out_key_bool(out, "isMonitor", device->is_monitor);
    write_joined(out, "privilegeGroupKey", device->permissions, device->n_permissions);
    json_out_object_end(out);
}

/* Appends what was written and frees it. */
static void finish(struct json_out *json, struct buffer *out)
{
    if (json_out_complete(json))
        buffer_append(out, json->buffer.data, json->buffer.size);
    else
        out->failed = true;
    json_out_free(json);
}

static void write_operation(struct report *report, enum device_operation operation, const struct device *device,
                            const struct device_state *state, struct buffer *out)
{
    int action = operation == DEVICE_ADDED ? 1 : 2;
    struct json_out json;

    json_out_init(&json, MAX_MESSAGE);
    json_out_object_begin(&json);
    json_out_key_int(&json, "actionType", action);
    json_out_key_int(&json, "actiontype", action); /* as V2R1 spells it in one place */
    json_out_key(&json, "deviceInfo");
    write_info(report, device, state, &json);
    json_out_object_end(&json);
    finish(&json, out);
}

void operation_write(struct report *report, enum device_operation operation, const struct device *device,
                     struct buffer *out)
{
    struct device_state state;

    device_state_get(device, &state);
    write_operation(report, operation, device, &state, out);
}

void operation_write_test(struct report *report, const char *name, struct buffer *out)
{
    const struct device nobody = {.device_id = "",
                                  .name = name,
                                  .memo = name,
                                  .key_public = "",
                                  .ip = "",
                                  .ep_name = "test",
                                  .type = DEVICE_GATE_PAD};

    write_operation(report, DEVICE_DELETED, &nobody, &(struct device_state){0}, out);
}

void operation_write_list(struct report *report, struct buffer *out)
{
    char dev_sno[EVENT_JSON_DEV_SNO];
    struct device_list list;
    struct json_out json;

    settings_text(report->settings, "cloud.dev_sno", dev_sno, sizeof dev_sno);
    if (devices_list(flow_devices(report->flow), &list, NULL) != AIBOX_OK) {
        out->failed = true;
        return;
    }
    json_out_init(&json, MAX_LIST);
    json_out_object_begin(&json);
    json_out_key_text(&json, "devSno", dev_sno);
    json_out_key(&json, "deviceList");
    json_out_array_begin(&json);
    for (size_t i = 0; i < list.count; i++) {
        struct device_state state;
        device_state_get(list.items[i], &state);
        write_info(report, list.items[i], &state, &json);
    }
    json_out_array_end(&json);
    json_out_object_end(&json);
    device_list_free(&list);
    finish(&json, out);
}

bool operation_accepted(const char *body, size_t size)
{
    json_t *answer = json_loadb(body, size, 0, NULL);
    const json_t *status = json_object_get(answer, "status");
    bool accepted = json_is_integer(status) && json_integer_value(status) == 0;

    json_decref(answer);
    return accepted;
}
