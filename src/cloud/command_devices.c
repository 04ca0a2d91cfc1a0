/*
 * add_device, update_device, delete_device. They change devices by the devices' own means, so that effect and result
 * are not one transaction. A mark that the command was begun tells a second run that what it finds may be its own work.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/command_internal.h"
#include "flow/devices.h"
#include "store/commands.h"

#define BEGUN "begun"

static enum aibox_status begin(const struct command *command, bool *again, struct aibox_error *err)
{
    struct store_progress progress = {.inbox_id = command->stored->inbox_id, .part = BEGUN, .outcome = ""};
    char *outcome = NULL;
    enum aibox_status status = store_inbox_progress_get(command->ctx->store, progress.inbox_id, BEGUN, &outcome, err);

    *again = outcome != NULL;
    free(outcome);
    if (status == AIBOX_OK && !*again)
        status = store_inbox_progress_put(command->ctx->store, &progress, err);
    return status;
}

/* A copy of device_info in which group_name, this command's word, is group_id. */
static enum aibox_status read_device(const struct command *command, json_t **out, struct aibox_error *err)
{
    json_t *info, *groups;
    enum aibox_status status = argument_object(command->body, "device_info", "device_info", &info, err);

    *out = NULL;
    if (status == AIBOX_OK && info == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "device_info: required");
    if (status != AIBOX_OK)
        return status;
    groups = json_object_get(info, "group_name");
    if ((*out = json_copy(info)) == NULL ||
        (groups != NULL && json_object_get(info, "group_id") == NULL && json_object_set(*out, "group_id", groups) != 0))
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return status;
}

static enum aibox_status tell(const struct command *command, const struct device *device, struct command_result *result,
                              struct aibox_error *err)
{
    json_t *shown = device_json(flow_devices(command->ctx->flow), device);
    char *text = json_dumps(shown, JSON_COMPACT);
    enum aibox_status status = text != NULL ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");

    if (status == AIBOX_OK) {
        json_out_object_begin(&result->result);
        json_out_key(&result->result, "device_info");
        json_out_raw(&result->result, text);
        json_out_object_end(&result->result);
        (void)snprintf(result->message, sizeof result->message, "%s done", command->method);
    }
    free(text);
    json_decref(shown);
    return status;
}

/* The device that an earlier run of this command has added; NULL: it was not. */
static const struct device *find_own(const struct command *command, const json_t *info)
{
    const char *key = json_string_value(json_object_get(info, "device_key"));
    const struct device *found = NULL;
    struct device_list list = {0};

    if (key == NULL || devices_list(flow_devices(command->ctx->flow), &list, NULL) != AIBOX_OK)
        return NULL;
    for (size_t i = 0; i < list.count && found == NULL; i++)
        if (strcmp(list.items[i]->key, key) == 0 && list.items[i]->created_ms >= command->stored->received_ms)
            found = devices_find(flow_devices(command->ctx->flow), list.items[i]->device_id);
    device_list_free(&list);
    return found;
}

enum aibox_status command_add_device(struct command *command, struct command_result *result, struct aibox_error *err)
{
    struct device_saved_list saved = {0};
    const struct device *own = NULL;
    bool again = false;
    json_t *info = NULL;
    enum aibox_status status = read_device(command, &info, err);

    if (status == AIBOX_OK)
        status = begin(command, &again, err);
    if (status == AIBOX_OK)
        status = devices_create(flow_devices(command->ctx->flow), info, "device_info", &saved, err);
    if (status == AIBOX_GROUP_NAME && again && (own = find_own(command, info)) != NULL)
        status = AIBOX_OK;
    if (status == AIBOX_OK)
        status = tell(command, own != NULL ? own : saved.items[0].device, result, err);
    device_release(own);
    device_saved_list_free(&saved);
    json_decref(info);
    return status;
}

enum aibox_status command_update_device(struct command *command, struct command_result *result, struct aibox_error *err)
{
    struct device_saved_list saved = {0};
    json_t *info = NULL;
    enum aibox_status status = read_device(command, &info, err);

    if (status == AIBOX_OK)
        status = devices_update(flow_devices(command->ctx->flow), info, "device_info", false, &saved, err);
    if (status == AIBOX_OK)
        status = tell(command, saved.items[0].device, result, err);
    device_saved_list_free(&saved);
    json_decref(info);
    return status;
}

enum aibox_status command_delete_device(struct command *command, struct command_result *result, struct aibox_error *err)
{
    const char *id = NULL;
    bool again = false;
    enum aibox_status status = argument_id(command->body, "device_id", "device_id", &id, err);

    if (status == AIBOX_OK && id == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "device_id: required");
    if (status == AIBOX_OK)
        status = begin(command, &again, err);
    if (status != AIBOX_OK)
        return status;
    status = devices_delete(flow_devices(command->ctx->flow), &id, 1, NULL, err);
    if (status == AIBOX_NOT_FOUND && again)
        status = AIBOX_OK;
    if (status == AIBOX_OK) {
        json_out_object_begin(&result->result);
        json_out_key_text(&result->result, "device_id", id);
        json_out_object_end(&result->result);
        (void)snprintf(result->message, sizeof result->message, "delete_device done");
    }
    return status;
}
