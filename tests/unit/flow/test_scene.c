/* Frames of a camera: who is decided on, when, and how often. Needs the model set (AIBOX_MODELS or build/models) and
 * the sample pictures (AIBOX_SAMPLES or build/samples), whose faces are put before grey walls. */
#include "../store/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "flow/scene.h"
#include "gallery/gallery.h"

#define WIDTH    640
#define HEIGHT   480
#define STEP_MS  100
#define GONE_MS  1500 /* longer than a track lasts unseen, shorter than who is away is remembered */
#define MOST     12   /* frames within which somebody is surely decided on */
#define MANY     15   /* frames that take less than SCENE_STRANGER_MS, and show enough of two people */
#define SIDE     200  /* px, of a face with its surroundings */
#define SURROUND 0.45f

enum { ANN, STRANGER, PEOPLE };

static struct settings *settings;
static struct flow *flow;
static struct fixture *fixture;
static struct image people[PEOPLE]; /* SIDE x SIDE */
static struct image frame;

static struct {
    unsigned count, passed;
    enum flow_reason reason;
} told;

static const char *decided(void *ctx, const struct flow_decision *decision)
{
    (void)ctx;
    told.count++;
    told.passed += decision->passed;
    told.reason = decision->reason;
    return "";
}

static const struct flow_place where = {
    .device_id = "cam", .ep_id = "cam", .threshold = NAN, .level = QUALITY_NO, .dedup_ms = 3000};
static const struct scene_place place = {.place = &where, .decided = decided};

/* ---- frames ---- */

static void clear_frame(void)
{
    memset(frame.pixels, 128, (size_t)3 * WIDTH * HEIGHT);
}

/* Puts somebody's face, `side` px with its surroundings, at x, y. */
static void put(int who, int x, int y, int side)
{
    struct image face = {0};
    assert_status(AIBOX_OK, image_resize(&people[who], side, side, &face, NULL));
    for (int row = 0; row < side; row++)
        memcpy(frame.pixels + (size_t)3 * (size_t)((y + row) * WIDTH + x),
               face.pixels + (size_t)3 * (size_t)(row * side), (size_t)3 * (size_t)side);
    image_free(&face);
}

static int64_t now_ms = 1000;

static size_t look_from(struct scene *scene, const struct scene_place *from, float scale)
{
    size_t faces;
    struct scene_frame seen = {.image = &frame, .scale = scale, .now_ms = now_ms, .timestamp_ms = clock_realtime_ms()};
    assert_status(AIBOX_OK, scene_look(scene, from, &seen, &faces, NULL));
    now_ms += STEP_MS;
    return faces;
}

static size_t look(struct scene *scene)
{
    return look_from(scene, &place, 1);
}

/* Nobody is to be seen, and after a while they are gone. */
static void rest(struct scene *scene, int64_t ms)
{
    scene_rest(scene, &place, now_ms);
    now_ms += ms;
    scene_rest(scene, &place, now_ms);
}

/* The number of frames until somebody is decided on; MOST: nobody is. */
static unsigned look_until_told(struct scene *scene)
{
    unsigned before = told.count, n = 0;
    while (n < MOST && told.count == before) {
        (void)look(scene);
        n++;
    }
    return n;
}

static struct scene *open_scene(enum scene_kind kind)
{
    struct scene *scene = NULL;
    assert_status(AIBOX_OK, scene_open(flow, kind, &scene, NULL));
    return scene;
}

static int64_t count_events(void)
{
    return fixture_query(fixture, "main", "SELECT count(*) FROM event");
}

/* ---- cases ---- */

static void test_nobody_is_nobody(void **state)
{
    struct scene *scene = open_scene(SCENE_CROWD);
    struct scene_track track;
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(look(scene), 0);
    assert_int_equal(scene_tracks(scene, &track, 1), 0);
    assert_int_equal(told.count, 0);
    scene_close(scene);
}

static void test_somebody_known_is_told_after_the_votes_and_once(void **state)
{
    struct scene *scene = open_scene(SCENE_CROWD);
    struct scene_track track;
    (void)state;
    put(ANN, 100, 100, SIDE);
    for (int i = 1; i < SCENE_VOTES; i++)
        assert_int_equal(look(scene), 1);
    assert_int_equal(told.count, 0);
    assert_true(look_until_told(scene) < MOST);
    assert_int_equal(told.reason, FLOW_PASSED);
    assert_int_equal(scene_tracks(scene, &track, 1), 1);
    assert_true(track.decided);
    assert_string_equal(track.identity_id, "ann");
    assert_string_equal(track.name, "Ann");
    for (int i = 0; i < 4; i++)
        (void)look(scene);
    rest(scene, GONE_MS);
    assert_int_equal(told.count, 1);
    assert_int_equal(count_events(), 1);
    scene_close(scene);
}

