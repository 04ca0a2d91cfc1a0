#include "store/writer.h"

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "store/batch.h"
#include "store/retention.h"
#include "store/upkeep.h"

#define BATCH_MAX_CHANGES 128
#define BATCH_MAX_MS      3 /* no further change joins a batch that is older */
#define RETENTION_SLACK   8 /* events dropped beyond those added, per batch */

/* A change on its caller's stack. */
struct change {
    change_run run;
    void *arg;
    enum change_kind kind;
    enum aibox_status status;
    struct aibox_error error;
    sem_t done;
    struct change *next;
};

struct writer {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t mu;
    pthread_cond_t not_empty, not_full;
    struct change *first, *last; /* queue, guarded by mu */
    size_t queued;               /* guarded by mu */
    bool stop, nudged;           /* guarded by mu */
    char reason[128];            /* guarded by mu; "": writable */

    atomic_uint_fast64_t commits, changes, failed_changes;

    struct batch batch;   /* writer thread only */
    struct upkeep upkeep; /* writer thread only */
};

/* Takes the next change if there is one. `shared_only`: leaves one that must run alone. */
static struct change *take(struct writer *writer, bool shared_only)
{
    struct change *change = NULL;

    pthread_mutex_lock(&writer->mu);
    if (writer->first && !(shared_only && writer->first->kind == CHANGE_ALONE)) {
        change = writer->first;
        writer->first = change->next;
        if (!writer->first)
            writer->last = NULL;
        change->next = NULL;
        writer->queued--;
        pthread_cond_signal(&writer->not_full);
    }
    pthread_mutex_unlock(&writer->mu);
    return change;
}

/* Notes whether the disk takes changes; said once when it fails and, after a probe, once when it is well again. */
static void judge_disk(struct writer *writer, bool probed)
{
    int failure = batch_take_failure(&writer->batch);
    bool failed = failure == SQLITE_FULL || failure == SQLITE_IOERR || failure == SQLITE_CANTOPEN ||
                  failure == SQLITE_READONLY || failure == SQLITE_CORRUPT || failure == SQLITE_NOTADB;
    bool was_failed;

    if (!failed && !probed)
        return;
    pthread_mutex_lock(&writer->mu);
    was_failed = writer->reason[0] != '\0';
    snprintf(writer->reason, sizeof writer->reason, "%s", failed ? sql_reason(failure) : "");
    pthread_mutex_unlock(&writer->mu);
    if (failed)
        upkeep_disk_failed(&writer->upkeep);
    if (failed && !was_failed)
        log_error("store", "changes can't be stored reason=\"%s\"", sql_reason(failure));
    if (!failed && was_failed)
        log_info("store", "changes can be stored again");
}

static void finish(struct writer *writer, struct change *change)
{
    atomic_fetch_add(change->status == AIBOX_OK ? &writer->changes : &writer->failed_changes, 1);
    sem_post(&change->done);
}

/* Retention rides along with the events that make it necessary; on its own failure it is undone alone. */
static enum aibox_status run_retention(struct batch *batch, void *arg, struct aibox_error *err)
{
    bool left;

    (void)arg;
    return retention_step(batch, batch->events_added + RETENTION_SLACK, &left, err);
}

/* Fails those of the list that had succeeded: the commit they relied on did not come about. */
static void fail_all(struct change *list, const struct aibox_error *err)
{
    for (struct change *change = list; change; change = change->next) {
        if (change->status == AIBOX_OK) {
            change->status = err->status;
            change->error = *err;
        }
    }
}

static void run_batch(struct writer *writer, struct change *change)
{
    struct batch *batch = &writer->batch;
    struct aibox_error err = {0};
    struct change *list = change, *tail = change;
    int64_t start_ms = clock_monotonic_ms();
    size_t n = 1;

    enum aibox_status status = batch_begin(batch, &err);
    while (status == AIBOX_OK && change) {
        change->status = batch_run(batch, change->run, change->arg, &change->error);
        if (batch_is_broken(batch)) {
            status = AIBOX_PROCESS_FAILED;
            err = change->error;
            err.status = status;
            break;
        }
        if (n == BATCH_MAX_CHANGES || clock_monotonic_ms() - start_ms >= BATCH_MAX_MS)
            break;
        change = take(writer, true);
        if (change) {
            tail->next = change;
            tail = change;
            n++;
        }
    }
    if (status == AIBOX_OK && batch->events_added > 0 && retention_is_due(batch))
        (void)batch_run(batch, run_retention, NULL, NULL);
    if (status == AIBOX_OK)
        status = batch_commit(batch, &err);
    else
        batch_abandon(batch);
    judge_disk(writer, false);
    if (status == AIBOX_OK)
        atomic_fetch_add(&writer->commits, 1);
    else
        fail_all(list, &err);

    while (list) {
        struct change *next = list->next; /* the caller's stack is gone after finish() */
        finish(writer, list);
        list = next;
    }
}

static void run_alone(struct writer *writer, struct change *change)
{
    change->status = change->run(&writer->batch, change->arg, &change->error);
    judge_disk(writer, false);
    finish(writer, change);
}

