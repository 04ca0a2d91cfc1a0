/* Jobs: /api/jobs */
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/job_json.h"
#include "api/names.h"
#include "api/resources.h"
#include "flow/jobs.h"

static enum aibox_status list_jobs(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    struct job_status *jobs;
    size_t count;
    enum aibox_status status = jobs_list(ctx->jobs, &jobs, &count, err);

    (void)req;
    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key(out, "jobs_list");
    json_out_array_begin(out);
    for (size_t i = 0; i < count; i++) {
        json_out_object_begin(out);
        job_json_members(out, &jobs[i]);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    json_out_object_end(out);
    json_out_object_end(out);
    free(jobs);
    return AIBOX_OK;
}

static void print_result(void *ctx, const char *json)
{
    json_out_raw(ctx, json);
}

static enum aibox_status get_job(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                 struct aibox_error *err)
{
    const char *only = api_text(req, "only");
    size_t skip = (size_t)api_int(req, "skip_num"), limit = (size_t)api_int(req, "limit"), total = 0;
    struct json_out *out = api_body(res);
    struct job_status job;
    enum aibox_status status = jobs_get(ctx->jobs, api_text(req, "id"), &job, err);

    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    job_json_members(out, &job);
    json_out_key(out, "results");
    json_out_array_begin(out);
    status = jobs_results(ctx->jobs, job.id, only && strcmp(only, "failed") == 0, skip, limit, print_result, out,
                          &total, err);
    json_out_array_end(out);
    names_json_pagination(out, skip, limit, total);
    json_out_object_end(out);
    json_out_object_end(out);
    return status;
}

static enum aibox_status cancel_job(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    struct job_status job;
    enum aibox_status status = jobs_cancel(ctx->jobs, api_text(req, "id"), &job, err);

    if (status == AIBOX_OK)
        job_json_answer(api_body(res), &job);
    return status;
}

static enum aibox_status retry_job(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    struct job_status job;
    enum aibox_status status = jobs_retry(ctx->jobs, api_text(req, "id"), &job, err);

    if (status == AIBOX_OK)
        job_json_answer(api_body(res), &job);
    return status;
}

static const struct api_field get_fields[] = {
    {.name = "only", .type = API_CHOICE, .choices = "failed", .help = "failed: only the files that failed."},
    {.name = "limit", .type = API_INT, .default_text = "100", .min = 1, .max = 1000, .help = "Results at most."},
    {.name = "skip_num", .type = API_INT, .default_text = "0", .min = 0, .max = 1e9, .help = "Results to skip."},
};

const struct api_endpoint api_jobs_endpoints[] = {
    {.method = "GET",
     .path = "/api/jobs",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .handler = list_jobs,
     .tag = "import",
     .summary = "Jobs, the newest first"},
    {.method = "GET",
     .path = "/api/jobs/{id}",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .fields = get_fields,
     .n_fields = sizeof get_fields / sizeof get_fields[0],
     .handler = get_job,
     .tag = "import",
     .summary = "A job's progress, and what became of each file"},
    {.method = "DELETE",
     .path = "/api/jobs/{id}",
     .encodings = API_QUERY,
     .role = API_OPERATOR,
     .handler = cancel_job,
     .tag = "import",
     .summary = "Cancel a job; remove one that has ended, with its results"},
    {.method = "POST",
     .path = "/api/jobs/{id}/retry",
     .encodings = API_QUERY,
     .role = API_OPERATOR,
     .handler = retry_job,
     .tag = "import",
     .summary = "Do the files of a job again that failed"},
};
const size_t api_jobs_count = sizeof api_jobs_endpoints / sizeof api_jobs_endpoints[0];
