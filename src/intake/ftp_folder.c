/*
 * Events tell at once, a sweep every SWEEP_MS finds what they missed: files that were there, folders that were filled
 * before they were watched, an overflow of the kernel's queue, and what has outstayed its time.
 */
#include "intake/ftp_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "intake/ftp_tree.h"
#include "intake/sidecar.h"

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

/* A folder that is watched. The thread's own. */
struct watched {
    int wd;
    char user[FTP_USER_MAX];
    char *path; /* owned; below `cameras`: USER/… */
};

struct ftp_folder {
    struct ftp_queue *queue;
    char cameras[PATH_MAX];
    int cameras_fd, taken_fd, notify_fd, wake_fd;
    pthread_t thread;
    atomic_bool stopping;
    struct watched *watched; /* the thread's own, FOLDERS_MAX */
    size_t n_watched;
    bool said_unwatched;
    uint64_t unswept_bytes; /* of other files that came since the last sweep */
    bool running;
    _Atomic uint64_t pictures, refused, others, sidecars, sidecars_refused;
};

/* What a sweep has met in one account. */
struct tally {
    struct ftp_folder *folder;
    const char *user;
    size_t folders, files;
    uint64_t bytes;
    int64_t now_ms;
};

enum kind { KIND_PICTURE, KIND_SIDECAR, KIND_UPLOAD, KIND_OTHER };

static void count(_Atomic uint64_t *counter)
{
    (void)atomic_fetch_add(counter, 1);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *extension)
{
    size_t size = strlen(name), length = strlen(extension);
    return size > length && strcasecmp(name + size - length, extension) == 0;
}

static enum kind kind_of(const char *name)
{
    if (strncmp(name, ".in.", 4) == 0 && ends_with(name, "."))
        return KIND_UPLOAD;
    if (ends_with(name, ".jpg") || ends_with(name, ".jpeg"))
        return KIND_PICTURE;
    return ends_with(name, ".json") ? KIND_SIDECAR : KIND_OTHER;
}

/* PATH/NAME without the extension that the name has; malloc. */
static char *stem_of(const char *path, const char *name)
{
    char *stem;
    int length = (int)(strrchr(name, '.') - name);
    return asprintf(&stem, "%s/%.*s", path, length, name) < 0 ? NULL : stem;
}

/* The file that a picture is while it waits. */
static void taken_name(const char *user, const char *id, char out[TAKEN_SIZE])
{
    snprintf(out, TAKEN_SIZE, "%s.%s", user, id);
}

static int64_t modified_ms(const struct stat *info)
{
    return (int64_t)info->st_mtim.tv_sec * 1000 + info->st_mtim.tv_nsec / 1000000;
}

/* ---- sidecars ---------------------------------------------------------------------------------------------------- */

enum found { FOUND_NOTHING, FOUND_BAD, FOUND_GOOD };

/* The whole of a small file, NULL when it is too large or can't be read. */
static char *read_small(int fd, size_t *size)
{
    struct stat info;
    char *bytes = NULL;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= SIDECAR_MAX_BYTES)
        bytes = malloc((size_t)info.st_size + 1);
    ssize_t got = bytes != NULL ? read(fd, bytes, (size_t)info.st_size) : 0;
    *size = got > 0 ? (size_t)got : 0;
    return bytes;
}

static enum found read_sidecar(int dir_fd, const char *name, const char *user, char **text)
{
    struct aibox_error err = {.message = "too large"};
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    size_t size;
    *text = NULL;
    if (fd < 0)
        return FOUND_NOTHING;
    char *bytes = read_small(fd, &size);
    (void)close(fd);
    enum found found = bytes != NULL && sidecar_parse(bytes, size, text, &err) == AIBOX_OK ? FOUND_GOOD : FOUND_BAD;
    if (found == FOUND_BAD)
        log_debug("intake", "what a camera says of its picture can't be used account=%s reason=\"%s\"", user,
                  err.message);
    free(bytes);
    return found;
}

static void remove_sidecar(struct ftp_folder *folder, int dir_fd, const char *name, enum found found)
{
    if (unlinkat(dir_fd, name, 0) == 0)
        count(found == FOUND_GOOD ? &folder->sidecars : &folder->sidecars_refused);
}

