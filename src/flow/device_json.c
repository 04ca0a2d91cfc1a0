/* A device as clients see it. */
#include <math.h>
#include <string.h>

#include "core/buffer.h"
#include "flow/device.h"
#include "flow/device_key.h"
#include "flow/devices_internal.h"

#define SHOWN_MEMBERS 26 /* of a whole device */

static const char *const level_names[] = {"high", "middle", "low", "custom", "no"};

/* New reference to the names in a list, joined by ','. */
static json_t *joined(const json_t *names)
{
    struct buffer text;
    size_t i;
    const json_t *name;
    buffer_init(&text, (size_t)64 * 1024);
    json_array_foreach(names, i, name)
    {
        if (i > 0)
            buffer_append_text(&text, ",");
        buffer_append_text(&text, json_string_value(name));
    }
    json_t *out = text.failed ? NULL : json_string(text.data == NULL ? "" : (const char *)text.data);
    buffer_free(&text);
    return out;
}

/* Permission groups by the word that the client used, unless it no longer is their name or id: then by their name. */
static json_t *shown_permissions(struct store *store, const json_t *doc)
{
    const json_t *words = json_object_get(doc, "permissions");
    const json_t *ids = json_object_get(doc, "permission_ids");
    json_t *names = json_array();
    for (size_t i = 0; i < json_array_size(words) && names != NULL; i++) {
        struct store_label label = {0};
        json_t *word = json_array_get(words, i);
        const char *id = json_string_value(json_array_get(ids, i));
        bool renamed = store_label_get(store, STORE_PERMISSION, id, &label, NULL) == AIBOX_OK &&
                       strcmp(json_string_value(word), label.id) != 0 &&
                       strcmp(json_string_value(word), label.name) != 0;
        (void)json_array_append_new(names, renamed ? json_string(label.name) : json_incref(word));
        store_label_free(&label);
    }
    json_t *text = joined(names);
    json_decref(names);
    return text;
}

static json_t *groups_of(const struct device *device)
{
    json_t *names = json_array();
    for (size_t i = 0; i < device->n_groups; i++)
        (void)json_array_append_new(names, json_string(device->groups[i]));
    json_t *text = joined(names);
    json_decref(names);
    return text;
}

static json_t *relay_of(const struct device *device, const json_t *doc)
{
    json_t *relay = json_object();
    if (device->relay.ip == NULL)
        return relay;
    const json_t *stored = json_object_get(doc, "netRelay");
    (void)json_object_set_new(relay, "ip", json_string(device->relay.ip));
    (void)json_object_set_new(relay, "net_port", json_integer(device->relay.net_port));
    (void)json_object_set_new(relay, "door_port", json_integer(device->relay.door_port));
    (void)json_object_set_new(relay, "delay_time", json_integer(device->relay.delay_s));
    if (device->relay.type != DEVICE_RELAY_UNSET)
        (void)json_object_set(relay, "relay_type", json_object_get(stored, "relay_type"));
    (void)json_object_set_new(relay, "channels", json_integer(device->relay.channels));
    (void)json_object_set_new(relay, "alarm_port", json_integer(device->relay.alarm_port));
    if (device->relay.user[0] != '\0')
        (void)json_object_set_new(relay, "user", json_string(device->relay.user));
    if (device->relay.password[0] != '\0')
        (void)json_object_set_new(relay, "password", json_string(DEVICE_SECRET_SHOWN));
    return relay;
}

/* A copy of what the document holds under `member`, else `otherwise` (which it takes). */
static json_t *given_or(const json_t *doc, const char *member, json_t *otherwise)
{
    json_t *value = json_object_get(doc, member);
    if (value == NULL)
        return otherwise;
    json_decref(otherwise);
    return json_deep_copy(value);
}

static void add_state(json_t *out, const struct devices *devices, const struct device *device)
{
    char ep_id[DEVICE_EP_ID_SIZE];
    struct device_state state;
    device_state_get(device, &state);
    devices_ep_id(devices, device, ep_id);
    (void)json_object_set_new(out, "device_ip", json_string(device->ip));
    (void)json_object_set_new(out, "ep_id", json_string(ep_id));
    (void)json_object_set_new(out, "status", json_string(state.online ? "online" : "offline"));
    (void)json_object_set_new(out, "last_seen", json_integer(state.last_seen_ms));
    (void)json_object_set_new(out, "frames", json_integer((json_int_t)state.frames));
    (void)json_object_set_new(out, "faces", json_integer((json_int_t)state.faces));
    (void)json_object_set_new(out, "drops", json_integer((json_int_t)state.drops));
    (void)json_object_set_new(out, "reconnects", json_integer((json_int_t)state.reconnects));
}

json_t *device_json(const struct devices *devices, const struct device *device)
{
    const json_t *doc = device_node_of(device)->doc;
    char type[] = {(char)('0' + device->type), '\0'};
    json_t *out = json_object();
    (void)json_object_set_new(out, "device_id", json_string(device->device_id));
    (void)json_object_set_new(out, "device_name", json_string(device->name));
    (void)json_object_set_new(out, "device_key", json_string(device->key_shown));
    (void)json_object_set_new(out, "device_type", json_string(device->kind));
    (void)json_object_set_new(out, "ep_type", json_string(type));
    (void)json_object_set_new(out, "group_id", groups_of(device));
    (void)json_object_set_new(out, "permission_id", shown_permissions(devices->store, doc));
    (void)json_object_set_new(out, "device_attr", given_or(doc, "device_attr", json_object()));
    (void)json_object_set_new(out, "netRelay", relay_of(device, doc));
    (void)json_object_set_new(out, "direction", json_integer(device->direction));
    (void)json_object_set_new(out, "threshold", given_or(doc, "threshold", json_string("auto")));
    (void)json_object_set_new(out, "fiqa_level", json_string(level_names[device->fiqa_level]));
    (void)json_object_set_new(out, "liveness_mode", json_string(device->liveness ? "rgb" : "off"));
    (void)json_object_set_new(out, "roi_area", given_or(doc, "roi_area", json_array()));
    (void)json_object_set_new(out, "min_face_size", json_integer((json_int_t)device->min_face));
    (void)json_object_set_new(out, "dedup_seconds", json_integer(devices_dedup_ms(devices, device) / 1000));
    (void)json_object_set_new(out, "is_monitor", json_boolean(device->is_monitor));
    (void)json_object_set_new(out, "memo", json_string(device->memo));
    add_state(out, devices, device);
    if (json_object_size(out) == SHOWN_MEMBERS)
        return out;
    json_decref(out); /* one of them did not fit into memory */
    return NULL;
}
