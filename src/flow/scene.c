/*
 * Invariants between calls:
 *
 *   1. A subject is *here* (it has a track, `places[t]` is its index) or *away* (`away_ms` is when its track ended), or
 *      its place is free. Each track has exactly one subject.
 *   2. Away subjects are forgotten after a while (is_forgotten); before, a new track whose looks resemble theirs brings
 *      them back (rejoin). An undecided subject is decided on when it goes away (leave).
 *   3. A track whose looks show somebody else than its subject, twice in a row, gets a new one (look_at).
 */
#include "flow/scene.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "flow/subject.h"
#include "flow/track.h"

_Static_assert(SCENE_MAX_TRACKS == TRACKS_MAX, "every track is shown");

#define SUBJECTS_MAX 64 /* here and away */
#define NOBODY       SUBJECTS_MAX

/* Looks of one frame stop after this long, so that the next frame gets its turn; one is always made. */
#define LOOK_BUDGET_MS 90
/* When the last frame took longer than that, less is done with the next: fewer tiles, one view of a face. */
#define HURRY_MS 80
/* In a crowd a face is looked at closer from this many frames on, for less is often no face, or when it is that sure.
 * At a gate at once. */
#define CROWD_HITS 2
#define CROWD_SURE 0.9f
/* How often somebody is looked at again: before the decision when votes are enough, a stranger, somebody known. */
#define AGAIN_MS          200
#define AGAIN_STRANGER_MS 500
#define AGAIN_KNOWN_MS    2000

/* Cosines of two looks: the same person after an occlusion; surely somebody else. */
#define REJOIN_LIKENESS 0.45f
#define OTHER_LIKENESS  0.15f
#define OTHER_LOOKS     2u
#define FRONTAL_YAW     40.0f /* degrees; looks further from the front contradict nothing */

/* How long who is away may come back as the same track. Somebody known only as long as an occlusion lasts: at a door
 * the next approach counts. */
#define AWAY_MS      3000
#define AWAY_MOST_MS 60000

/* Small faces: looked for in this many places of the last frame, and tiles in turn; more when there is nothing else to
 * do. */
#define HINTS_MAX  3
#define TILES_BUSY 1
#define TILES_IDLE 3
/* Faces narrower than this share of the picture are not surely found by a look at the whole. */
#define SMALL_FACE 0.07f

struct slot {
    bool used, here;
    int64_t away_ms;
    struct subject subject;
};

struct scene {
    struct flow *flow;
    enum scene_kind kind;
    struct tracker tracker;
    size_t places[TRACKS_MAX]; /* slot of the track, or NOBODY */
    struct slot slots[SUBJECTS_MAX];
    unsigned turn; /* of the tiles */
    bool idle;     /* nobody was looked at in the last frame */
    bool hurried;  /* the last frame took long */
    float hints[HINTS_MAX][4];
    pthread_mutex_t mu; /* guards what follows, a leaf */
    struct scene_track shown[SCENE_MAX_TRACKS];
    size_t n_shown;
};

/* ---- opening and closing ---- */

