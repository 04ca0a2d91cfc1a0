/* The registry of devices: loading, looking up, taking changes over. */
#include "flow/devices.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/log.h"
#include "flow/device_key.h"
#include "flow/devices_internal.h"

static enum aibox_status out_of_memory(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

struct load {
    struct devices *devices;
    size_t room;
    bool failed;
};

static bool load_device(void *ctx, const struct store_device *row)
{
    struct load *load = ctx;
    struct devices *devices = load->devices;
    json_t *doc = json_loads(row->doc, 0, NULL);
    struct device_node *node = doc == NULL ? NULL : device_node_new(doc, NULL, row->created_ms);
    json_decref(doc);
    if (node == NULL || devices->count == load->room) {
        if (node != NULL)
            device_release(&node->device);
        load->failed = true;
        return false;
    }
    devices->nodes[devices->count++] = node;
    return true;
}

enum aibox_status devices_open(struct settings *settings, struct store *store, struct devices **out,
                               struct aibox_error *err)
{
    struct devices *devices = calloc(1, sizeof *devices);
    *out = NULL;
    if (devices == NULL)
        return out_of_memory(err);
    devices->settings = settings;
    devices->store = store;
    pthread_mutex_init(&devices->change_mu, NULL);
    pthread_mutex_init(&devices->mu, NULL);
    struct load load = {.devices = devices, .room = STORE_MAX_DEVICES};
    devices->nodes = calloc(load.room, sizeof(*devices->nodes));
    enum aibox_status status = devices->nodes == NULL ? out_of_memory(err) : box_mac(store, devices->mac, err);
    if (status == AIBOX_OK)
        status = store_devices_each(store, load_device, &load, err);
    if (status == AIBOX_OK && load.failed)
        status = error_set(err, AIBOX_PROCESS_FAILED, "a stored device can't be read");
    if (status != AIBOX_OK) {
        devices_close(devices);
        return status;
    }
    log_info("flow", "devices loaded count=%zu", devices->count);
    *out = devices;
    return AIBOX_OK;
}

void devices_close(struct devices *devices)
{
    if (devices == NULL)
        return;
    for (size_t i = 0; devices->nodes != NULL && i < devices->count; i++)
        device_release(&devices->nodes[i]->device);
    free(devices->nodes);
    pthread_mutex_destroy(&devices->mu);
    pthread_mutex_destroy(&devices->change_mu);
    free(devices);
}

/* ---- looking up ------------------------------------------------------------------------------------------------ */

const struct device *devices_find(struct devices *devices, const char *device_id)
{
    const struct device *found = NULL;
    pthread_mutex_lock(&devices->mu);
    for (size_t i = 0; i < devices->count && found == NULL; i++)
        if (strcmp(devices->nodes[i]->device.device_id, device_id) == 0)
            found = &device_node_ref(devices->nodes[i])->device;
    pthread_mutex_unlock(&devices->mu);
    return found;
}

/* Which device an address means first. */
static int rank(enum device_type type)
{
    switch (type) {
    case DEVICE_GATE_PAD:
    case DEVICE_DOOR_PAD:
        return 0;
    case DEVICE_CAPTURE_CAMERA:
        return 1;
    case DEVICE_IPC_STATIC:
    case DEVICE_IPC_DYNAMIC:
        break;
    }
    return 2;
}

const struct device *devices_find_ip(struct devices *devices, const char *ip)
{
    char address[INET6_ADDRSTRLEN];
    struct device_node *best = NULL;
    if (device_address(ip, address))
        ip = address;
    pthread_mutex_lock(&devices->mu);
    for (size_t i = 0; i < devices->count; i++) {
        struct device_node *node = devices->nodes[i];
        if (strcasecmp(node->device.ip, ip) == 0 && (best == NULL || rank(node->device.type) < rank(best->device.type)))
            best = node;
    }
    if (best != NULL)
        best = device_node_ref(best);
    pthread_mutex_unlock(&devices->mu);
    return best == NULL ? NULL : &best->device;
}

const struct device *devices_find_relay(struct devices *devices, const char *host, int port)
{
    const struct device *found = NULL;
    pthread_mutex_lock(&devices->mu);
    for (size_t i = 0; i < devices->count && found == NULL; i++) {
        const struct device_relay *relay = &devices->nodes[i]->device.relay;
        if (relay->ip != NULL && relay->net_port == port && strcasecmp(relay->ip, host) == 0)
            found = &device_node_ref(devices->nodes[i])->device;
    }
    pthread_mutex_unlock(&devices->mu);
    return found;
}

enum aibox_status devices_list(struct devices *devices, struct device_list *out, struct aibox_error *err)
{
    const struct device **items = calloc(STORE_MAX_DEVICES, sizeof *items);
    *out = (struct device_list){.items = items};
    if (items == NULL)
        return out_of_memory(err);
    pthread_mutex_lock(&devices->mu);
    for (size_t i = 0; i < devices->count; i++)
        items[out->count++] = &device_node_ref(devices->nodes[i])->device;
    pthread_mutex_unlock(&devices->mu);
    return AIBOX_OK;
}

void device_list_free(struct device_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        device_release(list->items[i]);
    free(list->items);
    *list = (struct device_list){0};
}

/* ---- changing -------------------------------------------------------------------------------------------------- */

/* With change_mu held. */
static void tell_of_change(struct devices *devices)
{
    if (devices->reporter.stored != NULL)
        devices->reporter.stored(devices->reporter.ctx);
    for (size_t i = 0; i < DEVICES_LISTENERS_MAX; i++)
        if (devices->listeners[i].fn != NULL)
            devices->listeners[i].fn(devices->listeners[i].ctx);
}

void devices_listen(struct devices *devices, devices_listener fn, void *ctx)
{
    size_t at = 0;
    pthread_mutex_lock(&devices->change_mu);
    while (at < DEVICES_LISTENERS_MAX && devices->listeners[at].fn != NULL)
        at++;
    assert(at < DEVICES_LISTENERS_MAX);
    devices->listeners[at].fn = fn;
    devices->listeners[at].ctx = ctx;
    pthread_mutex_unlock(&devices->change_mu);
}

void devices_unlisten(struct devices *devices, devices_listener fn, void *ctx)
{
    pthread_mutex_lock(&devices->change_mu);
    for (size_t i = 0; i < DEVICES_LISTENERS_MAX; i++)
        if (devices->listeners[i].fn == fn && devices->listeners[i].ctx == ctx)
            devices->listeners[i].fn = NULL;
    pthread_mutex_unlock(&devices->change_mu);
}

/* Memory follows the store; the node of a draft that was there takes the old one's place. */
static void take_over(struct devices *devices, struct draft *draft)
{
    pthread_mutex_lock(&devices->mu);
    for (size_t i = 0; i < devices->count && draft->old != NULL; i++)
        if (devices->nodes[i] == draft->old)
            devices->nodes[i] = device_node_ref(draft->node);
    if (draft->old == NULL)
        devices->nodes[devices->count++] = device_node_ref(draft->node);
    pthread_mutex_unlock(&devices->mu);
    if (draft->old != NULL)
        device_release(&draft->old->device);
    log_info("flow", "a device is %s device_id=%s key=%s", draft->old != NULL ? "changed" : "added",
             draft->node->device.device_id, draft->node->device.key_public);
}

static enum aibox_status save(struct devices *devices, const json_t *dicts, const char *field, bool create,
                              bool reset_ftp_password, struct device_saved_list *saved, struct aibox_error *err)
{
    struct draft *drafts = NULL;
    size_t n = 0;
    *saved = (struct device_saved_list){0};
    struct device_saved *items = calloc(json_is_array(dicts) ? json_array_size(dicts) + 1 : 1, sizeof *items);
    if (items == NULL)
        return out_of_memory(err);
    pthread_mutex_lock(&devices->change_mu);
    enum aibox_status status = drafts_save(devices, dicts, field, create, reset_ftp_password, &drafts, &n, err);
    for (size_t i = 0; i < n; i++) {
        take_over(devices, &drafts[i]);
        items[i].device = &device_node_ref(drafts[i].node)->device;
        memcpy(items[i].ftp_password, drafts[i].ftp_password, sizeof items[i].ftp_password);
    }
    if (status == AIBOX_OK)
        tell_of_change(devices);
    pthread_mutex_unlock(&devices->change_mu);
    *saved = (struct device_saved_list){.items = items, .count = n};
    drafts_free(drafts, n);
    if (status != AIBOX_OK)
        device_saved_list_free(saved);
    return status;
}

enum aibox_status devices_create(struct devices *devices, const json_t *dicts, const char *field,
                                 struct device_saved_list *saved, struct aibox_error *err)
{
    return save(devices, dicts, field, true, false, saved, err);
}

enum aibox_status devices_update(struct devices *devices, const json_t *dicts, const char *field,
                                 bool reset_ftp_password, struct device_saved_list *saved, struct aibox_error *err)
{
    return save(devices, dicts, field, false, reset_ftp_password, saved, err);
}

void device_saved_list_free(struct device_saved_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        device_release(list->items[i].device);
    free(list->items);
    *list = (struct device_saved_list){0};
}

/* ---- deleting -------------------------------------------------------------------------------------------------- */

static const struct device *listed_at(const void *list, size_t i)
{
    return ((const struct device_list *)list)->items[i];
}

static enum aibox_status delete_from_store(struct devices *devices, const struct device_list *list,
                                           struct aibox_error *err)
{
    struct device_messages messages;
    const char **ids = calloc(list->count + 1, sizeof *ids);
    if (ids == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < list->count; i++)
        ids[i] = list->items[i]->device_id;
    enum aibox_status status =
        device_messages_make(devices, DEVICE_DELETED, listed_at, list, list->count, &messages, err);
    if (status == AIBOX_OK)
        status = store_devices_delete(devices->store, ids, list->count, &messages.list, err);
    device_messages_free(&messages);
    free(ids);
    return status;
}

/* With change_mu held: deletes those of the list from store and memory. */
static enum aibox_status delete_listed(struct devices *devices, const struct device_list *list, struct aibox_error *err)
{
    enum aibox_status status = delete_from_store(devices, list, err);
    for (size_t i = 0; i < list->count && status == AIBOX_OK; i++) {
        struct device_node *gone = NULL;
        pthread_mutex_lock(&devices->mu);
        for (size_t j = 0; j < devices->count && gone == NULL; j++) {
            if (&devices->nodes[j]->device != list->items[i])
                continue;
            gone = devices->nodes[j];
            devices->count--;
            memmove(devices->nodes + j, devices->nodes + j + 1, (devices->count - j) * sizeof(*devices->nodes));
        }
        pthread_mutex_unlock(&devices->mu);
        log_info("flow", "a device is deleted device_id=%s", list->items[i]->device_id);
        if (gone != NULL)
            device_release(&gone->device);
    }
    return status;
}

static bool list_has(const struct device_list *list, const char *device_id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->device_id, device_id) == 0)
            return true;
    return false;
}

