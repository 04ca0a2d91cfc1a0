#include "report/status.h"

#include <curl/curl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/address.h"
#include "flow/box_address.h"
#include "flow/devices.h"
#include "flow/event_json.h"
#include "flow/flow.h"
#include "report/report_internal.h"

#define NAME_DOCUMENT "box_name"  /* in the store: the first host name as a JSON text */
#define ANYWHERE      "192.0.2.1" /* stands for the world (RFC 5737): the default route leads there */

/* ---- who the box is ---------------------------------------------------------------------------------------------- */

/* "0xe0a509000a01" → "e0:a5:09:00:0a:01" */
static void write_mac(const char hex[BOX_MAC_SIZE], char out[18])
{
    for (size_t i = 0; i < 6; i++)
        (void)snprintf(out + 3 * i, 18 - 3 * i, "%.2s%s", hex + 2 + 2 * i, i < 5 ? ":" : "");
}

static enum aibox_status keep_name(struct store *store, const char *name, struct aibox_error *err)
{
    json_t *json = json_string(name);
    char *text = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;
    enum aibox_status status = text ? store_document_put(store, NAME_DOCUMENT, text, err)
                                    : error_set(err, AIBOX_PROCESS_FAILED, "the host's name is no text");

    free(text);
    json_decref(json);
    return status;
}

static enum aibox_status load_name(struct store *store, char out[STATUS_BOX_NAME], struct aibox_error *err)
{
    char *kept;
    enum aibox_status status = store_document_get(store, NAME_DOCUMENT, &kept, err);

    if (status != AIBOX_OK)
        return status;
    json_t *json = kept ? json_loads(kept, JSON_DECODE_ANY, NULL) : NULL;
    const char *name = json_string_value(json);
    bool known = name != NULL;
    if (known)
        (void)snprintf(out, STATUS_BOX_NAME, "%s", name);
    else if (gethostname(out, STATUS_BOX_NAME) != 0)
        (void)snprintf(out, STATUS_BOX_NAME, "aibox");
    out[STATUS_BOX_NAME - 1] = '\0';
    json_decref(json);
    free(kept);
    return known ? AIBOX_OK : keep_name(store, out, err);
}

enum aibox_status box_identity_load(struct report *report, struct box_identity *out, struct aibox_error *err)
{
    char hex[BOX_MAC_SIZE];
    enum aibox_status status = box_mac(report->store, hex, err);

    if (status != AIBOX_OK)
        return status;
    write_mac(hex, out->mac);
    gauges_serial(out->serial);
    return load_name(report->store, out->first_name, err);
}

/* The box's address on the way to the URL's host, or to anywhere when that is a name. */
static void own_address(const char *url, char out[INET6_ADDRSTRLEN])
{
    CURLU *parsed = curl_url();
    char *host = NULL;
    char peer[ADDRESS_TEXT] = ANYWHERE;
    struct address address = {{0}};

    if (parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        size_t size = strlen(host), skip = host[0] == '[' && size >= 2;
        host[size - skip] = '\0';
        if (address_parse(host + skip, &address))
            address_print(&address, peer);
    }
    curl_free(host);
    curl_url_cleanup(parsed);
    box_address_towards(peer, out);
}

/* ---- how it is --------------------------------------------------------------------------------------------------- */

/* "" while all is well. */
static void find_fault(struct report *report, char *out, size_t size)
{
    out[0] = '\0';
    if (!store_writable(report->store, out, size) && out[0] == '\0')
        (void)snprintf(out, size, "nothing can be stored");
    else if (out[0] == '\0' && !flow_ready(report->flow))
        (void)snprintf(out, size, "the gallery is being loaded");
}

static void write_figure(struct json_out *out, const char *key, double value)
{
    json_out_key_float(out, key, round(value * 1000) / 1000);
}

