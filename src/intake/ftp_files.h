/* The files by which the FTP server is told what to do. */
#ifndef AIBOX_INTAKE_FTP_FILES_H
#define AIBOX_INTAKE_FTP_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/status.h"

#define FTP_CONFIG_NAME   "proftpd.conf"
#define FTP_ACCOUNTS_NAME "accounts"

struct ftp_config {
    int port;
    int passive_first, passive_last;
    const char *public_address; /* "" none: the address that the camera talks to */
    const char *user, *group;   /* names of those that the server runs as */
    const char *folder;         /* of the configuration, as the server sees it */
    const char *run_folder;     /* where it may write its process number */
    size_t max_bytes;           /* of an upload */
};

/* "2122-2221" or one port. False: it isn't that. */
bool ftp_passive_parse(const char *text, int *first, int *last);
/* An IPv4 address or a host name. */
bool ftp_public_address_valid(const char *text);

/* The server's configuration. */
void ftp_config_print(const struct ftp_config *config, struct buffer *out);
/* One line of the accounts file: uploads go to `folder`, as the server sees it, and are owned by uid and gid. */
void ftp_account_print(const char *user, const char *hash, unsigned uid, unsigned gid, const char *folder,
                       struct buffer *out);

/* Replaces the file `name` of the folder `dir_fd` by a whole new one that nobody else may read. */
enum aibox_status ftp_file_replace(int dir_fd, const char *name, const struct buffer *content, struct aibox_error *err);

#endif
