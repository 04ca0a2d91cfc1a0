/*
 * A face that was looked at, on its way to a decision and its event: the part of the way that uploads and the tracks of
 * video cameras share. In this order: read_place, search, name, conclude. Private to the room.
 */
#ifndef AIBOX_FLOW_SIGHTING_H
#define AIBOX_FLOW_SIGHTING_H

#include "flow/flow_internal.h"

struct sighting {
    struct flow *flow;
    const struct generation *generation; /* that looked at the face, and searches for it; in use until the end */
    const struct flow_probe *probe;      /* where and when; the picture in it is not looked at */
    struct flow_decision *decision;      /* its face is looked at already; `action` is not NULL */
    /* Pictures of the event: scene (or face with surroundings) and aligned face; NULL: none. */
    const uint8_t *spot, *face;
    size_t spot_size, face_size;
    const char *supersedes; /* event id, or NULL */
    struct aibox_error *err;
    /* Between the steps. */
    struct gallery_labels groups, permissions;
    struct gallery_filter filter;
    struct gallery_result result;
};

/* Looks the place's labels up. NOT_FOUND, EMPTY_GROUP. */
enum aibox_status sighting_read_place(struct sighting *sighting);
/* Any thread, also a worker's. */
enum aibox_status sighting_search(struct sighting *sighting);
/* Fills person, score, threshold, margin, verdict and best of the decision from the search; nothing follows from it. */
enum aibox_status sighting_name(struct sighting *sighting);
/* Decides, tells it, makes the event and counts. */
enum aibox_status sighting_conclude(struct sighting *sighting);

/*
 * The pictures of an event (malloc, the caller frees) from the picture that the located `face` was found in.
 * `keep_scene`: where the whole scene is wanted, *spot stays NULL, for the caller has it as a JPEG.
 */
enum aibox_status sighting_pictures(struct flow *flow, const struct image *image, const struct vision_face *face,
                                    bool keep_scene, uint8_t **spot, size_t *spot_size, uint8_t **aligned,
                                    size_t *aligned_size, struct aibox_error *err);

/* The whole scene as an event keeps it. */
enum aibox_status sighting_scene(const struct image *image, uint8_t **jpeg, size_t *size, struct aibox_error *err);

#endif
