/* Bulk import and export: /api/import, /api/export */
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/job_json.h"
#include "api/names.h"
#include "api/resources.h"
#include "core/log.h"
#include "flow/export.h"
#include "flow/jobs.h"

/* ---- POST /api/import --------------------------------------------------------------------------------------- */

static enum aibox_status check_groups(struct store *store, const struct name_list *groups, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < groups->count && status == AIBOX_OK; i++) {
        struct store_label label = {0};

        status = store_label_get(store, STORE_GROUP, groups->items[i], &label, err);
        store_label_free(&label);
    }
    return status;
}

static enum aibox_status import_people(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    const struct api_upload *upload = api_upload(req);
    struct import_options options = {.level = QUALITY_HIGH,
                                     .ignore_exist = api_bool(req, "ignore_exist"),
                                     .create_permissions = api_bool(req, "create_no_exit_permission"),
                                     .create_groups = api_bool(req, "create_groups"),
                                     .refuse_duplicate = !api_bool(req, "allow_duplicate")};
    struct name_list groups = {0};
    struct job_status job;
    enum aibox_status status = name_list_split(api_text(req, "group_name"), "group_name", &groups, err);

    (void)vision_quality_level_parse(api_text(req, "fiqa_level"), &options.level);
    if (status == AIBOX_OK && !options.create_groups)
        status = check_groups(ctx->store, &groups, err);
    options.groups = (const char *const *)groups.items;
    options.n_groups = groups.count;
    if (status == AIBOX_OK) {
        status = jobs_import_take(ctx->jobs, upload->path, upload->offset, upload->size, &options, &job, err);
        if (status == AIBOX_PARAM)
            error_prefix(err, "file");
    }
    if (status == AIBOX_OK)
        job_json_answer(api_body(res), &job);
    name_list_free(&groups);
    return status;
}

/* ---- GET /api/export ---------------------------------------------------------------------------------------- */

struct export_answer {
    struct store *store;
    const char *folder; /* the server's */
    char *group;        /* owned; NULL: everybody */
    struct api_stream *stream;
};

static bool write_piece(void *ctx, const void *bytes, size_t size)
{
    const struct export_answer *answer = ctx;

    return api_stream_write(answer->stream, bytes, size);
}

static bool produce(void *ctx, struct api_stream *stream)
{
    struct export_answer *answer = ctx;
    struct export_request request = {
        .store = answer->store, .group = answer->group, .folder = answer->folder, .write = write_piece, .ctx = answer};
    struct aibox_error err = {0};

    answer->stream = stream;
    if (export_people(&request, &err) == AIBOX_OK)
        return true;
    log_warn("api", "an export was not finished reason=\"%s\"", err.message);
    return false;
}

static void free_answer(void *ctx)
{
    struct export_answer *answer = ctx;

    free(answer->group);
    free(answer);
}

static enum aibox_status export_all(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    const char *group = api_text(req, "group_name");
    struct store_label label = {0};
    struct export_answer *answer;
    enum aibox_status status = AIBOX_OK;

    if (group)
        status = store_label_get(ctx->store, STORE_GROUP, group, &label, err);
    store_label_free(&label);
    if (status != AIBOX_OK)
        return status;
    answer = calloc(1, sizeof *answer);
    if (answer && group)
        answer->group = strdup(group);
    if (!answer || (group && !answer->group)) {
        free(answer);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    answer->store = ctx->store;
    answer->folder = ctx->upload_dir;
    api_reply_file_name(res, "people", "zip");
    api_reply_stream_take(res, "application/zip", produce, answer, free_answer);
    return AIBOX_OK;
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

static const struct api_field import_fields[] = {
    {.name = "group_name",
     .type = API_TEXT,
     .default_text = "",
     .max = 65536,
     .help = "Groups, separated by ',', of those of whom the archive says none; '' is default_group."},
    {.name = "fiqa_level",
     .type = API_CHOICE,
     .default_text = "high",
     .choices = "high|middle|low|custom|no",
     .help = "How strictly the photos' quality is judged; no: a face is enough."},
    {.name = "ignore_exist",
     .type = API_BOOL,
     .default_text = "true",
     .help =
         "True: people who were there before are brought up to date and get another face; false: they are refused."},
    {.name = "create_no_exit_permission",
     .type = API_BOOL,
     .default_text = "false",
     .help = "Unknown permission groups: true creates them, false refuses the person."},
    {.name = "create_groups",
     .type = API_BOOL,
     .default_text = "false",
     .help = "Unknown groups: true creates them, false refuses the person."},
    {.name = "allow_duplicate",
     .type = API_BOOL,
     .default_text = "true",
     .help = "False: faces that are somebody else's already are refused; true: the results say whose (duplicate)."},
};

static const struct api_field export_fields[] = {
    {.name = "group_name", .type = API_TEXT, .max = 1024, .help = "Members of this group; absent: everybody."},
};

static const struct api_upload_rules archive = {
    .name = "file",
    .content_types = "application/zip|application/x-zip-compressed|application/octet-stream",
    .limit_setting = "import.max_mib",
};

const struct api_endpoint api_import_endpoints[] = {
    {.method = "POST",
     .path = "/api/import",
     .encodings = API_QUERY | API_BODY_UPLOAD,
     .role = API_OPERATOR,
     .fields = import_fields,
     .n_fields = sizeof import_fields / sizeof import_fields[0],
     .handler = import_people,
     .tag = "import",
     .summary = "Enrol people from a ZIP archive of photos; goes on as a job behind the answer",
     .upload = &archive},
    {.method = "GET",
     .path = "/api/export",
     .encodings = API_QUERY,
     .role = API_OPERATOR,
     .fields = export_fields,
     .n_fields = sizeof export_fields / sizeof export_fields[0],
     .handler = export_all,
     .tag = "import",
     .summary = "People with photos as a ZIP archive that POST /api/import reads",
     .audit = API_AUDIT_ALWAYS},
};
const size_t api_import_count = sizeof api_import_endpoints / sizeof api_import_endpoints[0];
