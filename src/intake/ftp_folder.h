/*
 * The folders that cameras upload to, one by account, and below it whatever folders a camera makes. A thread takes
 * every finished picture out of them, into a folder of the box's own and into the queue, and keeps them tidy:
 *
 *   NAME.jpg, NAME.jpeg     a picture (any case), taken when it is closed or gets that name
 *   NAME.json               what the camera says of NAME, before or after it
 *   .in.NAME.               an upload that is under way (proftpd's HiddenStores)
 *   anything else           is given FTP_FOLDER_GRACE_MS to be renamed and is then removed and counted
 *
 * What was taken is kept as USER.ULID until ftp_folder_remove(), and is put into the queue again after a restart.
 */
#ifndef AIBOX_INTAKE_FTP_FOLDER_H
#define AIBOX_INTAKE_FTP_FOLDER_H

#include <stdint.h>

#include "core/status.h"
#include "intake/ftp_queue.h"

#define FTP_FOLDER_GRACE_MS    10000
#define FTP_FOLDER_MAX_DEPTH   8                   /* folders in folders */
#define FTP_FOLDER_MAX_FOLDERS 256                 /* of one account */
#define FTP_FOLDER_MAX_FILES   256                 /* of one account, that are no pictures, or not yet */
#define FTP_FOLDER_MAX_BYTES   (32u * 1024 * 1024) /* of these */
#define FTP_PICTURE_MAX_BYTES  (5u * 1024 * 1024)

struct ftp_folder;

struct ftp_folder_counters {
    uint64_t pictures;         /* taken */
    uint64_t refused;          /* pictures removed because of their size, or because they could not be taken */
    uint64_t others;           /* other files removed */
    uint64_t sidecars;         /* read */
    uint64_t sidecars_refused; /* not understood, or without a picture */
};

/* `cameras`, `taken`: absolute paths of existing folders of one file system. `always`: name of a folder that each
 * account's has, "" for none. Starts with what is there. */
enum aibox_status ftp_folder_open(const char *cameras, const char *taken, const char *always, struct ftp_queue *queue,
                                  struct ftp_folder **out, struct aibox_error *err);
void ftp_folder_close(struct ftp_folder *folder); /* NULL is allowed */

/* Makes the folder of an account, if need be. Any thread. */
enum aibox_status ftp_folder_add(struct ftp_folder *folder, const char *user, struct aibox_error *err);
/* The accounts of the queue have changed: looks at all folders soon, and removes those of others. Any thread. */
void ftp_folder_sweep(struct ftp_folder *folder);

/* The bytes of a picture (malloc). Any thread. */
enum aibox_status ftp_folder_read(struct ftp_folder *folder, const struct ftp_picture *picture, uint8_t **bytes,
                                  size_t *size, struct aibox_error *err);
/* It is dealt with. Any thread. */
void ftp_folder_remove(struct ftp_folder *folder, const struct ftp_picture *picture);

void ftp_folder_count(struct ftp_folder *folder, struct ftp_folder_counters *out);

#endif
