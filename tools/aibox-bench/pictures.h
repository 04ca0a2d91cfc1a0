/* Pictures of faces to measure with: those of a folder of research data, or the sample pictures of the set-up. */
#ifndef AIBOX_BENCH_PICTURES_H
#define AIBOX_BENCH_PICTURES_H

#include <stddef.h>

#include "core/status.h"

#define PICTURES_MAX 512

/* A picture as base64 text, as JSON wants it. */
struct picture {
    char *original; /* the file's own bytes */
    char *frame;    /* what a PAD would send: 640×480 JPEG */
};

struct pictures {
    struct picture items[PICTURES_MAX];
    size_t count;
    const char *source; /* for the report: "LFW" or "sample pictures" */
};

/*
 * `faces`: a folder that may hold lfw/NAME/NAME_0001.jpg; the first picture of up to `max` people, spread over
 * the alphabet. Without that: the faces on the *.jpg of `samples`, cut out with the model set of `models`. None is
 * no error.
 */
enum aibox_status pictures_load(const char *faces, const char *samples, const char *models, size_t max,
                                struct pictures *out, struct aibox_error *err);
void pictures_free(struct pictures *pictures);

#endif
