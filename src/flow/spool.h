/* A file without a name for what has to be put aside: memory it does not take, and nobody finds it afterwards. */
#ifndef AIBOX_FLOW_SPOOL_H
#define AIBOX_FLOW_SPOOL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/status.h"

struct spool {
    FILE *file;
    uint64_t size;
};

enum aibox_status spool_open(const char *folder, struct spool *out, struct aibox_error *err);
void spool_close(struct spool *spool);
/* PROCESS_FAILED: the disk is full. */
enum aibox_status spool_add(struct spool *spool, const void *bytes, size_t size, struct aibox_error *err);
/* From the beginning. `each` takes pieces; its failure ends it. Nothing can be added afterwards. */
enum aibox_status spool_read(struct spool *spool,
                             enum aibox_status (*each)(void *ctx, const void *bytes, size_t size,
                                                       struct aibox_error *err),
                             void *ctx, struct aibox_error *err);

#endif
