/*
 * Model sets: which one the box recognises with, and the way to another one, while recognition goes on.
 *
 * In the models folder lies the shipped set ("shipped"), and others in folders of their own. One is in force. A thread
 * of low priority embeds all enrolled faces from their photos with the set that is wanted, beside everything else, and
 * then changes over in one step (flow/generation.h):
 *
 *          prepare(),             all done             switch()
 *   IDLE ───switch()──► PREPARING ─────────► READY ──────────► SWITCHING ──► IDLE
 *     ▲                 │  ▲                  │ ▲                   │
 *     │          pause()▼  │prepare()         │ └──── it fails ─────┘
 *     ├──cancel()──── PAUSED                  │
 *     ├──cancel()─────────────────────────────┘
 *     └──cancel()──── FAILED (from PREPARING: the set can't be used) ── prepare() ──► PREPARING
 *
 * The features of the set before are kept, and those of faces that are enrolled later are made, so that the way back
 * takes a moment; model_sets_drop() deletes them, or recognition.keep_model_set_days, or the next change. What is
 * wanted, and which set is in force, survives a restart: the latter is written down when the wanted set is complete,
 * just before it is taken.
 *
 * In IDLE, faces that lack a feature of the set in force (its files were changed in place) are embedded in the same
 * way.
 *
 * All functions but open and close: any thread.
 */
#ifndef AIBOX_FLOW_MODEL_SETS_H
#define AIBOX_FLOW_MODEL_SETS_H

#include "flow/flow.h"

#define MODEL_SET_SHIPPED "shipped" /* name of the set that lies in the models folder itself */
#define MODEL_SET_NAME    65        /* bytes of a name with its end: that of a folder */

enum model_sets_state {
    MODEL_SETS_IDLE,
    MODEL_SETS_PREPARING,
    MODEL_SETS_PAUSED,
    MODEL_SETS_READY,
    MODEL_SETS_SWITCHING,
    MODEL_SETS_FAILED
};
extern const char *const model_sets_state_names[]; /* wire words */

struct model_sets_status {
    char active[MODEL_SET_NAME];
    char wanted[MODEL_SET_NAME];   /* "": none but the active one */
    char previous[MODEL_SET_NAME]; /* whose features are kept for the way back; "": none */
    int64_t switched_ms;           /* Unix time of the last change; 0: never */
    enum model_sets_state state;
    size_t faces; /* that lacked a feature when the work began */
    size_t done, without_photo, failed;
    bool switch_when_ready;
    char reason[512]; /* of FAILED, or why a change did not come about */
};
void model_sets_get(struct flow *flow, struct model_sets_status *out);

struct model_set_entry {
    char name[MODEL_SET_NAME];
    char model_set[VISION_MODEL_SET]; /* id; "" when unusable */
    char reason[512];                 /* why its manifest can't be used, or "" */
    size_t features;                  /* stored */
    size_t people, lacking;           /* people known with the set in force; those who would not be with this one */
};
#define MODEL_SETS_MAX 32
/* The shipped one first, then the folders by name, MODEL_SETS_MAX at most; the files' hashes are not checked. */
enum aibox_status model_sets_list(struct flow *flow, struct model_set_entry out[MODEL_SETS_MAX], size_t *count,
                                  struct aibox_error *err);

/* These: NOT_FOUND when there is no such set, PARAM when it can't be done with that set now. */

/* Begins, or goes on after pause() or a failure. The set is loaded and checked first: PROCESS_FAILED says what is wrong
 * with it. */
enum aibox_status model_sets_prepare(struct flow *flow, const char *name, struct aibox_error *err);
enum aibox_status model_sets_pause(struct flow *flow, const char *name, struct aibox_error *err);
/* What was embedded so far stays until model_sets_drop(). */
enum aibox_status model_sets_cancel(struct flow *flow, const char *name, struct aibox_error *err);
/*
 * Changes over as soon as the set is ready, and prepares it before; waits for that up to `wait_ms`: *switched. When
 * people known now would not be known with it (store_people_lacking) and `allow_missing` is false, it is not changed:
 * PARAM naming their number, or `reason` when that turns out after the return.
 */
enum aibox_status model_sets_switch(struct flow *flow, const char *name, bool allow_missing, int64_t wait_ms,
                                    bool *switched, struct aibox_error *err);
/* Deletes the stored features of a set, but those of faces that have none of the set in force. */
enum aibox_status model_sets_drop(struct flow *flow, const char *name, size_t *dropped, struct aibox_error *err);

/* Somebody who is known with the set in force, and would not be with another. */
struct model_set_missing {
    struct store_person person;
    bool has_photo; /* no face is found in it, or it was not looked at yet */
};
#define MODEL_SETS_PAGE 200
/* At most `limit` (up to MODEL_SETS_PAGE) behind the first `skip`, in order of enrolment; out[] is freed by the caller,
 * person by person. */
enum aibox_status model_sets_missing(struct flow *flow, const char *name, size_t skip, size_t limit,
                                     struct model_set_missing *out, size_t *count, size_t *total,
                                     struct aibox_error *err);

/* ---- for flow.c ---- */

struct model_sets;

/* The folder of the set to start with, into `out`. Writes down what was decided. PROCESS_FAILED: path too long. */
enum aibox_status model_sets_choose(struct settings *settings, struct store *store, const char *models_dir, char *out,
                                    size_t size, struct aibox_error *err);
/* Starts the thread; flow->generations is open. */
enum aibox_status model_sets_open(struct flow *flow, const char *models_dir, struct model_sets **out,
                                  struct aibox_error *err);
void model_sets_close(struct model_sets *sets); /* NULL allowed */

#endif
