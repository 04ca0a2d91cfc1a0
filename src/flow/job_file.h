/* A job on disk: its folder and job.json in it. */
#ifndef AIBOX_FLOW_JOB_FILE_H
#define AIBOX_FLOW_JOB_FILE_H

#include "flow/jobs.h"

#define JOB_MAX_GROUPS 1000

/* What is kept of a job. */
struct job_record {
    struct job_status status;
    uint64_t offset, size; /* of the archive in the upload */
    char **groups;         /* import_options, owned */
    size_t n_groups;
    enum vision_quality_level level;
    bool ignore_exist, create_permissions, create_groups, refuse_duplicate;
};

/* Copies the options into the record. PROCESS_FAILED: out of memory. */
enum aibox_status job_record_set_options(struct job_record *record, const struct import_options *options,
                                         struct aibox_error *err);
void job_record_options(const struct job_record *record, struct import_options *out);
void job_record_free(struct job_record *record);

/* Durable at return, or as it was. */
enum aibox_status job_record_write(const char *folder, const struct job_record *record, struct aibox_error *err);
/* PROCESS_FAILED: not there, or not ours. The counts of items are not in it. */
enum aibox_status job_record_read(const char *folder, struct job_record *out, struct aibox_error *err);

/* Path of a file of the folder. False: too long. */
bool job_path(const char *folder, const char *name, char *out, size_t size);
/* Removes a folder with its files (no folders in it). */
void job_folder_remove(const char *folder);

#define JOB_UPLOAD  "upload"
#define JOB_RESULTS "results"

#endif
