/* The gallery's contract on one thread, against a plain scan in double precision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gallery/kernel.h"
#include "gallery/rows.h"
#include "people.h"

static void check_exact(size_t people)
{
    struct gallery *gallery = open_filled(people);
    float probe[GALLERY_DIMENSION];
    const size_t ks[] = {1, 5, 64};
    for (size_t i = 1; i <= 40; i++) {
        size_t count;
        synthetic_face(&model, i * 13 % people, i, probe);
        for (size_t j = 0; j < GALLERY_DIMENSION; j++)
            probe[j] *= (float)i; /* need not be normalised */
        struct naive *expected = naive_search(probe, people, NULL, &count);
        for (size_t k = 0; k < 3; k++) {
            struct gallery_result result = search(gallery, probe, NULL, ks[k]);
            if (people <= SMALL)
                assert_same(&result, expected, count, ks[k]);
            else if (expected[0].score > 0.5F)
                assert_int_equal(result.best[0].person_id, expected[0].person_id);
            assert_int_equal(result.count, ks[k]);
        }
        free(expected);
    }
    gallery_close(gallery);
}

static void test_search_all_kernels(void **state)
{
    (void)state;
    const struct gallery_kernel *kernels[4];
    size_t n = gallery_kernels(kernels);
    for (size_t i = 0; i < n; i++) {
        setenv("AIBOX_GALLERY_KERNEL", kernels[i]->name, 1);
        check_exact(SMALL);
        check_exact(PEOPLE);
    }
    unsetenv("AIBOX_GALLERY_KERNEL");
}

static void test_empty_and_few(void **state)
{
    (void)state;
    struct gallery *gallery = open_gallery(10);
    struct gallery_result result = search(gallery, face_of(1), NULL, 64);
    assert_int_equal(result.count, 0);
    assert_int_equal(result.candidates, 0);
    assert_true(isnan(gallery_score(gallery, face_of(1), 1)));
    for (size_t i = 1; i <= 3; i++)
        put(gallery, (int64_t)i, face_of(i));
    result = search(gallery, face_of(2), NULL, 64);
    assert_int_equal(result.count, 3);
    assert_int_equal(result.best[0].person_id, 2);
    assert_true(fabsf(result.best[0].score - 1) < TOLERANCE && result.best[0].score <= 1);
    gallery_close(gallery);
    gallery_close(NULL);
}

static void test_ties(void **state)
{
    (void)state;
    struct gallery *gallery = open_gallery(PEOPLE);
    const int64_t ids[] = {900, 30, 7000000000, 4, 77};
    const int64_t sorted[] = {4, 30, 77, 900, 7000000000};
    for (size_t i = 0; i < 5; i++)
        put(gallery, ids[i], face_of(1));
    put(gallery, 2, face_of(2));
    struct gallery_result result = search(gallery, face_of(1), NULL, 6);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(result.best[i].person_id, sorted[i]);
    assert_int_equal(result.best[5].person_id, 2);
    gallery_clear(gallery);
    /* More equal rows than are scored. */
    for (int64_t i = 1; i <= 2400; i++)
        put(gallery, i, face_of(1));
    put(gallery, 5000, face_of(3));
    result = search(gallery, face_of(1), NULL, 64);
    assert_int_equal(result.count, 64);
    assert_true(result.best[63].score > 1 - (float)TOLERANCE);
    result = search(gallery, face_of(3), NULL, 1);
    assert_int_equal(result.best[0].person_id, 5000);
    gallery_close(gallery);
}

static void test_template_of_several_faces(void **state)
{
    (void)state;
    struct gallery *gallery = open_gallery(10);
    float several[GALLERY_MAX_FACES * GALLERY_DIMENSION];
    double mean[GALLERY_DIMENSION] = {0};
    float mean_face[GALLERY_DIMENSION];
    for (size_t f = 0; f < GALLERY_MAX_FACES; f++) {
        for (size_t i = 0; i < GALLERY_DIMENSION; i++) {
            several[f * GALLERY_DIMENSION + i] = face_of(f + 1)[i] * (float)(f + 1); /* lengths must not weigh */
            mean[i] += (double)face_of(f + 1)[i];
        }
    }
    for (size_t i = 0; i < GALLERY_DIMENSION; i++)
        mean_face[i] = (float)mean[i];
    struct gallery_person person = {.person_id = 1, .faces = several, .n_faces = GALLERY_MAX_FACES};
    assert_int_equal(gallery_put(gallery, &person, NULL), AIBOX_OK);
    assert_true(gallery_score(gallery, mean_face, 1) > 0.9999F);
    assert_true(fabsf(gallery_score(gallery, face_of(9), 1) - gallery_cosine(face_of(9), mean_face)) < TOLERANCE);
    gallery_close(gallery);
}

