/* Jobs: their states, what survives a restart, what goes away. On tables without photos: the models are loaded, and not
 * asked. Needs the model set (AIBOX_MODELS or build/models). */
#include "check.h"

#include <dirent.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../store/fixture.h"
#include "core/clock.h"
#include "flow/jobs.h"
#include "zips.h"

struct box {
    struct fixture *files;
    struct settings *settings;
    struct flow *flow;
    struct jobs *jobs;
};

static const char *models;

static void open_flow(struct box *box)
{
    struct aibox_error err = {0};

    store_set_capacity(box->files->store, 10000);
    if (flow_open(box->settings, box->files->store, models, &box->flow, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    assert_true(flow_wait_ready(box->flow));
}

static void open_jobs(struct box *box)
{
    struct aibox_error err = {0};

    if (jobs_open(box->settings, box->files->store, box->flow, box->files->path, &box->jobs, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
}

static int setup(void **state)
{
    struct box *box = calloc(1, sizeof *box);
    void *files;

    if (!box || fixture_setup(&files) != 0)
        return -1;
    box->files = files;
    assert_int_equal(settings_open(&box->settings, NULL), AIBOX_OK);
    open_flow(box);
    open_jobs(box);
    *state = box;
    return 0;
}

static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);

    for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
}

static const char *path_in(const struct box *box, const char *name)
{
    static char path[600];

    snprintf(path, sizeof path, "%s/%s", box->files->path, name);
    return path;
}

static int teardown(void **state)
{
    struct box *box = *state;
    void *files = box->files;

    if (box->jobs)
        jobs_clear(box->jobs);
    jobs_close(box->jobs);
    flow_close(box->flow);
    settings_close(box->settings);
    remove_folder(path_in(box, "jobs"));
    remove_folder(path_in(box, "uploads"));
    free(box);
    return fixture_teardown(&files);
}

static const struct import_options any_way = {.level = QUALITY_NO, .ignore_exist = true};

/* Hands over an archive with this table. */
static enum aibox_status submit(struct box *box, const char *table, const struct import_options *options,
                                struct job_status *job, struct aibox_error *err)
{
    const struct zips_entry entry = {.name = "people.csv", .content = table};
    char path[512];
    struct buffer bytes;

    buffer_init(&bytes, (size_t)16 << 20);
    zips_make(&bytes, &entry, 1);
    snprintf(path, sizeof path, "%s/upload-test", jobs_upload_dir(box->jobs));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite("junk", 1, 4, file), 4);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
    enum aibox_status status = jobs_import_take(box->jobs, path, 4, bytes.size, options, job, err);
    assert_int_equal(access(path, F_OK) == 0, status != AIBOX_OK);
    buffer_free(&bytes);
    return status;
}

static void take(struct box *box, const char *table, struct job_status *job)
{
    struct aibox_error err = {0};

    if (submit(box, table, &any_way, job, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
}

static void wait_for(struct box *box, struct job_status *job)
{
    const struct timespec moment = {.tv_nsec = 2000000};

    do {
        nanosleep(&moment, NULL);
        assert_int_equal(jobs_get(box->jobs, job->id, job, NULL), AIBOX_OK);
    } while (job->state == JOB_QUEUED || job->state == JOB_RUNNING);
}

/* A table of `n` people whose ids begin with `prefix`; freed by the caller. */
static char *table_of(size_t n, const char *prefix)
{
    struct buffer text;
    size_t size;

    buffer_init(&text, (size_t)8 << 20);
    buffer_append_text(&text, "id,name\n");
    for (size_t i = 0; i < n; i++)
        buffer_appendf(&text, "%s%zu,x\n", prefix, i);
    return (char *)buffer_give(&text, &size);
}

static bool exists(const struct box *box, const char *id, const char *file)
{
    char name[300];

    snprintf(name, sizeof name, "jobs/%s/%s", id, file);
    return access(path_in(box, name), F_OK) == 0;
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static void a_job_is_done(void **state)
{
    struct box *box = *state;
    struct job_status job;

    take(box, "id,name\n1,Ann\n2,Bo\n", &job);
    wait_for(box, &job);
    assert_int_equal(job.state, JOB_DONE);
    assert_int_equal(job.total, 2);
    assert_int_equal(job.done, 2);
    assert_int_equal(job.failed, 0);
    assert_false(job.can_retry);
    assert_true(job.created_ms <= job.started_ms && job.started_ms <= job.ended_ms);
    assert_int_equal(store_person_count(box->files->store), 2);
    assert_false(exists(box, job.id, "upload"));
    assert_true(exists(box, job.id, "results"));
}

static void count_json(void *ctx, const char *json)
{
    assert_int_equal(json[0], '{');
    ++*(size_t *)ctx;
}

static void what_failed_is_tried_again(void **state)
{
    struct box *box = *state;
    struct job_status job;
    size_t seen = 0, total;

    take(box, "id,name,group_name\n1,Ann,late\n2,Bo,\n,Nobody,\n", &job);
    wait_for(box, &job);
    assert_int_equal(job.state, JOB_DONE);
    assert_int_equal(job.done, 1);
    assert_int_equal(job.failed, 2);
    assert_true(job.can_retry);
    assert_true(exists(box, job.id, "upload"));
    assert_int_equal(jobs_results(box->jobs, job.id, true, 0, 100, count_json, &seen, &total, NULL), AIBOX_OK);
    assert_int_equal(seen, 2);
    assert_int_equal(total, 2);

    assert_int_equal(store_label_create(box->files->store, STORE_GROUP, NULL, "late", "", NULL, NULL, NULL), AIBOX_OK);
    assert_int_equal(jobs_retry(box->jobs, job.id, &job, NULL), AIBOX_OK);
    wait_for(box, &job);
    assert_int_equal(job.done, 2);
    assert_int_equal(job.failed, 1);
    assert_int_equal(store_person_count(box->files->store), 2);
    assert_int_equal(jobs_retry(box->jobs, "01ARZ3NDEKTSV4RRFFQ69G5FAV", &job, NULL), AIBOX_NOT_FOUND);
}

static void archives_are_checked_at_once(void **state)
{
    struct box *box = *state;
    struct job_status job;
    struct aibox_error err;
    char path[512];

    snprintf(path, sizeof path, "%s/x", jobs_upload_dir(box->jobs));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("no archive, but long enough to be one", file);
    fclose(file);
    assert_int_equal(jobs_import_take(box->jobs, path, 0, 37, &any_way, &job, &err), AIBOX_PARAM);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
    take(box, "name\nx\n", &job);
    wait_for(box, &job);
    assert_int_equal(job.state, JOB_FAILED);
    assert_int_equal(job.error.status, AIBOX_PARAM);
    assert_non_null(strstr(job.error.message, "identity_id"));
    assert_int_equal(jobs_retry(box->jobs, job.id, &job, &err), AIBOX_PARAM);
}

static void jobs_wait_their_turn_and_can_be_cancelled(void **state)
{
    struct box *box = *state;
    struct job_status first, second, list_of_one, *list;
    char *large = table_of(5000, "a"), *small = table_of(3, "b");
    size_t count;

    take(box, large, &first);
    take(box, small, &second);
    assert_int_equal(second.state, JOB_QUEUED);
    assert_int_equal(jobs_list(box->jobs, &list, &count, NULL), AIBOX_OK);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].id, second.id);
    assert_string_equal(list[1].id, first.id);
    free(list);
    assert_int_equal(jobs_cancel(box->jobs, first.id, &first, NULL), AIBOX_OK);
    assert_int_equal(first.state, JOB_CANCELLED);
    assert_false(first.can_retry);
    assert_false(exists(box, first.id, "upload"));
    size_t there = store_person_count(box->files->store);
    wait_for(box, &second);
    assert_int_equal(second.done, 3);
    assert_int_equal(store_person_count(box->files->store), there + 3);
    assert_int_equal(first.done, there);
    /* Once more removes it. */
    assert_int_equal(jobs_cancel(box->jobs, first.id, &list_of_one, NULL), AIBOX_OK);
    assert_int_equal(jobs_get(box->jobs, first.id, &list_of_one, NULL), AIBOX_NOT_FOUND);
    assert_false(exists(box, first.id, "job.json"));
    free(large);
    free(small);
}

static void too_many_are_refused(void **state)
{
    struct box *box = *state;
    struct job_status job;
    struct aibox_error err = {0};
    char *large = table_of(5000, "a");
    enum aibox_status status = AIBOX_OK;

    take(box, large, &job);
    for (int i = 0; i < JOBS_MAX_QUEUED + 1 && status == AIBOX_OK; i++)
        status = submit(box, large, &any_way, &job, &err);
    assert_int_equal(status, AIBOX_TOO_MANY_REQUESTS);
    free(large);
}

static void an_interrupted_job_goes_on(void **state)
{
    struct box *box = *state;
    struct job_status job;
    char *table = table_of(3000, "a");
    struct import_options options = {.level = QUALITY_NO, .ignore_exist = false};

    assert_int_equal(submit(box, table, &options, &job, NULL), AIBOX_OK);
    while (store_person_count(box->files->store) < 10)
        assert_int_equal(jobs_get(box->jobs, job.id, &job, NULL), AIBOX_OK);
    jobs_close(box->jobs);
    open_jobs(box);
    wait_for(box, &job);
    assert_int_equal(job.state, JOB_DONE);
    assert_int_equal(job.total, 3000);
    assert_int_equal(job.done, 3000);
    assert_int_equal(job.failed, 0);
    assert_int_equal(store_person_count(box->files->store), 3000);
    free(table);
}

static void what_is_no_job_is_removed_at_the_start(void **state)
{
    struct box *box = *state;
    struct job_status job, *list;
    size_t count;

    take(box, "id,name\n1,Ann\n", &job);
    wait_for(box, &job);
    jobs_close(box->jobs);
    assert_int_equal(mkdir(path_in(box, "jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV"), 0700), 0);
    FILE *file = fopen(path_in(box, "jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV/job.json"), "w");
    assert_non_null(file);
    fputs("{\"state\": \"running\"", file);
    fclose(file);
    file = fopen(path_in(box, "uploads/upload-abcdef"), "w");
    assert_non_null(file);
    fclose(file);
    open_jobs(box);
    assert_int_equal(jobs_list(box->jobs, &list, &count, NULL), AIBOX_OK);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].id, job.id);
    assert_int_equal(list[0].state, JOB_DONE);
    assert_int_equal(list[0].done, 1);
    free(list);
    assert_int_not_equal(access(path_in(box, "jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV"), F_OK), 0);
    assert_int_not_equal(access(path_in(box, "uploads/upload-abcdef"), F_OK), 0);
}

