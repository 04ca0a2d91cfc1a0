/* The accounts of the FTP server, as its file has them, and which connections may go on when they change. One thread.
 */
#ifndef AIBOX_INTAKE_FTP_ACCOUNTS_H
#define AIBOX_INTAKE_FTP_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"
#include "flow/devices.h"
#include "intake/ftp_shared.h"

/* What the server's file holds, by ftp_account_print() of ftp_files.h. */
struct ftp_accounts {
    struct buffer now;
    struct buffer before; /* the last change */
};

void ftp_accounts_init(struct ftp_accounts *accounts);
void ftp_accounts_free(struct ftp_accounts *accounts);

/* The lines for the capture cameras among `devices`, and for the shared account; see ftp_account_print(). To be freed.
 */
void ftp_accounts_print(const struct device_list *devices, const struct ftp_shared *shared, unsigned uid, unsigned gid,
                        const char *folder, struct buffer *out);
bool ftp_accounts_are(const struct ftp_accounts *accounts, const struct buffer *lines);
/* From now on; takes the buffer. */
void ftp_accounts_change_take(struct ftp_accounts *accounts, struct buffer *lines);

/*
 * Whether a connection goes on after the last change: when its account is new, or the same as before. For a `user` that
 * is no account, because nobody has logged in yet: when no account was taken away or got another password, for who is
 * just logging in may have been let in by the old ones.
 */
bool ftp_accounts_keep(const struct ftp_accounts *accounts, const char *user);

#endif