static void test_refusals(void **state)
{
    (void)state;
    struct gallery *gallery = open_gallery(10);
    struct gallery_result result;
    struct aibox_error err = {0};
    float bad[2 * GALLERY_DIMENSION];
    const float poisons[] = {NAN, INFINITY, -INFINITY};
    put(gallery, 1, face_of(1));
    for (size_t i = 0; i < 3; i++) {
        memcpy(bad, face_of(2), GALLERY_DIMENSION * sizeof(float));
        bad[100 + i] = poisons[i];
        assert_int_equal(put(gallery, 1, bad), AIBOX_BAD_FEATURE);
        assert_int_equal(gallery_search(gallery, bad, NULL, 1, &result, &err), AIBOX_BAD_FEATURE);
        assert_int_equal(err.status, AIBOX_BAD_FEATURE);
        assert_true(isnan(gallery_score(gallery, bad, 1)));
    }
    memset(bad, 0, sizeof(bad));
    bad[5] = 1e-6F;
    assert_int_equal(put(gallery, 1, bad), AIBOX_BAD_FEATURE);
    assert_int_equal(gallery_search(gallery, bad, NULL, 1, &result, NULL), AIBOX_BAD_FEATURE);
    assert_true(gallery_cosine(bad, face_of(1)) == 0);
    for (size_t i = 0; i < GALLERY_DIMENSION; i++) { /* two faces whose mean is zero */
        bad[i] = face_of(1)[i];
        bad[GALLERY_DIMENSION + i] = -face_of(1)[i];
    }
    struct gallery_person person = {.person_id = 1, .faces = bad, .n_faces = 2};
    assert_int_equal(gallery_put(gallery, &person, NULL), AIBOX_BAD_FEATURE);
    person.n_faces = 0;
    assert_int_equal(gallery_put(gallery, &person, NULL), AIBOX_PARAM);
    person.n_faces = GALLERY_MAX_FACES + 1;
    assert_int_equal(gallery_put(gallery, &person, NULL), AIBOX_PARAM);
    assert_int_equal(put(gallery, 0, face_of(1)), AIBOX_PARAM);
    assert_int_equal(gallery_search(gallery, face_of(1), NULL, 0, &result, NULL), AIBOX_PARAM);
    assert_int_equal(gallery_search(gallery, face_of(1), NULL, GALLERY_MAX_RESULTS + 1, &result, NULL), AIBOX_PARAM);
    assert_int_equal(gallery_count(gallery), 1);
    assert_true(gallery_score(gallery, face_of(1), 1) > 0.999F); /* nothing changed */
    gallery_close(gallery);
    assert_int_equal(gallery_open(0, &gallery, NULL), AIBOX_PARAM);
    assert_int_equal(gallery_open(SIZE_MAX, &gallery, NULL), AIBOX_PARAM);
}

static void test_capacity(void **state)
{
    (void)state;
    struct gallery *gallery = open_filled(50);
    assert_int_equal(put(gallery, 51, face_of(51)), AIBOX_GALLERY_FULL);
    assert_int_equal(gallery_count(gallery), 50);
    for (int i = 0; i < 5000; i++) /* many more replacements than spare slots */
        assert_int_equal(put(gallery, 1 + i % 50, face_of((size_t)(i % 200) + 1)), AIBOX_OK);
    assert_true(gallery_remove(gallery, 7));
    assert_false(gallery_remove(gallery, 7));
    assert_int_equal(put(gallery, 51, face_of(51)), AIBOX_OK);
    assert_int_equal(put(gallery, 7, face_of(7)), AIBOX_GALLERY_FULL);
    gallery_close(gallery);
}

