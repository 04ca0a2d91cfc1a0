/* Starting the FTP server: everything that has to be right before, and the first that is not. */
#ifndef AIBOX_INTAKE_FTP_SERVER_H
#define AIBOX_INTAKE_FTP_SERVER_H

#include <limits.h>
#include <stdbool.h>

#include "core/settings.h"
#include "core/status.h"
#include "intake/ftp_process.h"

#define FTP_SERVER_JAIL "root" /* an empty folder in `folder` */

struct ftp_server_place {
    const struct settings *settings;
    char cameras[PATH_MAX]; /* the cameras' folders */
    char folder[PATH_MAX];  /* of the server's files, only the box's own */
    int folder_fd;          /* the same */
};

/* Writes the configuration and starts the server. `jailed`: in namespaces of its own; *refused: the kernel permits
 * none. The message of a failure is for the operator. */
enum aibox_status ftp_server_start(const struct ftp_server_place *place, bool jailed, bool *refused,
                                   struct ftp_process *out, struct aibox_error *err);

#endif
