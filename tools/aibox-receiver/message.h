/* What a message is, told from its body, and what is worth saying of it in one line. Any thread. */
#ifndef AIBOX_RECEIVER_MESSAGE_H
#define AIBOX_RECEIVER_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

#define MESSAGE_BATCH_MAX 100
#define MESSAGE_NOTE      160

enum message_kind {
    MESSAGE_REALTIME,    /* an event as it happens */
    MESSAGE_HISTORY,     /* an event out of the archive */
    MESSAGE_STATUS,      /* how the box and its devices are */
    MESSAGE_DEVICE,      /* a device was added or deleted */
    MESSAGE_DEVICE_LIST, /* all devices */
    MESSAGE_RESULT,      /* of a command */
    MESSAGE_UNKNOWN,     /* JSON or a form, but none of these */
    MESSAGE_MALFORMED,   /* could not be read at all; never told from a body */
    MESSAGE_KINDS
};

/* "realtime", "history", "status", "device", "device_list", "result", "unknown", "malformed" */
const char *message_kind_name(enum message_kind kind);
bool message_kind_of(const char *name, enum message_kind *kind);

/* The texts belong to the body; NULL: it says nothing of the sort. */
struct message {
    enum message_kind kind;
    const char *event_id;
    const char *identity_id;
    const char *person;
    const char *device; /* for a status report: the box */
    bool has_score;
    double score;
    char note[MESSAGE_NOTE]; /* "online, 3 devices"; "": nothing more to say */
};

/*
 * How many messages a body holds: an array of events is as many, anything else is one. BAD_REQUEST for an empty array
 * and for more events than MESSAGE_BATCH_MAX.
 */
enum aibox_status message_count(const json_t *body, size_t *count, struct aibox_error *err);

/* Number `index` of a body's messages. Not owned. */
json_t *message_at(json_t *body, size_t index);

/*
 * Reads one message. Events look alike whichever way they are sent: out of a batch, with `want_action`, or sent to a
 * path that speaks of history or records, one is history; otherwise real-time.
 */
void message_read(const json_t *value, const char *path, bool in_batch, struct message *out);

#endif
