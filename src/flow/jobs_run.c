#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "flow/jobs_internal.h"

#define KEPT_MS   ((int64_t)7 * 24 * 3600 * 1000) /* a job that has ended */
#define KEPT_JOBS 100
#define SYNC_MS   1000 /* results lost at most when the power goes; they are found again by doing the items again */
#define TIDY_MS   3600000
#define READY_MS  100 /* between two looks whether the gallery is loaded */

/* ---- running one ---------------------------------------------------------------------------------------------- */

struct run {
    struct jobs *jobs;
    struct job *job;
};

static enum aibox_status on_begin(void *ctx, size_t total, size_t ignored, struct aibox_error *err)
{
    const struct run *run = ctx;
    struct import_results *results;
    enum aibox_status status;
    char path[PATH_MAX];

    status = job_file_path(run->jobs, run->job, JOB_RESULTS, path, err);
    if (status == AIBOX_OK)
        status = import_results_open(path, total, &results, err);
    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&run->jobs->mu);
    run->job->results = results;
    run->job->record.status.total = total;
    run->job->record.status.ignored = ignored;
    pthread_mutex_unlock(&run->jobs->mu);
    run->job->synced_ms = clock_monotonic_ms();
    return job_write(run->jobs, run->job, err);
}

static bool is_wanted(void *ctx, size_t item)
{
    const struct run *run = ctx;

    return import_results_pending(run->job->results, item);
}

static enum aibox_status on_result(void *ctx, const struct import_result *result, struct aibox_error *err)
{
    const struct run *run = ctx;
    struct job *job = run->job;
    enum aibox_status status = import_results_add(job->results, result, err);
    int64_t now = clock_monotonic_ms();

    if (status == AIBOX_OK && now - job->synced_ms >= SYNC_MS) {
        status = import_results_sync(job->results, err);
        job->synced_ms = now;
    }
    return status;
}

static size_t in_flight(const struct settings *settings)
{
    int64_t workers = settings_int(settings, "vision.workers");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return workers > 0 ? (size_t)workers : cores > 0 ? (size_t)cores : 1;
}

static enum aibox_status run_import(struct jobs *jobs, struct job *job, struct aibox_error *err)
{
    struct run run = {.jobs = jobs, .job = job};
    struct import_request request = {.store = jobs->store,
                                     .flow = jobs->flow,
                                     .offset = job->record.offset,
                                     .size = job->record.size,
                                     .since_ms = job->record.status.created_ms,
                                     .in_flight = in_flight(jobs->settings),
                                     .stop = &job->stop,
                                     .sink = {&run, on_begin, is_wanted, on_result}};
    char path[PATH_MAX];
    enum aibox_status status = job_file_path(jobs, job, JOB_UPLOAD, path, err);

    if (status != AIBOX_OK)
        return status;
    request.path = path;
    job_record_options(&job->record, &request.options);
    return import_run(&request, err);
}

/* Takes the results away from a job that has stopped running, once nobody reads them. With the lock held. */
static enum aibox_status end_results(struct jobs *jobs, struct job *job, struct aibox_error *err)
{
    struct job_status counted = jobs_snapshot(job);
    struct import_results *results = job->results;
    enum aibox_status status = AIBOX_OK;

    job->record.status.done = counted.done;
    job->record.status.failed = counted.failed;
    while (job->readers > 0)
        (void)pthread_cond_wait(&jobs->changed, &jobs->mu);
    job->results = NULL;
    if (results) {
        pthread_mutex_unlock(&jobs->mu);
        status = import_results_sync(results, err);
        import_results_close(results);
        pthread_mutex_lock(&jobs->mu);
    }
    return status;
}

static void drop_upload(const struct jobs *jobs, const struct job *job)
{
    char path[PATH_MAX];

    if (job_file_path(jobs, job, JOB_UPLOAD, path, NULL) == AIBOX_OK)
        (void)unlink(path);
}

