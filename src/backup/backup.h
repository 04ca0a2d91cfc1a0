/*
 * Backup and restore: everything that the store keeps, in one file that a password encrypts (backup/archive.h).
 *
 * A backup is made behind the answer, from copies of both databases as they are at one moment; the box goes on working.
 * The box keeps the newest one for a day, to be fetched:
 *
 *   NONE ──backup_start()──► RUNNING ──► READY ──backup_clear(), a day, a restart──► NONE
 *                               └──────► FAILED ──backup_start()──► RUNNING
 *
 * A restore has two steps: backup_restore_take() takes an uploaded file, one at a time; backup_restore() looks into it,
 * and with `confirm` unpacks it beside the store's files, checks it as a whole and has the store take it at its next
 * opening (store_restore_prepare()). Until then nothing has changed.
 *
 * All functions: any thread.
 */
#ifndef AIBOX_BACKUP_BACKUP_H
#define AIBOX_BACKUP_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "core/settings.h"
#include "core/status.h"
#include "store/store.h"

#define BACKUP_PASSWORD_MIN 12   /* characters */
#define BACKUP_PASSWORD_MAX 1024 /* bytes */

struct backup;

/* Removes what an earlier run left. `settings` and `store` must outlive it. */
enum aibox_status backup_open(struct settings *settings, struct store *store, const char *data_dir, struct backup **out,
                              struct aibox_error *err);
/* Breaks off what is running. NULL is allowed. */
void backup_close(struct backup *backup);

enum backup_state { BACKUP_NONE, BACKUP_RUNNING, BACKUP_READY, BACKUP_FAILED };
extern const char *const backup_state_names[]; /* wire words */

struct backup_status {
    enum backup_state state;
    char id[ID_ULID_SIZE]; /* of the one made last; "" in NONE */
    bool with_events;
    int64_t created_ms;       /* when it was asked for */
    double done;              /* 0..1 */
    uint64_t size;            /* READY: bytes of the file */
    struct aibox_error error; /* FAILED: why */
};
void backup_status_get(struct backup *backup, struct backup_status *out);

/* Begins to make one; the last one is deleted. PARAM naming `password` when it is too short or too long;
 * TOO_MANY_REQUESTS while one is being made. */
enum aibox_status backup_start(struct backup *backup, const char *password, bool with_events, struct backup_status *out,
                               struct aibox_error *err);
/* A descriptor of the READY file, for the caller to close: it can be read to its end whatever happens to the backup.
 * NOT_FOUND: there is none of that id. */
enum aibox_status backup_file(struct backup *backup, const char *id, int *fd, uint64_t *size, struct aibox_error *err);
/* Breaks off what is running, deletes backup and uploaded file: they hold people. NULL is allowed. */
void backup_clear(struct backup *backup);

/* ---- restoring --------------------------------------------------------------------------------------------- */

/* What a backup says of itself. */
struct backup_contents {
    int64_t created_ms;
    char box_name[65];
    char version[32]; /* of the program that made it */
    uint64_t people, events;
    bool with_events;
};

/* Takes file `path`, which holds a backup from `offset` on, by renaming it. */
enum aibox_status backup_restore_take(struct backup *backup, const char *path, uint64_t offset, char id[ID_ULID_SIZE],
                                      struct aibox_error *err);
/* NOT_FOUND: nothing uploaded of that id. PARAM: wrong password (naming it), no backup, damaged. PROCESS_FAILED: too
 * little room on the disk, with figures. `accounts`: also accounts, API keys and audit log. */
enum aibox_status backup_restore(struct backup *backup, const char *id, const char *password, bool confirm,
                                 bool accounts, struct backup_contents *contents, struct aibox_error *err);

#endif
