/* Groups and permissions: filters, sets of labels, and labels that go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "gallery/rows.h"
#include "people.h"

/* Labels by the person's number. Group 3: every third; 1000: everybody; people divisible by 50 hold 40 groups. */
static bool in_third(size_t person)
{
    return person % 3 == 0;
}

static bool in_third_with_seventh(size_t person)
{
    return person % 3 == 0 && person % 7 == 0;
}

static bool is_wide(size_t person)
{
    return person % 50 == 0;
}

static bool is_bare(size_t i)
{
    return i % 5 != 0;
}

static bool is_bare_in_third(size_t i)
{
    return is_bare(i) && in_third(i);
}

static bool is_bare_and_wide(size_t i)
{
    return is_bare(i) && is_wide(i);
}

static struct gallery_person labelled(size_t i)
{
    struct gallery_person person = {.person_id = (int64_t)i, .faces = face_of(i), .n_faces = 1, .masked = !is_bare(i)};
    gallery_labels_add(&person.groups, 1000);
    if (in_third(i))
        gallery_labels_add(&person.groups, 3);
    if (i % 7 == 0)
        gallery_labels_add(&person.permissions, 7);
    if (i % 11 == 0)
        gallery_labels_add(&person.permissions, 1023);
    for (unsigned label = 100; label < 140 && is_wide(i); label++)
        gallery_labels_add(&person.groups, label);
    return person;
}

static void check_filter(const struct gallery *gallery, const struct gallery_filter *filter, bool (*wanted)(size_t))
{
    size_t count;
    for (size_t i = 1; i < 20; i++) {
        struct naive *expected = naive_search(face_of(i), PEOPLE, wanted, &count);
        struct gallery_result result = search(gallery, face_of(i), filter, 20);
        assert_int_equal(gallery_count_filtered(gallery, filter), count);
        assert_same(&result, expected, count, 20);
        for (size_t j = 0; j < result.count; j++)
            assert_true(wanted((size_t)result.best[j].person_id));
        free(expected);
    }
}