/* Waits for a change, doing upkeep meanwhile. False: told to stop, and the queue is empty. */
static bool wait_for_change(struct writer *writer)
{
    bool more;

    pthread_mutex_lock(&writer->mu);
    while (!writer->first && !writer->stop) {
        if (writer->nudged) {
            writer->nudged = false;
            writer->upkeep.retention_due_ms = 0;
        }
        int64_t wait_ms = upkeep_wait_ms(&writer->upkeep, &writer->batch);
        if (wait_ms > 0) {
            struct timespec deadline = clock_deadline(wait_ms);
            pthread_cond_timedwait(&writer->not_empty, &writer->mu, &deadline);
            continue;
        }
        pthread_mutex_unlock(&writer->mu);
        bool probed = upkeep_step(&writer->upkeep, &writer->batch);
        judge_disk(writer, probed);
        pthread_mutex_lock(&writer->mu);
    }
    more = writer->first != NULL;
    pthread_mutex_unlock(&writer->mu);
    return more;
}

static void *writer_main(void *arg)
{
    struct writer *writer = arg;

    pthread_setname_np(pthread_self(), "store-writer");
    while (wait_for_change(writer)) {
        struct change *change = take(writer, false);
        if (change->kind == CHANGE_ALONE)
            run_alone(writer, change);
        else
            run_batch(writer, change);
        upkeep_after_batch(&writer->upkeep, &writer->batch);
    }
    (void)batch_release_pictures(&writer->batch, NULL);
    (void)upkeep_truncate_wal(&writer->batch);
    return NULL;
}

enum aibox_status writer_open(struct store *store, struct writer **out, struct aibox_error *err)
{
    struct writer *writer = calloc(1, sizeof *writer);

    if (!writer)
        return out_of_memory(err);
    writer->store = store;
    enum aibox_status status = batch_open(&writer->batch, store, err);
    if (status == AIBOX_OK)
        status = store_counters_load(store, &writer->batch.main, err);
    if (status == AIBOX_OK)
        status = label_slot_load(store->labels, &writer->batch.main, err);
    if (status != AIBOX_OK)
        goto out_batch;
    upkeep_start(&writer->upkeep);
    pthread_mutex_init(&writer->mu, NULL);
    pthread_cond_init(&writer->not_full, NULL);
    if (!clock_cond_init(&writer->not_empty)) {
        status = out_of_memory(err);
        goto out_mutex;
    }
    if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "no thread for the store");
        goto out_cond;
    }
    *out = writer;
    return AIBOX_OK;

out_cond:
    pthread_cond_destroy(&writer->not_empty);
out_mutex:
    pthread_cond_destroy(&writer->not_full);
    pthread_mutex_destroy(&writer->mu);
out_batch:
    batch_close(&writer->batch);
    free(writer);
    return status;
}

void writer_close(struct writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->mu);
    writer->stop = true;
    pthread_cond_signal(&writer->not_empty);
    pthread_mutex_unlock(&writer->mu);
    pthread_join(writer->thread, NULL);
    batch_close(&writer->batch);
    pthread_cond_destroy(&writer->not_empty);
    pthread_cond_destroy(&writer->not_full);
    pthread_mutex_destroy(&writer->mu);
    free(writer);
}

enum aibox_status writer_do(struct writer *writer, enum change_kind kind, change_run run, void *arg,
                            struct aibox_error *err)
{
    struct change change = {.run = run, .arg = arg, .kind = kind};

    assert(!pthread_equal(pthread_self(), writer->thread)); /* it would wait for itself */
    if (sem_init(&change.done, 0, 0) != 0)
        return out_of_memory(err);
    pthread_mutex_lock(&writer->mu);
    while (writer->queued >= WRITER_QUEUE_MAX)
        pthread_cond_wait(&writer->not_full, &writer->mu);
    /* The queue may point at this stack: the caller waits below until the writer has let go of it. */
    if (writer->last)
        writer->last->next = &change;
    else
        writer->first = &change; /* cppcheck-suppress autoVariables */
    writer->last = &change;      /* cppcheck-suppress autoVariables */
    writer->queued++;
    pthread_cond_signal(&writer->not_empty);
    pthread_mutex_unlock(&writer->mu);

    while (sem_wait(&change.done) != 0) /* EINTR */
        ;
    sem_destroy(&change.done);
    if (change.status != AIBOX_OK && err)
        *err = change.error;
    return change.status;
}

void writer_nudge(struct writer *writer)
{
    pthread_mutex_lock(&writer->mu);
    writer->nudged = true;
    pthread_cond_signal(&writer->not_empty);
    pthread_mutex_unlock(&writer->mu);
}

void writer_count(struct writer *writer, struct writer_counters *out)
{
    *out = (struct writer_counters){
        .commits = atomic_load(&writer->commits),
        .changes = atomic_load(&writer->changes),
        .failed_changes = atomic_load(&writer->failed_changes),
    };
    pthread_mutex_lock(&writer->mu);
    out->queue = writer->queued;
    pthread_mutex_unlock(&writer->mu);
}

bool writer_is_writable(struct writer *writer, char *reason, size_t size)
{
    pthread_mutex_lock(&writer->mu);
    bool writable = writer->reason[0] == '\0';
    if (reason && size > 0)
        snprintf(reason, size, "%s", writer->reason);
    pthread_mutex_unlock(&writer->mu);
    return writable;
}
