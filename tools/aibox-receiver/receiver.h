/* The walk of a message: read, judged, stored, kept for the page, printed, answered. */
#ifndef AIBOX_RECEIVER_RECEIVER_H
#define AIBOX_RECEIVER_RECEIVER_H

#include <stddef.h>
#include <stdint.h>

#include "core/json_out.h"
#include "core/status.h"
#include "inbox.h"
#include "rehearsal.h"

struct receiver_options {
    const char *out; /* file of JSON lines; NULL: none */
    size_t last;     /* messages kept for the page */
    struct rehearsal_options rehearsal;
};

struct receiver;

enum aibox_status receiver_open(const struct receiver_options *options, struct receiver **out, struct aibox_error *err);
void receiver_close(struct receiver *receiver); /* NULL is allowed */

/* What was posted. */
struct delivery {
    const char *path;
    const char *content_type;    /* or NULL */
    const char *idempotency_key; /* or NULL */
    char *body;                  /* NUL behind it, altered */
    size_t size;
};

enum reply_how { REPLY_SEND, REPLY_CLOSE, REPLY_HANG };

struct reply {
    enum reply_how how;
    unsigned status;   /* HTTP */
    unsigned delay_ms; /* before it is sent or the connection closed */
    char message[sizeof(((struct aibox_error *)0)->message)];
};

/* What is answered with 200 is in the file, durably. Any thread. */
void receiver_take(struct receiver *receiver, const struct delivery *delivery, struct reply *reply);

/* Something posted that was refused before its body was read: puts it on record. Any thread. */
void receiver_refuse(struct receiver *receiver, const char *path, unsigned status, const char *message);

struct inbox *receiver_inbox(struct receiver *receiver);

/* Writes an object: what came, what became of it, since `started_ms`. Any thread. */
void receiver_write_counts(struct receiver *receiver, struct json_out *out);

/* Prints one line with the most important counts to stdout. */
void receiver_print_summary(struct receiver *receiver);

int64_t receiver_started_ms(const struct receiver *receiver);

#endif
