/* Wiping so that no bytes remain. */
#ifndef AIBOX_STORE_WIPE_H
#define AIBOX_STORE_WIPE_H

#include "store/internal.h"

/* Finishes a wipe that was interrupted after its rows were deleted and before their bytes were gone. At opening. */
enum aibox_status wipe_resume(struct store *store, struct aibox_error *err);

/* Deletes events and their pictures from copies of both databases that nobody else uses, and gives the space back. */
enum aibox_status wipe_copy(struct sql *main, struct sql *pictures, struct aibox_error *err);

/* Forgets the strangers of such a copy: what expires here must not live on in backups. */
enum aibox_status wipe_copy_strangers(struct sql *main, struct aibox_error *err);

#endif