static enum aibox_status find_all(struct devices *devices, const char *const *ids, size_t n, struct device_list *out,
                                  struct aibox_error *err)
{
    *out = (struct device_list){.items = calloc(n + 1, sizeof *out->items)};
    if (out->items == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < n; i++) {
        if (list_has(out, ids[i]))
            continue;
        const struct device *device = devices_find(devices, ids[i]);
        if (device == NULL)
            return error_set(err, AIBOX_NOT_FOUND, "device_id: no device has the id '%s'", ids[i]);
        out->items[out->count++] = device;
    }
    return AIBOX_OK;
}

static enum aibox_status delete_and_tell(struct devices *devices, const char *const *ids, size_t n, bool all,
                                         struct device_list *deleted, struct aibox_error *err)
{
    struct device_list list = {0};
    pthread_mutex_lock(&devices->change_mu);
    enum aibox_status status = all ? devices_list(devices, &list, err) : find_all(devices, ids, n, &list, err);
    if (status == AIBOX_OK)
        status = delete_listed(devices, &list, err);
    if (status == AIBOX_OK)
        tell_of_change(devices);
    pthread_mutex_unlock(&devices->change_mu);
    if (status == AIBOX_OK && deleted != NULL)
        *deleted = list;
    else
        device_list_free(&list);
    return status;
}

