#include "people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

struct synthetic model;
static float (*faces)[GALLERY_DIMENSION]; /* PEOPLE of them */

const float *face_of(size_t person)
{
    return faces[person - 1];
}

struct gallery *open_gallery(size_t capacity)
{
    struct gallery *gallery = NULL;
    struct aibox_error err;
    assert_int_equal(gallery_open(capacity, &gallery, &err), AIBOX_OK);
    return gallery;
}

enum aibox_status put(struct gallery *gallery, int64_t id, const float *face)
{
    struct gallery_person person = {.person_id = id, .faces = face, .n_faces = 1};
    return gallery_put(gallery, &person, NULL);
}

struct gallery *open_filled(size_t people)
{
    struct gallery *gallery = open_gallery(people);
    for (size_t i = 1; i <= people; i++)
        assert_int_equal(put(gallery, (int64_t)i, face_of(i)), AIBOX_OK);
    return gallery;
}

struct gallery_result search(const struct gallery *gallery, const float *probe, const struct gallery_filter *f,
                             size_t k)
{
    struct gallery_result result;
    assert_int_equal(gallery_search(gallery, probe, f, k, &result, NULL), AIBOX_OK);
    for (size_t i = 1; i < result.count; i++) {
        assert_true(result.best[i - 1].score >= result.best[i].score);
        for (size_t j = 0; j < i; j++)
            assert_true(result.best[i].person_id != result.best[j].person_id);
    }
    return result;
}

static int by_score(const void *a, const void *b)
{
    const struct naive *x = a;
    const struct naive *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->person_id > y->person_id) - (x->person_id < y->person_id);
}

struct naive *naive_search(const float *probe, size_t people, bool (*wanted)(size_t), size_t *count)
{
    struct naive *all = malloc(people * sizeof(*all));
    assert_non_null(all);
    *count = 0;
    for (size_t i = 1; i <= people; i++) {
        if (wanted == NULL || wanted(i))
            all[(*count)++] = (struct naive){(int64_t)i, gallery_cosine(probe, face_of(i))};
    }
    qsort(all, *count, sizeof(*all), by_score);
    return all;
}

void assert_same(const struct gallery_result *result, const struct naive *expected, size_t count, size_t k)
{
    assert_int_equal(result->count, count < k ? count : k);
    assert_int_equal(result->candidates, count);
    for (size_t i = 0; i < result->count; i++) {
        assert_true(fabs((double)result->best[i].score - (double)expected[i].score) < TOLERANCE);
    }
    bool clear = count < 2 || expected[0].score - expected[1].score > (float)TOLERANCE;
    if (result->count > 0 && clear)
        assert_int_equal(result->best[0].person_id, expected[0].person_id);
}

int make_faces(void **state)
{
    (void)state;
    synthetic_init(&model, 1);
    faces = malloc(PEOPLE * sizeof(*faces));
    for (size_t i = 0; faces != NULL && i < PEOPLE; i++)
        synthetic_face(&model, i, 0, faces[i]);
    return faces != NULL ? 0 : -1;
}

int free_faces(void **state)
{
    (void)state;
    free(faces);
    return 0;
}
