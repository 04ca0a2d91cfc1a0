/*
 * Searches while people come, change and go: what gallery.h promises to readers. Nothing here depends on timing; under
 * ThreadSanitizer it also shows that no access races.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gallery/rows.h"
#include "synthetic.h"

/* Numbers of people: nobody touches the first, the next are replaced, the last come and go. */
#define STILL     40
#define CHANGING  40
#define PASSING   40
#define EVERYBODY (STILL + CHANGING + PASSING)
#define FACES     (2 * EVERYBODY)

#define GROUP_CHANGING 1000
#define ROUNDS         25
#define READERS        3

static float faces[FACES][GALLERY_DIMENSION]; /* people have two each */

struct scene {
    struct gallery *gallery;
    atomic_bool done;
    atomic_uint faults; /* broken promises; cmocka's own checks are for the main thread */
    atomic_uint turns;  /* of readers */
};

static void expect(struct scene *scene, bool kept)
{
    if (!kept)
        atomic_fetch_add(&scene->faults, 1);
}

static bool is_changing(unsigned person)
{
    return person > STILL && person <= STILL + CHANGING;
}

static const float *face_of(unsigned person, unsigned which)
{
    return faces[(person - 1) * 2 + which];
}

/* Everyone is alone in the group of their number, too. */
static bool put(struct gallery *gallery, unsigned person, unsigned which)
{
    struct gallery_person row = {.person_id = person, .faces = face_of(person, which), .n_faces = 1};
    gallery_labels_add(&row.groups, person);
    if (is_changing(person))
        gallery_labels_add(&row.groups, GROUP_CHANGING);
    for (unsigned label = 200; which == 1 && label < 212; label++) /* every other time a wide set */
        gallery_labels_add(&row.groups, label);
    return gallery_put(gallery, &row, NULL) == AIBOX_OK;
}

static bool is_near(float a, float b)
{
    return fabsf(a - b) < 1e-3F;
}

static struct gallery_result search_group(struct scene *scene, const float *probe, unsigned group)
{
    struct gallery_labels groups = {0};
    struct gallery_result result;
    gallery_labels_add(&groups, group);
    expect(scene, gallery_search(scene->gallery, probe, &(struct gallery_filter){.groups = &groups}, 64, &result,
                                 NULL) == AIBOX_OK);
    return result;
}

static void check_nobody_twice(struct scene *scene, const struct gallery_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        for (size_t j = 0; j < i; j++)
            expect(scene, result->best[i].person_id != result->best[j].person_id);
    }
}

static void read_once(struct scene *scene, unsigned turn)
{
    struct gallery_result result;
    unsigned still = 1 + turn % STILL;
    unsigned changing = STILL + 1 + turn % CHANGING;
    unsigned passing = STILL + CHANGING + 1 + turn % PASSING;
    /* Never missing somebody whom nobody touched. */
    expect(scene, gallery_search(scene->gallery, face_of(still, 0), NULL, 64, &result, NULL) == AIBOX_OK);
    expect(scene, result.count == 64 && result.best[0].person_id == still && is_near(result.best[0].score, 1));
    check_nobody_twice(scene, &result);
    expect(scene, is_near(gallery_score(scene->gallery, face_of(still, 0), still), 1));
    /* Old or new: one row, and a whole one. */
    float other = gallery_cosine(face_of(changing, 0), face_of(changing, 1));
    result = search_group(scene, face_of(changing, 0), changing);
    expect(scene, result.count == 1 && result.best[0].person_id == changing &&
                      (is_near(result.best[0].score, 1) || is_near(result.best[0].score, other)));
    float score = gallery_score(scene->gallery, face_of(changing, 0), changing);
    expect(scene, is_near(score, 1) || is_near(score, other));
    result = search_group(scene, face_of(changing, 0), GROUP_CHANGING);
    expect(scene, result.count == CHANGING);
    check_nobody_twice(scene, &result);
    /* There or not. */
    score = gallery_score(scene->gallery, face_of(passing, 0), passing);
    expect(scene, isnan(score) || is_near(score, 1));
}

static void *reader(void *arg)
{
    struct scene *scene = arg;
    unsigned turn = 0;
    do {
        read_once(scene, turn++);
        atomic_fetch_add(&scene->turns, 1);
    } while (!atomic_load(&scene->done));
    return NULL;
}

static void *replacer(void *arg)
{
    struct scene *scene = arg;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (unsigned person = STILL + 1; person <= STILL + CHANGING; person++) {
            expect(scene, put(scene->gallery, person, round % 2));
            /* Seen by whoever starts after the put. */
            struct gallery_result result = search_group(scene, face_of(person, round % 2), person);
            expect(scene, result.count == 1 && is_near(result.best[0].score, 1));
        }
    }
    return NULL;
}

static void *comer_and_goer(void *arg)
{
    struct scene *scene = arg;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (unsigned person = STILL + CHANGING + 1; person <= EVERYBODY; person++) {
            expect(scene, gallery_remove(scene->gallery, person));
            expect(scene, isnan(gallery_score(scene->gallery, face_of(person, 0), person)));
            if (person % 8 == 0)
                gallery_drop_group(scene->gallery, 205);
            expect(scene, put(scene->gallery, person, 0));
            expect(scene, is_near(gallery_score(scene->gallery, face_of(person, 0), person), 1));
        }
    }
    return NULL;
}