enum aibox_status scene_open(struct flow *flow, enum scene_kind kind, struct scene **out, struct aibox_error *err)
{
    struct scene *scene = calloc(1, sizeof *scene);
    *out = scene;
    if (scene == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    scene->flow = flow;
    scene->kind = kind;
    for (size_t t = 0; t < TRACKS_MAX; t++)
        scene->places[t] = NOBODY;
    pthread_mutex_init(&scene->mu, NULL);
    return AIBOX_OK;
}

void scene_close(struct scene *scene)
{
    if (scene == NULL)
        return;
    for (size_t i = 0; i < SUBJECTS_MAX; i++)
        subject_clear(scene->flow, &scene->slots[i].subject);
    pthread_mutex_destroy(&scene->mu);
    free(scene);
}

/* ---- finding faces: on a worker ---- */

struct finding {
    struct scene *scene;
    const struct scene_frame *frame;
    const struct generation *generation;
    float min_face;
    struct vision_face faces[VISION_MAX_FACES];
    size_t count, n_hints;
    bool only_large; /* faces that a look at the whole surely finds */
    enum aibox_status status;
    struct aibox_error *err;
};

static void find_faces(void *seat, void *arg)
{
    struct finding *finding = arg;
    struct vision_worker *worker = seat_worker(seat, finding->generation);
    struct scene *scene = finding->scene;
    struct vision_detect_options options = {.min_score = TRACK_DOUBTFUL,
                                            .min_face = finding->min_face,
                                            .tiles = finding->only_large ? VISION_TILES_OFF : look_tiles(scene->flow),
                                            .video_tiles = scene->idle && !scene->hurried ? TILES_IDLE : TILES_BUSY,
                                            .turn = scene->turn,
                                            .hints = (const float(*)[4])scene->hints,
                                            .n_hints = finding->n_hints};
    int64_t start = clock_monotonic_us();
    finding->status = vision_detect(worker, finding->frame->image, &options, finding->faces, VISION_MAX_FACES,
                                    &finding->count, finding->err);
    stages_add(scene->flow->stages, STAGE_DETECT, clock_monotonic_us() - start);
}

/* Where small faces should be now, those first that have not been seen for longest. */
static size_t choose_hints(struct scene *scene, const struct scene_frame *frame)
{
    bool chosen[TRACKS_MAX] = {false};
    size_t count = 0;
    while (count < HINTS_MAX) {
        const struct track *oldest = NULL;
        for (size_t t = 0; t < TRACKS_MAX; t++) {
            const struct track *track = &scene->tracker.tracks[t];
            bool small = track->box[2] - track->box[0] < SMALL_FACE * (float)frame->image->width;
            if (track->id != 0 && !chosen[t] && small && (oldest == NULL || track->seen_ms < oldest->seen_ms))
                oldest = track;
        }
        if (oldest == NULL)
            break;
        chosen[oldest - scene->tracker.tracks] = true;
        track_predict(oldest, frame->now_ms, scene->hints[count++]);
    }
    return count;
}

/* Leaves out what is outside of the region (pixels of the camera's frame; all 0: everything). */
static void keep_region(struct finding *finding, const float roi[4])
{
    size_t kept = 0;
    if (roi[0] == 0 && roi[1] == 0 && roi[2] == 0 && roi[3] == 0)
        return;
    for (size_t i = 0; i < finding->count; i++) {
        const float *box = finding->faces[i].box;
        float x = (box[0] + box[2]) / 2 * finding->frame->scale, y = (box[1] + box[3]) / 2 * finding->frame->scale;
        if (x >= roi[0] && x <= roi[2] && y >= roi[1] && y <= roi[3])
            finding->faces[kept++] = finding->faces[i];
    }
    finding->count = kept;
}

/* ---- subjects come and go ---- */

static int64_t away_limit_ms(const struct slot *slot, const struct scene_place *place)
{
    if (slot->subject.decided && slot->subject.verdict == STORE_KNOWN)
        return AWAY_MS;
    int64_t limit_ms = place->place->dedup_ms > AWAY_MS ? place->place->dedup_ms : AWAY_MS;
    return limit_ms < AWAY_MOST_MS ? limit_ms : AWAY_MOST_MS;
}

static void free_slot(struct scene *scene, struct slot *slot)
{
    subject_clear(scene->flow, &slot->subject);
    slot->used = slot->here = false;
}

static void decide_on(struct scene *scene, struct subject *subject, const struct scene_place *place, bool final)
{
    struct aibox_error err;
    if (subject_decide(scene->flow, subject, place, final, &err) != AIBOX_OK)
        log_warn("flow", "somebody before a camera can't be decided on device_id=%s reason=\"%s\"",
                 place->place->device_id != NULL ? place->place->device_id : "", err.message);
}

/* The subject's track has ended, or it is another's. */
static void leave(struct scene *scene, size_t index, const struct scene_place *place, int64_t now_ms)
{
    struct slot *slot = &scene->slots[index];
    slot->here = false;
    slot->away_ms = now_ms;
    if (!slot->subject.decided)
        decide_on(scene, &slot->subject, place, true);
    subject_rest(scene->flow, &slot->subject);
    if (slot->subject.vote.count == 0)
        free_slot(scene, slot);
}

static void forget(struct scene *scene, const struct scene_place *place, int64_t now_ms)
{
    for (size_t i = 0; i < SUBJECTS_MAX; i++) {
        struct slot *slot = &scene->slots[i];
        if (slot->used && !slot->here && now_ms - slot->away_ms > away_limit_ms(slot, place))
            free_slot(scene, slot);
    }
}

/* A free slot; who is away for longest makes room. There are more slots than tracks, so there is one. */
static size_t take_slot(struct scene *scene)
{
    size_t oldest = NOBODY;
    for (size_t i = 0; i < SUBJECTS_MAX; i++) {
        const struct slot *slot = &scene->slots[i];
        if (!slot->used) {
            oldest = i;
            break;
        }
        if (!slot->here && (oldest == NOBODY || slot->away_ms < scene->slots[oldest].away_ms))
            oldest = i;
    }
    if (oldest != NOBODY) {
        free_slot(scene, &scene->slots[oldest]);
        scene->slots[oldest].used = scene->slots[oldest].here = true;
    }
    return oldest;
}

static void follow(struct scene *scene, const struct scene_place *place, const struct finding *finding, int64_t now_ms)
{
    struct track_face faces[VISION_MAX_FACES];
    size_t ended[TRACKS_MAX];
    size_t count = finding == NULL ? 0 : finding->count;
    for (size_t i = 0; i < count; i++) {
        memcpy(faces[i].box, finding->faces[i].box, sizeof faces[i].box);
        faces[i].score = finding->faces[i].score;
    }
    size_t n_ended = tracker_update(&scene->tracker, faces, count, now_ms, ended);
    for (size_t i = 0; i < n_ended; i++) {
        if (scene->places[ended[i]] != NOBODY)
            leave(scene, scene->places[ended[i]], place, now_ms);
        scene->places[ended[i]] = NOBODY;
    }
    for (size_t t = 0; t < TRACKS_MAX; t++)
        if (scene->tracker.tracks[t].id != 0 && scene->places[t] == NOBODY)
            scene->places[t] = take_slot(scene);
    forget(scene, place, now_ms);
}

/* ---- closer looks ---- */

static float area_of(const struct track *track)
{
    return (track->box[2] - track->box[0]) * (track->box[3] - track->box[1]);
}

/* Index of the largest face's track; TRACKS_MAX: nobody is seen. */
static size_t largest_track(const struct scene *scene)
{
    size_t largest = TRACKS_MAX;
    for (size_t t = 0; t < TRACKS_MAX; t++) {
        const struct track *track = &scene->tracker.tracks[t];
        if (track->id != 0 && track->seen &&
            (largest == TRACKS_MAX || area_of(track) > area_of(&scene->tracker.tracks[largest])))
            largest = t;
    }
    return largest;
}

/* How much a look at the track is wanted; 0: not now. */
static int need_of(const struct scene *scene, size_t t, const struct finding *finding, int64_t now_ms)
{
    const struct track *track = &scene->tracker.tracks[t];
    if (track->id == 0 || !track->seen || scene->places[t] == NOBODY)
        return 0;
    if (scene->kind == SCENE_CROWD && track->hits < CROWD_HITS && finding->faces[track->face].score < CROWD_SURE)
        return 0;
    const struct subject *subject = &scene->slots[scene->places[t]].subject;
    int64_t since_ms = now_ms - subject->last_look_ms;
    if (subject->vote.count < SCENE_VOTES && !subject->decided)
        return 4;
    if (!subject->decided)
        return since_ms >= AGAIN_MS ? 3 : 0;
    if (subject->verdict != STORE_KNOWN)
        return since_ms >= AGAIN_STRANGER_MS ? 2 : 0;
    return since_ms >= AGAIN_KNOWN_MS ? 1 : 0;
}

/* Whom to look at next: need first, size second. TRACKS_MAX: nobody. */
static size_t choose_track(const struct scene *scene, const bool *looked_at, const struct finding *finding,
                           int64_t now_ms)
{
    size_t best = TRACKS_MAX;
    int best_need = 0;
    size_t only = scene->kind == SCENE_GATE ? largest_track(scene) : TRACKS_MAX;
    for (size_t t = 0; t < TRACKS_MAX; t++) {
        if (looked_at[t] || (scene->kind == SCENE_GATE && t != only))
            continue;
        int need = need_of(scene, t, finding, now_ms);
        if (need > best_need || (need > 0 && need == best_need &&
                                 area_of(&scene->tracker.tracks[t]) > area_of(&scene->tracker.tracks[best]))) {
            best = t;
            best_need = need;
        }
    }
    return best;
}

struct closer {
    struct scene *scene;
    struct generation *generation;
    const struct image *image;
    struct vision_quality_limits limits;
    unsigned wants;
    struct flow_face face;
    enum aibox_status status;
    struct aibox_error *err;
};

static void look_on_worker(void *seat, void *arg)
{
    struct closer *closer = arg;
    struct vision_worker *worker = seat_worker(seat, closer->generation);
    closer->status = look_closer(closer->scene->flow, worker, closer->image, 1, closer->wants, &closer->limits,
                                 &closer->face, closer->err);
}

/* A face that can't be made out (turned away, cut off) is no error: *useful false. */
static enum aibox_status look_closer_at(struct closer *closer, const struct scene_place *place, bool *useful)
{
    struct flow *flow = closer->scene->flow;
    closer->limits = flow_quality_limits(flow, place->place->level);
    enum aibox_status status = pool_run(flow->pool, POOL_STEADY, -1, look_on_worker, closer, closer->err);
    if (status == AIBOX_OK)
        status = closer->status;
    *useful = status == AIBOX_OK;
    return status == AIBOX_LOW_QUALITY || status == AIBOX_IMAGE ? AIBOX_OK : status;
}

/* Whether the look shows surely somebody else than the votes so far. */
static bool contradicts(const struct subject *subject, const struct flow_face *face)
{
    return subject->vote.count >= 2 && strcmp(subject->vote.model_set, face->model_set) == 0 &&
           subject->vote.kind != VOTE_FAINT && !face->faint && fabsf(face->pose.yaw) < FRONTAL_YAW &&
           vote_likeness(&subject->vote, face->embedding) < OTHER_LIKENESS;
}

/* Brings back who is away and resembles the track's subject most, or leaves things as they are. */
static void rejoin(struct scene *scene, size_t t)
{
    struct subject *fresh = &scene->slots[scene->places[t]].subject;
    float mean[VISION_DIMENSION];
    float best = REJOIN_LIKENESS;
    size_t back = NOBODY;
    if (fresh->decided || fresh->vote.count == 0 || fresh->vote.kind == VOTE_FAINT)
        return;
    (void)vote_embedding(&fresh->vote, mean);
    for (size_t i = 0; i < SUBJECTS_MAX; i++) {
        const struct slot *slot = &scene->slots[i];
        if (!slot->used || slot->here || slot->subject.vote.kind == VOTE_FAINT ||
            strcmp(slot->subject.vote.model_set, fresh->vote.model_set) != 0)
            continue;
        if (fresh->best.masked && slot->subject.best.masked) /* masks make people alike */
            continue;
        float likeness = vote_likeness(&slot->subject.vote, mean);
        if (likeness > best) {
            best = likeness;
            back = i;
        }
    }
    if (back == NOBODY)
        return;
    subject_join(scene->flow, &scene->slots[back].subject, fresh);
    free_slot(scene, &scene->slots[scene->places[t]]);
    scene->slots[back].here = true;
    scene->places[t] = back;
}

static void take_look(struct scene *scene, size_t t, const struct scene_place *place, const struct scene_frame *frame,
                      const struct closer *closer, struct spot **spot)
{
    struct subject *subject = &scene->slots[scene->places[t]].subject;
    struct aibox_error err;
    if (contradicts(subject, &closer->face)) {
        if (++subject->contradictions < OTHER_LOOKS)
            return;
        leave(scene, scene->places[t], place, frame->now_ms);
        scene->places[t] = take_slot(scene);
        if (scene->places[t] == NOBODY)
            return;
        subject = &scene->slots[scene->places[t]].subject;
    }
    subject->contradictions = 0;
    if (subject->first_look_ms == 0)
        subject->first_look_ms = frame->now_ms;
    if (subject_take_look(scene->flow, subject, closer->generation, closer->image, &closer->face,
                          (closer->wants & FLOW_WANT_AGE_SEX) != 0, (closer->wants & FLOW_WANT_LIVENESS) != 0,
                          frame->timestamp_ms, spot, &err) != AIBOX_OK)
        log_warn("flow", "a picture of somebody before a camera can't be made reason=\"%s\"", err.message);
    rejoin(scene, t);
}

static enum aibox_status look_at(struct scene *scene, size_t t, const struct scene_place *place,
                                 const struct scene_frame *frame, const struct finding *finding, struct spot **spot,
                                 struct aibox_error *err)
{
    struct subject *subject = &scene->slots[scene->places[t]].subject;
    struct closer closer = {.scene = scene, .image = frame->image, .err = err};
    bool useful;
    closer.face.face = finding->faces[scene->tracker.tracks[t].face];
    closer.wants = FLOW_WANT_QUALITY | FLOW_WANT_EMBEDDING;
    if (place->place->liveness)
        closer.wants |= FLOW_WANT_LIVENESS;
    if (!subject->has_attributes)
        closer.wants |= FLOW_WANT_AGE_SEX;
    if (scene->hurried || !look_time_for_two_views(scene->flow))
        closer.wants |= FLOW_ONE_VIEW;
    closer.generation = generation_use(scene->flow->generations);
    enum aibox_status status = look_closer_at(&closer, place, &useful);
    subject->last_look_ms = frame->now_ms;
    if (status == AIBOX_OK && useful)
        take_look(scene, t, place, frame, &closer, spot);
    generation_done(scene->flow->generations, closer.generation);
    return status;
}

/* Whether the votes of a track suffice, or no more are waited for. */
static void decide_if_due(struct scene *scene, size_t t, const struct scene_place *place, int64_t now_ms)
{
    struct subject *subject = &scene->slots[scene->places[t]].subject;
    bool is_late = subject->first_look_ms != 0 && now_ms - subject->first_look_ms >= SCENE_STRANGER_MS;
    if (subject->decided && subject->verdict == STORE_KNOWN)
        return;
    if (subject->vote.count >= SCENE_VOTES || is_late)
        decide_on(scene, subject, place, is_late);
}

static enum aibox_status look_at_faces(struct scene *scene, const struct scene_place *place,
                                       const struct scene_frame *frame, const struct finding *finding,
                                       struct aibox_error *err)
{
    bool looked_at[TRACKS_MAX] = {false};
    struct spot *spot = NULL;
    int64_t start_ms = clock_monotonic_ms();
    enum aibox_status status = AIBOX_OK;
    scene->idle = true;
    do {
        size_t t = choose_track(scene, looked_at, finding, frame->now_ms);
        if (t == TRACKS_MAX)
            break;
        looked_at[t] = true;
        scene->idle = false;
        status = look_at(scene, t, place, frame, finding, &spot, err);
        if (status == AIBOX_OK && scene->places[t] != NOBODY)
            decide_if_due(scene, t, place, frame->now_ms);
    } while (status == AIBOX_OK && clock_monotonic_ms() - start_ms < LOOK_BUDGET_MS);
    spot_release(spot);
    return status;
}

/* ---- what is shown ---- */

static void show(struct scene *scene, float scale)
{
    pthread_mutex_lock(&scene->mu);
    scene->n_shown = 0;
    for (size_t t = 0; t < TRACKS_MAX; t++) {
        const struct track *track = &scene->tracker.tracks[t];
        if (track->id == 0 || !track->seen || scene->places[t] == NOBODY)
            continue;
        const struct subject *subject = &scene->slots[scene->places[t]].subject;
        struct scene_track *shown = &scene->shown[scene->n_shown++];
        *shown = (struct scene_track){.id = track->id,
                                      .decided = subject->decided,
                                      .reason = subject->reason,
                                      .verdict = subject->verdict,
                                      .score = subject->score};
        for (int i = 0; i < 4; i++)
            shown->box[i] = track->box[i] * scale;
        memcpy(shown->identity_id, subject->identity_id, sizeof shown->identity_id);
        memcpy(shown->name, subject->name, sizeof shown->name);
    }
    pthread_mutex_unlock(&scene->mu);
}

size_t scene_tracks(struct scene *scene, struct scene_track *out, size_t max)
{
    pthread_mutex_lock(&scene->mu);
    size_t count = scene->n_shown < max ? scene->n_shown : max;
    memcpy(out, scene->shown, count * sizeof *out);
    pthread_mutex_unlock(&scene->mu);
    return count;
}

/* ---- frames ---- */

/* At a gate only somebody larger than the one who is there matters: no need to look for small faces meanwhile. */
static bool only_large_matter(const struct scene *scene, const struct scene_frame *frame)
{
    size_t t = scene->kind == SCENE_GATE ? largest_track(scene) : TRACKS_MAX;
    if (t == TRACKS_MAX)
        return false;
    const float *box = scene->tracker.tracks[t].box;
    return box[2] - box[0] >= SMALL_FACE * (float)frame->image->width;
}

enum aibox_status scene_look(struct scene *scene, const struct scene_place *place, const struct scene_frame *frame,
                             size_t *faces, struct aibox_error *err)
{
    struct finding finding = {
        .scene = scene, .frame = frame, .min_face = place->place->min_face / frame->scale, .err = err};
    int64_t start_ms = clock_monotonic_ms();
    *faces = 0;
    enum aibox_status status = flow_require_ready(scene->flow, err);
    if (status != AIBOX_OK)
        return status;
    finding.only_large = only_large_matter(scene, frame);
    finding.n_hints = finding.only_large ? 0 : choose_hints(scene, frame);
    struct generation *generation = generation_use(scene->flow->generations);
    finding.generation = generation;
    status = pool_run(scene->flow->pool, POOL_STEADY, -1, find_faces, &finding, err);
    generation_done(scene->flow->generations, generation);
    if (status == AIBOX_OK)
        status = finding.status;
    if (status != AIBOX_OK)
        return status;
    scene->turn++;
    keep_region(&finding, place->place->roi);
    *faces = finding.count;
    follow(scene, place, &finding, frame->now_ms);
    status = look_at_faces(scene, place, frame, &finding, err);
    scene->hurried = clock_monotonic_ms() - start_ms > HURRY_MS;
    show(scene, frame->scale);
    return status;
}

void scene_rest(struct scene *scene, const struct scene_place *place, int64_t now_ms)
{
    follow(scene, place, NULL, now_ms);
    show(scene, 1);
}
