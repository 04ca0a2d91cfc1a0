/* Doors: /SophonFogSys/api/GateControllerMode, EventAction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/arguments.h"
#include "api/endpoint.h"
#include "api/request.h"
#include "api/resources.h"
#include "api/setting_change.h"
#include "core/settings.h"
#include "door/react.h"
#include "flow/devices.h"
#include "flow/flow.h"

#define DEFAULT_CHANNELS 8
#define MODE_KEY         "door.controller_mode"
#define MOST_NAMED       400 /* bytes of relays and reasons in a message */

/* ---- GateControllerMode ---------------------------------------------------------------------------------------- */

static enum aibox_status answer_mode(struct api_context *ctx, struct api_response *res)
{
    struct json_out *out = api_body(res);
    char mode[16];

    settings_text(ctx->settings, MODE_KEY, mode, sizeof mode);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_text(out, "controller_mode", mode);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static enum aibox_status get_mode(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                  struct aibox_error *err)
{
    (void)req;
    (void)err;
    return answer_mode(ctx, res);
}

static enum aibox_status set_mode(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                  struct aibox_error *err)
{
    const char *key = MODE_KEY, *mode = api_text(req, "controller_mode");
    enum aibox_status status = setting_change_check(ctx, req->api, key, mode, err);

    if (status == AIBOX_OK)
        status = setting_change_apply(ctx, &key, &mode, 1, err);
    return status == AIBOX_OK ? answer_mode(ctx, res) : status;
}

/* ---- EventAction: reading ---------------------------------------------------------------------------------------- */

enum action_field { ACTION_IP, ACTION_PORT, ACTION_MODE, ACTION_DURATION, LOGIC_PORT, RELAY_TYPE, ACTION_FIELDS };

static const struct api_field action_fields[ACTION_FIELDS] = {
    [ACTION_IP] = {.name = "action_ip", .type = API_TEXT, .flags = API_REQUIRED | API_NOT_EMPTY, .max = 255},
    [ACTION_PORT] = {.name = "action_port", .type = API_INT, .flags = API_REQUIRED, .min = 1, .max = 65535},
    [ACTION_MODE] = {.name = "action_mode",
                     .type = API_CHOICE,
                     .flags = API_REQUIRED,
                     .choices = "opendoor|closedoor|alarm"},
    [ACTION_DURATION] =
        {.name = "action_duration", .type = API_INT, .default_text = "5", .min = 0, .max = DOOR_HOLD_SECONDS},
    [LOGIC_PORT] = {.name = "logic_port", .type = API_INT, .default_text = "0", .min = 0, .max = DOOR_MAX_CHANNELS},
    [RELAY_TYPE] = {.name = "relay_type", .type = API_CHOICE, .choices = "modbus|http|tcp"},
};

/* Index of a word of a closed list that holds it. */
static int index_of(const char *const *words, const char *word)
{
    int i = 0;

    while (strcmp(words[i], word) != 0)
        i++;
    return i;
}

static bool is_host(const char *host)
{
    return host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:%")] == '\0';
}

/* Language and channels: as told, else as the device with this relay has it, else as usual. */
static void choose_board(const struct api_context *ctx, const char *relay_type, struct door_command *command)
{
    const struct device *device = devices_find_relay(flow_devices(ctx->flow), command->host, command->port);

    if (device != NULL)
        command->channels = device->relay.channels;
    if (relay_type != NULL)
        command->driver = (enum door_driver)index_of(door_driver_names, relay_type);
    else if (device != NULL)
        command->driver = door_relay_driver(ctx->door, &device->relay);
    else
        command->driver = door_default_driver(ctx->door, command->port);
    device_release(device);
    if (command->channels < command->logic_port)
        command->channels = command->logic_port; /* a larger board than usual */
}

static enum aibox_status read_action(const struct api_context *ctx, struct api_request *req, const json_t *json,
                                     const char *name, struct door_command *command, struct aibox_error *err)
{
    struct api_value values[ACTION_FIELDS];
    enum aibox_status status = arguments_parse_object(req, json, name, action_fields, ACTION_FIELDS, values, err);

    if (status != AIBOX_OK)
        return status;
    if (!is_host(values[ACTION_IP].text))
        return error_set(err, AIBOX_PARAM, "%s: action_ip: expected the address or name of a relay", name);
    *command = (struct door_command){
        .port = (int)values[ACTION_PORT].integer,
        .mode = (enum door_mode)index_of(door_mode_names, values[ACTION_MODE].text),
        .duration_s = (int)values[ACTION_DURATION].integer,
        .logic_port = (int)values[LOGIC_PORT].integer,
        .channels = DEFAULT_CHANNELS,
    };
    memcpy(command->host, values[ACTION_IP].text, strlen(values[ACTION_IP].text) + 1);
    if (command->mode == DOOR_OPEN && command->duration_s < 1)
        return error_set(err, AIBOX_PARAM, "%s: action_duration: expected an integer from 1 to %d, got 0", name,
                         DOOR_HOLD_SECONDS);
    choose_board(ctx, values[RELAY_TYPE].given ? values[RELAY_TYPE].text : NULL, command);
    return AIBOX_OK;
}

/* ---- EventAction: answering ------------------------------------------------------------------------------------ */

/* Appends " address:port" (and the reason) of the relays that were driven, or weren't; what doesn't fit is counted. */
static void name_relays(struct buffer *out, const struct door_command *commands, const struct door_result *results,
                        size_t n, bool done, size_t most)
{
    size_t named = 0, left = 0;

    for (size_t i = 0; i < n; i++) {
        char one[512];

        if (results[i].done != done)
            continue;
        (void)snprintf(one, sizeof one, "%s%.255s:%d%s%s", named ? ", " : "", commands[i].host, commands[i].port,
                       done ? "" : ": ", done ? "" : results[i].reason);
        if (named > 0 && out->size + strlen(one) > most) {
            left++;
            continue;
        }
        buffer_append_text(out, one);
        named++;
    }
    if (left > 0)
        buffer_appendf(out, " and %zu more", left);
}

static enum aibox_status explain(const struct door_command *commands, const struct door_result *results, size_t n,
                                 size_t n_done, struct aibox_error *err)
{
    struct buffer text;
    enum aibox_status status;

    buffer_init(&text, 2048);
    buffer_append_text(&text, "action: ");
    name_relays(&text, commands, results, n, false, MOST_NAMED * 2 / 3);
    if (n_done > 0) {
        buffer_append_text(&text, "; done: ");
        name_relays(&text, commands, results, n, true, MOST_NAMED);
    }
    status = error_set(err, AIBOX_PROCESS_FAILED, "%s",
                       text.failed ? "action: a relay could not be driven" : (const char *)text.data);
    buffer_free(&text);
    return status;
}

static void answer_actions(struct api_response *res, const struct door_command *commands, size_t n)
{
    static const char *const done[] = {[DOOR_OPEN] = "opened", [DOOR_CLOSE] = "closed", [DOOR_ALARM] = "alarm raised"};
    struct json_out *out = api_body(res);
    struct buffer modes;
    bool common = true;

    buffer_init(&modes, (size_t)DOOR_MAX_BATCH * 16);
    for (size_t i = 1; i < n; i++)
        common = common && commands[i].mode == commands[0].mode;
    for (size_t i = 0; i < (common ? 1 : n); i++)
        buffer_appendf(&modes, "%s%s", i ? "," : "", door_mode_names[commands[i].mode]);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_text(out, "message", common ? done[commands[0].mode] : "done");
    json_out_key_text(out, "action_mode", (const char *)modes.data);
    json_out_object_end(out);
    json_out_object_end(out);
    buffer_free(&modes);
}

static enum aibox_status drive(struct api_context *ctx, struct api_request *req, struct api_response *res,
                               struct aibox_error *err)
{
    const json_t *actions = api_json(req, "action");
    size_t n = json_array_size(actions), n_done = 0;
    struct door_command *commands = arena_array(&req->arena, n, sizeof *commands);
    struct door_result *results = arena_array(&req->arena, n, sizeof *results);

