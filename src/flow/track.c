#include "flow/track.h"

#include <math.h>
#include <string.h>

/* A sure face may be about one width off what was predicted; a doubtful one must overlap. */
#define SURE_FIT     (-0.25f)
#define DOUBTFUL_FIT 0.2f
/* Sizes of one face in two frames hardly differ by more. */
#define MOST_RATIO 1.8f
/* Share of what was observed in velocity and growth. */
#define NEWS 0.5f
/* Predicted no further than that: what isn't seen stands still in the end. */
#define PREDICT_MS 600
/* A new face that covers a track's own like this is the same face found twice. */
#define SAME_FIT 0.5f

static float width_of(const float box[4])
{
    return box[2] - box[0];
}

static float height_of(const float box[4])
{
    return box[3] - box[1];
}

float track_fit(const float a[4], const float b[4])
{
    float w = fminf(a[2], b[2]) - fmaxf(a[0], b[0]), h = fminf(a[3], b[3]) - fmaxf(a[1], b[1]);
    float common = w > 0 && h > 0 ? w * h : 0;
    float both = width_of(a) * height_of(a) + width_of(b) * height_of(b) - common;
    float dx = (a[0] + a[2] - b[0] - b[2]) / 2, dy = (a[1] + a[3] - b[1] - b[3]) / 2;
    float cw = fmaxf(a[2], b[2]) - fminf(a[0], b[0]), ch = fmaxf(a[3], b[3]) - fminf(a[1], b[1]);
    float diagonal = cw * cw + ch * ch;
    if (!(both > 0) || !(diagonal > 0))
        return -1;
    return common / both - (dx * dx + dy * dy) / diagonal;
}

void track_predict(const struct track *track, int64_t now_ms, float box[4])
{
    float ms = (float)(now_ms - track->seen_ms < PREDICT_MS ? now_ms - track->seen_ms : PREDICT_MS);
    float x = (track->box[0] + track->box[2]) / 2 + track->velocity[0] * ms;
    float y = (track->box[1] + track->box[3]) / 2 + track->velocity[1] * ms;
    float scale = 1 + track->growth * ms;
    float w = width_of(track->box) / 2 * scale, h = height_of(track->box) / 2 * scale;
    box[0] = x - w;
    box[1] = y - h;
    box[2] = x + w;
    box[3] = y + h;
}

static bool sizes_agree(const float a[4], const float b[4])
{
    float first = width_of(a) + height_of(a), second = width_of(b) + height_of(b);
    return first < second * MOST_RATIO && second < first * MOST_RATIO;
}

/* The velocity is of no use before there is one: then a track may have gone anywhere near. */
static float fit_of(const struct track *track, const float box[4], int64_t now_ms)
{
    float predicted[4];
    track_predict(track, now_ms, predicted);
    if (!sizes_agree(predicted, box))
        return -1;
    return track_fit(predicted, box);
}

static void see(struct track *track, const struct track_face *face, size_t index, int64_t now_ms)
{
    float ms = (float)(now_ms - track->seen_ms);
    if (ms > 0) {
        float dx = (face->box[0] + face->box[2] - track->box[0] - track->box[2]) / 2 / ms;
        float dy = (face->box[1] + face->box[3] - track->box[1] - track->box[3]) / 2 / ms;
        float before = width_of(track->box) + height_of(track->box);
        float growth = before > 0 ? ((width_of(face->box) + height_of(face->box)) / before - 1) / ms : 0;
        float news = track->hits == 1 ? 1 : NEWS;
        track->velocity[0] += news * (dx - track->velocity[0]);
        track->velocity[1] += news * (dy - track->velocity[1]);
        track->growth += news * NEWS * (growth - track->growth);
    }
    memcpy(track->box, face->box, sizeof track->box);
    track->seen_ms = now_ms;
    track->hits++;
    track->seen = true;
    track->face = index;
}

/* One round: the best fitting pair first, until none fits. */
static void assign(struct tracker *tracker, const struct track_face *faces, size_t count, bool *taken, float from,
                   float below, float least_fit, int64_t now_ms)
{
    for (;;) {
        float best = least_fit;
        struct track *track = NULL;
        size_t face = 0;
        for (size_t t = 0; t < TRACKS_MAX; t++) {
            if (tracker->tracks[t].id == 0 || tracker->tracks[t].seen)
                continue;
            for (size_t f = 0; f < count; f++) {
                if (taken[f] || faces[f].score < from || faces[f].score >= below)
                    continue;
                float fit = fit_of(&tracker->tracks[t], faces[f].box, now_ms);
                if (fit > best) {
                    best = fit;
                    track = &tracker->tracks[t];
                    face = f;
                }
            }
        }
        if (track == NULL)
            return;
        see(track, &faces[face], face, now_ms);
        taken[face] = true;
    }
}

static bool is_found_twice(const struct tracker *tracker, const float box[4])
{
    for (size_t t = 0; t < TRACKS_MAX; t++)
        if (tracker->tracks[t].id != 0 && tracker->tracks[t].seen && track_fit(tracker->tracks[t].box, box) > SAME_FIT)
            return true;
    return false;
}

static void begin(struct tracker *tracker, const struct track_face *face, size_t index, int64_t now_ms)
{
    for (size_t t = 0; t < TRACKS_MAX; t++) {
        struct track *track = &tracker->tracks[t];
        if (track->id != 0)
            continue;
        *track = (struct track){
            .id = ++tracker->last_id, .first_ms = now_ms, .seen_ms = now_ms, .hits = 1, .seen = true, .face = index};
        memcpy(track->box, face->box, sizeof track->box);
        return;
    }
}

size_t tracker_update(struct tracker *tracker, const struct track_face *faces, size_t count, int64_t now_ms,
                      size_t ended[TRACKS_MAX])
{
    bool taken[4 * TRACKS_MAX] = {false};
    size_t gone = 0;
    if (count > sizeof taken / sizeof taken[0])
        count = sizeof taken / sizeof taken[0];
    for (size_t t = 0; t < TRACKS_MAX; t++) {
        struct track *track = &tracker->tracks[t];
        if (track->id != 0 && !track->seen && now_ms - track->seen_ms > TRACK_GONE_MS)
            ended[gone++] = t;
        track->seen = false;
    }
    for (size_t i = 0; i < gone; i++)
        tracker->tracks[ended[i]].id = 0;
    assign(tracker, faces, count, taken, TRACK_SURE, INFINITY, SURE_FIT, now_ms);
    assign(tracker, faces, count, taken, TRACK_DOUBTFUL, TRACK_SURE, DOUBTFUL_FIT, now_ms);
    for (size_t f = 0; f < count; f++)
        if (!taken[f] && faces[f].score >= TRACK_SURE && !is_found_twice(tracker, faces[f].box))
            begin(tracker, &faces[f], f, now_ms);
    return gone;
}
