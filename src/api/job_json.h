/* Jobs as the wire knows them. */
#ifndef AIBOX_API_JOB_JSON_H
#define AIBOX_API_JOB_JSON_H

#include "core/json_out.h"
#include "flow/jobs.h"

/* The members of a job, inside an object. */
void job_json_members(struct json_out *out, const struct job_status *job);
/* {"data": {job}} */
void job_json_answer(struct json_out *out, const struct job_status *job);

#endif
