#include "flow/zip_out.h"

#include <string.h>
#include <zlib.h>

#define NEEDS_20  20                  /* version needed: folders, stored entries */
#define NEEDS_45  45                  /* ZIP64 */
#define MADE_BY   (3 << 8 | NEEDS_45) /* Unix */
#define UTF8_FLAG (1u << 11)
#define FILE_MODE (UINT32_C(0100600) << 16)
#define LIMIT_32  UINT32_MAX
#define LIMIT_16  UINT16_MAX

/* Records are put together field by field, little endian. */
struct record {
    uint8_t bytes[128];
    size_t size;
};

static void put(struct record *record, uint64_t value, unsigned size)
{
    while (size-- > 0) {
        record->bytes[record->size++] = (uint8_t)value;
        value >>= 8;
    }
}

uint32_t zip_out_crc(uint32_t crc, const void *bytes, size_t size)
{
    return (uint32_t)crc32_z(crc, bytes, size);
}

static enum aibox_status write_out(void *ctx, const void *bytes, size_t size, struct aibox_error *err)
{
    struct zip_out *zip = ctx;

    if (!zip->write(zip->ctx, bytes, size))
        return error_set(err, AIBOX_PROCESS_FAILED, "the archive is not wanted any more");
    zip->at += size;
    return AIBOX_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

enum aibox_status zip_out_open(struct zip_out *zip, const char *folder, export_write write, void *ctx,
                               struct aibox_error *err)
{
    time_t now = time(NULL);
    struct tm local;

    *zip = (struct zip_out){.write = write, .ctx = ctx, .date = 1 << 5 | 1};
    if (localtime_r(&now, &local) && local.tm_year >= 80) {
        zip->time = (uint16_t)(local.tm_hour << 11 | local.tm_min << 5 | local.tm_sec / 2);
        zip->date = (uint16_t)((local.tm_year - 80) << 9 | (local.tm_mon + 1) << 5 | local.tm_mday);
    }
    return spool_open(folder, &zip->directory, err);
}

void zip_out_close(struct zip_out *zip)
{
    spool_close(&zip->directory);
}

/* ---- entries ------------------------------------------------------------------------------------------------ */

struct entry {
    const char *name;
    size_t name_size;
    uint32_t crc;
    uint32_t size;
    uint64_t at; /* where its header stands */
};

/* What headers of entries and the directory have in common. */
static void put_common(struct record *record, const struct zip_out *zip, const struct entry *entry, unsigned extra)
{
    put(record, UTF8_FLAG, 2);
    put(record, 0, 2); /* stored */
    put(record, zip->time, 2);
    put(record, zip->date, 2);
    put(record, entry->crc, 4);
    put(record, entry->size, 4);
    put(record, entry->size, 4);
    put(record, entry->name_size, 2);
    put(record, extra, 2);
}

static enum aibox_status write_header(struct zip_out *zip, const struct entry *entry, struct aibox_error *err)
{
    struct record record = {.size = 0};
    enum aibox_status status;

    put(&record, 0x04034b50, 4);
    put(&record, NEEDS_20, 2);
    put_common(&record, zip, entry, 0);
    status = write_out(zip, record.bytes, record.size, err);
    return status == AIBOX_OK ? write_out(zip, entry->name, entry->name_size, err) : status;
}

static enum aibox_status note_entry(struct zip_out *zip, const struct entry *entry, struct aibox_error *err)
{
    bool far = entry->at >= LIMIT_32;
    struct record record = {.size = 0}, extra = {.size = 0};
    enum aibox_status status;

