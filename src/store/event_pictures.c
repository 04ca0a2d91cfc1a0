/*
 * Deleting pictures of events. An event keeps the id of a picture that was deleted; what reads events looks the id up
 * among the images and takes one that isn't there for none (event.h). So nothing has to find the event of a picture.
 */
#include "store/batch.h"

#define DELETE_STEP 500 /* pictures deleted in one transaction */

struct delete_job {
    const char *const *ids;
    size_t n;
    size_t deleted;
};

/* False also for what is no picture of an event: people's photos are not deleted this way. */
static enum aibox_status is_event_picture(struct batch *batch, const uint8_t id[UUID_BYTES], bool *found,
                                          struct aibox_error *err)
{
    int64_t one;

    return sql_get(&batch->main, "SELECT 1 FROM image WHERE image_id = ? AND kind = 1", &one, found, err,
                   sql_blob(id, UUID_BYTES));
}

static enum aibox_status run_delete(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct delete_job *job = arg;
    enum aibox_status status = AIBOX_OK;

    job->deleted = 0;
    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++) {
        uint8_t id[UUID_BYTES];
        bool found;
        if (!uuid_parse(job->ids[i], id))
            continue;
        status = is_event_picture(batch, id, &found, err);
        if (status != AIBOX_OK || !found)
            continue;
        status = batch_drop_image(batch, id, err);
        job->deleted++;
    }
    batch->deleted = true;
    batch->release_at_once = true;
    return status;
}

enum aibox_status store_event_pictures_delete(struct store *store, const char *const *image_ids, size_t n,
                                              size_t *deleted, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    size_t total = 0;

    for (size_t at = 0; at < n && status == AIBOX_OK; at += DELETE_STEP) {
        struct delete_job job = {.ids = image_ids + at, .n = n - at < DELETE_STEP ? n - at : DELETE_STEP};
        status = writer_do(store->writer, CHANGE_SHARED, run_delete, &job, err);
        total += status == AIBOX_OK ? job.deleted : 0;
    }
    if (deleted)
        *deleted = total;
    return status;
}
