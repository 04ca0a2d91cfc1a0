/* delete_users and wipe_data: effect and result are one transaction. */
#include <stdio.h>
#include <stdlib.h>

#include "cloud/command_internal.h"
#include "store/commands.h"

/* ---- delete_users ------------------------------------------------------------------------------------------ */

struct deletion {
    struct command *command;
    struct command_result *result;
    const char **ids;
    bool *deleted;
    size_t n;
};

static size_t write_users(struct json_out *out, const struct deletion *deletion, bool deleted)
{
    size_t count = 0;

    json_out_array_begin(out);
    for (size_t i = 0; i < deletion->n; i++) {
        if (deletion->deleted[i] != deleted)
            continue;
        json_out_object_begin(out);
        json_out_key_text(out, "userid", deletion->ids[i]);
        json_out_key_text(out, "message", deleted ? "deleted" : "no such person");
        json_out_key_int(out, "code", deleted ? 0 : status_code(AIBOX_ID_NOT_FOUND));
        json_out_object_end(out);
        count++;
    }
    json_out_array_end(out);
    return count;
}

/* On the store's writer thread. */
static const struct store_message *compose_deletion(void *ctx)
{
    struct deletion *deletion = ctx;
    struct command_result *result = deletion->result;
    struct json_out *out = &result->result;

    json_out_object_begin(out);
    json_out_key(out, "success_users");
    size_t deleted = write_users(out, deletion, true);
    json_out_key(out, "failed_users");
    size_t failed = write_users(out, deletion, false);
    json_out_object_end(out);
    (void)snprintf(result->message, sizeof result->message, "delete_users done: %zu deleted, %zu failed", deleted,
                   failed);
    return reply_compose(deletion->command, result);
}

enum aibox_status command_delete_users(struct command *command, struct command_result *result, struct aibox_error *err)
{
    struct deletion deletion = {.command = command, .result = result};
    struct store_answer answer = {.inbox_id = command->stored->inbox_id, .compose = compose_deletion, .ctx = &deletion};
    json_t *list;
    enum aibox_status status =
        argument_list(command->body, "userid_list", "userid_list", COMMAND_MAX_PEOPLE, &list, err);

    if (status == AIBOX_OK && list == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "userid_list: required");
    if (status == AIBOX_OK)
        status = argument_ids(list, "userid_list", err);
    if (status != AIBOX_OK)
        return status;
    deletion.n = json_array_size(list);
    deletion.ids = calloc(deletion.n + 1, sizeof *deletion.ids);
    deletion.deleted = calloc(deletion.n + 1, sizeof *deletion.deleted);
    if (deletion.ids != NULL && deletion.deleted != NULL) {
        for (size_t i = 0; i < deletion.n; i++)
            deletion.ids[i] = json_string_value(json_array_get(list, i));
        status =
            store_people_delete_known(command->ctx->store, deletion.ids, deletion.n, deletion.deleted, &answer, err);
        command->finished = status == AIBOX_OK;
    } else {
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    free(deletion.deleted);
    free(deletion.ids);
    return status;
}

/* ---- wipe_data --------------------------------------------------------------------------------------------- */

struct wipe {
    struct command *command;
    struct command_result *result;
    bool composed;
};

/* On the store's writer thread. */
static const struct store_message *compose_wipe(void *ctx)
{
    struct wipe *wipe = ctx;

    wipe->composed = true;
    return reply_compose(wipe->command, wipe->result);
}

static enum aibox_status read_option(const json_t *options, const char *key, const char *field, bool *out,
                                     struct aibox_error *err)
{
    bool given;
    enum aibox_status status = argument_bool(options, key, field, &given, out, err);

    return status == AIBOX_OK && !given ? error_set(err, AIBOX_COMMAND_PARAM, "%s: required", field) : status;
}

static enum aibox_status echo(json_t *options, struct command_result *result, struct aibox_error *err)
{
    char *text = json_dumps(options, JSON_COMPACT);

    if (text == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    json_out_object_begin(&result->result);
    json_out_key(&result->result, "wipe_options");
    json_out_raw(&result->result, text);
    json_out_object_end(&result->result);
    (void)snprintf(result->message, sizeof result->message, "wipe_data done");
    free(text);
    return AIBOX_OK;
}

/* users and events are required, unless `all` is true: both, and the settings. */
static enum aibox_status read_options(json_t *options, bool *users, bool *events, bool *all, struct aibox_error *err)
{
    bool given;
    enum aibox_status status = argument_bool(options, "all", "wipe_options.all", &given, all, err);

    if (status == AIBOX_OK && !*all)
        status = read_option(options, "users", "wipe_options.users", users, err);
    if (status == AIBOX_OK && !*all)
        status = read_option(options, "events", "wipe_options.events", events, err);
    *users |= *all;
    *events |= *all;
    return status;
}

/* Which platform the box belongs to stays, so that it can be told what to do next. */
static enum aibox_status wipe_settings(const struct command_context *ctx, struct aibox_error *err)
{
    static const char *const kept[] = {"cloud.dev_sno", "cloud.login_url", NULL};
    enum aibox_status status = store_settings_reset(ctx->store, ctx->settings, kept, err);

    return status == AIBOX_OK && ctx->reports != NULL ? report_config_reset(ctx->reports, err) : status;
}

enum aibox_status command_wipe_data(struct command *command, struct command_result *result, struct aibox_error *err)
{
    const struct command_context *ctx = command->ctx;
    struct wipe wipe = {.command = command, .result = result};
    struct store_answer answer = {.inbox_id = command->stored->inbox_id, .compose = compose_wipe, .ctx = &wipe};
    bool users = false, events = false, all = false;
    json_t *options;
    enum aibox_status status = argument_object(command->body, "wipe_options", "wipe_options", &options, err);

    if (status == AIBOX_OK && options == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "wipe_options: required");
    if (status == AIBOX_OK)
        status = read_options(options, &users, &events, &all, err);
    if (status == AIBOX_OK)
        status = echo(options, result, err);
    if (status == AIBOX_OK && all)
        status = wipe_settings(ctx, err);
    if (status != AIBOX_OK)
        return status;
    /* Imports hold people's photos, and would bring people back. */
    if (users)
        jobs_clear(ctx->jobs);
    status = store_wipe_answering(ctx->store, users, events, &answer, err);
    /* Once the result is stored the rows are gone; what is left then are bytes, which the next start removes. */
    command->finished = status == AIBOX_OK || (wipe.composed && status == AIBOX_PROCESS_FAILED);
    if (status == AIBOX_OK && events)
        flow_forget_sightings(ctx->flow);
    return status;
}
