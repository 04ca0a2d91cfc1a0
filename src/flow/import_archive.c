#include "flow/import_archive.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "core/utf8.h"
#include "flow/gbk.h"

struct import_archive {
    zip_t *zip;
    size_t count;
    const char **names; /* libzip's, or of `owned` */
    char **owned;       /* converted names; NULL where libzip's is used */
};

/* ---- the directory's size, before it is read ------------------------------------------------------------- */

/* APPNOTE.TXT 6.3.10 §§ 4.3.14 to 4.3.16: the records at the end of an archive */
#define END_SIZE        22
#define END64_SIZE      56
#define LOCATOR_SIZE    20
#define COMMENT_MAX     65535
#define END_MAGIC       "PK\5\6"
#define END64_MAGIC     "PK\6\6"
#define LOCATOR_MAGIC   "PK\6\7"
#define AT_ENTRIES      10 /* in the end record: 2 bytes */
#define AT_DIRECTORY    12 /* 4 bytes */
#define AT_ENTRIES64    32 /* in its 64-bit form: 8 bytes */
#define AT_DIRECTORY64  40 /* 8 bytes */
#define AT_END64_OFFSET 8  /* in the locator: 8 bytes */

static uint64_t little_endian(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    while (size-- > 0)
        value = value << 8 | bytes[size];
    return value;
}

static enum aibox_status check_size(uint64_t entries, uint64_t directory, struct aibox_error *err)
{
    if (entries > IMPORT_MAX_ENTRIES)
        return error_set(err, AIBOX_PARAM, "the archive holds more than %u files", IMPORT_MAX_ENTRIES);
    if (directory > IMPORT_MAX_DIRECTORY)
        return error_set(err, AIBOX_PARAM, "the archive's directory is too large");
    return AIBOX_OK;
}

static bool read_at(zip_source_t *source, uint64_t offset, uint8_t *out, size_t size)
{
    return offset <= INT64_MAX && zip_source_seek(source, (zip_int64_t)offset, SEEK_SET) == 0 &&
           zip_source_read(source, out, size) == (zip_int64_t)size;
}

/* One possible end record at tail[at]. The library holds the whole directory in memory, as large as this says. */
static enum aibox_status check_end(zip_source_t *source, const uint8_t *tail, size_t at, struct aibox_error *err)
{
    const uint8_t *end = tail + at, *locator = at >= LOCATOR_SIZE ? end - LOCATOR_SIZE : NULL;
    uint8_t end64[END64_SIZE] = {0};
    enum aibox_status status = AIBOX_OK;

    if (locator && memcmp(locator, LOCATOR_MAGIC, 4) == 0 &&
        read_at(source, little_endian(locator + AT_END64_OFFSET, 8), end64, sizeof end64) &&
        memcmp(end64, END64_MAGIC, 4) == 0)
        status = check_size(little_endian(end64 + AT_ENTRIES64, 8), little_endian(end64 + AT_DIRECTORY64, 8), err);
    else if (little_endian(end + AT_DIRECTORY, 4) != UINT32_MAX)
        status = check_size(little_endian(end + AT_ENTRIES, 2), little_endian(end + AT_DIRECTORY, 4), err);
    return status;
}

static enum aibox_status no_archive(struct aibox_error *err)
{
    return error_set(err, AIBOX_PARAM, "this is no ZIP archive, or not all of one");
}

/* All that could be an end record, for nobody says which one the library takes. */
static enum aibox_status check_ends(zip_source_t *source, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    bool found = false;
    zip_stat_t info;
    size_t size = LOCATOR_SIZE + END_SIZE + COMMENT_MAX;
    uint8_t *tail;

    if (zip_source_stat(source, &info) != 0 || !(info.valid & ZIP_STAT_SIZE))
        return error_set(err, AIBOX_PROCESS_FAILED, "the archive can't be read");
    if (info.size < END_SIZE) /* the library doesn't bear none at all */
        return no_archive(err);
    if (info.size < size)
        size = (size_t)info.size;
    tail = calloc(1, size);
    if (!tail)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (zip_source_open(source) != 0) {
        free(tail);
        return error_set(err, AIBOX_PROCESS_FAILED, "the archive can't be read");
    }
    if (!read_at(source, info.size - size, tail, size))
        status = error_set(err, AIBOX_PROCESS_FAILED, "the archive can't be read");
    for (size_t at = 0; status == AIBOX_OK && at + END_SIZE <= size; at++)
        if (memcmp(tail + at, END_MAGIC, 4) == 0) {
            found = true;
            status = check_end(source, tail, at, err);
        }
    if (status == AIBOX_OK && !found)
        status = no_archive(err);
    (void)zip_source_close(source);
    free(tail);
    return status;
}

