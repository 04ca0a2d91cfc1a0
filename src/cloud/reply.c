/* The result of a command: what it says, and where it goes. */
#include <stdlib.h>
#include <string.h>

#include "cloud/command_internal.h"
#include "core/log.h"
#include "store/commands.h"

/* ---- where it goes ----------------------------------------------------------------------------------------- */

static char *lane_of_url(const char *url, struct aibox_error *err)
{
    char *origin = NULL, *lane = NULL;

    if (address_origin(url, &origin, err) != AIBOX_OK)
        return NULL;
    size_t size = strlen(COMMAND_LANE_POST) + strlen(origin) + 1;
    if (size <= STORE_MAX_LANE && (lane = malloc(size)) != NULL) {
        memcpy(lane, COMMAND_LANE_POST, strlen(COMMAND_LANE_POST));
        memcpy(lane + strlen(COMMAND_LANE_POST), origin, strlen(origin) + 1);
    }
    free(origin);
    return lane;
}

static enum aibox_status route_to_queue(struct command *command, struct aibox_error *err)
{
    const struct command_context *ctx = command->ctx;
    bool fiqa = strcmp(command->method, "fiqa") == 0 || command->stored->queue == STORE_INBOX_FIQA;

    command->lane = strdup(fiqa && ctx->fiqa_result_queue ? COMMAND_LANE_FIQA : COMMAND_LANE_MAIN);
    return command->lane != NULL ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

enum aibox_status reply_route(struct command *command, struct aibox_error *err)
{
    const struct command_context *ctx = command->ctx;
    json_t *params = NULL;
    const char *path = NULL;
    enum aibox_status queued = AIBOX_OK;

    /* Wrong arguments are told of, if there is a way. */
    if (ctx->result_queue || ctx->fiqa_result_queue)
        queued = route_to_queue(command, err);
    enum aibox_status status = argument_object(command->body, "extend_params", "extend_params", &params, err);
    if (status == AIBOX_OK)
        status = argument_text(params, "notify_path", "extend_params.notify_path", &path, err);
    if (queued != AIBOX_OK || status != AIBOX_OK)
        return queued != AIBOX_OK ? queued : status;
    if (command->lane != NULL || path == NULL || path[0] == '\0')
        return AIBOX_OK;
    status =
        address_compose(&ctx->platform, ADDRESS_PLATFORM, "extend_params.notify_path", path, &command->result_url, err);
    if (status == AIBOX_OK && (command->lane = lane_of_url(command->result_url, err)) == NULL)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return status;
}

/* ---- what it says ------------------------------------------------------------------------------------------ */

static void write_envelope(struct json_out *out, const struct command *command, const struct command_result *result)
{
    int code = result->code != 0 ? result->code : status_code(result->status);
    const struct buffer *value = &result->result.buffer;

    json_out_object_begin(out);
    json_out_key_bool(out, "success", code == 0);
    json_out_key_int(out, "code", code);
    json_out_key_text(out, "message", result->message);
    json_out_key_text(out, "dev_sno", command->ctx->platform.dev_sno);
    json_out_key_text(out, "messageKey", command->method);
    if (command->message_id[0] != '\0')
        json_out_key_text(out, "messageId", command->message_id);
    json_out_key(out, "result");
    json_out_raw(out, value->data != NULL ? (const char *)value->data : "{}");
    json_out_object_end(out);
}

static bool compose(struct command *command, const struct command_result *result)
{
    struct json_out out;

    json_out_init(&out, COMMAND_MAX_RESULT);
    write_envelope(&out, command, result);
    bool complete = json_out_complete(&out) && !result->result.buffer.failed;
    if (complete) {
        buffer_clear(&command->payload);
        if (command->result_url != NULL) {
            buffer_append_text(&command->payload, command->result_url);
            buffer_append_text(&command->payload, "\n");
        }
        complete = buffer_append(&command->payload, out.buffer.data, out.buffer.size);
    }
    json_out_free(&out);
    return complete;
}

const struct store_message *reply_compose(struct command *command, const struct command_result *result)
{
    struct command_result without = {.status = result->status, .code = result->code};

    if (command->lane == NULL)
        return NULL;
    if (!compose(command, result)) {
        log_error("cloud", "a result is too long, and is sent without its lists method=%s", command->method);
        memcpy(without.message, result->message, sizeof without.message);
        if (!compose(command, &without))
            return NULL;
    }
    command->message =
        (struct store_message){.lane = command->lane, .payload = command->payload.data, .size = command->payload.size};
    return &command->message;
}
