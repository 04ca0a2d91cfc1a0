/* The last messages with their pictures, in memory: a bounded number, and a bounded number of bytes. */
#ifndef AIBOX_RECEIVER_INBOX_H
#define AIBOX_RECEIVER_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json_out.h"
#include "core/status.h"
#include "message.h"
#include "picture.h"

#define INBOX_BYTES ((size_t)128 << 20) /* of texts and pictures; the oldest go first */

struct inbox_entry {
    uint64_t seq; /* given by the inbox: 1, 2, 3 … */
    enum message_kind kind;
    char *head; /* JSON object, owned: what is said of the message */
    char *body; /* JSON, owned: the message without its pictures */
    struct pictures pictures;
};

/* Which messages are asked for. */
struct inbox_query {
    bool any_kind;
    enum message_kind kind;
    uint64_t after; /* only those with a higher seq */
    size_t limit;   /* at most so many, the newest */
    bool bodies;
};

struct inbox;

/* Keeps `most` messages (>= 1). PROCESS_FAILED when memory runs out. */
enum aibox_status inbox_open(size_t most, struct inbox **out, struct aibox_error *err);
void inbox_close(struct inbox *inbox); /* NULL is allowed */

/* Adds a message; takes over what it owns. Any thread. */
void inbox_put_take(struct inbox *inbox, struct inbox_entry *entry);

/*
 * Any thread. inbox_write() writes into an open object of `out`: "received", an array in the order of arrival, and
 * "newest", the highest seq given so far. Of each message: seq, what head says, "pictures" [{field, type, size, url}],
 * and "body". Bodies that would make it larger than INBOX_ANSWER are left out, and "cut" is true.
 */
#define INBOX_ANSWER ((size_t)32 << 20)
void inbox_write(struct inbox *inbox, const struct inbox_query *query, struct json_out *out);

/* Writes one message as an object with its body. False: there is no such one (any more). Any thread. */
bool inbox_write_one(struct inbox *inbox, uint64_t seq, struct json_out *out);

/* A copy of a picture, to be freed with free(); NULL: there is none, or memory ran out. Any thread. */
uint8_t *inbox_picture(struct inbox *inbox, uint64_t seq, size_t index, size_t *size, const char **type);

#endif