/* ---- names ----------------------------------------------------------------------------------------------- */

/* A name without the mark that it is UTF-8 which isn't: the library turns it, strictly, into something else. */
static bool needs_guess(zip_t *zip, size_t index, const char *raw)
{
    const char *strict;

    if (utf8_valid(raw, strlen(raw)))
        return false;
    strict = zip_get_name(zip, index, ZIP_FL_ENC_STRICT);
    return !strict || strcmp(strict, raw) != 0;
}

static bool is_safe(const char *name)
{
    if (name[0] == '/' || (name[0] != '\0' && name[1] == ':'))
        return false;
    while (*name != '\0') {
        size_t size = strcspn(name, "/");

        if (size == 2 && memcmp(name, "..", 2) == 0)
            return false;
        name += size;
        name += *name == '/';
    }
    return true;
}

static enum aibox_status take_name(struct import_archive *archive, size_t index, bool gbk, struct aibox_error *err)
{
    const char *raw = zip_get_name(archive->zip, index, ZIP_FL_ENC_RAW);

    if (!raw)
        return error_set(err, AIBOX_PARAM, "the archive's entry %zu has no name", index + 1);
    if (strlen(raw) > IMPORT_MAX_NAME)
        return error_set(err, AIBOX_PARAM, "the archive's entry %zu has a name of more than %d bytes", index + 1,
                         IMPORT_MAX_NAME);
    /* Old programs on Windows write '\', which may also be half a character: only after converting it is a separator.
     */
    if (gbk)
        archive->owned[index] = gbk_to_utf8(raw, strlen(raw), NULL);
    if (!archive->owned[index] && strchr(raw, '\\') && utf8_valid(raw, strlen(raw)))
        archive->owned[index] = strdup(raw);
    if (archive->owned[index])
        for (char *at = archive->owned[index]; (at = strchr(at, '\\')) != NULL;)
            *at = '/';
    archive->names[index] = archive->owned[index] ? archive->owned[index] : raw;
    if (!is_safe(archive->names[index]))
        return error_set(err, AIBOX_PARAM, "the archive holds '%.200s': absolute paths and '..' are not taken",
                         archive->names[index]);
    return AIBOX_OK;
}

static enum aibox_status check_entry(struct import_archive *archive, size_t index, struct aibox_error *err)
{
    zip_stat_t info;

    if (zip_stat_index(archive->zip, index, 0, &info) != 0)
        return error_set(err, AIBOX_PARAM, "the archive's entry %zu can't be read", index + 1);
    if ((info.valid & ZIP_STAT_ENCRYPTION_METHOD) && info.encryption_method != ZIP_EM_NONE)
        return error_set(err, AIBOX_PARAM, "the archive is encrypted ('%.200s')", archive->names[index]);
    return AIBOX_OK;
}

static enum aibox_status read_names(struct import_archive *archive, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    bool gbk = false;

    archive->names = calloc(archive->count + 1, sizeof *archive->names);
    archive->owned = calloc(archive->count + 1, sizeof *archive->owned);
    if (!archive->names || !archive->owned)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    /* A program writes all names alike: one that can't be UTF-8 tells of the others, some of which could. */
    for (size_t i = 0; i < archive->count && !gbk; i++) {
        const char *raw = zip_get_name(archive->zip, i, ZIP_FL_ENC_RAW);

        gbk = raw && strlen(raw) <= IMPORT_MAX_NAME && needs_guess(archive->zip, i, raw);
    }
    for (size_t i = 0; i < archive->count && status == AIBOX_OK; i++) {
        const char *raw = gbk ? zip_get_name(archive->zip, i, ZIP_FL_ENC_RAW) : NULL;
        const char *strict =
            raw && strlen(raw) <= IMPORT_MAX_NAME ? zip_get_name(archive->zip, i, ZIP_FL_ENC_STRICT) : NULL;
        /* marked as UTF-8, or plain ASCII: as it is */
        bool marked = strict && strcmp(strict, raw) == 0;

        status = take_name(archive, i, gbk && !marked, err);
        if (status == AIBOX_OK)
            status = check_entry(archive, i, err);
    }
    return status;
}

/* ---- opening ---------------------------------------------------------------------------------------------- */

static enum aibox_status open_source(zip_source_t *source, struct import_archive **out, struct aibox_error *err)
{
    struct import_archive *archive = calloc(1, sizeof *archive);
    enum aibox_status status;
    zip_error_t error;

