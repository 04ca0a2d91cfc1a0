/*
 * A backup that somebody with its password has made: the input is what lies within the encryption, which is put around
 * it here, and is read as a backup is. The same input is read as a manifest.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backup/archive.h"
#include "backup/archive_key.h"
#include "backup/manifest.h"

#define CONTENT_MAX ((size_t)1 << 20)

static void read_archive(const char *path)
{
    static uint8_t bytes[4096];
    struct archive_in *archive;
    struct archive_member member;
    size_t got;

    if (archive_in_open(path, 0, "password", &archive, NULL) != AIBOX_OK)
        return;
    while (archive_in_next(archive, &member, NULL) == AIBOX_OK && member.name[0])
        for (got = 1; got > 0 && member.size % 2 == 0;) /* others are skipped */
            if (archive_in_read(archive, bytes, sizeof bytes, &got, NULL) != AIBOX_OK)
                break;
    archive_in_close(archive);
}

/* As archive_out.c does, but for a key that takes no time. */
static void seal(int fd, const uint8_t *data, size_t size)
{
    static uint8_t sealed[ARCHIVE_FRAME + ARCHIVE_FRAME_EXTRA];
    uint8_t head[ARCHIVE_HEAD] = "AIBOXBK1", key[ARCHIVE_KEY_SIZE];
    crypto_secretstream_xchacha20poly1305_state stream;
    bool bound = false;

    archive_put_u64(head + 8, crypto_pwhash_OPSLIMIT_MIN);
    archive_put_u64(head + 16, crypto_pwhash_MEMLIMIT_MIN);
    if (archive_key_read(head, "password", key, NULL) != AIBOX_OK)
        exit(1);
    (void)crypto_secretstream_xchacha20poly1305_init_push(&stream, head + ARCHIVE_STREAM_AT, key);
    if (write(fd, head, sizeof head) != (ssize_t)sizeof head)
        exit(1);
    do {
        size_t n = size < ARCHIVE_FRAME ? size : ARCHIVE_FRAME;
        unsigned long long length;
        unsigned char tag = n == size ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0;
        (void)crypto_secretstream_xchacha20poly1305_push(&stream, sealed, &length, data, n, bound ? NULL : head,
                                                         bound ? 0 : sizeof head, tag);
        if (write(fd, sealed, (size_t)length) != (ssize_t)length)
            exit(1);
        bound = true;
        data += n;
        size -= n;
    } while (size > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    struct backup_contents contents;

    if (size > CONTENT_MAX)
        return 0;
    if (fd < 0) {
        fd = memfd_create("backup", MFD_CLOEXEC);
        if (fd < 0 || sodium_init() < 0)
            exit(1);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    (void)manifest_read((const char *)data, size, &contents, NULL);
    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
        exit(1);
    seal(fd, data, size);
    read_archive(path);
    return 0;
}
