/*
 * From a picture to what is known about the faces in it. The models are loaded once (`struct vision`); each thread
 * works with a worker of its own (`struct vision_worker`), which holds the networks' memory. Algorithms, preprocessing
 * and measured limits: docs/models.md.
 */
#ifndef AIBOX_VISION_VISION_H
#define AIBOX_VISION_VISION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "vision/image.h"

#define VISION_DIMENSION    512
#define VISION_MAX_FACES    128
#define VISION_ALIGNED_SIDE 112
#define VISION_MODEL_SET    64 /* bytes of a model set's id with its end */

struct vision;
struct vision_worker;

struct vision_pose {
    float yaw, pitch, roll; /* degrees; 0 = frontal; yaw > 0: the face's nose points to the picture's right;
                               pitch > 0: up; roll > 0: clockwise in the picture */
};

struct vision_face {
    float box[4];     /* x1, y1, x2, y2 in picture pixels, clipped to the picture */
    float raw_box[4]; /* the detector's own box, may reach beyond the picture */
    float score;      /* detector's, 0..1 */
    /* After vision_locate(): */
    float landmarks[68][2]; /* iBUG 300-W order, picture pixels */
    float points[5][2];     /* eye (picture left), eye, nose tip, mouth corner (picture left), mouth corner */
    bool located;
};

enum vision_tiles { VISION_TILES_AUTO, VISION_TILES_OFF, VISION_TILES_2X2, VISION_TILES_3X3 };

struct vision_detect_options {
    float min_score;         /* 0: the model set's own (0.65) */
    float min_face;          /* px: smaller boxes (shorter side) are not reported; 0: all */
    enum vision_tiles tiles; /* AUTO: tiles where min_face and picture size need them and not when the whole-picture
                                pass found a face that fills the view; also a look for a face larger than the
                                picture where that pass found nothing or a very large face */
    /*
     * For the frames of a video, whose faces the next one shows again: of the tiles only `video_tiles` (0: all of a
     * picture), beginning with that whose turn it is, and a close look at places where small faces were a moment ago;
     * no look for a face larger than the picture.
     */
    unsigned video_tiles, turn;
    const float (*hints)[4]; /* boxes, picture pixels */
    size_t n_hints;
};

/* Loads the model set of a folder (manifest.json; every file's SHA-256 is checked). PROCESS_FAILED names what is
 * missing. */
enum aibox_status vision_open(const char *models_dir, struct vision **out, struct aibox_error *err);
void vision_close(struct vision *vision);

/* Id that is stored with every embedding: "fr-1/<12 hex>", the hash of what shapes an embedding (detector, landmark and
 * feature files, their preprocessing, the template). Lives as long as `vision`. */
const char *vision_model_set(const struct vision *vision);

/* The shipped calibration: threshold at which a pair of different people matches with probability `fmr`
 * (log-linear interpolation of the manifest's table, extrapolated at its ends), and the score that the share `tpr` of
 * genuine pairs reaches. */
float vision_threshold_for_fmr(const struct vision *vision, double fmr);
double vision_fmr_at_threshold(const struct vision *vision, float threshold);
float vision_genuine_score(const struct vision *vision, double tpr);
/* And back: the share of genuine pairs that stays below `threshold`. */
double vision_false_reject_at(const struct vision *vision, float threshold);

/* Of the worker's model set. */
const struct vision *vision_of(const struct vision_worker *worker);
enum aibox_status vision_worker_open(const struct vision *vision, struct vision_worker **out, struct aibox_error *err);
void vision_worker_close(struct vision_worker *worker);

/* All faces, largest box first; at most `max` (<= VISION_MAX_FACES). None is no error: *count = 0. */
enum aibox_status vision_detect(struct vision_worker *worker, const struct image *image,
                                const struct vision_detect_options *options, struct vision_face *faces, size_t max,
                                size_t *count, struct aibox_error *err);

/* Fills landmarks and points. */
enum aibox_status vision_locate(struct vision_worker *worker, const struct image *image, struct vision_face *face,
                                struct aibox_error *err);

/* Needs a located face from here on (PARAM otherwise; age, sex and liveness only need its box). */

/*
 * An embedding can be the mean of two looks at the face: the second is mirrored, and aligned by other points, so its
 * mistakes are others. It costs another run of the network. Embeddings of one and of two looks compare with each other.
 * A model set may allow one only (preprocessing.feature.views).
 */
enum vision_views { VISION_ONE_VIEW = 1, VISION_TWO_VIEWS = 2 };

/* How clearly the networks see somebody: what is turned away, covered or blurred gives short embeddings, and points
 * that lie elsewhere in the mirrored face. */
struct vision_strength {
    float norm;  /* the embedding's length */
    float trust; /* the same less what the model set takes off for points that disagree (calibration.doubt) */
};

/*
 * `embedding`: the mean of the network's raw 512 outputs (not normalised).
 * LOW_QUALITY: eyes, nose and mouth could not be told apart (also of vision_align() and vision_assess()).
 */
enum aibox_status vision_embed(struct vision_worker *worker, const struct image *image, const struct vision_face *face,
                               enum vision_views views, float embedding[VISION_DIMENSION],
                               struct vision_strength *strength, struct aibox_error *err);

/*
 * Probability that the face that an embedding (of any length, of one look or two, or the mean of several faces') was
 * made from wears a mask; -1: the model set can't tell. Pure.
 */
