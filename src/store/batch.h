/* One transaction over both databases and what follows it. Writer thread only; invariants in writer.h. */
#ifndef AIBOX_STORE_BATCH_H
#define AIBOX_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/checkpointer.h"
#include "store/internal.h"
#include "store/labels.h"

enum note_kind { NOTE_PERSON, NOTE_GROUP_DROPPED, NOTE_PERMISSION_DROPPED, NOTE_PEOPLE_CLEARED, NOTE_STRANGER };

struct note {
    enum note_kind kind;
    int64_t value; /* person_id, label number or stranger_id */
};

/* A growing list of SHA-256 values. */
struct digests {
    uint8_t (*items)[SHA256_SIZE];
    size_t count, room;
};

/* Told after commits that added what it listens to. */
struct commit_listener {
    void (*heard)(void *ctx);
    void *ctx;
};

struct batch {
    struct store *store;
    struct sql main;
    struct sql pictures;
    struct checkpointer *checkpointer;
    struct store_listener listeners[STORE_LISTENERS]; /* model_set is owned; empty ones have no ctx */
    uint64_t listener_refusals;
    struct commit_listener events_listeners[STORE_EVENT_LISTENERS]; /* empty ones have no `heard` */
    struct commit_listener outbox_listeners[STORE_OUTBOX_LISTENERS];
    bool crowded; /* the disk's share can't be kept, and that was said */
    bool losing;  /* events are being dropped undelivered, and that was said */

    bool pictures_open; /* pictures.db is in a transaction */
    struct note *notes; /* what the listeners are to hear */
    size_t n_notes, notes_room;
    struct digests put;      /* pictures added by this batch */
    struct digests released; /* pictures that lost a name: deleted when nothing names them */
    size_t released_now;     /* the first so many were handled in the open pictures transaction */
    bool release_at_once;    /* callers wait until the released pictures are gone */
    bool labels_changed;
    bool deleted;                           /* rows were deleted: old copies are to leave the WAL soon */
    bool expired;                           /* events were dropped by retention: likewise, without hurry */
    int64_t event_bytes_added;              /* their pictures', and those of changes that were undone */
    size_t events_added;                    /* by this batch */
    int64_t newest_event;                   /* seq of the last of them */
    bool outbox_added;                      /* messages came into the outbox */
    int main_wal_pages, pictures_wal_pages; /* after the last commit */

    float features[STORE_MAX_FACES * STORE_DIMENSION]; /* for the listeners */
};

enum aibox_status batch_open(struct batch *batch, struct store *store, struct aibox_error *err);
void batch_close(struct batch *batch);

enum aibox_status batch_begin(struct batch *batch, struct aibox_error *err);
/* Runs one change in a savepoint. Afterwards batch_is_broken() tells whether SQLite undid the whole transaction. */
enum aibox_status batch_run(struct batch *batch, change_run run, void *arg, struct aibox_error *err);
bool batch_is_broken(const struct batch *batch);
/* Makes it durable, renews what is kept in memory, tells the listener. A failure leaves nothing behind. */
enum aibox_status batch_commit(struct batch *batch, struct aibox_error *err);
/* The part after a COMMIT: counters and label map are read again, the listener is told. */
void batch_renew(struct batch *batch);
/* Tells a listener a person's committed state. False: it could not be read, or was refused. */
bool batch_tell_person(struct batch *batch, const struct store_listener *listener, const struct label_map *labels,
                       int64_t person_id);
/* Tells those who listen to the outbox. */
void batch_tell_of_outbox(struct batch *batch);
void batch_abandon(struct batch *batch);
/* Deletes those released pictures that nothing names. Between batches. */
enum aibox_status batch_release_pictures(struct batch *batch, struct aibox_error *err);
/* The failure code of either database since the last call, SQLITE_OK: none. */
int batch_take_failure(struct batch *batch);

/* For changes. */
enum aibox_status batch_note(struct batch *batch, enum note_kind kind, int64_t value, struct aibox_error *err);
/* Stores bytes under their SHA-256; the same bytes twice are one picture. */
enum aibox_status batch_put_picture(struct batch *batch, const uint8_t sha256[SHA256_SIZE], const void *bytes,
                                    size_t size, struct aibox_error *err);
/* Names a stored picture. */
enum aibox_status batch_add_image(struct batch *batch, const uint8_t image_id[UUID_BYTES],
                                  const uint8_t sha256[SHA256_SIZE], bool of_event, size_t size,
                                  struct aibox_error *err);
/* Takes a name away (no error when it isn't there). */
enum aibox_status batch_drop_image(struct batch *batch, const uint8_t image_id[UUID_BYTES], struct aibox_error *err);
enum aibox_status batch_release(struct batch *batch, const uint8_t sha256[SHA256_SIZE], struct aibox_error *err);
/* The number of a model set, made when new. */
enum aibox_status batch_model_set(struct batch *batch, const char *name, int64_t *model_set_id,
                                  struct aibox_error *err);
/* The map of labels as of the last commit, or NULL while this batch has changed labels: then they are read from the
 * database. Valid until the batch ends. */
const struct label_map *batch_labels(struct batch *batch);

#endif
