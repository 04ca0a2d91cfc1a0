/* Templates of what is sent to relay boards: text with placeholders and, for bytes, escapes. Private to the room. */
#ifndef AIBOX_DOOR_TEMPLATE_H
#define AIBOX_DOOR_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"
#include "core/status.h"

#define TEMPLATE_RESULT_MAX 4096 /* a sensible maximum for the buffer of template_expand */

enum template_kind {
    TEMPLATE_TEXT, /* everything but placeholders is taken as it is */
    TEMPLATE_BYTES /* \r \n \t \\ and \xHH (two hexadecimal digits, \x00 too) stand for bytes */
};

/* What the placeholders stand for. */
struct template_values {
    const char *host;   /* {host} */
    int port;           /* {port} */
    int channel;        /* {channel}: from 1, 0 = all; {index} is one less, and nothing for all (PARAM) */
    int seconds;        /* {seconds} */
    const char *action; /* {action} */
};

/*
 * Appends `text`, expanded, to `out`. A placeholder is lower-case letters in braces; other braces stand for themselves,
 * so that JSON needs no quoting. PARAM: an unknown placeholder or escape, {index} for all channels, or more than `out`
 * takes; `out` then holds a part. Any thread.
 */
enum aibox_status template_expand(const char *text, enum template_kind kind, const struct template_values *values,
                                  struct buffer *out, struct aibox_error *err);

/* True when the result depends on the channel: {channel} or {index} occurs. */
bool template_names_channel(const char *text);

#endif
