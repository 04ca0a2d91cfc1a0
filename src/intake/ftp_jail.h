/*
 * What the FTP server may see of the machine: a root file system of its own with the system's libraries (read-only),
 * its configuration (read-only) and the cameras' folders; its own process numbers, so that none of its processes
 * outlives the first; no capability. Made of Linux namespaces, which need no privilege where the kernel permits them
 * (user_namespaces(7)); systemd's RestrictNamespaces and containers often don't.
 */
#ifndef AIBOX_INTAKE_FTP_JAIL_H
#define AIBOX_INTAKE_FTP_JAIL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define FTP_JAIL_ID      1000       /* user and group of the server inside */
#define FTP_JAIL_USER    "aibox"    /* their name */
#define FTP_JAIL_SERVER  "/server"  /* the configuration inside */
#define FTP_JAIL_CAMERAS "/cameras" /* the cameras' folders inside */

/* All that the child needs, made before it is born: it must not allocate. Absolute paths. */
struct ftp_jail {
    char root[PATH_MAX];    /* an empty folder to mount the new root on */
    char server[PATH_MAX];  /* becomes FTP_JAIL_SERVER */
    char cameras[PATH_MAX]; /* becomes FTP_JAIL_CAMERAS */
    char uid_map[64], gid_map[64];
    char lib_link[64], lib64_link[64]; /* where /lib and /lib64 lead to; "": they are folders themselves */
};

/* False: a path is too long. */
bool ftp_jail_prepare(struct ftp_jail *jail, const char *root, const char *server, const char *cameras);

/* As fork(2), into new namespaces. -1: the kernel doesn't permit it (errno). */
pid_t ftp_jail_fork(void);
/* In the child: moves into the new root. NULL, or the step that failed (errno). Async-signal-safe. */
const char *ftp_jail_enter(const struct ftp_jail *jail);

#endif
