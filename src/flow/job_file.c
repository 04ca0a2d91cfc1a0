#include "flow/job_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD     "job.json"
#define RECORD_NEW "job.json.new"

const char *const job_state_names[] = {
    [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running",     [JOB_DONE] = "done",
    [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled",
};

bool job_path(const char *folder, const char *name, char *out, size_t size)
{
    int length = snprintf(out, size, "%s/%s", folder, name);

    return length > 0 && (size_t)length < size;
}

void job_folder_remove(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (dir) {
        while ((entry = readdir(dir)) != NULL)
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                (void)unlinkat(dirfd(dir), entry->d_name, 0);
        (void)closedir(dir);
    }
    (void)rmdir(folder);
}

/* ---- options ------------------------------------------------------------------------------------------------ */

void job_record_free(struct job_record *record)
{
    for (size_t i = 0; i < record->n_groups; i++)
        free(record->groups[i]);
    free(record->groups);
    record->groups = NULL;
    record->n_groups = 0;
}

static enum aibox_status set_groups(struct job_record *record, const char *const *groups, size_t n,
                                    struct aibox_error *err)
{
    record->groups = calloc(n ? n : 1, sizeof *record->groups);
    if (!record->groups)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    while (record->n_groups < n) {
        char *copy = strdup(groups[record->n_groups]);

        if (!copy) {
            job_record_free(record);
            return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        }
        record->groups[record->n_groups++] = copy;
    }
    return AIBOX_OK;
}

enum aibox_status job_record_set_options(struct job_record *record, const struct import_options *options,
                                         struct aibox_error *err)
{
    record->level = options->level;
    record->ignore_exist = options->ignore_exist;
    record->create_permissions = options->create_permissions;
    record->create_groups = options->create_groups;
    record->refuse_duplicate = options->refuse_duplicate;
    return set_groups(record, options->groups, options->n_groups, err);
}

void job_record_options(const struct job_record *record, struct import_options *out)
{
    *out = (struct import_options){.groups = (const char *const *)record->groups,
                                   .n_groups = record->n_groups,
                                   .level = record->level,
                                   .ignore_exist = record->ignore_exist,
                                   .create_permissions = record->create_permissions,
                                   .create_groups = record->create_groups,
                                   .refuse_duplicate = record->refuse_duplicate};
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static json_t *to_json(const struct job_record *record)
{
    const struct job_status *status = &record->status;
    json_t *groups = json_array();

    for (size_t i = 0; i < record->n_groups; i++)
        if (json_array_append_new(groups, json_string(record->groups[i])) != 0) {
            json_decref(groups);
            return NULL;
        }
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:i, s:s, s:I, s:I, s:o, s:i, s:b, s:b, s:b, s:b}",
                     "type", "import", "state", job_state_names[status->state], "created_ms",
                     (json_int_t)status->created_ms, "started_ms", (json_int_t)status->started_ms, "ended_ms",
                     (json_int_t)status->ended_ms, "total", (json_int_t)status->total, "ignored",
                     (json_int_t)status->ignored, "can_retry", (int)status->can_retry, "error",
                     (int)status->error.status, "message", status->error.message, "offset", (json_int_t)record->offset,
                     "size", (json_int_t)record->size, "groups", groups, "level", (int)record->level, "ignore_exist",
                     (int)record->ignore_exist, "create_permissions", (int)record->create_permissions, "create_groups",
                     (int)record->create_groups, "refuse_duplicate", (int)record->refuse_duplicate);
}

static enum aibox_status io_failed(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "the job can't be written down: %s", strerror(errno));
}

static bool write_file(int folder, const char *text)
{
    int fd = openat(folder, RECORD_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t left = strlen(text);
    bool fine = fd >= 0;

    while (fine && left > 0) {
        ssize_t done = write(fd, text, left);

        if (done < 0 && errno == EINTR)
            continue;
        fine = done > 0;
        text += fine ? done : 0;
        left -= fine ? (size_t)done : 0;
    }
    fine = fine && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        fine = false;
    return fine && renameat(folder, RECORD_NEW, folder, RECORD) == 0 && fsync(folder) == 0;
}

enum aibox_status job_record_write(const char *folder, const struct job_record *record, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    json_t *json = to_json(record);
    char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (!text)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    else if (fd < 0 || !write_file(fd, text))
        status = io_failed(err);
    if (fd >= 0)
        (void)close(fd);
    free(text);
    json_decref(json);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static bool read_state(const char *word, enum job_state *out)
{
    for (int i = JOB_QUEUED; i <= JOB_CANCELLED; i++)
        if (strcmp(word, job_state_names[i]) == 0) {
            *out = (enum job_state)i;
            return true;
        }
    return false;
}

static enum aibox_status read_groups(const json_t *list, struct job_record *out, struct aibox_error *err)
{
    const char *names[JOB_MAX_GROUPS];
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(list) && n < JOB_MAX_GROUPS; i++) {
        names[n] = json_string_value(json_array_get(list, i));
        n += names[n] != NULL;
    }
    return set_groups(out, names, n, err);
}

static enum aibox_status from_json(json_t *json, struct job_record *out, struct aibox_error *err)
{
    struct job_status *status = &out->status;
    const char *state, *message;
    json_int_t created, started, ended, total, ignored, offset, size;
    int can_retry, error, level, ignore_exist, create_permissions, create_groups;
    int refuse_duplicate = false; /* jobs of old don't say */
    json_t *groups;

    if (json_unpack(json, "{s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:i, s:s, s:I, s:I, s:o, s:i, s:b, s:b, s:b, s?b}",
                    "state", &state, "created_ms", &created, "started_ms", &started, "ended_ms", &ended, "total",
                    &total, "ignored", &ignored, "can_retry", &can_retry, "error", &error, "message", &message,
                    "offset", &offset, "size", &size, "groups", &groups, "level", &level, "ignore_exist", &ignore_exist,
                    "create_permissions", &create_permissions, "create_groups", &create_groups, "refuse_duplicate",
                    &refuse_duplicate) != 0 ||
        !read_state(state, &status->state) || total < 0 || error < 0 || error >= AIBOX_STATUS_COUNT || offset < 0 ||
        size < 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "it is damaged");
    status->created_ms = created;
    status->started_ms = started;
    status->ended_ms = ended;
    status->total = (size_t)total;
    status->ignored = (size_t)ignored;
    status->can_retry = can_retry;
    if (error != AIBOX_OK)
        (void)error_set(&status->error, (enum aibox_status)error, "%s", message);
    out->offset = (uint64_t)offset;
    out->size = (uint64_t)size;
    out->level = (enum vision_quality_level)level;
    out->ignore_exist = ignore_exist;
    out->create_permissions = create_permissions;
    out->create_groups = create_groups;
    out->refuse_duplicate = refuse_duplicate;
    return read_groups(groups, out, err);
}

enum aibox_status job_record_read(const char *folder, struct job_record *out, struct aibox_error *err)
{
    char path[PATH_MAX];
    json_t *json;
    enum aibox_status status;

    *out = (struct job_record){0};
    if (!job_path(folder, RECORD, path, sizeof path))
        return error_set(err, AIBOX_PROCESS_FAILED, "its path is too long");
    json = json_load_file(path, 0, NULL);
    if (!json)
        return error_set(err, AIBOX_PROCESS_FAILED, "it is not there, or damaged");
    status = from_json(json, out, err);
    json_decref(json);
    return status;
}