enum aibox_status devices_delete(struct devices *devices, const char *const *device_ids, size_t n,
                                 struct device_list *deleted, struct aibox_error *err)
{
    return delete_and_tell(devices, device_ids, n, false, deleted, err);
}

enum aibox_status devices_clear(struct devices *devices, struct device_list *deleted, struct aibox_error *err)
{
    return delete_and_tell(devices, NULL, 0, true, deleted, err);
}

/* ---- what follows from a device ---------------------------------------------------------------------------------- */

void devices_ep_id(const struct devices *devices, const struct device *device, char out[DEVICE_EP_ID_SIZE])
{
    char dev_sno[256];
    size_t size = settings_text(devices->settings, "cloud.dev_sno", dev_sno, sizeof dev_sno);
    snprintf(out, DEVICE_EP_ID_SIZE, "%s__%s", size > 0 ? dev_sno : devices->mac, device->ep_name);
}

int64_t devices_dedup_ms(const struct devices *devices, const struct device *device)
{
    int64_t seconds = device->dedup_s;
    if (seconds < 0)
        seconds =
            rank(device->type) == 0 ? DEVICE_PAD_DEDUP_S : settings_int(devices->settings, "recognition.dedup_seconds");
    return seconds * 1000;
}

void devices_place(const struct devices *devices, const struct device *device, char ep_id[DEVICE_EP_ID_SIZE],
                   struct flow_place *place)
{
    static const char *const types[] = {"0", "1", "2", "3", "4"};
    devices_ep_id(devices, device, ep_id);
    *place = (struct flow_place){.device_id = device->device_id,
                                 .device_ip = device->ip,
                                 .ep_id = ep_id,
                                 .device_type = types[device->type],
                                 .groups = device->groups,
                                 .n_groups = device->n_groups,
                                 .permissions = device->permissions,
                                 .n_permissions = device->n_permissions,
                                 .labels_may_be_gone = true,
                                 .threshold = device->threshold,
                                 .level = device->fiqa_level,
                                 .liveness = device->liveness,
                                 .min_face = device->min_face,
                                 .dedup_ms = devices_dedup_ms(devices, device)};
    memcpy(place->roi, device->roi, sizeof place->roi);
}
