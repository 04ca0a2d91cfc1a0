/* Backup and restore: /api/backup, /api/restore */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/endpoint.h"
#include "api/resources.h"
#include "backup/backup.h"
#include "core/log.h"

#define PIECE ((size_t)256 << 10)

static void write_status(struct json_out *out, const struct backup_status *status)
{
    json_out_object_begin(out);
    json_out_key_text(out, "state", backup_state_names[status->state]);
    if (status->state != BACKUP_NONE) {
        json_out_key_text(out, "backup_id", status->id);
        json_out_key_int(out, "created_at", status->created_ms);
        json_out_key_bool(out, "events", status->with_events);
        json_out_key_float(out, "progress", status->done);
    }
    if (status->state == BACKUP_READY)
        json_out_key_int(out, "size", (int64_t)status->size);
    if (status->state == BACKUP_FAILED)
        json_out_key_text(out, "message", status->error.message);
    json_out_object_end(out);
}

static void answer_status(struct api_response *res, const struct backup_status *status)
{
    struct json_out *out = api_body(res);

    json_out_object_begin(out);
    json_out_key(out, "data");
    write_status(out, status);
    json_out_object_end(out);
}

/* ---- /api/backup ------------------------------------------------------------------------------------------------- */

static enum aibox_status start_backup(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    struct backup_status now;
    enum aibox_status status = backup_start(ctx->backup, api_text(req, "password"), api_bool(req, "events"), &now, err);

    if (status == AIBOX_OK)
        answer_status(res, &now);
    return status;
}

static enum aibox_status show_backup(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct backup_status now;

    (void)req;
    (void)err;
    backup_status_get(ctx->backup, &now);
    answer_status(res, &now);
    return AIBOX_OK;
}

struct download {
    int fd;
};

static bool send_file(void *ctx, struct api_stream *stream)
{
    const struct download *download = ctx;
    uint8_t *piece = malloc(PIECE);
    bool going = piece != NULL;
    ssize_t n = going ? 1 : 0;

    while (going && n > 0) {
        n = read(download->fd, piece, PIECE);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n < 0)
            going = false;
        else if (n > 0)
            going = api_stream_write(stream, piece, (size_t)n);
    }
    free(piece);
    return going;
}

static void free_download(void *ctx)
{
    struct download *download = ctx;

    close(download->fd);
    free(download);
}

static enum aibox_status download_backup(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                         struct aibox_error *err)
{
    struct download *download = malloc(sizeof *download);
    uint64_t size;

    if (!download)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = backup_file(ctx->backup, api_text(req, "backup_id"), &download->fd, &size, err);
    if (status != AIBOX_OK) {
        free(download);
        return status;
    }
    api_reply_file_name(res, "aibox", "aiboxbackup");
    api_reply_stream_take(res, "application/octet-stream", send_file, download, free_download);
    return AIBOX_OK;
}

static enum aibox_status delete_backup(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    backup_clear(ctx->backup);
    return show_backup(ctx, req, res, err);
}

/* ---- /api/restore ------------------------------------------------------------------------------------------------ */

