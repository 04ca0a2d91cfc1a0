#include "door/relay.h"

enum action { ACTION_OPEN, ACTION_HOLD, ACTION_CLOSE, ACTION_ALARM, ACTIONS };

static const char *const keys[][ACTIONS] = {
    [RELAY_BYTES] = {"door.tcp.open", "door.tcp.hold", "door.tcp.close", "door.tcp.alarm"},
    [RELAY_URL] = {"door.http.open", "door.http.hold", "door.http.close", "door.http.alarm"},
    [RELAY_BODY] = {"door.http.open_body", "door.http.hold_body", "door.http.close_body", "door.http.alarm_body"},
};

uint64_t relay_channels(const struct door_command *command)
{
    if (command->logic_port > 0)
        return UINT64_C(1) << (command->logic_port - 1);
    return UINT64_MAX >> (DOOR_MAX_CHANNELS - command->channels);
}

bool relay_holds(const struct relay_call *call, const struct door_command *command, int channel)
{
    struct door_command one = *command;
    uint64_t channels;

    if (command->mode != DOOR_OPEN)
        return false;
    one.logic_port = channel;
    channels = relay_channels(&one);
    return command->duration_s == DOOR_HOLD_SECONDS || (call->held & channels) == channels;
}

const char *relay_template(const struct relay_call *call, enum relay_part part, const struct door_command *command,
                           int channel, char out[RELAY_TEMPLATE_SIZE])
{
    enum action action = ACTION_OPEN;

    if (command->mode == DOOR_CLOSE)
        action = ACTION_CLOSE;
    else if (command->mode == DOOR_ALARM)
        action = ACTION_ALARM;
    else if (relay_holds(call, command, channel))
        action = ACTION_HOLD;
    (void)settings_text(call->settings, keys[part][action], out, RELAY_TEMPLATE_SIZE);
    return keys[part][action];
}

enum aibox_status relay_expand(const struct relay_call *call, const char *key, const char *text,
                               enum template_kind kind, const struct door_command *command, const char *host,
                               int channel, struct buffer *out, struct aibox_error *err)
{
    struct template_values values = {
        .host = host,
        .port = command->port,
        .channel = channel,
        .seconds = relay_holds(call, command, channel) ? DOOR_HOLD_SECONDS : command->duration_s,
        .action = door_mode_names[command->mode],
    };
    enum aibox_status status = template_expand(text, kind, &values, out, err);

    if (status != AIBOX_OK)
        error_prefix(err, "%s", key);
    return status;
}