static void test_tracks_are_told_in_the_cameras_pixels(void **state)
{
    struct scene *scene = open_scene(SCENE_CROWD);
    struct scene_track one, two;
    (void)state;
    put(ANN, 100, 100, SIDE);
    (void)look(scene);
    assert_int_equal(scene_tracks(scene, &one, 1), 1);
    assert_true(one.box[0] > 100 && one.box[2] < 100 + SIDE && one.box[1] > 100 && one.box[3] < 100 + SIDE);
    (void)look_from(scene, &place, 2);
    assert_int_equal(scene_tracks(scene, &two, 1), 1);
    assert_int_equal(two.id, one.id);
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(two.box[i] - 2 * one.box[i]) < 4);
    assert_int_equal(scene_tracks(scene, &two, 0), 0);
    rest(scene, GONE_MS);
    assert_int_equal(scene_tracks(scene, &two, 1), 0);
    scene_close(scene);
}

static void test_a_stranger_waits_for_later_looks(void **state)
{
    struct scene *scene = open_scene(SCENE_CROWD);
    (void)state;
    put(STRANGER, 100, 100, SIDE);
    for (int i = 0; i < 5; i++)
        (void)look(scene);
    assert_int_equal(told.count, 0);
    now_ms += SCENE_STRANGER_MS - 900; /* it is the same track: unseen for less than a second … */
    for (int i = 0; i < 4; i++)
        (void)look(scene);
    now_ms += 900;
    (void)look_until_told(scene);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.reason, FLOW_STRANGER);
    rest(scene, GONE_MS);
    assert_int_equal(told.count, 1);
    assert_int_equal(count_events(), 1);
    scene_close(scene);
}

static void test_a_stranger_who_leaves_is_decided_on(void **state)
{
    struct scene *scene = open_scene(SCENE_CROWD);
    (void)state;
    put(STRANGER, 100, 100, SIDE);
    for (int i = 0; i < MANY; i++)
        (void)look(scene);
    assert_int_equal(told.count, 0);
    rest(scene, GONE_MS);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.reason, FLOW_STRANGER);
    scene_close(scene);
}

static void test_a_glimpse_is_nobody(void **state)
{
    struct scene *scene = open_scene(SCENE_CROWD);
    (void)state;
    put(STRANGER, 100, 100, SIDE);
    (void)look(scene);
    rest(scene, GONE_MS);
    assert_int_equal(told.count, 0);
    assert_int_equal(count_events(), 0);
    scene_close(scene);
}

static void test_who_comes_back_is_the_same(void **state)
{
    struct scene *scene = open_scene(SCENE_CROWD);
    (void)state;
    put(ANN, 100, 100, SIDE);
    assert_true(look_until_told(scene) < MOST);
    rest(scene, GONE_MS); /* behind a pillar, and out on its other side */
    clear_frame();
    put(ANN, 400, 200, SIDE);
    for (int i = 0; i < 5; i++)
        (void)look(scene);
    assert_int_equal(told.count, 1);
    assert_int_equal(count_events(), 1);
    scene_close(scene);
}

static void test_a_crowd_is_everybody(void **state)
{
    struct scene *scene = open_scene(SCENE_CROWD);
    struct scene_track tracks[SCENE_MAX_TRACKS];
    (void)state;
    put(ANN, 20, 100, SIDE);
    put(STRANGER, 400, 100, SIDE);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(look(scene), 2);
    assert_int_equal(scene_tracks(scene, tracks, SCENE_MAX_TRACKS), 2);
    assert_int_not_equal(tracks[0].id, tracks[1].id);
    rest(scene, GONE_MS);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.passed, 1);
    scene_close(scene);
}

static void test_a_gate_is_for_the_largest(void **state)
{
    struct scene *scene = open_scene(SCENE_GATE);
    (void)state;
    put(STRANGER, 20, 20, SIDE / 2);
    put(ANN, 300, 100, SIDE + 80);
    for (int i = 0; i < MANY; i++)
        (void)look(scene);
    rest(scene, GONE_MS);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.passed, 1);
    scene_close(scene);
}

static void test_a_region_is_all_that_counts(void **state)
{
    struct scene *scene = open_scene(SCENE_CROWD);
    struct flow_place part = where;
    struct scene_place from = {.place = &part, .decided = decided};
    (void)state;
    put(ANN, 20, 100, SIDE);
    put(STRANGER, 400, 100, SIDE);
    memcpy(part.roi, (float[4]){0, 0, 640, 960}, sizeof part.roi); /* px of a camera's frame twice as large */
    for (int i = 0; i < MANY; i++)
        assert_int_equal(look_from(scene, &from, 2), 1);
    rest(scene, GONE_MS);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.passed, 1);
    scene_close(scene);
}

/* ---- the flow and the people that all of them share ---- */

static const char *folder(const char *variable, const char *otherwise)
{
    const char *given = getenv(variable);
    return given != NULL ? given : otherwise;
}

#define MODELS  folder("AIBOX_MODELS", AIBOX_SOURCE_DIR "/build/models")
#define SAMPLES folder("AIBOX_SAMPLES", AIBOX_SOURCE_DIR "/build/samples")