    if (n == 0)
        return error_set(err, AIBOX_PARAM, "action: expected a list of at least one object");
    if (!commands || !results)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    for (size_t i = 0; i < n; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "action[%zu]", i);
        enum aibox_status status = read_action(ctx, req, json_array_get(actions, i), name, &commands[i], err);
        if (status != AIBOX_OK)
            return status;
    }
    door_drive(ctx->door, commands, n, results);
    for (size_t i = 0; i < n; i++)
        n_done += results[i].done;
    if (n_done < n)
        return explain(commands, results, n, n_done, err);
    answer_actions(res, commands, n);
    return AIBOX_OK;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static const struct api_field mode_fields[] = {
    {.name = "controller_mode",
     .type = API_CHOICE,
     .default_text = "opendoor",
     .choices = "opendoor|alarm|avoid",
     .help = "opendoor: a pass opens the door, blacklisted people raise the alarm; alarm: doors stay shut, blacklisted "
             "people raise the alarm; avoid: recognise and report only."},
};

static const struct api_field drive_fields[] = {
    {.name = "action",
     .type = API_OBJECTS,
     .flags = API_REQUIRED,
     .max_items = DOOR_MAX_BATCH,
     .help = "Relays: action_ip, action_port, action_mode opendoor|closedoor|alarm, action_duration seconds (5; 255 "
             "holds the door open), logic_port channel (0: all), relay_type modbus|http|tcp (when absent: that of the "
             "device with this relay, else modbus for port 502, else the setting door.relay_default)."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_doors_endpoints[] = {
    {"GET", "/SophonFogSys/api/GateControllerMode", API_QUERY, API_VIEWER, true, NULL, 0, get_mode, "doors",
     "What decisions do to doors", NULL},
    {"POST", "/SophonFogSys/api/GateControllerMode", API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false,
     FIELDS(mode_fields), set_mode, "doors", "Set what decisions do to doors", "{\"controller_mode\": \"opendoor\"}"},
    {"PUT", "/SophonFogSys/api/EventAction", API_BODY_JSON, API_OPERATOR, false, FIELDS(drive_fields), drive, "doors",
     "Drive relays at once; answers within 3 s, in every controller mode",
     "{\"action\": [{\"action_ip\": \"192.168.1.50\", \"action_port\": 12345, \"action_mode\": \"opendoor\", "
     "\"action_duration\": 5, \"logic_port\": 1}]}"},
};
const size_t api_doors_count = sizeof api_doors_endpoints / sizeof api_doors_endpoints[0];
