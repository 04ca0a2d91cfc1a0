/*
 * The file of a backup: members one behind the other, encrypted by a password.
 *
 *   offset  bytes
 *   0       8      "AIBOXBK1"
 *   8       8      operations of Argon2id, little-endian
 *   16      8      memory of Argon2id in bytes, little-endian
 *   24      16     salt
 *   40      24     header of the stream
 *   64             frames of XChaCha20-Poly1305 (libsodium's secretstream): each ARCHIVE_FRAME bytes of content and
 *                  ARCHIVE_FRAME_EXTRA more, the last one shorter and marked as such. The first 64 bytes are the
 *                  additional data of the first frame.
 *
 * Content: members, each 1 byte length of the name, the name, 8 bytes size, little-endian, and so many bytes; at last a
 * name of length 0. Frames can't be swapped, left out or cut off at the end without being noticed.
 *
 * An archive is used by one thread at a time.
 */
#ifndef AIBOX_BACKUP_ARCHIVE_H
#define AIBOX_BACKUP_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define ARCHIVE_HEAD        64
#define ARCHIVE_FRAME       ((size_t)256 << 10)
#define ARCHIVE_FRAME_EXTRA 17
#define ARCHIVE_NAME_MAX    64

/* What is tried for a key: 64 MiB and three passes take about 0.1 s on a desktop. A file that asks for more than a
 * gibibyte or 16 passes is refused, before any of it is done. */
#define ARCHIVE_OPERATIONS     3
#define ARCHIVE_MEMORY         ((uint64_t)64 << 20)
#define ARCHIVE_OPERATIONS_MAX 16
#define ARCHIVE_MEMORY_MAX     ((uint64_t)1 << 30)

/* ---- writing ---------------------------------------------------------------------------------------------- */

struct archive_out;

/* Makes the file `path`, mode 0600, which must not exist. */
enum aibox_status archive_out_open(const char *path, const char *password, struct archive_out **out,
                                   struct aibox_error *err);
/* A member of exactly `size` bytes, which archive_out_write() gives piece by piece. */
enum aibox_status archive_out_member(struct archive_out *archive, const char *name, uint64_t size,
                                     struct aibox_error *err);
enum aibox_status archive_out_write(struct archive_out *archive, const void *bytes, size_t size,
                                    struct aibox_error *err);
/* Writes the end and makes the file durable. `size` (may be NULL): of the file. */
enum aibox_status archive_out_finish(struct archive_out *archive, uint64_t *size, struct aibox_error *err);
/* The file stays as it is. NULL is allowed. */
void archive_out_close(struct archive_out *archive);

/* ---- reading ---------------------------------------------------------------------------------------------- */

struct archive_in;

struct archive_member {
    char name[ARCHIVE_NAME_MAX + 1]; /* "" at the end: the archive is complete */
    uint64_t size;
};

/* `offset`: where the archive begins in the file. PARAM: no backup, or not of this kind; the password is tried with the
 * first read. */
enum aibox_status archive_in_open(const char *path, uint64_t offset, const char *password, struct archive_in **out,
                                  struct aibox_error *err);
/* The next member; what was not read of the last one is skipped. PARAM: wrong password, damaged, or cut off. */
enum aibox_status archive_in_next(struct archive_in *archive, struct archive_member *member, struct aibox_error *err);
/* *got: up to `size` bytes of the member, 0 at its end. */
enum aibox_status archive_in_read(struct archive_in *archive, void *bytes, size_t size, size_t *got,
                                  struct aibox_error *err);
void archive_in_close(struct archive_in *archive); /* NULL is allowed */

#endif
