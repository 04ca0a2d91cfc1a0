#include "store/readers.h"

#include <pthread.h>
#include <stdlib.h>

/* Small caches: what is read often is in the page cache of the system anyway, and 16 readers add up. */
#define MAIN_CACHE_KIB     384
#define PICTURES_CACHE_KIB 128

struct readers {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    const char *main_path;
    const char *pictures_path;
    const struct seal_ring *ring;
    struct reader *free; /* guarded by mu, as all below */
    size_t open;         /* connections that exist */
    size_t out;          /* of those, in use */
    bool paused;
};

enum aibox_status readers_open(const char *main_path, const char *pictures_path, const struct seal_ring *ring,
                               struct readers **out, struct aibox_error *err)
{
    struct readers *readers = calloc(1, sizeof *readers);

    if (!readers)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    pthread_mutex_init(&readers->mu, NULL);
    pthread_cond_init(&readers->changed, NULL);
    readers->main_path = main_path;
    readers->pictures_path = pictures_path;
    readers->ring = ring;
    *out = readers;
    return AIBOX_OK;
}

static void reader_free(struct reader *reader)
{
    sql_close(&reader->main);
    sql_close(&reader->pictures);
    free(reader);
}

void readers_close(struct readers *readers)
{
    if (!readers)
        return;
    while (readers->free) {
        struct reader *reader = readers->free;
        readers->free = reader->next;
        reader_free(reader);
    }
    pthread_cond_destroy(&readers->changed);
    pthread_mutex_destroy(&readers->mu);
    free(readers);
}

static struct reader *reader_new(struct readers *readers, struct aibox_error *err)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (!reader) {
        error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        return NULL;
    }
    reader->pictures_path = readers->pictures_path;
    if (sql_open(&reader->main, readers->main_path, SQL_READER, MAIN_CACHE_KIB, err) != AIBOX_OK) {
        free(reader);
        return NULL;
    }
    reader->main.ring = readers->ring;
    return reader;
}

struct reader *reader_take(struct readers *readers, struct aibox_error *err)
{
    struct reader *reader = NULL;

    pthread_mutex_lock(&readers->mu);
    while (readers->paused || (!readers->free && readers->open == READERS_MAX))
        pthread_cond_wait(&readers->changed, &readers->mu);
    readers->out++;
    if (readers->free) {
        reader = readers->free;
        readers->free = reader->next;
    } else {
        readers->open++;
    }
    pthread_mutex_unlock(&readers->mu);
    if (reader)
        return reader;

    reader = reader_new(readers, err);
    if (!reader) {
        pthread_mutex_lock(&readers->mu);
        readers->out--;
        readers->open--;
        pthread_cond_broadcast(&readers->changed);
        pthread_mutex_unlock(&readers->mu);
    }
    return reader;
}

void reader_return(struct readers *readers, struct reader *reader)
{
    if (!reader)
        return;
    /* A connection that failed is replaced: after an I/O error nothing it remembers is worth trusting. */
    bool keep = reader->main.failure == SQLITE_OK && reader->pictures.failure == SQLITE_OK;

    if (!keep)
        reader_free(reader);
    pthread_mutex_lock(&readers->mu);
    readers->out--;
    if (keep) {
        reader->next = readers->free;
        readers->free = reader;
    } else {
        readers->open--;
    }
    pthread_cond_broadcast(&readers->changed);
    pthread_mutex_unlock(&readers->mu);
}

struct sql *reader_pictures(struct reader *reader, struct aibox_error *err)
{
    if (!reader->pictures.db &&
        sql_open(&reader->pictures, reader->pictures_path, SQL_READER, PICTURES_CACHE_KIB, err) != AIBOX_OK)
        return NULL;
    return &reader->pictures;
}

enum aibox_status reader_snapshot_begin(struct reader *reader, struct aibox_error *err)
{
    return sql_exec(&reader->main, "BEGIN", err);
}

void reader_snapshot_end(struct reader *reader)
{
    if (!sqlite3_get_autocommit(reader->main.db))
        (void)sql_exec(&reader->main, "COMMIT", NULL); /* nothing was written: there is nothing to lose */
}

void readers_pause(struct readers *readers)
{
    pthread_mutex_lock(&readers->mu);
    readers->paused = true;
    while (readers->out > 0)
        pthread_cond_wait(&readers->changed, &readers->mu);
    pthread_mutex_unlock(&readers->mu);
}

void readers_resume(struct readers *readers)
{
    pthread_mutex_lock(&readers->mu);
    readers->paused = false;
    pthread_cond_broadcast(&readers->changed);
    pthread_mutex_unlock(&readers->mu);
}
