/* Names of model sets: their folders, and what the box remembers of them. Private to the room. */
#ifndef AIBOX_FLOW_MODEL_SET_NAMES_H
#define AIBOX_FLOW_MODEL_SET_NAMES_H

#include "flow/model_sets.h"

/* Document "model_set" of the store. */
struct model_set_names {
    char active[MODEL_SET_NAME];
    char wanted[MODEL_SET_NAME]; /* "": none */
    bool paused;                 /* its preparation */
    bool switch_when_ready, allow_missing;
    char previous[MODEL_SET_NAME]; /* "": none */
    char previous_id[VISION_MODEL_SET];
    int64_t switched_ms;
};

/* False: the name is none of a folder inside the models folder, or too long. */
bool model_set_folder(const char *models_dir, const char *name, char *out, size_t size);

/* *known false: nothing was written down so far; the shipped set is active then. */
enum aibox_status model_set_names_read(struct store *store, struct model_set_names *out, bool *known,
                                       struct aibox_error *err);
enum aibox_status model_set_names_write(struct store *store, const struct model_set_names *names,
                                        struct aibox_error *err);

/* The names of sets in the models folder that have a manifest: the shipped one first, then in order. */
size_t model_set_names_list(const char *models_dir, char names[MODEL_SETS_MAX][MODEL_SET_NAME]);

#endif
