#include "backup/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/archive.h"
#include "backup/backup_internal.h"
#include "backup/manifest.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/utf8.h"
#include "store/snapshot.h"

#define FOLDER      "backup"
#define COPY_FOLDER "copy"
#define FILE_NAME   "made"
#define UPLOAD_NAME "uploaded"
#define KEPT_MS     (INT64_C(24) * 3600 * 1000)
#define PIECE       ((size_t)256 << 10)
#define COPYING     0.5 /* share of the work */

const char *const backup_state_names[] = {"none", "running", "ready", "failed"};

/* ---- folders ---------------------------------------------------------------------------------------------- */

void backup_folder_remove(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    (void)rmdir(path);
}

enum aibox_status backup_folder_make(const char *path, struct aibox_error *err)
{
    backup_folder_remove(path);
    if (mkdir(path, 0700) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "a folder can't be made: %s", strerror(errno));
    return AIBOX_OK;
}

static bool join(char *out, const char *folder, const char *name)
{
    int n = snprintf(out, BACKUP_PATH, "%s/%s", folder, name);

    return n > 0 && n < BACKUP_PATH;
}

/* ---- making one ------------------------------------------------------------------------------------------- */

static bool go_on(void *ctx, uint64_t done, uint64_t total)
{
    struct backup *backup = ctx;

    pthread_mutex_lock(&backup->mu);
    backup->status.done = total > 0 ? COPYING * (double)done / (double)total : 0;
    pthread_mutex_unlock(&backup->mu);
    return !atomic_load(&backup->stop);
}

static enum aibox_status add_manifest(struct backup *backup, struct archive_out *archive, struct aibox_error *err)
{
    struct store_counters counters;
    struct backup_contents contents = {.version = AIBOX_VERSION};
    struct json_out json;

    store_count(backup->store, &counters);
    settings_text(backup->settings, "box.name", contents.box_name, sizeof contents.box_name);
    contents.created_ms = backup->status.created_ms;
    contents.with_events = backup->status.with_events;
    contents.people = counters.people;
    contents.events = contents.with_events ? counters.events : 0;
    json_out_init(&json, MANIFEST_MAX);
    manifest_write(&contents, &json);
    enum aibox_status status = json_out_complete(&json)
                                   ? archive_out_member(archive, MANIFEST_NAME, json.buffer.size, err)
                                   : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (status == AIBOX_OK)
        status = archive_out_write(archive, json.buffer.data, json.buffer.size, err);
    json_out_free(&json);
    return status;
}

static void add_done(struct backup *backup, uint64_t bytes, uint64_t all)
{
    pthread_mutex_lock(&backup->mu);
    backup->status.done += all > 0 ? (1 - COPYING) * (double)bytes / (double)all : 0;
    pthread_mutex_unlock(&backup->mu);
}

