/*
 * Commands, and what a platform answers when it is asked for people: whatever comes, there is one result, it is JSON,
 * and it names everybody who was listed once. The first line of the input is the command, what follows the answer.
 * Store, pipeline and network are stood in for (their own parsers have targets of their own).
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/command.h"
#include "core/fetch.h"
#include "core/log.h"
#include "flow/devices.h"
#include "store/callers.h"
#include "store/commands.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct settings *settings;
static const uint8_t *answer;
static size_t answer_size;
static unsigned results;

/* ---- what is stood in for ---------------------------------------------------------------------------------- */

#define WRAP(type, name, ...)                                                                                          \
    type __wrap_##name(__VA_ARGS__);                                                                                   \
    type __wrap_##name(__VA_ARGS__)

static void check_result(const struct store_message *message)
{
    json_t *result;

    results++;
    if (message == NULL)
        return;
    result = json_loadb(message->payload, message->size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_boolean(json_object_get(result, "success")) || !json_is_integer(json_object_get(result, "code")) ||
        !json_is_object(json_object_get(result, "result")) ||
        json_is_true(json_object_get(result, "success")) != (json_integer_value(json_object_get(result, "code")) == 0))
        __builtin_trap();
    json_decref(result);
}

WRAP(enum aibox_status, store_inbox_finish, struct store *store, int64_t id, const struct store_message *result,
     struct aibox_error *err)
{
    (void)store;
    (void)id;
    (void)err;
    check_result(result);
    return AIBOX_OK;
}

WRAP(enum aibox_status, store_inbox_progress_put, struct store *store, const struct store_progress *progress,
     struct aibox_error *err)
{
    (void)store;
    (void)err;
    if (strlen(progress->outcome) > STORE_MAX_OUTCOME)
        __builtin_trap();
    return AIBOX_OK;
}

/* Parts of the answer stand for what an earlier run left behind. */
WRAP(enum aibox_status, store_inbox_progress_get, struct store *store, int64_t id, const char *part, char **outcome,
     struct aibox_error *err)
{
    (void)store;
    (void)id;
    (void)err;
    *outcome =
        part[0] == '1' && answer_size > 0 && answer_size < 4096 ? strndup((const char *)answer, answer_size) : NULL;
    return AIBOX_OK;
}

WRAP(enum aibox_status, store_dead_command_add, struct store *store, const struct store_dead_command *dead,
     struct aibox_error *err)
{
    (void)store;
    (void)err;
    if (strlen(dead->excerpt) >= STORE_MAX_DEAD_TEXT || strlen(dead->reason) >= STORE_MAX_DEAD_TEXT)
        __builtin_trap();
    return AIBOX_OK;
}

WRAP(enum aibox_status, store_audit_add, struct store *store, const struct store_audit *entry,
     const char *const *people, size_t n_people, struct aibox_error *err)
{
    (void)store;
    (void)err;
    /* What the real one reads. */
    size_t length = strlen(entry->path) + strlen(entry->what);
    for (size_t i = 0; i < n_people; i++)
        length += strlen(people[i]);
    if (length == 0)
        __builtin_trap();
    return AIBOX_OK;
}

WRAP(enum aibox_status, store_people_delete_known, struct store *store, const char *const *ids, size_t n, bool *deleted,
     const struct store_answer *finish, struct aibox_error *err)
{
    (void)store;
    (void)err;
    for (size_t i = 0; i < n; i++)
        deleted[i] = strlen(ids[i]) % 2 == 0;
    check_result(finish->compose(finish->ctx));
    return AIBOX_OK;
}

WRAP(enum aibox_status, store_wipe_answering, struct store *store, bool people, bool events,
     const struct store_answer *finish, struct aibox_error *err)
{
    (void)store;
    (void)people;
    (void)events;
    (void)err;
    check_result(finish->compose(finish->ctx));
    return AIBOX_OK;
}

WRAP(enum aibox_status, store_permissions_sync, struct store *store, struct store_permission_wish *wishes, size_t n,
     bool replace, const struct store_answer *finish, struct aibox_error *err)
{
    (void)store;
    (void)replace;
    (void)err;
    for (size_t i = 0; i < n; i++)
        wishes[i].status = strlen(wishes[i].name) % 2 == 0 ? AIBOX_OK : AIBOX_GROUP_NAME;
    check_result(finish->compose(finish->ctx));
    return AIBOX_OK;
}

WRAP(enum aibox_status, store_settings_apply, struct store *store, struct settings *of, const char *const *keys,
     const char *const *values, size_t n, struct aibox_error *err)
{
    (void)store;
    (void)of;
    for (size_t i = 0; i < n; i++)
        if (settings_check(keys[i], values[i], err) != AIBOX_OK)
            __builtin_trap();
    return AIBOX_OK;
}

WRAP(enum aibox_status, store_settings_reset, struct store *store, struct settings *of, const char *const *kept,
     struct aibox_error *err)
{
    (void)store;
    (void)of;
    (void)kept;
    (void)err;
    return AIBOX_OK;
}

