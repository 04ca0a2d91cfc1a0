/*
 * The link to the platform: a thread that logs in and takes commands off the broker into the inbox; see link.c for its
 * states. All functions: any thread.
 */
#ifndef AIBOX_CLOUD_LINK_H
#define AIBOX_CLOUD_LINK_H

#include "cloud/session.h"
#include "core/json_out.h"
#include "core/settings.h"
#include "core/status.h"
#include "store/commands.h"
#include "store/store.h"

struct cloud_link;

struct cloud_link_context {
    struct settings *settings;
    struct store *store;
    struct session_slot *sessions; /* the link puts sessions into force */
    /* On the link's thread; they must be quick. */
    void (*session_changed)(void *ctx);
    void (*command_came)(void *ctx, enum store_inbox_queue queue);
    void *ctx;
};

/* Begins at once. */
enum aibox_status cloud_link_open(const struct cloud_link_context *context, struct cloud_link **out,
                                  struct aibox_error *err);
void cloud_link_close(struct cloud_link *link); /* NULL is allowed */
/* Serial number or address have changed: connects anew. */
void cloud_link_reconfigure(struct cloud_link *link);

/* Members of the open object: state, since when, the last failure, the queues, what has come. */
void cloud_link_print(struct cloud_link *link, struct json_out *out);

struct cloud_link_figures {
    bool listening;
    uint64_t logins, login_failures, connections, connection_failures;
    uint64_t received, acked, duplicates, dead;
};
void cloud_link_figures(struct cloud_link *link, struct cloud_link_figures *out);

#endif
