/*
 * Rejections at work: "this face is not that person" (store.h). A rejected face pushes its likes away from the person:
 * a probe that is nearer to the rejected face than to the person's template loses the difference,
 *
 *     score' = score - max(0, likeness to the nearest rejected face - score),
 *
 * and who is nearer to the template, the person above all, loses nothing.
 */
#ifndef AIBOX_FLOW_APART_H
#define AIBOX_FLOW_APART_H

#include "gallery/gallery.h"
#include "store/store.h"

struct apart;

struct apart *apart_new(void); /* NULL: no memory */
void apart_free(struct apart *apart);

/* Any thread, all of these. */

/* What the store holds from now on; after a failure everything is as before. */
enum aibox_status apart_load(struct apart *apart, struct store *store, const char *model_set, struct aibox_error *err);
/* A person is gone. */
void apart_forget(struct apart *apart, int64_t person_id);
void apart_clear(struct apart *apart);

bool apart_is_empty(struct apart *apart);

/* The score of a probe (512 floats of any length) with a person. */
float apart_score(struct apart *apart, const float *probe, int64_t person_id, float score);
/* Lowers the scores of a search and puts its results in order again. */
void apart_apply(struct apart *apart, const float *probe, struct gallery_result *result);

#endif
