#include "store/batch.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "store/catalogue.h"
#include "store/stranger.h"
#include "store/template.h"

#define MAIN_CACHE_KIB     4096
#define PICTURES_CACHE_KIB 1024

static bool digests_add(struct digests *digests, const uint8_t sha256[SHA256_SIZE])
{
    if (digests->count == digests->room) {
        size_t room = digests->room ? digests->room * 2 : 16;
        void *items = reallocarray(digests->items, room, SHA256_SIZE);
        if (!items)
            return false;
        digests->items = items;
        digests->room = room;
    }
    memcpy(digests->items[digests->count++], sha256, SHA256_SIZE);
    return true;
}

static void digests_drop_first(struct digests *digests, size_t n)
{
    if (n == 0)
        return;
    memmove(digests->items, digests->items + n, (digests->count - n) * SHA256_SIZE);
    digests->count -= n;
    if (digests->count == 0 && digests->room > 1024) { /* after a big delete */
        free(digests->items);
        *digests = (struct digests){0};
    }
}

static int remember_wal_pages(void *pages, sqlite3 *db, const char *name, int count)
{
    (void)db;
    (void)name;
    *(int *)pages = count;
    return SQLITE_OK;
}

enum aibox_status batch_open(struct batch *batch, struct store *store, struct aibox_error *err)
{
    *batch = (struct batch){.store = store};
    enum aibox_status status = sql_open(&batch->main, store->main_path, SQL_WRITER, MAIN_CACHE_KIB, err);
    if (status == AIBOX_OK)
        status = sql_open(&batch->pictures, store->pictures_path, SQL_WRITER, PICTURES_CACHE_KIB, err);
    if (status == AIBOX_OK)
        status = checkpointer_open(store->main_path, store->pictures_path, &batch->checkpointer, err);
    if (status != AIBOX_OK) {
        batch_close(batch);
        return status;
    }
    batch->main.ring = store->ring;
    sqlite3_wal_hook(batch->main.db, remember_wal_pages, &batch->main_wal_pages);
    sqlite3_wal_hook(batch->pictures.db, remember_wal_pages, &batch->pictures_wal_pages);
    return AIBOX_OK;
}

void batch_close(struct batch *batch)
{
    checkpointer_close(batch->checkpointer);
    sql_close(&batch->main);
    sql_close(&batch->pictures);
    for (size_t i = 0; i < STORE_LISTENERS; i++)
        free((char *)batch->listeners[i].model_set);
    free(batch->notes);
    free(batch->put.items);
    free(batch->released.items);
}

static enum aibox_status begin_pictures(struct batch *batch, struct aibox_error *err)
{
    if (batch->pictures_open)
        return AIBOX_OK;
    enum aibox_status status = sql_exec(&batch->pictures, "BEGIN IMMEDIATE", err);
    batch->pictures_open = status == AIBOX_OK;
    return status;
}

static void rollback(struct sql *sql)
{
    /* SQLite itself rolls back after some failures; a second one would be an error. */
    if (!sqlite3_get_autocommit(sql->db))
        (void)sql_exec(sql, "ROLLBACK", NULL);
}

/* Deletes what nothing names, judged by the last commit: `main` must have changed nothing yet. */
static enum aibox_status delete_released(struct batch *batch, struct aibox_error *err)
{
    enum aibox_status status = begin_pictures(batch, err);
    size_t n = batch->released.count;

    for (size_t i = 0; status == AIBOX_OK && i < n; i++) {
        struct sql_value sha256 = sql_blob(batch->released.items[i], SHA256_SIZE);
        int64_t one;
        bool named;
        status = sql_get(&batch->main, "SELECT 1 FROM image WHERE sha256 = ?", &one, &named, err, sha256);
        if (status == AIBOX_OK && !named)
            status = sql_run(&batch->pictures, "DELETE FROM picture WHERE sha256 = ?", err, sha256);
    }
    batch->released_now = status == AIBOX_OK ? n : 0;
    return status;
}

