/* What others ask of the jobs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "flow/jobs_internal.h"

static enum aibox_status no_such_job(const char *id, struct aibox_error *err)
{
    return error_set(err, AIBOX_NOT_FOUND, "there is no job '%.64s'", id);
}

static size_t count_queued(const struct jobs *jobs)
{
    size_t count = 0;

    for (const struct job *job = jobs->newest; job; job = job->next)
        count += job->record.status.state == JOB_QUEUED;
    return count;
}

/* Moves the upload into a folder of the job's own and writes the job down. Undone on failure. */
static enum aibox_status settle(struct jobs *jobs, struct job *job, const char *path, struct aibox_error *err)
{
    char folder[PATH_MAX], upload[PATH_MAX];
    enum aibox_status status = job_file_path(jobs, job, JOB_UPLOAD, upload, err);

    if (status == AIBOX_OK)
        status = job_folder_path(jobs, job, folder, err);
    if (status != AIBOX_OK)
        return status;
    if (mkdir(folder, 0700) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the job's folder can't be made: %s", strerror(errno));
    if (rename(path, upload) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "the upload can't be kept: %s", strerror(errno));
    if (status == AIBOX_OK) {
        status = job_record_write(folder, &job->record, err);
        if (status != AIBOX_OK)
            (void)!rename(upload, path);
    }
    if (status != AIBOX_OK)
        job_folder_remove(folder);
    return status;
}

enum aibox_status jobs_import_take(struct jobs *jobs, const char *path, uint64_t offset, uint64_t size,
                                   const struct import_options *options, struct job_status *out,
                                   struct aibox_error *err)
{
    enum aibox_status status = import_check(path, offset, size, err);
    struct job *job;

    if (status != AIBOX_OK)
        return status;
    job = calloc(1, sizeof *job);
    if (!job)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    id_ulid(job->record.status.id);
    job->record.status.created_ms = clock_realtime_ms();
    job->record.offset = offset;
    job->record.size = size;
    status = job_record_set_options(&job->record, options, err);
    pthread_mutex_lock(&jobs->mu);
    if (status == AIBOX_OK && count_queued(jobs) >= JOBS_MAX_QUEUED)
        status = error_set(err, AIBOX_TOO_MANY_REQUESTS, "%d imports are waiting already", JOBS_MAX_QUEUED);
    if (status == AIBOX_OK)
        status = settle(jobs, job, path, err);
    if (status == AIBOX_OK) {
        jobs_insert(jobs, job);
        *out = job->record.status;
        (void)pthread_cond_broadcast(&jobs->changed);
        job = NULL;
    }
    pthread_mutex_unlock(&jobs->mu);
    if (job)
        job_free(job);
    return status;
}

enum aibox_status jobs_list(struct jobs *jobs, struct job_status **out, size_t *count, struct aibox_error *err)
{
    size_t n = 0;

    *count = 0;
    pthread_mutex_lock(&jobs->mu);
    for (const struct job *job = jobs->newest; job; job = job->next)
        n++;
    *out = calloc(n ? n : 1, sizeof **out);
    for (const struct job *job = jobs->newest; job && *out; job = job->next)
        (*out)[(*count)++] = jobs_snapshot(job);
    pthread_mutex_unlock(&jobs->mu);
    return *out ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

enum aibox_status jobs_get(struct jobs *jobs, const char *id, struct job_status *out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    const struct job *job;

    pthread_mutex_lock(&jobs->mu);
    job = jobs_find(jobs, id);
    if (job)
        *out = jobs_snapshot(job);
    else
        status = no_such_job(id, err);
    pthread_mutex_unlock(&jobs->mu);
    return status;
}

/* Reads the journal of a job that doesn't run. */
static enum aibox_status page_of_file(struct jobs *jobs, const struct job *job, size_t items, bool only_failed,
                                      size_t skip, size_t limit, void (*each)(void *ctx, const char *json), void *ctx,
                                      size_t *total, struct aibox_error *err)
{
    struct import_results *results;
    char path[PATH_MAX];
    enum aibox_status status;

    *total = 0;
    if (items == 0)
        return AIBOX_OK;
    status = job_file_path(jobs, job, JOB_RESULTS, path, err);
    if (status == AIBOX_OK)
        status = import_results_open(path, items, &results, err);
    if (status != AIBOX_OK)
        return status;
    status = import_results_page(results, only_failed, skip, limit, each, ctx, total, err);
    import_results_close(results);
    return status;
}

enum aibox_status jobs_results(struct jobs *jobs, const char *id, bool only_failed, size_t skip, size_t limit,
                               void (*each)(void *ctx, const char *json), void *ctx, size_t *total,
                               struct aibox_error *err)
{
    struct import_results *results = NULL;
    enum aibox_status status;
    struct job *job;
    size_t items = 0;