    if (far) {
        put(&extra, 1, 2); /* ZIP64 extended information */
        put(&extra, 8, 2);
        put(&extra, entry->at, 8);
    }
    put(&record, 0x02014b50, 4);
    put(&record, MADE_BY, 2);
    put(&record, far ? NEEDS_45 : NEEDS_20, 2);
    put_common(&record, zip, entry, (unsigned)extra.size);
    put(&record, 0, 2); /* comment */
    put(&record, 0, 2); /* disk */
    put(&record, 0, 2); /* internal attributes */
    put(&record, FILE_MODE, 4);
    put(&record, far ? LIMIT_32 : entry->at, 4);
    status = spool_add(&zip->directory, record.bytes, record.size, err);
    if (status == AIBOX_OK)
        status = spool_add(&zip->directory, entry->name, entry->name_size, err);
    if (status == AIBOX_OK && far)
        status = spool_add(&zip->directory, extra.bytes, extra.size, err);
    zip->count += status == AIBOX_OK;
    return status;
}

enum aibox_status zip_out_add(struct zip_out *zip, const char *name, const void *bytes, size_t size,
                              struct aibox_error *err)
{
    struct entry entry = {.name = name,
                          .name_size = strlen(name),
                          .crc = zip_out_crc(0, bytes, size),
                          .size = (uint32_t)size,
                          .at = zip->at};
    enum aibox_status status;

    if (size >= LIMIT_32 || entry.name_size > LIMIT_16)
        return error_set(err, AIBOX_PROCESS_FAILED, "a file is too large for the archive");
    status = write_header(zip, &entry, err);
    if (status == AIBOX_OK)
        status = write_out(zip, bytes, size, err);
    return status == AIBOX_OK ? note_entry(zip, &entry, err) : status;
}

enum aibox_status zip_out_add_spool(struct zip_out *zip, const char *name, struct spool *content, uint32_t crc,
                                    struct aibox_error *err)
{
    struct entry entry = {
        .name = name, .name_size = strlen(name), .crc = crc, .size = (uint32_t)content->size, .at = zip->at};
    enum aibox_status status;

    if (content->size >= LIMIT_32 || entry.name_size > LIMIT_16)
        return error_set(err, AIBOX_PROCESS_FAILED, "a file is too large for the archive");
    status = write_header(zip, &entry, err);
    if (status == AIBOX_OK)
        status = spool_read(content, write_out, zip, err);
    return status == AIBOX_OK ? note_entry(zip, &entry, err) : status;
}

/* ---- the end ------------------------------------------------------------------------------------------------- */

static uint64_t at_most(uint64_t value, uint64_t limit)
{
    return value < limit ? value : limit;
}

/* The end record in its 64-bit form, and where it stands. */
static void put_end64(struct record *record, const struct zip_out *zip, uint64_t directory)
{
    uint64_t at = directory + zip->directory.size;

    put(record, 0x06064b50, 4);
    put(record, 44, 8); /* bytes that follow */
    put(record, MADE_BY, 2);
    put(record, NEEDS_45, 2);
    put(record, 0, 4); /* disk */
    put(record, 0, 4);
    put(record, zip->count, 8);
    put(record, zip->count, 8);
    put(record, zip->directory.size, 8);
    put(record, directory, 8);
    put(record, 0x07064b50, 4);
    put(record, 0, 4);
    put(record, at, 8);
    put(record, 1, 4); /* disks */
}

enum aibox_status zip_out_finish(struct zip_out *zip, struct aibox_error *err)
{
    uint64_t directory = zip->at;
    struct record record = {.size = 0};
    enum aibox_status status = spool_read(&zip->directory, write_out, zip, err);

    if (status != AIBOX_OK)
        return status;
    if (zip->count >= LIMIT_16 || directory >= LIMIT_32 || zip->directory.size >= LIMIT_32)
        put_end64(&record, zip, directory);
    put(&record, 0x06054b50, 4);
    put(&record, 0, 2); /* disk */
    put(&record, 0, 2);
    put(&record, at_most(zip->count, LIMIT_16), 2);
    put(&record, at_most(zip->count, LIMIT_16), 2);
    put(&record, at_most(zip->directory.size, LIMIT_32), 4);
    put(&record, at_most(directory, LIMIT_32), 4);
    put(&record, 0, 2); /* comment */
    return write_out(zip, record.bytes, record.size, err);
}