static enum aibox_status commit_pictures(struct batch *batch, struct aibox_error *err)
{
    if (!batch->pictures_open)
        return AIBOX_OK;
    enum aibox_status status = sql_exec(&batch->pictures, "COMMIT", err);
    if (status != AIBOX_OK)
        return status;
    batch->pictures_open = false;
    digests_drop_first(&batch->released, batch->released_now);
    batch->released_now = 0;
    return AIBOX_OK;
}

static void abandon_pictures(struct batch *batch)
{
    if (batch->pictures_open)
        rollback(&batch->pictures);
    batch->pictures_open = false;
    batch->released_now = 0;
}

enum aibox_status batch_release_pictures(struct batch *batch, struct aibox_error *err)
{
    if (batch->released.count == 0)
        return AIBOX_OK;
    enum aibox_status status = delete_released(batch, err);
    if (status == AIBOX_OK)
        status = commit_pictures(batch, err);
    if (status != AIBOX_OK)
        abandon_pictures(batch);
    return status;
}

enum aibox_status batch_begin(struct batch *batch, struct aibox_error *err)
{
    batch->n_notes = 0;
    batch->put.count = 0;
    batch->release_at_once = false;
    batch->labels_changed = false;
    batch->deleted = false;
    batch->expired = false;
    batch->events_added = 0;
    batch->event_bytes_added = 0;
    batch->outbox_added = false;
    catalogue_forget(batch->store->catalogue, 0);
    enum aibox_status status = sql_exec(&batch->main, "BEGIN IMMEDIATE", err);
    if (status == AIBOX_OK && batch->released.count > 0)
        status = delete_released(batch, err);
    if (status != AIBOX_OK)
        batch_abandon(batch);
    return status;
}

bool batch_is_broken(const struct batch *batch)
{
    return sqlite3_get_autocommit(batch->main.db) ||
           (batch->pictures_open && sqlite3_get_autocommit(batch->pictures.db));
}

/* Pictures added by an undone change: nothing names them, unless an equal one of another change does. */
static void release_put(struct batch *batch, size_t from)
{
    for (size_t i = from; i < batch->put.count; i++)
        if (!digests_add(&batch->released, batch->put.items[i]))
            log_warn("store", "a picture is left to the sweep reason=\"out of memory\"");
    if (batch->put.count > from)
        batch->release_at_once = true;
    batch->put.count = from;
}

enum aibox_status batch_run(struct batch *batch, change_run run, void *arg, struct aibox_error *err)
{
    size_t notes = batch->n_notes, noted = catalogue_noted(batch->store->catalogue);
    size_t put = batch->put.count;
    enum aibox_status status = sql_exec(&batch->main, "SAVEPOINT change", err);

    if (status != AIBOX_OK)
        return status;
    status = run(batch, arg, err);
    if (status == AIBOX_OK)
        status = sql_exec(&batch->main, "RELEASE change", err);
    if (status != AIBOX_OK) {
        batch->n_notes = notes;
        catalogue_forget(batch->store->catalogue, noted);
        release_put(batch, put);
        if (!sqlite3_get_autocommit(batch->main.db)) {
            (void)sql_exec(&batch->main, "ROLLBACK TO change", NULL);
            (void)sql_exec(&batch->main, "RELEASE change", NULL);
        }
    }
    return status;
}

void batch_abandon(struct batch *batch)
{
    rollback(&batch->main);
    abandon_pictures(batch);
}

bool batch_tell_person(struct batch *batch, const struct store_listener *listener, const struct label_map *labels,
                       int64_t person_id)
{
    struct person_template person;

    if (!listener->person)
        return true;
    if (template_load(&batch->main, labels, listener->model_set, person_id, batch->features, &person, NULL) != AIBOX_OK)
        return false;
    return listener->person(listener->ctx, &person.state);
}

static bool tell_stranger(struct batch *batch, const struct store_listener *listener, int64_t stranger_id)
{
    bool there;

    if (!listener->stranger)
        return true;
    if (stranger_feature(batch, stranger_id, listener->model_set, batch->features, &there, NULL) != AIBOX_OK)
        return false;
    return listener->stranger(listener->ctx, stranger_id, there ? batch->features : NULL);
}

