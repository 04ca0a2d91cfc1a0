/*
 * One account for cameras that have none of their own, as the settings intake.ftp.user, .password_hash and .directory
 * say: the address that such a camera calls from tells which device it is, and it uploads to the folder of that
 * device. From an address that no capture camera has, nobody gets in by it. Any thread.
 */
#ifndef AIBOX_INTAKE_FTP_SHARED_H
#define AIBOX_INTAKE_FTP_SHARED_H

#include <stdbool.h>

#include "core/buffer.h"
#include "core/settings.h"
#include "flow/devices.h"
#include "intake/ftp_queue.h"

#define FTP_SHARED_NAME "shared.conf" /* the part of the server's configuration that ftp_shared_print() makes */

struct ftp_shared {
    bool on;           /* a password is set */
    const char *wrong; /* which setting can't be used, and what it takes; NULL: they are fine */
    char user[FTP_USER_MAX];
    char hash[129];     /* as crypt(3) reads it */
    char directory[65]; /* that is there in each camera's folder; "": none */
};

void ftp_shared_read(const struct settings *settings, struct ftp_shared *out);

/* Which root who gets: each account its own folder, and by address. `folder`: of the cameras', as the server sees it.
 */
void ftp_shared_print(const struct ftp_shared *shared, const struct device_list *devices, const char *folder,
                      struct buffer *out);

#endif
