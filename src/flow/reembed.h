/*
 * Model sets: which one the box recognises with, and getting ready for another.
 *
 * In the models folder lies the shipped set, and other sets in folders of their own. `recognition.model_set` names the
 * one that is wanted ("": the shipped one). While another is in force, a thread of low priority embeds all enrolled
 * faces from their photos with the wanted set, beside everything else:
 *
 *   IDLE (wanted = in force) ──the setting──► PREPARING ──all done──► READY ──the next start──► IDLE
 *                                                 └──set can't be used──► FAILED ──the setting──► …
 *
 * The features of both sets are kept, so that the way back needs no work. Interrupted, it goes on with what is
 * lacking. At the start the box takes the wanted set if it was READY, else it goes on with the one before. In IDLE,
 * faces that lack a feature of the set in force (its files were changed in place) are embedded in the same way.
 */
#ifndef AIBOX_FLOW_REEMBED_H
#define AIBOX_FLOW_REEMBED_H

#include "flow/flow.h"

struct reembed;

/* The folder of the set to start with, into `out`. Writes down what was decided. PROCESS_FAILED: path too long. */
enum aibox_status reembed_choose(struct settings *settings, struct store *store, const char *models_dir, char *out,
                                 size_t size, struct aibox_error *err);

/* Starts the thread. All of these outlive it. */
enum aibox_status reembed_open(struct flow *flow, const char *models_dir, struct reembed **out,
                               struct aibox_error *err);
void reembed_close(struct reembed *reembed); /* NULL allowed */

void reembed_get(struct reembed *reembed, struct flow_model_sets *out);

#endif