static bool tell_one(struct batch *batch, const struct store_listener *listener, const struct note *note,
                     const struct label_map *labels)
{
    switch (note->kind) {
    case NOTE_GROUP_DROPPED:
        if (listener->group_dropped)
            listener->group_dropped(listener->ctx, (unsigned)note->value);
        return true;
    case NOTE_PERMISSION_DROPPED:
        if (listener->permission_dropped)
            listener->permission_dropped(listener->ctx, (unsigned)note->value);
        return true;
    case NOTE_PEOPLE_CLEARED:
        if (listener->people_cleared)
            listener->people_cleared(listener->ctx);
        return true;
    case NOTE_STRANGER:
        return tell_stranger(batch, listener, note->value);
    case NOTE_PERSON:
        break;
    }
    return batch_tell_person(batch, listener, labels, note->value);
}

static void tell_all(struct batch *batch, const struct store_listener *listener, const struct label_map *labels)
{
    for (size_t i = 0; i < batch->n_notes; i++) {
        const struct note *note = &batch->notes[i];
        /* The state told is that of the commit: of equal neighbours one is enough. */
        if (i + 1 < batch->n_notes && note[1].kind == note->kind && note[1].value == note->value)
            continue;
        if (!tell_one(batch, listener, note, labels)) {
            batch->listener_refusals++;
            log_error("store", "the gallery did not take a change kind=%d value=%lld refusals=%llu", (int)note->kind,
                      (long long)note->value, (unsigned long long)batch->listener_refusals);
        }
    }
}

static void tell_listeners(struct batch *batch)
{
    struct label_map *labels = label_map_take(batch->store->labels);

    for (size_t i = 0; i < STORE_LISTENERS; i++)
        if (batch->listeners[i].ctx)
            tell_all(batch, &batch->listeners[i], labels);
    batch->n_notes = 0;
    label_map_drop(labels);
}

void batch_renew(struct batch *batch)
{
    if (store_counters_load(batch->store, &batch->main, NULL) != AIBOX_OK)
        log_error("store", "counters could not be read after a commit");
    if (batch->labels_changed && label_slot_load(batch->store->labels, &batch->main, NULL) != AIBOX_OK)
        log_error("store", "groups could not be read after a commit");
    batch->labels_changed = false;
    tell_listeners(batch);
}

static void tell(const struct commit_listener *listeners, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (listeners[i].heard)
            listeners[i].heard(listeners[i].ctx);
}

static void tell_of_events(struct batch *batch)
{
    if (batch->events_added == 0)
        return;
    atomic_store(&batch->store->newest_event, batch->newest_event);
    tell(batch->events_listeners, STORE_EVENT_LISTENERS);
}

void batch_tell_of_outbox(struct batch *batch)
{
    if (batch->outbox_added)
        tell(batch->outbox_listeners, STORE_OUTBOX_LISTENERS);
    batch->outbox_added = false;
}

enum aibox_status batch_commit(struct batch *batch, struct aibox_error *err)
{
    enum aibox_status status = commit_pictures(batch, err);

    if (status == AIBOX_OK)
        status = sql_exec(&batch->main, "COMMIT", err);
    if (status != AIBOX_OK) {
        batch_abandon(batch);
        release_put(batch, 0);
        batch->n_notes = 0;
        return status;
    }

    /* Durable from here on: what fails below is said, and put right by the next commit or the next start. */
    catalogue_apply(batch->store->catalogue);
    batch_renew(batch);
    tell_of_events(batch);
    batch_tell_of_outbox(batch);
    if (batch->release_at_once && batch_release_pictures(batch, NULL) != AIBOX_OK)
        log_warn("store", "deleted pictures remain until the next change count=%zu", batch->released.count);
    return AIBOX_OK;
}

