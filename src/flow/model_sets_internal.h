/* What the thread of the model sets and those who call it share. Private to model_sets*.c. */
#ifndef AIBOX_FLOW_MODEL_SETS_INTERNAL_H
#define AIBOX_FLOW_MODEL_SETS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "flow/model_set_names.h"
#include "flow/reembed.h"

struct model_sets {
    struct flow *flow; /* not owned */
    char *models_dir;
    pthread_t thread;
    _Atomic bool stop; /* the box is closing: ends what takes long */

    /* The thread's. */
    struct vision *vision;       /* owned: of the set that is prepared; NULL: none */
    char target[MODEL_SET_NAME]; /* its name */
    struct reembed work;
    int64_t own_after, kept_after; /* faces up to these rows have features of the set in force, of the one before */
    bool counting;                 /* what the work does is progress */
    bool switching;                /* it is not to be interrupted */

    pthread_mutex_t deciding; /* one change of `names` at a time: held while it is written down, taken before mu */

    pthread_mutex_t mu;  /* guards what follows */
    pthread_cond_t wake; /* the thread */
    pthread_cond_t told; /* those who wait for a change of state */
    bool closing;
    bool interrupt; /* something else is wanted from the thread */
    bool renew;     /* a set is to be prepared from the start: features may have been dropped */
    struct model_set_names names;
    enum model_sets_state state;
    size_t faces, done, without_photo, failed;
    char reason[512];
    uint64_t refusals; /* changes that did not come about, `refusal` being the last one's status */
    enum aibox_status refusal;
};

/* With `deciding` held: writes the names down; from the return on they and the state count. The thread is woken. */
enum aibox_status model_sets_decide(struct model_sets *sets, const struct model_set_names *names,
                                    enum model_sets_state state, struct aibox_error *err);

/* model_sets_switch.c: the change itself, by the thread: the set that is prepared comes into force. The state is READY
 * before, IDLE or READY afterwards. */
void model_sets_change_over(struct model_sets *sets);
/* Whether the work is to go on (reembed_go_on; ctx: struct model_sets). */
bool model_sets_go_on(void *ctx, const enum reembed_outcome *outcome);
/* Deletes the features of a set that have others of the set in force beside them, in steps. */
enum aibox_status model_sets_drop_features(struct flow *flow, const char *model_set, const _Atomic bool *stop,
                                           size_t *dropped, struct aibox_error *err);

/* model_sets_calls.c: model_sets_drop(). */
enum aibox_status model_sets_forget(struct model_sets *sets, const char *name, size_t *dropped,
                                    struct aibox_error *err);

#endif
