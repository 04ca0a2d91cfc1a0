/* Copies of everything that the store keeps, and the way back. */
#ifndef AIBOX_STORE_SNAPSHOT_H
#define AIBOX_STORE_SNAPSHOT_H

#include "store/store.h"

#define STORE_MAIN_FILE     "aibox.db"
#define STORE_PICTURES_FILE "pictures.db"

struct store_snapshot_options {
    const char *folder; /* where the two files are made; on the data folder's disk, readable by the box alone */
    bool with_events;
    int copies; /* that the disk must have room for, this one included */
    /* Called now and then, with shares of a whole; false: stop. May be NULL. */
    bool (*go_on)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};
/* Both databases as they are at one moment, each in a file of its own. What the store seals is sealed there, with the
 * key of the rows beside it in the open: the copy is for an encrypted backup, and to be deleted. The store goes on
 * working. On failure, PROCESS_FAILED, nothing is left in the folder. */
enum aibox_status store_snapshot(struct store *store, const struct store_snapshot_options *options,
                                 struct aibox_error *err);

#define STORE_RESTORE_FOLDER "restore"
/*
 * Says that the two files of such a copy, complete in folder STORE_RESTORE_FOLDER of the data folder, are to take the
 * place of the store's when it is opened next. What this box is stays: its settings of the platform's, of access (but
 * with `accounts`), of what it was told and has still to send. Copies that can't be used (newer, damaged) are thrown
 * away then, which is logged, and the store is opened as it was.
 */
enum aibox_status store_restore_prepare(struct store *store, bool accounts, struct aibox_error *err);

#endif
