/* Embeddings of people with and without a drawn mask, out of the vision room's own chain: each picture is drawn on as a
 * whole and then looked at as if a camera had sent it. */
#ifndef AIBOX_MASK_SAMPLES_H
#define AIBOX_MASK_SAMPLES_H

#include "accuracy.h"
#include "mask_draw.h"

enum sample_kind {
    SAMPLE_BARE,
    SAMPLE_BARE_ONE_VIEW,
    SAMPLE_MASKED,
    SAMPLE_MASKED_ONE_VIEW,
    SAMPLE_DECOY, /* of every second picture */
    SAMPLE_BELOW_NOSE,
    SAMPLE_KINDS /* as many samples of each picture */
};

struct sample {
    size_t picture;
    enum sample_kind kind;
    struct mask_style style; /* of the masked ones */
    enum mask_decoy decoy;
    bool found;                        /* a face was found and embedded */
    float norm;                        /* of the embedding, before it was made this: */
    float embedding[VISION_DIMENSION]; /* of length 1 */
};

/* SAMPLE_KINDS for each picture of the data set, in its order; the caller frees. NULL: said why. */
struct sample *samples_make(const struct dataset *data, const struct vision *vision, size_t threads, uint64_t seed);

/* One picture with a mask: detected, located and drawn on; false with *found false: no face in it. */
bool samples_draw(struct vision_worker *worker, struct image *image, const struct mask_style *style, bool *found);

#endif
