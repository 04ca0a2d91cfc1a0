/*
 * One import, led by the thread that called import_run(): it reads the photos out of the archive and hands them to
 * workers, who enrol. A few are under way at a time, each in a slot:
 *
 *   FREE ──take_slot()──► BUSY (a worker's) ──work()──► FINISHED ──collect()──► FREE
 *
 * Photos of one person are never under way side by side: they are done in their order, and the second finds the person
 * that the first has made.
 */
#include "flow/import.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/pool.h"
#include "flow/import_labels.h"
#include "flow/import_plan.h"
#include "vision/image.h"

#define MOST_SLOTS 64

enum slot_state { FREE, BUSY, FINISHED };

struct slot {
    struct import *import;
    enum slot_state state; /* guarded by import->mu */
    size_t item;
    struct import_task task;
    uint8_t *photo; /* NULL: none */
    size_t photo_size;
    enum import_outcome outcome;
    struct flow_duplicate duplicate;
    enum aibox_status status;
    struct aibox_error err;
};

struct import {
    const struct import_request *request;
    struct import_archive *archive;
    struct import_plan *plan;
    struct pool *pool;
    size_t n_slots;
    struct slot slots[MOST_SLOTS];
    pthread_mutex_t mu;
    pthread_cond_t finished;
};

/* ---- workers ----------------------------------------------------------------------------------------------- */

static void work(void *worker, void *arg)
{
    struct slot *slot = arg;
    struct import *import = slot->import;

    (void)worker;
    slot->status = import_person_enrol(import->request, &slot->task.person, slot->photo, slot->photo_size,
                                       &slot->outcome, &slot->duplicate, &slot->err);
    pthread_mutex_lock(&import->mu);
    slot->state = FINISHED;
    (void)pthread_cond_signal(&import->finished);
    pthread_mutex_unlock(&import->mu);
}

/* ---- results ----------------------------------------------------------------------------------------------- */

static enum aibox_status tell(const struct import *import, const struct slot *slot, struct aibox_error *err)
{
    const struct import_sink *sink = &import->request->sink;
    bool failed = slot->status != AIBOX_OK;
    struct import_result result = {.item = slot->item,
                                   .outcome = failed ? IMPORT_FAILED : slot->outcome,
                                   .file = slot->task.file,
                                   .identity_id = slot->task.person.identity_id,
                                   .status = slot->status,
                                   .message = failed ? slot->err.message : "",
                                   .duplicate = &slot->duplicate};

    return sink->result(sink->ctx, &result, err);
}

static void clean(struct slot *slot)
{
    import_task_free(&slot->task);
    free(slot->photo);
    slot->photo = NULL;
    slot->photo_size = 0;
}

/* Tells what has been finished. `all`: waits for everything that is under way. */
static enum aibox_status collect(struct import *import, bool all, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < import->n_slots; i++) {
        struct slot *slot = &import->slots[i];
        bool finished;

        pthread_mutex_lock(&import->mu);
        while (all && slot->state == BUSY)
            (void)pthread_cond_wait(&import->finished, &import->mu);
        finished = slot->state == FINISHED;
        pthread_mutex_unlock(&import->mu);
        if (!finished)
            continue;
        if (status == AIBOX_OK)
            status = tell(import, slot, err);
        clean(slot);
        pthread_mutex_lock(&import->mu);
        slot->state = FREE;
        pthread_mutex_unlock(&import->mu);
    }
    return status;
}

/* With the lock held: a free slot, NULL while there is none or something of the same person is under way. */
static struct slot *find_slot(struct import *import, size_t item)
{
    struct slot *found = NULL;
    size_t person = import_plan_person(import->plan, item);

    for (size_t i = 0; i < import->n_slots; i++) {
        struct slot *slot = &import->slots[i];

        if (slot->state == BUSY && import_plan_person(import->plan, slot->item) == person)
            return NULL;
        if (slot->state == FREE)
            found = slot;
    }
    return found;
}

static bool any_finished(const struct import *import)
{
    for (size_t i = 0; i < import->n_slots; i++)
        if (import->slots[i].state == FINISHED)
            return true;
    return false;
}

static enum aibox_status take_slot(struct import *import, size_t item, struct slot **out, struct aibox_error *err)
{
    enum aibox_status status;

    for (*out = NULL; !*out;) {
        status = collect(import, false, err);
        if (status != AIBOX_OK)
            return status;
        pthread_mutex_lock(&import->mu);
        *out = find_slot(import, item);
        if (!*out && !any_finished(import))
            (void)pthread_cond_wait(&import->finished, &import->mu);
        pthread_mutex_unlock(&import->mu);
    }
    return AIBOX_OK;
}