static void test_replace_and_remove(void **state)
{
    (void)state;
    struct gallery *gallery = open_filled(200);
    assert_int_equal(put(gallery, 5, face_of(1000)), AIBOX_OK);
    assert_int_equal(gallery_count(gallery), 200);
    assert_int_equal(search(gallery, face_of(1000), NULL, 1).best[0].person_id, 5);
    assert_true(search(gallery, face_of(5), NULL, 1).best[0].score < 0.9F);
    assert_true(gallery_remove(gallery, 5));
    assert_true(search(gallery, face_of(1000), NULL, 1).best[0].score < 0.9F);
    assert_true(isnan(gallery_score(gallery, face_of(1000), 5)));
    assert_int_equal(gallery_count(gallery), 199);
    gallery_clear(gallery);
    assert_int_equal(gallery_count(gallery), 0);
    assert_int_equal(search(gallery, face_of(1), NULL, 64).count, 0);
    assert_int_equal(put(gallery, 5, face_of(5)), AIBOX_OK);
    assert_int_equal(search(gallery, face_of(5), NULL, 64).count, 1);
    gallery_close(gallery);
}

/* A long random history against a table of what should be there. */
static void test_churn(void **state)
{
    (void)state;
    enum { IDS = 400, CHANGES = 20000 };
    struct gallery *gallery = open_gallery(IDS);
    size_t holds[IDS + 1] = {0}; /* the face of each person; 0: not there */
    size_t people = 0;
    uint64_t random = 17;
    for (int change = 0; change < CHANGES; change++) {
        size_t id = synthetic_random(&random) % IDS + 1;
        size_t face = synthetic_random(&random) % PEOPLE + 1;
        size_t share = change / 2000 % 2 == 0 ? 8 : 2; /* of ten changes, puts: the gallery swells and shrinks */
        if (synthetic_random(&random) % 10 < share) {
            assert_int_equal(put(gallery, (int64_t)id, face_of(face)), AIBOX_OK);
            people += holds[id] == 0;
            holds[id] = face;
        } else {
            assert_int_equal(gallery_remove(gallery, (int64_t)id), holds[id] != 0);
            people -= holds[id] != 0;
            holds[id] = 0;
        }
        assert_int_equal(gallery_count(gallery), people);
        assert_true(atomic_load(&gallery->shared->top) <= people + 8); /* scans read what lives and no more */
        if (change % 1000 != 0)
            continue;
        for (size_t i = 1; i <= IDS; i++) {
            if (holds[i] == 0) {
                assert_true(isnan(gallery_score(gallery, face_of(1), (int64_t)i)));
                continue;
            }
            assert_true(gallery_score(gallery, face_of(holds[i]), (int64_t)i) > 0.999F);
            assert_int_equal(search(gallery, face_of(holds[i]), NULL, 1).candidates, people);
        }
        assert_int_equal(search(gallery, face_of(1), NULL, 64).count, people < 64 ? people : 64);
    }
    gallery_close(gallery);
}

/* A view taken before changes goes on seeing what was. */
static void test_view_is_a_snapshot(void **state)
{
    (void)state;
    enum { IDS = 300 };
    struct gallery *gallery = open_filled(IDS);
    struct view view = view_open(gallery);
    for (int64_t id = 1; id <= IDS; id++) {
        if (id % 3 == 0)
            assert_true(gallery_remove(gallery, id));
        else
            assert_int_equal(put(gallery, id, face_of((size_t)id + IDS)), AIBOX_OK);
    }
    gallery_clear(gallery);
    for (int64_t id = 1; id <= IDS; id++) {
        uint32_t slot = rows_find(gallery, &view, id);
        assert_true(slot != ROW_NONE);
        float score;
        gallery->kernel->dots(row_half(gallery, slot), face_of((size_t)id), 1, &score);
        assert_true(fabsf(score - 1) < TOLERANCE);
        assert_true((rows_stable(gallery, slot / 64) >> slot % 64 & 1) != 0);
    }
    size_t seen = 0;
    for (uint32_t slot = 0; slot < view.n_blocks * 64; slot++)
        seen += (rows_stable(gallery, slot / 64) >> slot % 64 & 1) != 0 && view_has(gallery, &view, slot);
    assert_int_equal(seen, IDS);
    view_close(gallery, &view);
    assert_int_equal(search(gallery, face_of(1), NULL, 1).count, 0);
    put(gallery, 1, face_of(1)); /* a change, after which all else is free again */
    assert_true(atomic_load(&gallery->shared->top) <= 8);
    gallery_close(gallery);
}

