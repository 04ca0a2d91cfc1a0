#include "cloud/command.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/command_internal.h"
#include "core/log.h"
#include "core/utf8.h"
#include "store/commands.h"

static const struct {
    const char *method;
    command_handler run;
    bool changes; /* it goes into the audit log */
} methods[] = {
    {"add_users_plus", command_add_users, true},
    {"delete_users", command_delete_users, true},
    {"wipe_data", command_wipe_data, true},
    {"fiqa", command_fiqa, false},
    {"sync_permissions", command_sync_permissions, true},
    {"control_config", command_control_config, true},
    {"add_device", command_add_device, true},
    {"update_device", command_update_device, true},
    {"delete_device", command_delete_device, true},
};

/* ---- reading ----------------------------------------------------------------------------------------------- */

/* The id by which a result is told apart: messageId, else the value of messageKey. */
static enum aibox_status read_message_id(struct command *command, struct aibox_error *err)
{
    const char *id = NULL;
    enum aibox_status status = argument_id(command->body, "messageId", "messageId", &id, err);

    if (status == AIBOX_OK && (id == NULL || id[0] == '\0'))
        status = argument_id(command->body, "messageKey", "messageKey", &id, err);
    command->message_id = id != NULL ? id : command->stored->message_id;
    return status;
}

static enum aibox_status parse(struct command *command, struct aibox_error *err)
{
    json_error_t error;
    const char *method;

    command->body = json_loadb(command->stored->body, command->stored->size, JSON_REJECT_DUPLICATES, &error);
    if (command->body == NULL)
        return error_set(err, AIBOX_COMMAND_PARAM, "the message is no JSON: %s (at byte %d)", error.text,
                         error.position);
    if (!json_is_object(command->body))
        return error_set(err, AIBOX_COMMAND_PARAM, "the message: an object is expected");
    enum aibox_status status = argument_text(command->body, "method", "method", &method, err);
    if (status == AIBOX_OK && (method == NULL || method[0] == '\0'))
        status = error_set(err, AIBOX_COMMAND_PARAM, "method: required");
    if (method != NULL)
        command->method = method;
    return status;
}

/* As much as can be read is used, to tell of what can't. */
static enum aibox_status read_command(struct command *command, struct aibox_error *err)
{
    struct aibox_error more = {0};
    enum aibox_status status = parse(command, err);
    enum aibox_status also = read_message_id(command, &more);

    if (status == AIBOX_OK && also != AIBOX_OK)
        status = error_set(err, also, "%s", more.message);
    also = reply_route(command, &more);
    if (status == AIBOX_OK && also != AIBOX_OK)
        status = error_set(err, also, "%s", more.message);
    return status;
}

static enum aibox_status execute(struct command *command, struct command_result *result, struct aibox_error *err)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(command->method, methods[i].method) == 0)
            return methods[i].run(command, result, err);
    return error_set(err, AIBOX_COMMAND_PARAM, "method: there is no '%.64s'", command->method);
}

/* ---- the end ----------------------------------------------------------------------------------------------- */

/* The message's beginning, cut before a picture could begin: for people who look for what is wrong with it. */
static void excerpt_of(const struct store_command *stored, char *out, size_t size)
{
    size_t length = stored->size < size ? stored->size : size - 1;

    length = utf8_prefix(stored->body, stored->size, length);
    memcpy(out, stored->body, length);
    out[length] = '\0';
    if (!utf8_valid(out, length))
        out[0] = '\0';
    /* base64 and the like: a run of so many letters says nothing to people */
    size_t run = 0;
    for (size_t i = 0; out[i] != '\0'; i++) {
        run = strchr(" ,:{}[]\"", out[i]) != NULL ? 0 : run + 1;
        if (run > 128) {
            out[utf8_prefix(out, length, i - run + 16)] = '\0';
            break;
        }
    }
}

static void keep_dead(const struct command *command, const char *reason)
{
    char excerpt[STORE_MAX_DEAD_TEXT];
    char method[65];
    struct store_dead_command dead = {
        .method = method, .message_id = command->message_id, .reason = reason, .excerpt = excerpt};
    size_t length = utf8_prefix(command->method, strlen(command->method), sizeof method - 1);

    memcpy(method, command->method, length);
    method[length] = '\0';
    excerpt_of(command->stored, excerpt, sizeof excerpt);
    if (store_dead_command_add(command->ctx->store, &dead, NULL) != AIBOX_OK)
        log_warn("cloud", "a command that can't be executed is not kept method=%s", method);
}