/* A sidecar has come. It stays where it is while no picture waits for it. */
static void sidecar_came(struct ftp_folder *folder, int dir_fd, const char *path, const char *name, const char *user)
{
    char *text, *stem = stem_of(path, name);
    enum found found = stem != NULL ? read_sidecar(dir_fd, name, user, &text) : FOUND_NOTHING;
    if (found == FOUND_GOOD && !ftp_queue_attach(folder->queue, user, stem, text)) {
        free(text);
        found = FOUND_NOTHING;
    }
    if (found != FOUND_NOTHING)
        remove_sidecar(folder, dir_fd, name, found);
    free(stem);
}

/* The sidecar of a picture that is there already. */
static char *sidecar_of(struct ftp_folder *folder, int dir_fd, const char *picture, const char *user)
{
    static const char *const extensions[] = {"json", "JSON"};
    char name[NAME_MAX + 8], *text = NULL;
    size_t length = (size_t)(strrchr(picture, '.') - picture) + 1;
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0] && text == NULL; i++) {
        snprintf(name, sizeof name, "%.*s%s", (int)length, picture, extensions[i]);
        enum found found = read_sidecar(dir_fd, name, user, &text);
        if (found != FOUND_NOTHING)
            remove_sidecar(folder, dir_fd, name, found);
    }
    return text;
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

/* Into the queue, which the file that is called by its id waits for. */
static void queue_picture(struct ftp_folder *folder, const char *user, const char *id, char *stem, char *sidecar,
                          const struct stat *info)
{
    char name[TAKEN_SIZE];
    struct ftp_picture *picture = stem != NULL ? calloc(1, sizeof *picture) : NULL;
    taken_name(user, id, name);
    if (picture == NULL) {
        free(stem);
        free(sidecar);
        (void)unlinkat(folder->taken_fd, name, 0);
        count(&folder->refused);
        return;
    }
    snprintf(picture->user, sizeof picture->user, "%s", user);
    snprintf(picture->id, sizeof picture->id, "%s", id);
    picture->stem = stem;
    picture->sidecar = sidecar;
    picture->size = (size_t)info->st_size;
    picture->arrived_ms = clock_monotonic_ms();
    picture->uploaded_ms = modified_ms(info);
    count(&folder->pictures);
    if (!ftp_queue_put(folder->queue, picture))
        (void)unlinkat(folder->taken_fd, name, 0);
}

static void refuse(struct ftp_folder *folder, const char *user, int dir_fd, const char *name, const char *reason)
{
    const struct device *device = ftp_queue_device(folder->queue, user);
    (void)unlinkat(dir_fd, name, 0);
    count(&folder->refused);
    if (device != NULL) {
        log_debug("intake", "a picture is not taken device_id=%s reason=\"%s\"", device->device_id, reason);
        device_count_drop(device);
        device_release(device);
    }
}

/* A picture is complete: it goes out of the camera's reach, so that the next one may have the same name. */
static void picture_came(struct ftp_folder *folder, int dir_fd, const char *path, const char *name, const char *user,
                         const struct stat *info)
{
    char id[ID_ULID_SIZE], taken[TAKEN_SIZE];
    if (info->st_size == 0 || info->st_size > (off_t)FTP_PICTURE_MAX_BYTES) {
        refuse(folder, user, dir_fd, name, info->st_size == 0 ? "empty" : "larger than 5 MiB");
        return;
    }
    id_ulid(id);
    taken_name(user, id, taken);
    if (renameat(dir_fd, name, folder->taken_fd, taken) == 0)
        queue_picture(folder, user, id, stem_of(path, name), sidecar_of(folder, dir_fd, name, user), info);
    else if (errno != ENOENT)
        refuse(folder, user, dir_fd, name, strerror(errno));
}