int batch_take_failure(struct batch *batch)
{
    int failure = checkpointer_take_failure(batch->checkpointer);

    if (failure == SQLITE_OK)
        failure = batch->main.failure != SQLITE_OK ? batch->main.failure : batch->pictures.failure;
    batch->main.failure = SQLITE_OK;
    batch->pictures.failure = SQLITE_OK;
    return failure;
}

/* ---- for changes ------------------------------------------------------------------------------- */

enum aibox_status batch_note(struct batch *batch, enum note_kind kind, int64_t value, struct aibox_error *err)
{
    if (batch->n_notes == batch->notes_room) {
        size_t room = batch->notes_room ? batch->notes_room * 2 : 64;
        struct note *notes = reallocarray(batch->notes, room, sizeof *notes);
        if (!notes)
            return out_of_memory(err);
        batch->notes = notes;
        batch->notes_room = room;
    }
    batch->notes[batch->n_notes++] = (struct note){kind, value};
    return AIBOX_OK;
}

enum aibox_status batch_put_picture(struct batch *batch, const uint8_t sha256[SHA256_SIZE], const void *bytes,
                                    size_t size, struct aibox_error *err)
{
    enum aibox_status status = begin_pictures(batch, err);

    if (status == AIBOX_OK)
        status = sql_run(&batch->pictures,
                         "INSERT INTO picture (sha256, bytes) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING", err,
                         sql_blob(sha256, SHA256_SIZE), sql_blob(bytes, size));
    if (status == AIBOX_OK && sqlite3_changes(batch->pictures.db) > 0 && !digests_add(&batch->put, sha256))
        status = out_of_memory(err);
    return status;
}

enum aibox_status batch_add_image(struct batch *batch, const uint8_t image_id[UUID_BYTES],
                                  const uint8_t sha256[SHA256_SIZE], bool of_event, size_t size,
                                  struct aibox_error *err)
{
    batch->event_bytes_added += of_event ? (int64_t)size : 0;
    return sql_run(&batch->main, "INSERT INTO image (image_id, sha256, kind, size) VALUES (?, ?, ?, ?)", err,
                   sql_blob(image_id, UUID_BYTES), sql_blob(sha256, SHA256_SIZE), sql_int(of_event),
                   sql_int((int64_t)size));
}

enum aibox_status batch_release(struct batch *batch, const uint8_t sha256[SHA256_SIZE], struct aibox_error *err)
{
    return digests_add(&batch->released, sha256) ? AIBOX_OK : out_of_memory(err);
}

enum aibox_status batch_drop_image(struct batch *batch, const uint8_t image_id[UUID_BYTES], struct aibox_error *err)
{
    struct sql_value id = sql_blob(image_id, UUID_BYTES);
    sqlite3_stmt *stmt = sql_begin(&batch->main, "DELETE FROM image WHERE image_id = ? RETURNING sha256", err, id);
    bool row;

    if (!stmt)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = sql_step(&batch->main, stmt, &row, err);
    if (status == AIBOX_OK && row) {
        status = batch_release(batch, sqlite3_column_blob(stmt, 0), err);
        if (status == AIBOX_OK)
            status = sql_step(&batch->main, stmt, &row, err);
    }
    sql_end(stmt);
    return status;
}

enum aibox_status batch_model_set(struct batch *batch, const char *name, int64_t *model_set_id, struct aibox_error *err)
{
    bool found;
    enum aibox_status status = sql_get(&batch->main, "SELECT model_set_id FROM model_set WHERE name = ?", model_set_id,
                                       &found, err, sql_text(name));

    if (status != AIBOX_OK || found)
        return status;
    status = sql_run(&batch->main, "INSERT INTO model_set (name) VALUES (?)", err, sql_text(name));
    *model_set_id = sqlite3_last_insert_rowid(batch->main.db);
    return status;
}

const struct label_map *batch_labels(struct batch *batch)
{
    if (batch->labels_changed)
        return NULL;
    struct label_map *map = label_map_take(batch->store->labels);
    label_map_drop(map); /* the writer thread alone replaces it, so it lives on in the slot until this batch ends */
    return map;
}