    *out = NULL;
    if (!archive) {
        zip_source_free(source);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    status = check_ends(source, err);
    if (status != AIBOX_OK) {
        zip_source_free(source);
        goto out;
    }
    zip_error_init(&error);
    archive->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (!archive->zip) {
        status = error_set(err, AIBOX_PARAM, "the archive can't be opened: %s", zip_error_strerror(&error));
        zip_source_free(source);
        zip_error_fini(&error);
        goto out;
    }
    zip_error_fini(&error);
    archive->count = (size_t)zip_get_num_entries(archive->zip, 0);
    status = check_size(archive->count, 0, err);
    if (status == AIBOX_OK)
        status = read_names(archive, err);
out:
    if (status != AIBOX_OK) {
        import_archive_close(archive);
        return status;
    }
    *out = archive;
    return AIBOX_OK;
}

static enum aibox_status no_source(zip_error_t *error, struct aibox_error *err)
{
    enum aibox_status status =
        error_set(err, AIBOX_PROCESS_FAILED, "the archive can't be read: %s", zip_error_strerror(error));

    zip_error_fini(error);
    return status;
}

enum aibox_status import_archive_open(const char *path, uint64_t offset, uint64_t size, struct import_archive **out,
                                      struct aibox_error *err)
{
    zip_source_t *source;
    zip_error_t error;

    *out = NULL;
    zip_error_init(&error);
    source = zip_source_file_create(path, offset, (zip_int64_t)size, &error);
    return source ? open_source(source, out, err) : no_source(&error, err);
}

enum aibox_status import_archive_open_memory(const void *bytes, size_t size, struct import_archive **out,
                                             struct aibox_error *err)
{
    zip_source_t *source;
    zip_error_t error;

    *out = NULL;
    zip_error_init(&error);
    source = zip_source_buffer_create(bytes, size, 0, &error);
    return source ? open_source(source, out, err) : no_source(&error, err);
}

void import_archive_close(struct import_archive *archive)
{
    if (!archive)
        return;
    for (size_t i = 0; archive->owned && i < archive->count; i++)
        free(archive->owned[i]);
    free(archive->owned);
    free(archive->names);
    if (archive->zip)
        zip_discard(archive->zip);
    free(archive);
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

size_t import_archive_count(const struct import_archive *archive)
{
    return archive->count;
}

const char *import_archive_name(const struct import_archive *archive, size_t index)
{
    return archive->names[index];
}

/* What can be read of `file`, up to max + 1 bytes. */
static enum aibox_status inflate_file(zip_file_t *file, size_t announced, size_t max, uint8_t **bytes, size_t *size,
                                      struct aibox_error *err)
{
    size_t room = (announced < max ? announced : max) + 1, have = 0;
    uint8_t *out = malloc(room);

    while (out) {
        zip_int64_t got = zip_fread(file, out + have, room - have);

        if (got < 0) {
            free(out);
            return error_set(err, AIBOX_PARAM, "it can't be unpacked: %s", zip_file_strerror(file));
        }
        have += (size_t)got;
        if (have > max) {
            free(out);
            return error_set(err, AIBOX_IMAGE_TOO_LARGE, "it is larger than %zu bytes", max);
        }
        if (got == 0)
            break;
        if (have == room) { /* more than was announced */
            uint8_t *larger = realloc(out, max + 1);

            if (!larger)
                free(out);
            out = larger;
            room = max + 1;
        }
    }
    if (!out)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    *bytes = out;
    *size = have;
    return AIBOX_OK;
}

enum aibox_status import_archive_read(struct import_archive *archive, size_t index, size_t max, uint8_t **bytes,
                                      size_t *size, struct aibox_error *err)
{
    enum aibox_status status;
    zip_file_t *file;
    zip_stat_t info;

    *bytes = NULL;
    *size = 0;
    if (zip_stat_index(archive->zip, index, 0, &info) != 0)
        return error_set(err, AIBOX_PARAM, "it can't be unpacked: %s", zip_strerror(archive->zip));
    if (!(info.valid & ZIP_STAT_SIZE))
        info.size = max;
    if (info.size > max)
        return error_set(err, AIBOX_IMAGE_TOO_LARGE, "it is larger than %zu bytes", max);
    file = zip_fopen_index(archive->zip, index, 0);
    if (!file)
        return error_set(err, AIBOX_PARAM, "it can't be unpacked: %s", zip_strerror(archive->zip));
    status = inflate_file(file, (size_t)info.size, max, bytes, size, err);
    (void)zip_fclose(file);
    return status;
}
