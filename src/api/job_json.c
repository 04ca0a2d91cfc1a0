#include "api/job_json.h"

static void print_time(struct json_out *out, const char *key, int64_t time_ms)
{
    json_out_key(out, key);
    if (time_ms == 0)
        json_out_null(out);
    else
        json_out_int(out, time_ms);
}

void job_json_members(struct json_out *out, const struct job_status *job)
{
    json_out_key_text(out, "job_id", job->id);
    json_out_key_text(out, "type", "import");
    json_out_key_text(out, "state", job_state_names[job->state]);
    print_time(out, "created", job->created_ms);
    print_time(out, "started", job->started_ms);
    print_time(out, "ended", job->ended_ms);
    json_out_key(out, "progress");
    json_out_object_begin(out);
    json_out_key_int(out, "total", (int64_t)job->total);
    json_out_key_int(out, "done", (int64_t)job->done);
    json_out_key_int(out, "failed", (int64_t)job->failed);
    json_out_key_int(out, "ignored", (int64_t)job->ignored);
    json_out_object_end(out);
    json_out_key_bool(out, "can_retry", job->can_retry);
    json_out_key(out, "error");
    if (job->error.status == AIBOX_OK) {
        json_out_null(out);
        return;
    }
    json_out_object_begin(out);
    json_out_key_int(out, "code", status_code(job->error.status));
    json_out_key_text(out, "message", job->error.message);
    json_out_key_text(out, "status", status_name(job->error.status));
    json_out_object_end(out);
}

void job_json_answer(struct json_out *out, const struct job_status *job)
{
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    job_json_members(out, job);
    json_out_object_end(out);
    json_out_object_end(out);
}
