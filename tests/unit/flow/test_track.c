/* Tracks: who is who from frame to frame, with movement, crossing, gaps and doubtful faces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flow/track.h"

static struct track_face face_at(float x, float y, float side, float score)
{
    return (struct track_face){.box = {x - side / 2, y - side / 2, x + side / 2, y + side / 2}, .score = score};
}

static const struct track *track_of(const struct tracker *tracker, size_t face)
{
    for (size_t t = 0; t < TRACKS_MAX; t++)
        if (tracker->tracks[t].id != 0 && tracker->tracks[t].seen && tracker->tracks[t].face == face)
            return &tracker->tracks[t];
    return NULL;
}

static size_t living(const struct tracker *tracker)
{
    size_t count = 0;
    for (size_t t = 0; t < TRACKS_MAX; t++)
        count += tracker->tracks[t].id != 0;
    return count;
}

static void test_fit(void **state)
{
    const float a[4] = {0, 0, 10, 10}, apart[4] = {100, 0, 110, 10}, half[4] = {5, 0, 15, 10}, none[4] = {3, 3, 3, 3};
    (void)state;
    assert_true(track_fit(a, a) > 0.999f);
    assert_true(track_fit(a, apart) < -0.5f);
    assert_true(track_fit(a, half) > 0 && track_fit(a, half) < 0.4f);
    assert_true(track_fit(none, none) <= 0);
}

/* Two people walk through each other: their tracks go on straight ahead. */
static void test_crossing(void **state)
{
    struct tracker tracker = {0};
    size_t ended[TRACKS_MAX];
    uint64_t ids[2] = {0};
    (void)state;
    for (int i = 0; i <= 20; i++) {
        float x = (float)i * 20;
        struct track_face faces[] = {face_at(100 + x, 100, 60, 0.9f), face_at(500 - x, 118, 60, 0.9f)};
        assert_int_equal(tracker_update(&tracker, faces, 2, 100 * i, ended), 0);
        for (size_t f = 0; f < 2; f++) {
            const struct track *track = track_of(&tracker, f);
            assert_non_null(track);
            if (i == 0)
                ids[f] = track->id;
            assert_int_equal(track->id, ids[f]);
        }
    }
    assert_int_equal(living(&tracker), 2);
}

/* A gap shorter than TRACK_GONE_MS is bridged by the velocity; a longer one ends the track. */
static void test_gaps(void **state)
{
    struct tracker tracker = {0};
    size_t ended[TRACKS_MAX];
    (void)state;
    struct track_face face;
    for (int i = 0; i < 5; i++) {
        face = face_at(100 + 15.0f * (float)i, 100, 80, 0.9f);
        tracker_update(&tracker, &face, 1, 100 * i, ended);
    }
    uint64_t id = track_of(&tracker, 0)->id;
    for (int i = 5; i < 9; i++)
        assert_int_equal(tracker_update(&tracker, NULL, 0, 100 * i, ended), 0);
    face = face_at(100 + 15.0f * 9, 100, 80, 0.9f);
    tracker_update(&tracker, &face, 1, 900, ended);
    assert_int_equal(track_of(&tracker, 0)->id, id);
    assert_int_equal(track_of(&tracker, 0)->hits, 6);
    assert_int_equal(tracker_update(&tracker, NULL, 0, 1200, ended), 0);
    assert_int_equal(tracker_update(&tracker, NULL, 0, 900 + TRACK_GONE_MS + 1, ended), 1);
    assert_int_equal(living(&tracker), 0);
    tracker_update(&tracker, &face, 1, 3000, ended);
    assert_int_not_equal(track_of(&tracker, 0)->id, id);
}

/* A doubtful face continues a track and begins none; below that a face is nothing at all. */
static void test_doubtful_faces(void **state)
{
    struct tracker tracker = {0};
    size_t ended[TRACKS_MAX];
    struct track_face sure = face_at(100, 100, 60, 0.9f);
    struct track_face doubtful[] = {face_at(103, 100, 60, 0.5f), face_at(400, 100, 60, 0.5f)};
    struct track_face nothing = face_at(106, 100, 60, TRACK_DOUBTFUL - 0.01f);
    (void)state;
    tracker_update(&tracker, &sure, 1, 0, ended);
    tracker_update(&tracker, doubtful, 2, 100, ended);
    assert_int_equal(living(&tracker), 1);
    assert_non_null(track_of(&tracker, 0));
    assert_null(track_of(&tracker, 1));
    tracker_update(&tracker, &nothing, 1, 200, ended);
    assert_null(track_of(&tracker, 0));
}

/* The same face found twice, and a face within another of another size. */
static void test_no_second_track_for_one_face(void **state)
{
    struct tracker tracker = {0};
    size_t ended[TRACKS_MAX];
    struct track_face twice[] = {face_at(100, 100, 60, 0.9f), face_at(104, 102, 62, 0.8f)};
    struct track_face small = face_at(100, 100, 20, 0.9f);
    (void)state;
    tracker_update(&tracker, twice, 2, 0, ended);
    assert_int_equal(living(&tracker), 1);
    uint64_t id = track_of(&tracker, 0)->id;
    tracker_update(&tracker, &small, 1, 100, ended);
    assert_int_not_equal(track_of(&tracker, 0)->id, id);
}

/* More faces than places: those that are followed go on, the rest is left out; boxes without sense do no harm. */
static void test_too_many(void **state)
{
    struct tracker tracker = {0};
    size_t ended[TRACKS_MAX];
    struct track_face faces[5 * TRACKS_MAX];
    (void)state;
    for (size_t i = 0; i < 5 * TRACKS_MAX; i++)
        faces[i] = face_at(100.0f * (float)i, 0, 50, 0.9f);
    faces[3].box[2] = faces[3].box[0] - 10;
    faces[4].box[0] = 1.0f / 0.0f;
    for (int i = 0; i < 3; i++)
        tracker_update(&tracker, faces, 5 * TRACKS_MAX, 100 * i, ended);
    assert_int_equal(living(&tracker), TRACKS_MAX);
    assert_int_equal(track_of(&tracker, 0)->hits, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_crossing),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_doubtful_faces),
        cmocka_unit_test(test_no_second_track_for_one_face),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
