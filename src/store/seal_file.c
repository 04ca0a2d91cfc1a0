#include "store/seal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "core/log.h"
#include "store/internal.h"

#define DIGITS (2 * SEAL_KEY_SIZE)

/* Where the key is, or is to be. */
static bool find_path(const char *data_dir, const char *key_file, char out[PATH_MAX])
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    int size;

    if (key_file) {
        size = snprintf(out, PATH_MAX, "%s", key_file);
        return size > 0 && size < PATH_MAX;
    }
    if (credentials) {
        size = snprintf(out, PATH_MAX, "%s/" SEAL_CREDENTIAL, credentials);
        if (size > 0 && size < PATH_MAX && access(out, F_OK) == 0)
            return true;
    }
    size = snprintf(out, PATH_MAX, "%s/" SEAL_FILE, data_dir);
    return size > 0 && size < PATH_MAX;
}

static enum aibox_status parse(const char *text, size_t size, uint8_t out[SEAL_KEY_SIZE], struct aibox_error *err)
{
    size_t decoded = 0;

    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size == DIGITS && sodium_hex2bin(out, SEAL_KEY_SIZE, text, size, NULL, &decoded, NULL) == 0 &&
        decoded == SEAL_KEY_SIZE)
        return AIBOX_OK;
    return error_set(err, AIBOX_PROCESS_FAILED, "the key file is none: %d hexadecimal digits are expected", DIGITS);
}

/* NOT_FOUND: there is none. */
static enum aibox_status read_key_file(const char *path, uint8_t out[SEAL_KEY_SIZE], struct aibox_error *err)
{
    char text[DIGITS + 2];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum aibox_status status;

    if (fd < 0 && errno == ENOENT)
        return AIBOX_NOT_FOUND;
    if (fd < 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the key file can't be read: %s", strerror(errno));
    ssize_t size = read(fd, text, sizeof text);
    if (size < 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "the key file can't be read: %s", strerror(errno));
    else if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || (info.st_mode & (S_IRWXO | S_IWGRP)))
        status = error_set(err, AIBOX_PROCESS_FAILED, "the key file is open to other users: chmod 600 it");
    else
        status = parse(text, (size_t)size, out, err);
    (void)close(fd);
    sodium_memzero(text, sizeof text);
    return status;
}

/* Durable before the first byte is sealed with it. */
static enum aibox_status make_key_file(const char *path, uint8_t out[SEAL_KEY_SIZE], struct aibox_error *err)
{
    char text[DIGITS + 2], folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the key file can't be made: %s", strerror(errno));
    id_random(out, SEAL_KEY_SIZE);
    sodium_bin2hex(text, DIGITS + 1, out, SEAL_KEY_SIZE);
    text[DIGITS] = '\n';
    bool written = write(fd, text, DIGITS + 1) == DIGITS + 1 && fsync(fd) == 0;
    (void)close(fd);
    sodium_memzero(text, sizeof text);
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    fd = written ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    written = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (!written) {
        (void)unlink(path);
        return error_set(err, AIBOX_PROCESS_FAILED, "the key file can't be written: %s", strerror(errno));
    }
    log_info("store", "a key for stored secrets was made");
    return AIBOX_OK;
}

/* Whether a database is there that holds what is sealed: then its key is not to be invented. */
static enum aibox_status holds_sealed(const char *main_path, bool *sealed, struct aibox_error *err)
{
    int64_t count = 0;
    struct sql sql;

    *sealed = false;
    if (access(main_path, F_OK) != 0)
        return AIBOX_OK;
    enum aibox_status status = sql_open(&sql, main_path, SQL_WRITER, 256, err);
    if (status != AIBOX_OK)
        return status;
    status =
        sql_get_values(&sql, "SELECT count(*) FROM sqlite_schema WHERE name = 'seal_key'", &count, NULL, err, NULL, 0);
    if (status == AIBOX_OK && count > 0)
        status = sql_get_values(&sql, "SELECT count(*) FROM seal_key", &count, NULL, err, NULL, 0);
    sql_close(&sql);
    *sealed = count > 0;
    return status;
}

enum aibox_status seal_file_read(const char *data_dir, const char *key_file, const char *main_path,
                                 uint8_t out[SEAL_KEY_SIZE], struct aibox_error *err)
{
    char path[PATH_MAX];
    bool sealed;

    if (!find_path(data_dir, key_file, path))
        return error_set(err, AIBOX_PROCESS_FAILED, "the key file's name is too long");
    enum aibox_status status = read_key_file(path, out, err);
    if (status != AIBOX_NOT_FOUND)
        return status;
    status = holds_sealed(main_path, &sealed, err);
    if (status == AIBOX_OK && sealed)
        status =
            error_set(err, AIBOX_PROCESS_FAILED,
                      "the key file is missing, and without it the stored data can't be decrypted: put it back, or "
                      "name its place by --key-file");
    return status == AIBOX_OK ? make_key_file(path, out, err) : status;
}
