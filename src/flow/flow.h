/*
 * The pipeline: pictures in, people and decisions out. Owns the models, the workers and the gallery; keeps the gallery
 * equal to the store. Only flow_enrol() makes faces; only flow_recognise() makes events (and flow_compare() when asked
 * to).
 *
 * All functions: any thread; those that look at pictures wait for a worker. A person at a door (FLOW_DOOR) goes before
 * the frames of cameras (FLOW_STREAM), and these before everybody else (FLOW_BULK), who gets a turn all the same.
 */
#ifndef AIBOX_FLOW_FLOW_H
#define AIBOX_FLOW_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/settings.h"
#include "core/status.h"
#include "store/store.h"
#include "vision/vision.h"

struct devices;
struct flow;

enum flow_priority { FLOW_DOOR, FLOW_STREAM, FLOW_BULK };

/* Loads the models (of the set in `models_dir`, or in the folder there that flow/model_sets.h says), starts the
 * workers, and begins to load the gallery from the store in the background. `settings` and `store` must outlive the
 * flow. */
enum aibox_status flow_open(struct settings *settings, struct store *store, const char *models_dir, struct flow **out,
                            struct aibox_error *err);
void flow_close(struct flow *flow);

/* True once the gallery is loaded. Before that calls that need it fail with GROUP_NOT_LOADED. */
bool flow_ready(const struct flow *flow);
/* Waits for it. False: loading failed (logged) . */
bool flow_wait_ready(struct flow *flow);

/* The id of the model set in force. */
void flow_model_set(struct flow *flow, char out[VISION_MODEL_SET]);

/* The devices of the box (flow/devices.h), open as long as the flow is. */
struct devices *flow_devices(struct flow *flow);

/* ---- looking at a picture ------------------------------------------------------------------- */

/* What is wanted besides box and score. */
enum flow_wants {
    FLOW_WANT_POINTS = 1 << 0,
    FLOW_WANT_POSE = 1 << 1,
    FLOW_WANT_QUALITY = 1 << 2, /* judged by `limits` */
    FLOW_WANT_AGE_SEX = 1 << 3,
    FLOW_WANT_LIVENESS = 1 << 4,
    FLOW_WANT_EMBEDDING = 1 << 5,
    FLOW_ONE_VIEW = 1 << 6 /* the embedding of one look instead of two: sooner, and a little less sure */
};

struct flow_face {
    struct vision_face face; /* in pixels of the upright picture */
    struct vision_pose pose;
    struct vision_quality quality;
    float age, male;
    float live;
    float embedding[VISION_DIMENSION]; /* raw */
    char model_set[VISION_MODEL_SET];  /* that made the embedding: it compares with those of this set alone */
    float norm;
    bool faint;  /* less trust in the embedding than the model set asks for: nobody is known by it */
    bool masked; /* it is that of a face that wears a mask */
};

struct flow_inspection {
    unsigned wants;
    struct vision_quality_limits limits;
    float min_face;   /* px; 0: all */
    size_t max_faces; /* 1..VISION_MAX_FACES */
};

/* The faces of a picture file, largest first; *faces (malloc, may be NULL when *count is 0) belongs to the caller.
 * Picture errors as image_decode(); no face is no error. */
enum aibox_status flow_inspect(struct flow *flow, enum flow_priority priority, const uint8_t *picture, size_t size,
                               const struct flow_inspection *how, struct flow_face **faces, size_t *count,
                               struct aibox_error *err);

/* Limits of a level with the operator's settings for `custom` applied. */
struct vision_quality_limits flow_quality_limits(struct flow *flow, enum vision_quality_level level);

/* ---- enrolment ------------------------------------------------------------------------------- */

/* Somebody else who looks like the face that is enrolled: perhaps the same person under two ids. */
struct flow_duplicate {
    bool found;
    char identity_id[STORE_MAX_IDENTITY + 1];
    char name[STORE_MAX_NAME + 1];
    float score; /* of the new face with that person's template */
};