    pthread_mutex_lock(&jobs->mu);
    job = jobs_find(jobs, id);
    if (job) {
        job->readers++;
        results = job->results;
        items = job->record.status.total;
    }
    pthread_mutex_unlock(&jobs->mu);
    if (!job)
        return no_such_job(id, err);
    status = results ? import_results_page(results, only_failed, skip, limit, each, ctx, total, err)
                     : page_of_file(jobs, job, items, only_failed, skip, limit, each, ctx, total, err);
    pthread_mutex_lock(&jobs->mu);
    if (--job->readers == 0)
        (void)pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->mu);
    return status;
}

/* With the lock held, which is given up for a moment: another call may remove the job meanwhile. */
static void stop_job(struct jobs *jobs, const char *id)
{
    struct job *job = jobs_find(jobs, id);

    job->cancelled = true;
    atomic_store(&job->stop, true);
    if (job->record.status.state == JOB_QUEUED)
        jobs_end(jobs, job, AIBOX_OK, &(struct aibox_error){0});
    while ((job = jobs_find(jobs, id)) != NULL && !jobs_has_ended(job) && !atomic_load(&jobs->closing))
        (void)pthread_cond_wait(&jobs->changed, &jobs->mu);
}

enum aibox_status jobs_cancel(struct jobs *jobs, const char *id, struct job_status *out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    struct job *job;

    pthread_mutex_lock(&jobs->mu);
    job = jobs_find(jobs, id);
    if (job && jobs_has_ended(job)) {
        *out = job->record.status;
        jobs_remove(jobs, job);
    } else if (job) {
        stop_job(jobs, id);
        job = jobs_find(jobs, id);
        if (job)
            *out = jobs_snapshot(job);
    }
    if (!job)
        status = no_such_job(id, err);
    pthread_mutex_unlock(&jobs->mu);
    return status;
}

static enum aibox_status reopen_failed(struct jobs *jobs, struct job *job, struct aibox_error *err)
{
    struct job_status *status = &job->record.status;
    struct import_results *results;
    enum aibox_status result;
    char path[PATH_MAX];

    if (status->total == 0)
        return AIBOX_OK;
    result = job_file_path(jobs, job, JOB_RESULTS, path, err);
    if (result == AIBOX_OK)
        result = import_results_open(path, status->total, &results, err);
    if (result != AIBOX_OK)
        return result;
    result = import_results_reopen_failed(results, err);
    import_results_count(results, &status->done, &status->failed);
    import_results_close(results);
    return result;
}

/* With the lock held. */
static enum aibox_status requeue(struct jobs *jobs, struct job *job, struct aibox_error *err)
{
    struct job_status *status = &job->record.status;
    enum aibox_status result;

    if (!jobs_has_ended(job))
        return error_set(err, AIBOX_PARAM, "id: the job has not ended yet");
    if (!status->can_retry)
        return error_set(err, AIBOX_PARAM, "id: there is nothing that could be tried again");
    if (count_queued(jobs) >= JOBS_MAX_QUEUED)
        return error_set(err, AIBOX_TOO_MANY_REQUESTS, "%d imports are waiting already", JOBS_MAX_QUEUED);
    result = reopen_failed(jobs, job, err);
    if (result != AIBOX_OK)
        return result;
    status->state = JOB_QUEUED;
    status->error = (struct aibox_error){0};
    status->can_retry = false;
    status->ended_ms = 0;
    return job_write(jobs, job, err);
}

enum aibox_status jobs_retry(struct jobs *jobs, const char *id, struct job_status *out, struct aibox_error *err)
{
    enum aibox_status status;
    struct job *job;

    pthread_mutex_lock(&jobs->mu);
    job = jobs_find(jobs, id);
    status = job ? requeue(jobs, job, err) : no_such_job(id, err);
    if (status == AIBOX_OK) {
        *out = jobs_snapshot(job);
        (void)pthread_cond_broadcast(&jobs->changed);
    }
    pthread_mutex_unlock(&jobs->mu);
    return status;
}

void jobs_clear(struct jobs *jobs)
{
    struct job *job;

    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->mu);
    while ((job = jobs->newest) != NULL && !atomic_load(&jobs->closing)) {
        char id[ID_ULID_SIZE];

        memcpy(id, job->record.status.id, sizeof id);
        if (!jobs_has_ended(job))
            stop_job(jobs, id);
        job = jobs_find(jobs, id);
        if (job && jobs_has_ended(job))
            jobs_remove(jobs, job);
    }
    pthread_mutex_unlock(&jobs->mu);
}