static enum aibox_status upload_backup(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    const struct api_upload *upload = api_upload(req);
    char id[ID_ULID_SIZE];
    enum aibox_status status = backup_restore_take(ctx->backup, upload->path, upload->offset, id, err);

    if (status != AIBOX_OK)
        return status;
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_text(out, "restore_id", id);
    json_out_key_int(out, "size", (int64_t)upload->size);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static enum aibox_status restore(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                 struct aibox_error *err)
{
    struct backup_contents contents;
    bool confirm = api_bool(req, "confirm");
    enum aibox_status status = backup_restore(ctx->backup, api_text(req, "restore_id"), api_text(req, "password"),
                                              confirm, api_bool(req, "accounts"), &contents, err);

    if (status != AIBOX_OK)
        return status;
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_int(out, "created_at", contents.created_ms);
    json_out_key_text(out, "box_name", contents.box_name);
    json_out_key_text(out, "version", contents.version);
    json_out_key_int(out, "people", (int64_t)contents.people);
    json_out_key_int(out, "events", (int64_t)contents.events);
    json_out_key_bool(out, "with_events", contents.with_events);
    json_out_key_bool(out, "restoring", confirm);
    json_out_object_end(out);
    json_out_object_end(out);
    if (confirm)
        ctx->restart();
    return AIBOX_OK;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const struct api_field start_fields[] = {
    {.name = "password",
     .type = API_TEXT,
     .flags = API_REQUIRED,
     .max = BACKUP_PASSWORD_MAX,
     .help = "Encrypts the backup; at least 12 characters. Without it nobody can restore the backup."},
    {.name = "events",
     .type = API_BOOL,
     .default_text = "true",
     .help = "True: with events and their pictures; false: people, devices and settings only."},
};

static const struct api_field download_fields[] = {
    {.name = "backup_id", .type = API_TEXT, .flags = API_REQUIRED, .max = 64, .help = "As GET /api/backup tells it."},
};

static const struct api_field restore_fields[] = {
    {.name = "restore_id",
     .type = API_TEXT,
     .flags = API_REQUIRED,
     .max = 64,
     .help = "Of the uploaded backup, as POST /api/restore told it."},
    {.name = "password",
     .type = API_TEXT,
     .flags = API_REQUIRED,
     .max = BACKUP_PASSWORD_MAX,
     .help = "The backup was encrypted with it."},
    {.name = "confirm",
     .type = API_BOOL,
     .default_text = "false",
     .help = "False: only tells what the backup holds; true: it replaces everything that the box keeps."},
    {.name = "accounts",
     .type = API_BOOL,
     .default_text = "false",
     .help = "True: accounts, API keys and the audit log are replaced, too; false: they stay as they are."},
};

static const struct api_upload_rules backup_upload = {
    .name = "file",
    .content_types = "application/octet-stream",
    .limit_setting = "backup.max_mib",
};

const struct api_endpoint api_backup_endpoints[] = {
    {.method = "POST",
     .path = "/api/backup",
     .encodings = API_BODY_JSON,
     .role = API_ADMIN,
     .fields = start_fields,
     .n_fields = sizeof start_fields / sizeof start_fields[0],
     .handler = start_backup,
     .tag = "backup",
     .summary = "Make an encrypted backup behind the answer; it replaces the last one that the box keeps",
     .example = "{\"password\": \"correct horse battery\", \"events\": true}"},
    {.method = "GET",
     .path = "/api/backup",
     .encodings = API_QUERY,
     .role = API_ADMIN,
     .handler = show_backup,
     .tag = "backup",
     .summary = "How the backup is doing: none, running with its progress, ready, or failed with the reason"},
    {.method = "GET",
     .path = "/api/backup/{backup_id}",
     .encodings = API_QUERY,
     .role = API_ADMIN,
     .fields = download_fields,
     .n_fields = sizeof download_fields / sizeof download_fields[0],
     .handler = download_backup,
     .tag = "backup",
     .summary = "The file of a backup that is ready; the box keeps it for a day",
     .audit = API_AUDIT_ALWAYS},
    {.method = "DELETE",
     .path = "/api/backup",
     .encodings = API_BODY_JSON,
     .role = API_ADMIN,
     .handler = delete_backup,
     .tag = "backup",
     .summary = "Stop the backup that is being made; delete the one that is kept, and an uploaded one",
     .example = "{}"},
    {.method = "POST",
     .path = "/api/restore",
     .encodings = API_QUERY | API_BODY_UPLOAD,
     .role = API_ADMIN,
     .handler = upload_backup,
     .tag = "backup",
     .summary = "Upload a backup; nothing is changed by it",
     .upload = &backup_upload},
    {.method = "PUT",
     .path = "/api/restore",
     .encodings = API_BODY_JSON,
     .role = API_ADMIN,
     .fields = restore_fields,
     .n_fields = sizeof restore_fields / sizeof restore_fields[0],
     .handler = restore,
     .tag = "backup",
     .summary = "Look into an uploaded backup or, with confirm, restore it: the box starts anew, which takes seconds",
     .example = "{\"restore_id\": \"01JD…\", \"password\": \"correct horse battery\", \"confirm\": true}"},
};
const size_t api_backup_count = sizeof api_backup_endpoints / sizeof api_backup_endpoints[0];
