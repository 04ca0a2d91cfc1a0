/* How much came and what became of it, since the start. */
#ifndef AIBOX_RECEIVER_COUNTS_H
#define AIBOX_RECEIVER_COUNTS_H

#include <stdint.h>

#include "core/json_out.h"
#include "message.h"
#include "seen.h"

struct counts {
    uint64_t posts;
    uint64_t received[MESSAGE_KINDS]; /* messages */
    uint64_t kept[MESSAGE_KINDS];
    uint64_t failed, dropped, hung; /* posts, on purpose */
    uint64_t store_errors;          /* posts */
};

/* Writes the members into the open object of `out`. */
void counts_write(const struct counts *counts, const struct seen_counts *events, struct json_out *out);

/* Prints the most important ones in a line to stdout. */
void counts_print(const struct counts *counts, const struct seen_counts *events);

#endif
