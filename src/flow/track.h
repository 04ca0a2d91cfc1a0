/*
 * Which face of this frame is which of the last: tracks of boxes, without a look at the pixels.
 *
 * A track moves on with constant velocity; a face belongs to the track whose predicted box it fits best, by overlap and
 * distance of the centres (DIoU: Zheng et al., "Distance-IoU Loss", AAAI 2020). Sure faces are assigned first, and what
 * is left of the tracks then takes doubtful ones, which begin no track of their own (ByteTrack: Zhang et al., ECCV
 * 2022). Pure: no clock, no memory of its own; one thread at a time.
 */
#ifndef AIBOX_FLOW_TRACK_H
#define AIBOX_FLOW_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACKS_MAX     32
#define TRACK_GONE_MS  1000  /* a track that has no face for so long has ended */
#define TRACK_SURE     0.65f /* score of the detector from which on a face is sure */
#define TRACK_DOUBTFUL 0.45f /* below: not looked at */

struct track {
    uint64_t id;       /* from 1, never used twice by a tracker; 0: a free place */
    float box[4];      /* x1, y1, x2, y2: as seen last */
    float velocity[2]; /* of the centre, px per ms */
    float growth;      /* of the size, share per ms */
    int64_t first_ms, seen_ms;
    unsigned hits; /* frames it was seen in */
    bool seen;     /* in the frame of the last call */
    size_t face;   /* when seen: its index in that call */
};

struct tracker {
    struct track tracks[TRACKS_MAX]; /* places; a track keeps its own while it lasts */
    uint64_t last_id;
};

struct track_face {
    float box[4];
    float score;
};

/*
 * Takes the faces of a frame. `ended` (TRACKS_MAX) gets the places of the tracks that have ended with this call, which
 * new ones may have taken already; their number is returned. Without faces: time goes by. `now_ms` never goes back.
 */
size_t tracker_update(struct tracker *tracker, const struct track_face *faces, size_t count, int64_t now_ms,
                      size_t ended[TRACKS_MAX]);

/* Where it should be now. */
void track_predict(const struct track *track, int64_t now_ms, float box[4]);

/* How well two boxes fit, -1 to 1; 1: the same. */
float track_fit(const float a[4], const float b[4]);

#endif