float vision_mask(const struct vision *vision, const float embedding[VISION_DIMENSION]);
#define VISION_MASKED 0.5f /* a face with a greater probability counts as masked */

/* False: the set has no way to tell masks, or one that was made for other embeddings (vision_mask() is always -1). */
bool vision_knows_masks(const struct vision *vision);

/*
 * The threshold for a masked probe: that at which it matches another person's bare face as rarely as a bare probe does
 * at `threshold`. The share of genuine masked probes that stays below a threshold. From the table made
 * with drawn masks; of a set without, those of bare faces.
 */
float vision_masked_threshold(const struct vision *vision, float threshold);
double vision_masked_false_reject_at(const struct vision *vision, float threshold);

/* From the landmarks (docs/models.md); strong profiles read too small. LOW_QUALITY: the landmarks have collapsed. */
enum aibox_status vision_estimate_pose(struct vision_worker *worker, const struct image *image,
                                       const struct vision_face *face, struct vision_pose *pose,
                                       struct aibox_error *err);

/* Years; probability of male. */
enum aibox_status vision_estimate_age_sex(struct vision_worker *worker, const struct image *image,
                                          const struct vision_face *face, float *age, float *male,
                                          struct aibox_error *err);

/* Probability 0..1 that the face is live (passive, one RGB picture). */
enum aibox_status vision_estimate_liveness(struct vision_worker *worker, const struct image *image,
                                           const struct vision_face *face, float *live, struct aibox_error *err);

/* Aligned face for people's eyes and further networks: VISION_ALIGNED_SIDE px square, 8-bit RGB, ArcFace's template. */
enum aibox_status vision_align(const struct image *image, const struct vision_face *face, struct image *out,
                               struct aibox_error *err);

/* --- face image quality assessment (FIQA) --- */

enum vision_quality_level { QUALITY_HIGH, QUALITY_MIDDLE, QUALITY_LOW, QUALITY_CUSTOM, QUALITY_NO };

/* One bit per item, in wire order. */
enum vision_quality_item {
    QUALITY_FACE_SIZE = 1 << 0,
    QUALITY_HEADPOSE = 1 << 1,
    QUALITY_OCCLUSION = 1 << 2,
    QUALITY_CLARITY = 1 << 3,
    QUALITY_MASK = 1 << 4, /* judged by vision_judge_mask(), not by vision_assess() */
    QUALITY_PARTIAL = 1 << 5,
    QUALITY_BRIGHTNESS = 1 << 6,
    QUALITY_FEATURE = 1 << 7 /* judged by vision_judge_feature(), not by vision_assess() */
};
#define QUALITY_ITEMS 8
extern const char *const vision_quality_item_names[QUALITY_ITEMS]; /* by bit number: "face_size", … */

struct vision_quality_limits {
    unsigned judged;  /* items that count */
    float face_size;  /* px, the shorter side must be greater */
    float pose_sum;   /* degrees, sum of the absolute angles at most; 0: not used */
    float pitch, yaw; /* degrees each at most (custom); 0: not used */
    float clarity;    /* at least */
    float brightness; /* at least */
    float mask;       /* at most */
};

struct vision_quality {
    float face_size; /* shorter side of the box, px */
    struct vision_pose pose;
    float clarity;     /* log10(1 + variance of the Laplacian of the aligned grey face) */
    float brightness;  /* share of the face's pixels with luma in 40..235 */
    float mask;        /* probability, or -1: not evaluated */
    bool occlusion[3]; /* left eye, right eye, mouth visible */
    bool partial;      /* the box crosses the picture's edge */
    float feature;     /* trust in the embedding (struct vision_strength), or -1: not evaluated */
    unsigned judged;
    unsigned failed; /* subset of judged */
    float score;     /* 0..1, smallest of the items' own scores (0.5 at level high's limit) */
    bool pass;       /* failed == 0 */
};

/* The limits of a level (QUALITY_CUSTOM: the defaults of the strangers' level, to be overwritten from settings). */
struct vision_quality_limits vision_quality_limits_of(enum vision_quality_level level);

/* False: no such level name ("high", "middle", "low", "custom", "no"). */
bool vision_quality_level_parse(const char *text, enum vision_quality_level *out);

enum aibox_status vision_assess(struct vision_worker *worker, const struct image *image, const struct vision_face *face,
                                const struct vision_quality_limits *limits, struct vision_quality *out,
                                struct aibox_error *err);

/*
 * Trust in an embedding of that many looks below which it is hardly anybody's: turned away, covered, blurred. Of the
 * model set; 0: it knows none.
 */
float vision_least_trust(const struct vision *vision, enum vision_views views);

/*
 * Adds the item `feature` to what vision_assess() found. `least`: vision_least_trust() of the embedding's number of
 * looks. Pure.
 */
void vision_judge_feature(struct vision_quality *quality, const struct vision_quality_limits *limits, float trust,
                          float least);

/* Whether what was measured passes other limits, too. Pure. */
bool vision_quality_meets(const struct vision_quality *quality, const struct vision_quality_limits *limits);

/* Adds the item `mask`; `probability` as vision_mask() gives it (-1: passes). Pure. */
void vision_judge_mask(struct vision_quality *quality, const struct vision_quality_limits *limits, float probability);

/* Text such as "face_size 96 px, more than 112 needed; headpose 71°, at most 60" of the failed items. */
void vision_quality_explain(const struct vision_quality *quality, const struct vision_quality_limits *limits, char *out,
                            size_t size);

#endif
