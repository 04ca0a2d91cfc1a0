/*
 * What several looks at one face say together. A look counts by the face's area and quality; what is worth less than
 * the best kind seen so far doesn't count at all: faint embeddings, then faces with a mask or below the place's quality
 * level. Pure.
 */
#ifndef AIBOX_FLOW_VOTE_H
#define AIBOX_FLOW_VOTE_H

#include <stdbool.h>

#include "flow/flow.h"

enum vote_kind { VOTE_FAINT, VOTE_POOR, VOTE_GOOD };

struct vote {
    enum vote_kind kind;              /* of those that count */
    char model_set[VISION_MODEL_SET]; /* of those that count: looks of another one begin anew */
    unsigned count;                   /* of them; 0: none yet */
    double weight;
    double sum[VISION_DIMENSION]; /* of raw embeddings times weight */
    unsigned live_count;
    float live_sum;
};

enum vote_kind vote_kind_of(const struct flow_face *face);

/* How good a picture it is of its kind: the length of the embedding first, the size second. Comparable among looks. */
float vote_worth(const struct flow_face *face);

/* False: it doesn't count. */
bool vote_add(struct vote *vote, const struct flow_face *face);
/* The liveness of a look, whatever its kind. */
void vote_add_live(struct vote *vote, float live);

/* Adds what `other`, of the same person, says. */
void vote_merge(struct vote *vote, const struct vote *other);

/* The mean embedding; its length is returned, 0 without votes. */
float vote_embedding(const struct vote *vote, float out[VISION_DIMENSION]);
/* Mean liveness; NAN without. */
float vote_live(const struct vote *vote);

/* Cosine of the mean and another embedding or mean; 0 when one is empty. */
float vote_likeness(const struct vote *vote, const float embedding[VISION_DIMENSION]);

#endif
