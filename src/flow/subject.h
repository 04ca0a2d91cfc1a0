/*
 * Somebody before a camera: what the looks at one track, or at the tracks that turned out to be the same person's, have
 * given, and what was decided of it. Private to the room; one thread at a time.
 *
 * FRESH (nothing decided) → decided, by subject_decide(): known, or a stranger; a stranger may become known later, by
 * an event that supersedes the first. Never back.
 */
#ifndef AIBOX_FLOW_SUBJECT_H
#define AIBOX_FLOW_SUBJECT_H

#include "flow/scene.h"
#include "flow/sighting.h"
#include "flow/vote.h"

/* A JPEG of a whole scene, shared by those who were seen best in it. */
struct spot {
    size_t refs;
    uint8_t *jpeg;
    size_t size;
};
void spot_release(struct spot *spot); /* NULL is allowed */

struct subject {
    struct vote vote;
    struct generation *generation; /* in use: that of the votes; NULL: without votes, or away */
    struct flow_face best;         /* the look worth most; its embedding is that look's alone */
    float best_worth;              /* 0: no look yet */
    enum vote_kind best_kind;
    int64_t best_at_ms; /* Unix time */
    bool has_attributes;
    float age, male;
    struct spot *scene; /* pictures of the best look: this, or `around`, is the event's */
    uint8_t *around, *aligned;
    size_t around_size, aligned_size;
    int64_t first_look_ms, last_look_ms; /* monotonic; 0: never */
    unsigned contradictions;             /* looks one after the other that show somebody else */
    bool decided;
    enum flow_reason reason;
    enum store_verdict verdict;
    float score;
    char event_id[27];
    char identity_id[STORE_MAX_IDENTITY + 1];
    char name[128];
};

void subject_clear(struct flow *flow, struct subject *subject);
/* It is away, and may be so for long: nothing is decided on until the next look. */
void subject_rest(struct flow *flow, struct subject *subject);

/*
 * Takes a look into account: `image` is what `face` was found in. `scene` is made when it is needed and then shared.
 * `generation`: that looked at the face. An error leaves the subject as it was, but for the vote.
 */
enum aibox_status subject_take_look(struct flow *flow, struct subject *subject, struct generation *generation,
                                    const struct image *image, const struct flow_face *face, bool has_attributes,
                                    bool has_live, int64_t timestamp_ms, struct spot **scene, struct aibox_error *err);

/* `other` turned out to be the same person: its looks are taken over, and it is cleared. */
void subject_join(struct flow *flow, struct subject *subject, struct subject *other);

/*
 * Decides on what is known. Not known and not `final`: nothing happens, there may be better looks. A stranger decided
 * on before gets another event only when known now.
 */
enum aibox_status subject_decide(struct flow *flow, struct subject *subject, const struct scene_place *place,
                                 bool final, struct aibox_error *err);

#endif
