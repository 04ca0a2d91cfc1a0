/* Dead commands within a batch. */
#ifndef AIBOX_STORE_DEAD_COMMAND_H
#define AIBOX_STORE_DEAD_COMMAND_H

#include "store/batch.h"
#include "store/commands.h"

/* Upkeep: takes the excerpts away that are STORE_DEAD_EXCERPT_DAYS old. */
enum aibox_status dead_command_expire(struct batch *batch, struct aibox_error *err);

#endif