WRAP(enum aibox_status, flow_enrol, struct flow *flow, enum flow_priority priority,
     const struct flow_enrolment *enrolment, struct store_person *person, bool *created, struct vision_quality *quality,
     struct aibox_error *err)
{
    (void)flow;
    (void)priority;
    (void)created;
    (void)quality;
    *person = (struct store_person){0};
    if (enrolment->change.identity_id == NULL || enrolment->change.info == NULL || enrolment->change.progress == NULL ||
        (enrolment->feature == NULL && enrolment->photo_size == 0))
        __builtin_trap();
    return strlen(enrolment->change.identity_id) % 2 == 0 ? AIBOX_OK : error_set(err, AIBOX_NO_FACE, "no face");
}

WRAP(enum aibox_status, flow_inspect, struct flow *flow, enum flow_priority priority, const uint8_t *picture,
     size_t size, const struct flow_inspection *how, struct flow_face **faces, size_t *count, struct aibox_error *err)
{
    (void)flow;
    (void)priority;
    (void)how;
    (void)err;
    *count = size % 3;
    *faces = *count > 0 && picture != NULL ? calloc(*count, sizeof **faces) : NULL;
    return AIBOX_OK;
}

WRAP(struct vision_quality_limits, flow_quality_limits, struct flow *flow, enum vision_quality_level level)
{
    (void)flow;
    (void)level;
    return (struct vision_quality_limits){0};
}

WRAP(void, flow_threshold_automatic, struct flow *flow, struct flow_threshold *out)
{
    (void)flow;
    *out = (struct flow_threshold){.threshold = 0.4F};
}

WRAP(void, flow_forget_sightings, struct flow *flow)
{
    (void)flow;
}

WRAP(struct devices *, flow_devices, struct flow *flow)
{
    (void)flow;
    return NULL;
}

WRAP(enum aibox_status, devices_list, struct devices *devices, struct device_list *out, struct aibox_error *err)
{
    (void)devices;
    *out = (struct device_list){0};
    return error_set(err, AIBOX_PROCESS_FAILED, "none");
}

WRAP(enum aibox_status, devices_create, struct devices *devices, const json_t *dicts, const char *field,
     struct device_saved_list *saved, struct aibox_error *err)
{
    (void)devices;
    (void)saved;
    return json_is_object(dicts) ? error_set(err, AIBOX_GROUP_NAME, "%s: taken", field) : AIBOX_OK;
}

WRAP(enum aibox_status, devices_update, struct devices *devices, const json_t *dicts, const char *field, bool reset,
     struct device_saved_list *saved, struct aibox_error *err)
{
    (void)reset;
    return __wrap_devices_create(devices, dicts, field, saved, err);
}

WRAP(enum aibox_status, devices_delete, struct devices *devices, const char *const *ids, size_t n,
     struct device_list *deleted, struct aibox_error *err)
{
    (void)devices;
    (void)n;
    (void)deleted;
    return strlen(ids[0]) % 2 == 0 ? AIBOX_OK : error_set(err, AIBOX_NOT_FOUND, "none");
}

WRAP(enum aibox_status, fetcher_get, struct fetcher *fetcher, const char *url, const struct fetch_options *options,
     struct fetch_result *out, struct aibox_error *err)
{
    (void)fetcher;
    (void)options;
    *out = (struct fetch_result){.unanswered = true};
    return error_set(err, AIBOX_REMOTE_FAILED, "%zu", strlen(url));
}

WRAP(enum aibox_status, fetcher_post, struct fetcher *fetcher, const char *url, const char *json, size_t size,
     const struct fetch_options *options, struct fetch_result *out, struct aibox_error *err)
{
    (void)fetcher;
    (void)url;
    (void)json;
    (void)size;
    (void)options;
    (void)err;
    *out = (struct fetch_result){.http_status = 200, .size = answer_size, .body = malloc(answer_size + 1)};
    if (answer_size > 0)
        memcpy(out->body, answer, answer_size);
    return AIBOX_OK;
}

/* ---- the target -------------------------------------------------------------------------------------------- */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_set_level(LOG_LEVEL_ERROR);
    return settings_open(&settings, NULL) == AIBOX_OK ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atomic_bool stop;
    static struct command_counters counters;
    struct command_context ctx = {
        .settings = settings,
        .platform = {.login_url = "http://platform/login", .img_server = "", .dev_sno = "SE1", .token = "t"},
        .result_queue = true,
        .stop = &stop,
        .counters = &counters};
    const uint8_t *end = memchr(data, '\n', size);
    size_t length = end != NULL ? (size_t)(end - data) : size;
    char *body = malloc(length + 1);

    if (body == NULL)
        return 0;
    memcpy(body, data, length);
    body[length] = '\0';
    answer = end != NULL ? end + 1 : data;
    answer_size = end != NULL ? size - length - 1 : 0;
    struct store_command command = {.inbox_id = 1, .message_id = "", .body = body, .size = length};
    results = 0;
    if (command_run(&ctx, &command) != COMMAND_FINISHED || results != 1)
        __builtin_trap();
    free(body);
    return 0;
}
