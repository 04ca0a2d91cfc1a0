/*
 * Who was here before, of those whom nobody knows: the faces of remembered strangers in memory, of one model set,
 * beside the gallery of the people and never mixed with it. It follows the store (store/strangers.h) in the order of
 * commits, like the gallery does.
 *
 * A face that is about to become an event is claimed first: for the stranger whom it resembles, or for a new number.
 * Claims that are not stored yet are compared with as well, so that two pictures of one new face that come at the same
 * moment get one number. Any thread, all of these.
 */
#ifndef AIBOX_FLOW_STRANGERS_H
#define AIBOX_FLOW_STRANGERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "gallery/gallery.h"
#include "store/store.h"

struct strangers;

/* Empty. */
enum aibox_status strangers_open(const char *model_set, struct strangers **out, struct aibox_error *err);
void strangers_close(struct strangers *strangers); /* NULL allowed; no claim is open */

/* What the store, which outlives this, holds of the model set; its listener waits meanwhile. */
enum aibox_status strangers_load(struct strangers *strangers, struct store *store, struct aibox_error *err);
/* Its model set is in force: strangers of others are forgotten, for nobody can be compared with them any more. Does
 * something once. Behind strangers_load(). */
enum aibox_status strangers_take_over(struct strangers *strangers, struct aibox_error *err);
/* The store's listener: one came, or is gone (`feature` NULL). False: no room or no memory. */
bool strangers_follow(struct strangers *strangers, int64_t stranger_id, const float *feature);

size_t strangers_count(const struct strangers *strangers);

/* From strangers_claim() to strangers_settle() it stays where it is, and `embedding` with it. */
struct strangers_claim {
    const float *embedding;
    int64_t stranger_id;
    bool may_be_new;
    struct strangers_claim *next;
};
/* Whose face (512 floats of any length) it is: the nearest stranger with a score of `threshold` or more, else a new
 * one. `mark` is for the event. False: the face is of no use, or nothing is loaded yet; nothing to settle. */
bool strangers_claim(struct strangers *strangers, const float *embedding, float threshold,
                     struct strangers_claim *claim, struct store_stranger_mark *mark);
/* The event is stored, or could not be. */
void strangers_settle(struct strangers *strangers, struct strangers_claim *claim);

/* The strangers whose score with a face is `threshold` or more, best first, at most `limit` (1..GALLERY_MAX_RESULTS)
 * into out[]; their number. 0 for a face of no use. */
size_t strangers_search(const struct strangers *strangers, const float *embedding, float threshold, size_t limit,
                        struct gallery_match *out);

#endif
