/* What the files of this room share. */
#ifndef AIBOX_BACKUP_BACKUP_INTERNAL_H
#define AIBOX_BACKUP_BACKUP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "backup/backup.h"

#define BACKUP_PATH 4096

struct backup {
    struct settings *settings;
    struct store *store;
    char data_dir[BACKUP_PATH];
    char folder[BACKUP_PATH]; /* ours, in the data folder */
    char file[BACKUP_PATH];   /* the backup */
    char upload[BACKUP_PATH]; /* what is to be restored */

    pthread_mutex_t calls; /* held by whoever starts, clears or restores: one at a time */
    pthread_t thread;
    bool thread_runs; /* `calls` guards it: there is a thread to be joined */
    atomic_bool stop;

    pthread_mutex_t mu;
    struct backup_status status;            /* guarded by mu */
    char password[BACKUP_PASSWORD_MAX + 1]; /* of the one being made; the thread's while it runs */
    struct {
        char id[ID_ULID_SIZE];
        uint64_t offset;
    } uploaded; /* `calls` guards it; id "": nothing */
};

/* A folder of ours within ours, empty, mode 0700. */
enum aibox_status backup_folder_make(const char *path, struct aibox_error *err);
/* The folder with the files in it (no folders). */
void backup_folder_remove(const char *path);

#endif
