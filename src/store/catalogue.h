/*
 * The events in memory, as far as lists need them: 32 bytes an event and each distinct text once. A list is found by
 * walking these instead of the database: which events, in which order, and how many in all, whatever is asked for. What
 * the events hold is then read by their numbers.
 *
 * It is filled from the database by the writer thread, in steps between changes, and follows each commit from then on.
 * Where it can't (too many events, no memory) it gives up, and lists are found by SQL, as they are until it is filled.
 */
#ifndef AIBOX_STORE_CATALOGUE_H
#define AIBOX_STORE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/sql.h"
#include "store/store.h"

#define CATALOGUE_MOST 4000000 /* events: about 130 MB */

struct catalogue;

struct catalogue_event {
    int64_t seq, timestamp_ms;
    const char *identity_name, *group_name, *room, *device_id, *ep_id, *reason;
    int person_type;
    float score; /* NAN where there is none */
};

/* NULL: out of memory. */
struct catalogue *catalogue_open(void);
void catalogue_close(struct catalogue *catalogue); /* NULL allowed */

/* ---- writer thread ---- */

/* What a transaction changes: noted one by one (texts stay valid until applied), made undone back to the first `n` when
 * a change is undone, in force when it was committed. A failure makes the catalogue give up when it is applied. */
void catalogue_note_added(struct catalogue *catalogue, const struct catalogue_event *event);
void catalogue_note_dropped(struct catalogue *catalogue, int64_t seq, int64_t timestamp_ms);
size_t catalogue_noted(const struct catalogue *catalogue);
void catalogue_forget(struct catalogue *catalogue, size_t n);
void catalogue_apply(struct catalogue *catalogue);
/* All events are gone, committed. */
void catalogue_clear(struct catalogue *catalogue);

bool catalogue_is_filling(const struct catalogue *catalogue);
/* Reads the next few thousand events. Between transactions. */
void catalogue_fill(struct catalogue *catalogue, struct sql *sql);

/* ---- any thread ---- */

/*
 * The events that `query` asks for: *n numbers (room for query->limit) in its order, and how many pass in *total. They
 * may be gone when they are read. False: the catalogue can't tell (not filled, or a query for one person or for
 * strangers, for whom the database has indexes).
 */
bool catalogue_find(struct catalogue *catalogue, const struct store_event_query *query, int64_t *seqs, size_t *n,
                    size_t *total);

#endif
