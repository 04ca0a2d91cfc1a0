/* What decisions do to the doors of the devices they were made for. Any thread. */
#ifndef AIBOX_DOOR_REACT_H
#define AIBOX_DOOR_REACT_H

#include "door/door.h"

struct device;
struct device_relay;
struct flow_decision;

/* The language of a device's relay, as told, or by its port and the setting. */
enum door_driver door_relay_driver(const struct door *door, const struct device_relay *relay);

/*
 * Does what the setting door.controller_mode wants. opendoor: a pass opens the device's door for its time, somebody
 * blacklisted raises the alarm. alarm: the door stays shut; somebody blacklisted, and with door.alarm_strangers a
 * stranger too, raises the alarm. avoid: nothing. Nothing also where the device has no relay, or no alarm output.
 * Returns at once, before the relay has moved, with the wire word of what was ordered, "" for nothing (static).
 */
const char *door_react(struct door *door, const struct device *device, const struct flow_decision *decision);

#endif