/* Strangers who were remembered (see below) and turned out to be who is enrolled: they are forgotten. */
#define FLOW_PAST_STRANGERS 8
struct flow_past_stranger {
    int64_t stranger_id, visits;
    int64_t first_ms, last_ms; /* seen */
};
struct flow_past_strangers {
    struct flow_past_stranger items[FLOW_PAST_STRANGERS];
    size_t count;
};

struct flow_enrolment {
    struct store_person_change change; /* faces are filled in by the flow; faces_mode says add or replace */
    const uint8_t *photo;              /* NULL or size 0: no photo */
    size_t photo_size;
    enum vision_quality_level level;
    const float
        *feature; /* 512 values instead of a photo, or NULL; need not be normalised (norm <= 1e-6: BAD_FEATURE) */
    bool dry_run; /* only the checks */
    bool refuse_duplicate;            /* IDENTITY_EXISTS when the face looks like somebody else's */
    struct flow_duplicate *duplicate; /* or NULL; filled on success: the nearest such person */
    struct flow_past_strangers *past; /* or NULL; filled on success */
};

/* Score from which a new face counts as somebody else's (recognition.duplicate_threshold). */
float flow_duplicate_threshold(struct flow *flow);

/*
 * Order of errors: groups and permissions (NOT_FOUND), id (IDENTITY_EXISTS, ID_NOT_FOUND), picture, NO_FACE,
 * FACE_TOO_SMALL, LOW_QUALITY, IDENTITY_EXISTS (a duplicate), GALLERY_FULL. A failure leaves no trace. On success the
 * person is in the gallery when it returns. `quality` (may be NULL): of the photo; of a feature its `mask` alone.
 */
enum aibox_status flow_enrol(struct flow *flow, enum flow_priority priority, const struct flow_enrolment *enrolment,
                             struct store_person *person, bool *created, struct vision_quality *quality,
                             struct aibox_error *err);

/* ---- recognition ------------------------------------------------------------------------------ */

enum flow_reason {
    FLOW_PASSED,
    FLOW_STRANGER,
    FLOW_UNCERTAIN,
    FLOW_NO_PERMISSION,
    FLOW_BLACKLISTED,
    FLOW_LIVENESS,
    FLOW_LOW_QUALITY,
    FLOW_NO_FACE
};
extern const char *const flow_reason_names[];  /* wire words, by enum flow_reason */
extern const char *const flow_verdict_names[]; /* wire words, by enum store_verdict: unknown, uncertain, known */

/* Where the picture comes from and what counts there. Names, not numbers. */
struct flow_place {
    const char *device_id, *device_ip, *ep_id, *device_type; /* NULL: no device */
    const char *const *groups;                               /* gallery group names; none: everybody */
    size_t n_groups;
    const char *const *permissions; /* ids or names of permission groups that may pass; none: everybody */
    size_t n_permissions;
    bool labels_may_be_gone;         /* groups and permission groups that no longer exist are left out: when no group is
                                        left, nobody is found; when no permission group is left, nobody passes */
    bool group_must_have_people;     /* EMPTY_GROUP when nobody is in the groups (calls that name a group) */
    float threshold;                 /* NAN: the setting's */
    enum vision_quality_level level; /* QUALITY_NO: a face is enough */
    bool liveness;
    float min_face;   /* px; 0: all */
    float roi[4];     /* x1, y1, x2, y2 px of the full frame; all 0: everything */
    int64_t dedup_ms; /* 0: never merge */
};

struct flow_decision;

/* Called on the caller's thread as soon as the decision is made, before its event is stored: a door doesn't wait for
 * the disk. Returns the event's action, "" for none (static text). Not called for no face. Until it returns the probe's
 * grab_fiqa_info may still be filled in. */
typedef const char *(*flow_decided)(void *ctx, const struct flow_decision *decision);

struct flow_probe {
    const uint8_t *picture;
    size_t picture_size;
    int64_t timestamp_ms; /* 0: now */
    struct flow_place place;
    const char *grab_fiqa_info; /* JSON object text or NULL */
    const char *room;           /* or NULL */
    bool with_attributes;       /* age and sex into the event */
    flow_decided decided;       /* or NULL */
    void *decided_ctx;
};

