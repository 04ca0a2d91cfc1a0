/* One device in memory: the inside of struct device. For the files of flow/devices. */
#ifndef AIBOX_FLOW_DEVICE_H
#define AIBOX_FLOW_DEVICE_H

#include <jansson.h>
#include <stdatomic.h>

#include "flow/devices.h"

/* What all snapshots of a device share. */
struct device_live {
    atomic_uint refs;
    _Atomic int64_t seen_ms;      /* Unix time; 0: never */
    _Atomic int64_t seen_mono_ms; /* the same on the monotonic clock */
    _Atomic uint64_t frames, faces, drops, reconnects;
};

struct device_node {
    struct device device; /* first: a snapshot handed out is the node */
    atomic_uint refs;
    json_t *doc; /* see device_dict.h; never changed; owns most texts */
    char *ip, *key_shown, *key_public;
    const char **groups, **permissions;
    struct device_live *live;
};

/* A new snapshot (one reference) of a checked document. Takes its own reference to `doc`, which must not change any
 * more. `live`: of the earlier snapshot, or NULL for a new device. NULL: out of memory. */
struct device_node *device_node_new(json_t *doc, struct device_live *live, int64_t created_ms);
/* While nobody else has it. False: out of memory. */
bool device_node_set_ep_name(struct device_node *node, const char *ep_name);
struct device_node *device_node_ref(struct device_node *node);

static inline const struct device_node *device_node_of(const struct device *device)
{
    return (const struct device_node *)device;
}

#endif