static void write_figures(struct report *report, struct gauges_cpu *since, struct json_out *out)
{
    struct gauges gauges;
    char fault[200], model_set[VISION_MODEL_SET];

    flow_model_set(report->flow, model_set);
    gauges_read(since, report->data_dir, &gauges);
    find_fault(report, fault, sizeof fault);
    json_out_key_text(out, "sw_version", AIBOX_VERSION);
    json_out_key_text(out, "sdk_version", model_set);
    json_out_key_text(out, "gateway_mac", report->identity.mac);
    write_figure(out, "cpu_usage", gauges.cpu_percent);
    write_figure(out, "cpu_use", gauges.cpu_percent);
    write_figure(out, "memory_size", gauges.memory_gb);
    write_figure(out, "memory_usage", gauges.memory_used);
    write_figure(out, "memory_use", gauges.memory_used);
    write_figure(out, "disk_size", gauges.disk_gb);
    write_figure(out, "disk_free_size", gauges.disk_free_gb);
    write_figure(out, "disk_use", gauges.disk_used);
    write_figure(out, "temperature", gauges.temperature);
    json_out_key_text(out, "status", fault[0] ? "-1" : "0");
    json_out_key_text(out, "status_desc", fault);
}

/* ---- its devices ------------------------------------------------------------------------------------------------- */

static void write_groups(const struct device *device, struct json_out *out)
{
    struct buffer names;

    buffer_init(&names, (size_t)STORE_MAX_GROUPS * (STORE_MAX_NAME + 1));
    for (size_t i = 0; i < device->n_groups; i++) {
        buffer_append_text(&names, i > 0 ? "," : "");
        buffer_append_text(&names, device->groups[i]);
    }
    json_out_key_text(out, "group_name", names.data && !names.failed ? (const char *)names.data : "");
    buffer_free(&names);
}

static void write_device(struct report *report, const struct device *device, struct json_out *out)
{
    static const char *const types[] = {"0", "1", "2", "3", "4"};
    char ep_id[DEVICE_EP_ID_SIZE];
    struct device_state state;
    bool is_stream = device->type == DEVICE_IPC_STATIC || device->type == DEVICE_IPC_DYNAMIC;

    devices_ep_id(flow_devices(report->flow), device, ep_id);
    device_state_get(device, &state);
    json_out_object_begin(out);
    json_out_key_text(out, "ep_id", ep_id);
    json_out_key_text(out, "ep_name", device->name);
    json_out_key_text(out, "ep_ip", device->ip);
    json_out_key_text(out, "ep_status", state.online ? "online" : "offline");
    json_out_key_text(out, "ep_location", "");
    json_out_key_text(out, "ep_type", types[device->type]);
    json_out_key_text(out, "ep_url", is_stream ? device->key_public : "");
    json_out_key(out, "ep_ext_data");
    json_out_object_begin(out);
    json_out_key_text(out, "sw_version", "");
    write_groups(device, out);
    json_out_object_end(out);
    json_out_object_end(out);
}

static void write_devices(struct report *report, struct json_out *out)
{
    struct device_list list;

    json_out_array_begin(out);
    if (devices_list(flow_devices(report->flow), &list, NULL) == AIBOX_OK) {
        for (size_t i = 0; i < list.count; i++)
            write_device(report, list.items[i], out);
        device_list_free(&list);
    }
    json_out_array_end(out);
}

void report_box_name(const struct report *report, char *out, size_t size)
{
    settings_text(report->settings, "box.name", out, size);
    if (!out[0])
        (void)snprintf(out, size, "%s", report->identity.first_name);
}

void status_write(struct report *report, struct gauges_cpu *since, const char *url, bool online, struct json_out *out)
{
    char address[INET6_ADDRSTRLEN], name[REPORT_BOX_NAME], dev_sno[EVENT_JSON_DEV_SNO];

    own_address(url, address);
    report_box_name(report, name, sizeof name);
    settings_text(report->settings, "cloud.dev_sno", dev_sno, sizeof dev_sno);
    json_out_object_begin(out);
    json_out_key_text(out, "gateway_ip", address);
    json_out_key_text(out, "gateway_name", name);
    json_out_key_text(out, "gateway_status", online ? "online" : "offline");
    json_out_key_text(out, "gateway_sn", report->identity.serial);
    json_out_key_text(out, "dev_sno", dev_sno);
    json_out_key(out, "gateway_ext_data");
    json_out_object_begin(out);
    write_figures(report, since, out);
    json_out_object_end(out);
    json_out_key(out, "sub_devices");
    write_devices(report, out);
    json_out_object_end(out);
}
