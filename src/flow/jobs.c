#include "flow/jobs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "flow/import_results.h"
#include "flow/job_file.h"

#define KEPT_MS   ((int64_t)7 * 24 * 3600 * 1000) /* a job that has ended */
#define KEPT_JOBS 100
#define SYNC_MS   1000 /* results lost at most when the power goes; they are found again by doing the items again */
#define TIDY_MS   3600000
#define READY_MS  100 /* between two looks whether the gallery is loaded */

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
    pthread_mutex_t mu; /* guards what follows, and the jobs */
    pthread_cond_t changed;
    struct job *newest;
};

static bool has_ended(const struct job *job)
{
    return job->record.status.state > JOB_RUNNING;
}

static bool folder_of(const struct jobs *jobs, const struct job *job, char *out, size_t size)
{
    return job_path(jobs->folder, job->record.status.id, out, size);
}

static bool file_of(const struct jobs *jobs, const struct job *job, const char *name, char *out, size_t size)
{
    char folder[PATH_MAX];

    return folder_of(jobs, job, folder, sizeof folder) && job_path(folder, name, out, size);
}

static enum aibox_status write_record(const struct jobs *jobs, const struct job *job, struct aibox_error *err)
{
    char folder[PATH_MAX];

    if (!folder_of(jobs, job, folder, sizeof folder))
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
    return job_record_write(folder, &job->record, err);
}

static void drop_upload(const struct jobs *jobs, const struct job *job)
{
    char path[PATH_MAX];

    if (file_of(jobs, job, JOB_UPLOAD, path, sizeof path))
        (void)unlink(path);
}

/* ---- the list ------------------------------------------------------------------------------------------------ */

static struct job *find(const struct jobs *jobs, const char *id)
{
    struct job *job = jobs->newest;

    while (job && strcmp(job->record.status.id, id) != 0)
        job = job->next;
    return job;
}

static enum aibox_status no_such_job(const char *id, struct aibox_error *err)
{
    return error_set(err, AIBOX_NOT_FOUND, "there is no job '%.64s'", id);
}

static void insert(struct jobs *jobs, struct job *job)
{
    struct job **at = &jobs->newest;

    while (*at && strcmp((*at)->record.status.id, job->record.status.id) > 0)
        at = &(*at)->next;
    job->next = *at;
    *at = job;
}

static void take_out(struct jobs *jobs, const struct job *job)
{
    struct job **at = &jobs->newest;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
}

static void free_job(struct job *job)
{
    job_record_free(&job->record);
    free(job);
}

/* As it is at the moment. With the lock held. */
static struct job_status snapshot(const struct job *job)
{
    struct job_status status = job->record.status;

    if (job->results)
        import_results_count(job->results, &status.done, &status.failed);
    return status;
}

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

    if (!file_of(run->jobs, run->job, JOB_RESULTS, path, sizeof path))
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
    status = import_results_open(path, total, &results, err);
    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&run->jobs->mu);
    run->job->results = results;
    run->job->record.status.total = total;
    run->job->record.status.ignored = ignored;
    pthread_mutex_unlock(&run->jobs->mu);
    run->job->synced_ms = clock_monotonic_ms();
    return write_record(run->jobs, run->job, err);
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

    if (!file_of(jobs, job, JOB_UPLOAD, path, sizeof path))
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
    request.path = path;
    job_record_options(&job->record, &request.options);
    return import_run(&request, err);
}

/* Takes the results away from a job that has stopped running, once nobody reads them. With the lock held. */
static enum aibox_status end_results(struct jobs *jobs, struct job *job, struct aibox_error *err)
{
    struct job_status counted = snapshot(job);
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

/* Decides what a job that ran has become, and writes it down. With the lock held. */
static void end_job(struct jobs *jobs, struct job *job, enum aibox_status result, const struct aibox_error *why)
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
    if (write_record(jobs, job, &err) != AIBOX_OK)
        log_error("jobs", "the end of a job is not written down id=%s reason=\"%s\"", status->id, err.message);
    (void)pthread_cond_broadcast(&jobs->changed);
}

