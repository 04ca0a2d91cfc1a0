/* Votes: large and good looks count most, faint ones only among themselves. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flow/vote.h"

/* A look at somebody whose embedding points along one axis. */
static struct flow_face look(size_t axis, float norm, float size, float quality)
{
    struct flow_face face = {.norm = norm, .quality = {.face_size = size, .score = quality, .pass = true}};
    face.embedding[axis] = norm;
    return face;
}

static void test_weights(void **state)
{
    struct vote vote = {0};
    struct flow_face large = look(0, 10, 200, 0.8f), small = look(1, 10, 50, 0.8f), poor = look(2, 10, 200, 0.1f);
    float mean[VISION_DIMENSION];
    (void)state;
    assert_true(vote_embedding(&vote, mean) == 0);
    assert_true(vote_likeness(&vote, large.embedding) == 0);
    assert_true(vote_add(&vote, &large));
    assert_true(fabsf(vote_embedding(&vote, mean) - 10) < 1e-4f);
    assert_true(vote_add(&vote, &small));
    assert_true(vote_add(&vote, &poor));
    assert_int_equal(vote.count, 3);
    float likeness = vote_likeness(&vote, large.embedding);
    assert_true(likeness > 0.95f && likeness < 1);
    assert_true(vote_likeness(&vote, poor.embedding) > vote_likeness(&vote, small.embedding));
    (void)vote_embedding(&vote, mean);
    assert_true(fabsf(mean[0] / mean[1] - 16) < 0.01f); /* (200 / 50)² */
}

static void test_kinds(void **state)
{
    struct vote vote = {0};
    struct flow_face faint = look(0, 2, 200, 0.8f), failed = look(1, 10, 200, 0.8f), good = look(2, 10, 100, 0.5f);
    (void)state;
    faint.faint = true;
    failed.quality.pass = false;
    assert_int_equal(vote_kind_of(&faint), VOTE_FAINT);
    assert_int_equal(vote_kind_of(&failed), VOTE_POOR);
    assert_int_equal(vote_kind_of(&good), VOTE_GOOD);
    struct flow_face masked = good;
    masked.masked = true;
    assert_int_equal(vote_kind_of(&masked), VOTE_POOR);
    assert_true(vote_add(&vote, &faint));
    assert_true(vote_add(&vote, &faint));
    assert_true(vote_add(&vote, &failed));
    assert_int_equal(vote.count, 1);
    assert_true(vote_likeness(&vote, faint.embedding) < 1e-6f);
    assert_false(vote_add(&vote, &faint));
    assert_true(vote_add(&vote, &good));
    assert_int_equal(vote.count, 1);
    assert_false(vote_add(&vote, &failed));
    assert_true(vote_likeness(&vote, good.embedding) > 0.999f);
}

static void test_another_model_set_begins_anew(void **state)
{
    struct vote vote = {0}, other = {0};
    struct flow_face before = look(0, 10, 200, 0.8f), after = look(1, 10, 50, 0.3f);
    (void)state;
    memcpy(before.model_set, "a/1", 4);
    memcpy(after.model_set, "b/1", 4);
    after.quality.pass = false; /* a worse kind counts all the same: there is nothing to compare it with */
    assert_true(vote_add(&vote, &before));
    assert_true(vote_add(&vote, &before));
    assert_true(vote_add(&vote, &after));
    assert_int_equal(vote.count, 1);
    assert_string_equal(vote.model_set, "b/1");
    assert_true(vote_likeness(&vote, after.embedding) > 0.999f);
    assert_true(vote_likeness(&vote, before.embedding) < 1e-6f);

    assert_true(vote_add(&other, &before));
    vote_merge(&other, &vote);
    assert_int_equal(other.count, 1);
    assert_string_equal(other.model_set, "b/1");
}

static void test_merging(void **state)
{
    struct vote first = {0}, second = {0}, faint_vote = {0};
    struct flow_face a = look(0, 10, 100, 0.5f), faint = look(3, 10, 100, 0.5f);
    (void)state;
    faint.faint = true;
    assert_true(isnan(vote_live(&first)));
    (void)vote_add(&first, &a);
    (void)vote_add(&second, &a);
    (void)vote_add(&second, &a);
    (void)vote_add(&faint_vote, &faint);
    vote_add_live(&faint_vote, 0.25f);
    vote_add_live(&first, 0.75f);
    vote_merge(&first, &second);
    assert_int_equal(first.count, 3);
    vote_merge(&first, &faint_vote);
    assert_int_equal(first.count, 3);
    assert_true(fabsf(vote_live(&first) - 0.5f) < 1e-6f);
    vote_merge(&faint_vote, &second);
    assert_int_equal(faint_vote.count, 2);
    assert_int_equal(faint_vote.kind, VOTE_GOOD);
    assert_true(vote_likeness(&faint_vote, a.embedding) > 0.999f);
}

static void test_worth(void **state)
{
    struct flow_face sharp = look(0, 9, 100, 0.5f), dull = look(0, 5, 224, 0.5f), near = look(0, 9, 200, 0.5f);
    (void)state;
    assert_true(vote_worth(&sharp) > vote_worth(&dull));
    assert_true(vote_worth(&near) > vote_worth(&sharp));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_another_model_set_begins_anew),
        cmocka_unit_test(test_merging),
        cmocka_unit_test(test_worth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
