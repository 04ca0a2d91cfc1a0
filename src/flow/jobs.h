/*
 * Jobs: work that goes on behind the answer, and survives a restart. There is one kind so far, the import. One runs at
 * a time, the others wait in the order they came.
 *
 *   QUEUED ──run_job()──► RUNNING ──► DONE (also when some items failed) ──jobs_retry()──► QUEUED
 *      │                     ├──────► FAILED: archive or table can't be read, the disk is full
 *      └──jobs_cancel()──────┴──────► CANCELLED
 *
 * Each job has a folder jobs/<id> in the data folder: job.json, what was uploaded, and the journal of results. The
 * upload goes when nothing can be done with it any more: at once when no item has failed, else when the job is removed.
 * A job that has ended is removed after seven days, or when there are a hundred newer ones.
 *
 * All functions: any thread.
 */
#ifndef AIBOX_FLOW_JOBS_H
#define AIBOX_FLOW_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "core/settings.h"
#include "core/status.h"
#include "flow/flow.h"
#include "flow/import.h"
#include "store/store.h"

#define JOBS_MAX_QUEUED 16

struct jobs;

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED };
extern const char *const job_state_names[]; /* wire words */

struct job_status {
    char id[ID_ULID_SIZE];
    enum job_state state;
    int64_t created_ms, started_ms, ended_ms; /* 0: not yet */
    size_t total;                             /* 0 until the archive was looked through */
    size_t done, failed, ignored;             /* done: without those that failed */
    bool can_retry;
    struct aibox_error error; /* why it is FAILED */
};

/* Looks for jobs that were interrupted, and goes on with them. */
enum aibox_status jobs_open(struct settings *settings, struct store *store, struct flow *flow, const char *data_dir,
                            struct jobs **out, struct aibox_error *err);
/* Ends what is under way, to go on with it next time. NULL is allowed. */
void jobs_close(struct jobs *jobs);

/* Folder on the same file system as the jobs', for what is to become one. Emptied by jobs_open. */
const char *jobs_upload_dir(const struct jobs *jobs);

/* Takes the file `path`, which holds an archive from `offset` on, by renaming it. PARAM: it can't be read at all;
 * TOO_MANY_REQUESTS: JOBS_MAX_QUEUED are waiting. On failure the file is the caller's as before. */
enum aibox_status jobs_import_take(struct jobs *jobs, const char *path, uint64_t offset, uint64_t size,
                                   const struct import_options *options, struct job_status *out,
                                   struct aibox_error *err);

/* Newest first; *out is freed by the caller. */
enum aibox_status jobs_list(struct jobs *jobs, struct job_status **out, size_t *count, struct aibox_error *err);
/* All of these: NOT_FOUND for an unknown id. */
enum aibox_status jobs_get(struct jobs *jobs, const char *id, struct job_status *out, struct aibox_error *err);
/* See import_results_page(). */
enum aibox_status jobs_results(struct jobs *jobs, const char *id, bool only_failed, size_t skip, size_t limit,
                               void (*each)(void *ctx, const char *json), void *ctx, size_t *total,
                               struct aibox_error *err);
/* Ends it, waiting for the few items under way; what was done stays. A job that has ended is removed with its results
 * and its upload. `out`: as it was at the end. */
enum aibox_status jobs_cancel(struct jobs *jobs, const char *id, struct job_status *out, struct aibox_error *err);
/* Queues what failed. PARAM: the job has not ended, nothing has failed, or the upload is gone. */
enum aibox_status jobs_retry(struct jobs *jobs, const char *id, struct job_status *out, struct aibox_error *err);
/* Cancels and removes all: they hold photos and names of people. NULL is allowed. */
void jobs_clear(struct jobs *jobs);

#endif
