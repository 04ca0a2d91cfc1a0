/*
 * The journal of an import: what became of each item, a line each, appended as it happens. The last line of an item
 * counts. It outlives the process: an item that is in it was done and is not done again; one that was done a moment
 * before the power went, and isn't, is done twice, which changes nothing (import_person_enrol()).
 *
 * The thread that runs the import adds; any thread may read.
 */
#ifndef AIBOX_FLOW_IMPORT_RESULTS_H
#define AIBOX_FLOW_IMPORT_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "flow/import.h"

struct import_results;

/* Opens or makes the file. `total`: items. A last line that is not whole is not there. */
enum aibox_status import_results_open(const char *path, size_t total, struct import_results **out,
                                      struct aibox_error *err);
void import_results_close(struct import_results *results);

enum aibox_status import_results_add(struct import_results *results, const struct import_result *result,
                                     struct aibox_error *err);
/* All that failed is to be done again. */
enum aibox_status import_results_reopen_failed(struct import_results *results, struct aibox_error *err);
/* Durable at return. */
enum aibox_status import_results_sync(struct import_results *results, struct aibox_error *err);

bool import_results_pending(struct import_results *results, size_t item);
void import_results_count(struct import_results *results, size_t *done, size_t *failed);

/* Items with a result, by number, each as the text of a JSON object: {file, identity_id, outcome, code, status,
 * message, and duplicate {identity_id, name, score} when the face is somebody else's}. `total`: before skip and limit.
 */
enum aibox_status import_results_page(struct import_results *results, bool only_failed, size_t skip, size_t limit,
                                      void (*each)(void *ctx, const char *json), void *ctx, size_t *total,
                                      struct aibox_error *err);

#endif
