#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum aibox_status fail_with_errno(const char *path, struct aibox_error *err)
{
    return error_set(err, errno == ENOENT ? AIBOX_NOT_FOUND : AIBOX_PROCESS_FAILED, "%s: %s", path, strerror(errno));
}

enum aibox_status file_read(const char *path, struct buffer *out, struct aibox_error *err)
{
    char chunk[65536];
    ssize_t got;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail_with_errno(path, err);
    while ((got = read(file, chunk, sizeof chunk)) > 0 && buffer_append(out, chunk, (size_t)got)) {
    }
    enum aibox_status status = AIBOX_OK;
    if (got < 0)
        status = fail_with_errno(path, err);
    else if (out->failed)
        status = error_set(err, AIBOX_IMAGE_TOO_LARGE, "%s: larger than %zu MB", path, out->maximum >> 20);
    close(file);
    return status;
}

static bool write_all(int file, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

enum aibox_status file_create(int dir, const char *name, const void *bytes, size_t size, struct aibox_error *err)
{
    if (strchr(name, '/') != NULL)
        return error_set(err, AIBOX_PARAM, "%s: not a file name", name);
    int file = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0)
        return fail_with_errno(name, err);
    bool written = write_all(file, bytes, size);
    int reason = errno;
    if (close(file) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (written)
        return AIBOX_OK;
    unlinkat(dir, name, 0);
    errno = reason;
    return fail_with_errno(name, err);
}

static bool is_empty(int dir)
{
    int copy = dup(dir);
    DIR *listing = copy < 0 ? NULL : fdopendir(copy);
    if (listing == NULL) {
        if (copy >= 0)
            close(copy);
        return false;
    }
    bool empty = true;
    for (const struct dirent *entry; empty && (entry = readdir(listing)) != NULL;)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(listing);
    return empty;
}

enum aibox_status folder_open_new(const char *path, int *dir, struct aibox_error *err)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return fail_with_errno(path, err);
    *dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*dir < 0)
        return fail_with_errno(path, err);
    if (is_empty(*dir))
        return AIBOX_OK;
    close(*dir);
    return error_set(err, AIBOX_PARAM, "%s: the folder must be empty or not exist", path);
}
