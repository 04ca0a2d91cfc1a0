/*
 * Strangers who are remembered: faces that nobody enrolled has, each under a number that says nothing else, so that
 * events of the same face can be told to be. What is kept of a stranger is one face (sealed as those of people are),
 * when it was first and last seen, how often, and in which of the events that are still there.
 *
 * A stranger comes with an event (store_event_add(), store_event.stranger), in its transaction. One goes when nobody
 * has seen it for the days that are set, when there are more than are allowed (the one not seen for longest), when the
 * event that its face is of is deleted on purpose, when that event is superseded, with a wipe, and by the calls below.
 * What is gone is overwritten in the file, and leaves the WAL within a second (half a minute when it expired).
 *
 * All functions: any thread.
 */
#ifndef AIBOX_STORE_STRANGERS_H
#define AIBOX_STORE_STRANGERS_H

#include "store/store.h"

#define STORE_MAX_STRANGERS 50000

struct store_stranger_rules {
    size_t keep;       /* strangers at most, up to STORE_MAX_STRANGERS; 0: none, those that there are go */
    unsigned days;     /* for which one is kept that is not seen again; at least 1 */
    int64_t absent_ms; /* seen again after less than that: the same visit; 0: each time is one */
};
/* In force for events that are added from now on; the rest of it with the next upkeep, within a minute. Until it is
 * called, nobody comes and nobody expires. */
void store_set_strangers(struct store *store, const struct store_stranger_rules *rules);

/* A number for a new stranger, never given before. */
int64_t store_stranger_reserve(struct store *store);

/* All of a model set, in no order, 512 floats valid during the call; stops when `each` returns false. `each` must not
 * call the store. */
enum aibox_status store_strangers_scan(struct store *store, const char *model_set,
                                       bool (*each)(void *ctx, int64_t stranger_id, const float *feature), void *ctx,
                                       struct aibox_error *err);

struct store_stranger {
    int64_t stranger_id;
    int64_t first_ms, last_ms; /* seen, Unix time */
    int64_t expires_ms;        /* when it is forgotten, unless seen before */
    int64_t visits, events;    /* `events`: of those that are still there */
    /* Of the newest event, "" without one. Valid during the call. */
    const char *event_id, *device_id;
    char face_id[37], spot_id[37]; /* its pictures, or "" */
};
struct store_stranger_query {
    int64_t stranger_id;    /* 0: any */
    int64_t visits_min;     /* 0: any */
    int64_t from_ms, to_ms; /* last seen, both inclusive; 0: open end */
    size_t skip, limit;     /* limit 1..1000 */
};
/* Last seen first. `total` (may be NULL): before skip and limit. `each` must not call the store. */
enum aibox_status store_stranger_list(struct store *store, const struct store_stranger_query *query,
                                      void (*each)(void *ctx, const struct store_stranger *stranger), void *ctx,
                                      size_t *total, struct aibox_error *err);
/* Where one was seen, by the events that are still there: devices by when they saw it last. `each` must not call the
 * store. */
enum aibox_status store_stranger_devices(struct store *store, int64_t stranger_id,
                                         void (*each)(void *ctx, const char *device_id, int64_t last_ms,
                                                      int64_t events),
                                         void *ctx, struct aibox_error *err);

/* All of these: durable at return, and the listener has been told. NOT_FOUND. */
enum aibox_status store_stranger_delete(struct store *store, int64_t stranger_id, struct aibox_error *err);
enum aibox_status store_strangers_delete_all(struct store *store, size_t *deleted, struct aibox_error *err);
/* Those whose face is of another model set: they can't be compared with anybody any more. */
enum aibox_status store_strangers_delete_others(struct store *store, const char *model_set, size_t *deleted,
                                                struct aibox_error *err);

#endif
