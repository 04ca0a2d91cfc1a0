/* What the files behind report_config.h share. */
#ifndef AIBOX_FLOW_REPORT_CONFIG_INTERNAL_H
#define AIBOX_FLOW_REPORT_CONFIG_INTERNAL_H

#include <pthread.h>

#include "flow/report_config.h"

enum block { BLOCK_REALTIME, BLOCK_HISTORY, BLOCK_MONITOR, BLOCKS };

struct values {
    struct report_realtime realtime;
    struct report_history history;
    struct report_monitor monitor;
};

struct report_config {
    struct store *store;
    /* Held over storing and putting into force, so that both happen in the same order; readers don't take it. */
    pthread_mutex_t changing;
    void (*changed)(void *ctx); /* guarded by `changing`; NULL: nobody listens */
    void *changed_ctx;
    pthread_mutex_t mu; /* guards what follows; leaf */
    struct values values;
    struct report_platform *platform; /* owned; NULL: there is none */
};

/* A block as its document's text (freed by the caller), or NULL without memory. */
char *report_block_print(const struct values *values, enum block block);
/* False: the text can't be read; the block is half read then. */
bool report_block_parse(const char *text, struct values *values, enum block block);

/* Opening: what is kept of the last login. */
enum aibox_status report_platform_load(struct report_config *config, struct aibox_error *err);

#endif
