/* One device in memory. */
#include "flow/device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "flow/device_key.h"

/* ---- from the document ----------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

static int int_of(const json_t *object, const char *member, int otherwise)
{
    const json_t *value = json_object_get(object, member);
    return json_is_integer(value) ? (int)json_integer_value(value) : otherwise;
}

/* The texts of a list, borrowed; NULL: out of memory. */
static const char **texts_of(const json_t *list, size_t *n)
{
    size_t count = json_array_size(list);
    const char **texts = calloc(count + 1, sizeof *texts);
    *n = count;
    for (size_t i = 0; i < count && texts != NULL; i++)
        texts[i] = json_string_value(json_array_get(list, i));
    return texts;
}

static bool is_stream(enum device_type type)
{
    return type == DEVICE_IPC_STATIC || type == DEVICE_IPC_DYNAMIC;
}

static void read_relay(const json_t *relay, struct device_relay *out)
{
    static const char *const types[] = {"", "modbus", "http", "tcp"};
    const char *type = text_of(relay, "relay_type");
    *out = (struct device_relay){.ip = json_string_value(json_object_get(relay, "ip")),
                                 .net_port = int_of(relay, "net_port", 0),
                                 .door_port = int_of(relay, "door_port", 1),
                                 .delay_s = int_of(relay, "delay_time", 5),
                                 .channels = int_of(relay, "channels", 8),
                                 .alarm_port = int_of(relay, "alarm_port", 0),
                                 .user = text_of(relay, "user"),
                                 .password = text_of(relay, "password")};
    for (int i = DEVICE_RELAY_UNSET; i <= DEVICE_RELAY_TCP; i++)
        if (strcmp(type, types[i]) == 0)
            out->type = (enum device_relay_type)i;
}

static void read_numbers(const json_t *doc, struct device *device)
{
    const json_t *threshold = json_object_get(doc, "threshold");
    const json_t *roi = json_object_get(doc, "roi_area");
    const json_t *monitor = json_object_get(doc, "is_monitor");
    device->type = (enum device_type)int_of(doc, "ep_type", DEVICE_GATE_PAD);
    device->direction = int_of(doc, "direction", 0);
    device->threshold = json_is_number(threshold) ? (float)json_number_value(threshold) : NAN;
    device->fiqa_level = QUALITY_NO;
    (void)vision_quality_level_parse(text_of(doc, "fiqa_level"), &device->fiqa_level);
    device->liveness = strcmp(text_of(doc, "liveness_mode"), "rgb") == 0;
    for (size_t i = 0; i < 4 && json_array_size(roi) == 4; i++)
        device->roi[i] = (float)json_number_value(json_array_get(roi, i));
    device->min_face = (float)int_of(doc, "min_face_size", 0);
    device->dedup_s = int_of(doc, "dedup_seconds", -1);
    device->is_monitor = monitor == NULL || json_is_true(monitor);
}

/* What is derived from texts. False: out of memory. */
static bool read_texts(struct device_node *node)
{
    static const char *const default_groups[] = {STORE_DEFAULT_GROUP};
    struct device *device = &node->device;
    const json_t *groups = json_object_get(node->doc, "groups");
    device->device_id = text_of(node->doc, "device_id");
    device->memo = text_of(node->doc, "memo");
    device->key = text_of(node->doc, "device_key");
    device->ep_name = text_of(node->doc, "ep_name");
    device->ftp_user = text_of(node->doc, "ftp_user");
    device->ftp_hash = text_of(node->doc, "ftp_hash");
    device->kind = text_of(node->doc, "device_type");
    if (device->kind[0] == '\0')
        device->kind = is_stream(device->type) ? "rtsp" : "photo";
    bool url = is_stream(device->type);
    node->ip = url ? device_url_host(device->key) : strdup(device->key);
    node->key_shown = url ? device_url_shown(device->key) : strdup(device->key);
    node->key_public = url ? device_url_public(device->key) : strdup(device->key);
    node->groups = texts_of(groups, &device->n_groups);
    node->permissions = texts_of(json_object_get(node->doc, "permission_ids"), &device->n_permissions);
    if (node->ip == NULL || node->key_shown == NULL || node->key_public == NULL || node->groups == NULL ||
        node->permissions == NULL)
        return false;
    device->ip = node->ip;
    device->key_shown = node->key_shown;
    device->key_public = node->key_public;
    device->name = text_of(node->doc, "device_name");
    if (device->name[0] == '\0')
        device->name = device->ip;
    device->groups = device->n_groups > 0 ? node->groups : default_groups;
    device->n_groups = device->n_groups > 0 ? device->n_groups : 1;
    device->permissions = node->permissions;
    return true;
}

