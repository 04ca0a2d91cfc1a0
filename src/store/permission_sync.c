/* Permission groups as the platform wants them: all of its list in one transaction with the command's result. */
#include <stdio.h>
#include <stdlib.h>

#include "store/batch.h"
#include "store/commands.h"
#include "store/inbox.h"
#include "store/labels.h"

struct sync_job {
    struct store_permission_wish *wishes;
    size_t n;
    bool replace;
    const struct store_answer *answer;
};

/* By its id alone: the name of another group doesn't make that one the group which is meant. 0: there is none. */
static enum aibox_status find_by_id(struct batch *batch, const char *id, uint32_t *label_id, struct aibox_error *err)
{
    int64_t value = 0;
    bool found;
    enum aibox_status status = sql_get(&batch->main, "SELECT label_id FROM label WHERE kind = ? AND id = ?", &value,
                                       &found, err, sql_int(STORE_PERMISSION), sql_text(id));

    *label_id = found ? (uint32_t)value : 0;
    return status;
}

static enum aibox_status fulfil(struct batch *batch, const struct store_permission_wish *wish, struct aibox_error *err)
{
    uint32_t label_id;
    enum aibox_status status = text_check("permission_id", wish->id, false, STORE_MAX_NAME, err);

    if (status == AIBOX_OK)
        status = text_check("description", wish->description, true, STORE_MAX_DESCRIPTION, err);
    if (status == AIBOX_OK)
        status = find_by_id(batch, wish->id, &label_id, err);
    if (status != AIBOX_OK)
        return status;
    if (label_id == 0)
        return label_insert(batch, STORE_PERMISSION, wish->id, wish->name, wish->description, "{}", &label_id, err);
    return label_change(batch, STORE_PERMISSION, label_id, wish->name, wish->description, NULL, err);
}

/* One wish: a refusal of it undoes nothing of the others. A failure of the database is one of the whole change. */
static enum aibox_status try_wish(struct batch *batch, struct store_permission_wish *wish, struct aibox_error *err)
{
    struct aibox_error reason = {0};
    enum aibox_status status = sql_exec(&batch->main, "SAVEPOINT wish", err);

    if (status != AIBOX_OK)
        return status;
    wish->reason[0] = '\0';
    wish->status = fulfil(batch, wish, &reason);
    if (wish->status == AIBOX_PROCESS_FAILED)
        return error_set(err, AIBOX_PROCESS_FAILED, "%s", reason.message);
    if (wish->status != AIBOX_OK) {
        (void)snprintf(wish->reason, sizeof wish->reason, "%.255s", reason.message);
        status = sql_exec(&batch->main, "ROLLBACK TO wish", err);
    }
    return status == AIBOX_OK ? sql_exec(&batch->main, "RELEASE wish", err) : status;
}

static bool is_wished(const struct sync_job *job, const uint32_t *kept, uint32_t label_id)
{
    for (size_t i = 0; i < job->n; i++)
        if (kept[i] == label_id)
            return true;
    return false;
}

/* The number of one that nobody wished, behind `after`; 0: there is none. */
static enum aibox_status next_unwished(struct batch *batch, const struct sync_job *job, const uint32_t *kept,
                                       uint32_t after, uint32_t *label_id, struct aibox_error *err)
{
    int64_t value = after;
    bool found = true;
    enum aibox_status status = AIBOX_OK;

    while (status == AIBOX_OK && found) {
        status = sql_get(&batch->main, "SELECT label_id FROM label WHERE kind = ? AND label_id > ? ORDER BY label_id",
                         &value, &found, err, sql_int(STORE_PERMISSION), sql_int(value));
        if (found && !is_wished(job, kept, (uint32_t)value))
            break;
    }
    *label_id = found ? (uint32_t)value : 0;
    return status;
}

static enum aibox_status remove_others(struct batch *batch, const struct sync_job *job, struct aibox_error *err)
{
    uint32_t label_id = LABEL_EVERYBODY; /* built in: the lowest, and kept */
    uint32_t *kept = calloc(job->n + 1, sizeof *kept);
    enum aibox_status status = AIBOX_OK;

    if (!kept)
        return out_of_memory(err);
    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++)
        status = find_by_id(batch, job->wishes[i].id, &kept[i], err);
    while (status == AIBOX_OK) {
        status = next_unwished(batch, job, kept, label_id, &label_id, err);
        if (status != AIBOX_OK || label_id == 0)
            break;
        status = label_remove(batch, STORE_PERMISSION, label_id, false, err);
    }
    free(kept);
    return status;
}

static enum aibox_status run_sync(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct sync_job *job = arg;
    enum aibox_status status = AIBOX_OK;

    if (job->replace) /* first: what goes makes room, also for names */
        status = remove_others(batch, job, err);
    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++)
        status = try_wish(batch, &job->wishes[i], err);
    return status == AIBOX_OK ? inbox_answer(batch, job->answer, err) : status;
}

enum aibox_status store_permissions_sync(struct store *store, struct store_permission_wish *wishes, size_t n,
                                         bool replace, const struct store_answer *answer, struct aibox_error *err)
{
    struct sync_job job = {wishes, n, replace, answer};

    return writer_do(store->writer, CHANGE_SHARED, run_sync, &job, err);
}
