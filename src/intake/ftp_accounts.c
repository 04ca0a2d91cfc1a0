#include "intake/ftp_accounts.h"

#include <stdio.h>
#include <string.h>

#include "intake/ftp_files.h"
#include "intake/ftp_queue.h"

#define LINE_MAX_BYTES 1024 /* a path, a hash and some numbers */

void ftp_accounts_init(struct ftp_accounts *accounts)
{
    buffer_init(&accounts->now, 0);
    buffer_init(&accounts->before, 0);
}

void ftp_accounts_free(struct ftp_accounts *accounts)
{
    buffer_free(&accounts->now);
    buffer_free(&accounts->before);
}

void ftp_accounts_print(const struct device_list *devices, const struct ftp_shared *shared, unsigned uid, unsigned gid,
                        const char *folder, struct buffer *out)
{
    buffer_init(out, (devices->count + 2) * (LINE_MAX_BYTES + strlen(folder)));
    for (size_t i = 0; i < devices->count; i++) {
        const struct device *device = devices->items[i];
        if (device->type == DEVICE_CAPTURE_CAMERA && device->ftp_user[0] != '\0')
            ftp_account_print(device->ftp_user, device->ftp_hash, uid, gid, folder, out);
    }
    if (shared->on && shared->wrong == NULL)
        ftp_account_print(shared->user, shared->hash, uid, gid, folder, out);
}

bool ftp_accounts_are(const struct ftp_accounts *accounts, const struct buffer *lines)
{
    return lines->size == accounts->now.size &&
           (lines->size == 0 || memcmp(lines->data, accounts->now.data, lines->size) == 0);
}

void ftp_accounts_change_take(struct ftp_accounts *accounts, struct buffer *lines)
{
    buffer_free(&accounts->before);
    accounts->before = accounts->now;
    accounts->now = *lines;
    buffer_init(lines, 0);
}

/* The line of the account, NULL for none; *size without its end. */
static const char *find_line(const struct buffer *lines, const char *user, size_t *size)
{
    size_t length = strlen(user);
    const char *line = (const char *)lines->data;
    while (line != NULL && *line != '\0') {
        const char *end = strchr(line, '\n');
        *size = end != NULL ? (size_t)(end - line) : strlen(line);
        if (strncmp(line, user, length) == 0 && line[length] == ':')
            return line;
        line = end != NULL ? end + 1 : NULL;
    }
    return NULL;
}

/* Whether an account is gone, or has another password, since the last change. */
static bool any_revoked(const struct ftp_accounts *accounts)
{
    const char *line = (const char *)accounts->before.data;
    while (line != NULL && *line != '\0') {
        const char *end = strchrnul(line, '\n');
        size_t length = (size_t)(end - line), size;
        char user[FTP_USER_MAX];
        snprintf(user, sizeof user, "%.*s", (int)strcspn(line, ":"), line);
        const char *now = find_line(&accounts->now, user, &size);
        if (now == NULL || size != length || memcmp(now, line, size) != 0)
            return true;
        line = *end != '\0' ? end + 1 : end;
    }
    return false;
}

bool ftp_accounts_keep(const struct ftp_accounts *accounts, const char *user)
{
    size_t size, before_size;
    const char *line = find_line(&accounts->now, user, &size);
    const char *before = find_line(&accounts->before, user, &before_size);
    if (line == NULL && before == NULL)
        return !any_revoked(accounts);
    return line != NULL && (before == NULL || (size == before_size && memcmp(line, before, size) == 0));
}
