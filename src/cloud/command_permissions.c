/* sync_permissions: effect and result are one transaction. */
#include <stdio.h>
#include <stdlib.h>

#include "cloud/command_internal.h"
#include "store/commands.h"

struct sync {
    struct command *command;
    struct command_result *result;
    struct store_permission_wish *wishes;
    size_t n;
};

static size_t write_permissions(struct json_out *out, const struct sync *sync, bool done)
{
    size_t count = 0;

    json_out_array_begin(out);
    for (size_t i = 0; i < sync->n; i++) {
        const struct store_permission_wish *wish = &sync->wishes[i];
        if ((wish->status == AIBOX_OK) != done)
            continue;
        json_out_object_begin(out);
        json_out_key_text(out, "permission_id", wish->id);
        json_out_key_text(out, "permission_name", wish->name);
        json_out_key_text(out, "permission_description", wish->description);
        json_out_key_text(out, "message", done ? "ok" : wish->reason);
        json_out_key_int(out, "code", status_code(argument_status(wish->status)));
        json_out_object_end(out);
        count++;
    }
    json_out_array_end(out);
    return count;
}

/* On the store's writer thread. */
static const struct store_message *compose_sync(void *ctx)
{
    struct sync *sync = ctx;
    struct command_result *result = sync->result;
    struct json_out *out = &result->result;

    json_out_object_begin(out);
    json_out_key(out, "success_permission");
    size_t done = write_permissions(out, sync, true);
    json_out_key(out, "failed_permission");
    size_t failed = write_permissions(out, sync, false);
    json_out_object_end(out);
    (void)snprintf(result->message, sizeof result->message, "sync_permissions done: %zu set, %zu failed", done, failed);
    return reply_compose(sync->command, result);
}

static enum aibox_status read_wish(json_t *item, size_t i, struct store_permission_wish *wish, struct aibox_error *err)
{
    const char *id = NULL, *name = NULL, *description = NULL;
    json_t *info = NULL;
    enum aibox_status status = AIBOX_OK;

    if (!json_is_object(item))
        status = error_set(err, AIBOX_COMMAND_PARAM, "an object is expected");
    if (status == AIBOX_OK)
        status = argument_id(item, "id", "id", &id, err);
    if (status == AIBOX_OK && id == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "id: required");
    if (status == AIBOX_OK)
        status = argument_object(item, "info", "info", &info, err);
    if (status == AIBOX_OK)
        status = argument_id(info, "name", "info.name", &name, err);
    if (status == AIBOX_OK)
        status = argument_text(info, "description", "info.description", &description, err);
    if (status != AIBOX_OK)
        error_prefix(err, "permissions_info_list[%zu]", i);
    *wish = (struct store_permission_wish){.id = id,
                                           .name = name != NULL && name[0] != '\0' ? name : id,
                                           .description = description != NULL ? description : ""};
    return status;
}

enum aibox_status command_sync_permissions(struct command *command, struct command_result *result,
                                           struct aibox_error *err)
{
    struct sync sync = {.command = command, .result = result};
    struct store_answer answer = {.inbox_id = command->stored->inbox_id, .compose = compose_sync, .ctx = &sync};
    bool given, replace = false;
    json_t *list;
    enum aibox_status status = argument_list(command->body, "permissions_info_list", "permissions_info_list",
                                             COMMAND_MAX_PERMISSIONS, &list, err);

    if (status == AIBOX_OK && list == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "permissions_info_list: required");
    if (status == AIBOX_OK)
        status = argument_bool(command->body, "replace", "replace", &given, &replace, err);
    if (status != AIBOX_OK)
        return status;
    sync.n = json_array_size(list);
    sync.wishes = calloc(sync.n + 1, sizeof *sync.wishes);
    if (sync.wishes == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    for (size_t i = 0; i < sync.n && status == AIBOX_OK; i++)
        status = read_wish(json_array_get(list, i), i, &sync.wishes[i], err);
    if (status == AIBOX_OK) {
        status = store_permissions_sync(command->ctx->store, sync.wishes, sync.n, replace, &answer, err);
        command->finished = status == AIBOX_OK;
    }
    free(sync.wishes);
    return status;
}
