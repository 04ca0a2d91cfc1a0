/* The three ways to talk to a relay board. Private to the room. Each call blocks until its deadline at the latest. */
#ifndef AIBOX_DOOR_RELAY_H
#define AIBOX_DOOR_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/resolve.h"
#include "core/settings.h"
#include "core/status.h"
#include "door/door.h"
#include "door/template.h"

/* What a driver needs beyond the command, and what it tells beside its status. One thread at a time. */
struct relay_call {
    const struct settings *settings;
    struct resolver *resolver;
    int64_t deadline_ms; /* monotonic */
    uint64_t held;       /* bit i: channel i + 1 is held open, which an opening for a time must not end */
    bool sent;           /* out: the order may have reached the relay, also when no answer came */
    int parting;         /* out: connection to end with link_close_gently() once the result is handed on, or -1 */
};

/* Consecutive coils of a Modbus unit. */
struct relay_coils {
    int unit;
    int first; /* address, from 0 */
    int count; /* 1..DOOR_MAX_CHANNELS */
};

/*
 * All of them: REMOTE_FAILED (no answer, refused, "Modbus: Illegal data address", "HTTP status 404", …), PARAM (a
 * template that can't be expanded; the message names the setting).
 */

/* Modbus TCP: Write Single Coil (function 5) for one coil, Write Multiple Coils (15) for several. */
enum aibox_status relay_modbus(struct relay_call *call, const char *host, int port, const struct relay_coils *coils,
                               bool on, struct aibox_error *err);
/* The coils that a command is about, by the settings. */
struct relay_coils relay_modbus_coils(const struct settings *settings, const struct door_command *command);

/* One request; for all channels one each, unless the template names no channel. 2xx is success. */
enum aibox_status relay_http(struct relay_call *call, const struct door_command *command, struct aibox_error *err);

/* Bytes over a connection of their own. */
enum aibox_status relay_tcp(struct relay_call *call, const struct door_command *command, struct aibox_error *err);

/* Shared by the drivers with templates. */

#define RELAY_TEMPLATE_SIZE 1025 /* of the settings door.http.* and door.tcp.*, with NUL */

/* Bits of the channels that a command is about. */
uint64_t relay_channels(const struct door_command *command);
/* True when the channel (0: all of them) is to be opened until it is closed: asked for, or held so already. */
bool relay_holds(const struct relay_call *call, const struct door_command *command, int channel);
enum relay_part { RELAY_BYTES, RELAY_URL, RELAY_BODY };
/* Copies the template of that part (door.tcp.open, door.http.open, door.http.open_body, or those of hold, close and
 * alarm) for the channel to `out`; returns its key. */
const char *relay_template(const struct relay_call *call, enum relay_part part, const struct door_command *command,
                           int channel, char out[RELAY_TEMPLATE_SIZE]);
/* template_expand for that command and channel; `host` as it shall appear. PARAM, beginning with `key`, also for an
 * empty template. */
enum aibox_status relay_expand(const struct relay_call *call, const char *key, const char *text,
                               enum template_kind kind, const struct door_command *command, const char *host,
                               int channel, struct buffer *out, struct aibox_error *err);

#endif
