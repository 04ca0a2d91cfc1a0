/*
 * Commands of the platform: from a message in the inbox to its effect and its result in the outbox. Which methods there
 * are: the table in command.c; one file for each family.
 *
 * A command is executed at least once and takes effect once: delete_users, wipe_data and sync_permissions write effect
 * and result in one transaction, add_users_plus what became of a person along with the person, so that a second run
 * goes on where the first one ended; the others may be repeated.
 */
#ifndef AIBOX_CLOUD_COMMAND_H
#define AIBOX_CLOUD_COMMAND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cloud/address.h"
#include "core/settings.h"
#include "core/status.h"
#include "flow/feed.h"
#include "flow/flow.h"
#include "flow/jobs.h"
#include "flow/report_config.h"
#include "store/commands.h"
#include "store/store.h"

#define COMMAND_MAX_PEOPLE      10000 /* of one command */
#define COMMAND_MAX_PERMISSIONS STORE_MAX_GROUPS

#define COMMAND_LANE_MAIN "mq"      /* outbox lane of results for uploadQueue */
#define COMMAND_LANE_FIQA "mq-fiqa" /* … for fiqaUploadQueue */
#define COMMAND_LANE_POST "post "   /* … for notify_path, with scheme://host:port; payload: URL, newline, JSON */

/* For /metrics. */
struct command_counters {
    _Atomic uint64_t executed, refused, failed; /* refused: with 40071; failed: with another code */
    _Atomic uint64_t people_added, people_failed;
    _Atomic uint64_t results_lost; /* no room in the outbox of their notify_path */
};

struct command_context {
    struct settings *settings;
    struct store *store;
    struct flow *flow;
    struct feed *feed;             /* NULL: nobody is told */
    struct jobs *jobs;             /* NULL: there are none */
    struct report_config *reports; /* NULL: there is none */
    struct address_platform platform;
    bool verify_tls;        /* of the platform's certificates */
    bool result_queue;      /* the login named an uploadQueue */
    bool fiqa_result_queue; /* … a fiqaUploadQueue */
    atomic_bool *stop;      /* the box stops: end within a second */
    struct command_counters *counters;
};

enum command_end {
    COMMAND_FINISHED, /* it is gone from the inbox */
    COMMAND_STOPPED,  /* it is still there, to be gone on with after the next start */
    COMMAND_LATER     /* it is still there, because nothing can be stored now, or there is no room for its result */
};

/* Executes the command, which the inbox holds. Blocks. Any thread; not the same command twice at the same time. */
enum command_end command_run(const struct command_context *ctx, const struct store_command *stored);

#endif
