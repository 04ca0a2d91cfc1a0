#include "flow/jobs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/log.h"
#include "flow/jobs_internal.h"

/* ---- a job ---------------------------------------------------------------------------------------------------- */

static enum aibox_status too_long(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
}

enum aibox_status job_folder_path(const struct jobs *jobs, const struct job *job, char out[PATH_MAX],
                                  struct aibox_error *err)
{
    return job_path(jobs->folder, job->record.status.id, out, PATH_MAX) ? AIBOX_OK : too_long(err);
}

enum aibox_status job_file_path(const struct jobs *jobs, const struct job *job, const char *name, char out[PATH_MAX],
                                struct aibox_error *err)
{
    char folder[PATH_MAX];
    enum aibox_status status = job_folder_path(jobs, job, folder, err);

    if (status == AIBOX_OK && !job_path(folder, name, out, PATH_MAX))
        status = too_long(err);
    return status;
}

enum aibox_status job_write(const struct jobs *jobs, const struct job *job, struct aibox_error *err)
{
    char folder[PATH_MAX];
    enum aibox_status status = job_folder_path(jobs, job, folder, err);

    return status == AIBOX_OK ? job_record_write(folder, &job->record, err) : status;
}

bool jobs_has_ended(const struct job *job)
{
    return job->record.status.state > JOB_RUNNING;
}

void job_free(struct job *job)
{
    job_record_free(&job->record);
    free(job);
}

struct job_status jobs_snapshot(const struct job *job)
{
    struct job_status status = job->record.status;

    if (job->results)
        import_results_count(job->results, &status.done, &status.failed);
    return status;
}

/* ---- the list ------------------------------------------------------------------------------------------------- */

struct job *jobs_find(const struct jobs *jobs, const char *id)
{
    struct job *job = jobs->newest;

    while (job && strcmp(job->record.status.id, id) != 0)
        job = job->next;
    return job;
}

void jobs_insert(struct jobs *jobs, struct job *job)
{
    struct job **at = &jobs->newest;

    while (*at && strcmp((*at)->record.status.id, job->record.status.id) > 0)
        at = &(*at)->next;
    job->next = *at;
    *at = job;
}

void jobs_remove(struct jobs *jobs, struct job *job)
{
    struct job **at = &jobs->newest;
    char folder[PATH_MAX];

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    while (job->readers > 0)
        (void)pthread_cond_wait(&jobs->changed, &jobs->mu);
    if (job_folder_path(jobs, job, folder, NULL) == AIBOX_OK)
        job_folder_remove(folder);
    job_free(job);
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

static bool looks_like_id(const char *name)
{
    return strlen(name) == ID_ULID_SIZE - 1 && strspn(name, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ID_ULID_SIZE - 1;
}

/* What became of the items, from the journal. */
static enum aibox_status count_results(struct jobs *jobs, struct job *job, struct aibox_error *err)
{
    struct import_results *results;
    enum aibox_status status;
    char path[PATH_MAX];

    if (job->record.status.total == 0)
        return AIBOX_OK;
    status = job_file_path(jobs, job, JOB_RESULTS, path, err);
    if (status == AIBOX_OK)
        status = import_results_open(path, job->record.status.total, &results, err);
    if (status != AIBOX_OK)
        return status;
    import_results_count(results, &job->record.status.done, &job->record.status.failed);
    import_results_close(results);
    return AIBOX_OK;
}

static enum aibox_status find_job(struct jobs *jobs, const char *id, struct aibox_error *err)
{
    struct job *job = calloc(1, sizeof *job);
    char folder[PATH_MAX];
    enum aibox_status status;

    if (!job)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (!job_path(jobs->folder, id, folder, sizeof folder)) {
        job_free(job);
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
    }
    status = job_record_read(folder, &job->record, err);
    memcpy(job->record.status.id, id, ID_ULID_SIZE);
    if (status == AIBOX_OK)
        status = count_results(jobs, job, err);
    if (status != AIBOX_OK) { /* interrupted while it was being made */
        log_warn("jobs", "a job that can't be read is removed id=%s reason=\"%s\"", id, err->message);
        job_folder_remove(folder);
        job_free(job);
        return AIBOX_OK;
    }
    if (job->record.status.state == JOB_RUNNING)
        job->record.status.state = JOB_QUEUED;
    jobs_insert(jobs, job);
    return AIBOX_OK;
}

static enum aibox_status make_folder(const char *path, struct aibox_error *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return AIBOX_OK;
    return error_set(err, AIBOX_PROCESS_FAILED, "the folder of the jobs can't be made: %s", strerror(errno));
}

static enum aibox_status find_jobs(struct jobs *jobs, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    const struct dirent *entry;
    DIR *dir = opendir(jobs->folder);

    if (!dir)
        return error_set(err, AIBOX_PROCESS_FAILED, "the folder of the jobs can't be read: %s", strerror(errno));
    while (status == AIBOX_OK && (entry = readdir(dir)) != NULL)
        if (looks_like_id(entry->d_name))
            status = find_job(jobs, entry->d_name, err);
    (void)closedir(dir);
    return status;
}

static enum aibox_status open_parts(struct jobs *jobs, const char *data_dir, struct aibox_error *err)
{
    enum aibox_status status;

    if (!job_path(data_dir, "jobs", jobs->folder, sizeof jobs->folder) ||
        !job_path(data_dir, "uploads", jobs->upload_dir, sizeof jobs->upload_dir))
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
    /* What was being uploaded when the box stopped. */
    job_folder_remove(jobs->upload_dir);
    status = make_folder(jobs->folder, err);
    if (status == AIBOX_OK)
        status = make_folder(jobs->upload_dir, err);
    if (status == AIBOX_OK)
        status = find_jobs(jobs, err);
    if (status == AIBOX_OK && pthread_create(&jobs->thread, NULL, jobs_run, jobs) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "the thread of the jobs can't be started");
    jobs->started = status == AIBOX_OK;
    return status;
}

enum aibox_status jobs_open(struct settings *settings, struct store *store, struct flow *flow, const char *data_dir,
                            struct jobs **out, struct aibox_error *err)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    enum aibox_status status;

    *out = NULL;
    if (!jobs)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    jobs->settings = settings;
    jobs->store = store;
    jobs->flow = flow;
    if (pthread_mutex_init(&jobs->mu, NULL) != 0) {
        free(jobs);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    if (!clock_cond_init(&jobs->changed)) {
        (void)pthread_mutex_destroy(&jobs->mu);
        free(jobs);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    status = open_parts(jobs, data_dir, err);
    if (status != AIBOX_OK) {
        jobs_close(jobs);
        return status;
    }
    *out = jobs;
    return AIBOX_OK;
}

void jobs_close(struct jobs *jobs)
{
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->mu);
    atomic_store(&jobs->closing, true);
    for (struct job *job = jobs->newest; job; job = job->next)
        atomic_store(&job->stop, true);
    (void)pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->mu);
    if (jobs->started)
        (void)pthread_join(jobs->thread, NULL);
    while (jobs->newest) {
        struct job *job = jobs->newest;

        jobs->newest = job->next;
        job_free(job);
    }
    (void)pthread_cond_destroy(&jobs->changed);
    (void)pthread_mutex_destroy(&jobs->mu);
    free(jobs);
}

const char *jobs_upload_dir(const struct jobs *jobs)
{
    return jobs->upload_dir;
}