struct flow_decision {
    enum flow_reason reason;
    enum store_verdict verdict;
    bool passed;
    const char *action; /* what flow_decided made of it, "" for nothing; static */
    float score;        /* cosine clamped to 0..1; 0 without candidates */
    float threshold;
    float margin;    /* to the second person; the score itself when there is no second */
    bool has_person; /* `person` is filled: somebody known */
    struct store_person person;
    char best_identity_id[STORE_MAX_IDENTITY + 1]; /* the nearest person even when unknown; "" without candidates */
    bool has_face;
    struct flow_face face; /* the face decided on; masked: the threshold is that for masked faces, and nobody who is
                              known by masked faces only was looked for */
    char event_id[27];     /* "" for no face, or when it could not be stored */
    bool merged;           /* the event existed already: same person and place a moment ago */
    char reg_image_id[37]; /* the newest enrolled photo of the person, or "" */
    struct store_stranger_mark stranger; /* of the event: whom it shows, when a stranger is remembered */
};
void flow_decision_free(struct flow_decision *decision);

/*
 * The whole chain for the largest face (inside the region). The event is durable at return; while nothing can be stored
 * there is none (event_id ""), but a decision all the same. Unknown group or permission group: NOT_FOUND; picture
 * errors as image_decode(). Everything else is a decision.
 */
enum aibox_status flow_recognise(struct flow *flow, enum flow_priority priority, const struct flow_probe *probe,
                                 struct flow_decision *decision, struct aibox_error *err);

/* To be called when events were deleted: no later picture is merged into one of those stored so far. */
void flow_forget_sightings(struct flow *flow);

/* 1:1. Exactly one of `second` and `identity_id` is given. NO_FACE names the picture ("face_image_base64"). */
struct flow_comparison {
    const uint8_t *first, *second;
    size_t first_size, second_size;
    const char *first_name, *second_name; /* argument names for messages */
    const char *identity_id;
    float threshold;   /* NAN: by `level` */
    const char *level; /* a word of flow_pair_threshold(); NULL: "middle" */
    bool save;         /* makes an event */
};
struct flow_comparison_result {
    bool same;
    float score, threshold;
    bool masked;      /* one of the two wears a mask: the threshold is that for masked faces */
    bool both_masked; /* both do: they are not compared, masks make people alike */
    bool has_person;
    struct store_person person;
    char event_id[27];
};
enum aibox_status flow_compare(struct flow *flow, const struct flow_comparison *comparison,
                               struct flow_comparison_result *result, struct aibox_error *err);

/* Somebody enrolled who looks like a picture. */
struct flow_lookalike {
    struct store_person person;
    float score; /* cosine, at most 1 */
};
/*
 * The people whose score with the largest face of a picture is `threshold` or more, best first, at most `limit`
 * (1..GALLERY_MAX_RESULTS) into out[]; to be freed by the caller. Makes no event. No face: nobody. Picture errors as
 * image_decode(); GROUP_NOT_LOADED before the gallery is.
 */
enum aibox_status flow_lookalikes(struct flow *flow, const uint8_t *picture, size_t size, float threshold, size_t limit,
                                  struct flow_lookalike *out, size_t *count, struct aibox_error *err);
void flow_lookalikes_free(struct flow_lookalike *list, size_t *count);

/* Threshold for a single comparison: "high", "middle", "low" = false match rate 1e-5, 1e-4, 1e-3. NAN: no such word. */
float flow_pair_threshold(struct flow *flow, const char *word);

/* ---- not this person --------------------------------------------------------------------------- */

struct flow_rejection {
    int64_t rejection_id;
    char identity_id[STORE_MAX_IDENTITY + 1];
};
/*
 * Remembers that the face of an event is not a person's (`identity_id` NULL: whom the event names, else who was
 * nearest): from the return on, that face is not taken for them any more (flow/apart.h). Errors as
 * store_rejection_add(); PARAM: the event names nobody.
 */
enum aibox_status flow_reject(struct flow *flow, const char *event_id, const char *identity_id,
                              struct flow_rejection *out, struct aibox_error *err);
