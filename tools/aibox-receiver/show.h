/* What can be read with GET: the page, its pictures, and JSON for programs. */
#ifndef AIBOX_RECEIVER_SHOW_H
#define AIBOX_RECEIVER_SHOW_H

#include <stddef.h>
#include <stdint.h>

#include "receiver.h"

/* The query's arguments as they came; NULL: absent. */
struct show_query {
    const char *kind, *limit, *after, *bodies;
};

struct shown {
    unsigned status; /* HTTP */
    const char *type;
    const void *bytes; /* constant, or `owned` */
    size_t size;
    void *owned; /* to be freed with free(); NULL: nothing */
};

/* Answers GET `path`. Any thread. */
void show_get(struct receiver *receiver, const char *path, const struct show_query *query, struct shown *out);

#endif
