#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/archive.h"
#include "backup/archive_key.h"

struct archive_in {
    int fd;
    crypto_secretstream_xchacha20poly1305_state stream;
    uint8_t head[ARCHIVE_HEAD];
    bool begun, last; /* a frame was read; it was the last */
    uint64_t member_left;
    size_t at, filled; /* of `plain` */
    uint8_t plain[ARCHIVE_FRAME];
    uint8_t sealed[ARCHIVE_FRAME + ARCHIVE_FRAME_EXTRA];
};

static enum aibox_status damaged(struct aibox_error *err)
{
    return error_set(err, AIBOX_PARAM, "the backup is damaged or incomplete");
}

static enum aibox_status take(int fd, uint8_t *bytes, size_t size, size_t *got, struct aibox_error *err)
{
    *got = 0;
    while (*got < size) {
        ssize_t n = read(fd, bytes + *got, size - *got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, AIBOX_PROCESS_FAILED, "the backup can't be read: %s", strerror(errno));
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return AIBOX_OK;
}

static enum aibox_status take_frame(struct archive_in *archive, struct aibox_error *err)
{
    unsigned long long size = 0;
    unsigned char tag = 0;
    size_t got;

    if (archive->last)
        return damaged(err);
    enum aibox_status status = take(archive->fd, archive->sealed, sizeof archive->sealed, &got, err);
    if (status != AIBOX_OK)
        return status;
    if (got < ARCHIVE_FRAME_EXTRA || crypto_secretstream_xchacha20poly1305_pull(
                                         &archive->stream, archive->plain, &size, &tag, archive->sealed, got,
                                         archive->begun ? NULL : archive->head, archive->begun ? 0 : ARCHIVE_HEAD) != 0)
        return archive->begun ? damaged(err)
                              : error_set(err, AIBOX_PARAM, "password: it is not the backup's, or the file is damaged");
    archive->begun = true;
    archive->last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    archive->at = 0;
    archive->filled = (size_t)size;
    return AIBOX_OK;
}

enum aibox_status archive_in_open(const char *path, uint64_t offset, const char *password, struct archive_in **out,
                                  struct aibox_error *err)
{
    uint8_t key[ARCHIVE_KEY_SIZE];
    struct archive_in *archive = calloc(1, sizeof *archive);
    enum aibox_status status = AIBOX_OK;
    size_t got = 0;

    *out = NULL;
    if (!archive)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    archive->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (archive->fd < 0 || lseek(archive->fd, (off_t)offset, SEEK_SET) < 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "the backup can't be read: %s", strerror(errno));
    if (status == AIBOX_OK)
        status = take(archive->fd, archive->head, ARCHIVE_HEAD, &got, err);
    if (status == AIBOX_OK && got < ARCHIVE_HEAD)
        status = error_set(err, AIBOX_PARAM, "this is no backup of this program");
    if (status == AIBOX_OK)
        status = archive_key_read(archive->head, password, key, err);
    if (status == AIBOX_OK &&
        crypto_secretstream_xchacha20poly1305_init_pull(&archive->stream, archive->head + ARCHIVE_STREAM_AT, key) != 0)
        status = damaged(err);
    sodium_memzero(key, sizeof key);
    if (status != AIBOX_OK) {
        archive_in_close(archive);
        return status;
    }
    *out = archive;
    return AIBOX_OK;
}

/* Up to `size` bytes of content; *got is 0 only behind the last frame. `bytes` NULL: they are skipped. */
static enum aibox_status read_content(struct archive_in *archive, uint8_t *bytes, size_t size, size_t *got,
                                      struct aibox_error *err)
{
    *got = 0;
    while (archive->at == archive->filled) {
        enum aibox_status status = take_frame(archive, err);
        if (status != AIBOX_OK)
            return status;
    }
    size_t there = archive->filled - archive->at;
    *got = size < there ? size : there;
    if (bytes)
        memcpy(bytes, archive->plain + archive->at, *got);
    archive->at += *got;
    return AIBOX_OK;
}

static enum aibox_status read_exactly(struct archive_in *archive, uint8_t *bytes, size_t size, struct aibox_error *err)
{
    while (size > 0) {
        size_t got;
        enum aibox_status status = read_content(archive, bytes, size, &got, err);
        if (status != AIBOX_OK)
            return status;
        bytes += got;
        size -= got;
    }
    return AIBOX_OK;
}

/* Nothing may come behind the end but an empty last frame, where the one before was full. */
static enum aibox_status expect_end(struct archive_in *archive, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    if (!archive->last && archive->at == archive->filled)
        status = take_frame(archive, err);
    if (status == AIBOX_OK && !(archive->last && archive->at == archive->filled))
        status = damaged(err);
    return status;
}

enum aibox_status archive_in_next(struct archive_in *archive, struct archive_member *member, struct aibox_error *err)
{
    uint8_t length, head[ARCHIVE_NAME_MAX + 8];
    enum aibox_status status = AIBOX_OK;

    *member = (struct archive_member){0};
    while (status == AIBOX_OK && archive->member_left > 0) {
        size_t got, piece = archive->member_left < ARCHIVE_FRAME ? (size_t)archive->member_left : ARCHIVE_FRAME;
        status = read_content(archive, NULL, piece, &got, err);
        archive->member_left -= got;
    }
    if (status == AIBOX_OK)
        status = read_exactly(archive, &length, 1, err);
    if (status != AIBOX_OK)
        return status;
    if (length == 0)
        return expect_end(archive, err);
    if (length > ARCHIVE_NAME_MAX)
        return damaged(err);
    status = read_exactly(archive, head, (size_t)length + 8, err);
    if (status != AIBOX_OK)
        return status;
    if (memchr(head, '\0', length))
        return damaged(err);
    memcpy(member->name, head, length);
    member->size = archive->member_left = archive_get_u64(head + length);
    return AIBOX_OK;
}

enum aibox_status archive_in_read(struct archive_in *archive, void *bytes, size_t size, size_t *got,
                                  struct aibox_error *err)
{
    *got = 0;
    if (archive->member_left == 0 || size == 0)
        return AIBOX_OK;
    if (size > archive->member_left)
        size = (size_t)archive->member_left;
    enum aibox_status status = read_content(archive, bytes, size, got, err);
    archive->member_left -= *got;
    return status;
}

void archive_in_close(struct archive_in *archive)
{
    if (!archive)
        return;
    if (archive->fd >= 0)
        close(archive->fd);
    sodium_memzero(archive, sizeof *archive);
    free(archive);
}
