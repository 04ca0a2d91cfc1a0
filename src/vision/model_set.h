/*
 * A model set: a folder with manifest.json and the files it names. Reading checks every value and every file's SHA-256;
 * nothing is run. docs/models.md describes the manifest.
 */
#ifndef AIBOX_VISION_MODEL_SET_H
#define AIBOX_VISION_MODEL_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "vision/calibration.h"

#define MODEL_SET_ID_SIZE    64
#define MODEL_FILE_MAX_BYTES (64u * 1024 * 1024)

/* X(C name, key in the manifest's "files"); a set may do without POINTS and what follows. */
#define MODEL_FILE_LIST(X)                                                                                             \
    X(DETECT, "detect")                                                                                                \
    X(LANDMARK, "landmark")                                                                                            \
    X(FEATURE, "feature")                                                                                              \
    X(LIVENESS, "liveness")                                                                                            \
    X(AGE_GENDER_MANIFEST, "age_gender_manifest")                                                                      \
    X(AGE_GENDER_WEIGHTS, "age_gender_weights")                                                                        \
    X(POINTS, "points")                                                                                                \
    X(MASK, "mask")

enum model_file {
#define X(name, key) MODEL_##name,
    MODEL_FILE_LIST(X)
#undef X
        MODEL_FILES
};
#define MODEL_FIRST_OPTIONAL MODEL_POINTS

/* How a picture's channels become a network's input: (v - mean) * scale, in the order the network wants them. */
struct model_channels {
    bool bgr;
    float mean[3];
    float scale[3];
};

#define MODEL_DETECT_HEADS 4

/* How faces are sampled that are enlarged, or hardly reduced (image.h). */
enum model_sampling { MODEL_LINEAR, MODEL_CUBIC, MODEL_LANCZOS, MODEL_SAMPLINGS };

struct model_set {
    char id[MODEL_SET_ID_SIZE]; /* "<id>/<12 hex>" */
    struct {
        char name[64];
        unsigned char sha256[32];
    } files[MODEL_FILES];

    struct {
        struct model_channels channels;
        char heads[MODEL_DETECT_HEADS * 2][32]; /* tensors: scores, boxes of each stride, finest first */
        float score;                            /* candidates below are dropped */
        float iou;                              /* suppression */
    } detect;
    struct {
        float scale; /* of the grey values */
        float box;   /* side of the square crop in box heights */
    } landmark;
    struct {
        struct model_channels channels;
        float points[5][2];           /* where the five points of a face go, 112-px picture */
        unsigned views;               /* 1 or 2: looks that an embedding is made of at most */
        enum model_sampling sampling; /* of faces that are enlarged for the network */
        bool mirror_best;             /* the second look is the first mirrored, else the landmarks' mirrored */
        float doubt;          /* taken off an embedding's length for each aligned pixel that its points disagree by */
        float least_trust[2]; /* what is left, below which one of one look, of two looks, is no use; 0: not known */
    } feature;
    struct {
        struct model_channels channels;
        float points[5][2]; /* where the five points that this network finds go, 112-px picture */
        float box;          /* side of the squares looked at, in heights of the box they are made from */
        unsigned looks;     /* 1 to 4: each at the square that the one before has found */
        bool mirrored;      /* the last one is also taken mirrored, and the mean of both counts */
    } points;               /* only if the set has the network */
    struct {
        struct model_channels channels;
        float box;   /* side of the crop in boxes */
        size_t live; /* class that means live */
    } liveness;
    struct {
        struct model_channels channels;
    } age_gender;
    struct calibration calibration;
};

/* Reads and checks manifest.json of a folder. PROCESS_FAILED with the key that is wrong. */
enum aibox_status model_set_read(const char *dir, struct model_set *out, struct aibox_error *err);

/* The same from memory (the parser's entrance for tests and fuzzing). */
enum aibox_status model_set_parse(const char *json, size_t size, struct model_set *out, struct aibox_error *err);

/* Whether the set has a file. */
bool model_set_has(const struct model_set *set, enum model_file which);

/* A file of the set, its hash checked; the caller frees *bytes with free(). PROCESS_FAILED names the file. */
enum aibox_status model_set_load(const struct model_set *set, const char *dir, enum model_file which, uint8_t **bytes,
                                 size_t *size, struct aibox_error *err);

#endif
