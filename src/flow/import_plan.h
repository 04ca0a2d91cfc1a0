/*
 * What is to be done with an archive: a list of items, the same each time it is made. An item is a photo of a person,
 * or a row of the table without one. The items of one person lie side by side, in the order in which they are to be
 * done.
 */
#ifndef AIBOX_FLOW_IMPORT_PLAN_H
#define AIBOX_FLOW_IMPORT_PLAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "flow/import_archive.h"
#include "flow/import_person.h"

#define IMPORT_MAX_ITEMS 200000u
#define IMPORT_MAX_TABLE ((size_t)256 << 20) /* bytes of people.csv */

struct import_plan;

/* The archive must outlive the plan. PARAM: the table can't be read, too many items, nothing to do. */
enum aibox_status import_plan_make(struct import_archive *archive, const atomic_bool *stop, struct import_plan **out,
                                   struct aibox_error *err);
void import_plan_free(struct import_plan *plan);

size_t import_plan_count(const struct import_plan *plan);
size_t import_plan_ignored(const struct import_plan *plan); /* files that are no item's */
/* Items of one person have the same number; those of nobody one each. */
size_t import_plan_person(const struct import_plan *plan, size_t item);

struct import_task {
    char file[IMPORT_MAX_NAME + 32]; /* "a/b.jpg", or "people.csv:12" */
    struct import_person person;
    bool has_entry;
    size_t entry; /* of the photo */
};
/* One item in full; `out` is to be freed in any case, and has `file` in any case. PARAM: what the item says can't be,
 * or its photo is not in the archive. One thread at a time. */
enum aibox_status import_plan_task(struct import_plan *plan, size_t index, struct import_task *out,
                                   struct aibox_error *err);
void import_task_free(struct import_task *task);

#endif
