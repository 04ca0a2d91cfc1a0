#include "store/upkeep.h"

#include <sys/statvfs.h>

#include "core/clock.h"
#include "core/log.h"
#include "store/answered.h"
#include "store/catalogue.h"
#include "store/dead_command.h"
#include "store/retention.h"
#include "store/stranger.h"
#include "store/tally.h"

#define SCRUB_MS          300   /* after a delete */
#define SCRUB_EXPIRED_MS  30000 /* after retention: no need to hurry */
#define SCRUB_OVERDUE_MS  3000  /* then it is done even if the box is busy */
#define SCRUB_AGAIN_MS    200   /* when a reader was in the way */
#define READER_WAIT_MS    50    /* how long a checkpoint waits for readers */
#define BUSY_MS           2000  /* as sql_open sets it */
#define RETENTION_MS      60000 /* between looks at the events' ages */
#define RETENTION_STEP    256
#define PROBE_MS          1000
#define PROBE_FREE        (4 << 20) /* bytes a disk must have free to count as writable again */
#define SWEEP_STEP        500
#define SHRINK_MS         2000
#define SHRINK_STEP_PAGES 256

void upkeep_start(struct upkeep *upkeep)
{
    *upkeep = (struct upkeep){0}; /* looks at ages, sweeps, from the start */
}

static void due_by(int64_t *due_ms, int64_t at_ms)
{
    if (*due_ms == 0 || at_ms < *due_ms)
        *due_ms = at_ms;
}

void upkeep_disk_failed(struct upkeep *upkeep)
{
    upkeep->probe_due_ms = clock_monotonic_ms() + PROBE_MS;
}

