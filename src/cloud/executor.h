/*
 * Executes the commands of the inbox: one thread for each of its queues, in the order in which they came, while the box
 * is logged in (else it is not known where results go). All functions: any thread.
 */
#ifndef AIBOX_CLOUD_EXECUTOR_H
#define AIBOX_CLOUD_EXECUTOR_H

#include "cloud/command.h"
#include "core/buffer.h"
#include "core/json_out.h"
#include "store/commands.h"

struct executor;

/* What commands need of a login; what it points to stays until it is given back. */
struct executor_platform {
    struct address_platform platform;
    bool verify_tls;
    bool result_queue, fiqa_result_queue;
    void *held; /* for whoever gave it out */
};

struct executor_context {
    struct settings *settings;
    struct store *store;
    struct flow *flow;
    struct feed *feed;             /* or NULL */
    struct jobs *jobs;             /* or NULL */
    struct report_config *reports; /* or NULL */
    /* The login in force; false: the box is not logged in. Called on the executor's threads. */
    bool (*take)(void *ctx, struct executor_platform *out);
    void (*give_back)(void *ctx, struct executor_platform *platform);
    void *ctx;
};

/* Everything in `context` must outlive it. Goes on with what the inbox holds. */
enum aibox_status executor_open(const struct executor_context *context, struct executor **out, struct aibox_error *err);
/* There is something new in that queue, or the box has logged in: cheap. */
void executor_wake(struct executor *executor, enum store_inbox_queue queue);
/* Ends what is under way, usually within a second; it is gone on with after the next start. NULL is allowed. */
void executor_close(struct executor *executor);

/* Members of an object: what was executed since the start, what waits, what is under way. */
void executor_print(struct executor *executor, struct json_out *out);
void executor_metrics(struct executor *executor, struct buffer *out); /* Prometheus text */

#endif