static void live_release(struct device_live *live)
{
    if (live != NULL && atomic_fetch_sub(&live->refs, 1) == 1)
        free(live);
}

static void node_free(struct device_node *node)
{
    json_decref(node->doc);
    live_release(node->live);
    free(node->ip);
    free(node->key_shown);
    free(node->key_public);
    free(node->groups);
    free(node->permissions);
    free(node);
}

struct device_node *device_node_new(json_t *doc, struct device_live *live, int64_t created_ms)
{
    struct device_node *node = calloc(1, sizeof *node);
    if (node == NULL)
        return NULL;
    atomic_init(&node->refs, 1);
    node->doc = json_incref(doc);
    node->live = live != NULL ? live : calloc(1, sizeof *live);
    if (node->live != NULL)
        atomic_fetch_add(&node->live->refs, 1);
    node->device.created_ms = created_ms;
    read_numbers(doc, &node->device);
    read_relay(json_object_get(doc, "netRelay"), &node->device.relay);
    if (node->live == NULL || !read_texts(node)) {
        node_free(node);
        return NULL;
    }
    return node;
}

bool device_node_set_ep_name(struct device_node *node, const char *ep_name)
{
    if (json_object_set_new(node->doc, "ep_name", json_string(ep_name)) != 0)
        return false;
    node->device.ep_name = text_of(node->doc, "ep_name");
    return true;
}

struct device_node *device_node_ref(struct device_node *node)
{
    atomic_fetch_add(&node->refs, 1);
    return node;
}

const struct device *device_ref(const struct device *device)
{
    return &device_node_ref((struct device_node *)device_node_of(device))->device;
}

void device_release(const struct device *device)
{
    struct device_node *node = (struct device_node *)device_node_of(device);
    if (node != NULL && atomic_fetch_sub(&node->refs, 1) == 1)
        node_free(node);
}

/* ---- live state -------------------------------------------------------------------------------------------- */

void device_touch(const struct device *device)
{
    struct device_live *live = device_node_of(device)->live;
    atomic_store(&live->seen_mono_ms, clock_monotonic_ms());
    atomic_store(&live->seen_ms, clock_realtime_ms());
}

void device_count_frame(const struct device *device, size_t faces)
{
    struct device_live *live = device_node_of(device)->live;
    device_touch(device);
    atomic_fetch_add(&live->frames, 1);
    atomic_fetch_add(&live->faces, faces);
}

void device_count_drop(const struct device *device)
{
    device_touch(device);
    atomic_fetch_add(&device_node_of(device)->live->drops, 1);
}

void device_count_reconnect(const struct device *device)
{
    atomic_fetch_add(&device_node_of(device)->live->reconnects, 1);
}

void device_state_get(const struct device *device, struct device_state *out)
{
    const struct device_live *live = device_node_of(device)->live;
    int64_t within_ms = is_stream(device->type) ? DEVICE_STREAM_MS : DEVICE_CONTACT_MS;
    int64_t age_ms = clock_monotonic_ms() - atomic_load(&live->seen_mono_ms);
    *out = (struct device_state){.last_seen_ms = atomic_load(&live->seen_ms),
                                 .frames = atomic_load(&live->frames),
                                 .faces = atomic_load(&live->faces),
                                 .drops = atomic_load(&live->drops),
                                 .reconnects = atomic_load(&live->reconnects)};
    out->online = out->last_seen_ms != 0 && age_ms <= within_ms;
}