bool upkeep_truncate_wal(struct batch *batch)
{
    struct sql *files[] = {&batch->main, &batch->pictures};
    bool done = true;

    checkpointer_hold(batch->checkpointer);
    for (size_t i = 0; i < 2; i++) {
        sqlite3_busy_timeout(files[i]->db, READER_WAIT_MS);
        int code = sqlite3_wal_checkpoint_v2(files[i]->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        sqlite3_busy_timeout(files[i]->db, BUSY_MS);
        if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
            sql_fail(files[i], code, NULL);
        done = done && code == SQLITE_OK;
    }
    checkpointer_release(batch->checkpointer);
    batch->main_wal_pages = batch->pictures_wal_pages = 0;
    return done;
}

/* Tells the checkpointer of the last commit, and carries over the last bit when the time has come. */
static void checkpoint(struct batch *batch, enum checkpointer_file file, struct sql *sql, int *wal_pages)
{
    if (*wal_pages == 0 || !checkpointer_tell(batch->checkpointer, file, *wal_pages))
        return;
    checkpointer_hold(batch->checkpointer);
    int code = sqlite3_wal_checkpoint_v2(sql->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
        sql_fail(sql, code, NULL);
    checkpointer_release(batch->checkpointer);
    *wal_pages = 0; /* known again after the next commit */
}

void upkeep_after_batch(struct upkeep *upkeep, struct batch *batch)
{
    int64_t now_ms = clock_monotonic_ms();

    checkpoint(batch, CHECKPOINT_MAIN, &batch->main, &batch->main_wal_pages);
    checkpoint(batch, CHECKPOINT_PICTURES, &batch->pictures, &batch->pictures_wal_pages);
    if (batch->deleted) {
        due_by(&upkeep->scrub_due_ms, now_ms + SCRUB_MS);
        due_by(&upkeep->shrink_due_ms, now_ms + SHRINK_MS);
    }
    if (batch->expired) {
        due_by(&upkeep->scrub_due_ms, now_ms + SCRUB_EXPIRED_MS);
        due_by(&upkeep->shrink_due_ms, now_ms + SCRUB_EXPIRED_MS);
    }
    batch->deleted = batch->expired = false;
    if (upkeep->scrub_due_ms && now_ms > upkeep->scrub_due_ms + SCRUB_OVERDUE_MS)
        upkeep->scrub_due_ms = upkeep_truncate_wal(batch) ? 0 : now_ms;
}

static int64_t earlier(int64_t wait_ms, int64_t due_ms, int64_t now_ms)
{
    int64_t left = due_ms - now_ms;

    if (left < 0)
        left = 0;
    return left < wait_ms ? left : wait_ms;
}

int64_t upkeep_wait_ms(const struct upkeep *upkeep, const struct batch *batch)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t wait_ms = RETENTION_MS;

    if (upkeep->probe_due_ms) /* nothing else is tried on a disk that fails */
        return earlier(wait_ms, upkeep->probe_due_ms, now_ms);
    if (batch->released.count > 0 || upkeep->sweep_next >= 0 || catalogue_is_filling(batch->store->catalogue))
        return 0;
    wait_ms = earlier(wait_ms, upkeep->retention_due_ms, now_ms);
    if (upkeep->scrub_due_ms)
        wait_ms = earlier(wait_ms, upkeep->scrub_due_ms, now_ms);
    if (upkeep->shrink_due_ms)
        wait_ms = earlier(wait_ms, upkeep->shrink_due_ms, now_ms);
    return wait_ms;
}

static bool probe(struct upkeep *upkeep, struct batch *batch)
{
    struct statvfs disk;
    bool well = statvfs(batch->store->path, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize >= PROBE_FREE;

    if (well)
        well = sql_exec(&batch->main, "UPDATE counter SET value = value + 1 WHERE name = 'probe'", NULL) == AIBOX_OK;
    upkeep->probe_due_ms = well ? 0 : clock_monotonic_ms() + PROBE_MS;
    return well;
}

/* Pictures that nothing names: left behind by a crash between two commits. */
static void sweep(struct upkeep *upkeep, struct batch *batch)
{
    size_t before = batch->released.count;
    size_t n = 0;
    bool row = true;
    enum aibox_status status = AIBOX_OK;
    sqlite3_stmt *stmt = sql_begin(
        &batch->pictures, "SELECT picture_id, sha256 FROM picture WHERE picture_id > ? ORDER BY picture_id LIMIT ?",
        NULL, sql_int(upkeep->sweep_next), sql_int(SWEEP_STEP));

    while (stmt && status == AIBOX_OK) {
        int64_t one;
        bool named;
        status = sql_step(&batch->pictures, stmt, &row, NULL);
        if (status != AIBOX_OK || !row)
            break;
        n++;
        upkeep->sweep_next = sqlite3_column_int64(stmt, 0);
        const void *sha256 = sqlite3_column_blob(stmt, 1);
        status = sql_get(&batch->main, "SELECT 1 FROM image WHERE sha256 = ?", &one, &named, NULL,
                         sql_blob(sha256, SHA256_SIZE));
        if (status == AIBOX_OK && !named)
            status = batch_release(batch, sha256, NULL);
    }
    sql_end(stmt);
    size_t orphans = batch->released.count - before;
    if (orphans > 0) {
        log_info("store", "pictures without an owner found count=%zu", orphans);
        due_by(&upkeep->scrub_due_ms, clock_monotonic_ms() + SCRUB_MS);
    }
    if (n < SWEEP_STEP || status != AIBOX_OK)
        upkeep->sweep_next = -1;
}

static void expire(struct upkeep *upkeep, struct batch *batch)
{
    bool left = false, strangers_left = false;

    enum aibox_status status = batch_begin(batch, NULL);
    if (status != AIBOX_OK)
        goto out;
    status = retention_step(batch, RETENTION_STEP, &left, NULL);
    if (status == AIBOX_OK)
        status = stranger_expire(batch, RETENTION_STEP, &strangers_left, NULL);
    if (status == AIBOX_OK)
        status = answered_expire(batch, NULL);
    if (status == AIBOX_OK)
        status = dead_command_expire(batch, NULL);
    if (status == AIBOX_OK)
        status = tally_expire(batch, NULL);
    if (status == AIBOX_OK)
        status = batch_commit(batch, NULL);
    else
        batch_abandon(batch);
out:
    upkeep->retention_due_ms =
        clock_monotonic_ms() + ((left || strangers_left) && status == AIBOX_OK ? 0 : RETENTION_MS);
    if (status == AIBOX_OK && batch->expired)
        upkeep_after_batch(upkeep, batch);
}

/* Gives back pages of pictures.db when much of it is free; a little is left for what comes. */
static void shrink(struct upkeep *upkeep, struct batch *batch)
{
    int64_t free_pages = 0, pages = 0;
    int64_t now_ms = clock_monotonic_ms();

    upkeep->shrink_due_ms = 0;
    if (sql_get_values(&batch->pictures, "PRAGMA freelist_count", &free_pages, NULL, NULL, NULL, 0) != AIBOX_OK ||
        sql_get_values(&batch->pictures, "PRAGMA page_count", &pages, NULL, NULL, NULL, 0) != AIBOX_OK)
        return;
    if (free_pages < SHRINK_STEP_PAGES || free_pages < pages / 4)
        return;
    char text[64];
    sqlite3_snprintf((int)sizeof text, text, "PRAGMA incremental_vacuum(%d)", SHRINK_STEP_PAGES);
    if (sql_script(&batch->pictures, text, NULL) != AIBOX_OK)
        return;
    checkpoint(batch, CHECKPOINT_PICTURES, &batch->pictures, &batch->pictures_wal_pages);
    upkeep->shrink_due_ms = now_ms;
    due_by(&upkeep->scrub_due_ms, now_ms + SCRUB_MS);
}

bool upkeep_step(struct upkeep *upkeep, struct batch *batch)
{
    int64_t now_ms = clock_monotonic_ms();

    if (upkeep->probe_due_ms)
        return now_ms >= upkeep->probe_due_ms && probe(upkeep, batch);
    if (upkeep->scrub_due_ms && now_ms >= upkeep->scrub_due_ms)
        upkeep->scrub_due_ms = upkeep_truncate_wal(batch) ? 0 : now_ms + SCRUB_AGAIN_MS;
    else if (batch->released.count > 0)
        (void)batch_release_pictures(batch, NULL); /* a failure turns the probe on */
    else if (now_ms >= upkeep->retention_due_ms)
        expire(upkeep, batch);
    else if (catalogue_is_filling(batch->store->catalogue))
        catalogue_fill(batch->store->catalogue, &batch->main);
    else if (upkeep->sweep_next >= 0)
        sweep(upkeep, batch);
    else if (upkeep->shrink_due_ms && now_ms >= upkeep->shrink_due_ms)
        shrink(upkeep, batch);
    return false;
}
