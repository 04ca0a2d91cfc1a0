/*
 * The platform link: logs in, takes commands from the platform's RabbitMQ, executes them, sends their results. What is
 * promised stands in docs/platform.md; the states of the link at the top of link.c.
 *
 * Off unless the settings cloud.dev_sno and cloud.login_url are both set; follows them at once.
 *
 * All functions: any thread.
 */
#ifndef AIBOX_CLOUD_CLOUD_H
#define AIBOX_CLOUD_CLOUD_H

#include "core/buffer.h"
#include "core/json_out.h"
#include "core/settings.h"
#include "core/status.h"

struct cloud;
struct feed;
struct flow;
struct jobs;
struct report_config;
struct store;

/* What the room works with. All must outlive it. */
struct cloud_context {
    struct settings *settings;
    struct store *store;
    struct flow *flow;
    struct jobs *jobs;
    struct report_config *reports; /* is told of the addresses that the login names */
    struct feed *feed;             /* is told of people who could not be enrolled */
    const char *data_dir;
};

enum aibox_status cloud_open(const struct cloud_context *context, struct cloud **out, struct aibox_error *err);
/* Ends the link, usually within a second. Commands that wait are executed after the next start, results that wait are
 * sent then. NULL is allowed. */
void cloud_close(struct cloud *cloud);

/* Logs in afresh, at once, if the box is to be connected at all. */
void cloud_reconnect(struct cloud *cloud);

/* How the link is doing, as one object: the answer of GET /api/platform. No secrets. */
void cloud_print(struct cloud *cloud, struct json_out *out);
void cloud_metrics(struct cloud *cloud, struct buffer *out); /* Prometheus text */

#endif
