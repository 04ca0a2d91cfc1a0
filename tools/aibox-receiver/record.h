/* What is put on record of a message: as JSON for file and page, and as a line for people. Any thread. */
#ifndef AIBOX_RECEIVER_RECORD_H
#define AIBOX_RECEIVER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "body.h"
#include "core/buffer.h"
#include "core/json_out.h"
#include "message.h"
#include "seen.h"

struct record {
    int64_t received_ms; /* Unix time */
    const char *path;    /* without query: that may hold a token */
    enum body_format format;
    const char *idempotency_key; /* or NULL */
    struct message message;
    enum seen_verdict verdict;
    bool kept;                  /* accepted, and in the file if there is one */
    unsigned answer;            /* HTTP status; 0: the connection is closed, or left without an answer */
    bool hangs;                 /* the latter */
    size_t unreadable_pictures; /* fields that hold something else */
};

/* Writes the members into the open object of `out`. Texts are cut to 256 bytes. */
void record_write(const struct record *record, struct json_out *out);

/* Appends "14:03:11.123  realtime  /path  name (id)  0.623  device  event_id  note" and a newline: local time, "-" for
 * what it doesn't say, behind it what is remarkable. Nothing in it that a terminal would obey; colours if `colours`. */
void record_print(const struct record *record, bool colours, struct buffer *out);

#endif