static void start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    assert_int_equal(pthread_create(thread, NULL, run, arg), 0);
}

static void *counter(void *arg)
{
    struct scene *scene = arg;
    enum { BINS = 8 };
    do {
        uint64_t bins[BINS] = {0};
        uint64_t sum = 0;
        uint64_t pairs = gallery_impostor_histogram(scene->gallery, EVERYBODY, bins, BINS, &scene->done);
        for (size_t i = 0; i < BINS; i++)
            sum += bins[i];
        expect(scene, sum == pairs);
        expect(scene, gallery_count(scene->gallery) >= EVERYBODY - 1);
    } while (!atomic_load(&scene->done));
    return NULL;
}

static void test_readers_and_writers(void **state)
{
    (void)state;
    struct scene scene = {0};
    pthread_t readers[READERS];
    pthread_t writers[2];
    pthread_t histogram;
    assert_int_equal(gallery_open(EVERYBODY, &scene.gallery, NULL), AIBOX_OK);
    for (unsigned person = 1; person <= EVERYBODY; person++)
        assert_true(put(scene.gallery, person, 0));
    for (size_t i = 0; i < READERS; i++)
        start(&readers[i], reader, &scene);
    start(&histogram, counter, &scene);
    start(&writers[0], replacer, &scene);
    start(&writers[1], comer_and_goer, &scene);
    pthread_join(writers[0], NULL);
    pthread_join(writers[1], NULL);
    atomic_store(&scene.done, true);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    pthread_join(histogram, NULL);
    assert_int_equal(atomic_load(&scene.faults), 0);
    assert_int_equal(gallery_count(scene.gallery), EVERYBODY);
    print_message("%u turns of readers\n", atomic_load(&scene.turns));
    gallery_close(scene.gallery);
}

/* People come in the order of their numbers, and all go at once: every view holds the first so many and nobody else. */
static void *prefix_reader(void *arg)
{
    struct scene *scene = arg;
    do {
        struct gallery_result result;
        uint64_t seen = 0;
        expect(scene, gallery_search(scene->gallery, face_of(1, 0), NULL, 64, &result, NULL) == AIBOX_OK);
        check_nobody_twice(scene, &result);
        for (size_t i = 0; i < result.count; i++)
            seen |= UINT64_C(1) << (result.best[i].person_id - 1);
        expect(scene, (seen & (seen + 1)) == 0);
        atomic_fetch_add(&scene->turns, 1);
    } while (!atomic_load(&scene->done));
    return NULL;
}

static void test_clear_is_one_change(void **state)
{
    (void)state;
    struct scene scene = {0};
    pthread_t readers[READERS];
    assert_int_equal(gallery_open(60, &scene.gallery, NULL), AIBOX_OK);
    for (size_t i = 0; i < READERS; i++)
        start(&readers[i], prefix_reader, &scene);
    for (unsigned round = 0; round < 2 * ROUNDS; round++) {
        for (unsigned person = 1; person <= 60; person++)
            assert_true(put(scene.gallery, person, round % 2));
        gallery_clear(scene.gallery);
        assert_int_equal(gallery_count(scene.gallery), 0);
    }
    atomic_store(&scene.done, true);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&scene.faults), 0);
    gallery_close(scene.gallery);
}

static void *many_replacements(void *arg)
{
    struct scene *scene = arg;
    for (unsigned i = 0; i < 3000; i++)
        expect(scene, put(scene->gallery, 1 + i % STILL, i % 2));
    atomic_store(&scene->done, true);
    return NULL;
}

/* A reader that stays longer than there are spare slots: writers wait for it, and go on when it leaves. */
static void test_slow_reader(void **state)
{
    (void)state;
    struct scene scene = {0};
    pthread_t writer;
    const struct timespec pause = {.tv_nsec = 20000000};
    assert_int_equal(gallery_open(STILL, &scene.gallery, NULL), AIBOX_OK);
    for (unsigned person = 1; person <= STILL; person++)
        assert_true(put(scene.gallery, person, 0));
    struct view view = view_open(scene.gallery);
    start(&writer, many_replacements, &scene);
    nanosleep(&pause, NULL);
    assert_false(atomic_load(&scene.done)); /* there are 1,024 spare slots, and nothing may be freed */
    for (unsigned person = 1; person <= STILL; person++) {
        uint32_t slot = rows_find(scene.gallery, &view, person);
        assert_true(slot != ROW_NONE);
        float score;
        scene.gallery->kernel->dots(row_half(scene.gallery, slot), face_of(person, 0), 1, &score);
        assert_true(is_near(score, 1));
    }
    view_close(scene.gallery, &view);
    pthread_join(writer, NULL);
    assert_int_equal(atomic_load(&scene.faults), 0);
    assert_int_equal(gallery_count(scene.gallery), STILL);
    gallery_close(scene.gallery);
}

static int make_faces(void **state)
{
    (void)state;
    static struct synthetic model;
    synthetic_init(&model, 1);
    for (size_t i = 0; i < FACES; i++)
        synthetic_face(&model, i, 0, faces[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_and_writers),
        cmocka_unit_test(test_clear_is_one_change),
        cmocka_unit_test(test_slow_reader),
    };
    return cmocka_run_group_tests(tests, make_faces, NULL);
}