static void clearing_leaves_nothing(void **state)
{
    struct box *box = *state;
    struct job_status job, *list;
    size_t count;
    char *table = table_of(5000, "a");

    for (int i = 0; i < 3; i++)
        take(box, table, &job);
    jobs_clear(box->jobs);
    assert_int_equal(jobs_list(box->jobs, &list, &count, NULL), AIBOX_OK);
    assert_int_equal(count, 0);
    free(list);
    assert_false(exists(box, job.id, ""));
    size_t there = store_person_count(box->files->store);
    assert_in_range(there, 0, 4999);
    take(box, "id,name\nlast,x\n", &job);
    wait_for(box, &job);
    assert_int_equal(store_person_count(box->files->store), there + 1);
    free(table);
}

#define WITH_BOX(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOX(a_job_is_done),
        WITH_BOX(what_failed_is_tried_again),
        WITH_BOX(archives_are_checked_at_once),
        WITH_BOX(jobs_wait_their_turn_and_can_be_cancelled),
        WITH_BOX(too_many_are_refused),
        WITH_BOX(an_interrupted_job_goes_on),
        WITH_BOX(what_is_no_job_is_removed_at_the_start),
        WITH_BOX(clearing_leaves_nothing),
    };
    char manifest[4096];

    models = getenv("AIBOX_MODELS");
    if (!models || !*models)
        models = AIBOX_SOURCE_DIR "/build/models";
    (void)snprintf(manifest, sizeof manifest, "%s/manifest.json", models);
    if (access(manifest, R_OK) != 0) {
        (void)printf("skipped: the model set is not there (make models)\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
