/* The pose of drawn landmarks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "vision/pose.h"

#define POINTS 68

/* A frontal face in the iBUG layout, symmetric around x = 100: only symmetry, turns in the plane and the direction of a
 * change have answers that do not depend on its exact shape. */
static void draw(float landmarks[POINTS][2])
{
    for (int i = 0; i < 17; i++) {
        float a = (float)M_PI * (float)(i - 8) / 18.0f;
        landmarks[i][0] = 100 + 46 * sinf(a);
        landmarks[i][1] = 78 + 50 * cosf(a);
    }
    for (int i = 0; i < 5; i++) {
        landmarks[17 + i][0] = 62 + 7 * (float)i;
        landmarks[17 + i][1] = 68 - 3 * (float)(i < 3 ? i : 4 - i);
        landmarks[26 - i][0] = 200 - landmarks[17 + i][0];
        landmarks[26 - i][1] = landmarks[17 + i][1];
    }
    for (int i = 0; i < 4; i++) {
        landmarks[27 + i][0] = 100;
        landmarks[27 + i][1] = 76 + 8 * (float)i;
    }
    for (int i = 0; i < 5; i++) {
        landmarks[31 + i][0] = 90 + 5 * (float)i;
        landmarks[31 + i][1] = 106 + (i == 2 ? 3.0f : i % 2 ? 2.0f : 0.0f);
    }
    static const float eye[6][2] = {{71, 78}, {76, 75}, {82, 75}, {87, 78}, {82, 80}, {76, 80}};
    static const int partner[6] = {45, 44, 43, 42, 47, 46};
    for (int i = 0; i < 6; i++) {
        memcpy(landmarks[36 + i], eye[i], sizeof eye[i]);
        landmarks[partner[i]][0] = 200 - eye[i][0];
        landmarks[partner[i]][1] = eye[i][1];
    }
    for (int i = 0; i < 20; i++) {
        float a = (float)M_PI * (i < 12 ? 1.0f + (float)i / 6.0f : 1.0f + (float)(i - 12) / 4.0f);
        float size = i < 12 ? 1.0f : 0.7f;
        landmarks[48 + i][0] = 100 + size * 18 * cosf(a);
        landmarks[48 + i][1] = 120 + size * 7 * sinf(a);
    }
}

static struct vision_pose pose_of(float landmarks[POINTS][2])
{
    struct vision_pose pose;
    assert_true(pose_of_landmarks((const float(*)[2])landmarks, &pose));
    return pose;
}

static void test_symmetric_face_looks_ahead(void **state)
{
    (void)state;
    float landmarks[POINTS][2];
    draw(landmarks);
    struct vision_pose pose = pose_of(landmarks);
    assert_float_equal(pose.yaw, 0, 0.1f);
    assert_float_equal(pose.roll, 0, 0.1f);
    assert_float_equal(pose.pitch, 0, 25);
}

static void test_turn_in_the_plane(void **state)
{
    (void)state;
    float landmarks[POINTS][2];
    float round[POINTS][2];
    draw(landmarks);
    for (int i = 48; i < POINTS; i++) {
        landmarks[i][0] += 9; /* not symmetric any more: some yaw */
    }
    struct vision_pose before = pose_of(landmarks);
    assert_true(fabsf(before.yaw) > 1);
    for (int step = 0; step < 10; step++) {
        float degrees = -170.0f + 35.0f * (float)step;
        float a = degrees * (float)M_PI / 180;
        for (int i = 0; i < POINTS; i++) { /* clockwise, as y points down; also larger and elsewhere */
            round[i][0] = 3 * (cosf(a) * landmarks[i][0] - sinf(a) * landmarks[i][1]) - 400;
            round[i][1] = 3 * (sinf(a) * landmarks[i][0] + cosf(a) * landmarks[i][1]) + 90;
        }
        struct vision_pose after = pose_of(round);
        assert_float_equal(after.yaw, before.yaw, 0.05f);
        assert_float_equal(after.pitch, before.pitch, 0.05f);
        assert_float_equal(remainderf(after.roll - before.roll - degrees, 360), 0, 0.05f);
    }
}

static void test_signs(void **state)
{
    (void)state;
    float landmarks[POINTS][2];
    draw(landmarks);
    float level = pose_of(landmarks).pitch;
    for (int i = 27; i < 36; i++) {
        landmarks[i][0] += 8;
    }
    assert_true(pose_of(landmarks).yaw > 2); /* the nose points to the picture's right */
    draw(landmarks);
    for (int i = 27; i < 36; i++) {
        landmarks[i][1] -= 8;
    }
    assert_true(pose_of(landmarks).pitch > level + 2); /* the nose points up */
}

static void test_collapse(void **state)
{
    (void)state;
    float landmarks[POINTS][2];
    struct vision_pose pose;
    memset(landmarks, 0, sizeof landmarks);
    assert_false(pose_of_landmarks((const float(*)[2])landmarks, &pose));
    draw(landmarks);
    for (int i = 0; i < POINTS; i++) {
        landmarks[i][1] = 2 * landmarks[i][0] + 5; /* on a line */
    }
    assert_false(pose_of_landmarks((const float(*)[2])landmarks, &pose));
    draw(landmarks);
    landmarks[9][0] = NAN;
    assert_false(pose_of_landmarks((const float(*)[2])landmarks, &pose));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symmetric_face_looks_ahead),
        cmocka_unit_test(test_turn_in_the_plane),
        cmocka_unit_test(test_signs),
        cmocka_unit_test(test_collapse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
