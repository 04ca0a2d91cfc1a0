#include "intake/ftp_files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "intake/ftp_shared.h"

#define NEW_SUFFIX ".new"

static bool read_port(const char **at, int *out)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    long value = strtol(*at, &end, 10);
    *at = end;
    *out = (int)value;
    return value >= 1 && value <= 65535;
}

bool ftp_passive_parse(const char *text, int *first, int *last)
{
    if (!read_port(&text, first))
        return false;
    *last = *first;
    if (*text == '-' && (text++, !read_port(&text, last)))
        return false;
    return *text == '\0' && *first <= *last;
}

bool ftp_public_address_valid(const char *text)
{
    size_t size = strlen(text);
    return size <= 253 && text[0] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == size;
}

void ftp_config_print(const struct ftp_config *config, struct buffer *out)
{
    buffer_appendf(out,
                   "# Written by aiboxd at each start of the server.\n"
                   "ModulePath /usr/lib/proftpd\n"
                   "LoadModule mod_vroot.c\n"
                   "ServerType standalone\n"
                   "ServerName AIBOX\n"
                   "ServerIdent on \"AIBOX\"\n"
                   "DefaultAddress 127.0.0.1\n" /* spares looking up the host's name; connections to all are taken */
                   "SocketBindTight off\n"
                   "Port %d\n"
                   "PassivePorts %d %d\n"
                   "User %s\n"
                   "Group %s\n"
                   "PidFile %s/proftpd.pid\n",
                   config->port, config->passive_first, config->passive_last, config->user, config->group,
                   config->run_folder);
    if (config->public_address[0] != '\0')
        buffer_appendf(out, "MasqueradeAddress %s\n", config->public_address);
    /* Who may log in: nobody but the accounts of the file. */
    buffer_appendf(out,
                   "AuthOrder mod_auth_file.c\n"
                   "AuthUserFile %s/" FTP_ACCOUNTS_NAME "\n"
                   "AuthPAM off\n"
                   "RequireValidShell off\n"
                   "UseFtpUsers off\n"
                   "MaxLoginAttempts 3\n",
                   config->folder);
    /* Where: each in a root of its own, where it sees nothing. */
    buffer_appendf(out,
                   "VRootEngine on\n"
                   "Include %s/" FTP_SHARED_NAME "\n"
                   "ShowSymlinks off\n"
                   "ListOptions \"\" strict\n"
                   "Umask 077\n"
                   "<Directory />\n"
                   "  HideFiles ^\n"
                   "</Directory>\n",
                   config->folder);
    /* What: uploads, which get their name when they are complete. */
    buffer_appendf(out,
                   "HiddenStores on\n"
                   "DeleteAbortedStores on\n"
                   "AllowOverwrite on\n"
                   "AllowStoreRestart off\n"
                   "AllowRetrieveRestart off\n"
                   "MaxStoreFileSize %zu B\n"
                   "<Limit RETR APPE SIZE MDTM STAT MLSD MLST MFF MFMT SITE SITE_CHMOD SITE_CHGRP>\n"
                   "  DenyAll\n"
                   "</Limit>\n",
                   config->max_bytes);
    /* How much, and for how long. */
    buffer_append_text(out, "MaxInstances 128\n"
                            "MaxClientsPerUser 8\n"
                            "MaxClientsPerHost 32\n"
                            "MaxConnectionsPerHost 40\n"
                            "TimeoutLogin 20\n"
                            "TimeoutIdle 600\n"
                            "TimeoutNoTransfer 900\n"
                            "TimeoutStalled 30\n");
    /* What needs other privileges, or other files. */
    buffer_append_text(out, "UseReverseDNS off\n"
                            "WtmpLog off\n"
                            "TransferLog none\n"
                            "SystemLog none\n"
                            "ScoreboardFile none\n"
                            "ControlsEngine off\n"
                            "DelayEngine off\n"
                            "CapabilitiesEngine off\n"
                            "TimesGMT on\n");
}

void ftp_account_print(const char *user, const char *hash, unsigned uid, unsigned gid, const char *folder,
                       struct buffer *out)
{
    buffer_appendf(out, "%s:%s:%u:%u::%s/%s:/none\n", user, hash, uid, gid, folder, user);
}

enum aibox_status ftp_file_replace(int dir_fd, const char *name, const struct buffer *content, struct aibox_error *err)
{
    char fresh[64];
    if (content->failed)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    snprintf(fresh, sizeof fresh, "%s" NEW_SUFFIX, name);
    int fd = openat(dir_fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool fine = fd >= 0 && write(fd, content->data, content->size) == (ssize_t)content->size;
    int error = errno;
    if (fd >= 0 && close(fd) != 0)
        fine = false;
    if (fine && renameat(dir_fd, fresh, dir_fd, name) == 0)
        return AIBOX_OK;
    if (fine)
        error = errno;
    (void)unlinkat(dir_fd, fresh, 0);
    return error_set(err, AIBOX_PROCESS_FAILED, "%s can't be written: %s", name, strerror(error));
}
