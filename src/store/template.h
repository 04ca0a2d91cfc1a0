/* What the gallery needs of a person: features of one model set, and masks. */
#ifndef AIBOX_STORE_TEMPLATE_H
#define AIBOX_STORE_TEMPLATE_H

#include "store/labels.h"
#include "store/sql.h"
#include "store/store.h"

struct person_template {
    struct store_template state; /* points into this struct and into the caller's features */
    uint64_t groups[STORE_MAX_LABELS / 64];
    uint64_t permissions[STORE_MAX_LABELS / 64];
};

/* The committed state; `features`: room for STORE_MAX_FACES × STORE_DIMENSION. A deleted person has 0 faces.
 * `model_set` NULL: any. `out` must not move. */
enum aibox_status template_load(struct sql *sql, const struct label_map *labels, const char *model_set,
                                int64_t person_id, float *features, struct person_template *out,
                                struct aibox_error *err);

#endif
