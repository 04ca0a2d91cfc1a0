/*
 * What one video camera sees: from its frames to tracks, from tracks to decisions and events.
 *
 * Each frame: the detector looks at the whole, at one tile in turn and around small faces seen a moment ago; the faces
 * are assigned to tracks (flow/track.h); the tracks that need it most are looked at closer, and each such look is a
 * vote: embeddings add up, weighted by size and quality (flow/vote.h). From SCENE_VOTES votes on somebody known is
 * decided on at once; a stranger when the track ends or SCENE_STRANGER_MS after the first vote. One event for each
 * track; a stranger recognised later gets a second one that supersedes the first. A face that comes back after an
 * occlusion is joined with the track it was by its embedding.
 *
 * A crowd's scene decides on everybody. A gate's only on the largest face in the region, one after the other.
 *
 * One thread at a time, but for scene_tracks(): any thread.
 */
#ifndef AIBOX_FLOW_SCENE_H
#define AIBOX_FLOW_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "flow/flow.h"
#include "vision/image.h"

#define SCENE_VOTES       3
#define SCENE_STRANGER_MS 2000
#define SCENE_MAX_TRACKS  32 /* followed at a time; further faces are left out */

enum scene_kind { SCENE_CROWD, SCENE_GATE };

struct scene;

enum aibox_status scene_open(struct flow *flow, enum scene_kind kind, struct scene **out, struct aibox_error *err);
void scene_close(struct scene *scene); /* NULL is allowed */

/* Where the camera is, and what follows from its decisions; borrowed for the call. */
struct scene_place {
    const struct flow_place *place; /* as for flow_recognise(); its dedup_ms is also how long a track is remembered */
    flow_decided decided;           /* or NULL */
    void *decided_ctx;
};

struct scene_frame {
    const struct image *image;
    float scale;          /* pixels of the camera's frame for one of `image`: 1 or more */
    int64_t now_ms;       /* monotonic; never goes back */
    int64_t timestamp_ms; /* Unix time, for events */
};

/*
 * Looks at a frame; *faces: how many there are. Decisions are made and told, and their events durable, on return.
 * GROUP_NOT_LOADED while the flow isn't ready.
 */
enum aibox_status scene_look(struct scene *scene, const struct scene_place *place, const struct scene_frame *frame,
                             size_t *faces, struct aibox_error *err);
/* Time goes by without a frame: tracks end, and what waited for that is decided. */
void scene_rest(struct scene *scene, const struct scene_place *place, int64_t now_ms);

/* Somebody in the picture now. */
struct scene_track {
    uint64_t id;
    float box[4]; /* x1, y1, x2, y2, pixels of the camera's frame */
    bool decided;
    enum flow_reason reason; /* when decided, like the following */
    enum store_verdict verdict;
    float score;
    char identity_id[STORE_MAX_IDENTITY + 1]; /* of somebody known, else "" */
    char name[128];                           /* likewise, cut at a whole character */
};
size_t scene_tracks(struct scene *scene, struct scene_track *out, size_t max);

#endif