/* Room for the results of a notify_path that doesn't answer is bounded; the commands go on. */
static enum aibox_status finish(struct command *command, const struct command_result *result, struct aibox_error *err)
{
    const struct command_context *ctx = command->ctx;
    int64_t inbox_id = command->stored->inbox_id;
    enum aibox_status status = store_inbox_finish(ctx->store, inbox_id, reply_compose(command, result), err);

    if (status == AIBOX_TOO_MANY_REQUESTS && command->result_url != NULL) {
        atomic_fetch_add(&ctx->counters->results_lost, 1);
        log_warn("cloud", "a result is lost: too many wait for its destination method=%s", command->method);
        status = store_inbox_finish(ctx->store, inbox_id, NULL, err);
    }
    return status;
}

static void count(struct command_counters *counters, enum aibox_status status)
{
    atomic_fetch_add(status == AIBOX_OK              ? &counters->executed
                     : status == AIBOX_COMMAND_PARAM ? &counters->refused
                                                     : &counters->failed,
                     1);
}

/* A failure of the command as a whole becomes its result. */
static void fail(struct command *command, struct command_result *result, enum aibox_status status,
                 const struct aibox_error *err)
{
    json_out_free(&result->result);
    result->status = argument_status(status);
    result->code = 0;
    memcpy(result->message, err->message, sizeof result->message);
    if (result->status == AIBOX_COMMAND_PARAM)
        keep_dead(command, err->message);
}

static void run_handler(struct command *command, struct command_result *result)
{
    struct aibox_error err = {0};
    enum aibox_status status = execute(command, result, &err);

    /* There was no room for the result that was to be stored with the effect: if need be without it. */
    if (status == AIBOX_TOO_MANY_REQUESTS && command->result_url != NULL) {
        atomic_fetch_add(&command->ctx->counters->results_lost, 1);
        free(command->lane);
        command->lane = NULL;
        json_out_free(&result->result);
        json_out_init(&result->result, COMMAND_MAX_RESULT);
        status = execute(command, result, &err);
    }
    if (status != AIBOX_OK && !command->stopped)
        fail(command, result, status, &err);
}

static bool changes_something(const struct command *command)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(command->method, methods[i].method) == 0)
            return methods[i].changes;
    return false;
}

static enum command_end end(struct command *command, const struct command_result *result)
{
    struct aibox_error err = {0};
    enum aibox_status status = AIBOX_OK;

    if (command->stopped)
        return COMMAND_STOPPED;
    /* The queue of results is full: nothing was done, and the command waits for room. */
    if (result->status == AIBOX_TOO_MANY_REQUESTS)
        return COMMAND_LATER;
    if (!command->finished)
        status = finish(command, result, &err);
    if (status != AIBOX_OK && status != AIBOX_NOT_FOUND) {
        log_warn("cloud", "a command is not finished method=%s reason=\"%s\"", command->method, err.message);
        return COMMAND_LATER;
    }
    if (changes_something(command))
        command_audit(command, result);
    count(command->ctx->counters, result->status);
    log_info("cloud", "command executed method=%s message_id=\"%.64s\" code=%d message=\"%s\"", command->method,
             command->message_id, result->code != 0 ? result->code : status_code(result->status), result->message);
    return COMMAND_FINISHED;
}

enum command_end command_run(const struct command_context *ctx, const struct store_command *stored)
{
    struct command command = {.ctx = ctx, .stored = stored, .method = "", .message_id = stored->message_id};
    struct command_result result = {0};
    struct aibox_error err = {0};

    buffer_init(&command.payload, STORE_MAX_OUTBOX_BYTES);
    json_out_init(&result.result, COMMAND_MAX_RESULT);
    enum aibox_status status = read_command(&command, &err);
    if (status == AIBOX_OK)
        run_handler(&command, &result);
    else
        fail(&command, &result, status, &err);
    enum command_end ended = end(&command, &result);
    json_out_free(&result.result);
    buffer_free(&command.payload);
    free(command.lane);
    free(command.result_url);
    json_decref(command.body);
    return ended;
}
