/* control_config: the platform's words for settings of the box. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/command_internal.h"

#define MAX_FIELDS    64
#define VALUE_SIZE    64
#define USUAL_ANCHOR  82 /* the platform's figure for the box's own threshold, when it names none */
#define THRESHOLD_MAX 100

/* What a field comes down to. */
struct wish {
    const char *key; /* the setting; NULL: nothing is to be changed */
    char value[VALUE_SIZE];
};

typedef enum aibox_status (*field_reader)(struct command *command, const json_t *fields, const json_t *value,
                                          struct wish *wish, struct aibox_error *err);

static enum aibox_status expected(const char *what, struct aibox_error *err)
{
    return error_set(err, AIBOX_COMMAND_PARAM, "%s is expected", what);
}

/* ---- the fields -------------------------------------------------------------------------------------------- */

static enum aibox_status set_bool(const char *key, const json_t *value, struct wish *wish, struct aibox_error *err)
{
    if (!json_is_boolean(value))
        return expected("true or false", err);
    wish->key = key;
    (void)snprintf(wish->value, sizeof wish->value, "%s", json_is_true(value) ? "true" : "false");
    return AIBOX_OK;
}

static enum aibox_status read_stranger_group(struct command *command, const json_t *fields, const json_t *value,
                                             struct wish *wish, struct aibox_error *err)
{
    (void)command;
    (void)fields;
    return set_bool("recognition.stranger_memory", value, wish, err);
}

static enum aibox_status read_need_info(struct command *command, const json_t *fields, const json_t *value,
                                        struct wish *wish, struct aibox_error *err)
{
    (void)command;
    (void)fields;
    return set_bool("cloud.history_info", value, wish, err);
}

static enum aibox_status read_passmode(struct command *command, const json_t *fields, const json_t *value,
                                       struct wish *wish, struct aibox_error *err)
{
    (void)command;
    (void)fields;
    if (!json_is_string(value) || json_string_length(value) >= sizeof wish->value)
        return expected("normal, allpass or allforbidden", err);
    wish->key = "passmode";
    (void)snprintf(wish->value, sizeof wish->value, "%s", json_string_value(value));
    return AIBOX_OK;
}

/* Faces are looked at in visible light only. */
static enum aibox_status read_infrared(struct command *command, const json_t *fields, const json_t *value,
                                       struct wish *wish, struct aibox_error *err)
{
    (void)command;
    (void)fields;
    (void)wish;
    if (!json_is_boolean(value))
        return expected("true or false", err);
    return json_is_true(value) ? error_set(err, AIBOX_NOT_IMPLEMENTED, "infrared pictures are not taken") : AIBOX_OK;
}

/* threshold_range[1]: which of the platform's figures stands for the box's own threshold. */
static enum aibox_status read_anchor(const json_t *range, double *anchor, struct aibox_error *err)
{
    double before = 0;
    size_t i;
    const json_t *item;

    *anchor = USUAL_ANCHOR;
    if (range == NULL || json_is_null(range))
        return AIBOX_OK;
    if (!json_is_array(range) || json_array_size(range) < 2 || json_array_size(range) > 3)
        return expected("a list of two or three numbers", err);
    json_array_foreach(range, i, item)
    {
        double value = json_number_value(item);
        if (!json_is_number(item) || value < before || value > THRESHOLD_MAX)
            return expected("a list of ascending numbers from 0 to 100", err);
        before = value;
    }
    *anchor = json_number_value(json_array_get(range, 1));
    return *anchor > 0 && *anchor < THRESHOLD_MAX ? AIBOX_OK : expected("a second number between 0 and 100", err);
}

/* 0 stays 0, the anchor is the box's own threshold, 100 is 1; in between along straight lines. */
static enum aibox_status read_threshold(struct command *command, const json_t *fields, const json_t *value,
                                        struct wish *wish, struct aibox_error *err)
{
    double given = json_number_value(value), anchor;
    struct flow_threshold own;

