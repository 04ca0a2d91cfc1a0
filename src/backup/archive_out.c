#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/archive.h"
#include "backup/archive_key.h"

_Static_assert(ARCHIVE_FRAME_EXTRA == crypto_secretstream_xchacha20poly1305_ABYTES, "bytes that a frame adds");

struct archive_out {
    int fd;
    crypto_secretstream_xchacha20poly1305_state stream;
    uint8_t head[ARCHIVE_HEAD];
    bool head_bound; /* the first frame, which vouches for the head, is written */
    uint64_t member_left, written;
    size_t filled;
    uint8_t plain[ARCHIVE_FRAME];
    uint8_t sealed[ARCHIVE_FRAME + ARCHIVE_FRAME_EXTRA];
};

static enum aibox_status put(struct archive_out *archive, const uint8_t *bytes, size_t size, struct aibox_error *err)
{
    while (size > 0) {
        ssize_t n = write(archive->fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(err, AIBOX_PROCESS_FAILED, "the backup can't be written: %s",
                             strerror(n < 0 ? errno : ENOSPC));
        bytes += n;
        size -= (size_t)n;
        archive->written += (uint64_t)n;
    }
    return AIBOX_OK;
}

static enum aibox_status put_frame(struct archive_out *archive, unsigned char tag, struct aibox_error *err)
{
    unsigned long long size = 0;

    (void)crypto_secretstream_xchacha20poly1305_push(&archive->stream, archive->sealed, &size, archive->plain,
                                                     archive->filled, archive->head_bound ? NULL : archive->head,
                                                     archive->head_bound ? 0 : ARCHIVE_HEAD, tag);
    archive->head_bound = true;
    archive->filled = 0;
    return put(archive, archive->sealed, (size_t)size, err);
}

enum aibox_status archive_out_open(const char *path, const char *password, struct archive_out **out,
                                   struct aibox_error *err)
{
    uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    struct archive_out *archive = calloc(1, sizeof *archive);
    enum aibox_status status = AIBOX_OK;

    *out = NULL;
    if (!archive)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    archive->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (archive->fd < 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "the backup can't be written: %s", strerror(errno));
    if (status == AIBOX_OK)
        status = archive_key_make(archive->head, password, key, err);
    if (status == AIBOX_OK) {
        (void)crypto_secretstream_xchacha20poly1305_init_push(&archive->stream, archive->head + ARCHIVE_STREAM_AT, key);
        status = put(archive, archive->head, ARCHIVE_HEAD, err);
    }
    sodium_memzero(key, sizeof key);
    if (status != AIBOX_OK) {
        archive_out_close(archive);
        return status;
    }
    *out = archive;
    return AIBOX_OK;
}

static enum aibox_status add(struct archive_out *archive, const uint8_t *bytes, size_t size, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    while (size > 0 && status == AIBOX_OK) {
        size_t room = ARCHIVE_FRAME - archive->filled;
        size_t n = size < room ? size : room;
        memcpy(archive->plain + archive->filled, bytes, n);
        archive->filled += n;
        bytes += n;
        size -= n;
        if (archive->filled == ARCHIVE_FRAME)
            status = put_frame(archive, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE, err);
    }
    return status;
}

enum aibox_status archive_out_member(struct archive_out *archive, const char *name, uint64_t size,
                                     struct aibox_error *err)
{
    uint8_t head[1 + ARCHIVE_NAME_MAX + 8];
    size_t length = strlen(name);

    if (archive->member_left > 0 || length == 0 || length > ARCHIVE_NAME_MAX)
        return error_set(err, AIBOX_PROCESS_FAILED, "a member of the backup is incomplete");
    head[0] = (uint8_t)length;
    memcpy(head + 1, name, length + 1); /* the size is written over the NUL */
    archive_put_u64(head + 1 + length, size);
    archive->member_left = size;
    return add(archive, head, 1 + length + 8, err);
}

enum aibox_status archive_out_write(struct archive_out *archive, const void *bytes, size_t size,
                                    struct aibox_error *err)
{
    if (size > archive->member_left)
        return error_set(err, AIBOX_PROCESS_FAILED, "a member of the backup is longer than was said");
    archive->member_left -= size;
    return add(archive, bytes, size, err);
}

enum aibox_status archive_out_finish(struct archive_out *archive, uint64_t *size, struct aibox_error *err)
{
    static const uint8_t end = 0;

    if (archive->member_left > 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "a member of the backup is incomplete");
    enum aibox_status status = add(archive, &end, 1, err);
    if (status == AIBOX_OK)
        status = put_frame(archive, crypto_secretstream_xchacha20poly1305_TAG_FINAL, err);
    if (status == AIBOX_OK && fsync(archive->fd) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "the backup can't be written: %s", strerror(errno));
    if (size)
        *size = archive->written;
    return status;
}

void archive_out_close(struct archive_out *archive)
{
    if (!archive)
        return;
    if (archive->fd >= 0)
        close(archive->fd);
    sodium_memzero(archive, sizeof *archive);
    free(archive);
}
