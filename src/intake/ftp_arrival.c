/* What becomes of an uploaded file: a picture, what is said of one, or neither. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "intake/ftp_folder_internal.h"
#include "intake/sidecar.h"

#define TAKEN_SIZE (FTP_USER_MAX + ID_ULID_SIZE)

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *extension)
{
    size_t size = strlen(name), length = strlen(extension);
    return size > length && strcasecmp(name + size - length, extension) == 0;
}

enum kind ftp_arrival_kind(const char *name)
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

int64_t ftp_arrival_modified_ms(const struct stat *info)
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
        ftp_folder_add_one(found == FOUND_GOOD ? &folder->sidecars : &folder->sidecars_refused);
}

void ftp_arrival_sidecar(struct ftp_folder *folder, int dir_fd, const char *path, const char *name, const char *user)
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
        ftp_folder_add_one(&folder->refused);
        return;
    }
    snprintf(picture->user, sizeof picture->user, "%s", user);
    snprintf(picture->id, sizeof picture->id, "%s", id);
    picture->stem = stem;
    picture->sidecar = sidecar;
    picture->size = (size_t)info->st_size;
    picture->arrived_ms = clock_monotonic_ms();
    picture->uploaded_ms = ftp_arrival_modified_ms(info);
    ftp_folder_add_one(&folder->pictures);
    if (!ftp_queue_put(folder->queue, picture))
        (void)unlinkat(folder->taken_fd, name, 0);
}

static void refuse(struct ftp_folder *folder, const char *user, int dir_fd, const char *name, const char *reason)
{
    const struct device *device = ftp_queue_device(folder->queue, user);
    (void)unlinkat(dir_fd, name, 0);
    ftp_folder_add_one(&folder->refused);
    if (device != NULL) {
        log_debug("intake", "a picture is not taken device_id=%s reason=\"%s\"", device->device_id, reason);
        device_count_drop(device);
        device_release(device);
    }
}

void ftp_arrival_picture(struct ftp_folder *folder, int dir_fd, const char *path, const char *name, const char *user,
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

void ftp_arrival_leftovers(struct ftp_folder *folder)
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

/* ---- for the takers --------------------------------------------------------------------------------------------- */

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
    if (fd >= 0)
        (void)close(fd);
    return status;
}

void ftp_folder_remove(struct ftp_folder *folder, const struct ftp_picture *picture)
{
    char name[TAKEN_SIZE];
    taken_name(picture->user, picture->id, name);
    (void)unlinkat(folder->taken_fd, name, 0);
}
