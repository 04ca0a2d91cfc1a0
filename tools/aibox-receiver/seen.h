/*
 * Which events came before. A box delivers history at least once, so the same event may come again; what it must never
 * do is send other content under the same id, for an event is immutable. Events count by kind, path and id: the same
 * event sent to two paths is no duplicate.
 */
#ifndef AIBOX_RECEIVER_SEEN_H
#define AIBOX_RECEIVER_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define SEEN_USUAL ((size_t)1 << 18) /* events remembered; 19 MB when full */

enum seen_verdict {
    SEEN_NEW,       /* never seen */
    SEEN_RETRY,     /* was refused, and comes again as it should */
    SEEN_DUPLICATE, /* was kept before, and is the same */
    SEEN_DIFFERENT  /* came before with other content, kept or refused */
};

/* "no", "retry", "same", "different" */
const char *seen_verdict_name(enum seen_verdict verdict);

struct seen_counts {
    uint64_t distinct;   /* events kept at least once */
    uint64_t duplicates; /* events kept once more, whatever their content */
    uint64_t different;  /* deliveries whose content was not that of the first */
    uint64_t forgotten;  /* events too long ago to be recognised again */
};

struct seen;

/* Remembers `most` events (>= 1), the latest. PROCESS_FAILED when memory runs out. */
enum aibox_status seen_open(size_t most, struct seen **out, struct aibox_error *err);
void seen_close(struct seen *seen); /* NULL is allowed */

/* What identifies a delivery: digests as of id_sha256_hex(). */
struct seen_delivery {
    char key[65];     /* of kind, path and event id */
    char content[65]; /* of the event in canonical form */
};

/* Notes a delivery and judges it by those before. `kept`: it is going to be accepted. Any thread. */
enum seen_verdict seen_note(struct seen *seen, const struct seen_delivery *delivery, bool kept);

/* The delivery, noted as kept, could not be accepted after all. Any thread. */
void seen_take_back(struct seen *seen, const struct seen_delivery *delivery);

void seen_count(struct seen *seen, struct seen_counts *out);

#endif
