/* Who is told of changed people: the galleries in memory. */
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "store/batch.h"

/* The place of the listener of that ctx; NULL: none. A ctx of NULL: a free place. */
static struct store_listener *find_listener(struct batch *batch, const void *ctx)
{
    for (size_t i = 0; i < STORE_LISTENERS; i++)
        if (batch->listeners[i].ctx == ctx)
            return &batch->listeners[i];
    return NULL;
}

static enum aibox_status run_listen(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct store_listener *listener = arg;
    struct store_listener *place = find_listener(batch, NULL);
    char *model_set = NULL;

    if (!place)
        return error_set(err, AIBOX_PROCESS_FAILED, "%d listeners to people are the most there may be",
                         STORE_LISTENERS);
    if (listener->model_set) {
        model_set = strdup(listener->model_set);
        if (!model_set)
            return out_of_memory(err);
    }
    *place = *listener;
    place->model_set = model_set;
    return AIBOX_OK;
}

enum aibox_status store_listen(struct store *store, const struct store_listener *listener, struct aibox_error *err)
{
    return writer_do(store->writer, CHANGE_ALONE, run_listen, (void *)listener, err);
}

static enum aibox_status run_unlisten(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct store_listener *place = find_listener(batch, arg);

    (void)err;
    if (place) {
        free((char *)place->model_set);
        *place = (struct store_listener){0};
    }
    return AIBOX_OK;
}

void store_unlisten(struct store *store, const void *ctx)
{
    struct aibox_error err = {0};

    if (ctx && writer_do(store->writer, CHANGE_ALONE, run_unlisten, (void *)ctx, &err) != AIBOX_OK)
        log_error("store", "a listener was not taken off reason=\"%s\"", err.message);
}

struct tell_job {
    const void *ctx;
    int64_t *after;
    size_t limit, *told;
};

static enum aibox_status run_tell(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct tell_job *job = arg;
    const struct store_listener *listener = find_listener(batch, job->ctx);
    enum aibox_status status = AIBOX_OK;
    bool row;

    *job->told = 0;
    if (!listener)
        return error_set(err, AIBOX_PROCESS_FAILED, "no such listener");
    sqlite3_stmt *stmt =
        sql_begin(&batch->main,
                  "SELECT DISTINCT person_id FROM face WHERE model_set_id = (SELECT model_set_id FROM"
                  " model_set WHERE name = ?) AND person_id > ? ORDER BY person_id LIMIT ?",
                  err, sql_text(listener->model_set), sql_int(*job->after), sql_int((int64_t)job->limit));
    if (!stmt)
        return AIBOX_PROCESS_FAILED;
    struct label_map *labels = label_map_take(batch->store->labels);
    while ((status = sql_step(&batch->main, stmt, &row, err)) == AIBOX_OK && row) {
        int64_t person_id = sqlite3_column_int64(stmt, 0);
        if (!batch_tell_person(batch, listener, labels, person_id)) {
            status = error_set(err, AIBOX_PROCESS_FAILED, "person %lld could not be taken", (long long)person_id);
            break;
        }
        *job->after = person_id;
        ++*job->told;
    }
    sql_end(stmt);
    label_map_drop(labels);
    return status;
}

enum aibox_status store_tell(struct store *store, const void *ctx, int64_t *after, size_t limit, size_t *told,
                             struct aibox_error *err)
{
    struct tell_job job = {ctx, after, limit, told};

    return writer_do(store->writer, CHANGE_ALONE, run_tell, &job, err);
}