/* What an earlier run has taken and not dealt with. */
static void queue_taken(struct ftp_folder *folder)
{
    struct dirent **names = NULL;
    char path[64];
    /* By the names, which sort each account's by time. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", folder->taken_fd);
    int n = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name, *dot = strchr(name, '.');
        struct stat info;
        char user[FTP_USER_MAX];
        if (dot == NULL || dot == name || (size_t)(dot - name) >= sizeof user || strlen(dot + 1) != ID_ULID_SIZE - 1 ||
            fstatat(folder->taken_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) {
            if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
                (void)unlinkat(folder->taken_fd, name, 0);
        } else {
            memcpy(user, name, (size_t)(dot - name));
            user[dot - name] = '\0';
            queue_picture(folder, user, dot + 1, strdup(""), NULL, &info);
        }
        free(names[i]);
    }
    free(names);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void remove_other(struct ftp_folder *folder, int dir_fd, const char *name)
{
    if (unlinkat(dir_fd, name, 0) == 0)
        count(kind_of(name) == KIND_SIDECAR ? &folder->sidecars_refused : &folder->others);
}

/* What a sweep does with a file that is no picture, or not yet. */
static void keep_in_bounds(struct tally *tally, int dir_fd, const char *name, const struct stat *info)
{
    int64_t age_ms = tally->now_ms - modified_ms(info);
    tally->files++;
    tally->bytes += (uint64_t)info->st_size;
    if (age_ms > (kind_of(name) == KIND_UPLOAD ? ABANDONED_MS : FTP_FOLDER_GRACE_MS) ||
        tally->files > FTP_FOLDER_MAX_FILES || tally->bytes > FTP_FOLDER_MAX_BYTES)
        remove_other(tally->folder, dir_fd, name);
}

static void sweep_file(struct tally *tally, int dir_fd, const char *path, const char *name, const struct stat *info)
{
    struct ftp_folder *folder = tally->folder;
    enum kind kind = kind_of(name);
    if (!S_ISREG(info->st_mode)) {
        remove_other(folder, dir_fd, name);
    } else if (kind == KIND_PICTURE) { /* it has its name only when it is complete */
        picture_came(folder, dir_fd, path, name, tally->user, info);
    } else {
        if (kind == KIND_SIDECAR)
            sidecar_came(folder, dir_fd, path, name, tally->user);
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
        switch (kind_of(name)) {
        case KIND_PICTURE:
            picture_came(folder, dir_fd, at->path, name, at->user, &info);
            break;
        case KIND_SIDECAR:
            sidecar_came(folder, dir_fd, at->path, name, at->user);
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
        count(&folder->others);
    } else if (tally->now_ms - modified_ms(&info) > rest_ms && unlinkat(dir_fd, name, AT_REMOVEDIR) == 0) {
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

enum aibox_status ftp_folder_open(const char *cameras, const char *taken, struct ftp_queue *queue,
                                  struct ftp_folder **out, struct aibox_error *err)
{
    struct ftp_folder *folder = calloc(1, sizeof *folder);
    *out = NULL;
    if (folder == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    folder->queue = queue;
    snprintf(folder->cameras, sizeof folder->cameras, "%s", cameras);
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
    queue_taken(folder);
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
    if (mkdirat(folder->cameras_fd, user, 0700) != 0 && errno != EEXIST)
        return error_set(err, AIBOX_PROCESS_FAILED, "no folder can be made for a camera: %s", strerror(errno));
    return AIBOX_OK;
}

void ftp_folder_sweep(struct ftp_folder *folder)
{
    wake(folder);
}

enum aibox_status ftp_folder_read(struct ftp_folder *folder, const struct ftp_picture *picture, uint8_t **bytes,
                                  size_t *size, struct aibox_error *err)
{
    char name[TAKEN_SIZE];
    taken_name(picture->user, picture->id, name);
    int fd = openat(folder->taken_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    *bytes = fd >= 0 ? malloc(picture->size) : NULL;
    *size = 0;
    enum aibox_status status = AIBOX_OK;
    while (*bytes != NULL && *size < picture->size) {
        ssize_t got = read(fd, *bytes + *size, picture->size - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        *size += (size_t)got;
    }
    if (fd < 0 || *bytes == NULL || *size < picture->size)
        status = error_set(err, AIBOX_PROCESS_FAILED, "an uploaded picture can't be read: %s", strerror(errno));
    if (status != AIBOX_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    close_fd(fd);
    return status;
}

void ftp_folder_remove(struct ftp_folder *folder, const struct ftp_picture *picture)
{
    char name[TAKEN_SIZE];
    taken_name(picture->user, picture->id, name);
    (void)unlinkat(folder->taken_fd, name, 0);
}

void ftp_folder_count(struct ftp_folder *folder, struct ftp_folder_counters *out)
{
    *out = (struct ftp_folder_counters){.pictures = atomic_load(&folder->pictures),
                                        .refused = atomic_load(&folder->refused),
                                        .others = atomic_load(&folder->others),
                                        .sidecars = atomic_load(&folder->sidecars),
                                        .sidecars_refused = atomic_load(&folder->sidecars_refused)};
}
