/*
 * A ZIP archive of photos, read within limits: it comes from outside. What it says of itself is believed only as far as
 * memory is concerned that the limits below bound; sizes are counted while inflating. Nothing is ever written under a
 * name from the archive.
 */
#ifndef AIBOX_FLOW_IMPORT_ARCHIVE_H
#define AIBOX_FLOW_IMPORT_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define IMPORT_MAX_ENTRIES   200000u
#define IMPORT_MAX_DIRECTORY ((uint64_t)64 << 20) /* bytes of the archive's directory */
#define IMPORT_MAX_NAME      1024                 /* bytes of an entry's name */

struct import_archive;

/* The archive that lies in file `path` from `offset` on. PARAM with what is wrong: no ZIP, too many entries, an
 * encrypted one, a name that is absolute, holds ".." or is too long. */
enum aibox_status import_archive_open(const char *path, uint64_t offset, uint64_t size, struct import_archive **out,
                                      struct aibox_error *err);
/* The same for bytes in memory, which must outlive it. */
enum aibox_status import_archive_open_memory(const void *bytes, size_t size, struct import_archive **out,
                                             struct aibox_error *err);
void import_archive_close(struct import_archive *archive);

size_t import_archive_count(const struct import_archive *archive);
/* Path of an entry, with '/'; folders end in one. UTF-8, unless its encoding could not be made out: names that are not
 * UTF-8 are taken for GBK. */
const char *import_archive_name(const struct import_archive *archive, size_t index);

/* The entry's content, freed by the caller. IMAGE_TOO_LARGE beyond `max` bytes, PARAM when it can't be unpacked. One
 * thread at a time. */
enum aibox_status import_archive_read(struct import_archive *archive, size_t index, size_t max, uint8_t **bytes,
                                      size_t *size, struct aibox_error *err);

#endif
