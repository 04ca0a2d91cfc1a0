/* Putting copies in the place of the store's files. */
#ifndef AIBOX_STORE_RESTORE_H
#define AIBOX_STORE_RESTORE_H

#include "store/internal.h"

/* Does what store_restore_prepare() asked for, or finishes it where it was interrupted. Before anything is opened; the
 * folder is locked. A copy that can't be used is no error. */
enum aibox_status restore_finish(struct store *store, struct aibox_error *err);

#endif
