/*
 * Writing a ZIP archive to somebody who can't go back (APPNOTE.TXT 6.3.10): entries as they are, for photos don't get
 * smaller, with ZIP64 where numbers need it. The directory is put aside in a file until the end.
 */
#ifndef AIBOX_FLOW_ZIP_OUT_H
#define AIBOX_FLOW_ZIP_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/status.h"
#include "flow/export.h"
#include "flow/spool.h"

struct zip_out {
    export_write write;
    void *ctx;
    uint64_t at; /* bytes written */
    uint64_t count;
    uint16_t time, date; /* of all entries, MS-DOS */
    struct spool directory;
};

/* `folder`: for the directory. */
enum aibox_status zip_out_open(struct zip_out *zip, const char *folder, export_write write, void *ctx,
                               struct aibox_error *err);
void zip_out_close(struct zip_out *zip);

/* One entry; `name` is UTF-8, at most 65,535 bytes; the content is less than 4 GiB. All: PROCESS_FAILED when nobody
 * wants more, or the disk is full. */
enum aibox_status zip_out_add(struct zip_out *zip, const char *name, const void *bytes, size_t size,
                              struct aibox_error *err);
/* One whose content was put aside; `crc` is its CRC-32. */
enum aibox_status zip_out_add_spool(struct zip_out *zip, const char *name, struct spool *content, uint32_t crc,
                                    struct aibox_error *err);
/* Directory and end. */
enum aibox_status zip_out_finish(struct zip_out *zip, struct aibox_error *err);

/* CRC-32 (ISO 3309) of more bytes; begins with 0. */
uint32_t zip_out_crc(uint32_t crc, const void *bytes, size_t size);

#endif
