/* The registry: the inside of struct devices. */
#ifndef AIBOX_FLOW_DEVICES_INTERNAL_H
#define AIBOX_FLOW_DEVICES_INTERNAL_H

#include <pthread.h>

#include "flow/box_address.h"
#include "flow/device.h"

struct devices {
    struct settings *settings;
    struct store *store;
    char mac[BOX_MAC_SIZE];
    /* Held through a change, over the store's work, so that store and memory change in the same order. Nobody else
     * takes it; taken before `mu`. */
    pthread_mutex_t change_mu;
    struct devices_reporter reporter; /* guarded by change_mu; no functions: nobody */
    struct {
        devices_listener fn; /* NULL: a free place */
        void *ctx;
    } listeners[DEVICES_LISTENERS_MAX]; /* guarded by change_mu */
    pthread_mutex_t mu;                 /* leaf */
    struct device_node **nodes;         /* guarded by mu, written with change_mu held too; in the order of creation */
    size_t count;                       /* likewise */
};

/* ---- device_messages.c: what the outbox is told, with change_mu held ----------------------------------------- */

struct device_messages {
    struct store_messages list; /* owned */
};
/* About the devices that `device_at` finds at 0 to n - 1. */
enum aibox_status device_messages_make(const struct devices *devices, enum device_operation operation,
                                       const struct device *(*device_at)(const void *list, size_t i), const void *list,
                                       size_t n, struct device_messages *out, struct aibox_error *err);
void device_messages_free(struct device_messages *messages);

/* ---- devices_save.c: creating and changing, with change_mu held ------------------------------------------------ */

/* A device on its way into store and memory. */
struct draft {
    json_t *doc;             /* owned; first what was given, then the whole document */
    struct device_node *old; /* borrowed; NULL for a new device */
    struct device_node *node;
    char path[64]; /* for messages */
    char ftp_password[24];
};

/* Makes drafts of `dicts` and puts them into the store; not yet into memory. */
enum aibox_status drafts_save(struct devices *devices, const json_t *dicts, const char *field, bool create,
                              bool reset_ftp_password, struct draft **drafts, size_t *n, struct aibox_error *err);
void drafts_free(struct draft *drafts, size_t n);

#endif
