/*
 * Doors: driving relays over Modbus TCP, HTTP or plain TCP.
 *
 * Every relay address has a lane of its own, so that a dead relay holds up nobody but those who ask for it, and
 * commands to one relay keep their order. A command takes at most DOOR_TIMEOUT_MS, waiting included. Modbus relays have
 * no timer: the box closes them itself when the time is up, also at an orderly stop. All functions: any thread.
 */
#ifndef AIBOX_DOOR_DOOR_H
#define AIBOX_DOOR_DOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"
#include "core/settings.h"
#include "core/status.h"

#define DOOR_TIMEOUT_MS   3000
#define DOOR_HOLD_SECONDS 255 /* a duration of this holds the door open until it is closed */
#define DOOR_MAX_CHANNELS 64
#define DOOR_MAX_BATCH    64

struct door;

enum door_mode { DOOR_OPEN, DOOR_CLOSE, DOOR_ALARM };
enum door_driver { DOOR_MODBUS, DOOR_HTTP, DOOR_TCP };
extern const char *const door_mode_names[];   /* wire words: opendoor, closedoor, alarm */
extern const char *const door_driver_names[]; /* wire words: modbus, http, tcp */

struct door_command {
    char host[256]; /* IPv4, IPv6 or name */
    int port;       /* 1..65535 */
    enum door_driver driver;
    enum door_mode mode;
    int logic_port; /* 1..channels: that channel; 0: all of them */
    int channels;   /* 1..DOOR_MAX_CHANNELS, of the relay board */
    int duration_s; /* DOOR_OPEN: 1..254, or DOOR_HOLD_SECONDS */
    char user[257]; /* HTTP relays that ask for one (Basic or Digest); "" without */
    char password[257];
};

struct door_result {
    bool done;
    char reason[160]; /* when not done: "no answer within 3 s", "connection refused", … */
};

/* Templates and defaults are read from `settings` (door.*), which must outlive the door. */
enum aibox_status door_open(struct settings *settings, struct door **out, struct aibox_error *err);

/* Drives all `n` (<= DOOR_MAX_BATCH) at once, in parallel, and waits for the last: at most DOOR_TIMEOUT_MS. */
void door_drive(struct door *door, const struct door_command *commands, size_t n, struct door_result *results);

/* Queues one command and returns at once: what a decision does. A failure is logged (once when a relay becomes
 * unavailable, once when it returns) and counted. False: the relay's lane is full (16 waiting), counted too. */
bool door_send(struct door *door, const struct door_command *command);

/* Driver for an address for which none is given: port 502 is Modbus, else the setting door.relay_default. */
enum door_driver door_default_driver(const struct door *door, int port);

void door_metrics(struct door *door, struct buffer *out); /* Prometheus text */

/* Closes what is held open for a time, ends the lanes. */
void door_close(struct door *door);

#endif
