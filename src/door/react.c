#include "door/react.h"

#include <stdio.h>
#include <string.h>

#include "door/lane.h"
#include "flow/devices.h"
#include "flow/flow.h"

enum reaction { REACT_NOT, REACT_OPEN, REACT_ALARM };

enum door_driver door_relay_driver(const struct door *door, const struct device_relay *relay)
{
    switch (relay->type) {
    case DEVICE_RELAY_MODBUS:
        return DOOR_MODBUS;
    case DEVICE_RELAY_HTTP:
        return DOOR_HTTP;
    case DEVICE_RELAY_TCP:
        return DOOR_TCP;
    case DEVICE_RELAY_UNSET:
        break;
    }
    return door_default_driver(door, relay->net_port);
}

static enum reaction choose(const struct door *door, enum flow_reason reason)
{
    char mode[16];

    (void)settings_text(door->settings, "door.controller_mode", mode, sizeof mode);
    if (strcmp(mode, "avoid") == 0)
        return REACT_NOT;
    if (reason == FLOW_BLACKLISTED)
        return REACT_ALARM;
    if (strcmp(mode, "opendoor") == 0)
        return reason == FLOW_PASSED ? REACT_OPEN : REACT_NOT;
    bool stranger = reason == FLOW_STRANGER || reason == FLOW_UNCERTAIN;
    return stranger && settings_bool(door->settings, "door.alarm_strangers") ? REACT_ALARM : REACT_NOT;
}

const char *door_react(struct door *door, const struct device *device, const struct flow_decision *decision)
{
    const struct device_relay *relay = &device->relay;
    enum reaction reaction = choose(door, decision->reason);
    struct door_command command = {.port = relay->net_port, .channels = relay->channels, .duration_s = relay->delay_s};

    if (reaction == REACT_NOT || !relay->ip || (reaction == REACT_ALARM && relay->alarm_port == 0) ||
        strlen(relay->ip) >= sizeof command.host)
        return "";
    memcpy(command.host, relay->ip, strlen(relay->ip) + 1);
    (void)snprintf(command.user, sizeof command.user, "%s", relay->user);
    (void)snprintf(command.password, sizeof command.password, "%s", relay->password);
    command.driver = door_relay_driver(door, relay);
    command.mode = reaction == REACT_OPEN ? DOOR_OPEN : DOOR_ALARM;
    command.logic_port = reaction == REACT_OPEN ? relay->door_port : relay->alarm_port;
    return door_send(door, &command) ? door_mode_names[command.mode] : "";
}
