#include "store/checkpointer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "store/sql.h"

#define STEP_PAGES    1000  /* of WAL, 8 MB: so many are carried over at a time */
#define RESTART_PAGES 8000  /* 64 MB: a WAL that is longer is to be used again from its beginning */
#define SHORT_PAGES   256   /* what the writer carries over itself, in milliseconds */
#define MOST_PAGES    32000 /* 256 MB: then it does so however much that is */
#define CACHE_KIB     64

/* Guarded by `mu`. */
struct wal {
    int pages;          /* after the last commit */
    int carried;        /* of these, as far as is known */
    unsigned long turn; /* how often the WAL has begun anew */
    int tried; /* `pages` when the writer was told last to carry over the rest; 0: not since the WAL began anew */
    bool due;
};

struct checkpointer {
    struct sql files[CHECKPOINT_FILES]; /* with `working` held */
    pthread_t thread;
    pthread_mutex_t working; /* held over checkpoints; before `mu` */
    pthread_mutex_t mu;      /* leaf */
    pthread_cond_t wake;
    struct wal wals[CHECKPOINT_FILES];
    bool stop;
    atomic_int failure;
};

static void work(struct checkpointer *checkpointer, enum checkpointer_file file)
{
    struct sql *sql = &checkpointer->files[file];
    struct wal *wal = &checkpointer->wals[file];
    int pages, carried = 0;

    pthread_mutex_lock(&checkpointer->mu);
    unsigned long turn = wal->turn;
    pthread_mutex_unlock(&checkpointer->mu);
    pthread_mutex_lock(&checkpointer->working);
    int code = sqlite3_wal_checkpoint_v2(sql->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &carried);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) {
        sql_fail(sql, code, NULL);
        atomic_store(&checkpointer->failure, sql->failure);
    }
    pthread_mutex_unlock(&checkpointer->working);

    pthread_mutex_lock(&checkpointer->mu);
    if (code == SQLITE_OK && turn == wal->turn && carried > wal->carried)
        wal->carried = carried;
    pthread_mutex_unlock(&checkpointer->mu);
}

/* The next file to work on; CHECKPOINT_FILES: none any more. */
static enum checkpointer_file wait_for_work(struct checkpointer *checkpointer)
{
    enum checkpointer_file file = CHECKPOINT_FILES;

    pthread_mutex_lock(&checkpointer->mu);
    while (!checkpointer->stop && file == CHECKPOINT_FILES) {
        for (file = 0; file < CHECKPOINT_FILES && !checkpointer->wals[file].due; file++)
            ;
        if (file == CHECKPOINT_FILES)
            pthread_cond_wait(&checkpointer->wake, &checkpointer->mu);
    }
    if (checkpointer->stop)
        file = CHECKPOINT_FILES;
    else
        checkpointer->wals[file].due = false;
    pthread_mutex_unlock(&checkpointer->mu);
    return file;
}

static void *run(void *arg)
{
    struct checkpointer *checkpointer = arg;
    enum checkpointer_file file;

    pthread_setname_np(pthread_self(), "store-checkpoint");
    while ((file = wait_for_work(checkpointer)) != CHECKPOINT_FILES)
        work(checkpointer, file);
    return NULL;
}

bool checkpointer_tell(struct checkpointer *checkpointer, enum checkpointer_file file, int wal_pages)
{
    struct wal *wal = &checkpointer->wals[file];
    bool now = false;

    pthread_mutex_lock(&checkpointer->mu);
    if (wal_pages < wal->pages) { /* it has begun anew */
        wal->turn++;
        wal->carried = wal->tried = 0;
    }
    wal->pages = wal_pages;
    int left = wal_pages - wal->carried;
    bool is_long = wal_pages >= RESTART_PAGES;
    if (left >= (is_long ? SHORT_PAGES : STEP_PAGES) && !wal->due) {
        wal->due = true;
        pthread_cond_signal(&checkpointer->wake);
    }
    /* Where a reader stands in the way it is tried again after some more pages. */
    if (is_long && (left < SHORT_PAGES || wal_pages >= MOST_PAGES) &&
        (wal->tried == 0 || wal_pages - wal->tried >= STEP_PAGES)) {
        wal->tried = wal_pages;
        now = true;
    }
    pthread_mutex_unlock(&checkpointer->mu);
    return now;
}

void checkpointer_hold(struct checkpointer *checkpointer)
{
    pthread_mutex_lock(&checkpointer->working);
}

void checkpointer_release(struct checkpointer *checkpointer)
{
    pthread_mutex_unlock(&checkpointer->working);
}

int checkpointer_take_failure(struct checkpointer *checkpointer)
{
    return atomic_exchange(&checkpointer->failure, SQLITE_OK);
}

enum aibox_status checkpointer_open(const char *main_path, const char *pictures_path, struct checkpointer **out,
                                    struct aibox_error *err)
{
    struct checkpointer *checkpointer = calloc(1, sizeof *checkpointer);

    if (!checkpointer)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = sql_open(&checkpointer->files[CHECKPOINT_MAIN], main_path, SQL_WRITER, CACHE_KIB, err);
    if (status == AIBOX_OK)
        status = sql_open(&checkpointer->files[CHECKPOINT_PICTURES], pictures_path, SQL_WRITER, CACHE_KIB, err);
    if (status != AIBOX_OK)
        goto out_files;
    pthread_mutex_init(&checkpointer->working, NULL);
    pthread_mutex_init(&checkpointer->mu, NULL);
    pthread_cond_init(&checkpointer->wake, NULL);
    if (pthread_create(&checkpointer->thread, NULL, run, checkpointer) != 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "no thread for the store");
        goto out_thread;
    }
    *out = checkpointer;
    return AIBOX_OK;

out_thread:
    pthread_cond_destroy(&checkpointer->wake);
    pthread_mutex_destroy(&checkpointer->mu);
    pthread_mutex_destroy(&checkpointer->working);
out_files:
    for (enum checkpointer_file file = 0; file < CHECKPOINT_FILES; file++)
        sql_close(&checkpointer->files[file]);
    free(checkpointer);
    return status;
}

void checkpointer_close(struct checkpointer *checkpointer)
{
    if (!checkpointer)
        return;
    pthread_mutex_lock(&checkpointer->mu);
    checkpointer->stop = true;
    pthread_cond_signal(&checkpointer->wake);
    pthread_mutex_unlock(&checkpointer->mu);
    pthread_join(checkpointer->thread, NULL);
    for (enum checkpointer_file file = 0; file < CHECKPOINT_FILES; file++)
        sql_close(&checkpointer->files[file]);
    pthread_cond_destroy(&checkpointer->wake);
    pthread_mutex_destroy(&checkpointer->mu);
    pthread_mutex_destroy(&checkpointer->working);
    free(checkpointer);
}
