/* Filling a data folder with people, straight through the store. */
#ifndef AIBOX_BENCH_POPULATE_H
#define AIBOX_BENCH_POPULATE_H

#include <stddef.h>

#include "core/status.h"

/*
 * Makes the folder and `people` in it, each with one face of `model_set` (embeddings that score as real ones do, see
 * tests/unit/gallery/synthetic.h) and no photo, members of default_group. PROCESS_FAILED.
 */
enum aibox_status populate(const char *data, const char *model_set, size_t people, struct aibox_error *err);

#endif
