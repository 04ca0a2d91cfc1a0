/* Somebody before a camera: what looks make of them, with a real store and gallery; the looks are made here. Needs the
 * model set (AIBOX_MODELS or build/models). */
#include "../store/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "flow/subject.h"

enum { ANN, STRANGER, SOMEBODY_ELSE }; /* whose embedding points where */

static struct settings *settings;
static struct flow *flow;
static struct generation *generation;
static struct fixture *fixture;
static struct image image;
static unsigned told;

static const char *decided(void *ctx, const struct flow_decision *decision)
{
    (void)ctx;
    (void)decision;
    told++;
    return "";
}

static const struct flow_place where = {.device_id = "cam", .ep_id = "cam", .threshold = NAN, .level = QUALITY_NO};
static const struct scene_place place = {.place = &where, .decided = decided};

/* A look at somebody, upright in the middle of the image. */
static struct flow_face look(int who, float norm)
{
    static const float points[5][2] = {{80, 85}, {120, 85}, {100, 110}, {84, 132}, {116, 132}};
    struct flow_face face = {.norm = norm, .quality = {.face_size = 120, .score = 0.8f, .pass = true, .mask = -1}};
    const float box[4] = {40, 40, 160, 160};

    memcpy(face.face.box, box, sizeof box);
    memcpy(face.face.raw_box, box, sizeof box);
    memcpy(face.face.points, points, sizeof points);
    face.face.located = true;
    flow_model_set(flow, face.model_set);
    face.embedding[who] = norm;
    return face;
}

static void take(struct subject *subject, const struct flow_face *face, struct spot **scene)
{
    assert_status(AIBOX_OK, subject_take_look(flow, subject, generation, &image, face, false, false,
                                              clock_realtime_ms(), scene, NULL));
}

static void take_looks(struct subject *subject, int who, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct flow_face face = look(who, 10);
        struct spot *scene = NULL;
        take(subject, &face, &scene);
        spot_release(scene);
    }
}

static void conclude(struct subject *subject, bool final)
{
    assert_status(AIBOX_OK, subject_decide(flow, subject, &place, final, NULL));
}

static int64_t count_events(void)
{
    return fixture_query(fixture, "main", "SELECT count(*) FROM event");
}

static void test_somebody_known_is_decided_on_at_once(void **state)
{
    struct subject subject = {0};
    (void)state;
    conclude(&subject, true); /* without a look there is nothing to decide on */
    assert_false(subject.decided);
    take_looks(&subject, ANN, 1);
    conclude(&subject, false);
    assert_true(subject.decided);
    assert_int_equal(subject.verdict, STORE_KNOWN);
    assert_int_equal(subject.reason, FLOW_PASSED);
    assert_string_equal(subject.identity_id, "ann");
    assert_string_equal(subject.name, "Ann");
    assert_int_equal(told, 1);
    struct store_event event = {0};
    assert_status(AIBOX_OK, store_event_get(fixture->store, subject.event_id, &event, NULL));
    assert_string_equal(event.identity_id, "ann");
    assert_string_equal(event.device_id, "cam");
    assert_true(event.spot_id[0] != '\0' && event.face_id[0] != '\0');
    store_event_free(&event);
    subject_clear(flow, &subject);
    assert_false(subject.decided);
}

static void test_a_stranger_waits_for_the_end(void **state)
{
    struct subject subject = {0};
    (void)state;
    take_looks(&subject, STRANGER, 1);
    conclude(&subject, true); /* nobody is called a stranger after a glimpse */
    assert_false(subject.decided);
    take_looks(&subject, STRANGER, 1);
    conclude(&subject, false); /* there may be better looks */
    assert_false(subject.decided);
    assert_int_equal(told, 0);
    conclude(&subject, true);
    assert_true(subject.decided);
    assert_int_equal(subject.verdict, STORE_UNKNOWN);
    assert_string_equal(subject.identity_id, "");
    assert_int_equal(told, 1);
    conclude(&subject, true); /* once */
    assert_int_equal(told, 1);
    assert_int_equal(count_events(), 1);
    subject_clear(flow, &subject);
}