static uint8_t *read_sample(int number, size_t *size)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/sample%d.jpg", SAMPLES, number);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *bytes = malloc((size_t)4 << 20);
    *size = bytes != NULL ? fread(bytes, 1, (size_t)4 << 20, file) : 0;
    (void)fclose(file);
    return bytes;
}

/* The largest face of a sample, with its surroundings, as a square of SIDE. */
static bool take_person(int number, struct image *out, float embedding[VISION_DIMENSION])
{
    struct flow_inspection how = {.wants = FLOW_WANT_EMBEDDING, .max_faces = 1};
    struct flow_face *faces = NULL;
    struct image whole = {0}, part = {0};
    size_t size = 0, count = 0;
    uint8_t *bytes = read_sample(number, &size);
    bool done = bytes != NULL && flow_inspect(flow, FLOW_BULK, bytes, size, &how, &faces, &count, NULL) == AIBOX_OK &&
                count == 1 && image_decode(bytes, size, 0, &whole, NULL, NULL) == AIBOX_OK;
    if (done) {
        const float *box = faces[0].face.box;
        float side = fmaxf(box[2] - box[0], box[3] - box[1]) * (1 + 2 * SURROUND);
        float x = (box[0] + box[2] - side) / 2, y = (box[1] + box[3] - side) / 2;
        memcpy(embedding, faces[0].embedding, sizeof faces[0].embedding);
        done = image_crop(&whole, (int)x, (int)y, (int)side, (int)side, &part, NULL) == AIBOX_OK &&
               image_resize(&part, SIDE, SIDE, out, NULL) == AIBOX_OK;
    }
    image_free(&part);
    image_free(&whole);
    free(faces);
    free(bytes);
    return done;
}

/* Two of the samples' people who don't look alike. */
static bool take_people(void)
{
    float embeddings[PEOPLE][VISION_DIMENSION];
    int n = 0;
    for (int number = 1; number <= 6 && n < PEOPLE; number++) {
        if (!take_person(number, &people[n], embeddings[n]))
            continue;
        if (n > 0 && gallery_cosine(embeddings[0], embeddings[n]) > 0.2F)
            image_free(&people[n]);
        else
            n++;
    }
    return n == PEOPLE;
}

static bool enrol_ann(struct aibox_error *err)
{
    uint8_t *photo = NULL;
    size_t size = 0;
    struct store_person person = {0};
    if (image_encode_jpeg(&people[ANN], 95, &photo, &size, err) != AIBOX_OK)
        return false;
    struct flow_enrolment ann = {
        .change = {.identity_id = "ann", .info = "{\"name\": \"Ann\"}", .faces_mode = STORE_FACES_ADD},
        .photo = photo,
        .photo_size = size,
        .level = QUALITY_NO};
    bool done = flow_enrol(flow, FLOW_BULK, &ann, &person, NULL, NULL, err) == AIBOX_OK;
    store_person_free(&person);
    free(photo);
    return done;
}

static int setup(void **state)
{
    struct aibox_error err = {0};
    if (fixture_setup(state) != 0)
        return -1;
    fixture = *state;
    if (settings_open(&settings, &err) == AIBOX_OK &&
        flow_open(settings, fixture->store, MODELS, &flow, &err) == AIBOX_OK && flow_wait_ready(flow) &&
        image_new(WIDTH, HEIGHT, &frame, &err) == AIBOX_OK && take_people() && enrol_ann(&err))
        return 0;
    print_error("%s\n", err.message);
    return -1;
}

static int teardown(void **state)
{
    for (int i = 0; i < PEOPLE; i++)
        image_free(&people[i]);
    image_free(&frame);
    flow_close(flow);
    settings_close(settings);
    *state = fixture;
    return fixture_teardown(state);
}

static int begin(void **state)
{
    const struct store_event_query all = {.score_min = NAN, .score_max = NAN};
    (void)state;
    memset(&told, 0, sizeof told);
    clear_frame();
    now_ms += 100000;
    flow_forget_sightings(flow);
    return store_events_delete(fixture->store, NULL, 0, &all, NULL, NULL) == AIBOX_OK ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_is_nobody),
        TEST(test_somebody_known_is_told_after_the_votes_and_once),
        TEST(test_tracks_are_told_in_the_cameras_pixels),
        TEST(test_a_stranger_waits_for_later_looks),
        TEST(test_a_stranger_who_leaves_is_decided_on),
        TEST(test_a_glimpse_is_nobody),
        TEST(test_who_comes_back_is_the_same),
        TEST(test_a_crowd_is_everybody),
        TEST(test_a_gate_is_for_the_largest),
        TEST(test_a_region_is_all_that_counts),
    };
    char manifest[1024], sample[1024];
    (void)snprintf(manifest, sizeof manifest, "%s/manifest.json", MODELS);
    (void)snprintf(sample, sizeof sample, "%s/sample1.jpg", SAMPLES);
    if (access(manifest, R_OK) != 0 || access(sample, R_OK) != 0) {
        print_message("there is no model set in AIBOX_MODELS or build/models, or no sample in AIBOX_SAMPLES\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
