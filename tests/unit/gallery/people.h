/* People with synthetic faces, and the plain scan that a gallery is tested against. */
#ifndef AIBOX_TESTS_GALLERY_PEOPLE_H
#define AIBOX_TESTS_GALLERY_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gallery/gallery.h"
#include "synthetic.h"

#define PEOPLE    2500 /* more than are all scored */
#define SMALL     900  /* few enough to be all scored */
#define TOLERANCE 1e-3 /* half precision keeps 11 bits */

extern struct synthetic model;

/* Group set-up and tear-down of cmocka: the faces of people 1..PEOPLE. */
int make_faces(void **state);
int free_faces(void **state);

const float *face_of(size_t person);

/* An empty gallery; one with people 1..people. */
struct gallery *open_gallery(size_t capacity);
struct gallery *open_filled(size_t people);

/* One person with one face and no labels. */
enum aibox_status put(struct gallery *gallery, int64_t id, const float *face);

/* Searches, and checks that the answer is in order and names nobody twice. */
struct gallery_result search(const struct gallery *gallery, const float *probe, const struct gallery_filter *f,
                             size_t k);

struct naive {
    int64_t person_id;
    float score;
};

/* All people who pass `wanted` (NULL: all), best first, in double precision. The caller frees. */
struct naive *naive_search(const float *probe, size_t people, bool (*wanted)(size_t), size_t *count);

/* Checks an answer to a search for `k` against `count` people found by naive_search(), when all were scored. */
void assert_same(const struct gallery_result *result, const struct naive *expected, size_t count, size_t k);

#endif
