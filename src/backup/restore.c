/* From an uploaded file to copies that the store takes at its next opening. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backup/archive.h"
#include "backup/backup_internal.h"
#include "backup/manifest.h"
#include "core/log.h"
#include "store/snapshot.h"

#define PIECE       ((size_t)256 << 10)
#define SPARE_BYTES (UINT64_C(64) << 20)

enum aibox_status backup_restore_take(struct backup *backup, const char *path, uint64_t offset, char id[ID_ULID_SIZE],
                                      struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    pthread_mutex_lock(&backup->calls);
    if (rename(path, backup->upload) != 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "the upload can't be kept: %s", strerror(errno));
    } else {
        id_ulid(backup->uploaded.id);
        backup->uploaded.offset = offset;
        memcpy(id, backup->uploaded.id, ID_ULID_SIZE);
    }
    pthread_mutex_unlock(&backup->calls);
    return status;
}

/* ---- looking into it ---------------------------------------------------------------------------------------- */

static enum aibox_status read_manifest(struct archive_in *archive, struct backup_contents *contents,
                                       struct aibox_error *err)
{
    struct archive_member member;
    size_t filled = 0;
    enum aibox_status status = archive_in_next(archive, &member, err);

    if (status != AIBOX_OK)
        return status;
    if (strcmp(member.name, MANIFEST_NAME) != 0 || member.size > MANIFEST_MAX)
        return error_set(err, AIBOX_PARAM, "the backup doesn't say what it holds");
    char *text = malloc((size_t)member.size + 1);
    if (!text)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    while (status == AIBOX_OK && filled < member.size) {
        size_t got;
        status = archive_in_read(archive, text + filled, (size_t)member.size - filled, &got, err);
        filled += got;
    }
    if (status == AIBOX_OK)
        status = manifest_read(text, filled, contents, err);
    free(text);
    return status;
}

/* ---- unpacking ------------------------------------------------------------------------------------------------ */

static enum aibox_status check_room(const char *folder, uint64_t size, struct aibox_error *err)
{
    struct statvfs disk;

    if (statvfs(folder, &disk) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the free space of the data disk can't be told");
    uint64_t available = (uint64_t)disk.f_bavail * disk.f_frsize;
    /* `size` comes from outside: the sum must not turn over. */
    if (available > SPARE_BYTES && size <= available - SPARE_BYTES)
        return AIBOX_OK;
    return error_set(err, AIBOX_PROCESS_FAILED,
                     "too little space on the data disk: %llu bytes are to be unpacked, %llu are free",
                     (unsigned long long)size, (unsigned long long)available);
}

static enum aibox_status write_all(int fd, const uint8_t *bytes, size_t size, struct aibox_error *err)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(err, AIBOX_PROCESS_FAILED, "the backup can't be unpacked: %s",
                             strerror(n < 0 ? errno : ENOSPC));
        bytes += n;
        size -= (size_t)n;
    }
    return AIBOX_OK;
}

static enum aibox_status unpack_member(struct archive_in *archive, const struct archive_member *member,
                                       const char *folder, struct aibox_error *err)
{
    char path[BACKUP_PATH];
    int n = snprintf(path, sizeof path, "%s/%s", folder, member->name);
    enum aibox_status status = check_room(folder, member->size, err);
    uint8_t *piece = malloc(PIECE);
    int fd = -1;
    size_t got = 1;

    if (status == AIBOX_OK && (!piece || n < 0 || (size_t)n >= sizeof path))
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (status == AIBOX_OK && (fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "the backup can't be unpacked: %s", strerror(errno));
    while (status == AIBOX_OK && got > 0) {
        status = archive_in_read(archive, piece, PIECE, &got, err);
        if (status == AIBOX_OK)
            status = write_all(fd, piece, got, err);
    }
    if (fd >= 0)
        close(fd);
    free(piece);
    return status;
}

/* Both files, and nothing that is not known: a file that says more was made by a program that means more by it. */
static enum aibox_status unpack(struct archive_in *archive, const char *folder, struct aibox_error *err)
{
    bool have_main = false, have_pictures = false;
    struct archive_member member;

    for (;;) {
        enum aibox_status status = archive_in_next(archive, &member, err);
        if (status != AIBOX_OK)
            return status;
        if (member.name[0] == '\0')
            break;
        bool *have = strcmp(member.name, STORE_MAIN_FILE) == 0       ? &have_main
                     : strcmp(member.name, STORE_PICTURES_FILE) == 0 ? &have_pictures
                                                                     : NULL;
        if (!have || *have)
            return error_set(err, AIBOX_PARAM, "the backup holds something that this program doesn't know");
        *have = true;
        status = unpack_member(archive, &member, folder, err);
        if (status != AIBOX_OK)
            return status;
    }
    return have_main && have_pictures ? AIBOX_OK : error_set(err, AIBOX_PARAM, "the backup is incomplete");
}

static enum aibox_status prepare(struct backup *backup, struct archive_in *archive, bool accounts,
                                 struct aibox_error *err)
{
    char folder[BACKUP_PATH];
    int n = snprintf(folder, sizeof folder, "%s/%s", backup->data_dir, STORE_RESTORE_FOLDER);

    if (n < 0 || (size_t)n >= sizeof folder)
        return error_set(err, AIBOX_PROCESS_FAILED, "the name of the data folder is too long");
    enum aibox_status status = backup_folder_make(folder, err);
    if (status == AIBOX_OK)
        status = unpack(archive, folder, err);
    if (status == AIBOX_OK)
        status = store_restore_prepare(backup->store, accounts, err);
    if (status != AIBOX_OK)
        backup_folder_remove(folder);
    return status;
}

static enum aibox_status restore(struct backup *backup, const char *password, bool confirm, bool accounts,
                                 struct backup_contents *contents, struct aibox_error *err)
{
    struct archive_in *archive = NULL;
    enum aibox_status status = archive_in_open(backup->upload, backup->uploaded.offset, password, &archive, err);

    if (status == AIBOX_OK)
        status = read_manifest(archive, contents, err);
    if (status == AIBOX_OK && confirm)
        status = prepare(backup, archive, accounts, err);
    archive_in_close(archive);
    if (status == AIBOX_OK && confirm) {
        (void)unlink(backup->upload);
        backup->uploaded.id[0] = '\0';
        log_info("backup", "a backup is ready to be restored accounts=%d", accounts);
    }
    return status;
}

enum aibox_status backup_restore(struct backup *backup, const char *id, const char *password, bool confirm,
                                 bool accounts, struct backup_contents *contents, struct aibox_error *err)
{
    enum aibox_status status;

    if (strlen(password) > BACKUP_PASSWORD_MAX)
        return error_set(err, AIBOX_PARAM, "password: longer than %d bytes", BACKUP_PASSWORD_MAX);
    pthread_mutex_lock(&backup->calls);
    if (backup->uploaded.id[0] != '\0' && strcmp(backup->uploaded.id, id) == 0)
        status = restore(backup, password, confirm, accounts, contents, err);
    else
        status = error_set(err, AIBOX_NOT_FOUND, "restore_id: nothing was uploaded under this id");
    pthread_mutex_unlock(&backup->calls);
    return status;
}
