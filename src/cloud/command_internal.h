/* What the files of the commands share. */
#ifndef AIBOX_CLOUD_COMMAND_INTERNAL_H
#define AIBOX_CLOUD_COMMAND_INTERNAL_H

#include <jansson.h>

#include "cloud/command.h"
#include "core/json_out.h"
#include "store/commands.h"

#define COMMAND_MAX_RESULT (STORE_MAX_OUTBOX_BYTES - ADDRESS_MAX - 1) /* bytes; room for the URL of a notify_path */

/* A command that is being executed. */
struct command {
    const struct command_context *ctx;
    const struct store_command *stored;
    json_t *body;           /* owned */
    const char *method;     /* "" when the message names none */
    const char *message_id; /* "" when the message has none */
    char *lane;             /* owned; where the result goes, NULL: nowhere */
    char *result_url;       /* owned; for a lane that posts, else NULL */
    bool stopped;           /* set by the handler: it is to be gone on with later */
    bool finished;          /* set by command_answer()'s caller: the command is gone from the inbox */
    struct buffer payload;
    struct store_message message;
};

/* What the result says. A handler fills it in; zeroed it means a success without `result`. */
struct command_result {
    enum aibox_status status; /* AIBOX_OK: success; its code goes into the result */
    int code;                 /* not 0: instead of the status's */
    char message[512];
    struct json_out result; /* the value of `result`; empty: {} */
};

/*
 * Executes: OK with `result` filled in (which may tell of a failure), or a failure of the command as a whole, of which
 * `err` is told. COMMAND_PARAM: the arguments are wrong, and nothing was done.
 */
typedef enum aibox_status (*command_handler)(struct command *command, struct command_result *result,
                                             struct aibox_error *err);

enum aibox_status command_add_users(struct command *command, struct command_result *result, struct aibox_error *err);
enum aibox_status command_delete_users(struct command *command, struct command_result *result, struct aibox_error *err);
enum aibox_status command_wipe_data(struct command *command, struct command_result *result, struct aibox_error *err);
enum aibox_status command_fiqa(struct command *command, struct command_result *result, struct aibox_error *err);
enum aibox_status command_sync_permissions(struct command *command, struct command_result *result,
                                           struct aibox_error *err);
enum aibox_status command_control_config(struct command *command, struct command_result *result,
                                         struct aibox_error *err);
enum aibox_status command_add_device(struct command *command, struct command_result *result, struct aibox_error *err);
enum aibox_status command_update_device(struct command *command, struct command_result *result,
                                        struct aibox_error *err);
enum aibox_status command_delete_device(struct command *command, struct command_result *result,
                                        struct aibox_error *err);

/* ---- command_audit.c: an entry in the audit log. A failure is logged: what was done is done. */
void command_audit(const struct command *command, const struct command_result *result);

/* ---- reply.c ---------------------------------------------------------------------------------------------- */

/* Where the result goes: lane and URL. COMMAND_PARAM: a notify_path of which no URL comes. */
enum aibox_status reply_route(struct command *command, struct aibox_error *err);
/* The message with the result, which lives in `command`; NULL: none is sent. When it would be too long, it tells of
 * that instead. No store is called. */
const struct store_message *reply_compose(struct command *command, const struct command_result *result);

/* ---- arguments.c: looking at what came --------------------------------------------------------------------- */

/* Failures are COMMAND_PARAM naming `field`. null counts as absent. */
enum aibox_status argument_text(const json_t *object, const char *key, const char *field, const char **out,
                                struct aibox_error *err); /* absent: NULL */
enum aibox_status argument_bool(const json_t *object, const char *key, const char *field, bool *given, bool *out,
                                struct aibox_error *err); /* absent: *given false, *out untouched */
enum aibox_status argument_object(json_t *object, const char *key, const char *field, json_t **out,
                                  struct aibox_error *err); /* absent: NULL; borrowed */
/* Also `most` items at most. */
enum aibox_status argument_list(json_t *object, const char *key, const char *field, size_t most, json_t **out,
                                struct aibox_error *err);
/* Texts; integers become decimal text, in place. */
enum aibox_status argument_id(json_t *object, const char *key, const char *field, const char **out,
                              struct aibox_error *err);
enum aibox_status argument_ids(json_t *list, const char *field, struct aibox_error *err);
/* high, middle, low, custom, no; absent or empty: *out untouched. */
struct vision_quality_limits;
enum aibox_status argument_level(const json_t *object, const char *key, const char *field, bool *given,
                                 enum vision_quality_level *out, struct aibox_error *err);
/* Base64 of a picture: *out (malloc). IMAGE: not that, or empty. */
enum aibox_status argument_photo(const json_t *text, const char *field, uint8_t **out, size_t *size,
                                 struct aibox_error *err);
/* The status as results of commands name it: wrong arguments of REST calls are wrong arguments here. */
enum aibox_status argument_status(enum aibox_status status);

#endif
