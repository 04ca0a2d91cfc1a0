#include "flow/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum aibox_status spool_open(const char *folder, struct spool *out, struct aibox_error *err)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/spool-XXXXXX", folder);
    int fd = size > 0 && (size_t)size < sizeof path ? mkostemp(path, O_CLOEXEC) : -1;

    *out = (struct spool){.file = fd >= 0 ? fdopen(fd, "w+") : NULL};
    if (fd >= 0)
        (void)unlink(path);
    if (out->file)
        return AIBOX_OK;
    if (fd >= 0)
        (void)close(fd);
    return error_set(err, AIBOX_PROCESS_FAILED, "no temporary file can be made: %s", strerror(errno));
}

void spool_close(struct spool *spool)
{
    if (spool->file)
        (void)fclose(spool->file);
    *spool = (struct spool){0};
}

enum aibox_status spool_add(struct spool *spool, const void *bytes, size_t size, struct aibox_error *err)
{
    if (fwrite(bytes, 1, size, spool->file) != size)
        return error_set(err, AIBOX_PROCESS_FAILED, "a temporary file can't be written: %s", strerror(errno));
    spool->size += size;
    return AIBOX_OK;
}

enum aibox_status spool_read(struct spool *spool,
                             enum aibox_status (*each)(void *ctx, const void *bytes, size_t size,
                                                       struct aibox_error *err),
                             void *ctx, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    char piece[16384];
    size_t size;

    if (fflush(spool->file) != 0 || fseek(spool->file, 0, SEEK_SET) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "a temporary file can't be written: %s", strerror(errno));
    while (status == AIBOX_OK && (size = fread(piece, 1, sizeof piece, spool->file)) > 0)
        status = each(ctx, piece, size, err);
    if (status == AIBOX_OK && ferror(spool->file))
        status = error_set(err, AIBOX_PROCESS_FAILED, "a temporary file can't be read: %s", strerror(errno));
    return status;
}
