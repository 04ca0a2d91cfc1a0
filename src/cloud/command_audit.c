/* Commands that change something, in the audit log. People are named by the store, as keyed hashes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/command_internal.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/utf8.h"
#include "store/callers.h"

#define MESSAGE_ID_MAX 64
#define WHAT_SIZE      128

/* The people whom the arguments name, borrowed; *n of them. NULL: none, or out of memory, which leaves them out. */
static const char **find_people(const struct command *command, size_t *n)
{
    json_t *list = json_object_get(command->body, "userid_list");
    json_t *item;
    size_t i;

    if (!json_is_array(list))
        list = json_object_get(command->body, "user_info_list");
    const char **ids = json_array_size(list) > 0 ? calloc(json_array_size(list), sizeof *ids) : NULL;
    *n = 0;
    if (ids == NULL)
        return NULL;
    json_array_foreach(list, i, item)
    {
        const char *id = json_string_value(json_is_object(item) ? json_object_get(item, "identity_id") : item);
        if (id != NULL)
            ids[(*n)++] = id;
    }
    return ids;
}

void command_audit(const struct command *command, const struct command_result *result)
{
    char what[WHAT_SIZE] = "";
    struct aibox_error err = {0};
    size_t n, size = utf8_prefix(command->message_id, strlen(command->message_id), MESSAGE_ID_MAX);
    const char **people = find_people(command, &n);
    int http_status = result->status == AIBOX_OK ? 200 : status_http(result->status);

    if (size > 0)
        (void)snprintf(what, sizeof what, "message_id=%.*s", (int)size, command->message_id);
    struct store_audit entry = {.time_ms = clock_realtime_ms(),
                                .who = "platform",
                                .role = "",
                                .address = "",
                                .method = "COMMAND",
                                .path = command->method,
                                .what = what,
                                .status = http_status != 0 ? http_status : 400}; /* wrong arguments have none */
    if (store_audit_add(command->ctx->store, &entry, people, n, &err) != AIBOX_OK)
        log_warn("cloud", "a command is missing in the audit log method=%s reason=\"%s\"", command->method,
                 err.message);
    free(people);
}
