/* Devices: /SophonDevice/api/Devices. */
#include <stdlib.h>
#include <string.h>

#include "access/terminals.h"
#include "api/endpoint.h"
#include "api/resources.h"
#include "flow/box_address.h"
#include "flow/devices.h"
#include "flow/flow.h"
#include "intake/intake.h"

#define FTP_DIRECTORY "/" /* an account's own place; nothing else is there */

/* ---- answers ---- */

/* Writes the device; its members, for the caller to end the object. */
static enum aibox_status write_device(struct json_out *out, struct api_context *ctx, const struct device *device,
                                      struct aibox_error *err)
{
    json_t *json = device_json(flow_devices(ctx->flow), device);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(json);
    if (text == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    json_out_object_begin(out);
    json_out_members(out, text);
    intake_print(ctx->intake, device, out);
    free(text);
    return AIBOX_OK;
}

static void write_name(struct json_out *out, const struct device *device)
{
    json_out_object_begin(out);
    json_out_key_text(out, "device_id", device->device_id);
    json_out_key_text(out, "device_name", device->name);
    json_out_object_end(out);
}

/* The account as it is typed into the camera. */
static void write_ftp(struct json_out *out, const struct settings *settings, const struct device_saved *saved)
{
    char host[256], here[INET6_ADDRSTRLEN];
    if (settings_text(settings, "intake.ftp.public_address", host, sizeof host) == 0) {
        box_address_towards(saved->device->ip, here);
        memcpy(host, here, sizeof here);
    }
    json_out_key(out, "ftp");
    json_out_object_begin(out);
    json_out_key_text(out, "host", host);
    json_out_key_int(out, "port", settings_int(settings, "intake.ftp.port"));
    json_out_key_text(out, "user", saved->device->ftp_user);
    json_out_key_text(out, "password", saved->ftp_password);
    json_out_key_text(out, "directory", FTP_DIRECTORY);
    json_out_object_end(out);
}

static enum aibox_status answer_saved(struct api_context *ctx, struct api_response *res,
                                      const struct device_saved_list *saved, struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    enum aibox_status status = AIBOX_OK;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key(out, "success_devices");
    json_out_array_begin(out);
    for (size_t i = 0; i < saved->count; i++)
        write_name(out, saved->items[i].device);
    json_out_array_end(out);
    json_out_key(out, "devices_list");
    json_out_array_begin(out);
    for (size_t i = 0; i < saved->count && status == AIBOX_OK; i++) {
        status = write_device(out, ctx, saved->items[i].device, err);
        if (status == AIBOX_OK && saved->items[i].ftp_password[0] != '\0')
            write_ftp(out, ctx->settings, &saved->items[i]);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    json_out_object_end(out);
    json_out_object_end(out);
    return status;
}

/* ---- handlers ---- */

static enum aibox_status create_devices(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                        struct aibox_error *err)
{
    struct device_saved_list saved;
    enum aibox_status status =
        devices_create(flow_devices(ctx->flow), api_json(req, "devices_list"), "devices_list", &saved, err);
    if (status != AIBOX_OK)
        return status;
    status = answer_saved(ctx, res, &saved, err);
    device_saved_list_free(&saved);
    return status;
}

static enum aibox_status update_devices(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                        struct aibox_error *err)
{
    struct device_saved_list saved;
    enum aibox_status status = devices_update(flow_devices(ctx->flow), api_json(req, "devices_list"), "devices_list",
                                              api_bool(req, "reset_ftp_password"), &saved, err);
    if (status != AIBOX_OK)
        return status;
    status = answer_saved(ctx, res, &saved, err);
    device_saved_list_free(&saved);
    return status;
}

static enum aibox_status find_devices(struct devices *devices, const char *device_id, struct device_list *list,
                                      struct aibox_error *err)
{
    if (device_id == NULL)
        return devices_list(devices, list, err);
    list->items = calloc(1, sizeof *list->items);
    if (list->items == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    list->items[0] = devices_find(devices, device_id);
    if (list->items[0] == NULL)
        return error_set(err, AIBOX_NOT_FOUND, "device_id: no device has the id '%s'", device_id);
    list->count = 1;
    return AIBOX_OK;
}

static enum aibox_status get_devices(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct devices *devices = flow_devices(ctx->flow);
    struct device_list list = {0};
    enum aibox_status status = find_devices(devices, api_text(req, "device_id"), &list, err);
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_object_begin(out);
        json_out_key(out, "devices_list");
        json_out_array_begin(out);
        for (size_t i = 0; i < list.count && status == AIBOX_OK; i++) {
            status = write_device(out, ctx, list.items[i], err);
            json_out_object_end(out);
        }
        json_out_array_end(out);
        json_out_object_end(out);
        json_out_object_end(out);
    }
    device_list_free(&list);
    return status;
}

/* The ids of `devices_list`, borrowed; an integer stands for its decimal text, written to `digits`. */
#define DIGITS_SIZE 24
static enum aibox_status read_ids(const json_t *list, const char **ids, char (*digits)[DIGITS_SIZE],
                                  struct aibox_error *err)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        const json_t *id = json_object_get(item, "device_id");
        if (json_is_integer(id))
            snprintf(digits[i], DIGITS_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
        ids[i] = json_is_integer(id) ? digits[i] : json_string_value(id);
        if (ids[i] == NULL)
            return error_set(err, AIBOX_PARAM, "devices_list[%zu].device_id: expected a text", i);
    }
    return AIBOX_OK;
}

static enum aibox_status delete_listed(struct devices *devices, const json_t *list, struct device_list *deleted,
                                       struct aibox_error *err)
{
    size_t n = json_array_size(list);
    const char **ids = calloc(n + 1, sizeof *ids);
    char(*digits)[DIGITS_SIZE] = calloc(n + 1, sizeof *digits);
    enum aibox_status status = ids != NULL && digits != NULL ? read_ids(list, ids, digits, err)
                                                             : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (status == AIBOX_OK)
        status = devices_delete(devices, ids, n, deleted, err);
    free(digits);
    free(ids);
    return status;
}

static enum aibox_status delete_devices(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                        struct aibox_error *err)
{
    struct devices *devices = flow_devices(ctx->flow);
    struct device_list deleted = {0};
    const json_t *list = api_json(req, "devices_list");
    bool all = api_bool(req, "clear_all");
    if (!all && list == NULL)
        return error_set(err, AIBOX_PARAM, "devices_list: required (or clear_all)");
    enum aibox_status status =
        all ? devices_clear(devices, &deleted, err) : delete_listed(devices, list, &deleted, err);
    if (status != AIBOX_OK)
        return status;
    for (size_t i = 0; i < deleted.count; i++)
        (void)terminals_forget(ctx->terminals, deleted.items[i]->device_id, NULL);
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key(out, "success_devices");
    json_out_array_begin(out);
    for (size_t i = 0; i < deleted.count; i++)
        write_name(out, deleted.items[i]);
    json_out_array_end(out);
    json_out_key_text(out, "message", "deleted");
    json_out_object_end(out);
    json_out_object_end(out);
    device_list_free(&deleted);
    return AIBOX_OK;
}

/* ---- the table ---- */

static const struct api_field list_fields[] = {
    {.name = "device_id", .type = API_TEXT, .max = 1024, .help = "Only this device."},
};
static const struct api_field create_fields[] = {
    {.name = "devices_list",
     .type = API_OBJECTS,
     .flags = API_REQUIRED | API_NOT_EMPTY,
     .max_items = STORE_MAX_DEVICES,
     .help = "The devices; device_key and ep_type are required, the rest has defaults."},
};
static const struct api_field update_fields[] = {
    {.name = "devices_list",
     .type = API_OBJECTS,
     .flags = API_REQUIRED | API_NOT_EMPTY,
     .max_items = STORE_MAX_DEVICES,
     .help = "device_id and the fields that change."},
    {.name = "reset_ftp_password",
     .type = API_BOOL,
     .default_text = "false",
     .help = "True gives the capture cameras among them new FTP passwords, which the answer shows once."},
};
static const struct api_field delete_fields[] = {
    {.name = "devices_list",
     .type = API_OBJECTS,
     .flags = API_NOT_EMPTY,
     .max_items = STORE_MAX_DEVICES,
     .help = "Objects with a device_id."},
    {.name = "clear_all", .type = API_BOOL, .default_text = "false", .help = "True deletes all devices."},
};

#define PATH          "/SophonDevice/api/Devices"
#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_devices_endpoints[] = {
    {"POST", PATH, API_BODY_JSON, API_ADMIN, false, FIELDS(create_fields), create_devices, "devices",
     "Add cameras and terminals; all or none",
     "{\"devices_list\": [{\"device_name\": \"east gate\", \"device_key\": \"192.168.1.25\", \"ep_type\": \"0\"}]}"},
    {"GET", PATH, API_QUERY, API_VIEWER, false, FIELDS(list_fields), get_devices, "devices", "Devices with their state",
     NULL},
    {"PUT", PATH, API_BODY_JSON, API_ADMIN, false, FIELDS(update_fields), update_devices, "devices",
     "Change devices; all or none", "{\"devices_list\": [{\"device_id\": \"8f0c2a4e-…\", \"dedup_seconds\": 5}]}"},
    {"DELETE", PATH, API_BODY_JSON, API_ADMIN, false, FIELDS(delete_fields), delete_devices, "devices",
     "Remove devices; all or none", "{\"devices_list\": [{\"device_id\": \"8f0c2a4e-…\"}]}"},
};
const size_t api_devices_count = sizeof api_devices_endpoints / sizeof api_devices_endpoints[0];