void jobs_end(struct jobs *jobs, struct job *job, enum aibox_status result, const struct aibox_error *why)
{
    struct job_status *status = &job->record.status;
    struct aibox_error err = *why;
    enum aibox_status synced = end_results(jobs, job, &err);

    if (result == AIBOX_OK)
        result = synced;
    if (atomic_load(&jobs->closing) && !job->cancelled && result == AIBOX_OK)
        return; /* as it is on disk: to be gone on with */
    status->state = job->cancelled ? JOB_CANCELLED : result == AIBOX_OK ? JOB_DONE : JOB_FAILED;
    status->ended_ms = clock_realtime_ms();
    if (status->state == JOB_FAILED)
        status->error = err;
    /* What the archive is to blame for stays so; a full disk does not. */
    status->can_retry = (status->state == JOB_DONE && status->failed > 0) ||
                        (status->state == JOB_FAILED && result == AIBOX_PROCESS_FAILED);
    log_info("jobs", "import ended id=%s state=%s done=%zu failed=%zu ignored=%zu", status->id,
             job_state_names[status->state], status->done, status->failed, status->ignored);
    if (!status->can_retry)
        drop_upload(jobs, job);
    if (job_write(jobs, job, &err) != AIBOX_OK)
        log_error("jobs", "the end of a job is not written down id=%s reason=\"%s\"", status->id, err.message);
    (void)pthread_cond_broadcast(&jobs->changed);
}

static void run_job(struct jobs *jobs, struct job *job)
{
    struct aibox_error err = {0};
    enum aibox_status result;

    log_info("jobs", "import begins id=%s", job->record.status.id);
    result = job_write(jobs, job, &err);
    if (result == AIBOX_OK)
        result = run_import(jobs, job, &err);
    pthread_mutex_lock(&jobs->mu);
    jobs_end(jobs, job, result, &err);
    pthread_mutex_unlock(&jobs->mu);
}

/* ---- the thread ----------------------------------------------------------------------------------------------- */

/* The oldest that waits; it is RUNNING then. With the lock held. */
static struct job *next_job(const struct jobs *jobs)
{
    struct job *oldest = NULL;

    for (struct job *job = jobs->newest; job; job = job->next)
        if (job->record.status.state == JOB_QUEUED)
            oldest = job;
    if (oldest) {
        oldest->record.status.state = JOB_RUNNING;
        if (oldest->record.status.started_ms == 0)
            oldest->record.status.started_ms = clock_realtime_ms();
        oldest->record.status.ended_ms = 0;
    }
    return oldest;
}

/* The first that has been kept for long enough. With the lock held. */
static struct job *find_old(const struct jobs *jobs)
{
    int64_t now = clock_realtime_ms();
    size_t newer = 0;

    for (struct job *job = jobs->newest; job; job = job->next)
        if (jobs_has_ended(job) && (newer++ >= KEPT_JOBS || now - job->record.status.ended_ms > KEPT_MS))
            return job;
    return NULL;
}

static void tidy(struct jobs *jobs)
{
    struct job *old;

    while ((old = find_old(jobs)) != NULL)
        jobs_remove(jobs, old);
}

static void wait_until_ready(struct jobs *jobs)
{
    while (!flow_ready(jobs->flow) && !atomic_load(&jobs->closing)) {
        struct timespec until = clock_deadline(READY_MS);

        pthread_mutex_lock(&jobs->mu);
        (void)pthread_cond_timedwait(&jobs->changed, &jobs->mu, &until);
        pthread_mutex_unlock(&jobs->mu);
    }
}

void *jobs_run(void *arg)
{
    struct jobs *jobs = arg;

    wait_until_ready(jobs);
    pthread_mutex_lock(&jobs->mu);
    while (!atomic_load(&jobs->closing)) {
        struct job *job;

        tidy(jobs);
        job = next_job(jobs);
        if (job) {
            pthread_mutex_unlock(&jobs->mu);
            run_job(jobs, job);
            pthread_mutex_lock(&jobs->mu);
        } else {
            struct timespec until = clock_deadline(TIDY_MS);

            (void)pthread_cond_timedwait(&jobs->changed, &jobs->mu, &until);
        }
    }
    pthread_mutex_unlock(&jobs->mu);
    return NULL;
}