/* ---- items ------------------------------------------------------------------------------------------------- */

static enum aibox_status load(struct import *import, struct slot *slot)
{
    enum aibox_status status = import_plan_task(import->plan, slot->item, &slot->task, &slot->err);

    if (status == AIBOX_OK && slot->task.has_entry)
        status = import_archive_read(import->archive, slot->task.entry, IMAGE_MAX_BYTES, &slot->photo,
                                     &slot->photo_size, &slot->err);
    if (status == AIBOX_OK && slot->task.has_entry && slot->photo_size == 0)
        status = error_set(&slot->err, AIBOX_IMAGE, "the picture is empty");
    return status;
}

static enum aibox_status do_item(struct import *import, size_t item, struct aibox_error *err)
{
    struct slot *slot;
    enum aibox_status status = take_slot(import, item, &slot, err);

    if (status != AIBOX_OK)
        return status;
    slot->item = item;
    slot->err.message[0] = '\0';
    slot->duplicate.found = false;
    slot->status = load(import, slot);
    if (slot->status != AIBOX_OK) {
        status = tell(import, slot, err);
        clean(slot);
        return status;
    }
    pthread_mutex_lock(&import->mu);
    slot->state = BUSY;
    pthread_mutex_unlock(&import->mu);
    status = pool_submit(import->pool, POOL_BULK, -1, work, slot, err);
    if (status != AIBOX_OK) {
        pthread_mutex_lock(&import->mu);
        slot->state = FREE;
        pthread_mutex_unlock(&import->mu);
        clean(slot);
    }
    return status;
}

static enum aibox_status do_items(struct import *import, struct aibox_error *err)
{
    const struct import_request *request = import->request;
    const struct import_sink *sink = &request->sink;
    size_t total = import_plan_count(import->plan);
    enum aibox_status left, status = sink->begin(sink->ctx, total, import_plan_ignored(import->plan), err);

    for (size_t item = 0; item < total && status == AIBOX_OK && !atomic_load(request->stop); item++)
        if (sink->wanted(sink->ctx, item))
            status = do_item(import, item, err);
    left = collect(import, true, status == AIBOX_OK ? err : NULL);
    return status == AIBOX_OK ? left : status;
}

/* ---- the whole --------------------------------------------------------------------------------------------- */

static enum aibox_status open_workers(struct import *import, struct aibox_error *err)
{
    size_t wanted = import->request->in_flight;
    struct pool_options options = {.name = "import", .queue_max = {[POOL_BULK] = MOST_SLOTS}};

    import->n_slots = wanted < 1 ? 1 : wanted > MOST_SLOTS ? MOST_SLOTS : wanted;
    options.threads = import->n_slots;
    for (size_t i = 0; i < import->n_slots; i++)
        import->slots[i].import = import;
    return pool_open(&options, &import->pool, err);
}

enum aibox_status import_run(const struct import_request *request, struct aibox_error *err)
{
    struct import *import = calloc(1, sizeof *import);
    enum aibox_status status;

    if (!import)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    import->request = request;
    if (pthread_mutex_init(&import->mu, NULL) != 0) {
        free(import);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    if (pthread_cond_init(&import->finished, NULL) != 0) {
        (void)pthread_mutex_destroy(&import->mu);
        free(import);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    status = import_archive_open(request->path, request->offset, request->size, &import->archive, err);
    if (status == AIBOX_OK)
        status = import_plan_make(import->archive, request->stop, &import->plan, err);
    if (status == AIBOX_OK && !atomic_load(request->stop)) { /* else the plan may end early */
        status = import_labels_create(import->archive, request->store, &request->options, err);
        if (status == AIBOX_OK)
            status = open_workers(import, err);
        if (status == AIBOX_OK)
            status = do_items(import, err);
    }
    pool_close(import->pool);
    import_plan_free(import->plan);
    import_archive_close(import->archive);
    (void)pthread_cond_destroy(&import->finished);
    (void)pthread_mutex_destroy(&import->mu);
    free(import);
    return status;
}

enum aibox_status import_check(const char *path, uint64_t offset, uint64_t size, struct aibox_error *err)
{
    struct import_archive *archive;
    enum aibox_status status = import_archive_open(path, offset, size, &archive, err);

    if (status == AIBOX_OK)
        import_archive_close(archive);
    return status;
}
