/* The count of events by time, kept by a trigger of the schema. For the writer thread. */
#ifndef AIBOX_STORE_TALLY_H
#define AIBOX_STORE_TALLY_H

#include "store/batch.h"

/* Within a batch: drops what is older than STORE_TALLY_DAYS. */
enum aibox_status tally_expire(struct batch *batch, struct aibox_error *err);

#endif
