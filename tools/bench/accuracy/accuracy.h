/*
 * bench-accuracy: measures the vision room on labelled pictures. main.c reads the pictures' names (dataset.c), computes
 * every face once (extract.c), and each measurement adds one object to the report.
 *
 * All functions here return false after having said why on stderr.
 */
#ifndef AIBOX_BENCH_ACCURACY_H
#define AIBOX_BENCH_ACCURACY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vision/vision.h"

/* One picture of LFW and what was computed from its central face. */
struct picture {
    char *path; /* owned */
    size_t person;
    bool found;
    bool embedded;
    float trust; /* in the embedding (struct vision_strength) */
    struct vision_face face;
    struct vision_quality quality;
    struct vision_pose mirrored; /* pose in the mirrored picture */
};

struct person {
    char *name;          /* owned; the folder's */
    size_t first, count; /* its pictures, consecutive */
    bool excluded;       /* from everything but pairs.txt: the label is known to be wrong */
};

/* One line of pairs.txt; indices into pictures. */
struct pair {
    size_t a, b;
    size_t fold;
    bool same;
};

struct dataset {
    struct person *people;
    size_t people_count;
    struct picture *pictures;
    size_t picture_count;
    struct pair *pairs;
    size_t pair_count;
    size_t folds;
    enum vision_views views; /* of the embeddings */
    int face;                /* px: pictures are shrunk so that the face is that high; 0: as they are */
    float *embeddings;       /* picture_count × VISION_DIMENSION, of length 1 (or 0 without a face) */
};

/* dataset.c: "<faces>/lfw/<name>/<name>_0001.jpg" …, "<faces>/pairs.txt". */
bool dataset_open(const char *faces, struct dataset *out);
void dataset_free(struct dataset *data);

/* Marks the people named in a file, one folder name a line, as excluded. */
bool dataset_exclude(struct dataset *data, const char *path);

/* Whether a picture counts: embedded and not excluded. */
bool usable(const struct dataset *data, size_t picture);

/* "a/b" or, with `c`, "a/b/c"; the caller frees. NULL: no memory or too long. */
char *join_path(const char *a, const char *b, const char *c);

/* A whole file; the caller frees. NULL: said why. */
uint8_t *read_whole_file(const char *path, size_t *size);

/* Decoded picture of a file. */
bool read_picture(const char *path, struct image *out);

/* The face whose box's centre is nearest to the picture's; NULL if there is none. */
const struct vision_face *central_face(const struct image *image, const struct vision_face *faces, size_t count);

/* each_picture.c: look(ctx, …) at pictures 0 to count - 1, on `threads` threads with a worker each, until it is false.
 */
bool each_picture(const struct vision *vision, size_t count, size_t threads,
                  bool (*look)(void *ctx, struct vision_worker *worker, size_t picture), void *ctx);

/* Finds the central face with its points. False: there is none (*status is AIBOX_OK), or what failed. */
bool find_central(struct vision_worker *worker, const struct image *image, struct vision_face *out,
                  struct aibox_error *err, enum aibox_status *status);

/* extract.c: fills pictures and embeddings with `threads` workers. */
bool extract_faces(struct dataset *data, const struct vision *vision, size_t threads);

/* Identification rates at FPIR 1 % and 0.1 %, means over the draws. */
struct identification {
    size_t gallery, probes, strangers;
    double rank1, fnir[2], threshold[2];
};
/* Galleries of one picture each, out of data->embeddings, asked with other embeddings of the same pictures. */
bool identify_small(const struct dataset *data, const float *probes, struct identification *out);

/* LFW's protocol: share of pairs.txt judged right, the first picture's embedding out of one array, the second's out of
 * the other. NAN: no memory. */
double pairs_accuracy(const struct dataset *data, const float *first, const float *second);

/* The measurements: each returns a new JSON object, or NULL. */
json_t *measure_verification(const struct dataset *data);
json_t *measure_identification(const struct dataset *data);
json_t *measure_calibration(const struct dataset *data);
json_t *measure_detection(const char *faces, const struct vision *vision);
json_t *measure_robustness(const struct dataset *data, const struct vision *vision);
/* spoilt.c: who is still known in a picture that was compressed, turned, darkened, … */
json_t *measure_spoilt(const struct dataset *data, const struct vision *vision);
/* What the automatic threshold promises, and what strangers get. */
json_t *measure_galleries(const struct dataset *data, const struct vision *vision);
/* Computes embeddings of its own. */
json_t *measure_sizes(struct dataset *data, const struct vision *vision, size_t threads);
json_t *measure_timing(const struct dataset *data, const struct vision *vision);
/* Probes with drawn masks; computes embeddings of its own. */
json_t *measure_masks(const struct dataset *data, const struct vision *vision, size_t threads);

/* plot.c: the scores of all pairs as an SVG drawing, with the model set's thresholds. */
bool plot_scores(const struct dataset *data, const struct vision *vision, const char *path);

/* verification.c: the scores of all pairs of pictures that count, sorted. */
struct all_pairs {
    float *genuine, *impostor; /* owned */
    size_t genuine_count, impostor_count;
};
bool all_pairs_make(const struct dataset *data, struct all_pairs *out);
void all_pairs_free(struct all_pairs *all);

/* numbers.c */
float dot(const float *a, const float *b);                        /* of two embeddings */
void sort_floats(float *values, size_t count);                    /* rising */
double quantile(const float *sorted, size_t count, double share); /* linear between neighbours */
uint64_t random_next(uint64_t *state);                            /* splitmix64: the same draws everywhere */
double now_ms(void);

#endif