/* While people are only replaced, everybody has one row in every version there ever was. */
static void test_every_version_is_whole(void **state)
{
    (void)state;
    enum { IDS = 60, CHANGES = 300 };
    struct gallery *gallery = open_filled(IDS);
    struct view first = view_open(gallery); /* so that no row is forgotten */
    for (size_t i = 0; i < CHANGES; i++)
        assert_int_equal(put(gallery, (int64_t)(i * 7 % IDS) + 1, face_of(i + 1)), AIBOX_OK);
    struct view last = view_open(gallery);
    assert_true(last.version >= first.version + CHANGES);
    for (struct view view = last; view.version >= first.version; view.version--) {
        size_t rows_of[IDS + 1] = {0};
        for (uint32_t slot = 0; slot < last.n_blocks * 64; slot++) {
            if ((rows_stable(gallery, slot / 64) >> slot % 64 & 1) != 0 && view_has(gallery, &view, slot))
                rows_of[gallery->person[slot]]++;
        }
        for (size_t id = 1; id <= IDS; id++)
            assert_int_equal(rows_of[id], 1);
    }
    view_close(gallery, &last);
    view_close(gallery, &first);
    gallery_close(gallery);
}

static void test_batch(void **state)
{
    (void)state;
    enum { PROBES = 75 };
    struct gallery *gallery = open_filled(PEOPLE);
    static float probes[PROBES][GALLERY_DIMENSION];
    struct gallery_result *results = calloc(PROBES, sizeof(*results));
    assert_non_null(results);
    for (uint64_t i = 0; i < PROBES; i++)
        synthetic_face(&model, i, 2, probes[i]);
    assert_int_equal(gallery_search_batch(gallery, probes[0], PROBES, NULL, 9, results, NULL), AIBOX_OK);
    for (size_t i = 0; i < PROBES; i++) {
        struct gallery_result single = search(gallery, probes[i], NULL, 9);
        assert_int_equal(results[i].count, 9);
        assert_int_equal(results[i].candidates, PEOPLE);
        for (size_t j = 0; j < 9; j++) {
            assert_int_equal(results[i].best[j].person_id, single.best[j].person_id);
            assert_true(results[i].best[j].score == single.best[j].score);
        }
    }
    assert_int_equal(gallery_search_batch(gallery, probes[0], 0, NULL, 9, results, NULL), AIBOX_OK);
    probes[PROBES - 1][0] = NAN;
    assert_int_equal(gallery_search_batch(gallery, probes[0], PROBES, NULL, 9, results, NULL), AIBOX_BAD_FEATURE);
    free(results);
    gallery_close(gallery);
}

static void test_histogram(void **state)
{
    (void)state;
    enum { IDS = 300, BINS = 40 };
    struct gallery *gallery = open_filled(IDS);
    uint64_t bins[BINS] = {0};
    uint64_t expected[BINS] = {0};
    uint64_t sum = 0;
    uint64_t moved = 0;
    atomic_bool stop = false;
    for (size_t i = 1; i <= IDS; i++) {
        for (size_t j = 1; j < i; j++)
            expected[(size_t)((gallery_cosine(face_of(i), face_of(j)) + 1) / 2 * BINS)]++;
    }
    assert_int_equal(gallery_impostor_histogram(gallery, 10000, bins, BINS, &stop), IDS * (IDS - 1) / 2);
    for (size_t i = 0; i < BINS; i++) {
        sum += bins[i];
        moved += bins[i] > expected[i] ? bins[i] - expected[i] : 0;
    }
    assert_int_equal(sum, IDS * (IDS - 1) / 2);
    assert_true(moved < IDS); /* a pair or two per bin's edge, for half precision */
    /* A sample; appended to what is there. */
    assert_int_equal(gallery_impostor_histogram(gallery, 100, bins, BINS, NULL), 100 * 99 / 2);
    sum = 0;
    for (size_t i = 0; i < BINS; i++)
        sum += bins[i];
    assert_int_equal(sum, IDS * (IDS - 1) / 2 + 100 * 99 / 2);
    stop = true;
    assert_int_equal(gallery_impostor_histogram(gallery, 100, bins, BINS, &stop), 0);
    gallery_clear(gallery);
    assert_int_equal(gallery_impostor_histogram(gallery, 100, bins, BINS, NULL), 0);
    gallery_close(gallery);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_all_kernels),
        cmocka_unit_test(test_empty_and_few),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_template_of_several_faces),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_replace_and_remove),
        cmocka_unit_test(test_churn),
        cmocka_unit_test(test_view_is_a_snapshot),
        cmocka_unit_test(test_every_version_is_whole),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_histogram),
    };
    return cmocka_run_group_tests(tests, make_faces, free_faces);
}