static void run_job(struct jobs *jobs, struct job *job)
{
    struct aibox_error err = {0};
    enum aibox_status result;

    log_info("jobs", "import begins id=%s", job->record.status.id);
    result = write_record(jobs, job, &err);
    if (result == AIBOX_OK)
        result = run_import(jobs, job, &err);
    pthread_mutex_lock(&jobs->mu);
    end_job(jobs, job, result, &err);
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

/* With the lock held, which is given up for a moment. */
static void remove_job(struct jobs *jobs, struct job *job)
{
    char folder[PATH_MAX];

    take_out(jobs, job);
    while (job->readers > 0)
        (void)pthread_cond_wait(&jobs->changed, &jobs->mu);
    if (folder_of(jobs, job, folder, sizeof folder))
        job_folder_remove(folder);
    free_job(job);
}

/* The first that has been kept for long enough. With the lock held. */
static struct job *find_old(const struct jobs *jobs)
{
    int64_t now = clock_realtime_ms();
    size_t newer = 0;

    for (struct job *job = jobs->newest; job; job = job->next)
        if (has_ended(job) && (newer++ >= KEPT_JOBS || now - job->record.status.ended_ms > KEPT_MS))
            return job;
    return NULL;
}

static void tidy(struct jobs *jobs)
{
    struct job *old;

    while ((old = find_old(jobs)) != NULL)
        remove_job(jobs, old);
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

static void *run_jobs(void *arg)
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

    if (job->record.status.total == 0 || !file_of(jobs, job, JOB_RESULTS, path, sizeof path))
        return AIBOX_OK;
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
        free_job(job);
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
    }
    status = job_record_read(folder, &job->record, err);
    memcpy(job->record.status.id, id, ID_ULID_SIZE);
    if (status == AIBOX_OK)
        status = count_results(jobs, job, err);
    if (status != AIBOX_OK) { /* interrupted while it was being made */
        log_warn("jobs", "a job that can't be read is removed id=%s reason=\"%s\"", id, err->message);
        job_folder_remove(folder);
        free_job(job);
        return AIBOX_OK;
    }
    if (job->record.status.state == JOB_RUNNING)
        job->record.status.state = JOB_QUEUED;
    insert(jobs, job);
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
    if (status == AIBOX_OK && pthread_create(&jobs->thread, NULL, run_jobs, jobs) != 0)
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
        free_job(job);
    }
    (void)pthread_cond_destroy(&jobs->changed);
    (void)pthread_mutex_destroy(&jobs->mu);
    free(jobs);
}

const char *jobs_upload_dir(const struct jobs *jobs)
{
    return jobs->upload_dir;
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

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
    enum aibox_status status;

    if (!folder_of(jobs, job, folder, sizeof folder) || !job_path(folder, JOB_UPLOAD, upload, sizeof upload))
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
    status = make_folder(folder, err);
    if (status == AIBOX_OK && rename(path, upload) != 0)
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
        insert(jobs, job);
        *out = job->record.status;
        (void)pthread_cond_broadcast(&jobs->changed);
        job = NULL;
    }
    pthread_mutex_unlock(&jobs->mu);
    if (job)
        free_job(job);
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
        (*out)[(*count)++] = snapshot(job);
    pthread_mutex_unlock(&jobs->mu);
    return *out ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

enum aibox_status jobs_get(struct jobs *jobs, const char *id, struct job_status *out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    const struct job *job;

    pthread_mutex_lock(&jobs->mu);
    job = find(jobs, id);
    if (job)
        *out = snapshot(job);
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
    if (!file_of(jobs, job, JOB_RESULTS, path, sizeof path))
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
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
    job = find(jobs, id);
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
    struct job *job = find(jobs, id);

    job->cancelled = true;
    atomic_store(&job->stop, true);
    if (job->record.status.state == JOB_QUEUED)
        end_job(jobs, job, AIBOX_OK, &(struct aibox_error){0});
    while ((job = find(jobs, id)) != NULL && !has_ended(job) && !atomic_load(&jobs->closing))
        (void)pthread_cond_wait(&jobs->changed, &jobs->mu);
}

enum aibox_status jobs_cancel(struct jobs *jobs, const char *id, struct job_status *out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    struct job *job;

    pthread_mutex_lock(&jobs->mu);
    job = find(jobs, id);
    if (job && has_ended(job)) {
        *out = job->record.status;
        remove_job(jobs, job);
    } else if (job) {
        stop_job(jobs, id);
        job = find(jobs, id);
        if (job)
            *out = snapshot(job);
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
    if (!file_of(jobs, job, JOB_RESULTS, path, sizeof path))
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
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

    if (!has_ended(job))
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
    return write_record(jobs, job, err);
}

enum aibox_status jobs_retry(struct jobs *jobs, const char *id, struct job_status *out, struct aibox_error *err)
{
    enum aibox_status status;
    struct job *job;

    pthread_mutex_lock(&jobs->mu);
    job = find(jobs, id);
    status = job ? requeue(jobs, job, err) : no_such_job(id, err);
    if (status == AIBOX_OK) {
        *out = snapshot(job);
        (void)pthread_cond_broadcast(&jobs->changed);
    }
    pthread_mutex_unlock(&jobs->mu);
    return status;
}

void jobs_clear(struct jobs *jobs)
{
    struct job *job;

    pthread_mutex_lock(&jobs->mu);
    while ((job = jobs->newest) != NULL && !atomic_load(&jobs->closing)) {
        char id[ID_ULID_SIZE];

        memcpy(id, job->record.status.id, sizeof id);
        if (!has_ended(job))
            stop_job(jobs, id);
        job = find(jobs, id);
        if (job && has_ended(job))
            remove_job(jobs, job);
    }
    pthread_mutex_unlock(&jobs->mu);
}