static void test_faint_looks_take_longer(void **state)
{
    struct subject subject = {0};
    struct spot *scene = NULL;
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct flow_face face = look(STRANGER, 2);
        face.faint = true;
        conclude(&subject, true);
        assert_false(subject.decided);
        take(&subject, &face, &scene);
    }
    conclude(&subject, true);
    assert_true(subject.decided);
    spot_release(scene);
    subject_clear(flow, &subject);
}

static void test_a_stranger_who_is_known_later_supersedes(void **state)
{
    struct subject subject = {0};
    struct store_event event = {0};
    char first[27];
    (void)state;
    take_looks(&subject, STRANGER, 2);
    conclude(&subject, true);
    memcpy(first, subject.event_id, sizeof first);
    take_looks(&subject, ANN, 20);
    conclude(&subject, false);
    assert_int_equal(subject.verdict, STORE_KNOWN);
    assert_string_not_equal(subject.event_id, first);
    assert_status(AIBOX_OK, store_event_get(fixture->store, subject.event_id, &event, NULL));
    assert_string_equal(event.supersedes, first);
    assert_int_equal(count_events(), 2);
    assert_int_equal(told, 2);
    store_event_free(&event);
    subject_clear(flow, &subject);
}

static void test_the_best_look_gives_the_pictures(void **state)
{
    struct subject subject = {0};
    struct spot *scene = NULL, *later = NULL;
    struct flow_face weak = look(ANN, 8), good = look(ANN, 12), barely = look(ANN, 12.5f);
    (void)state;
    take(&subject, &weak, &scene);
    assert_ptr_equal(subject.scene, scene);
    assert_int_equal(scene->refs, 2);
    take(&subject, &good, &later);
    assert_ptr_equal(subject.scene, later);
    assert_int_equal(scene->refs, 1);
    assert_true(subject.best.norm == 12);
    struct spot *unused = NULL;
    take(&subject, &barely, &unused); /* not clearly better: no new pictures */
    assert_null(unused);
    assert_true(subject.best.norm == 12);
    conclude(&subject, false);
    struct flow_face best = look(ANN, 40);
    take(&subject, &best, &unused); /* decided: nothing comes of better ones */
    assert_null(unused);
    spot_release(scene);
    spot_release(later);
    subject_clear(flow, &subject);
}

static void test_a_scene_is_shared(void **state)
{
    struct subject one = {0}, two = {0};
    struct spot *scene = NULL;
    struct flow_face face = look(ANN, 10), other = look(STRANGER, 10);
    (void)state;
    take(&one, &face, &scene);
    take(&two, &other, &scene);
    assert_ptr_equal(one.scene, two.scene);
    assert_int_equal(scene->refs, 3);
    subject_clear(flow, &one);
    assert_int_equal(scene->refs, 2);
    spot_release(scene);
    assert_true(two.scene->size > 0);
    subject_clear(flow, &two);
    /* Without whole scenes each has a picture of its own. */
    assert_status(AIBOX_OK, settings_put(settings, SETTINGS_SET, "events.spot_picture", "face", NULL));
    scene = NULL;
    take(&one, &face, &scene);
    settings_forget(settings, SETTINGS_SET, "events.spot_picture");
    assert_null(scene);
    assert_null(one.scene);
    assert_true(one.around_size > 0);
    subject_clear(flow, &one);
}

