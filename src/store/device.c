/* Devices as rows: two keys and a JSON object whose meaning is the business of flow/devices.h. */
#include <stdlib.h>

#include "core/clock.h"
#include "store/batch.h"
#include "store/outbox.h"
#include "store/seal_rows.h"

enum aibox_status store_devices_each(struct store *store, bool (*each)(void *ctx, const struct store_device *device),
                                     void *ctx, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = true;

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = sql_begin_values(
        &reader->main, "SELECT device_id, device_key, created_ms, key_id, nonce, doc FROM device ORDER BY device_row",
        err, NULL, 0);
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK && row) {
        status = sql_step(&reader->main, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        struct store_device device = {.device_id = sql_column_text(stmt, 0),
                                      .device_key = sql_column_text(stmt, 1),
                                      .created_ms = sqlite3_column_int64(stmt, 2)};
        struct seal_place place = seal_place_named(SEAL_DEVICE, device.device_id);
        char *doc = seal_column_text(reader->main.ring, stmt, 3, &place, err);
        if (!doc) {
            error_prefix(err, "device %.64s", device.device_id);
            status = AIBOX_PROCESS_FAILED;
            break;
        }
        device.doc = doc;
        row = each(ctx, &device);
        free(doc);
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

/* ---- saving ------------------------------------------------------------------------------------------ */

struct save_job {
    bool create;
    struct store_device *devices;
    size_t n;
    const struct store_messages *messages;
};

static enum aibox_status check_free(struct batch *batch, const struct store_device *device, struct aibox_error *err)
{
    int64_t one;
    bool found;
    enum aibox_status status = sql_get(&batch->main, "SELECT 1 FROM device WHERE device_id = ?", &one, &found, err,
                                       sql_text(device->device_id));

    if (status == AIBOX_OK && found)
        return error_set(err, AIBOX_GROUP_NAME, "there is a device_id %s already", device->device_id);
    if (status == AIBOX_OK)
        status = sql_get(&batch->main, "SELECT 1 FROM device WHERE device_key = ?", &one, &found, err,
                         sql_text(device->device_key));
    if (status == AIBOX_OK && found)
        return error_set(err, AIBOX_GROUP_NAME, "there is a device with the device_key %s already", device->device_key);
    return status;
}

static enum aibox_status check_room(struct batch *batch, struct aibox_error *err)
{
    int64_t count;
    enum aibox_status status = sql_get_values(&batch->main, "SELECT count(*) FROM device", &count, NULL, err, NULL, 0);

    if (status == AIBOX_OK && count >= STORE_MAX_DEVICES)
        status = error_set(err, AIBOX_PARAM, "there are %d devices already, the most there can be", STORE_MAX_DEVICES);
    return status;
}

static enum aibox_status insert(struct batch *batch, struct store_device *device, int64_t now_ms,
                                struct aibox_error *err)
{
    enum aibox_status status = check_free(batch, device, err);

    if (status == AIBOX_OK)
        status = check_room(batch, err);
    device->created_ms = now_ms;
    struct seal_place place = seal_place_named(SEAL_DEVICE, device->device_id);
    struct sealed_text sealed = {.bytes = NULL};
    if (status == AIBOX_OK)
        status = seal_text(batch->main.ring, &place, device->doc, &sealed, err);
    if (status == AIBOX_OK)
        status = sql_run(&batch->main,
                         "INSERT INTO device (device_id, device_key, created_ms, updated_ms, key_id, nonce, doc)"
                         " VALUES (?, ?, ?, ?, ?, ?, ?)",
                         err, sql_text(device->device_id), sql_text(device->device_key), sql_int(now_ms),
                         sql_int(now_ms), sql_int(seal_key_id(batch->main.ring)),
                         sql_blob(sealed.nonce, sizeof sealed.nonce), sql_blob(sealed.bytes, sealed.size));
    free(sealed.bytes);
    return status;
}

/* The keys of all devices that change give way first, so that they may be swapped. No real key begins with ','. */
static enum aibox_status release_key(struct batch *batch, struct store_device *device, struct aibox_error *err)
{
    bool found;
    enum aibox_status status = sql_get(&batch->main, "SELECT created_ms FROM device WHERE device_id = ?",
                                       &device->created_ms, &found, err, sql_text(device->device_id));

    if (status == AIBOX_OK && !found)
        return error_set(err, AIBOX_NOT_FOUND, "no device %s", device->device_id);
    if (status == AIBOX_OK)
        status = sql_run(&batch->main, "UPDATE device SET device_key = ',' || device_row WHERE device_id = ?", err,
                         sql_text(device->device_id));
    return status;
}

static enum aibox_status update(struct batch *batch, const struct store_device *device, int64_t now_ms,
                                struct aibox_error *err)
{
    int64_t one;
    bool found;
    enum aibox_status status = sql_get(&batch->main, "SELECT 1 FROM device WHERE device_key = ?", &one, &found, err,
                                       sql_text(device->device_key));

    if (status == AIBOX_OK && found)
        return error_set(err, AIBOX_GROUP_NAME, "there is a device with the device_key %s already", device->device_key);
    struct seal_place place = seal_place_named(SEAL_DEVICE, device->device_id);
    struct sealed_text sealed = {.bytes = NULL};
    if (status == AIBOX_OK)
        status = seal_text(batch->main.ring, &place, device->doc, &sealed, err);
    if (status == AIBOX_OK)
        status = sql_run(&batch->main,
                         "UPDATE device SET device_key = ?, updated_ms = ?, key_id = ?, nonce = ?, doc = ?"
                         " WHERE device_id = ?",
                         err, sql_text(device->device_key), sql_int(now_ms), sql_int(seal_key_id(batch->main.ring)),
                         sql_blob(sealed.nonce, sizeof sealed.nonce), sql_blob(sealed.bytes, sealed.size),
                         sql_text(device->device_id));
    free(sealed.bytes);
    return status;
}

static enum aibox_status run_save(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct save_job *job = arg;
    int64_t now_ms = clock_realtime_ms();
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < job->n && status == AIBOX_OK && job->create; i++)
        status = insert(batch, &job->devices[i], now_ms, err);
    for (size_t i = 0; i < job->n && status == AIBOX_OK && !job->create; i++)
        status = release_key(batch, &job->devices[i], err);
    for (size_t i = 0; i < job->n && status == AIBOX_OK && !job->create; i++)
        status = update(batch, &job->devices[i], now_ms, err);
    batch->deleted = true; /* an old doc may hold a password */
    return status == AIBOX_OK ? outbox_put_along(batch, job->messages, err) : status;
}

static enum aibox_status check_device(const struct store_device *device, struct aibox_error *err)
{
    enum aibox_status status = text_check("device_id", device->device_id, false, STORE_MAX_NAME, err);

    if (status == AIBOX_OK)
        status = text_check("device_key", device->device_key, false, STORE_MAX_DESCRIPTION, err);
    return status == AIBOX_OK ? text_check_object("device", device->doc, err) : status;
}

enum aibox_status store_devices_save(struct store *store, bool create, struct store_device *devices, size_t n,
                                     const struct store_messages *messages, struct aibox_error *err)
{
    struct save_job job = {create, devices, n, messages};
    enum aibox_status status = messages ? outbox_check(messages->items, messages->count, err) : AIBOX_OK;

    for (size_t i = 0; i < n && status == AIBOX_OK; i++)
        status = check_device(&devices[i], err);
    return status == AIBOX_OK && n > 0 ? writer_do(store->writer, CHANGE_SHARED, run_save, &job, err) : status;
}

/* ---- deleting ---------------------------------------------------------------------------------------- */

struct delete_job {
    const char *const *ids;
    size_t n;
    const struct store_messages *messages;
};

static enum aibox_status run_delete(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct delete_job *job = arg;
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++) {
        status = sql_run(&batch->main, "DELETE FROM device WHERE device_id = ?", err, sql_text(job->ids[i]));
        if (status == AIBOX_OK && sqlite3_changes(batch->main.db) == 0)
            status = error_set(err, AIBOX_NOT_FOUND, "no device %s", job->ids[i]);
    }
    batch->deleted = true;
    return status == AIBOX_OK ? outbox_put_along(batch, job->messages, err) : status;
}

enum aibox_status store_devices_delete(struct store *store, const char *const *device_ids, size_t n,
                                       const struct store_messages *messages, struct aibox_error *err)
{
    struct delete_job job = {device_ids, n, messages};
    enum aibox_status status = messages ? outbox_check(messages->items, messages->count, err) : AIBOX_OK;

    if (status != AIBOX_OK)
        return status;
    return n > 0 ? writer_do(store->writer, CHANGE_SHARED, run_delete, &job, err) : AIBOX_OK;
}
