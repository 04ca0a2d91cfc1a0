/* Filling a data folder with people and events, straight through the store. */
#ifndef AIBOX_BENCH_POPULATE_H
#define AIBOX_BENCH_POPULATE_H

#include <stddef.h>

#include "core/status.h"

/*
 * Makes the folder and `people` in it, each with one face of `model_set` (embeddings that score as real ones do, see
 * tests/unit/gallery/synthetic.h) and no photo, members of default_group. PROCESS_FAILED.
 */
enum aibox_status populate(const char *data, const char *model_set, size_t people, struct aibox_error *err);

#define BENCH_CAMERAS    20 /* "bench-camera-0" … at 10.0.0.1 … */
#define BENCH_GROUPS     10 /* "site-0" …, a camera's by its number */
#define BENCH_EVENT_DAYS 90

/*
 * Adds `events` of the last BENCH_EVENT_DAYS days to a folder with `people`, each as the box writes it, with a feature
 * and without pictures: 85 % of enrolled people, the others strangers. Also the groups, changes in
 * the audit log, and events.keep, so that a box
 * which starts on the folder keeps them all. PROCESS_FAILED.
 */
enum aibox_status populate_events(const char *data, const char *model_set, size_t people, size_t events,
                                  struct aibox_error *err);

#endif