/* Takes that back. NOT_FOUND. */
enum aibox_status flow_reject_undo(struct flow *flow, int64_t rejection_id, struct aibox_error *err);

/* ---- strangers who are remembered ---------------------------------------------------------------- */

/*
 * With recognition.stranger_memory on, the face of a stranger's event is compared with those of the strangers before
 * (store/strangers.h), unless it is a bad look: faint, masked, or below quality level `custom`. These are never
 * compared with the people, nor do they count as such.
 */

/* recognition.stranger_* have changed. Switched off: all are forgotten at return. */
void flow_strangers_apply(struct flow *flow);

/* Score from which two faces are one stranger's: recognition.stranger_threshold, or, as that of the people's gallery
 * (struct flow_threshold), such that recognition.false_accept_target of new strangers are taken for another. */
float flow_stranger_threshold(struct flow *flow);
size_t flow_strangers_count(struct flow *flow);

struct flow_stranger_match {
    int64_t stranger_id;
    float score; /* cosine, at most 1 */
};
/* Which of them resemble the largest face of a picture, best first, at most `limit` (1..GALLERY_MAX_RESULTS) into
 * out[]; none of a face with a mask. `threshold` NAN: the above. Makes no event. NO_FACE; picture errors as
 * image_decode(); GROUP_NOT_LOADED. */
enum aibox_status flow_strangers_like(struct flow *flow, const uint8_t *picture, size_t size, float threshold,
                                      size_t limit, struct flow_stranger_match *out, size_t *count,
                                      struct aibox_error *err);

/* ---- threshold ------------------------------------------------------------------------------- */

struct flow_threshold {
    float threshold; /* in force */
    bool automatic;
    bool own_gallery;        /* calibrated on the box's own people, else on the table of the model set */
    bool limited;            /* recognition.max_auto_threshold kept it lower than the target wants */
    size_t people;           /* gallery size it is for */
    uint64_t impostor_pairs; /* that the own calibration counted */
    double false_accept_target;
    double expected_false_accept;       /* share of strangers taken for somebody, over the whole gallery */
    double expected_low, expected_high; /* with 95 % the true share of strangers taken lies between */
    double expected_false_reject;       /* share of genuine probes below the threshold, by the model set's table */
    bool knows_masks;                   /* the model set tells them; what follows is as for bare faces otherwise */
    float masked_threshold;             /* for probes with a mask: as rarely somebody else's */
    double masked_false_reject;         /* share of genuine ones below that */
};
void flow_threshold_get(struct flow *flow, struct flow_threshold *out);

/* What would be in force with other settings. NAN: `threshold`: automatic; `most`: the built-in limit. */
struct flow_threshold_wish {
    double threshold;           /* recognition.threshold */
    double false_accept_target; /* recognition.false_accept_target */
    double most;                /* recognition.max_auto_threshold */
};
/* As the settings are. */
void flow_threshold_wish(const struct flow *flow, struct flow_threshold_wish *out);
void flow_threshold_preview(struct flow *flow, const struct flow_threshold_wish *wish, struct flow_threshold *out);

#define FLOW_HISTOGRAM 200 /* bins over -1..1 */
/* Scores between people of the box, as the own calibration counted them. Returns their number; 0: none so far. */
uint64_t flow_threshold_histogram(struct flow *flow, uint64_t counts[FLOW_HISTOGRAM]);
/* Shares of the scores of different people and of the same person in each bin, by the table of the model set: rough but
 * where error rates are small. Each adds up to 1. */
void flow_threshold_scores(struct flow *flow, double different[FLOW_HISTOGRAM], double same[FLOW_HISTOGRAM]);
/* The same as it would be with recognition.threshold = auto. */
void flow_threshold_automatic(struct flow *flow, struct flow_threshold *out);

/* ---- figures ----------------------------------------------------------------------------------- */

void flow_metrics(struct flow *flow, struct buffer *out); /* Prometheus text */

/* How long the last decisions took, from call to durable event, ms; 0 without any. */
struct flow_latency {
    size_t count;
    double p50_ms, p99_ms;
};
struct flow_latency flow_latency(const struct flow *flow);

#endif