    if (!json_is_number(value) || given < 0 || given > THRESHOLD_MAX)
        return expected("a number from 0 to 100", err);
    if (read_anchor(json_object_get(fields, "threshold_range"), &anchor, NULL) != AIBOX_OK)
        return error_set(err, AIBOX_COMMAND_PARAM, "threshold_range can't be used");
    wish->key = "recognition.threshold";
    /* The anchor itself lets the box choose, also when its gallery grows. */
    if (given >= anchor && given <= anchor) {
        (void)snprintf(wish->value, sizeof wish->value, "auto");
        return AIBOX_OK;
    }
    flow_threshold_automatic(command->ctx->flow, &own);
    double middle = (double)own.threshold;
    double mapped =
        given < anchor ? middle * given / anchor : middle + (1 - middle) * (given - anchor) / (THRESHOLD_MAX - anchor);
    (void)snprintf(wish->value, sizeof wish->value, "%.4f", mapped);
    return AIBOX_OK;
}

/* Belongs to the threshold; by itself it changes nothing. */
static enum aibox_status read_range(struct command *command, const json_t *fields, const json_t *value,
                                    struct wish *wish, struct aibox_error *err)
{
    double anchor;

    (void)command;
    (void)fields;
    (void)wish;
    return read_anchor(value, &anchor, err);
}

static const struct {
    const char *name;
    field_reader read;
} known[] = {
    {"support_stranger_group", read_stranger_group},
    {"threshold", read_threshold},
    {"threshold_range", read_range},
    {"passmode", read_passmode},
    {"history_upload_need_info", read_need_info},
    {"ir_collection", read_infrared},
};

/* ---- the command ------------------------------------------------------------------------------------------- */

/* A value that can be stored, and will be in force. */
static enum aibox_status check(struct settings *settings, const struct wish *wish, struct aibox_error *err)
{
    enum settings_source source;

    if (wish->key == NULL)
        return AIBOX_OK;
    (void)settings_print(settings, wish->key, NULL, 0, &source);
    if (source == SETTINGS_SET)
        return error_set(err, AIBOX_PARAM, "fixed on the box by --set");
    return settings_check(wish->key, wish->value, err);
}

static enum aibox_status change(struct command *command, const json_t *fields, const char *name, const json_t *value,
                                struct aibox_error *err)
{
    const struct command_context *ctx = command->ctx;
    struct wish wish = {0};
    enum aibox_status status = error_set(err, AIBOX_COMMAND_PARAM, "there is no such field");

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i].name) == 0)
            status = known[i].read(command, fields, value, &wish, err);
    if (status == AIBOX_OK)
        status = check(ctx->settings, &wish, err);
    if (status == AIBOX_OK && wish.key != NULL) {
        const char *text = wish.value;
        status = store_settings_apply(ctx->store, ctx->settings, &wish.key, &text, 1, err);
    }
    return status;
}

static enum aibox_status write_fields(const json_t *done, const json_t *failed, struct json_out *out,
                                      struct aibox_error *err)
{
    char *done_text = json_dumps(done, JSON_COMPACT | JSON_REAL_PRECISION(15));
    char *failed_text = json_dumps(failed, JSON_COMPACT);
    bool good = done_text != NULL && failed_text != NULL;

    if (good) {
        json_out_object_begin(out);
        json_out_key(out, "success_field");
        json_out_raw(out, done_text);
        json_out_key(out, "faild_field");
        json_out_raw(out, failed_text);
        json_out_object_end(out);
    }
    free(failed_text);
    free(done_text);
    return good ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

enum aibox_status command_control_config(struct command *command, struct command_result *result,
                                         struct aibox_error *err)
{
    json_t *fields, *value, *done = json_object(), *failed = json_object();
    const char *name;
    enum aibox_status status = argument_object(command->body, "config_field", "config_field", &fields, err);

    if (status == AIBOX_OK && fields == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "config_field: required");
    if (status == AIBOX_OK && json_object_size(fields) > MAX_FIELDS)
        status = error_set(err, AIBOX_COMMAND_PARAM, "config_field: at most %d fields", MAX_FIELDS);
    if (status == AIBOX_OK) {
        json_object_foreach(fields, name, value)
        {
            struct aibox_error reason = {0};
            if (change(command, fields, name, value, &reason) == AIBOX_OK)
                (void)json_object_set(done, name, value);
            else
                (void)json_object_set_new(failed, name, json_string(reason.message));
        }
        (void)snprintf(result->message, sizeof result->message, "control_config done: %zu set, %zu failed",
                       json_object_size(done), json_object_size(failed));
        status = write_fields(done, failed, &result->result, err);
    }
    json_decref(failed);
    json_decref(done);
    return status;
}
