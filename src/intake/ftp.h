/*
 * FTP: capture cameras upload their pictures to accounts of their own. The server is a program of the system (proftpd)
 * that runs while there is such a camera, as the box's user, with what the box tells it in ftp_files.h, as far away
 * from the rest of the system as the kernel permits (ftp_jail.h). When it can't run, because its port is taken or it is
 * not installed, everything else goes on, and it is tried again.
 *
 * All functions: any thread.
 */
#ifndef AIBOX_INTAKE_FTP_H
#define AIBOX_INTAKE_FTP_H

#include "intake/intake.h"

struct ftp;

/* What `context` points to must outlive it. */
enum aibox_status ftp_open(const struct intake_context *context, struct ftp **out, struct aibox_error *err);
void ftp_close(struct ftp *ftp); /* NULL is allowed */

/* To be called when devices have changed; returns at once. */
void ftp_devices_changed(struct ftp *ftp);

/* Members of the open object: what is known of a capture camera. */
void ftp_print(struct ftp *ftp, const struct device *device, struct json_out *out);
void ftp_metrics(struct ftp *ftp, struct buffer *out); /* Prometheus text */

#endif
