#include "api/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "api/form.h"
#include "core/buffer.h"

#define PIECE   ((size_t)1 << 20)  /* written at a time */
#define OVERRUN ((size_t)64 << 10) /* by which the piece that fills it may be larger */
#define RESERVE ((uint64_t)256 << 20)

struct upload {
    int fd;
    char path[PATH_MAX];
    uint64_t written;
    struct buffer piece; /* the HTTP thread's, but during a write */

    pthread_mutex_t mu; /* guards what follows */
    bool writing;
    enum aibox_status status;
    struct aibox_error error; /* why `status` is not OK */
};

/* ---- opening -------------------------------------------------------------------------------------------- */

/* Whether `wanted` more bytes fit onto the disk of `fd`. */
static enum aibox_status check_room(int fd, uint64_t wanted, struct aibox_error *err)
{
    struct statvfs disk;
    uint64_t room;

    if (fstatvfs(fd, &disk) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the room on the disk can't be told: %s", strerror(errno));
    room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (room >= RESERVE && room - RESERVE >= wanted)
        return AIBOX_OK;
    return error_set(err, AIBOX_PROCESS_FAILED,
                     "the disk is too full: %" PRIu64 " MiB are needed besides a reserve of %" PRIu64 " MiB, %" PRIu64
                     " MiB are free",
                     (wanted >> 20) + 1, RESERVE >> 20, room >> 20);
}

enum aibox_status upload_open(const char *folder, uint64_t announced, struct upload **out, struct aibox_error *err)
{
    struct upload *upload = calloc(1, sizeof *upload);
    enum aibox_status status;
    int size;

    *out = NULL;
    if (!upload)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    buffer_init(&upload->piece, PIECE + OVERRUN);
    size = snprintf(upload->path, sizeof upload->path, "%s/upload-XXXXXX", folder);
    upload->fd = size > 0 && (size_t)size < sizeof upload->path ? mkostemp(upload->path, O_CLOEXEC) : -1;
    if (upload->fd < 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "no file can be made for the upload: %s", strerror(errno));
        goto no_file;
    }
    status = check_room(upload->fd, announced, err);
    if (status == AIBOX_OK && pthread_mutex_init(&upload->mu, NULL) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    if (status != AIBOX_OK)
        goto no_mutex;
    *out = upload;
    return AIBOX_OK;

no_mutex:
    (void)close(upload->fd);
    (void)unlink(upload->path);
no_file:
    free(upload);
    return status;
}

void upload_close(struct upload *upload)
{
    if (!upload)
        return;
    (void)close(upload->fd);
    (void)unlink(upload->path);
    (void)pthread_mutex_destroy(&upload->mu);
    buffer_free(&upload->piece);
    free(upload);
}

/* ---- filling -------------------------------------------------------------------------------------------- */

bool upload_is_busy(struct upload *upload)
{
    bool busy;

    pthread_mutex_lock(&upload->mu);
    busy = upload->writing;
    pthread_mutex_unlock(&upload->mu);
    return busy;
}

enum upload_step upload_take(struct upload *upload, const char *bytes, size_t size)
{
    enum upload_step step = UPLOAD_TAKEN;

    pthread_mutex_lock(&upload->mu);
    if (upload->status != AIBOX_OK) {
        step = UPLOAD_FAILED;
    } else if (!buffer_append(&upload->piece, bytes, size)) {
        upload->status = error_set(&upload->error, AIBOX_TOO_MANY_REQUESTS, "out of memory; try again");
        step = UPLOAD_FAILED;
    } else if (upload->piece.size >= PIECE) {
        upload->writing = true;
        step = UPLOAD_FULL;
    }
    pthread_mutex_unlock(&upload->mu);
    return step;
}

static enum aibox_status write_piece(struct upload *upload, struct aibox_error *err)
{
    const uint8_t *at = upload->piece.data;
    size_t left = upload->piece.size;
    enum aibox_status status = check_room(upload->fd, left, err);

    while (status == AIBOX_OK && left > 0) {
        ssize_t done = write(upload->fd, at, left);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set(err, AIBOX_PROCESS_FAILED, "the upload can't be written: %s", strerror(errno));
        /* The kernel is to begin now, not when there is so much that it stops everybody who writes. */
        (void)sync_file_range(upload->fd, (off_t)upload->written, (off_t)done, SYNC_FILE_RANGE_WRITE);
        upload->written += (uint64_t)done;
        at += done;
        left -= (size_t)done;
    }
    buffer_clear(&upload->piece);
    return status;
}

void upload_write(struct upload *upload)
{
    struct aibox_error err = {0};
    enum aibox_status status = write_piece(upload, &err);

    pthread_mutex_lock(&upload->mu);
    upload->writing = false;
    if (status != AIBOX_OK) {
        upload->status = status;
        upload->error = err;
    }
    pthread_mutex_unlock(&upload->mu);
}

enum aibox_status upload_failure(struct upload *upload, struct aibox_error *err)
{
    enum aibox_status status;

    pthread_mutex_lock(&upload->mu);
    status = upload->status;
    if (status != AIBOX_OK && err)
        *err = upload->error;
    pthread_mutex_unlock(&upload->mu);
    return status;
}

/* ---- what came ------------------------------------------------------------------------------------------ */

static const struct form_part *find_part(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->parts[i].name, name) == 0)
            return &form->parts[i];
    return NULL;
}

/* Finds the part in the file. The parser writes a NUL behind each value: into private pages, not into the file. */
static enum aibox_status find_in_form(const struct upload *upload, const char *boundary, const char *name,
                                      struct api_upload *out, struct aibox_error *err)
{
    struct form form = {0};
    struct arena arena;
    const struct form_part *part;
    enum aibox_status status;
    size_t size = (size_t)upload->written;
    char *body = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, upload->fd, 0);

    if (body == MAP_FAILED)
        return error_set(err, AIBOX_PROCESS_FAILED, "the upload can't be read: %s", strerror(errno));
    (void)madvise(body, size, MADV_SEQUENTIAL);
    arena_init(&arena);
    status = form_parse_multipart(&arena, body, size, boundary, &form, err);
    part = status == AIBOX_OK ? find_part(&form, name) : NULL;
    if (status == AIBOX_OK && !part)
        status = error_set(err, AIBOX_PARAM, "%s: required, and missing in the form", name);
    if (part) {
        out->offset = (uint64_t)(part->value - body);
        out->size = part->size;
    }
    arena_free(&arena);
    (void)munmap(body, size);
    return status;
}

enum aibox_status upload_finish(struct upload *upload, const char *boundary, const char *name, struct api_upload *out,
                                struct aibox_error *err)
{
    enum aibox_status status;

    if (upload->piece.size > 0)
        upload_write(upload);
    status = upload_failure(upload, err);
    if (status != AIBOX_OK)
        return status;
    *out = (struct api_upload){.path = upload->path, .size = upload->written};
    if (boundary && out->size > 0)
        status = find_in_form(upload, boundary, name, out, err);
    if (status == AIBOX_OK && out->size == 0)
        status = error_set(err, AIBOX_EMPTY_BODY, "%s: required, and empty", name);
    return status;
}
