/*
 * Events tell at once, a sweep every SWEEP_MS finds what they missed: files that were there, folders that were filled
 * before they were watched, an overflow of the kernel's queue, and what has outstayed its time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "intake/ftp_folder_internal.h"
#include "intake/ftp_tree.h"

#define SWEEP_MS     2000
#define ABANDONED_MS 300000 /* an upload that does not go on */
#define TAKEN_SIZE   (FTP_USER_MAX + ID_ULID_SIZE)
/* A camera may want to go into the empty folder that it has made: for so long, and where there are many, for so long.
 */
#define REST_LONG_MS    (24 * 3600 * 1000)
#define REST_SHORT_MS   120000
#define FOLDERS_RESTING 64
#define FOLDERS_MAX     8192 /* watched in all */
#define EVENTS          (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)

/* What a sweep has met in one account. */
struct tally {
    struct ftp_folder *folder;
    const char *user;
    size_t folders, files;
    uint64_t bytes;
    int64_t now_ms;
};

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void remove_other(struct ftp_folder *folder, int dir_fd, const char *name)
{
    if (unlinkat(dir_fd, name, 0) == 0)
        ftp_folder_add_one(ftp_arrival_kind(name) == KIND_SIDECAR ? &folder->sidecars_refused : &folder->others);
}

/* What a sweep does with a file that is no picture, or not yet. */
static void keep_in_bounds(struct tally *tally, int dir_fd, const char *name, const struct stat *info)
{
    int64_t age_ms = tally->now_ms - ftp_arrival_modified_ms(info);
    tally->files++;
    tally->bytes += (uint64_t)info->st_size;
    if (age_ms > (ftp_arrival_kind(name) == KIND_UPLOAD ? ABANDONED_MS : FTP_FOLDER_GRACE_MS) ||
        tally->files > FTP_FOLDER_MAX_FILES || tally->bytes > FTP_FOLDER_MAX_BYTES)
        remove_other(tally->folder, dir_fd, name);
}

static void sweep_file(struct tally *tally, int dir_fd, const char *path, const char *name, const struct stat *info)
{
    struct ftp_folder *folder = tally->folder;
    enum kind kind = ftp_arrival_kind(name);
    if (!S_ISREG(info->st_mode)) {
        remove_other(folder, dir_fd, name);
    } else if (kind == KIND_PICTURE) { /* it has its name only when it is complete */
        ftp_arrival_picture(folder, dir_fd, path, name, tally->user, info);
    } else {
        if (kind == KIND_SIDECAR)
            ftp_arrival_sidecar(folder, dir_fd, path, name, tally->user);
        keep_in_bounds(tally, dir_fd, name, info);
    }
}

