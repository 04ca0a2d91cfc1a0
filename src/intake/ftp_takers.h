/* The threads that have uploaded pictures decided on. */
#ifndef AIBOX_INTAKE_FTP_TAKERS_H
#define AIBOX_INTAKE_FTP_TAKERS_H

#include "core/buffer.h"
#include "core/status.h"
#include "intake/ftp_folder.h"
#include "intake/ftp_queue.h"
#include "intake/intake.h"

/* A picture that is older is decided on, but opens no door: who stood there has left. */
#define FTP_FRESH_MS 10000

struct ftp_takers;

/* All must outlive them. */
enum aibox_status ftp_takers_open(const struct intake_context *context, struct ftp_queue *queue,
                                  struct ftp_folder *folder, struct ftp_takers **out, struct aibox_error *err);
/* After ftp_queue_stop(). NULL is allowed. */
void ftp_takers_close(struct ftp_takers *takers);

void ftp_takers_metrics(struct ftp_takers *takers, struct buffer *out); /* Prometheus text */

#endif
