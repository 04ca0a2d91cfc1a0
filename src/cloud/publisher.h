/*
 * Sends results from the outbox to the broker's upload queues: a thread with a connection of its own; see publisher.c.
 * All functions: any thread.
 */
#ifndef AIBOX_CLOUD_PUBLISHER_H
#define AIBOX_CLOUD_PUBLISHER_H

#include "cloud/session.h"
#include "core/json_out.h"
#include "core/settings.h"
#include "core/status.h"
#include "store/store.h"

#define PUBLISHER_LANE_MAIN "mq"      /* outbox lane of what goes to uploadQueue */
#define PUBLISHER_LANE_FIQA "mq-fiqa" /* … to fiqaUploadQueue, or else to uploadQueue */

struct publisher;

enum aibox_status publisher_open(struct settings *settings, struct store *store, struct session_slot *sessions,
                                 struct publisher **out, struct aibox_error *err);
void publisher_close(struct publisher *publisher); /* NULL is allowed */
/* There is something new in the outbox, or another session: cheap. */
void publisher_wake(struct publisher *publisher);

/* How it is doing, as one object. */
void publisher_print(struct publisher *publisher, struct json_out *out);

struct publisher_figures {
    bool connected, blocked;
    uint64_t published, confirmed, returned, refused, expired;
};
void publisher_figures(struct publisher *publisher, struct publisher_figures *out);

#endif
