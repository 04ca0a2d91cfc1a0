/* Enrolling a folder of pictures over several connections. */
#ifndef AIBOXCTL_ENROL_H
#define AIBOXCTL_ENROL_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "box.h"
#include "folder.h"
#include "progress.h"

#define ENROL_MAX_JOBS 64

struct enrol_options {
    const struct box_address *address;
    const char *groups; /* separated by ','; "" = default_group */
    const char *fiqa_level;
    bool update;  /* people who exist already are given the pictures as further faces */
    bool dry_run; /* nothing is changed: pictures are judged, ids looked up */
    size_t jobs;  /* connections, 1..ENROL_MAX_JOBS */
};

struct enrol_result {
    size_t people;    /* with at least one picture taken */
    size_t pictures;  /* taken */
    size_t failed;    /* not taken */
    size_t left;      /* not tried: stopped before */
    json_t *failures; /* [{file, code, message}]; a reference of the caller */
    double seconds;
    struct aibox_error fatal; /* status not OK: why nothing more was tried */
};

/*
 * Enrols everybody in the folder; one person's pictures go one after the other over one connection. Says every failure
 * on stderr as it happens, and how far it is. Ends early, after the pictures under way, when *stop becomes true or the
 * box can't be talked to any more. PROCESS_FAILED: could not start; *result is empty then.
 */
enum aibox_status enrol_folder(const struct folder *folder, const struct enrol_options *options,
                               const atomic_bool *stop, struct enrol_result *result, struct aibox_error *err);

#endif