static void test_filters(void **state)
{
    (void)state;
    struct gallery *gallery = open_gallery(PEOPLE);
    struct gallery_labels third = {0};
    struct gallery_labels seventh = {0};
    struct gallery_labels wide = {0};
    struct gallery_labels nobody = {0};
    for (size_t i = 1; i <= PEOPLE; i++) {
        struct gallery_person person = labelled(i);
        assert_int_equal(gallery_put(gallery, &person, NULL), AIBOX_OK);
    }
    gallery_labels_add(&third, 3);
    gallery_labels_add(&third, 999);
    gallery_labels_add(&seventh, 7);
    gallery_labels_add(&wide, 139);
    check_filter(gallery, &(struct gallery_filter){.groups = &third}, in_third);
    check_filter(gallery, &(struct gallery_filter){.groups = &third, .permissions = &seventh}, in_third_with_seventh);
    check_filter(gallery, &(struct gallery_filter){.groups = &wide}, is_wide);
    /* People known by masked faces are found, unless the filter leaves them out. */
    check_filter(gallery, &(struct gallery_filter){.unmasked = true}, is_bare);
    check_filter(gallery, &(struct gallery_filter){.groups = &third, .unmasked = true}, is_bare_in_third);
    check_filter(gallery, &(struct gallery_filter){.groups = &wide, .unmasked = true}, is_bare_and_wide);
    /* Nobody; no condition. */
    struct gallery_result result = search(gallery, face_of(1), &(struct gallery_filter){.groups = &nobody}, 5);
    assert_int_equal(result.count, 0);
    assert_int_equal(result.candidates, 0);
    result = search(gallery, face_of(1), &(struct gallery_filter){0}, 5);
    assert_int_equal(result.candidates, PEOPLE);
    /* A group is gone, its number is used again: for person 1 alone, as a permission's number stays what it is. */
    gallery_drop_group(gallery, 3);
    gallery_drop_group(gallery, 7);
    gallery_drop_group(gallery, 139);
    gallery_drop_group(gallery, GALLERY_MAX_LABELS);
    assert_int_equal(gallery_count_filtered(gallery, &(struct gallery_filter){.groups = &third}), 0);
    assert_int_equal(search(gallery, face_of(3), &(struct gallery_filter){.groups = &wide}, 5).count, 0);
    assert_int_equal(gallery_count_filtered(gallery, &(struct gallery_filter){.permissions = &seventh}), PEOPLE / 7);
    struct gallery_person first = labelled(1);
    gallery_labels_add(&first.groups, 3);
    assert_int_equal(gallery_put(gallery, &first, NULL), AIBOX_OK);
    result = search(gallery, face_of(3), &(struct gallery_filter){.groups = &third}, 5);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.best[0].person_id, 1);
    /* A new photo without mask. */
    struct gallery_person fifth = labelled(5);
    const struct gallery_filter bare = {.unmasked = true};
    const size_t before = gallery_count_filtered(gallery, &bare);
    assert_true(gallery_masked(gallery, 5));
    assert_false(gallery_masked(gallery, 6));
    assert_false(gallery_masked(gallery, PEOPLE + 1));
    fifth.masked = false;
    assert_int_equal(gallery_put(gallery, &fifth, NULL), AIBOX_OK);
    assert_int_equal(gallery_count_filtered(gallery, &bare), before + 1);
    assert_false(gallery_masked(gallery, 5));
    assert_int_equal(search(gallery, face_of(5), &bare, 1).best[0].person_id, 5);
    gallery_drop_permission(gallery, 7);
    assert_int_equal(gallery_count_filtered(gallery, &(struct gallery_filter){.permissions = &seventh}), 0);
    /* Everybody still has their other labels, and goes. */
    struct gallery_labels all = {0};
    gallery_labels_add(&all, 1000);
    assert_int_equal(gallery_count_filtered(gallery, &(struct gallery_filter){.groups = &all}), PEOPLE);
    gallery_clear(gallery);
    assert_int_equal(gallery_count_filtered(gallery, &(struct gallery_filter){.groups = &all}), 0);
    for (size_t set = 0; set < gallery->labels.top; set++)
        assert_int_equal(gallery->labels.refs[set], 0);
    gallery_close(gallery);
}

/* Sets are kept once, given back when nobody has them, and the numbers used again. */
static void test_label_sets_are_reused(void **state)
{
    (void)state;
    struct gallery *gallery = open_gallery(100);
    struct gallery_person person = {.faces = face_of(1), .n_faces = 1};
    for (int round = 0; round < 50; round++) {
        memset(&person.groups, 0, sizeof(person.groups));
        for (unsigned label = 0; label < 1 + (unsigned)round % 20; label++)
            gallery_labels_add(&person.groups, label * 7 + (unsigned)round);
        for (person.person_id = 1; person.person_id <= 100; person.person_id++)
            assert_int_equal(gallery_put(gallery, &person, NULL), AIBOX_OK);
    }
    assert_true(gallery->labels.top <= 8);
    assert_true(gallery->labels.wide_top <= 8);
    gallery_close(gallery);
}

/* Masks make people alike: scores between them say nothing about bare faces. */
static void test_histogram_without_masks(void **state)
{
    (void)state;
    enum { BINS = 20, SOME = 10, BARE = 6 };
    struct gallery *gallery = open_gallery(SOME);
    uint64_t bins[BINS] = {0};
    for (size_t i = 1; i <= SOME; i++) {
        struct gallery_person person = {.person_id = (int64_t)i, .faces = face_of(i), .n_faces = 1, .masked = i > BARE};
        assert_int_equal(gallery_put(gallery, &person, NULL), AIBOX_OK);
    }
    assert_int_equal(gallery_impostor_histogram(gallery, SOME, bins, BINS, NULL), BARE * (BARE - 1) / 2);
    gallery_close(gallery);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_histogram_without_masks),
        cmocka_unit_test(test_label_sets_are_reused),
    };
    return cmocka_run_group_tests(tests, make_faces, free_faces);
}