/* A file has been closed, or has got its name. */
static void file_came(struct ftp_folder *folder, const struct watched *at, const char *name)
{
    int dir_fd = ftp_tree_open(folder->cameras_fd, at->path);
    const struct device *device = ftp_queue_device(folder->queue, at->user);
    struct stat info;
    if (dir_fd >= 0 && device != NULL && fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(info.st_mode)) {
        device_touch(device);
        switch (ftp_arrival_kind(name)) {
        case KIND_PICTURE:
            ftp_arrival_picture(folder, dir_fd, at->path, name, at->user, &info);
            break;
        case KIND_SIDECAR:
            ftp_arrival_sidecar(folder, dir_fd, at->path, name, at->user);
            break;
        case KIND_UPLOAD:
            break;
        case KIND_OTHER:
            folder->unswept_bytes += (uint64_t)info.st_size;
            break;
        }
    }
    device_release(device);
    if (dir_fd >= 0)
        (void)close(dir_fd);
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

static void forget(struct ftp_folder *folder, int wd)
{
    for (size_t i = 0; i < folder->n_watched; i++) {
        if (folder->watched[i].wd != wd)
            continue;
        free(folder->watched[i].path);
        folder->watched[i] = folder->watched[--folder->n_watched];
        return;
    }
}

static struct watched *find_watched(struct ftp_folder *folder, int wd)
{
    for (size_t i = 0; i < folder->n_watched; i++)
        if (folder->watched[i].wd == wd)
            return &folder->watched[i];
    return NULL;
}

/* What is not watched is found by the sweeps alone. A folder that was moved keeps its watch, and gets its new path. */
static void watch(struct ftp_folder *folder, const char *user, const char *path)
{
    char whole[PATH_MAX];
    int size = snprintf(whole, sizeof whole, "%s/%s", folder->cameras, path);
    int wd = size > 0 && (size_t)size < sizeof whole && folder->n_watched < FOLDERS_MAX
                 ? inotify_add_watch(folder->notify_fd, whole, EVENTS)
                 : -1;
    struct watched *watched = wd >= 0 ? find_watched(folder, wd) : NULL;
    if (wd < 0 && !folder->said_unwatched)
        log_warn("intake", "not every folder of the cameras can be watched: pictures may be seen late");
    folder->said_unwatched = folder->said_unwatched || wd < 0;
    if (wd < 0 || (watched != NULL && strcmp(watched->path, path) == 0))
        return;
    char *copy = strdup(path);
    if (copy == NULL)
        return;
    if (watched == NULL)
        watched = &folder->watched[folder->n_watched++];
    else
        free(watched->path);
    watched->wd = wd;
    watched->path = copy;
    snprintf(watched->user, sizeof watched->user, "%s", user);
}

static void sweep_folder(struct tally *tally, const char *path, int depth);

static void sweep_entry(struct tally *tally, int dir_fd, const char *path, const char *name, int depth)
{
    struct ftp_folder *folder = tally->folder;
    struct stat info;
    char *below = NULL;
    if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (!S_ISDIR(info.st_mode)) {
        sweep_file(tally, dir_fd, path, name, &info);
        return;
    }
    int64_t rest_ms = tally->folders < FOLDERS_RESTING ? REST_LONG_MS : REST_SHORT_MS;
    if (++tally->folders > FTP_FOLDER_MAX_FOLDERS || depth == FTP_FOLDER_MAX_DEPTH) {
        (void)ftp_tree_remove(dir_fd, name, folder->cameras_fd);
        ftp_folder_add_one(&folder->others);
    } else if (!(depth == 0 && strcmp(name, folder->always) == 0) &&
               tally->now_ms - ftp_arrival_modified_ms(&info) > rest_ms && unlinkat(dir_fd, name, AT_REMOVEDIR) == 0) {
        tally->folders--;
    } else if (asprintf(&below, "%s/%s", path, name) >= 0) {
        sweep_folder(tally, below, depth + 1);
        free(below);
    }
}

static void sweep_folder(struct tally *tally, const char *path, int depth)
{
    int fd = ftp_tree_open(tally->folder->cameras_fd, path);
    DIR *dir = fd >= 0 ? ftp_tree_list(fd) : NULL;
    const struct dirent *entry;
    if (dir != NULL)
        watch(tally->folder, tally->user, path);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            sweep_entry(tally, fd, path, entry->d_name, depth);
    if (dir != NULL)
        (void)closedir(dir);
    if (fd >= 0)
        (void)close(fd);
}

static void sweep(struct ftp_folder *folder)
{
    DIR *dir = ftp_tree_list(folder->cameras_fd);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        const char *user = entry->d_name;
        struct tally tally = {.folder = folder, .user = user, .now_ms = clock_realtime_ms()};
        if (strcmp(user, ".") == 0 || strcmp(user, "..") == 0)
            continue;
        const struct device *device = ftp_queue_device(folder->queue, user);
        if (device != NULL)
            sweep_folder(&tally, user, 0);
        else if (!ftp_tree_remove(folder->cameras_fd, user, folder->cameras_fd))
            (void)unlinkat(folder->cameras_fd, user, 0);
        device_release(device);
    }
    if (dir != NULL)
        (void)closedir(dir);
    folder->unswept_bytes = 0;
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

/* True: something was missed, or made that is to be looked into. */
static bool handle(struct ftp_folder *folder, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0)
        return true;
    if ((event->mask & IN_IGNORED) != 0) {
        forget(folder, event->wd);
        return false;
    }
    if ((event->mask & IN_ISDIR) != 0)
        return true;
    const struct watched *at = find_watched(folder, event->wd);
    if (at != NULL && event->len > 0 && (event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0)
        file_came(folder, at, event->name);
    return folder->unswept_bytes > FTP_FOLDER_MAX_BYTES;
}

static bool read_events(struct ftp_folder *folder)
{
    char events[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool missed = false;
    ssize_t size;
    while ((size = read(folder->notify_fd, events, sizeof events)) > 0)
        for (const char *at = events; at < events + size;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            missed = handle(folder, event) || missed;
            at += sizeof *event + event->len;
        }
    return missed;
}

static void *run(void *arg)
{
    struct ftp_folder *folder = arg;
    struct pollfd fds[] = {{.fd = folder->notify_fd, .events = POLLIN}, {.fd = folder->wake_fd, .events = POLLIN}};
    int64_t swept_ms = 0;
    pthread_setname_np(pthread_self(), "ftp-folder");
    while (!atomic_load(&folder->stopping)) {
        uint64_t woken = 0;
        bool wanted = read_events(folder);
        if (read(folder->wake_fd, &woken, sizeof woken) > 0)
            wanted = true;
        if (wanted || clock_monotonic_ms() - swept_ms >= SWEEP_MS) {
            sweep(folder);
            swept_ms = clock_monotonic_ms();
        }
        (void)poll(fds, 2, SWEEP_MS);
    }
    return NULL;
}

static void wake(struct ftp_folder *folder)
{
    uint64_t one = 1;
    (void)!write(folder->wake_fd, &one, sizeof one);
}

/* ---- from outside ------------------------------------------------------------------------------------------------ */

enum aibox_status ftp_folder_open(const char *cameras, const char *taken, const char *always, struct ftp_queue *queue,
                                  struct ftp_folder **out, struct aibox_error *err)
{
    struct ftp_folder *folder = calloc(1, sizeof *folder);
    *out = NULL;
    if (folder == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    folder->queue = queue;
    snprintf(folder->cameras, sizeof folder->cameras, "%s", cameras);
    snprintf(folder->always, sizeof folder->always, "%s", always);
    folder->cameras_fd = open(cameras, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folder->taken_fd = open(taken, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folder->notify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    folder->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    folder->watched = calloc(FOLDERS_MAX, sizeof *folder->watched);
    if (folder->cameras_fd < 0 || folder->taken_fd < 0 || folder->notify_fd < 0 || folder->wake_fd < 0 ||
        folder->watched == NULL) {
        ftp_folder_close(folder);
        return error_set(err, AIBOX_PROCESS_FAILED, "the cameras' folder can't be watched: %s", strerror(errno));
    }
    ftp_arrival_leftovers(folder);
    folder->running = pthread_create(&folder->thread, NULL, run, folder) == 0;
    if (!folder->running) {
        ftp_folder_close(folder);
        return error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
    }
    *out = folder;
    return AIBOX_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void ftp_folder_close(struct ftp_folder *folder)
{
    if (folder == NULL)
        return;
    atomic_store(&folder->stopping, true);
    if (folder->running) {
        wake(folder);
        pthread_join(folder->thread, NULL);
    }
    for (size_t i = 0; i < folder->n_watched; i++)
        free(folder->watched[i].path);
    free(folder->watched);
    close_fd(folder->cameras_fd);
    close_fd(folder->taken_fd);
    close_fd(folder->notify_fd);
    close_fd(folder->wake_fd);
    free(folder);
}

enum aibox_status ftp_folder_add(struct ftp_folder *folder, const char *user, struct aibox_error *err)
{
    char always[FTP_USER_MAX + sizeof folder->always + 1];
    snprintf(always, sizeof always, "%s/%s", user, folder->always);
    if ((mkdirat(folder->cameras_fd, user, 0700) != 0 && errno != EEXIST) ||
        (folder->always[0] != '\0' && mkdirat(folder->cameras_fd, always, 0700) != 0 && errno != EEXIST))
        return error_set(err, AIBOX_PROCESS_FAILED, "no folder can be made for a camera: %s", strerror(errno));
    return AIBOX_OK;
}

void ftp_folder_sweep(struct ftp_folder *folder)
{
    wake(folder);
}

void ftp_folder_count(struct ftp_folder *folder, struct ftp_folder_counters *out)
{
    *out = (struct ftp_folder_counters){.pictures = atomic_load(&folder->pictures),
                                        .refused = atomic_load(&folder->refused),
                                        .others = atomic_load(&folder->others),
                                        .sidecars = atomic_load(&folder->sidecars),
                                        .sidecars_refused = atomic_load(&folder->sidecars_refused)};
}
