/*
 * Embedding enrolled faces anew, from their photos, with one model set. Private to the room; one thread at a time.
 */
#ifndef AIBOX_FLOW_REEMBED_H
#define AIBOX_FLOW_REEMBED_H

#include "flow/flow_internal.h"

enum reembed_outcome { REEMBED_DONE, REEMBED_WITHOUT_PHOTO, REEMBED_FAILED };

struct reembed {
    struct flow *flow;           /* not owned */
    const struct vision *vision; /* not owned; NULL: closed */
    struct vision_worker *worker;
    int64_t after; /* faces up to this row were looked at */
};

enum aibox_status reembed_open(struct reembed *reembed, struct flow *flow, const struct vision *vision, int64_t after,
                               struct aibox_error *err);
void reembed_close(struct reembed *reembed); /* also one that is closed */

/* Asked before each face; false: enough for now. `outcome` NULL, or what became of the one before. */
typedef bool (*reembed_go_on)(void *ctx, const enum reembed_outcome *outcome);

/* All faces behind `after` that lack a feature of the model set. *all false: it was interrupted. */
enum aibox_status reembed_work(struct reembed *reembed, reembed_go_on go_on, void *ctx, bool *all,
                               struct aibox_error *err);

#endif
