/* What the files of this room share. */
#ifndef AIBOX_FLOW_FLOW_INTERNAL_H
#define AIBOX_FLOW_FLOW_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/pool.h"
#include "flow/dedup.h"
#include "flow/flow.h"
#include "flow/generation.h"
#include "flow/stages.h"

/* What a thread of the pool has: its place among each generation's workers. */
struct seat {
    size_t index;
};
static inline struct vision_worker *seat_worker(const struct seat *seat, const struct generation *generation)
{
    return generation->workers[seat->index];
}

struct flow {
    struct settings *settings;
    struct store *store;
    struct devices *devices;
    struct generations *generations;
    struct pool *pool;
    struct seat *seats; /* one for each thread of the pool */
    struct dedup *dedup;
    struct model_sets *model_sets;
    struct stages *stages;
    pthread_t loader;
    bool loader_started;
    _Atomic int ready; /* 0 loading, 1 ready, -1 failed */
    _Atomic bool closing;
    _Atomic uint64_t decisions[FLOW_NO_FACE + 1];
    _Atomic uint64_t unstored; /* decisions whose event could not be stored */
    _Atomic uint64_t enrolled, enrol_refused;
};

enum pool_priority flow_pool_priority(enum flow_priority priority);
enum aibox_status flow_require_ready(const struct flow *flow, struct aibox_error *err);

/* ---- flow.c ----------------------------------------------------------------------------------- */

/* flow_inspect() with one generation. */
enum aibox_status inspect_with(struct flow *flow, const struct generation *generation, enum flow_priority priority,
                               const uint8_t *picture, size_t size, const struct flow_inspection *how,
                               struct flow_face **faces, size_t *count, struct aibox_error *err);

/* ---- threshold.c: what the functions of flow.h say, of one generation ------------------------- */

void threshold_get(struct flow *flow, const struct generation *generation, struct flow_threshold *out);
float threshold_of_pair(const struct generation *generation, const char *word);
float threshold_of_strangers(struct flow *flow, const struct generation *generation);

/* ---- look.c: decoding and finding, on a worker thread ---------------------------------------- */

/* A decoded picture, perhaps smaller than the file by `scale` (1, 2, 4, 8). */
struct look {
    struct image image;
    int scale;
};

/*
 * Decodes and finds the largest face, taking the short cut of a reduced decode when the face stays large enough for it.
 * *found false: no face. `face` is in pixels of look->image. `roi` (full-frame px; NULL or all 0: everything) holds the
 * face's centre.
 */
enum aibox_status look_largest(struct flow *flow, struct vision_worker *worker, const uint8_t *bytes, size_t size,
                               float min_face, const float *roi, struct look *look, struct vision_face *face,
                               bool *found, struct aibox_error *err);
void look_free(struct look *look);

/* The embedding of an enrolled photo's face, as the worker's model set sees it. NO_FACE, and picture errors. */
enum aibox_status look_embedding(struct flow *flow, struct vision_worker *worker, const uint8_t *photo, size_t size,
                                 float embedding[VISION_DIMENSION], struct aibox_error *err);

/* The setting recognition.tiles. */
enum vision_tiles look_tiles(const struct flow *flow);
/* Whether there is time for a second look at a face: nobody at a door waits for a worker. Any thread. */
bool look_time_for_two_views(struct flow *flow);

/* What `wants` asks for, of one detected face. Results are in pixels of `image`. */
enum aibox_status look_closer(struct flow *flow, struct vision_worker *worker, const struct image *image, int scale,
                              unsigned wants, const struct vision_quality_limits *limits, struct flow_face *face,
                              struct aibox_error *err);

/* Turns coordinates of a picture reduced by `scale` into those of the full picture. */
void look_to_full(struct vision_face *face, int scale);

/* ---- rejections.c ----------------------------------------------------------------------------- */

#define FLOW_CANDIDATES 8 /* so many are looked at where the best two count: rejections may take some away */

/*
 * The people whom a face may be, best first, at most two, rejections taken into account: what every recognition goes
 * by. BAD_FEATURE as gallery_search().
 */
enum aibox_status flow_search(const struct generation *generation, const float *embedding,
                              const struct gallery_filter *filter, struct gallery_result *result,
                              struct aibox_error *err);

/* Reads those of the generations in use again; `unless_empty`: an empty list stays as it is. */
enum aibox_status rejections_reload(struct flow *flow, bool unless_empty, struct aibox_error *err);

/* ---- duplicate.c ------------------------------------------------------------------------------ */

/* The nearest person but `identity_id` whose template scores the duplicate threshold or more with a face. */
enum aibox_status duplicate_find(struct flow *flow, const struct generation *generation, const float *embedding,
                                 const char *identity_id, struct flow_duplicate *out, struct aibox_error *err);

/* ---- decide.c: the decision table, pure ------------------------------------------------------- */

#define DECIDE_MARGIN                                                                                                  \
    0.05f /* width of the uncertain band below the threshold, and least lead over the second person                    \
           */

enum store_verdict decide_verdict(float score, float margin, float threshold);

enum decide_passmode { DECIDE_NORMAL, DECIDE_ALLPASS, DECIDE_ALLFORBIDDEN };

struct decide_facts {
    bool quality_pass;
    bool liveness_judged;
    float live, live_threshold;
    enum store_verdict verdict;
    int person_type;     /* 1..5; of a known person */
    bool permitted;      /* the place asks for no permission group, or the person holds one of them */
    bool time_permitted; /* not a visitor, or within the visit's time */
    enum decide_passmode passmode;
};
enum flow_reason decide(const struct decide_facts *facts);

/* Whether `now_ms` lies within the visit that the person's info tells (info.ext_info or info: startTime, endTime). A
 * limit that is absent is open; one that can't be read makes the visit invalid, *unreadable says so. */
bool decide_visit_valid(const char *info_json, int64_t now_ms, bool *unreadable);

#endif
