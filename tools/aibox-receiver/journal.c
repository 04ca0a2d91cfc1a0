#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"

struct journal {
    int fd;
    /* Held over a write, which is its purpose: a line cut short by a full disk can be taken back before another one
     * stands behind it. Not held while the disk is waited for. */
    pthread_mutex_t mu;
};

/* A new file is lost with its folder's entry. `path` is altered. */
static void sync_folder(char *path)
{
    int folder = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return;
    if (fsync(folder) != 0)
        log_warn("receiver", "the folder can't be synced reason=\"%s\"", strerror(errno));
    (void)close(folder);
}

/* Pipes and devices can't be made durable; that is the wish of whoever named them. */
static bool sync_data(int fd)
{
    return fdatasync(fd) == 0 || errno == EINVAL || errno == EROFS;
}

/* Ends a last line that has no end. */
static bool end_last_line(int fd)
{
    struct stat stat;
    char last;

    if (fstat(fd, &stat) != 0)
        return false;
    if (!S_ISREG(stat.st_mode) || stat.st_size == 0)
        return true;
    if (pread(fd, &last, 1, stat.st_size - 1) != 1)
        return false;
    if (last == '\n')
        return true;
    log_warn("receiver", "the last line of the file is not finished");
    return write(fd, "\n", 1) == 1;
}

static enum aibox_status prepare(int fd, const char *path, struct aibox_error *err)
{
    char *copy;

    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return error_set(err, AIBOX_PARAM, "%.200s: another receiver writes to it", path);
    if (!end_last_line(fd))
        return error_set(err, AIBOX_PARAM, "%.200s: %s", path, strerror(errno));
    copy = strdup(path);
    if (!copy)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    sync_folder(copy);
    free(copy);
    return AIBOX_OK;
}

enum aibox_status journal_open(const char *path, struct journal **out, struct aibox_error *err)
{
    struct journal *journal = calloc(1, sizeof *journal);
    enum aibox_status status;

    *out = NULL;
    if (!journal || pthread_mutex_init(&journal->mu, NULL) != 0) {
        free(journal);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    journal->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal->fd < 0)
        status = error_set(err, AIBOX_PARAM, "%.200s: %s", path, strerror(errno));
    else
        status = prepare(journal->fd, path, err);
    if (status != AIBOX_OK) {
        journal_close(journal);
        return status;
    }
    *out = journal;
    return AIBOX_OK;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0)
        (void)close(journal->fd);
    (void)pthread_mutex_destroy(&journal->mu);
    free(journal);
}

/* All or nothing; on failure errno tells why. */
static bool write_whole(int fd, const uint8_t *bytes, size_t size)
{
    off_t before = lseek(fd, 0, SEEK_END);
    size_t done = 0;
    int reason;

    while (done < size) {
        ssize_t written = write(fd, bytes + done, size - done);

        if (written > 0) {
            done += (size_t)written;
        } else if (written == 0 || errno != EINTR) {
            reason = written == 0 ? EIO : errno;
            if (done > 0 && before >= 0 && ftruncate(fd, before) != 0)
                log_error("receiver", "a line that was cut short can't be taken back reason=\"%s\"", strerror(errno));
            errno = reason;
            return false;
        }
    }
    return true;
}

enum aibox_status journal_append(struct journal *journal, const void *lines, size_t size, struct aibox_error *err)
{
    bool done;
    int reason;

    pthread_mutex_lock(&journal->mu);
    done = write_whole(journal->fd, lines, size);
    reason = errno;
    pthread_mutex_unlock(&journal->mu);
    if (done) {
        done = sync_data(journal->fd);
        reason = errno;
    }
    if (!done)
        return error_set(err, AIBOX_PROCESS_FAILED, "the message can't be stored: %s", strerror(reason));
    return AIBOX_OK;
}
