/* What the files of the jobs share: jobs.c opens and closes, jobs_run.c runs them, jobs_calls.c is asked. */
#ifndef AIBOX_FLOW_JOBS_INTERNAL_H
#define AIBOX_FLOW_JOBS_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "flow/import_results.h"
#include "flow/job_file.h"
#include "flow/jobs.h"

struct job {
    struct job *next; /* newest first; guarded by jobs->mu, as all but what is marked otherwise */
    struct job_record record;
    struct import_results *results; /* while it runs; read with `readers` counted */
    unsigned readers;               /* of results or of files: none may go meanwhile */
    atomic_bool stop;               /* any thread */
    bool cancelled;                 /* stop means that */
    int64_t synced_ms;              /* the job thread's */
};

struct jobs {
    struct settings *settings;
    struct store *store;
    struct flow *flow;
    char folder[PATH_MAX];
    char upload_dir[PATH_MAX];
    pthread_t thread;
    bool started;
    atomic_bool closing;
    /* Guards what follows, and the jobs. Held over the writing of a job.json, never while items are worked on: who asks
     * for jobs may wait for a disk. */
    pthread_mutex_t mu;
    pthread_cond_t changed;
    struct job *newest;
};

/* ---- jobs.c: the list; with the lock held, but where it says otherwise ---- */

bool jobs_has_ended(const struct job *job);
struct job *jobs_find(const struct jobs *jobs, const char *id);
void jobs_insert(struct jobs *jobs, struct job *job);
/* Takes the job out and removes its folder. Gives the lock up for a moment. */
void jobs_remove(struct jobs *jobs, struct job *job);
/* As it is at the moment. */
struct job_status jobs_snapshot(const struct job *job);
void job_free(struct job *job); /* no lock */

/* Path of one of the job's files; PROCESS_FAILED: too long. No lock, as the following. */
enum aibox_status job_file_path(const struct jobs *jobs, const struct job *job, const char *name, char out[PATH_MAX],
                                struct aibox_error *err);
/* Its folder. */
enum aibox_status job_folder_path(const struct jobs *jobs, const struct job *job, char out[PATH_MAX],
                                  struct aibox_error *err);
enum aibox_status job_write(const struct jobs *jobs, const struct job *job, struct aibox_error *err);

/* ---- jobs_run.c ---- */

/* The thread; `arg` is the struct jobs. */
void *jobs_run(void *arg);
/* Decides what a job has become that ran, or is not to, and writes it down. With the lock held, which it gives up for a
 * moment. */
void jobs_end(struct jobs *jobs, struct job *job, enum aibox_status result, const struct aibox_error *why);

#endif
