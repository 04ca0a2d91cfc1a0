/* The cameras' folders: what their two files share. */
#ifndef AIBOX_INTAKE_FTP_FOLDER_INTERNAL_H
#define AIBOX_INTAKE_FTP_FOLDER_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "intake/ftp_folder.h"

/* A folder that is watched. The thread's own. */
struct watched {
    int wd;
    char user[FTP_USER_MAX];
    char *path; /* owned; below `cameras`: USER/… */
};

struct ftp_folder {
    struct ftp_queue *queue;
    char cameras[PATH_MAX];
    char always[65]; /* name of a folder that each account's has; "": none */
    int cameras_fd, taken_fd, notify_fd, wake_fd;
    pthread_t thread;
    atomic_bool stopping;
    struct watched *watched; /* the thread's own, FOLDERS_MAX */
    size_t n_watched;
    bool said_unwatched;
    uint64_t unswept_bytes; /* of other files that came since the last sweep */
    bool running;
    _Atomic uint64_t pictures, refused, others, sidecars, sidecars_refused;
};

/* ---- ftp_arrival.c: what becomes of a file; the folder's thread only -------------------------------------------- */

enum kind { KIND_PICTURE, KIND_SIDECAR, KIND_UPLOAD, KIND_OTHER };

enum kind ftp_arrival_kind(const char *name);
int64_t ftp_arrival_modified_ms(const struct stat *info);

/* A picture is complete: it goes out of the camera's reach, so that the next one may have the same name. `dir_fd` is
 * the folder `path`, USER/…, that it is in. */
void ftp_arrival_picture(struct ftp_folder *folder, int dir_fd, const char *path, const char *name, const char *user,
                         const struct stat *info);
/* A sidecar has come. It stays where it is while no picture waits for it. */
void ftp_arrival_sidecar(struct ftp_folder *folder, int dir_fd, const char *path, const char *name, const char *user);
/* Puts into the queue what an earlier run has taken and not dealt with. */
void ftp_arrival_leftovers(struct ftp_folder *folder);

static inline void ftp_folder_add_one(_Atomic uint64_t *counter)
{
    (void)atomic_fetch_add(counter, 1);
}

#endif