static void test_joined_looks_count_together(void **state)
{
    struct subject subject = {0}, other = {0};
    (void)state;
    take_looks(&subject, STRANGER, 1);
    take_looks(&other, STRANGER, 1);
    subject.last_look_ms = 5;
    other.last_look_ms = 9;
    subject.contradictions = 1;
    subject_join(flow, &subject, &other);
    assert_int_equal(subject.vote.count, 2);
    assert_int_equal(subject.last_look_ms, 9);
    assert_int_equal(subject.contradictions, 0);
    assert_int_equal(other.vote.count, 0);
    assert_null(other.scene);
    conclude(&subject, true);
    assert_true(subject.decided);
    /* The pictures of who looked better come along. */
    struct subject weak = {0}, good = {0};
    struct flow_face little = look(SOMEBODY_ELSE, 5), much = look(SOMEBODY_ELSE, 20);
    struct spot *first = NULL, *second = NULL;
    take(&weak, &little, &first);
    take(&good, &much, &second);
    subject_join(flow, &weak, &good);
    assert_ptr_equal(weak.scene, second);
    assert_true(weak.best.norm == 20);
    assert_int_equal(first->refs, 1);
    spot_release(first);
    spot_release(second);
    subject_clear(flow, &weak);
    subject_clear(flow, &subject);
}

static void test_a_picture_that_can_not_be_made_leaves_the_looks(void **state)
{
    struct subject subject = {0};
    struct spot *scene = NULL;
    struct flow_face face = look(ANN, 10), good = look(ANN, 10);
    struct aibox_error err;
    (void)state;
    memset(face.face.points, 0, sizeof face.face.points); /* nothing to align by */
    assert_true(subject_take_look(flow, &subject, generation, &image, &face, true, false, 1, &scene, &err) != AIBOX_OK);
    assert_int_equal(subject.vote.count, 1);
    assert_true(subject.best_worth == 0);
    conclude(&subject, true); /* an event without a picture is none */
    assert_false(subject.decided);
    take(&subject, &good, &scene);
    conclude(&subject, false);
    assert_true(subject.decided);
    spot_release(scene);
    subject_clear(flow, &subject);
}

/* ---- the flow that all of them share ---- */

static const char *models_folder(void)
{
    const char *models = getenv("AIBOX_MODELS");
    return models != NULL ? models : AIBOX_SOURCE_DIR "/build/models";
}

static int setup(void **state)
{
    struct aibox_error err = {0};
    float feature[VISION_DIMENSION] = {1};
    struct flow_enrolment ann = {
        .change = {.identity_id = "ann", .info = "{\"name\": \"Ann\"}", .faces_mode = STORE_FACES_ADD},
        .feature = feature};
    struct store_person person = {0};
    if (fixture_setup(state) != 0)
        return -1;
    fixture = *state;
    if (settings_open(&settings, &err) != AIBOX_OK ||
        flow_open(settings, fixture->store, models_folder(), &flow, &err) != AIBOX_OK || !flow_wait_ready(flow) ||
        image_new(200, 200, &image, &err) != AIBOX_OK ||
        flow_enrol(flow, FLOW_BULK, &ann, &person, NULL, NULL, &err) != AIBOX_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    store_person_free(&person);
    generation = generation_use(flow->generations);
    return 0;
}

static int teardown(void **state)
{
    generation_done(flow->generations, generation);
    image_free(&image);
    flow_close(flow);
    settings_close(settings);
    *state = fixture;
    return fixture_teardown(state);
}

static int begin(void **state)
{
    (void)state;
    told = 0;
    return store_events_delete(fixture->store, NULL, 0, &(struct store_event_query){.score_min = NAN, .score_max = NAN},
                               NULL, NULL) == AIBOX_OK
               ? 0
               : -1;
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_somebody_known_is_decided_on_at_once),
        TEST(test_a_stranger_waits_for_the_end),
        TEST(test_faint_looks_take_longer),
        TEST(test_a_stranger_who_is_known_later_supersedes),
        TEST(test_the_best_look_gives_the_pictures),
        TEST(test_a_scene_is_shared),
        TEST(test_joined_looks_count_together),
        TEST(test_a_picture_that_can_not_be_made_leaves_the_looks),
    };
    char manifest[1024];
    (void)snprintf(manifest, sizeof manifest, "%s/manifest.json", models_folder());
    if (access(manifest, R_OK) != 0) {
        print_message("there is no model set in AIBOX_MODELS or build/models\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
