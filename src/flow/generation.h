/*
 * Everything that belongs to one model set and changes with it: networks, the workers that run them, gallery,
 * rejections, remembered strangers and the calibration of scores. Embeddings of one generation are compared within it
 * and nowhere else.
 *
 * There is one *in force* (now), and while the box changes to another model set one that *comes* (next):
 *
 *     now A ──generations_announce(B)──► now A, next B ──generations_swap()──► now B; A goes on for those who use it
 *                                            └──generations_withdraw()──► now A
 *
 *   1. Who decides uses the generation that was in force at the start, to the end (generation_use … generation_done).
 *      Nobody waits for anybody there.
 *   2. Who enrols holds both. When generations_announce() has returned, every enrolment under way makes features for
 *      both, so that nobody who is enrolled around the swap is missed by either.
 *   3. A generation hears of changed people from generation_listen() until generation_close(), which is for when nobody
 *      uses it any more (generations_wait_unused).
 *
 * Private to the room.
 */
#ifndef AIBOX_FLOW_GENERATION_H
#define AIBOX_FLOW_GENERATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "flow/apart.h"
#include "flow/autothreshold.h"
#include "flow/strangers.h"
#include "gallery/gallery.h"
#include "store/store.h"
#include "vision/vision.h"

struct generation {
    struct vision *vision;
    struct gallery *gallery;
    struct autothreshold *autothreshold;
    struct apart *apart;
    struct strangers *strangers;
    struct vision_worker **workers; /* one for each thread of the pool */
    size_t n_workers;
    struct store *store; /* that it listens to; NULL: it doesn't */
    size_t users;        /* guarded by the mutex of struct generations */
};

/* Without workers and with an empty gallery. Takes `vision`, unless it fails. `capacity`: people at most. */
enum aibox_status generation_open(struct vision *vision, size_t capacity, size_t n_workers, struct generation **out,
                                  struct aibox_error *err);
/* The worker of one thread; threads may open theirs at the same time. */
enum aibox_status generation_open_worker(struct generation *generation, size_t index, struct aibox_error *err);
void generation_close(struct generation *generation); /* NULL allowed */

/* From the return on its gallery follows the store. */
enum aibox_status generation_listen(struct generation *generation, struct store *store, struct aibox_error *err);

/* At the start, before anything is changed: reads gallery and rejections. Ends early when *stop becomes true. */
enum aibox_status generation_load(struct generation *generation, struct store *store, const _Atomic bool *stop,
                                  struct aibox_error *err);
/* The same of one that listens, while people change, in small steps between the store's commits; and counts the scores
 * that its threshold comes from. *stop true: PROCESS_FAILED. */
enum aibox_status generation_catch_up(struct generation *generation, const _Atomic bool *stop, struct aibox_error *err);

/* ---- who uses which --------------------------------------------------------------------------- */

struct generations;

/* Takes the first one. NULL: no memory. */
struct generations *generations_new(struct generation *first);
/* Closes those in it. Nobody may use one any more. NULL allowed. */
void generations_free(struct generations *generations);

/* Any thread, all of these. */

/* The generation in force, until generation_done(). */
struct generation *generation_use(struct generations *generations);
/* One that is in use already, once more. */
struct generation *generation_use_again(struct generations *generations, struct generation *generation);
void generation_done(struct generations *generations, struct generation *generation); /* NULL allowed */

/* Both; `next` is NULL when none comes. */
struct generation_pair {
    struct generation *now, *next;
};
struct generation_pair generation_use_both(struct generations *generations);
void generation_both_done(struct generations *generations, struct generation_pair pair);

/* One thread at a time: these. */

/* `next` (open, with all its workers) comes; waits for what was begun without it. */
void generations_announce(struct generations *generations, struct generation *next);
/* It doesn't come after all; returns it when nobody uses it any more. */
struct generation *generations_withdraw(struct generations *generations);
/* What comes is in force from now on. Returns the one before, which may be in use still. */
struct generation *generations_swap(struct generations *generations);
void generations_wait_unused(struct generations *generations, const struct generation *generation);

#endif
