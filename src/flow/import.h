/*
 * Bulk enrolment from a ZIP archive: photos named as photo_name.h says, or a table of people with photos named in it.
 * What may be in it, and what is made of it: docs/import.md. Runs in the background of everything else: people at doors
 * go first, by FLOW_BULK.
 */
#ifndef AIBOX_FLOW_IMPORT_H
#define AIBOX_FLOW_IMPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "flow/flow.h"
#include "store/store.h"

/* Photos, or rows of a table without one, of an import. */
enum import_outcome { IMPORT_PENDING, IMPORT_CREATED, IMPORT_UPDATED, IMPORT_UNCHANGED, IMPORT_FAILED };

struct import_options {
    const char *const *groups; /* of those of whom the archive says no group; must exist, or create_groups */
    size_t n_groups;
    enum vision_quality_level level;
    bool ignore_exist;       /* people who were there when the import began are brought up to date, else refused */
    bool create_permissions; /* unknown permission groups are created, else refused */
    bool create_groups;      /* the same for groups */
    bool refuse_duplicate;   /* faces that are somebody else's already are refused, else told */
};

/* Valid during the call. */
struct import_result {
    size_t item; /* 0 … total - 1 */
    enum import_outcome outcome;
    const char *file;        /* path in the archive, or "people.csv:12": UTF-8 as far as that could be made out */
    const char *identity_id; /* "" when it could not be told */
    enum aibox_status status;
    const char *message; /* "" unless failed */
    const struct flow_duplicate *duplicate;
};

/* Who wants to know. All are called on the thread that runs the import; a failure of theirs ends it. */
struct import_sink {
    void *ctx;
    /* How many items there are. `ignored`: files that are none. */
    enum aibox_status (*begin)(void *ctx, size_t total, size_t ignored, struct aibox_error *err);
    bool (*wanted)(void *ctx, size_t item); /* false: it was done before */
    enum aibox_status (*result)(void *ctx, const struct import_result *result, struct aibox_error *err);
};

struct import_request {
    struct store *store;
    struct flow *flow;
    const char *path; /* file that holds the archive, from `offset` on */
    uint64_t offset, size;
    struct import_options options;
    int64_t since_ms;        /* people created before were there when the import began */
    size_t in_flight;        /* photos worked on at a time, 1 to 64 */
    const atomic_bool *stop; /* no further item is begun */
    struct import_sink sink;
};

/* Whether the archive can be read at all: PARAM with what is wrong with it. */
enum aibox_status import_check(const char *path, uint64_t offset, uint64_t size, struct aibox_error *err);

/* Works off all wanted items, or as many as there were until `stop`. The same archive gives the same items in the same
 * order each time. PARAM: archive or table can't be read; else as the sink says. */
enum aibox_status import_run(const struct import_request *request, struct aibox_error *err);

#endif