/* `all`: bytes of all files, for the progress. */
static enum aibox_status add_file(struct backup *backup, struct archive_out *archive, const char *folder,
                                  const char *name, uint64_t all, struct aibox_error *err)
{
    char path[BACKUP_PATH];
    struct stat info;
    uint8_t *piece = malloc(PIECE);
    int fd = join(path, folder, name) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    enum aibox_status status = AIBOX_OK;

    if (!piece || fd < 0 || fstat(fd, &info) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "a copy can't be read");
    else
        status = archive_out_member(archive, name, (uint64_t)info.st_size, err);
    while (status == AIBOX_OK) {
        ssize_t n = read(fd, piece, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            break;
        if (n < 0)
            status = error_set(err, AIBOX_PROCESS_FAILED, "a copy can't be read: %s", strerror(errno));
        else if (atomic_load(&backup->stop))
            status = error_set(err, AIBOX_PROCESS_FAILED, "stopped");
        else
            status = archive_out_write(archive, piece, (size_t)n, err);
        if (status == AIBOX_OK)
            add_done(backup, (uint64_t)n, all);
    }
    if (fd >= 0)
        close(fd);
    free(piece);
    return status;
}

static uint64_t size_of(const char *folder, const char *name)
{
    char path[BACKUP_PATH];
    struct stat info;

    return join(path, folder, name) && stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

static enum aibox_status write_archive(struct backup *backup, const char *copies, uint64_t *size,
                                       struct aibox_error *err)
{
    struct archive_out *archive = NULL;
    uint64_t all = size_of(copies, STORE_MAIN_FILE) + size_of(copies, STORE_PICTURES_FILE);
    enum aibox_status status = archive_out_open(backup->file, backup->password, &archive, err);

    sodium_memzero(backup->password, sizeof backup->password);
    if (status == AIBOX_OK)
        status = add_manifest(backup, archive, err);
    if (status == AIBOX_OK)
        status = add_file(backup, archive, copies, STORE_MAIN_FILE, all, err);
    if (status == AIBOX_OK)
        status = add_file(backup, archive, copies, STORE_PICTURES_FILE, all, err);
    if (status == AIBOX_OK)
        status = archive_out_finish(archive, size, err);
    archive_out_close(archive);
    return status;
}

static enum aibox_status make(struct backup *backup, uint64_t *size, struct aibox_error *err)
{
    char copies[BACKUP_PATH];
    struct store_snapshot_options options = {.folder = copies,
                                             .with_events = backup->status.with_events,
                                             .copies = 2, /* these, and the encrypted file */
                                             .go_on = go_on,
                                             .ctx = backup};

    if (!join(copies, backup->folder, COPY_FOLDER))
        return error_set(err, AIBOX_PROCESS_FAILED, "the name of the data folder is too long");
    enum aibox_status status = backup_folder_make(copies, err);
    if (status == AIBOX_OK)
        status = store_snapshot(backup->store, &options, err);
    if (status == AIBOX_OK)
        status = write_archive(backup, copies, size, err);
    backup_folder_remove(copies);
    return status;
}

static void *run(void *arg)
{
    struct backup *backup = arg;
    struct aibox_error err = {0};
    uint64_t size = 0;

    pthread_setname_np(pthread_self(), "backup");
    enum aibox_status status = make(backup, &size, &err);
    sodium_memzero(backup->password, sizeof backup->password);
    if (status != AIBOX_OK)
        (void)unlink(backup->file);
    pthread_mutex_lock(&backup->mu);
    backup->status.state = status == AIBOX_OK ? BACKUP_READY : BACKUP_FAILED;
    backup->status.done = status == AIBOX_OK ? 1 : backup->status.done;
    backup->status.size = size;
    backup->status.error = err;
    pthread_mutex_unlock(&backup->mu);
    if (status == AIBOX_OK)
        log_info("backup", "a backup was made bytes=%llu", (unsigned long long)size);
    else
        log_warn("backup", "a backup was not made reason=\"%s\"", err.message);
    return NULL;
}

/* ---- the one that there is --------------------------------------------------------------------------------- */

/* `calls` is held. Ends the thread, whatever it is doing. */
static void end_thread(struct backup *backup)
{
    if (!backup->thread_runs)
        return;
    atomic_store(&backup->stop, true);
    pthread_join(backup->thread, NULL);
    backup->thread_runs = false;
    atomic_store(&backup->stop, false);
}

static void forget(struct backup *backup)
{
    (void)unlink(backup->file);
    pthread_mutex_lock(&backup->mu);
    backup->status = (struct backup_status){.state = BACKUP_NONE};
    pthread_mutex_unlock(&backup->mu);
}

void backup_status_get(struct backup *backup, struct backup_status *out)
{
    pthread_mutex_lock(&backup->mu);
    *out = backup->status;
    if (out->state == BACKUP_READY && clock_realtime_ms() - out->created_ms > KEPT_MS) {
        (void)unlink(backup->file);
        backup->status = (struct backup_status){.state = BACKUP_NONE};
        *out = backup->status;
    }
    pthread_mutex_unlock(&backup->mu);
}

static enum aibox_status check_password(const char *password, struct aibox_error *err)
{
    if (strlen(password) > BACKUP_PASSWORD_MAX)
        return error_set(err, AIBOX_PARAM, "password: longer than %d bytes", BACKUP_PASSWORD_MAX);
    if (utf8_count(password) < BACKUP_PASSWORD_MIN)
        return error_set(err, AIBOX_PARAM, "password: at least %d characters", BACKUP_PASSWORD_MIN);
    return AIBOX_OK;
}

static enum aibox_status start(struct backup *backup, const char *password, bool with_events, struct aibox_error *err)
{
    struct backup_status now;

    backup_status_get(backup, &now);
    if (now.state == BACKUP_RUNNING)
        return error_set(err, AIBOX_TOO_MANY_REQUESTS, "a backup is being made already");
    end_thread(backup);
    forget(backup);
    snprintf(backup->password, sizeof backup->password, "%s", password);
    backup->status =
        (struct backup_status){.state = BACKUP_RUNNING, .with_events = with_events, .created_ms = clock_realtime_ms()};
    id_ulid(backup->status.id);
    if (pthread_create(&backup->thread, NULL, run, backup) != 0) {
        sodium_memzero(backup->password, sizeof backup->password);
        forget(backup);
        return error_set(err, AIBOX_PROCESS_FAILED, "no thread for the backup");
    }
    backup->thread_runs = true;
    return AIBOX_OK;
}

enum aibox_status backup_start(struct backup *backup, const char *password, bool with_events, struct backup_status *out,
                               struct aibox_error *err)
{
    enum aibox_status status = check_password(password, err);

    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&backup->calls);
    status = start(backup, password, with_events, err);
    pthread_mutex_unlock(&backup->calls);
    if (status == AIBOX_OK)
        backup_status_get(backup, out);
    return status;
}

enum aibox_status backup_file(struct backup *backup, const char *id, int *fd, uint64_t *size, struct aibox_error *err)
{
    struct backup_status now;

    backup_status_get(backup, &now);
    if (now.state != BACKUP_READY || strcmp(now.id, id) != 0)
        return error_set(err, AIBOX_NOT_FOUND, "backup_id: there is no such backup");
    *fd = open(backup->file, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the backup can't be read: %s", strerror(errno));
    *size = now.size;
    return AIBOX_OK;
}

void backup_clear(struct backup *backup)
{
    if (!backup)
        return;
    pthread_mutex_lock(&backup->calls);
    end_thread(backup);
    forget(backup);
    (void)unlink(backup->upload);
    backup->uploaded.id[0] = '\0';
    pthread_mutex_unlock(&backup->calls);
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

enum aibox_status backup_open(struct settings *settings, struct store *store, const char *data_dir, struct backup **out,
                              struct aibox_error *err)
{
    char copies[BACKUP_PATH];
    struct backup *backup = calloc(1, sizeof *backup);

    *out = NULL;
    if (!backup)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    backup->settings = settings;
    backup->store = store;
    pthread_mutex_init(&backup->calls, NULL);
    pthread_mutex_init(&backup->mu, NULL);
    int n = snprintf(backup->data_dir, sizeof backup->data_dir, "%s", data_dir);
    enum aibox_status status = AIBOX_OK;
    if (n < 0 || (size_t)n >= sizeof backup->data_dir || !join(backup->folder, data_dir, FOLDER) ||
        !join(backup->file, backup->folder, FILE_NAME) || !join(backup->upload, backup->folder, UPLOAD_NAME) ||
        !join(copies, backup->folder, COPY_FOLDER)) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "the name of the data folder is too long");
    } else {
        backup_folder_remove(copies);
        status = backup_folder_make(backup->folder, err);
    }
    if (status != AIBOX_OK) {
        backup_close(backup);
        return status;
    }
    *out = backup;
    return AIBOX_OK;
}

void backup_close(struct backup *backup)
{
    if (!backup)
        return;
    pthread_mutex_lock(&backup->calls);
    end_thread(backup);
    pthread_mutex_unlock(&backup->calls);
    if (backup->folder[0])
        backup_folder_remove(backup->folder);
    pthread_mutex_destroy(&backup->mu);
    pthread_mutex_destroy(&backup->calls);
    free(backup);
}
